"""Other inputs, rules and tables with which a venue's number may have been made, each a case to evaluate."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from levcore.reconciliation.case import Case, single_rate
from levcore.reconciliation.difference import Difference, Reason
from levcore.reconciliation.recover import solve
from levcore.reconciliation.versions import nearest_first
from levcore.rules.policy import MarginPolicy
from levcore.rules.policy_files import policy_names, read_policies
from levcore.rules.tiers import TierTable
from levcore.venues.printed_number import EXACT, agreement, plain

__all__ = ["FINDERS"]

Finder = Callable[[Difference], Iterator[tuple[Reason, Case]]]

PRICE_RULES = ("price", "entry", "mark")
SMALL = 10_000
CUT_TOTAL = Decimal("0.0001")
"""Totals that differ by less are sums of amounts cut to 6 decimals."""


def _other_prices(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Numbers made at another price than the mark: one that the reply prints or another number implies."""
    case, row = difference.case, difference.row
    position = case.positions[row]
    if position.mark_price is None or _is_at_mark(difference):
        return
    for name, price in position.other_prices.items():
        if price > 0:
            text = f"made at {name} {price}; the mark of the reply is {position.mark_price}"
            yield Reason("price", text), case.with_mark(position.instrument, price)
    alone = difference.recovered.alone(row)
    # The profit first: it depends on nothing but prices and size.
    for other in sorted(position.reported, key=lambda each: each.reading != "unrealized_pnl"):
        if other.printed is None or other.reading in ("", difference.number.reading):
            continue
        if difference.recovered.needs_account(row, other.reading):
            continue
        price_found = solve(alone, 0, "mark_price", other.reading, other.printed, exactly=False)
        if price_found is None or price_found <= 0:
            continue
        text = (
            f"made at {price_found:.12g}, the price that {other.field} implies; "
            f"the mark of the reply is {position.mark_price}"
        )
        yield Reason("price", text), case.with_mark(position.instrument, price_found)


def _is_at_mark(difference: Difference) -> bool:
    """Whether value or profit, which depend on no rule, are those at the mark of the reply."""
    evaluation = difference.recovered.evaluation
    return any(
        agreement(
            evaluation.read(each.reading, difference.row),
            each.printed,
            evaluation.slack(each.reading, difference.row),
        )
        is not None
        for each in difference.position.reported
        if each.printed is not None
        and each.reading in ("notional", "unrealized_pnl")
        and each.reading != difference.number.reading
    )


def _other_entry(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Numbers made with the cost of the position, where that is not size times the average price printed."""
    case, row = difference.recovered, difference.row
    position = case.positions[row]
    if position.entry_price is None:
        return
    for other in position.reported:
        if other.printed is None or other.reading not in ("notional_at_entry", "unrealized_pnl"):
            continue
        if other.reading == difference.number.reading:
            continue
        entry = solve(case.alone(row), 0, "entry_price", other.reading, other.printed)
        if entry is not None and entry > 0:
            text = (
                f"made with the entry {entry:.16g}, which {other.field} implies; "
                f"the reply prints {position.entry_price}"
            )
            yield Reason("entry", text), case.with_position(row, entry_price=entry)


def _others_as_printed(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """A cross position's price with the maintenance margins that the venue printed for the others."""
    case, row = difference.recovered, difference.row
    if case.wallet_balance is None or not case.needs_account(row, difference.number.reading):
        return
    moved = case.wallet_balance
    for other, position in enumerate(case.positions):
        if other == row or position.margin_mode != "cross":
            continue
        printed = next(
            (each.printed for each in position.reported if each.reading == "maintenance_margin"), None
        )
        if printed is None:
            return
        ours = Decimal(case.evaluation.read("maintenance_margin", other))
        if not ours.is_finite():
            return
        moved = EXACT.add(moved, EXACT.subtract(ours, printed.value))
    if moved != case.wallet_balance:
        text = "made with the venue's own maintenance margins of the other positions, which differ from ours"
        yield Reason("others", text), replace(case, wallet_balance=moved)


def _other_rules(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Margins on another value, with or without the closing fee."""
    case = difference.case
    mode = case.positions[difference.row].margin_mode
    choices: dict[str, tuple[object, ...]] = {
        f"requirement_basis_{mode}": PRICE_RULES,
        f"initial_margin_basis_{mode}": PRICE_RULES[1:],
        "closing_fee_in_initial_margin": (False, True),
        "closing_fee_in_maintenance_margin": (False, True),
        "bankruptcy_includes_closing_fee": (False, True),
    }
    for rule, values in choices.items():
        current = getattr(case.policy, rule)
        for value in values:
            if value != current:
                text = f"{rule} = {value!r} gives it; {case.policy.id} says {current!r}"
                yield Reason("rule", text), case.with_rules(**{rule: value})


def _other_dates(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Rules and tables of another date, those nearest to the day of the reply first."""
    case = difference.case
    versions = read_policies(case.policy.name) if case.policy.name in policy_names() else ()
    for version in nearest_first(versions, difference.dated):
        if version.id == case.policy.id:
            continue
        other: MarginPolicy = version.replace(**difference.stated)
        yield (
            Reason("date", f"the rules of {version.id} give it; those of {case.policy.id} do not"),
            replace(case, policy=other),
        )
        name = case.positions[difference.row].instrument
        if name in other.instruments:
            tiers = other.instruments[name].tiers
            text = f"the tier table of {version.as_of} gives it, {case.facts[name].tiers_from} does not"
            yield Reason("date", text), case.with_facts(name, tiers=tiers)


def _other_tiers(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Another tier of the same table, and each rate on the whole position."""
    case = difference.case
    name = case.positions[difference.row].instrument
    facts = case.facts[name]
    if facts.tiers is None or len(facts.tiers) == 1:
        return
    for number, (rate, deduction) in enumerate(
        zip(facts.tiers.rates, facts.tiers.deductions, strict=True), 1
    ):
        if deduction:
            text = f"made with tier {number} of {facts.tiers_from}: rate {rate:g}, deduction {deduction:g}"
            yield Reason("tier", text), case.with_facts(name, tiers=one_line(facts.tiers, rate, deduction))
        text = f"made with rate {rate:g} of tier {number} of {facts.tiers_from} on the whole position"
        yield Reason("tier", text), case.with_facts(name, tiers=single_rate(case.policy, rate))


def one_line(table: TierTable, rate: float, deduction: float) -> TierTable:
    """Table that is one tier of `table` wherever that tier asks for more than next to nothing.

    A table must start without a deduction, so that a first tier of a small rate continues to this one.
    """
    exact_rate, exact_deduction = Fraction(repr(rate)), Fraction(repr(deduction))
    first_rate = exact_rate / SMALL
    floor = exact_deduction / (exact_rate - first_rate)
    return TierTable.marginal([(0, first_rate), (floor, exact_rate)], unit=table.unit)


def _highest_leverage(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Initial margin at the highest leverage of the instrument instead of the trader's."""
    case, row = difference.case, difference.row
    position = case.positions[row]
    tiers = case.facts[position.instrument].tiers
    highest = position.max_leverage
    if tiers is not None and tiers.max_leverage:
        highest = Decimal(repr(tiers.max_leverage[0]))
    if highest is None or difference.number.reading != "initial_margin":
        return
    at_highest = case.with_position(row, leverage=highest)
    text = f"taken at the highest leverage, {plain(highest)}"
    yield Reason("leverage", text), at_highest
    yield (
        Reason("leverage", f"{text}, without the closing fee"),
        at_highest.with_rules(closing_fee_in_initial_margin=False),
    )


def _at_bankruptcy(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """Maintenance margin of the value at the bankruptcy price that the reply prints."""
    case, row = difference.case, difference.row
    position = case.positions[row]
    price = position.other_prices.get("bustPrice")
    if not price or difference.number.reading != "maintenance_margin":
        return
    rules = {
        f"requirement_basis_{position.margin_mode}": "price",
        "closing_fee_in_maintenance_margin": False,
    }
    text = f"of the value at bustPrice {price}, without the closing fee"
    yield Reason("rule", text), case.with_rules(**rules).with_mark(position.instrument, price)


def _other_surplus(difference: Difference) -> Iterator[tuple[Reason, Case]]:
    """The venue's own totals of the account instead of the sum of its positions."""
    case, account = difference.recovered, difference.account
    if account is None or account.surplus is None or case.wallet_balance is None:
        return
    evaluation = case.evaluation
    equity = Decimal(evaluation.read("account_equity", 0))
    requirement = Decimal(evaluation.read("account_maintenance_margin", 0))
    if not (equity.is_finite() and requirement.is_finite()):
        return
    ours = EXACT.subtract(equity, requirement)
    moved = EXACT.add(case.wallet_balance, EXACT.subtract(account.surplus, ours))
    text = (
        f"made with the account's totals as printed, equity less maintenance margin {account.surplus}; "
        f"the sum of its positions is {float(ours):.14g}"
    )
    is_rounding = abs(account.surplus - ours) <= CUT_TOTAL
    yield Reason("surplus", text, is_rounding), replace(case, wallet_balance=moved)


FINDERS: tuple[Finder, ...] = (
    _other_prices,
    _other_entry,
    _other_surplus,
    _others_as_printed,
    _other_rules,
    _other_dates,
    _other_tiers,
    _highest_leverage,
    _at_bankruptcy,
)
