"""Forced sales that move the price, which forces further sales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from levcore._levcore import cascade as cascade_of_side
from levcore.arguments import is_word, number_in, of_kind
from levcore.book.positions import PositionBook
from levcore.closing.fills import Impact
from levcore.closing.ladder import triggers_at
from levcore.closing.money import Wholes, instruments_of, quanta_per_unit
from levcore.engine.engine import Engine
from levcore.errors import InputError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.marks import Marks

__all__ = ["Cascade", "cascade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Result of `levcore.cascade`: one value a wave.

    Attributes
    ----------
    positions : ndarray of int64, shape (w,)
        Positions that the wave closes.
    contracts : ndarray of float64, shape (w,)
        Their contracts.
    fill, price : ndarray of float64, shape (w,), quote per base
        Average price at which they are closed, and price after the wave.
    wave : ndarray of int64, shape (n,)
        Wave of each row of the book, counted from 0; -1 of one that is not reached.
    start : float, quote per base
        Price before the first wave.
    left_out : int
        Positions of that side of the instrument that could not be judged.
    """

    positions: Wholes
    contracts: Floats
    fill: Floats
    price: Floats
    wave: Wholes
    start: float
    left_out: int

    @property
    def end(self) -> float:
        """Price at which nothing more is forced."""
        return float(self.price[-1]) if self.price.size else self.start

    def fills(self) -> Floats:
        """Price at which each row of the book is closed, shape (n,); NaN of those not reached."""
        prices = np.append(self.fill, np.nan)
        return prices[self.wave]


def cascade(
    engine: Engine,
    book: PositionBook,
    instrument: str,
    price: float,
    impact: Impact,
    *,
    marks: Marks,
    direction: Literal["down", "up"] = "down",
    lot: float = 1e-8,
) -> Cascade:
    """Let a price fall or rise, and follow the sales that it forces until none is left.

    Parameters
    ----------
    engine : Engine
        With one policy.
    book : PositionBook
        Prices of liquidation are those of the book at `marks`; of cross positions with all else as it is.
        Those that are liquidatable at it have it at the mark, as in a `levcore.ladder`.
    instrument : str
    price : float, quote per base
        To which it has moved.
    impact : Impact
        How far the forced sales (or purchases) move it on.
    marks
        As `levcore.Engine.evaluate` takes them.
    direction : {"down", "up"}
        Whether longs are sold or shorts bought back.
    lot : float
        Unit in which quantities are summed, a whole part of one.

    Returns
    -------
    Cascade
        The least fixed point: every wave holds just what the price of the wave before has reached. There are
        at most as many waves as positions.

    Raises
    ------
    InputError, PolicyError
        For an instrument that the book does not hold, a price or an impact that is none, and where the impact
        leaves no price or the levels of an order book do not hold what is sold.
    """
    of_kind("engine", engine, Engine)
    of_kind("book", book, PositionBook)
    if not is_word(instrument, book.instrument_names):
        expected = ", ".join(map(repr, book.instrument_names[:8])) or "a book that is not empty"
        raise InputError("instrument", "is not in the book", expected, repr(instrument))
    if not is_word(direction, ("down", "up")):
        raise InputError("direction", "must be a direction", "'down' or 'up'", repr(direction))
    of_kind("impact", impact, Impact)
    number_in("price", price, 0, np.inf, "must be a price", "> 0")
    instruments_of(engine.policy, (instrument,))  # refuses several policies
    start = float(price)
    lots_per_unit = quanta_per_unit(lot, "lot")
    risk = engine.evaluate(book, marks)
    falls = direction == "down"
    side = book.quantity > 0 if falls else book.quantity < 0
    code = book.instrument_names.index(instrument)
    held = (book.instrument_codes == code) & side
    rows = np.flatnonzero(held & risk.ok)
    trigger = triggers_at(risk, rows, float(np.asarray(risk.marks).reshape(-1)[code]))
    positions, lots, (fill, after), wave = cascade_of_side(
        np.ascontiguousarray(np.abs(book.quantity[rows])),
        np.ascontiguousarray(trigger),
        falls,
        start,
        impact.kind,
        np.array(impact.first),
        np.array(impact.second),
        lots_per_unit,
    )
    by_row = np.full(len(book), -1, dtype=np.int64)
    by_row[rows] = wave
    contracts = np.diff(lots, prepend=0) / lots_per_unit
    left_out = int(held.sum()) - rows.size
    return Cascade(
        positions=positions,
        contracts=contracts,
        fill=fill,
        price=after,
        wave=by_row,
        start=start,
        left_out=left_out,
    )
