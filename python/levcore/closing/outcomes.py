"""What a close-out does to each variant of a book."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.arguments import of_kind, rows_of
from levcore.book.marks import mark_prices
from levcore.closing.close_out import close_out
from levcore.closing.money import coordinates, instruments_of, sizes
from levcore.closing.purses import names_of_purses, stated_margins
from levcore.closing.variants import Variant
from levcore.engine.engine import Engine

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["Outcome", "outcomes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A line of the table of variants; amounts in settlement currency.

    Attributes
    ----------
    name : str
    positions, liquidated : int
        Open positions, and those of which something is liquidated.
    share, share_of_value : float
        Share of positions that is liquidated, and of their value at the marks.
    stopped : int
        Positions that a stop closed first.
    loss : float
        What traders lose of what is closed: to the trigger, past it, fees, and at stops.
    missing : float
        What is missing beyond their margins.
    fund, debt : float
        What the fund pays of it, and what nobody does: owed, claimed or written off.
    left_out : int
        Open positions that could not be judged: nothing of them is liquidated.
    """

    name: str
    positions: int
    liquidated: int
    share: float
    share_of_value: float
    stopped: int
    loss: float
    missing: float
    fund: float
    debt: float
    left_out: int


def outcomes(engine: Engine, variants: Sequence[Variant], marks: "Marks", **arguments: Any) -> list[Outcome]:
    """Close out every variant of a book at the same prices.

    Parameters
    ----------
    engine : Engine
    variants : sequence of Variant
        As `levcore.variants` makes them.
    marks, **arguments
        As `levcore.close_out` takes them.

    Returns
    -------
    list of Outcome
        In the order of `variants`.
    """
    of_kind("engine", engine, Engine)
    for variant in (made := rows_of("variants", variants)):
        of_kind("variants", variant, Variant)
    return [_outcome(engine, variant, marks, arguments) for variant in made]


def _outcome(engine: Engine, variant: Variant, marks: "Marks", arguments: dict[str, Any]) -> Outcome:
    book, lost, stopped = _after_stops(engine, variant, marks, arguments.get("fills"))
    closed = close_out(engine, book, marks, **arguments)
    value = engine.evaluate(variant.book, marks).notional
    gone = np.zeros(len(book))
    np.add.at(gone, closed.rows, np.abs(closed.quantity))
    held = np.abs(variant.book.quantity)
    part = np.divide(gone, held, out=np.zeros(len(book)), where=held > 0)
    known = np.where(np.isnan(value), 0.0, value)
    totals = closed.totals()
    total, positions = float(known.sum()), int((held > 0).sum())
    return Outcome(
        name=variant.name,
        positions=positions,
        liquidated=int((gone > 0).sum()),
        share=float((gone > 0).sum()) / max(positions, 1),
        share_of_value=float((part * known).sum()) / total if total > 0 else 0.0,
        stopped=stopped,
        loss=totals["to_trigger"] + totals["past_trigger"] + totals["fees"] + lost,
        missing=totals["missing"],
        fund=totals["fund"],
        debt=sum(closed.unpaid.tolist()) / closed.per_unit,
        left_out=closed.left_out,
    )


def _after_stops(
    engine: Engine, variant: Variant, marks: "Marks", fills: "Marks | None"
) -> tuple["PositionBook", float, int]:
    """Book after its stops, what they have lost, how many were filled.

    A stop that the mark has passed is filled at the next price, that of the fills. Where the margin or wallet
    is worth nothing there, it comes too late: the position is liquidated.
    """
    book = variant.book
    if variant.stop is None or len(book) == 0:
        return book, 0.0, 0
    instruments = instruments_of(engine.policy, book.instrument_names)
    risk = engine.evaluate(book, marks)
    at = np.asarray(risk.marks).reshape(-1)[book.instrument_codes]
    next_price = (
        at
        if fills is None
        else np.array(mark_prices(book, fills, "fills")).reshape(-1)[book.instrument_codes]
    )
    passed = np.where(book.quantity < 0, at >= variant.stop, at <= variant.stop)
    passed &= (book.quantity != 0) & (next_price > 0) & risk.ok
    gain = sizes(book, instruments)[1]
    entry, fill = (
        coordinates(instruments, book.instrument_codes, each) for each in (book.entry_price, next_price)
    )
    loss: Floats = np.where(passed, gain * (entry - fill), 0.0)
    margin, wallet = stated_margins(risk), np.array(book.wallet_balance)
    worth = margin - np.nan_to_num(gain * (entry - fill))
    _, purse = np.unique(names_of_purses(risk), return_inverse=True)
    by_purse = np.zeros(purse.max() + 1)
    np.add.at(by_purse, purse, worth)
    if book.account_codes is not None:
        codes, first = np.unique(book.account_codes[book.is_cross], return_index=True)
        by_purse[purse[book.is_cross][first]] += wallet[codes]
    passed &= by_purse[purse] > 0
    loss = np.where(passed, loss, 0.0)
    if book.account_codes is not None:
        cross = passed & book.is_cross
        np.subtract.at(wallet, book.account_codes[cross], loss[cross])
    quantity = np.where(passed, 0.0, book.quantity)
    after = book.replace(quantity=quantity, wallet_balance=wallet, accounts=book.account_ids)
    return after, float(loss.sum()), int(passed.sum())
