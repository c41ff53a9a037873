"""Charts of a comparison: where each policy liquidates a position, and how much margin each asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from levcore.compare_lists import REACHABLE, PositionFacts, first_text, position_facts, spread_text
from levcore.report_charts import figure
from levcore.report_numbers import amount, price, short
from levcore.report_style import policy_mark
from levcore.svg import nice_ticks
from levcore.svg_canvas import GRID, INK, MUTED, SOFT, Canvas, shortened, text_width

if TYPE_CHECKING:
    from levcore.comparison import Comparison

__all__ = ["liquidation_chart", "margin_charts"]

WIDTH = 1120
LANE, GAP = 16, 12
TOP = 44
SPREAD_ROOM = 150


@dataclass(frozen=True, slots=True)
class _Lane:
    """Answer of one policy for one position: the price that liquidates it, and the move of the mark to it."""

    name: str
    place: int
    move: float
    price: float


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
    canvas = Canvas(WIDTH, TOP + len(rows) * (LANE * len(labels) + GAP) + 26)
    facts = [position_facts(comparison, row) for row in rows]
    names = 26 + max(text_width(comparison.short_names[label]) for label in labels)
    positions = 16 + max(text_width(_title(one)) for one in facts)
    lanes = [_lanes(comparison, one) for one in facts]
    axis = _Axis(positions + names, WIDTH - SPREAD_ROOM, _limit(lanes))
    height = LANE * len(labels)
    tops = [TOP + number * (height + GAP) for number in range(len(rows))]
    for y in tops:
        canvas.rect(0, y - GAP / 2 + 2, WIDTH, height + GAP - 4, SOFT)
    _draw_axis(canvas, axis)
    for one, answers, y in zip(facts, lanes, tops, strict=True):
        _draw_position(canvas, comparison, one, y, height)
        _draw_range(canvas, axis, answers, y, height)
        for number, lane in enumerate(answers):
            _draw_lane(canvas, axis, one, lane, y + LANE * (number + 0.5), positions)
    told = "; ".join(
        f"{one.instrument} {one.side}: "
        + ", ".join(f"{lane.name} {_move_text(lane.move, one)}" for lane in answers)
        for one, answers in zip(facts, lanes, strict=True)
    )
    subtitle = (
        "move of the mark that brings each position to its liquidation price, under each policy; the largest"
        " positions. Longs are liquidated by a fall, to the left, shorts by a rise, to the right. An arrow:"
        " beyond the axis."
    )
    chart = canvas.render("Where each policy liquidates", told)
    return figure("Where each policy liquidates", subtitle, chart, kind="wide")


def _lanes(comparison: "Comparison", facts: PositionFacts) -> list[_Lane]:
    places = {label: place for place, label in enumerate(comparison.policies)}
    side = -1.0 if facts.is_long else 1.0
    return [
        _Lane(
            comparison.short_names[label],
            places[label],
            side * float(risk.distance_to_liquidation[facts.row]),
            float(risk.liquidation_price[facts.row]),
        )
        for label, risk in comparison.answers.items()
    ]


def _limit(lanes: Sequence[Sequence[_Lane]]) -> float:
    """End of the axis in per cent: the farthest liquidation within `REACHABLE`, and some room."""
    moves = np.array([abs(lane.move) for of_row in lanes for lane in of_row])
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
    canvas.text(middle - 12, TOP - 26, "◂ longs: the price falls", "end")
    canvas.text(middle + 12, TOP - 26, "shorts: the price rises ▸")
    canvas.text(WIDTH, TOP - 26, "spread, first", "end")


def _draw_position(
    canvas: Canvas, comparison: "Comparison", facts: PositionFacts, y: float, height: float
) -> None:
    canvas.text(6, y + 12, shortened(facts.instrument), colour=INK, weight="600")
    if height >= 2 * LANE:
        canvas.text(6, y + 12 + LANE, _kind(facts))
    if height >= 3 * LANE:
        canvas.text(6, y + 12 + 2 * LANE, short(facts.notional))
    spread = float(comparison.spread[facts.row])
    if spread == spread:
        canvas.text(WIDTH - 6, y + 12, spread_text(spread) if spread else "no difference", "end", INK)
    if height >= 2 * LANE:
        canvas.text(WIDTH - 6, y + 12 + LANE, shortened(first_text(comparison, facts.row)), "end")


def _draw_range(canvas: Canvas, axis: _Axis, lanes: Sequence[_Lane], y: float, height: float) -> None:
    """Shade a position from its earliest liquidation on the axis to its latest."""
    moves = [lane.move for lane in lanes if 100 * abs(lane.move) <= axis.limit]
    if moves:
        left, right = axis.x(min(moves)), axis.x(max(moves))
        canvas.rect(left, y, right - left, height, GRID)


def _draw_lane(canvas: Canvas, axis: _Axis, facts: PositionFacts, lane: _Lane, y: float, left: float) -> None:
    colour, shape = policy_mark(lane.place)
    canvas.mark(shape, left + 6, y, colour)
    canvas.text(left + 16, y + 4, lane.name, colour=INK)
    towards = -1 if facts.is_long else 1
    edge, anchor = (axis.left, "start") if facts.is_long else (axis.right, "end")
    text = _move_text(lane.move, facts)
    if lane.move != lane.move:
        canvas.text(axis.x(0.0) + 12 * towards, y + 4, text, "end" if facts.is_long else "start")
        return
    if abs(lane.move) == np.inf:
        canvas.text(edge, y + 4, text, anchor)
        return
    tip = f"{facts.instrument}, {lane.name}: liquidated at {price(lane.price)}, {text}"
    if 100 * abs(lane.move) > axis.limit:
        outwards = -1 if lane.move < 0 else 1
        x = axis.x(outwards * axis.limit / 100)
        canvas.mark("to the left" if outwards < 0 else "to the right", x, y, colour, tip)
        canvas.text(x - 12 * outwards, y + 4, text, "start" if outwards < 0 else "end", INK)
        return
    x = axis.x(lane.move)
    canvas.mark(shape, x, y, colour, tip)
    # Beside the mark on its outer side, but for want of room there.
    outwards = -1 if lane.move < 0 else 1
    room = x - axis.left if outwards < 0 else axis.right - x
    if room < 12 + text_width(text):
        outwards = -outwards
    canvas.text(x + 10 * outwards, y + 4, text, "end" if outwards < 0 else "start", INK)


def _move_text(move: float, facts: PositionFacts) -> str:
    if move != move:
        return "not evaluated"
    if abs(move) == np.inf:
        return "no liquidation price"
    text = f"{100 * move:+,.{2 if abs(move) < 10 else 0}f} %".replace("-", "−")
    return f"{text}, past" if (move > 0) == facts.is_long and move else text


def _kind(facts: PositionFacts) -> str:
    return f"{facts.side}, {facts.mode}"


def _title(facts: PositionFacts) -> str:
    """Longest line of a position's title."""
    return max((shortened(facts.instrument) + "  ", _kind(facts)), key=text_width)


def margin_charts(comparison: "Comparison") -> str:
    """Total maintenance margin of each policy as bars, one chart a settlement currency."""
    totals = comparison.totals()
    currencies = dict.fromkeys(currency for of_policy in totals.values() for currency in of_policy)
    charts = []
    for currency in currencies:
        values = {
            label: of_policy[currency]["maintenance_margin"]
            for label, of_policy in totals.items()
            if currency in of_policy
        }
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
    return figure(title, subtitle, canvas.render(title, told))
