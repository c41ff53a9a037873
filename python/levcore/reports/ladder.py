"""How much of a market is liquidated at each price, as a page."""

import numpy as np

from levcore.book.arrays import Floats
from levcore.closing.ladder import Ladder
from levcore.reports.charts.model import Figure, Lines, Place, Series
from levcore.reports.numbers import amount, count, price, short
from levcore.reports.page import Page, Section
from levcore.reports.tables import plain_table
from levcore.status import State

__all__ = ["ladder_figure", "ladder_page"]

DRAWN = 241


def ladder_page(ladder: Ladder, prices: Floats, title: str = "") -> Page:
    """Build the page of a ladder.

    Parameters
    ----------
    ladder : Ladder
    prices : ndarray of float64, shape (p,), quote per base
        Rungs of the table, ascending; the figure has more between them.
    title : str
    """
    rungs = ladder.at(prices)
    lines = [
        (price(float(at)), f"{at / ladder.mark - 1:+.1%}", count(float(number)), *map(amount, amounts))
        for at, number, *amounts in zip(
            rungs.price.tolist(),
            rungs.positions.tolist(),
            rungs.notional.tolist(),
            rungs.loss.tolist(),
            rungs.shortfall.tolist(),
            strict=True,
        )
    ]
    heads = ("Price", "Move", "Positions", "Notional", "Loss", "Shortfall")
    note = "If all that is liquidated on the way is filled at that price; the shortfall is without fees."
    left_out = f"{ladder.left_out:,} positions could not be judged" if ladder.left_out else "every position"
    return Page(
        title=title or f"Ladder of {ladder.instrument}",
        verdict=_verdict(ladder, rungs.price, rungs.positions.astype(np.float64)),
        worst=State.HEALTHY,
        facts=[("instrument", ladder.instrument), ("mark", price(ladder.mark)), ("judged", left_out)],
        sections=[Section("Rungs", note, [ladder_figure(ladder, prices), plain_table(heads, lines, ())])],
    )


def _verdict(ladder: Ladder, prices: Floats, positions: Floats) -> str:
    low, high = (f"{count(positions[end])} positions by {price(float(prices[end]))}" for end in (0, -1))
    return f"{ladder.instrument} at {price(ladder.mark)}: {low}, {high}."


def ladder_figure(ladder: Ladder, prices: Floats) -> Figure:
    """Notional, loss and shortfall over the price, from the first of `prices` to the last."""
    places = np.linspace(prices[0], prices[-1], DRAWN)
    rungs = ladder.at(places)
    series = [
        Series("notional", rungs.notional.tolist(), "long"),
        Series("loss of its traders", rungs.loss.tolist(), "liquidation"),
        Series("shortfall", rungs.shortfall.tolist(), "bankrupt"),
    ]
    inside = prices[0] <= ladder.mark <= prices[-1]
    marks = [Place(ladder.mark, "mark", "ink")] if inside else []
    ends = [f"{short(float(rungs.notional[end]))} at {price(float(places[end]))}" for end in (0, -1)]
    told = f"A notional of {ends[0]} is liquidated, of {ends[1]}."
    drawing = Lines(places.tolist(), series, marks, short, price, f"price of {ladder.instrument}")
    return Figure("Liquidated by the time a price is there", f"settlement currency. {told}", told, drawing)
