"""Tables of what a trader may choose: stop, size, leverage, margin mode, time."""

import math
from collections.abc import Sequence
from typing import Any

from levcore.planning.plan import Plan
from levcore.planning.venue import Rung, VenuePlan
from levcore.reports.numbers import amount, percent, price
from levcore.reports.plan.tables import move_of, name_of
from levcore.reports.tables import Column, Table, plain_table, signed

__all__ = [
    "budget_table",
    "funding_table",
    "ladder_table",
    "mode_table",
    "stop_table",
    "survival_table",
]


def stop_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """What the stop costs, and whether it is reached."""
    first = {True: "no: liquidated before", False: "yes", None: "unknown"}

    def told(venue: VenuePlan) -> str:
        said = first[venue.liquidated_before_stop]
        return said if venue.points["stop"].loss > 0 else f"{said}; it takes a profit, no loss"

    return Table(
        (
            Column("policy", name_of, "name"),
            Column("loss at the stop", lambda venue: signed(-venue.points["stop"].loss)),
            Column("fees", lambda venue: signed(-venue.points["stop"].fees)),
            Column("stop comes first", told, "name"),
        ),
        [venue for venue in venues if "stop" in venue.points],
        shape="narrow",
    )


def budget_table(venues: Sequence[VenuePlan]) -> Table[Any]:
    """Size that loses the budget at the stop."""
    remark = ("size for the budget", "fees of the size")
    return Table(
        (
            Column("policy", name_of, "name"),
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
        (Column("policy", name_of, "name"), Column("highest leverage that survives", told)),
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
            Column("policy", name_of, "name"),
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
        lines.append((name_of(venue), venue.question.mode, at, move_of(own), amount(venue.at_stake)))
        if other is None:
            mode = "isolated" if venue.question.cross else "cross"
            lines.append(("", mode, "–", "–", "–"))
            told.append(f"{mode}: {venue.why_not.get('other mode', 'not known')}.")
        else:
            lines.append(("", other.name, price(other.price), percent(other.move), amount(other.at_stake)))
            told += [f"{name_of(venue)}, {other.name}: {other.told}."] if other.told else []
    heads = ("policy", "mode", "liquidated at", "move", "at stake")
    starts = range(0, len(lines), 2)
    return plain_table(heads, lines, ("name", "name"), starts=starts, note=" ".join(told), shape="narrow")
