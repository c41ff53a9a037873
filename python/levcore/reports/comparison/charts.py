"""Charts of a comparison: where each policy liquidates a position, and how much margin each asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from levcore.comparison.totals import OF_ACCOUNTS
from levcore.reports.charts.canvas import GRID, INK, MUTED, SOFT, Canvas, shortened, text_width
from levcore.reports.charts.svg import nice_ticks
from levcore.reports.comparison.lists import REACHABLE, PositionFacts, first_text, position_facts, spread_text
from levcore.reports.numbers import amount, price, short
from levcore.reports.page import policy_mark
from levcore.reports.risk.charts import figure
from levcore.status import FIRST_PARTIAL

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["liquidation_chart", "margin_charts"]

WIDTH = 1120
LANE, GAP = 16, 12
TOP = 44
SPREAD_ROOM = 150


@dataclass(frozen=True, slots=True)
class _End:
    """A price that liquidates: at or below it, or at or above it."""

    price: float
    move: float
    is_below: bool

    @property
    def is_past(self) -> bool:
        """Whether the mark has reached it."""
        return (self.move > 0) == self.is_below and self.move != 0

    @property
    def text(self) -> str:
        """Move of the mark, in per cent."""
        text = f"{100 * self.move:+,.{2 if abs(self.move) < 10 else 0}f} %".replace("-", "−")
        return f"{text}, past" if self.is_past else text


@dataclass(frozen=True, slots=True)
class _Lane:
    """Answer of one policy for one position: the prices that liquidate it, and the moves of the mark to them.

    Two where the account is liquidated on either side, none where no price does it.
    """

    name: str
    place: int
    evaluated: bool
    below: _End | None
    above: _End | None

    @property
    def ends(self) -> tuple[_End, ...]:
        """Prices that liquidate, the lower one first."""
        return tuple(end for end in (self.below, self.above) if end is not None)


@dataclass(frozen=True, slots=True)
class _Axis:
    """Horizontal axis in per cent of the mark, the mark in the middle."""

    left: float
    right: float
    limit: float

    def x(self, move: float) -> float:
        """Place of a move of the mark, as a fraction."""
        return (self.left + self.right) / 2 + 100 * move / self.limit * (self.right - self.left) / 2


def liquidation_chart(comparison: "Comparison", rows: Sequence[int]) -> str:
    """Dot plot of the liquidation of each position under each policy; empty where no policy answers."""
    labels = list(comparison.answers)
    if not labels or not rows:
        return ""
    rows = _without_pairs(comparison, rows)
    canvas = Canvas(WIDTH, TOP + len(rows) * (LANE * len(labels) + GAP) + 26)
    facts = [position_facts(comparison, row) for row in rows]
    titles = [_titles(comparison, one) for one in facts]
    names = 26 + max(text_width(comparison.short_names[label]) for label in labels)
    positions = 24 + max(text_width(line) for lines in titles for line in lines)
    lanes = [_lanes(comparison, one) for one in facts]
    first = max(text_width(shortened(first_text(comparison, row))) for row in rows)
    axis = _Axis(positions + names, WIDTH - max(SPREAD_ROOM, first + 20), _limit(lanes))
    height = LANE * len(labels)
    tops = [TOP + number * (height + GAP) for number in range(len(rows))]
    for y in tops:
        canvas.rect(0, y - GAP / 2 + 2, WIDTH, height + GAP - 4, SOFT)
    _draw_axis(canvas, axis)
    for one, lines, answers, y in zip(facts, titles, lanes, tops, strict=True):
        _draw_position(canvas, comparison, one, lines, y, height)
        _draw_range(canvas, axis, answers, y, height)
        for number, lane in enumerate(answers):
            _draw_lane(canvas, axis, one, lane, y + LANE * (number + 0.5), positions)
    told = "; ".join(
        f"{one.instrument} {one.side}: " + ", ".join(f"{lane.name} {_lane_text(lane)}" for lane in answers)
        for one, answers in zip(facts, lanes, strict=True)
    )
    subtitle = (
        "move of the mark that brings each position to its liquidation price, under each policy; the largest"
        " positions. To the left a fall that liquidates, to the right a rise. An arrow: beyond the axis."
    )
    if comparison.has_pooled_accounts:
        subtitle += (
            " What an account holds on one underlying moves together, so that it may have a price on either"
            " side; legs of one instrument share theirs."
        )
    chart = canvas.render("Where each policy liquidates", told)
    return figure("Where each policy liquidates", subtitle, chart, kind="wide")


def _without_pairs(comparison: "Comparison", rows: Sequence[int]) -> list[int]:
    """Rows without those whose account has another leg of the instrument before them."""
    seen: dict[int, int] = {}
    for row in rows:
        seen.setdefault(_legs(comparison, row)[0], row)
    return list(seen.values())


def _legs(comparison: "Comparison", row: int) -> list[int]:
    """Rows that share their liquidation prices with a row: the legs of one instrument in its account."""
    book = comparison.book
    if book.position_mode != "hedge" or not book.is_cross[row] or book.account_codes is None:
        return [row]
    of_account = book.is_cross & (book.account_codes == book.account_codes[row])
    of_instrument = book.instrument_codes == book.instrument_codes[row]
    legs: list[int] = np.flatnonzero(of_account & of_instrument).tolist()
    return legs


def _lanes(comparison: "Comparison", facts: PositionFacts) -> list[_Lane]:
    places = {label: place for place, label in enumerate(comparison.policies)}
    return [
        _Lane(
            comparison.short_names[label],
            places[label],
            bool(risk.status[facts.row] < FIRST_PARTIAL),
            _end(float(risk.liquidation_price_lower[facts.row]), facts, is_below=True),
            _end(float(risk.liquidation_price_upper[facts.row]), facts, is_below=False),
        )
        for label, risk in comparison.answers.items()
    ]


def _end(price: float, facts: PositionFacts, *, is_below: bool) -> _End | None:
    return _End(price, price / facts.mark_price - 1, is_below) if price == price else None


def _limit(lanes: Sequence[Sequence[_Lane]]) -> float:
    """End of the axis in per cent: the farthest liquidation within `REACHABLE`, and some room."""
    moves = np.array([abs(end.move) for of_row in lanes for lane in of_row for end in lane.ends])
    near = moves[moves <= REACHABLE]
    # Room for the text beside the outermost mark.
    return min(nice_ticks(0.0, 115.0 * float(near.max()))[-1] if near.size else 100.0, 100.0)


def _draw_axis(canvas: Canvas, axis: _Axis) -> None:
    bottom = canvas.height - 24
    for tick in nice_ticks(0.0, axis.limit, 4):
        for side in (-1, 1) if tick else (1,):
            if tick <= axis.limit:
                x = axis.x(side * tick / 100)
                canvas.line(x, TOP - 8, x, bottom)
                text = f"{side * tick:+g} %".replace("-", "−") if tick else "mark"
                canvas.text(x, bottom + 16, text, "middle")
    middle = axis.x(0.0)
    canvas.line(middle, TOP - 8, middle, bottom, MUTED, 1.5)
    canvas.text(middle - 12, TOP - 26, "◂ liquidated by a fall", "end")
    canvas.text(middle + 12, TOP - 26, "liquidated by a rise ▸")
    canvas.text(WIDTH, TOP - 26, "spread, first", "end")


def _draw_position(
    canvas: Canvas,
    comparison: "Comparison",
    facts: PositionFacts,
    lines: Sequence[str],
    y: float,
    height: float,
) -> None:
    canvas.text(6, y + 12, lines[0], colour=INK, weight="600")
    for number, line in enumerate(lines[1 : max(1, int(height // LANE))], start=1):
        canvas.text(6, y + 12 + number * LANE, line)
    spread = float(comparison.spread[facts.row])
    if spread == spread:
        canvas.text(WIDTH - 6, y + 12, spread_text(spread) if spread else "no difference", "end", INK)
    if height >= 2 * LANE:
        canvas.text(WIDTH - 6, y + 12 + LANE, shortened(first_text(comparison, facts.row)), "end")


def _draw_range(canvas: Canvas, axis: _Axis, lanes: Sequence[_Lane], y: float, height: float) -> None:
    """Shade a position from its earliest liquidation on the axis to its latest, on either side by itself."""
    for is_below in (True, False):
        ends = [end for lane in lanes for end in lane.ends if end.is_below == is_below]
        moves = [end.move for end in ends if 100 * abs(end.move) <= axis.limit]
        if moves:
            left, right = axis.x(min(moves)), axis.x(max(moves))
            canvas.rect(left, y, right - left, height, GRID)


def _draw_lane(canvas: Canvas, axis: _Axis, facts: PositionFacts, lane: _Lane, y: float, left: float) -> None:
    colour, shape = policy_mark(lane.place)
    canvas.mark(shape, left + 6, y, colour)
    canvas.text(left + 16, y + 4, lane.name, colour=INK)
    if lane.ends:
        for end in lane.ends:
            _draw_end(canvas, axis, facts, lane, end, y)
    elif lane.evaluated:
        edge, anchor = (axis.left, "start") if facts.is_long else (axis.right, "end")
        canvas.text(edge, y + 4, _lane_text(lane), anchor)
    else:
        towards = -1 if facts.is_long else 1
        canvas.text(axis.x(0.0) + 12 * towards, y + 4, _lane_text(lane), "end" if facts.is_long else "start")


def _draw_end(canvas: Canvas, axis: _Axis, facts: PositionFacts, lane: _Lane, end: _End, y: float) -> None:
    colour, shape = policy_mark(lane.place)
    tip = f"{facts.instrument}, {lane.name}: liquidated at {price(end.price)}, {end.text}"
    outwards = -1 if end.move < 0 else 1
    if 100 * abs(end.move) > axis.limit:
        x = axis.x(outwards * axis.limit / 100)
        canvas.mark("to the left" if outwards < 0 else "to the right", x, y, colour, tip)
        canvas.text(x - 12 * outwards, y + 4, end.text, "start" if outwards < 0 else "end", INK)
        return
    x = axis.x(end.move)
    canvas.mark(shape, x, y, colour, tip)
    # Beside the mark on its outer side, but for want of room there.
    room = x - axis.left if outwards < 0 else axis.right - x
    if room < 12 + text_width(end.text):
        outwards = -outwards
    canvas.text(x + 10 * outwards, y + 4, end.text, "end" if outwards < 0 else "start", INK)


def _lane_text(lane: _Lane) -> str:
    if not lane.evaluated:
        return "not evaluated"
    return " and ".join(end.text for end in lane.ends) or "no liquidation price"


def _titles(comparison: "Comparison", facts: PositionFacts) -> list[str]:
    """Lines that say what a position is, the most important first."""
    book, instrument = comparison.book, shortened(facts.instrument)
    legs = _legs(comparison, facts.row)
    side = "long and short" if len(legs) > 1 else facts.side
    notional = float(comparison.notional[legs].sum())
    lines = [instrument, f"{side}, {facts.mode}", short(notional)]
    if facts.account and len(book.account_ids) > 1:
        lines.insert(2, shortened(facts.account))
    return lines


def margin_charts(comparison: "Comparison") -> str:
    """Total maintenance margin of each policy as bars, one chart a settlement currency."""
    totals = comparison.totals()
    currencies = dict.fromkeys(currency for of_policy in totals.values() for currency in of_policy)
    charts = []
    for currency in currencies:
        values = {
            label: of_policy[currency]["maintenance_margin"]
            for label, of_policy in totals.items()
            if "maintenance_margin" in of_policy.get(currency, {})
        }
        if values:
            charts.append(_margin_chart(comparison, currency, values))
    return "\n".join(charts)


def _margin_chart(comparison: "Comparison", currency: str, values: dict[str, float]) -> str:
    canvas = Canvas(WIDTH / 2, 24 * len(values) + 4)
    names = comparison.short_names
    left = 26 + max(text_width(names[label]) for label in values)
    room = 14 + max(text_width(amount(value)) for value in values.values())
    largest = max(values.values()) or 1.0
    places = {label: place for place, label in enumerate(comparison.policies)}
    for number, (label, value) in enumerate(values.items()):
        y = 24 * number + 4
        colour, shape = policy_mark(places[label])
        canvas.mark(shape, 6, y + 8, colour)
        canvas.text(16, y + 12, names[label], colour=INK)
        long = (canvas.width - left - room) * value / largest
        canvas.rect(left, y, long, 16, colour, f"{names[label]}: {amount(value)}")
        canvas.text(left + long + 8, y + 12, amount(value), colour=INK)
    told = "; ".join(f"{names[label]} {amount(value)}" for label, value in values.items())
    unit = f", {currency}" if currency else ""
    title = f"Maintenance margin{unit}"
    subtitle = "total over the positions that every policy evaluates"
    if currency == OF_ACCOUNTS:
        subtitle = "total over those that every policy could judge, in the currency of the asset prices"
    return figure(title, subtitle, canvas.render(title, told))
