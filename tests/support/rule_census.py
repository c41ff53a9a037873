"""The rule census: every rule value of every policy changed to each neighbour, and what notices.

``[V]`` in a policy says that published numbers hold a value. That is so when the numbers of some case differ,
or can no longer be computed, once the value is another one; here each is changed and the cases run again.
Evidence that several versions of a product share is held by a number of any of them that has the same value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import levcore as lc
from levcore.errors import LevcoreError, PolicyError
from levcore.rules.policy import RULES
from levcore.rules.policy_files import DEFAULTS
from levcore.rules.terms import CHOICES, UNKNOWN
from support.published_books import book_of, policy_of
from support.published_cases import by_engine, compared, read_cases

RATIOS = frozenset(
    {"margin_ratio", "inverse_margin_ratio", "account_margin_ratio", "account_inverse_margin_ratio"}
    | {"liquidatable", "account_liquidatable", "account_initial_margin_ratio"}
)
"""Numbers that hold how a venue states its ratio, which is a text and has no neighbour."""

TEXTS = frozenset({"ratio", "debtor"})
BY_TABLE = frozenset({"table_units", "table_shape", "maintenance_rate_rule"})
"""Rules of the tables that a caller brings: noticed by a case whose table they would no longer let in."""

SAME_ALWAYS = frozenset({"trader_owes"})
"""Rules that no number follows from."""

LEVELS = frozenset({"warning_level", "margin_call_level", "liquidation_level"})
EVIDENCE = ("[V]", "[R]", "[3P]", "[D]")
STEP_OF_LEVEL = 1.0 + 1.0 / 64.0
STEP_OF_RATE = 0.0001
FUNDING = 0.0001
"""Funding rate of instruments of which a case gives none, where the requirement is made to hold it."""
DIGITS_OF_NO_QUOTE = 9


@dataclass(frozen=True, slots=True)
class Line:
    """A value of a rule changed to a neighbour.

    Parameters
    ----------
    policy, rule : str
        Id of the policy, name of the rule.
    value, neighbour : str
        What the policy says, and what it was changed to.
    mark : str
        Its evidence: ``[V]`` and so on, ``unknown``, or empty where a rule needs none.
    noticed_by : str
        Id of the first case that notices; empty where none does.
    """

    policy: str
    rule: str
    value: str
    neighbour: str
    mark: str
    noticed_by: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a published case under a policy."""

    case: str
    run: dict[str, Any]


@cache
def runs_by_policy() -> Mapping[str, tuple[Run, ...]]:
    """Runs of books of positions and balances, by the id of their policy."""
    found: dict[str, list[Run]] = {}
    seen = set()
    for case in read_cases().values():
        if id(case) in seen:
            continue
        seen.add(id(case))
        for run in case["runs"]:
            if "policy" in run and "scenarios" not in run:
                found.setdefault(lc.policy(run["policy"]).id, []).append(Run(case["ids"][0], run))
    return {policy: tuple(_joined(runs)) for policy, runs in found.items()}


def _joined(runs: list[Run]) -> Iterator[Run]:
    """Runs, those that read rows of one whole account as one."""
    accounts: dict[str, Run] = {}
    for each in runs:
        account = each.run.get("account")
        if account is None:
            yield each
        elif account in accounts:
            accounts[account].run["expected"].extend(each.run["expected"])
        else:
            accounts[account] = Run(each.case, {**each.run, "expected": list(each.run["expected"])})
    yield from accounts.values()


def census(policies: list[str] | None = None) -> list[Line]:
    """Every rule value of these policies, all of them by default, changed to each neighbour."""
    chosen = [info.id for info in lc.policies()] if policies is None else policies
    return [line for name in chosen for line in _lines_of(lc.policy(name))]


AFTER_THE_TRIGGER = tuple(rule for rule in RULES if rule.startswith("close_out_"))
"""No number of an evaluation follows from these; ``tests/published/test_after_trigger.py`` has theirs."""


def _lines_of(policy: lc.MarginPolicy) -> Iterator[Line]:
    for rule in (rule for rule in RULES if rule not in AFTER_THE_TRIGGER):
        value = getattr(policy, rule)
        mark = mark_of(policy, rule)
        for neighbour, companions in neighbours(policy, rule):
            noticed = noticed_by(policy, rule, neighbour, companions)
            yield Line(policy.id, rule, shown(value), shown(neighbour), mark, noticed)


def mark_of(policy: lc.MarginPolicy, rule: str) -> str:
    """Mark of the evidence of a rule's value."""
    value = getattr(policy, rule)
    if value in (UNKNOWN, None):
        return UNKNOWN
    if rule in DEFAULTS and value == DEFAULTS[rule]:
        return ""  # the venue has no such rule
    text = policy.rests_on.about(rule)
    return next((mark for mark in EVIDENCE if text.startswith(mark)), "")


def shown(value: object) -> str:
    """Value of a rule as the page has it."""
    if isinstance(value, tuple):
        return " or ".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def neighbours(policy: lc.MarginPolicy, rule: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Other values of a rule that is known, each with what must change along for the policy to be one."""
    value = getattr(policy, rule)
    if value in (UNKNOWN, None) or _is_idle(policy, rule):
        return
    if rule in TEXTS:
        yield "(the text taken away)", {}
    elif rule in LEVELS:
        for level in (value * STEP_OF_LEVEL, value / STEP_OF_LEVEL):
            yield level, _levels_around(policy, rule, level)
    elif rule == "closing_fee_rate":
        yield value + STEP_OF_RATE, {}
    elif rule == "covered_share":
        yield (value + 0.5 if value <= 0.5 else value - 0.5), {}
    elif rule in SAME_ALWAYS:
        return
    elif rule == "short_minimum":
        # Each line taken away by itself where the others are lines still, and all of them.
        if value:
            yield (), {}
            yield value[:-1], {}
            yield ((value[0][0], value[0][1], value[0][2] + 1.0), *((f, r, a) for f, r, a in value[1:])), {}
    elif rule == "table_shape":
        yield from ((shape, {}) for shape in ("marginal", "flat", "growing") if shape != value)
    elif rule == "table_units":
        yield ("base",) if value == ("quote",) else ("quote",), {}
    elif rule == "closing_fee_bankruptcy_cross":
        # There is a fee or a requirement on such a value: "none" says nothing then.
        yield from ((choice, {}) for choice in ("leverage", "margin") if choice != value)
    else:
        for choice in CHOICES[rule]:
            companions = _companions(policy, rule, choice)
            if choice not in (value, UNKNOWN) and _is_policy(policy, {rule: choice, **companions}):
                yield choice, companions


def _is_policy(policy: lc.MarginPolicy, changed: Mapping[str, Any]) -> bool:
    """Whether there is a policy with these rules changed."""
    try:
        policy.replace(**changed)
    except PolicyError:
        return False
    return True


def _is_idle(policy: lc.MarginPolicy, rule: str) -> bool:
    """Whether a rule says nothing under the others: it then has no neighbour."""
    if rule.endswith("_level_inclusive") and getattr(policy, rule.removesuffix("_inclusive")) is None:
        return True
    without_fee = {policy.fee_basis_of("isolated"), policy.fee_basis_of("cross")} == {"none"}
    if rule == "closing_fee_in_initial_margin" and policy.closing_fee_reserved == "same":
        # A fee that moves with the price is none that is put up.
        moving = {"none", "price"}
        return {policy.fee_basis_of("isolated"), policy.fee_basis_of("cross")} <= moving
    if rule in ("closing_fee_rate", "bankruptcy_includes_closing_fee") or rule.startswith("closing_fee_in_"):
        return without_fee
    if rule == "closing_fee_bankruptcy_cross":
        return "bankruptcy" not in (policy.fee_basis_of("cross"), policy.requirement_basis_cross)
    if rule == "closing_fee_reserved":
        return policy.closing_fee_in_initial_margin is not True
    if rule == "closing_fee_basis_cross":
        return without_fee
    if rule == "margins_convert_at":
        return policy.liabilities_count_as == "none"
    return rule == "covered_share" and policy.hedge_requirement != "covered"


def _levels_around(policy: lc.MarginPolicy, rule: str, level: float) -> dict[str, Any]:
    """Other levels, moved along where a changed one would pass them."""
    order = ("warning_level", "margin_call_level", "liquidation_level")
    place, changed = order.index(rule), {}
    for number, name in enumerate(order):
        other = getattr(policy, name)
        if other is not None and ((number > place and other < level) or (number < place and other > level)):
            changed[name] = level
    return changed


def _companions(policy: lc.MarginPolicy, rule: str, choice: object) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if rule == "closing_fee_basis":
        if choice == "none":
            changed["closing_fee_rate"] = 0.0
        elif policy.closing_fee_basis == "none":
            changed["closing_fee_rate"] = STEP_OF_RATE
    if choice == "bankruptcy":
        changed["closing_fee_bankruptcy_cross"] = "leverage"
    if choice == "contract" or (choice == "bankruptcy" and policy.bankruptcy_includes_closing_fee == UNKNOWN):
        changed["bankruptcy_includes_closing_fee"] = False
    if rule == "hedge_requirement" and policy.hedge_requirement == "covered":
        changed["covered_share"] = 0.0
    return changed


def noticed_by(policy: lc.MarginPolicy, rule: str, neighbour: Any, companions: Mapping[str, Any]) -> str:
    """Id of the first case that a change of a rule makes fail; empty where none does."""
    runs = runs_by_policy().get(policy.id, ())
    if rule in TEXTS:
        holds = (each.case for each in runs if rule == "ratio" and _reads(each.run, RATIOS))
        return next(holds, "")
    for each in runs:
        if rule in each.run.get("stated", {}):
            continue  # the case states it: no number of it rests on the policy
        if rule in BY_TABLE:
            if not _lets_in(each.run, rule, neighbour):
                return each.case
        elif rule.startswith("price_rounding"):
            if (
                _stands_on_no_tick(each.run, rule)
                if policy_of(each.run).known(rule) == "none"
                else _fails(each.run, policy, {rule: neighbour})
            ):
                return each.case
        elif _fails(each.run, policy, {rule: neighbour, **companions}):
            return each.case
    return ""


def _stands_on_no_tick(run: dict[str, Any], rule: str) -> bool:
    """Whether a run prints a liquidation price of a side that is on no tick of any contract."""
    for expected in run["expected"]:
        if expected["measure"] == "liquidation_price" and expected["printed"] is not None:
            long = run_quantity(run, expected.get("row", 0)) > 0
            digits = len(expected["printed"].replace(".", "").lstrip("0"))
            tick = policy_of(run).instruments[book_of(run)[0].name_of(expected.get("row", 0))].tick_size
            off_tick = tick is not None and Fraction(expected["printed"]) % Fraction(repr(float(tick))) != 0
            if long == rule.endswith("long") and (off_tick or digits >= DIGITS_OF_NO_QUOTE):
                return True
    return False


def run_quantity(run: dict[str, Any], row: int) -> float:
    """Quantity of a row of a run."""
    return float(book_of(run)[0].quantity[row])


def _reads(run: dict[str, Any], measures: frozenset[str]) -> bool:
    return any(expected["measure"] in measures for expected in run["expected"])


def _lets_in(run: dict[str, Any], rule: str, neighbour: Any) -> bool:
    """Whether the tables of a run fit a rule of tables."""
    policy = policy_of(run)
    tables = [policy.instruments[name].tiers for name in run.get("instruments", {})]
    if rule == "table_units":
        return all(table.is_single_rate or table.unit in neighbour for table in tables)
    if rule == "table_shape":
        if neighbour == "any":
            return True
        return all(table.is_single_rate or table.shape == neighbour for table in tables)
    halved = [facts.get("shape") == "half_of_initial_rate" for facts in run.get("instruments", {}).values()]
    return all(half == (neighbour == "half-of-initial-at-max-leverage") for half in halved)


def _fails(run: dict[str, Any], policy: lc.MarginPolicy, changed: Mapping[str, Any]) -> bool:
    """Whether a run no longer gives its numbers under changed rules."""
    stated = {rule: value for rule, value in run.get("stated", {}).items() if rule not in changed}
    try:
        rules = policy.replace(**changed)
        book, marks = book_of(run)
        prices = {"asset_prices": run["asset_prices"]} if "asset_prices" in run else {}
        changed_policy = policy_of({**run, "stated": stated}, rules)
        if "funding_in_requirement" in changed:
            funded = (
                each if each.funding_rate else replace(each, funding_rate=FUNDING)
                for each in changed_policy.instruments.values()
            )
            changed_policy = changed_policy.with_instruments(list(funded))
        risk = by_engine(book, changed_policy, marks, **prices)
    except LevcoreError:
        return True  # the case is refused
    for expected in run["expected"]:
        try:
            compared(risk, expected).check()
        except (AssertionError, ArithmeticError, LevcoreError):
            return True
    return False


def unheld(lines: list[Line]) -> dict[tuple[str, str], list[Line]]:
    """Values marked ``[V]`` of which a neighbour goes unnoticed, by product and rule.

    A value is held where, for every neighbour, a case of some version that has the value and shares its
    evidence notices.
    """
    claims: dict[tuple[str, str, str, str, str], list[Line]] = {}
    for line in lines:
        if line.mark == "[V]":
            policy = lc.policy(line.policy)
            text = policy.rests_on.about(line.rule)
            key = (policy.name, line.rule, line.value, line.neighbour, text)
            claims.setdefault(key, []).append(line)
    missed: dict[tuple[str, str], list[Line]] = {}
    for key, found in claims.items():
        if not any(line.noticed_by for line in found):
            missed.setdefault(key[:2], []).extend(found)
    return missed


def empty_texts(lines: list[Line]) -> dict[str, str]:
    """Evidence marked ``[V]`` of which no rule at all is noticed, by policy."""
    noticed = {
        (line.policy, lc.policy(line.policy).rests_on.about(line.rule)) for line in lines if line.noticed_by
    }
    shared = {(lc.policy(policy).name, text) for policy, text in noticed}
    return {
        info.id: text
        for info in lc.policies()
        for text in lc.policy(info.id).rests_on.values()
        if text.startswith("[V]") and (info.name, text) not in shared
    }
