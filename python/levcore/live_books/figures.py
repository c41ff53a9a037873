"""Where a live book stands: totals, and numbers of positions and accounts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.status import State

__all__ = ["LiveFigures", "LiveTotals", "TotalsBySide"]


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """Totals over isolated positions and over accounts that have positions, flat ones included.

    The sums are of those who are known, exact until they are rounded once: as `math.fsum` of a full
    evaluation, whatever happened before.

    Attributes
    ----------
    equity, maintenance_margin : float, settlement currency
    positions, accounts : dict of State to int
        How many isolated positions, and accounts, are in each state.
    """

    equity: float
    maintenance_margin: float
    positions: dict[State, int]
    accounts: dict[State, int]


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Numbers of isolated positions or of accounts, as `levcore.Engine.evaluate` gives them.

    Attributes
    ----------
    place : ndarray of int64, shape (s,)
        Row of the position, or place of the account in the account ids.
    state : ndarray of uint8, shape (s,)
        Codes of `levcore.State`.
    equity, maintenance_margin : ndarray of float64, shape (s,), settlement currency
    margin_ratio : ndarray of float64, shape (s,)
    """

    place: npt.NDArray[np.int64]
    state: npt.NDArray[np.uint8]
    equity: Floats
    maintenance_margin: Floats
    margin_ratio: Floats


@dataclass(frozen=True, slots=True)
class TotalsBySide:
    """Totals of the long (column 0) and the short (column 1) positions of each instrument.

    Exact until they are rounded once, whatever happened before. Flat positions, and those whose quantity is
    not finite, are on neither side.

    Attributes
    ----------
    instrument_names : tuple of str
    positions : ndarray of uint64, shape (instruments, 2)
        Isolated positions and legs of accounts.
    quantity : ndarray of float64, shape (instruments, 2), contracts
        Theirs, without sign.
    equity, maintenance_margin : ndarray of float64, shape (instruments, 2), settlement currency
        Of the isolated positions that are known: a leg has no equity of its own.
    """

    instrument_names: tuple[str, ...]
    positions: npt.NDArray[np.uint64]
    quantity: Floats
    equity: Floats
    maintenance_margin: Floats
