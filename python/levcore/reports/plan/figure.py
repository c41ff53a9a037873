"""Profit and equity over the price, with every price that matters on it."""

import math

from levcore.errors import InputError
from levcore.planning.plan import Plan
from levcore.planning.venue import VenuePlan
from levcore.reports.charts.model import Figure, Lines, Place, Series
from levcore.reports.numbers import amount, percent, price, short

__all__ = ["plan_figure", "valued_venue"]

STEPS = 60
COLOURS = {
    "warning": "warning",
    "margin call": "margin-call",
    "your call": "margin-call",
    "liquidation": "liquidation",
    "bankruptcy": "bankrupt",
    "stop": "short",
    "move": "muted",
    "gap": "incomplete",
}
NAMES = {"move": "after the move", "gap": "filled at"}


def valued_venue(plan: Plan) -> VenuePlan | None:
    """The first policy under which the position could be evaluated."""
    return next((venue for venue in plan if venue.desk is not None), None)


def plan_figure(plan: Plan) -> Figure:
    """Figure of a plan: curves of the first policy that evaluates it, liquidation under the others as well.

    Raises
    ------
    InputError
        Where none does.
    """
    venue = valued_venue(plan)
    if venue is None or venue.desk is None:
        raise InputError("plan", "must have a number to draw", "a policy that evaluates it", "none")
    asked = plan.question
    marks = [Place(asked.entry, "entry", "ink")]
    if math.isfinite(venue.break_even):
        marks.append(Place(venue.break_even, "break-even", "policy-3"))
    marks += [
        Place(point.price, NAMES.get(name, name), COLOURS[name])
        for name, point in venue.points.items()
        if name in COLOURS
    ]
    marks += [
        Place(other.liquidation_price, f"liquidation {other.policy.name}", "liquidation")
        for other in plan
        if other is not venue and math.isfinite(other.liquidation_price)
    ]
    places = _places(asked.entry, [mark.at for mark in marks])
    looks = [venue.desk.at(place) for place in places]
    stake = venue.at_stake
    drawing = Lines(
        places,
        [
            Series("profit and loss", [look.pnl for look in looks], "long"),
            Series("equity: what is left of the margin", [stake + look.pnl for look in looks], "policy-2"),
        ],
        sorted(marks, key=lambda mark: mark.at),
        short,
        price,
        f"price of {asked.symbol}",
    )
    told = "; ".join(f"{mark.name} at {price(mark.at)}" for mark in marks)
    subtitle = f"under {venue.policy.id}, {venue.currency}, before fees; below zero, equity is a shortfall."
    reached = f"Equity falls from {amount(stake)} to nothing after a move of {_move(venue)}"
    return Figure("Profit and equity over the price", subtitle, f"{reached}. {told}.", drawing)


def _move(venue: VenuePlan) -> str:
    return percent(venue.points["bankruptcy"].move) if "bankruptcy" in venue.points else "an unknown size"


def _places(entry: float, marks: list[float]) -> list[float]:
    low, high = min(marks), max(marks)
    room = max(0.25 * (high - low), 0.02 * entry)
    low, high = max(low - room, low / 2), high + room
    return [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
