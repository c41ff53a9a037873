"""Explanation of the verdict: equity, ratio, state, account, and the prices at which it changes."""

import math
from collections.abc import Iterator

from levcore.explanation.row import Row
from levcore.explanation.steps import Step, number_text
from levcore.reference.formulas import contract, liquidation, margin
from levcore.reference.rules.tables import Growing
from levcore.status import FIRST_FAILURE, AccountStatus, State, Status

__all__ = ["account_steps", "equity_steps", "level_steps", "price_steps", "verdict_step"]

n = number_text
LEGS_SHOWN = 20
"""Legs of an account that are listed; the sums are over all of them."""


def equity_steps(row: Row) -> Iterator[Step]:
    """Equity and ratio of an isolated position."""
    p, part = row.position, "equity and ratio"
    if p.status == Status.FLAT:
        held = f"{n(p.isolated_margin)} + {n(p.funding)}"
        yield Step("equity", "isolated_margin + accrued_funding", held, p.equity, "", part)
        yield Step("margin_ratio", "nothing is required", "", p.margin_ratio, "", part)
        return
    yield Step("equity", "cash + unrealized_pnl", f"{n(p.cash)} + {n(p.unrealized_pnl)}", p.equity, "", part)
    yield ratio_step(row, p.requirement, p.equity, p.margin_ratio, part)


def ratio_step(row: Row, requirement: float, equity: float, ratio: float, part: str) -> Step:
    """Margin ratio of a position or an account."""
    formula, numbers = "requirement / equity", f"{n(requirement)} / {n(equity)}"
    if not equity > 0.0:
        formula, numbers = "no equity is left" if ratio else "nothing is required", ""
    return Step("margin_ratio", formula, numbers, ratio, row.evidence("ratio"), part)


def level_steps(row: Row, ratio: float) -> Iterator[Step]:
    """Thresholds of the policy, and the state they give."""
    levels, part = row.constants.levels, "state"
    named = (
        ("warning_level", levels.warning),
        ("margin_call_level", levels.margin_call),
        ("liquidation_level", levels.liquidation),
    )
    for rule, threshold in named:
        level = getattr(row.policy, rule)
        if level is None:
            yield Step(rule, "", "", "unknown, not compared with", row.evidence(rule), part)
            continue
        sign = ">=" if getattr(row.policy, f"{rule}_inclusive") else ">"
        verdict = "reached" if ratio >= threshold else "not reached"
        yield Step(rule, f"margin_ratio {sign} {n(level)}", "", verdict, row.evidence(rule), part)


def account_steps(row: Row) -> Iterator[Step]:
    """Legs and sums of a cross account, and the verdict on it."""
    sums, verdict, policy = row.replay.sums[0], row.replay.verdicts[0], row.constants
    count, part = len(row.rows), f"account {row.book.account_ids[0]}"
    legs = [row.replay.legs[place][0] for place in range(count)]
    yield from leg_steps(row, part)
    wallet = float(row.book.wallet_balance[0])
    status = AccountStatus(verdict.status)
    formula = f"sum over {count} cross leg" + ("s" if count != 1 else "")
    # A sum begins with 0.0; the terms alone give the same bits.
    columns = (
        ("sum of profits", sums.profit, [leg.unrealized_pnl + leg.funding for leg in legs]),
        ("sum of requirements", sums.requirement, [leg.requirement for leg in legs]),
        ("sum of initial margins", sums.initial_margin, [leg.initial_margin for leg in legs]),
        ("sum of maintenance", sums.maintenance_margin, [leg.maintenance_margin for leg in legs]),
    )
    for name, value, terms in columns:
        numbers = " + ".join(map(n, terms)) if count <= LEGS_SHOWN else ""
        yield Step(name, formula, numbers, value, "", part)
    if status != AccountStatus.OK:
        yield verdict_step(row, status, verdict.state, part)
        return
    _, initial, _, free, ratio, call = verdict.measures[:6]
    yield Step(
        "equity", "wallet_balance + profits", f"{n(wallet)} + {n(sums.profit)}", verdict.equity, "", part
    )
    numbers = f"{n(verdict.equity)} - {n(initial)}"
    if math.isnan(initial):
        yield Step("free margin", "none without leverages", "", free, "", part)
    else:
        yield Step("free margin", "equity - initial margins", numbers, free, "", part)
    yield ratio_step(row, sums.requirement, verdict.equity, ratio, part)
    surplus = f"{n(verdict.equity)} - " + row.at_level(n(sums.requirement))
    formula = "equity - " + row.at_level("requirements")
    yield Step("surplus", formula, surplus, verdict.surplus, "", part)
    level = n(policy.call_level)
    numbers = f"max({n(sums.requirement)} / {level} - {n(verdict.equity)}, 0)"
    yield Step("margin_call_amount", f"max(requirements / {level} - equity, 0)", numbers, call, "", part)


def verdict_step(row: Row, status: AccountStatus, state: int, part: str) -> Step:
    """Why an account could not be judged."""
    by_wallet = status in (AccountStatus.MIXED_SETTLEMENT, AccountStatus.MISSING_WALLET_CURRENCY)
    rule = row.evidence("cross_wallet") if by_wallet else ""
    return Step("verdict", status.describe(), "", f"{status.word}, {State(state).word}", rule, part)


def leg_steps(row: Row, part: str) -> Iterator[Step]:
    """Each leg by name, this row marked, legs that failed first if there are many."""
    places = list(range(len(row.rows)))
    if len(places) > LEGS_SHOWN:
        failed = [place for place in places if row.replay.legs[place][0].status >= FIRST_FAILURE]
        shown = sorted({*failed[:LEGS_SHOWN], row.place, *places[: LEGS_SHOWN - len(failed[:LEGS_SHOWN])]})
        places = shown
    for place in places:
        leg = row.replay.legs[place][0]
        name, status = row.book.name_of(place), Status(leg.status)
        text = f"{name}, quantity {n(leg.quantity)}"
        if status >= FIRST_FAILURE:
            value = f"{status.word}: {status.describe()}"
        else:
            profit = leg.unrealized_pnl + leg.funding
            value = f"profit {n(profit)}, requirement {n(leg.requirement)}"
        this = ", this row" if place == row.place else ""
        yield Step(f"leg in row {row.rows[place]}", text + this, "", value, "", part)
    left_out = len(row.rows) - len(places)
    if left_out:
        yield Step("legs not listed", "", "", str(left_out), "", part)


def price_steps(row: Row) -> Iterator[Step]:
    """Liquidation and bankruptcy price, distance and leverage."""
    yield from needed_steps(row)
    yield from zero_steps(row)
    yield from bankruptcy_steps(row)
    p, part = row.position, "room"
    mark = row.marked.mark
    if math.isnan(p.liquidation_price):
        formula, numbers = "no price, so no end to the room", ""
        if p.distance_to_liquidation < 0.0:
            formula = "no price, and the position is past liquidation"
    else:
        formula = "(toward * (mark_price - liquidation_price)) * (1 / mark_price)"
        toward = 1.0 if p.liquidation_price == p.liquidation_price_lower else -1.0
        numbers = f"({n(toward)} * ({n(mark)} - {n(p.liquidation_price)})) * (1 / {n(mark)})"
    yield Step("distance_to_liquidation", formula, numbers, p.distance_to_liquidation, "", part)
    formula, numbers = "V / equity", f"{n(p.value)} / {n(p.equity)}"
    if not p.equity > 0.0:
        formula, numbers = "no equity is left", ""
    yield Step("effective_leverage", formula, numbers, p.effective_leverage, "", part)


def needed_steps(row: Row) -> Iterator[Step]:
    """What the position's value must cover, with all that does not move with its own price."""
    p, part = row.position, "liquidation price"
    frozen = row.requirement_basis != "price"
    fixed = row.fees.fixed
    d = n(p.direction)
    fee, held = row.at_level(n(p.fixed_fee)), row.at_level(n(p.maintenance))
    fee_word, held_word = row.at_level("closing fee"), row.at_level("maintenance")
    if not row.is_cross:
        formula, numbers = "d * V0 - cash", f"{d} * {n(p.entry_value)} - {n(p.cash)}"
        if fixed:
            formula, numbers = f"{formula} + {fee_word}", f"{numbers} + {fee}"
        if frozen:
            formula, numbers = f"{formula} + {held_word}", f"{numbers} + {held}"
        yield Step("needed", formula, numbers, p.needed, "", part)
        return
    formula, numbers = row.at_level("requirement"), row.at_level(n(p.requirement))
    if fixed:
        formula, numbers = f"{formula} - {fee_word}", f"{numbers} - {fee}"
    if frozen:
        formula, numbers = f"{formula} - {held_word}", f"{numbers} - {held}"
    released, surplus = row.replay.legs[row.place][1], row.replay.verdicts[0].surplus
    yield Step("released", f"{formula}, of this leg alone", numbers, released, "", part)
    numbers = f"{d} * {n(p.value)} - ({n(surplus)} + {n(released)})"
    yield Step("needed", "d * V - (surplus + released)", numbers, p.needed, "", part)


def zero_steps(row: Row) -> Iterator[Step]:
    """Value and price at which equity falls to the requirement of the tier that applies there."""
    p, part = row.position, "liquidation price"
    if row.table.growing is not None and row.requirement_basis == "price":
        yield from growing_zero_steps(row, row.table.growing, part)
    else:
        yield from line_zero_steps(row, part)
    yield priced(row, "liquidation_price", "V*", p.liquidation_value, p.liquidation_price, part)
    yield rounding_step(row, part)


def rounding_step(row: Row, part: str) -> Step:
    """How the venue rounds what it shows."""
    rule = f"price_rounding_{'long' if row.position.quantity > 0.0 else 'short'}"
    rounding = getattr(row.policy, rule)
    return Step(
        "rounding of the venue",
        "to the tick; levcore does not round",
        "",
        rounding,
        row.evidence(rule),
        part,
    )


def growing_zero_steps(row: Row, growing: Growing, part: str) -> Iterator[Step]:
    """Value at which equity falls to a requirement whose rate grows with the size."""
    p, d, needed = row.position, n(row.position.direction), n(row.position.needed)
    rule = row.evidence(f"requirement_basis_{row.mode}")
    rate, slope = n(growing.scaled_rate), n(growing.scaled_slope)
    charged = row.at_level("(rate + fee rate)" if row.fees.basis == "price" else "rate")
    if not growing.by_value:
        there = margin.growing_rate(growing.scaled_rate, growing.scaled_slope, p.size)
        formula = f"{charged} + {row.at_level('slope')} * n"
        yield Step("rate there", formula, f"{rate} + {slope} * {n(p.size)}", there, rule, part)
        formula, numbers = "needed * d / (1 - d * rate there)", f"{needed} * ({d} / (1 - {d} * {n(there)}))"
        yield Step("value V* there", formula, numbers, p.liquidation_value, "", part)
        return
    gap = 1.0 - p.direction * growing.scaled_rate
    yield Step("gap", f"1 - d * {charged}", f"1 - {d} * {rate}", gap, rule, part)
    square = gap * gap - 4.0 * growing.scaled_slope * p.needed
    formula = f"gap * gap - 4 * {row.at_level('slope')} * needed"
    numbers = f"{n(gap)} * {n(gap)} - 4 * {slope} * {needed}"
    yield Step("discriminant", formula, numbers, square, "", part)
    formula = "d * 2 * needed / (gap + sqrt(discriminant))"
    numbers = f"{d} * (2 * {needed}) / ({n(gap)} + sqrt({n(square)}))"
    if not square >= 0.0:
        formula, numbers = "none: no value meets the requirement", ""
    elif p.liquidation_value == growing.far_value_at_zero(p.needed, p.direction):
        # Of two zeros the one that is met first.
        formula = f"(gap + sqrt(discriminant)) / (2 * {row.at_level('slope')})"
        numbers = f"({n(gap)} + sqrt({n(square)})) / (2 * {slope})"
    yield Step("value V* there", formula, numbers, p.liquidation_value, "", part)


def line_zero_steps(row: Row, part: str) -> Iterator[Step]:
    """The same by the line that applies there, or by a requirement that is frozen."""
    p, policy = row.position, row.constants
    rules, frozen = policy.rules, row.requirement_basis != "price"
    line = None if frozen else p.liquidation_line
    rate, factor, deduction = "0", row.fees.frozen.along(p.direction), 0.0
    if line is not None:
        rate, factor = n(line.rate), line.factors.along(p.direction)
        deduction = line.trigger_deduction
        yield from chosen_steps(row, part)
    if row.fees.basis == "price":
        rate = f"({rate} + {n(rules.fee_rate)})" if line is not None else n(rules.fee_rate)
    rate = row.at_level(rate)
    sign, minus = ("1", "-") if p.direction > 0.0 else ("-1", "+")
    rule = row.evidence(f"requirement_basis_{row.mode}")
    charged = "rate + fee rate" if row.fees.basis == "price" else "rate"
    charged = row.at_level(f"({charged})" if " " in charged else charged)
    yield Step(
        "factor", f"{sign} / (1 {minus} {charged})", f"{sign} / (1 {minus} {rate})", factor, rule, part
    )
    deducted = " - " + row.at_level("deduction") if line is not None and row.table.is_of_lines else ""
    numbers = (
        f"({n(p.needed)} - {n(deduction)}) * {n(factor)}" if deducted else f"{n(p.needed)} * {n(factor)}"
    )
    yield Step("value V* there", f"(needed{deducted}) * factor", numbers, p.liquidation_value, "", part)


def chosen_steps(row: Row, part: str) -> Iterator[Step]:
    """Why this tier is the one at the liquidation price."""
    p, line = row.position, row.position.liquidation_line
    assert line is not None
    lines = row.table.lines_of(p.size)
    number = lines.index(line) + 1
    if not row.table.is_of_lines:
        key = "risk_limit" if math.isfinite(p.risk_limit) else "abs(quantity)"
        yield Step("tier there", f"that of {key}, at every price", "", f"tier {number}", "", part)
        return
    gaining = p.direction > 0.0
    word = "needed" if gaining else "-needed"
    bounds = [line.gaining if gaining else line.losing for line in lines]
    chosen = (
        "it is not above the second tier's threshold" if number == 1 else f"{word} > {n(bounds[number - 1])}"
    )
    if 1 < number < len(bounds):
        chosen += f" and not > {n(bounds[number])}"
    if len(bounds) == 1:
        chosen = "the only one"
    yield Step("tier there", chosen, "", f"tier {number}", "", part)


def bankruptcy_steps(row: Row) -> Iterator[Step]:
    """Price at which equity is zero."""
    p, policy, part = row.position, row.constants, "bankruptcy price"
    rule = row.evidence("bankruptcy_includes_closing_fee")
    factor = row.fees.bankruptcy.along(p.direction)
    if math.isnan(factor):
        formula = "whether it leaves room for the closing fee is unknown"
        yield Step("bankruptcy_price", formula, "", p.bankruptcy_price, rule, part)
        return
    d = n(p.direction)
    formula, numbers = "d * V0 - cash", f"{d} * {n(p.entry_value)} - {n(p.cash)}"
    if row.is_cross:
        formula, numbers = "d * V - equity", f"{d} * {n(p.value)} - {n(p.equity)}"
    yield Step("needed for zero equity", formula, numbers, p.bankruptcy_needed, "", part)
    value = liquidation.value_at_zero(p.bankruptcy_needed, 0.0, factor)
    inside = ", with the closing fee" if policy.rules.fee_in_bankruptcy else ""
    numbers = f"{n(p.bankruptcy_needed)} * {n(factor)}"
    yield Step("value there", f"needed * factor{inside}", numbers, value, rule, part)
    yield priced(row, "bankruptcy_price", "value", value, p.bankruptcy_price, part)


def priced(row: Row, name: str, word: str, value: float, price: float, part: str) -> Step:
    """Price that belongs to a value of the position, or why there is none."""
    p, i = row.position, row.instrument
    if math.isnan(price):
        reason = "the price leaves the range of float64" if value > 0.0 else f"{word} is not positive"
        return Step(name, f"none: {reason}", "", price, "", part)
    if contract.is_inverse(i):
        return Step(name, f"n / {word}", f"{n(p.size)} / {n(value)}", price, "", part)
    numbers = f"{n(value)} * (1 / ({n(p.size)} * {n(i.multiplier)}))"
    return Step(name, f"{word} * (1 / (n * multiplier))", numbers, price, "", part)
