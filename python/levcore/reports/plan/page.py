"""The page of a plan: the verdict, then each question of a trader, with the rules behind the answers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from levcore.planning.plan import Plan
from levcore.planning.venue import VenuePlan
from levcore.reports.numbers import percent, price
from levcore.reports.page import Page, Section
from levcore.reports.plan import choices, tables
from levcore.reports.plan.figure import plan_figure, valued_venue
from levcore.reports.plan.words import GLOSSARY, questions, verdict, worst_state
from levcore.reports.tables import Table, pairs_table, plain_table

__all__ = ["plan_page"]

RULES = {
    "price of liquidation": "requirement_basis_{mode}",
    "level": "liquidation_level",
    "margin to open": "initial_margin_basis_{mode}",
    "closing fee": "closing_fee_basis",
    "rates": "maintenance_rate_rule",
    "owed": "trader_owes_{mode}",
}


def plan_page(plan: Plan, title: str = "") -> Page:
    """Build the page of a plan."""
    asked = plan.question
    at = f"{asked.symbol} {asked.side} {asked.size:g} at {price(asked.entry)}"
    if asked.leverage is not None:
        at += f", {asked.leverage:g}x"
    behind = f"cross, a wallet of {price(asked.wallet or 0.0)}" if asked.cross else "isolated"
    if asked.margin is not None:
        behind += f", margin {price(asked.margin)}"
    return Page(
        title=title or f"Plan: {asked.symbol} {asked.side}",
        verdict=verdict(plan),
        worst=worst_state(plan),
        facts=[("position", f"{at}, {behind}"), *(("policy", _policy(venue)) for venue in plan)],
        sections=[section for each in _sections(plan) for section in _filled(each)],
    )


def _filled(section: Section) -> Iterator[Section]:
    """Yield the section without empty tables; none where nothing is left."""
    parts = [part for part in section.parts if not isinstance(part, Table) or part.lines]
    if parts or (section.note and not section.parts):
        yield replace(section, parts=parts)


def _policy(venue: VenuePlan) -> str:
    told = f": {venue.contract.told}" if venue.contract and venue.contract.told else ""
    tiers = f"; tiers of {venue.contract.as_of}" if venue.contract and venue.contract.as_of else ""
    refused = f"; not evaluated: {venue.refused}" if venue.refused else ""
    return f"{venue.policy.id}{told}{tiers}{refused}"


def _sections(plan: Plan) -> Iterator[Section]:
    venues, asked = list(plan), plan.question
    if any(venue.value == venue.value for venue in venues):
        note = "Money is in the currency that the contract settles in."
        yield Section("Opening", note, [tables.opening_table(venues), tables.fee_table(venues)])
        yield Section(
            "Prices", "In the order in which a losing trade meets them.", [tables.price_table(venues)]
        )
        if valued_venue(plan) is not None:
            yield Section("", parts=[plan_figure(plan)], only="html")
        yield Section(
            "The most that can be lost", dict(GLOSSARY)["rule of thumb"], [tables.most_table(venues)]
        )
        yield Section("Margin call", dict(GLOSSARY)["margin call"], [tables.call_table(venues)])
    yield Section("Who bears a shortfall", dict(GLOSSARY)["shortfall"], [tables.owes_table(venues)])
    if all(venue.value != venue.value for venue in venues):
        return
    valued = [venue for venue in venues if venue.points]
    note = "Losses are negative. 'to trigger' is lost by the time the venue acts, 'past it' by a worse fill;"
    note += (
        " 'left' is what remains of the money behind the position before fees: negative, it is a shortfall."
    )
    yield Section("What is lost at each price", note, [tables.point_table(venue) for venue in valued])
    if asked.stop is not None:
        yield Section(f"Stop at {price(asked.stop)}", "", [choices.stop_table(venues)])
    if asked.budget is not None:
        note = f"Size in base units that loses {price(asked.budget)} at the stop, both fees included."
        yield Section("Size for the budget", note, [choices.budget_table(venues)])
    if asked.move is not None:
        yield Section(f"Surviving a move of {percent(asked.move)}", "", [choices.survival_table(venues)])
    note = "The same position, isolated, with more or less leverage and nothing added to its margin."
    yield Section("Other leverages", note, [choices.ladder_table(venue) for venue in valued if venue.ladder])
    yield _funding(plan)
    note = "Isolated, the margin alone is at stake; cross, the whole wallet, and the price has further to go."
    if asked.wallet is None:
        yield Section(
            "Isolated or cross", f"{note} --wallet, the balance that would stand behind it, compares."
        )
    else:
        yield Section("Isolated or cross", note, [choices.mode_table(venues)])
    left = questions(asked)
    if left:
        note = "Each is an option of the command, and an argument of lc.plan; the numbers are examples."
        yield Section("What else can be asked", note, [pairs_table(left)])
    yield Section("In plain words", parts=[pairs_table(GLOSSARY)])
    yield Section("On which rules this rests", EVIDENCE, [_rules(venues)])


EVIDENCE = (
    "[V] recomputed from published numbers, [R] read in the venue's own text, [3P] in a third party's copy,"
    " [D] derived, [caller] stated by you. levcore policies NAME shows every rule and source."
)


def _funding(plan: Plan) -> Section:
    if plan.question.funding_a_day is None:
        note = "Not asked for: it changes every few hours, none is assumed. --funding 0.03% (a day) adds it."
        return Section("Funding", note, [])
    note = f"At {percent(plan.question.funding_a_day, 3)} of the value a day, the price standing still."
    return Section("Funding", note, [choices.funding_table(plan)])


def _rules(venues: list[VenuePlan]) -> Table[Any]:
    lines: list[tuple[str, str, str]] = []
    starts = []
    for venue in venues:
        starts.append(len(lines))
        policy = venue.policy
        for word, rule in RULES.items():
            name = rule.format(mode=venue.question.mode)
            said = policy.rests_on.about(name) or f"unknown: {policy.unknown.about(name)}"
            lines.append((policy.name if not lines or word == "price of liquidation" else "", word, said))
        if venue.contract is not None:
            source = policy.instruments.source_of(venue.contract.instrument.name)
            lines.append(("", "tier table", f"{source} ({venue.contract.as_of or 'undated'})"))
    return plain_table(("policy", "rule", "rests on"), lines, ("name", "name", "prose"), starts=starts)
