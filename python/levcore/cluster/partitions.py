"""Partitions of a book, each with whole accounts, over processes and machines."""

import pickle
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from levcore.arguments import of_kind, whole_number
from levcore.cluster.batches import evaluate_batches
from levcore.cluster.pools import Pool, Task, run
from levcore.cluster.prices import Prices
from levcore.cluster.whole_accounts import Owners
from levcore.engine.engine import Engine
from levcore.engine.price_units import PriceApart, PriceUnits
from levcore.engine.summary import Summary
from levcore.errors import DTypeError, InputError
from levcore.files.batches import check_folder, read_batches, remove_unfinished, write_part
from levcore.files.tables import Progress

__all__ = ["PartitionRisks", "engine_of", "evaluate", "tasks_of"]


class PartitionRisks:
    """What partitions of a book come to together; made by `levcore.cluster.evaluate`.

    Attributes
    ----------
    rows : tuple of int
        Rows of each partition.
    files : tuple of tuple of Path
        Files with the results of each partition, in the order of its rows; empty ones without ``out``.
    retried : int
        How many times a partition was handed over again because its worker was lost.
    """

    __slots__ = ("_summary", "_units", "files", "retried", "rows")

    rows: tuple[int, ...]
    files: tuple[tuple[Path, ...], ...]
    retried: int

    def __init__(
        self,
        summary: Summary,
        units: PriceUnits,
        rows: tuple[int, ...],
        files: tuple[tuple[Path, ...], ...],
        retried: int,
    ) -> None:
        self._summary, self._units = summary, units
        self.rows, self.files, self.retried = rows, files, retried

    def summary(self) -> dict[str, Any]:
        """What `BookRisk.summary` of all partitions in one book would return, to the last bit."""
        return self._summary.to_dict()

    def prices_apart(self) -> list[PriceApart]:
        """What `BookRisk.prices_apart` of all partitions in one book would return, rows in their order."""
        return self._units.apart()

    def __repr__(self) -> str:
        """Sizes."""
        return f"PartitionRisks({sum(self.rows):,} positions in {len(self.rows):,} partitions)"


class Found(NamedTuple):
    """What a worker sends back of a partition."""

    summary: Summary
    units: PriceUnits
    rows: int
    files: tuple[Path, ...]
    prices: Prices
    accounts: tuple[Any, ...]


def evaluate(
    partitions: Any,
    engine: Engine,
    executor: Pool = None,
    *,
    marks: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    rows: int | None = None,
    position_mode: Literal["one_way", "hedge"] = "one_way",
    measures: tuple[str, ...] | None = None,
    threads: int | None = None,
    ignore_columns: Collection[str] = (),
    pass_columns: Collection[str] = (),
    check_accounts: bool = True,
    retries: int = 3,
    progress: Progress | None = None,
) -> PartitionRisks:
    """Evaluate a book whose partitions lie in files or frames, by several processes or machines.

    A partition holds whole accounts: split a book by its account, as by ``hash(account) % n``. The totals are
    exact sums, rounded once: the same bits for any partitions, workers and order of their work.

    Parameters
    ----------
    partitions : sequence or iterable of path or frame
        Parquet or Arrow files that every worker can open, or frames, as `levcore.PositionBook.from_frame`
        takes them, which travel to the workers; an iterable is asked for a few at a time. Needs polars, the
        extra ``files``.
    engine : Engine
    executor : int, concurrent.futures.Executor, or callable that returns one, optional
        A number of processes of this machine; an executor, such as ``client.get_executor()`` of Dask; or a
        function that makes one. Default: this process. A program that has processes started guards its own
        start with ``if __name__ == "__main__":``.
    marks : mapping of instrument to price, or of policy label to such a mapping, optional
        Mark prices; default: the column ``mark_price``, in which an instrument has one price throughout.
    out : path, optional
        Folder that exists and that every worker can write: the rows with their results go to
        ``part-00000.parquet`` and so on, by the partition's place. A file appears once it is complete.
    rows : int, optional
        Evaluate a partition so many rows at a time, in constant memory, its rows then sorted by account, and
        its results in files of their own, ``part-00000-00000.parquet``. Default: a partition at once.
    position_mode, ignore_columns, pass_columns
        As `levcore.PositionBook.from_frame` takes them.
    measures : tuple of str, optional
        Default: all.
    threads : int, optional
        Threads of each worker. Default: one, and with no executor the engine's.
    check_accounts : bool
        Whether to refuse an account that two partitions hold. It remembers all accounts, some 100 bytes each;
        without it the caller vouches for them.
    retries : int
        How many executors in a row may break, each time with a new one from `executor`, without one
        partition done. An executor that cannot be made again, such as Dask's, tries again by itself.
    progress : callable, optional
        Called with the number of rows done so far.

    Returns
    -------
    PartitionRisks

    Raises
    ------
    InputError, DTypeError
        As `levcore.evaluate_batches`; for an account in two partitions; where workers are lost again and
        again. A note of the error says which partition it was.

    Examples
    --------
    >>> import levcore as lc
    >>> import polars as pl
    >>> book = pl.DataFrame({
    ...     "account": ["a", "b", "a"], "instrument": ["BTCUSDT", "ETHUSDT", "ETHUSDT"],
    ...     "quantity": [0.5, -4.0, 1.0], "entry_price": [60_000.0, 3_000.0, 3_100.0],
    ...     "margin_mode": "cross", "wallet_balance": [9_000.0, 7_000.0, 9_000.0],
    ... })
    >>> partitions = book.partition_by("account")
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> found = lc.cluster.evaluate(partitions, engine, marks={"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0})
    >>> found.rows, found.summary()["totals"]["USDT"]["unrealized_pnl"]
    ((2, 1), 250.0)
    """
    of_kind("engine", engine, Engine)
    if rows is not None and whole_number("rows", rows) < 1:
        raise InputError("rows", "must be positive", "1 or more", repr(rows))
    folder = None if out is None else check_folder(out)
    options = {
        "marks": marks,
        "position_mode": position_mode,
        "threads": 1 if threads is None and executor is not None else threads,
        "ignore_columns": tuple(ignore_columns),
        "pass_columns": tuple(pass_columns),
    } | ({} if measures is None else {"measures": measures})
    tasks = tasks_of(partitions, (pickle.dumps(engine), folder, rows, check_accounts, options))
    together = _Together(check_accounts)
    for place, found, lost in run(evaluate_partition, tasks, executor, retries):
        together.take(place, found, lost)
        if progress is not None:
            progress(together.done)
    found = together.result()
    if folder is not None and found.retried:
        remove_unfinished(folder)
    return found


def tasks_of(partitions: Any, common: Task) -> Iterable[Task]:
    """Tasks of the partitions: a sequence of a sequence, one by one of what comes one by one."""
    if isinstance(partitions, (str, Path)) or not isinstance(partitions, Iterable):
        expected = "a sequence of paths or frames"
        raise DTypeError("partitions", "must be several", expected, type(partitions).__name__)
    if hasattr(partitions, "__arrow_c_stream__"):
        raise DTypeError("partitions", "must be several", "a sequence of frames", "one frame")
    if isinstance(partitions, Sequence):
        return [(place, source, *common) for place, source in enumerate(partitions)]
    return ((place, source, *common) for place, source in enumerate(partitions))


def evaluate_partition(
    place: int,
    source: Any,
    engine: bytes,
    folder: Path | None,
    rows: int | None,
    with_accounts: bool,
    options: dict[str, Any],
) -> Found:
    """Evaluate one partition, in a worker."""
    batches = source
    if rows is None:
        batches = read_batches(source, None) if isinstance(source, (str, Path)) else [source]
    known: dict[str, Any] = {"accounts": "whole"} if rows is None else {"accounts": "sorted", "rows": rows}
    risks = evaluate_batches(engine_of(engine), batches, **known, **options)
    files: list[Path] = []
    accounts: list[Any] = []
    for number, risk in enumerate(risks):
        if with_accounts:
            accounts.extend(risk.accounts.ids)
        if folder is not None:
            part = f"part-{place:05}" if rows is None else f"part-{place:05}-{number:05}"
            files.append(folder / f"{part}.parquet")
            write_part(files[-1], risk)
    prices = risks.prices.without_given()
    return Found(risks.counted(), risks.price_units(), risks.rows, tuple(files), prices, tuple(accounts))


@lru_cache(maxsize=4)
def engine_of(pickled: bytes) -> Engine:
    """The engine of several partitions, compiled once a worker."""
    engine = pickle.loads(pickled)
    assert isinstance(engine, Engine)
    return engine


class _Together:
    """Results of partitions, added up in the order of the partitions, whichever is done first."""

    def __init__(self, check_accounts: bool) -> None:
        self._waiting: dict[int, Found] = {}
        self._summary: Summary | None = None
        self._units: PriceUnits | None = None
        self._rows: list[int] = []
        self._files: list[tuple[Path, ...]] = []
        self._prices = Prices()
        self._owners = Owners() if check_accounts else None
        self._retried = 0
        self.done = 0

    def take(self, place: int, found: Found, lost: int) -> None:
        """Take over a partition that is done."""
        self._retried += lost
        self.done += found.rows
        if self._owners is not None:
            self._owners.take(place, found.accounts)
        self._prices.add(found.prices)
        self._waiting[place] = found._replace(accounts=())
        while (following := self._waiting.pop(len(self._rows), None)) is not None:
            self._add(following)

    def _add(self, found: Found) -> None:
        summary = found.summary
        if summary.nearest is not None:
            summary.nearest = summary.nearest._replace(row=summary.nearest.row + sum(self._rows))
        if self._summary is None or self._units is None:
            self._summary, self._units = summary, found.units
        else:
            self._summary.add(summary)
            self._units.add(found.units, sum(self._rows))
        self._rows.append(found.rows)
        self._files.append(found.files)

    def result(self) -> PartitionRisks:
        """All of them together."""
        if self._summary is None or self._units is None:
            raise InputError("partitions", "must hold a partition", "one at least", "none")
        return PartitionRisks(
            self._summary, self._units, tuple(self._rows), tuple(self._files), self._retried
        )
