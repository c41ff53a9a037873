"""Tables of a plan: a policy a row where policies are compared, a price a row where one is shown."""

import math
from collections.abc import Sequence
from typing import Any

from levcore.planning.venue import Point, VenuePlan
from levcore.reports.numbers import amount, percent, price
from levcore.reports.plan.words import OWES, owes_text
from levcore.reports.tables import Cell, Column, Table, plain_table, signed

__all__ = [
    "call_table",
    "fee_table",
    "most_table",
    "move_of",
    "name_of",
    "opening_table",
    "owes_table",
    "point_table",
    "price_table",
]

CALLS = ("margin call", "your call")


def name_of(venue: VenuePlan) -> str:
    """Name of the policy, without its date."""
    return venue.policy.name


def opening_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """What opening takes, and the price that pays for it."""
    return Table(
        (
            Column("policy", name_of, "name"),
            Column("value", lambda venue: amount(venue.value)),
            Column("margin", lambda venue: amount(venue.margin)),
            Column("max leverage", _highest),
            Column("opening fee", lambda venue: amount(venue.value * venue.fees.taker)),
            Column("break-even", lambda venue: price(venue.break_even)),
        ),
        [venue for venue in venues if not math.isnan(venue.value)],
        shape="narrow",
    )


def fee_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Fees that are counted, and where they come from."""

    def rate(value: float) -> str:
        return percent(value, 4) if math.isfinite(value) else "–"

    return Table(
        (
            Column("policy", name_of, "name"),
            Column("taker", lambda venue: rate(venue.fees.taker)),
            Column("liquidation", lambda venue: rate(venue.fees.liquidation)),
            Column("from", lambda venue: venue.fees.told, "prose"),
        ),
        venues,
        title="Fees",
    )


def _highest(venue: VenuePlan) -> str:
    if math.isnan(venue.maximum_leverage):
        return "not stated"
    asked = venue.question.leverage
    too_high = asked is not None and asked > venue.maximum_leverage
    return f"{venue.maximum_leverage:g}x" + (" (exceeded)" if too_high else "")


def price_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Prices on the way down, in the order in which a losing trade meets them."""

    def at(name: str) -> Any:
        return lambda venue: price(venue.price(name), fixed=True)

    shown = [
        name
        for name in ("warning", "margin call", "your call", "liquidation", "bankruptcy")
        if any(name in venue.points for venue in venues)
    ]
    columns = [Column(name, at(name)) for name in shown]
    return Table(
        (
            Column("policy", name_of, "name"),
            *columns,
            Column("to liquidation", lambda venue: move_of(venue.points.get("liquidation"))),
        ),
        [venue for venue in venues if not venue.refused],
        shape="narrow",
    )


def move_of(point: Point | None) -> str:
    """Move to a point, where there is one."""
    return "–" if point is None else percent(point.move)


def point_table(venue: VenuePlan) -> Table[Point]:
    """Each price that matters under one policy, and what closing there costs."""
    names = {"move": "after move", "gap": "in the gap", "zero": "price zero"}
    points = sorted(venue.points.values(), key=lambda point: abs(point.move))
    return Table(
        (
            Column("at", lambda point: names.get(point.name, point.name), "name"),
            Column("price", lambda point: price(point.price, fixed=True) if point.price else "0"),
            Column("move", lambda point: percent(point.move)),
            Column("to trigger", lambda point: signed(-point.to_trigger)),
            Column("past it", lambda point: signed(-point.past_trigger)),
            Column("fees", lambda point: signed(-point.fees)),
            Column("left", lambda point: signed(point.equity)),
        ),
        points,
        title=f"{venue.policy.id}, {venue.currency}",
        note=_missing(venue, points),
        shape="narrow",
    )


def _missing(venue: VenuePlan, points: Sequence[Point]) -> str:
    told = [f"{name}: {venue.why_not[name]}." for name in ("warning", "bankruptcy") if name in venue.why_not]
    return " ".join(told) if points else "Nothing could be evaluated."


def most_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """The most that can be lost, and the rule of thumb beside it."""
    return Table(
        (
            Column("policy", name_of, "name"),
            Column("most that can be lost", _most, "prose"),
            Column("rule of thumb", _thumb, "name"),
        ),
        [venue for venue in venues if not math.isnan(venue.value)],
    )


def _most(venue: VenuePlan) -> str:
    if venue.owes == "no" and math.isnan(venue.at_stake):
        return "its margin, which is not known, and fees: a source limits it"
    if not math.isnan(venue.limit_of_loss):
        what = "wallet" if venue.question.cross else "margin"
        return f"{amount(venue.limit_of_loss)} of {what}, and fees: a source limits it"
    points, parts = venue.points, []
    owed = " if all is owed" if venue.owes == "unknown" else ""
    if venue.owes == "unknown" and not math.isnan(venue.at_stake):
        parts.append(f"{amount(venue.at_stake)} if nothing is owed")
    if "gap" in points:
        gap = points["gap"]
        past = f"{percent(venue.question.gap or 0.0)} past the trigger"
        parts.append(f"{amount(gap.loss)}{owed} if filled {past}")
    if "zero" in points:
        end = "zero" if points["zero"].price == 0 else "infinity"
        parts.append(f"{amount(points['zero'].loss)}{owed} at a price of {end}")
    elif "zero" in venue.why_not:
        parts.append(venue.why_not["zero"])
    if venue.refused:
        parts.append(f"{amount(venue.value)} is its value")
    return f"no source limits it: {'; '.join(parts)}; and fees"


def _thumb(venue: VenuePlan) -> Cell:
    stake, fees = venue.rule_of_thumb
    added = "fees not chosen" if math.isnan(fees) else f"+ {amount(fees)} fees"
    return Cell((amount(stake), added))


def call_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Margin calls: whether there are any, at which price, and what ends one."""
    lines = [
        (name_of(venue), *_call(venue, name))
        for venue in venues
        if not venue.refused
        for name in _asked(venue)
    ]
    heads = ("policy", "call", "what ends it")
    return plain_table(heads, lines, ("name", "prose", "prose"))


def _asked(venue: VenuePlan) -> list[str]:
    return [name for name in CALLS if name in venue.points or name in venue.why_not]


def _call(venue: VenuePlan, name: str) -> tuple[str, str]:
    if name not in venue.points:
        return f"{name}: {venue.why_not[name]}", "reckon with a liquidation without a call" if name == CALLS[
            0
        ] else ""
    point = venue.points[name]
    said = f"{name} at {price(point.price)} ({percent(point.move)})"
    if point.past_trigger > 0:
        return said, "nothing: the liquidation comes first; a call needs a lower margin ratio"
    if math.isnan(venue.deposit):
        return said, "a deposit, or a smaller position; how much needs a leverage"
    whole = f"deposit {amount(venue.deposit)}, or close {percent(venue.reduction)} of the position,"
    return said, f"{whole} to stand at {venue.question.leverage:g}x again"


def owes_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Who bears what the margin does not cover."""
    lines = [(name_of(venue), owes_text(venue), _debtor(venue)) for venue in venues]
    return plain_table(
        ("policy", "if the margin does not cover the loss", "borne by"), lines, ("name", "prose", "prose")
    )


def _debtor(venue: VenuePlan) -> str:
    debtor = venue.policy.debtor
    return (
        "unknown: " + (venue.policy.unknown.about("debtor") or OWES["unknown"])
        if debtor == "unknown"
        else debtor
    )
