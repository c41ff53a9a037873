"""Tables of a plan: a policy a row where policies are compared, a price a row where one is shown."""

import math
from collections.abc import Sequence
from typing import Any

from levcore.planning.plan import Plan
from levcore.planning.venue import Point, Rung, VenuePlan
from levcore.reports.numbers import amount, percent, price
from levcore.reports.plan.words import OWES, owes_text
from levcore.reports.tables import Cell, Column, Table, plain_table, signed

__all__ = [
    "budget_table",
    "call_table",
    "fee_table",
    "funding_table",
    "ladder_table",
    "mode_table",
    "most_table",
    "opening_table",
    "owes_table",
    "point_table",
    "price_table",
    "stop_table",
    "survival_table",
]

CALLS = ("margin call", "your call")


def _name(venue: VenuePlan) -> str:
    return venue.policy.name


def opening_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """What opening takes, and the price that pays for it."""
    return Table(
        (
            Column("policy", _name, "name"),
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
            Column("policy", _name, "name"),
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
            Column("policy", _name, "name"),
            *columns,
            Column("to liquidation", lambda venue: _move(venue.points.get("liquidation"))),
        ),
        [venue for venue in venues if not venue.refused],
        shape="narrow",
    )


def _move(point: Point | None) -> str:
    return "–" if point is None else percent(point.move)


def point_table(venue: VenuePlan) -> Table[Any]:
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
            Column("policy", _name, "name"),
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
    if "gap" in points:
        gap = points["gap"]
        parts.append(f"{amount(gap.loss)} if filled {percent(venue.question.gap or 0.0)} past the trigger")
    if "zero" in points:
        end = "zero" if points["zero"].price == 0 else "infinity"
        parts.append(f"{amount(points['zero'].loss)} at a price of {end}")
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
        (_name(venue), *_call(venue, name)) for venue in venues if not venue.refused for name in _asked(venue)
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
    if math.isnan(venue.deposit):
        return said, "a deposit, or a smaller position; how much needs a leverage"
    whole = f"deposit {amount(venue.deposit)}, or close {percent(venue.reduction)} of the position,"
    return said, f"{whole} to stand at {venue.question.leverage:g}x again"


def owes_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Who bears what the margin does not cover."""
    lines = [(_name(venue), owes_text(venue), _debtor(venue)) for venue in venues]
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


def stop_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """What the stop costs, and whether it is reached."""
    first = {True: "no: liquidated before", False: "yes", None: "unknown"}
    return Table(
        (
            Column("policy", _name, "name"),
            Column("loss at the stop", lambda venue: signed(-venue.points["stop"].loss)),
            Column("fees", lambda venue: signed(-venue.points["stop"].fees)),
            Column("stop comes first", lambda venue: first[venue.liquidated_before_stop], "name"),
        ),
        [venue for venue in venues if "stop" in venue.points],
        shape="narrow",
    )


def budget_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Size that loses the budget at the stop."""
    remark = ("size for the budget", "fees of the size")
    return Table(
        (
            Column("policy", _name, "name"),
            Column("size", lambda venue: price(venue.size_for_budget)),
            Column("contracts", lambda venue: price(venue.contracts_for_budget)),
            Column(
                "remark",
                lambda venue: "; ".join(venue.why_not[n] for n in remark if n in venue.why_not),
                "prose",
            ),
        ),
        [venue for venue in venues if not math.isnan(venue.value)],
        shape="narrow",
    )


def survival_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Highest leverage that survives the move."""

    def told(venue: VenuePlan) -> str:
        if math.isnan(venue.survivable_leverage):
            return "–"
        if venue.survivable_leverage == 0:
            return "none: liquidated even without leverage"
        if venue.survivable_leverage >= 1000:
            return "any"
        # Downwards, so that what is printed survives.
        return f"{math.floor(venue.survivable_leverage * 100) / 100:g}x"

    return Table(
        (Column("policy", _name, "name"), Column("highest leverage that survives", told)),
        [venue for venue in venues if not venue.refused],
        shape="narrow",
    )


def ladder_table(venue: VenuePlan) -> Table[Any]:
    """The position, isolated, at one leverage a row; a star leads to the note."""
    return Table(
        (
            Column("leverage", lambda rung: f"{'* ' if _remarks(venue, rung) else ''}{rung.leverage:g}x"),
            Column("margin", lambda rung: amount(rung.margin)),
            Column("liquidated at", lambda rung: price(rung.price, fixed=True)),
            Column("move", lambda rung: percent(rung.move)),
            Column("loss there", lambda rung: signed(-rung.loss)),
        ),
        venue.ladder,
        title=venue.policy.id,
        note=_ladder_note(venue),
        shape="narrow",
    )


def _remarks(venue: VenuePlan, rung: Rung) -> list[str]:
    limit = f"above the venue's maximum of {venue.maximum_leverage:g}x"
    above = [limit] if rung.allowed is False else []
    return above + ([rung.told] if rung.told else [])


def _ladder_note(venue: VenuePlan) -> str:
    told: dict[str, list[str]] = {}
    for rung in venue.ladder:
        for remark in _remarks(venue, rung):
            told.setdefault(remark, []).append(f"{rung.leverage:g}x")
    notes = [f"{', '.join(leverages)}: {remark}" for remark, leverages in told.items()]
    return f"* {'; '.join(notes)}." if notes else ""


def funding_table(plan: Plan) -> Table[Any]:
    """Funding or interest a day, and the day on which it alone liquidates."""

    def days(venue: VenuePlan) -> str:
        if math.isnan(venue.days):
            return "–"
        return "never" if math.isinf(venue.days) else f"day {venue.days:,.0f}"

    return Table(
        (
            Column("policy", _name, "name"),
            Column("a day", lambda venue: signed(-venue.cost_a_day)),
            Column("liquidates alone on", days),
        ),
        [venue for venue in plan if not venue.refused],
        shape="narrow",
    )


def mode_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """The position isolated and cross; the note says why one of them has no price."""
    lines: list[tuple[str, ...]] = []
    told: list[str] = []
    for venue in venues:
        if venue.refused:
            continue
        own, other = venue.points.get("liquidation"), venue.other_mode
        at = price(own.price) if own else "–"
        lines.append((_name(venue), venue.question.mode, at, _move(own), amount(venue.at_stake)))
        if other is None:
            mode = "isolated" if venue.question.cross else "cross"
            lines.append(("", mode, "–", "–", "–"))
            told.append(f"{mode}: {venue.why_not.get('other mode', 'not known')}.")
        else:
            lines.append(("", other.name, price(other.price), percent(other.move), amount(other.at_stake)))
            told += [f"{_name(venue)}, {other.name}: {other.told}."] if other.told else []
    heads = ("policy", "mode", "liquidated at", "move", "at stake")
    starts = range(0, len(lines), 2)
    return plain_table(heads, lines, ("name", "name"), starts=starts, note=" ".join(told), shape="narrow")
