"""Prices at which positions are closed: the market's, worse by slippage or by size and depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from levcore._levcore import average_impact
from levcore.arguments import is_number, is_word
from levcore.book.arrays import float_column
from levcore.closing.money import lots_of
from levcore.errors import DTypeError, InputError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.positions import PositionBook

__all__ = ["Impact", "fill_prices", "read_slippage"]


@dataclass(frozen=True, slots=True)
class Impact:
    """How far a price moves while contracts are traded, as a fraction of the price at first.

    Made by `linear`, `square_root` or `levels`; the same object says what forced sales do to a price in
    `levcore.cascade`.

    Attributes
    ----------
    kind : {"linear", "square_root", "levels"}
    first, second : tuple of float
        Coefficient and depth, or distances and sizes of the levels of an order book.
    """

    kind: Literal["linear", "square_root", "levels"]
    first: tuple[float, ...]
    second: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not is_word(self.kind, ("linear", "square_root", "levels")):
            expected = "'linear', 'square_root' or 'levels'"
            raise InputError("kind", "must be a known choice", expected, repr(self.kind))
        for name in ("first", "second"):
            column = getattr(self, name)
            if not isinstance(column, tuple) or not all(map(is_number, column)):
                expected = "a tuple of numbers, as Impact.linear, square_root and levels make it"
                raise DTypeError(name, "must hold real numbers", expected, repr(column))
        self.average(np.zeros(1))

    @classmethod
    def linear(cls, coefficient: float, depth: float) -> "Impact":
        """``coefficient * quantity / depth``, of which a fill bears a half."""
        return cls("linear", _numbers("coefficient", coefficient), _numbers("depth", depth))

    @classmethod
    def square_root(cls, coefficient: float, depth: float) -> "Impact":
        """``coefficient * sqrt(quantity / depth)``, of which a fill bears two thirds."""
        return cls("square_root", _numbers("coefficient", coefficient), _numbers("depth", depth))

    @classmethod
    def levels(cls, distance: Sequence[float], size: Sequence[float]) -> "Impact":
        """One side of an order book: distance of each level from the price, a fraction; its contracts."""
        return cls("levels", _numbers("distance", distance), _numbers("size", size))

    def average(self, quantity: "Floats") -> "Floats":
        """Fraction by which the average fill of each quantity is worse, shape (n,).

        Raises
        ------
        PolicyError
            For a quantity beyond the levels.
        """
        return average_impact(self.kind, np.array(self.first), np.array(self.second), quantity)


def _numbers(argument: str, values: object) -> tuple[float, ...]:
    """Finite numbers; one for one number."""
    column = float_column(argument, [values] if is_number(values) else values, None, [])
    if not np.isfinite(column).all():
        raise InputError(argument, "must hold finite numbers", "numbers", repr(values))
    return tuple(column.tolist())


def read_slippage(slippage: "float | Impact") -> "float | Impact":
    """Basis points or an impact, checked."""
    if isinstance(slippage, Impact):
        return slippage
    if not (is_number(slippage) and 0 <= slippage < np.inf):
        raise InputError("slippage", "must be basis points against the position", ">= 0", repr(slippage))
    return slippage


def fill_prices(
    book: "PositionBook",
    rows: npt.NDArray[np.int64],
    quantity: "Floats",
    prices: "Floats",
    slippage: "float | Impact",
    lots_per_unit: float,
) -> "Floats":
    """Price of each close, quote per base: that of its instrument, against the position by the slippage.

    What is closed at once of a side of an instrument moves the price together and is filled at one average;
    it is summed in whole lots, so that the order of rows is no matter.
    """
    codes, short = book.instrument_codes[rows], book.quantity[rows] < 0
    share: Floats | float
    if isinstance(slippage, Impact):
        side = 2 * codes.astype(np.int64) + short
        lots = np.zeros(2 * len(book.instrument_names), dtype=np.int64)
        np.add.at(lots, side, lots_of(quantity, rows, lots_per_unit))
        share = slippage.average(lots / lots_per_unit)[side]
    else:
        share = slippage / 10_000.0
    by_row = prices[codes]
    worse: Floats = np.where(short, by_row * (1.0 + share), by_row * (1.0 - share))
    return worse
