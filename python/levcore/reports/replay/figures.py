"""Figures of the report on a replay."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.replays.result import Replay
from levcore.reports.charts.colours import policy_sign
from levcore.reports.charts.model import Bars, Figure, Lines, Series, Sign
from levcore.reports.numbers import amount, percent, short
from levcore.reports.replay.sums import paid_by, thinned

__all__ = ["policies_figure", "replay_figures"]

COLOURS = ("policy-1", "policy-3", "policy-4", "policy-5")
PRICES_SHOWN = len(COLOURS)
HOUR = 3_600_000


def replay_figures(replay: Replay) -> list[Figure]:
    """Prices with liquidations, the book, the fund, parts of the loss and who paid; none without a sample."""
    if len(replay.series) < 2:
        return []
    chosen = thinned(len(replay.series))
    places, form_place, axis = _axis(replay.series.time[chosen])
    told = (places, form_place, axis)
    return [
        _prices(replay, chosen, *told),
        _book(replay, chosen, *told),
        _fund(replay, chosen, *told),
        *_parts(replay),
    ]


def _axis(time: npt.NDArray[Any]) -> tuple[list[float], Callable[[float], str], str]:
    """Places of times on a numeric axis: hours of datetimes, other numbers as they are."""
    if time.dtype.kind != "M":
        return [float(each) for each in time], short, "time"
    milliseconds = time.astype("datetime64[ms]").astype(np.int64)
    hours = [float(each) for each in milliseconds / HOUR]

    def form(hour: float) -> str:
        return str(np.datetime64(round(hour * HOUR), "ms").astype("datetime64[m]"))[5:].replace("T", " ")

    return hours, form, "time, UTC"


def _prices(
    replay: Replay, chosen: npt.NDArray[np.int64], places: Sequence[float], form: Any, axis: str
) -> Figure:
    at = np.searchsorted(replay.times, replay.series.time[chosen])
    series = []
    for code, name in enumerate(replay.instruments[:PRICES_SHOWN]):
        first = replay.closes[np.isfinite(replay.closes[:, code]), code][:1]
        values = replay.closes[at, code] / (first[0] if first.size else math.nan)
        series.append(Series(name, values.tolist(), COLOURS[code]))
    e = replay.events
    counted = np.searchsorted(
        np.sort(e.time[e.liquidated_rows()[1]]), replay.series.time[chosen], side="right"
    )
    share = counted / max(int((replay.book.quantity != 0).sum()), 1)
    series.append(Series("positions liquidated so far", share.tolist(), "liquidation"))
    told = f"{percent(float(share[-1]))} of the positions are liquidated by the end."
    drawing = Lines(places, series, (), lambda value: percent(value, 0), form, axis)
    return Figure(
        "Prices, and how many are liquidated", f"prices as share of the first. {told}", told, drawing
    )


def _book(
    replay: Replay, chosen: npt.NDArray[np.int64], places: Sequence[float], form: Any, axis: str
) -> Figure:
    s = replay.series
    series = [
        Series("equity", s.equity[chosen].tolist(), "long"),
        Series("open interest, both sides", s.open_interest[chosen].tolist(), "short"),
        Series("liquidated so far", (s.liquidated[chosen] / replay.per_unit).tolist(), "liquidation"),
    ]
    equity, value = (amount(float(column[-1])) for column in (s.equity, s.open_interest))
    told = f"Equity ends at {equity}, open interest at {value}."
    return Figure(
        "The book", f"settlement currency. {told}", told, Lines(places, series, (), short, form, axis)
    )


def _fund(
    replay: Replay, chosen: npt.NDArray[np.int64], places: Sequence[float], form: Any, axis: str
) -> Figure:
    s = replay.series
    fund, unpaid = s.fund[chosen] / replay.per_unit, s.unpaid[chosen] / replay.per_unit
    series = [
        Series("insurance fund", fund.tolist(), "policy-3"),
        Series("unpaid so far", unpaid.tolist(), "bankrupt"),
    ]
    told = f"The fund ends at {amount(float(fund[-1]))}; {amount(float(unpaid[-1]))} is paid by nobody."
    title = "The fund, and what nobody has paid"
    return Figure(title, f"settlement currency. {told}", told, Lines(places, series, (), short, form, axis))


def _parts(replay: Replay) -> list[Figure]:
    totals = replay.totals()
    words = (("to the trigger", "to_trigger"), ("past the trigger", "past_trigger"), ("fees", "fees"))
    parts = [(word, totals[name]) for word, name in words]
    found = []
    for title, lines in (("Loss by part", parts), ("Who paid what was missing", paid_by(replay))):
        shown = [(word, max(value, 0.0)) for word, value in lines]
        if not any(value for _, value in shown):
            continue
        told = "; ".join(f"{word} {amount(value)}" for word, value in lines)
        signs: list[Sign] = [policy_sign(place) for place in range(len(shown))]
        drawing = Bars([word for word, _ in shown], signs, [value for _, value in shown], short)
        found.append(Figure(title, "settlement currency", told, drawing, is_wide=False))
    return found


def policies_figure(replays: Mapping[str, Replay]) -> Figure:
    """Share of positions that each policy liquidates."""
    shares = [replay.totals()["share"] for replay in replays.values()]
    told = "; ".join(f"{label} {percent(share)}" for label, share in zip(replays, shares, strict=True))
    signs = [policy_sign(place) for place in range(len(shares))]
    drawing = Bars(list(replays), signs, shares, percent)
    return Figure("Positions liquidated under each policy", "share of all positions", told, drawing)
