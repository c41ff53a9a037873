"""What fills make: one position an account and instrument."""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.frozen import Frozen

__all__ = ["FILL_MEASURES", "FillStatus", "PositionsFromFills"]

FILL_MEASURES = (
    "quantity",
    "entry_price",
    "realized_profit",
    "fees",
    "unrealized_profit",
    "net_profit",
    "break_even_price",
)
"""Measures in the order of the core's results."""
FIRST_PARTIAL = 16


class FillStatus(IntEnum):
    """What became of a position; from 16 on some of its numbers are NaN, from 32 on all are."""

    OK = 0
    FLAT = 1
    MISSING_MARK_PRICE = 16
    INVALID_FEE = 17
    INVALID_QUANTITY = 32
    INVALID_PRICE = 33
    UNKNOWN_INSTRUMENT = 34
    NUMERIC_OVERFLOW = 45

    def describe(self) -> str:
        """Meaning of the code in words."""
        from levcore._levcore import fill_statuses

        return next(meaning for code, _, meaning in fill_statuses() if code == self)


class PositionsFromFills(Frozen):
    """Positions that fills have made, one row an account and instrument, by their first fill.

    Parameters
    ----------
    account : list of str or int, or None
        None: the fills name no accounts.
    instrument : list of str
    results : ndarray of float64, shape (7, p)
    status : ndarray of uint8, shape (p,)
    fault : ndarray of int64, shape (p,)

    Attributes
    ----------
    quantity : ndarray of float64, shape (p,), contracts
        Signed; 0 where the fills closed it.
    entry_price : ndarray of float64, shape (p,), quote per base
        Average entry of what is open, of inverse contracts the harmonic mean; NaN where nothing is.
    realized_profit, fees, unrealized_profit : ndarray of float64, shape (p,), settlement currency
        Over all fills; profits before fees. Fees are positive where paid.
    net_profit : ndarray of float64, shape (p,), settlement currency
        Realized and unrealized profit less fees.
    break_even_price : ndarray of float64, shape (p,), quote per base
        Price at which what is open, with what it realized and paid since it was last flat, comes to nothing;
        a fill that flips a position leaves the new one the fee of its own part. NaN where no positive price
        does. A fee for closing is not in it.
    status : ndarray of uint8, shape (p,)
        Codes of `levcore.FillStatus`.
    fill_at_fault : ndarray of int64, shape (p,)
        Row of the first fill at fault, -1: none.
    """

    __slots__ = ("account", "fill_at_fault", "instrument", "results", "status", *FILL_MEASURES)

    _instead = "make them again, levcore.positions_from_fills(...)"

    account: list[Any] | None
    instrument: list[str]
    results: Floats
    status: npt.NDArray[np.uint8]
    fill_at_fault: npt.NDArray[np.int64]
    quantity: Floats
    entry_price: Floats
    realized_profit: Floats
    fees: Floats
    unrealized_profit: Floats
    net_profit: Floats
    break_even_price: Floats

    def __init__(
        self,
        account: list[Any] | None,
        instrument: list[str],
        results: Floats,
        status: npt.NDArray[np.uint8],
        fault: npt.NDArray[np.int64],
    ) -> None:
        self._fill(
            account=account,
            instrument=instrument,
            results=results,
            status=status,
            fill_at_fault=fault,
            **dict(zip(FILL_MEASURES, results, strict=True)),
        )

    def __len__(self) -> int:
        """Number of positions."""
        return self.status.size

    def columns(self) -> dict[str, Any]:
        """Columns of a `levcore.PositionBook` of what is open or failed: ``PositionBook(**found.columns())``.

        A position that failed stays in it, and fails there too.
        """
        rows = np.flatnonzero(self.status != FillStatus.FLAT).tolist()
        rows = [row for row in rows if self.quantity[row] != 0.0]
        columns: dict[str, Any] = {
            "instrument": [self.instrument[row] for row in rows],
            "quantity": self.quantity[rows],
            "entry_price": self.entry_price[rows],
        }
        if self.account is not None:
            columns["account"] = [self.account[row] for row in rows]
        return columns

    def to_dict(self) -> dict[str, Any]:
        """Columns by name."""
        labels: dict[str, Any] = {} if self.account is None else {"account": self.account}
        measured = {name: getattr(self, name) for name in FILL_MEASURES}
        return labels | {"instrument": self.instrument} | measured | {"status": self.status}

    def failures(self) -> list[tuple[int, FillStatus, int]]:
        """Positions without some of their numbers: row, reason, and the fill at fault or -1."""
        rows = np.flatnonzero(self.status >= FIRST_PARTIAL).tolist()
        return [(row, FillStatus(self.status[row]), int(self.fill_at_fault[row])) for row in rows]
