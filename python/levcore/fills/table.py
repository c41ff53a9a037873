"""A table of fills, ordered by position and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import default_threads
from levcore._levcore import positions_from_fills as core_positions_from_fills
from levcore.arguments import of_kind
from levcore.book.arrays import Codes, Floats, factorize, flat_array, float_column, label_sequence
from levcore.book.labelled import values_of
from levcore.book.labels import named_codes
from levcore.book.marks import prices_of
from levcore.engine.answers import same_listed, second_names
from levcore.engine.threads import checked_threads
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.fills.result import PositionsFromFills
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy import MarginPolicy

if TYPE_CHECKING:
    from levcore.book.marks import Marks

__all__ = ["FillTable", "positions_from_fills"]

SMALL_TABLE = 32_768
"""Fills up to which one thread is faster than two."""


@dataclass(frozen=True)
class FillTable:
    """Fills as columns, ordered by position and time.

    Parameters
    ----------
    quantity, price, fee : ndarray of float64, shape (n,)
    order : ndarray of uint32, shape (n,)
        Fills by position, in the order of time in each.
    starts, instrument : ndarray of uint32, shape (p,)
        Where each position begins in `order`, and its instrument.
    names : tuple of str
        Instruments.
    account : list or None
        Account of each position.
    instruments : list of Instrument or None
        By name; None: unknown.
    marks : ndarray of float64
        By name, NaN where missing.
    """

    quantity: Floats
    price: Floats
    fee: Floats
    order: Codes
    starts: Codes
    instrument: Codes
    names: tuple[str, ...]
    account: list[Any] | None
    instruments: list[Instrument | None]
    marks: Floats

    @classmethod
    def of(
        cls,
        instruments: Mapping[str, Instrument] | MarginPolicy,
        instrument: Any,
        quantity: Any,
        price: Any,
        fee: Any,
        time: Any,
        account: Any,
        marks: Marks | None,
    ) -> FillTable:
        """Check the columns and order them; see `positions_from_fills` for the errors."""
        known = instruments.instruments if isinstance(instruments, MarginPolicy) else instruments
        if not isinstance(known, Mapping):
            expected = "MarginPolicy, or name to Instrument"
            raise DTypeError("instruments", "must hold instruments", expected, type(known).__name__)
        if not isinstance(known, InstrumentTable):
            for each in known.values():
                of_kind("instruments", each, Instrument)
        labels = label_sequence("instrument", instrument)
        rows = len(labels)
        codes, names = named_codes("instrument", labels, None, rows)
        accounts = None
        key = codes.astype(np.int64)
        if account is not None:
            account_codes, accounts = factorize("account", account)
            if account_codes.size != rows:
                raise ShapeError("account", "must have one value a row", str(rows), str(account_codes.size))
            key += account_codes.astype(np.int64) * len(names)
        _refuse_second_spelling(known, names, key // max(1, len(names)), codes)
        order = np.lexsort((_times(time, rows), key))
        keys = key[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1)) if rows else np.empty(0, np.int64)
        heads = keys[starts]
        return cls(
            float_column("quantity", quantity, rows, []),
            float_column("price", price, rows, []),
            float_column("fee", fee, rows, []),
            order.astype(np.uint32),
            starts.astype(np.uint32),
            (heads % max(1, len(names))).astype(np.uint32),
            names,
            None if accounts is None else [accounts[head // len(names)] for head in heads.tolist()],
            [known.get(name) for name in names],
            prices_of(names, {} if marks is None else marks),
        )

    def result(
        self, results: Floats, status: npt.NDArray[np.uint8], fault: npt.NDArray[np.int64]
    ) -> PositionsFromFills:
        """The positions with their labels."""
        named = [self.names[code] for code in self.instrument.tolist()]
        return PositionsFromFills(self.account, named, results, status, fault)


def _refuse_second_spelling(
    known: Mapping[str, Instrument],
    names: tuple[str, ...],
    accounts: npt.NDArray[np.int64],
    codes: Codes,
) -> None:
    """Refuse fills of an account in one contract under two names: they would be two positions."""
    same = same_listed(known, names)
    found = None if same is None else second_names(same, accounts, codes)
    if found is not None:
        row, code, count = found
        rule = "must be spelled one way in an account: one contract"
        raise InputError("instrument", rule, repr(names[code]), repr(names[codes[row]]), row, count)


def _times(time: Any, rows: int) -> npt.NDArray[Any]:
    """Times that can be ordered, each known."""
    array = flat_array("time", values_of(time))
    if array.dtype.kind not in "iufM":
        expected = "numbers or datetime64"
        raise DTypeError("time", "must hold times that can be ordered", expected, str(array.dtype))
    if array.shape != (rows,):
        raise ShapeError("time", "must have one value a row", str((rows,)), str(array.shape))
    missing = np.isnat(array) if array.dtype.kind == "M" else np.isnan(array)
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError("time", "must be known of every fill", "a time", "none", row, int(missing.sum()))
    return array


def positions_from_fills(
    instruments: Mapping[str, Instrument] | MarginPolicy,
    *,
    instrument: Any,
    quantity: npt.ArrayLike,
    price: npt.ArrayLike,
    fee: npt.ArrayLike,
    time: npt.ArrayLike,
    account: Any = None,
    marks: Marks | None = None,
    threads: int | None = None,
) -> PositionsFromFills:
    """Make positions of fills: average entry, profit realized and unrealized, fees, break-even price.

    Every account and instrument starts flat. A fill that adds moves the entry to the average (of inverse
    contracts the harmonic mean), one that closes realizes profit and leaves it, one that closes more than
    there is flips the position at its price. Quantities whose decimals do not cancel in binary are closed: a
    rest within the round-off of the fills is none.

    Parameters
    ----------
    instruments : MarginPolicy, or mapping of name to Instrument
        Payoff, contract size and multiplier of the instruments.
    instrument : sequence of str, shape (n,)
    quantity : array_like, shape (n,), contracts
        Signed: positive bought.
    price : array_like, shape (n,), quote per base
    fee : array_like, shape (n,), settlement currency, or a number
        Positive: paid; negative: a rebate.
    time : array_like of numbers or datetime64, shape (n,)
        Fills of one time go in the order of rows.
    account : sequence of str or int, shape (n,), optional
    marks : optional
        As `levcore.Engine.evaluate` takes them, for the unrealized profit; an array goes by the instruments
        in the order of their first fill.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    PositionsFromFills

    Raises
    ------
    ShapeError, DTypeError
        For columns of another length or type.
    InputError
        For a fill without a time.

    Examples
    --------
    >>> import levcore as lc
    >>> found = lc.positions_from_fills(
    ...     lc.policy("binance-usdm@2024-10-24"), instrument=["BTCUSDT"] * 3, quantity=[1.0, 1.0, -0.5],
    ...     price=[60_000.0, 62_000.0, 63_000.0], fee=[30.0, 31.0, 15.75], time=[1, 2, 3],
    ...     marks={"BTCUSDT": 62_500.0},
    ... )
    >>> found.entry_price.tolist(), found.realized_profit.tolist(), found.net_profit.tolist()
    ([61000.0], [1000.0], [3173.25])
    >>> lc.PositionBook(**found.columns(), leverage=10.0).quantity.tolist()
    [1.5]
    """
    if threads is not None:
        checked_threads(threads)
    table = FillTable.of(instruments, instrument, quantity, price, fee, time, account, marks)
    small = table.quantity.size <= SMALL_TABLE
    contracts: list[tuple[str, float, float] | None] = [
        None if held is None else (held.payoff, held.contract_size, held.multiplier)
        for held in table.instruments
    ]
    made = core_positions_from_fills(
        table.quantity,
        table.price,
        table.fee,
        table.order,
        table.starts,
        table.instrument,
        contracts,
        table.marks,
        threads if threads is not None else 1 if small else default_threads(),
    )
    return table.result(*made)
