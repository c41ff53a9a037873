"""How much of a market is liquidated at each price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from levcore._levcore import Ladder as CoreLadder
from levcore.arguments import is_word, of_kind
from levcore.book.arrays import Floats, float_column
from levcore.book.positions import PositionBook
from levcore.closing.money import Wholes, coordinates, instruments_of, quanta_per_unit, sizes
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.status import State

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.engine.risk import BookRisk

__all__ = ["Ladder", "Rungs", "ladder", "triggers_at"]

MEASURES = ("liquidation_price", "bankruptcy_price")


def triggers_at(risk: BookRisk, rows: Wholes, mark: float) -> Floats:
    """Price that liquidates each of some rows of an instrument, quote per base.

    What is already past its trigger has it at the mark, wherever its line has its zero, if it has one.
    """
    reached = risk.state[rows] >= State.LIQUIDATION
    return np.where(reached, mark, risk.liquidation_price[rows])


@dataclass(frozen=True, slots=True)
class Rungs:
    """What is liquidated by the time the price is there, if all of it is filled at that price.

    Attributes
    ----------
    price : ndarray of float64, shape (p,), quote per base
    positions : ndarray of uint64, shape (p,)
    notional, loss, shortfall : ndarray of float64, shape (p,), settlement currency
        Value at the price; what its traders have lost since entry (negative: gained); what those past their
        bankruptcy price are short of, without fees.
    left_out : int
        Rows of the instrument that could not be judged.
    """

    price: Floats
    positions: npt.NDArray[np.uint64]
    notional: Floats
    loss: Floats
    shortfall: Floats
    left_out: int

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Columns by name, for a data frame of any library."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "left_out"}


class Ladder:
    """The positions of one instrument sorted by their triggers; made by `ladder`, asked at any prices.

    Attributes
    ----------
    instrument : str
    mark : float, quote per base
        Prices below it liquidate longs, prices above it shorts; those that are liquidatable at it count from
        the mark on.
    left_out : int
        Rows of the instrument that could not be judged.
    """

    __slots__ = ("_falling", "_inverse", "_multiplier", "_rising", "instrument", "left_out", "mark")

    instrument: str
    left_out: int
    mark: float

    def __init__(
        self, engine: Engine, book: PositionBook, instrument: str, marks: Marks, quantum: float
    ) -> None:
        of_kind("engine", engine, Engine)
        of_kind("book", book, PositionBook)
        if not is_word(instrument, book.instrument_names):
            known = ", ".join(book.instrument_names[:8])
            raise InputError("instrument", "must be one of the book", known, repr(instrument))
        code = book.instrument_names.index(instrument)
        risk = engine.evaluate(book, marks, measures=MEASURES)
        held = (book.instrument_codes == code) & (book.quantity != 0)
        rows = np.flatnonzero(held & risk.ok)
        found = instruments_of(engine.policy, (instrument,))[0]
        self.instrument, self.left_out = instrument, int(held.sum()) - rows.size
        self.mark = float(np.asarray(risk.marks).reshape(-1)[code])
        self._inverse = found is not None and found.payoff == "inverse"
        self._multiplier = 1.0 if found is None else found.multiplier
        per_unit, none = quanta_per_unit(quantum), np.zeros(rows.size, dtype=np.uint32)
        size = sizes(book, [found] * len(book.instrument_names))[0][rows]
        long = book.quantity[rows] > 0
        trigger = triggers_at(risk, rows, self.mark)
        columns = [coordinates([found], none, each) for each in (book.entry_price[rows], trigger)]
        columns.append(coordinates([found], none, risk.bankruptcy_price[rows]))

        def side(chosen: npt.NDArray[np.bool_], falls: bool) -> CoreLadder:
            entry, passed, bankrupt = (np.ascontiguousarray(each[chosen]) for each in columns)
            return CoreLadder(np.ascontiguousarray(size[chosen]), entry, passed, bankrupt, falls, per_unit)

        self._falling, self._rising = side(long, not self._inverse), side(~long, self._inverse)

    def at(self, prices: npt.ArrayLike) -> Rungs:
        """What is liquidated at each of `prices`, shape (p,), quote per base."""
        price = float_column("prices", prices, None, [])
        if not np.all(price > 0) or not np.all(np.isfinite(price)):
            row = int(np.flatnonzero(~((price > 0) & np.isfinite(price)))[0])
            raise InputError("prices", "must be prices", "positive numbers", repr(float(price[row])), row)
        x = 1.0 / price if self._inverse else price * self._multiplier
        falling, rising = self._falling.at(x), self._rising.at(x)
        lower, upper = price <= self.mark, price >= self.mark
        positions = np.where(lower, falling[0], np.uint64(0)) + np.where(upper, rising[0], np.uint64(0))
        parts = [
            np.where(lower, one, 0.0) + np.where(upper, other, 0.0)
            for one, other in zip(falling[1], rising[1], strict=True)
        ]
        notional, loss, shortfall = parts
        return Rungs(price, positions, notional, loss, shortfall, self.left_out)


@overload
def ladder(
    engine: Engine,
    book: PositionBook,
    instrument: str,
    prices: npt.ArrayLike,
    *,
    marks: Marks,
    quantum: float = ...,
) -> Rungs: ...
@overload
def ladder(
    engine: Engine,
    book: PositionBook,
    instrument: str,
    prices: None = ...,
    *,
    marks: Marks,
    quantum: float = ...,
) -> Ladder: ...
def ladder(
    engine: Engine,
    book: PositionBook,
    instrument: str,
    prices: npt.ArrayLike | None = None,
    *,
    marks: Marks,
    quantum: float = 1e-8,
) -> Ladder | Rungs:
    """Positions, notional, loss and shortfall liquidated by the time an instrument has a price.

    Parameters
    ----------
    engine : Engine
        With one policy.
    book : PositionBook
    instrument : str
        Its price moves, all others stay: a cross position is liquidated where its account is.
    prices : array_like, shape (p,), quote per base, optional
        Absent: the `Ladder` itself, to be asked many times.
    marks
        Where prices stand now, as `levcore.Engine.evaluate` takes them.
    quantum : float
        Sizes and values are summed in whole quanta, each position rounded once: sums are exact, and the same
        in any order.

    Returns
    -------
    Rungs or Ladder

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"] * 2, [1.0, 2.0], [60_000.0, 60_000.0], leverage=[10.0, 20.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> marks = {"BTCUSDT": 60_000.0}
    >>> rungs = lc.ladder(engine, book, "BTCUSDT", [57_500.0, 57_000.0, 54_000.0], marks=marks)
    >>> rungs.positions.tolist(), rungs.loss.tolist()
    ([0, 1, 2], [0.0, 6000.0, 18000.0])
    """
    built = Ladder(engine, book, instrument, marks, quantum)
    return built if prices is None else built.at(prices)
