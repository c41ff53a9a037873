"""Changes of a book that lies in partitions: each is evaluated where its account, or its row, is."""

import pickle
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from levcore.arguments import of_kind
from levcore.book.arrays import factorize
from levcore.changes.changes import NONE, Changes
from levcore.changes.orders import Orders
from levcore.changes.status import FIRST_REFUSED
from levcore.cluster.own_changes import Asked, Columns, Found, Places, changed_partition
from levcore.cluster.partitions import tasks_of
from levcore.cluster.pools import Pool, run
from levcore.cluster.whole_accounts import NotInputs
from levcore.cluster.whole_partitions import Known, Reading
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.files.batches import rows_of_file
from levcore.files.tables import Progress
from levcore.measures import MEASURE_NAMES
from levcore.rules.instruments import Instrument
from levcore.status import AccountStatus, Code, State, Status

__all__ = ["PartitionWhatIf", "what_if"]

NOTHING: dict[str, Code] = {
    "state": State.INCOMPLETE,
    "status": Status.NO_POSITION,
    "account_status": AccountStatus.NO_ACCOUNT,
}
"""Codes where a transfer left nobody, since the change is none."""


class PartitionWhatIf:
    """What changes of a book in partitions would do; made by `levcore.cluster.what_if`.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (c,)
        One value a change, with the bits of `levcore.what_if` over the whole book: what it tells of the
        change under its own names (``status``, ``quantity``, ``cash_flow``, ``may_open``,
        ``liquidated_at_once``, ``free_margin``, ...), of the position as ``after_equity``, ``before_state``
        and so on, of its account as ``after_account_equity``; of transfers, ``source_account_equity``.
    """

    __slots__ = ("columns",)

    columns: dict[str, npt.NDArray[Any]]

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        """Number of changes."""
        return len(self.columns["status"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Column of this name."""
        return self.columns[name]

    @property
    def refused(self) -> npt.NDArray[np.bool_]:
        """Changes that were not applied, shape (c,)."""
        refused: npt.NDArray[np.bool_] = self.columns["status"] >= FIRST_REFUSED
        return refused

    def to_dict(self) -> Columns:
        """Columns by name, as frames are made of them."""
        return {"change": np.arange(len(self))} | self.columns

    def __repr__(self) -> str:
        """Sizes."""
        return f"PartitionWhatIf({len(self):,} changes, {int(self.refused.sum()):,} refused)"


def what_if(
    partitions: Any,
    engine: Engine,
    changes: Changes,
    executor: Pool = None,
    *,
    marks: Mapping[str, Any] | None = None,
    sequence: bool | npt.ArrayLike = False,
    tables: Sequence[Instrument] = (),
    orders: Orders | None = None,
    reducing: Literal["share", "nothing"] = "share",
    before: bool = True,
    measures: tuple[str, ...] | None = None,
    position_mode: Literal["one_way", "hedge"] = "one_way",
    threads: int | None = None,
    ignore_columns: Collection[str] = (),
    pass_columns: Collection[str] = (),
    check_accounts: bool = True,
    retries: int = 3,
    progress: Progress | None = None,
) -> PartitionWhatIf:
    """Evaluate changes of a book that lies in partitions, by several processes or machines.

    Parameters
    ----------
    partitions, engine, executor, marks, position_mode, threads, ignore_columns, pass_columns
        As `levcore.cluster.evaluate` takes them; and `check_accounts`, `retries`, `progress`.
    changes, sequence, tables, orders, reducing, before, measures
        As `levcore.what_if` takes them, every measure by default. Rows are those of all partitions in their
        order; the changes of a sequence, and the two accounts of a transfer, lie in one partition.

    Returns
    -------
    PartitionWhatIf
        The bits of `levcore.what_if` over all partitions in one book.

    Raises
    ------
    InputError, DTypeError
        As `levcore.what_if` and `levcore.cluster.evaluate`; and for changes that concern two partitions.

    Examples
    --------
    >>> import levcore as lc
    >>> import polars as pl
    >>> book = pl.DataFrame({
    ...     "account": ["a", "b"], "instrument": ["BTCUSDT", "ETHUSDT"], "quantity": [0.5, 4.0],
    ...     "entry_price": [60_000.0, 3_000.0], "mark_price": [60_000.0, 3_000.0],
    ...     "margin_mode": "cross", "wallet_balance": [9_000.0, 1_200.0], "leverage": 10.0,
    ... })
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> changes = lc.Changes("order", account=["b", "a"], instrument=["ETHUSDT", "BTCUSDT"], quantity=[8, 1])
    >>> found = lc.cluster.what_if(book.partition_by("account"), engine, changes)
    >>> found["may_open"].tolist(), found["after_liquidation_price"].round(2).tolist()
    ([False, True], [2911.65, 54237.86])
    """
    for argument, value, kind in (("engine", engine, Engine), ("changes", changes, Changes)):
        of_kind(argument, value, kind)
    own = 1 if threads is None and executor is not None else threads
    options = {"reducing": reducing, "before": before, "measures": measures or MEASURE_NAMES, "threads": own}
    starts, rows = _starts(partitions, changes)
    asked = Asked(changes, _sequence(sequence, len(changes)), tuple(tables), orders, options, rows)
    not_inputs = NotInputs(tuple(ignore_columns), tuple(pass_columns))
    common = (Reading(pickle.dumps(engine), marks, position_mode, not_inputs), asked, starts)
    together = _Together(asked, check_accounts)
    for place, found, _ in run(changed_partition, tasks_of(partitions, (*common, None)), executor, retries):
        together.take(place, found)
        if progress is not None:
            progress(together.rows)
    left = together.left()
    if left.size:
        # Nobody has their account or row: the first partition says what it says of such changes.
        first = next(iter(tasks_of(partitions, (*common, left))), None)
        for _, found, _ in run(changed_partition, [] if first is None else [first], executor, retries):
            together.add(found)
    return together.result()


def _starts(partitions: Any, changes: Changes) -> tuple[tuple[int, ...] | None, int]:
    """First row of each partition, and all rows, where a change names a row."""
    if (changes.row == NONE).all():
        return None, 0
    if not isinstance(partitions, Sequence):
        rule = "must come as a sequence where changes name rows"
        raise DTypeError("partitions", rule, "a sequence", type(partitions).__name__)
    heights = [rows_of_file(each) if isinstance(each, (str, Path)) else len(each) for each in partitions]
    ends = np.cumsum([0, *heights]).tolist()
    return tuple(ends[:-1]), ends[-1]


def _sequence(sequence: bool | npt.ArrayLike, count: int) -> npt.NDArray[np.uint32] | None:
    """Code of the sequence of each change; None: each is alone."""
    if isinstance(sequence, (bool, np.bool_)):
        return np.zeros(count, dtype=np.uint32) if sequence else None
    codes, _ = factorize("sequence", sequence)
    if codes.size != count:
        raise ShapeError("sequence", "must have one value a change", str(count), str(codes.size))
    return codes


class _Together(Known):
    """Columns of all changes, filled partition by partition."""

    def __init__(self, asked: Asked, check_accounts: bool) -> None:
        super().__init__(check_accounts)
        count = len(asked.changes)
        self._asked = asked
        self._owner = np.full(count, -1, dtype=np.int64)
        self._of_order = np.zeros(0 if asked.orders is None else len(asked.orders), dtype=np.int64)
        self._columns: Columns = {}

    def take(self, place: int, found: Found) -> None:
        """Take over a partition that is done."""
        self.note(place, found.accounts, found.prices, found.rows)
        twice = found.changes[self._owner[found.changes] >= 0]
        if twice.size:
            self._refuse(int(twice[0]), twice.size, place)
        self._owner[found.changes] = place
        self._of_order[found.orders] += 1
        self.add(found)

    def add(self, found: Found) -> None:
        """Fill in the changes of a partition."""
        for name, column in found.columns.items():
            if name not in self._columns:
                self._columns[name] = np.full(len(self._owner), _nothing(name, column.dtype), column.dtype)
            self._columns[name][found.changes] = column

    def left(self) -> Places:
        """Changes that no partition has taken; refuses sequences that two have, and orders that none has."""
        labels = self._asked.sequence
        if labels is not None and labels.size:
            taken = np.flatnonzero(self._owner >= 0)
            first = np.full(int(labels.max()) + 1, -1)
            first[labels[taken][::-1]] = self._owner[taken][::-1]
            apart = taken[first[labels[taken]] != self._owner[taken]]
            if apart.size:
                row = int(apart[0])
                self._refuse(row, apart.size, int(first[labels[row]]))
        strange = np.flatnonzero(self._of_order == 0)
        if strange.size and self._asked.orders is not None:
            codes, names = self._asked.orders.account
            row = int(strange[0])
            rule, found = "must be of accounts of the book", repr(names[int(codes[row])])
            raise InputError("orders", rule, "their ids", found, row, int(strange.size))
        return np.flatnonzero(self._owner < 0)

    def result(self) -> PartitionWhatIf:
        """All of them together."""
        if not self._columns:
            raise InputError("partitions", "must hold a partition", "one at least", "none")
        return PartitionWhatIf(self._columns)

    def _refuse(self, row: int, count: int, other: int) -> None:
        rule = "must concern one partition, with all changes of their sequence"
        expected = "accounts that trade with each other in one partition"
        found = f"partitions {min(self._owner[row], other)} and {max(self._owner[row], other)}"
        raise InputError("changes", rule, expected, found, row, count)


def _nothing(name: str, kind: np.dtype[Any]) -> float | int | bool:
    """What a column of a side that a change does not have holds."""
    if kind.kind != "u":
        return np.nan if kind.kind == "f" else False
    of_account = name.endswith("account_status")
    return int(NOTHING["account_status" if of_account else name.rsplit("_", 1)[-1]])
