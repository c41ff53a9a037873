"""A plan under one policy, part by part; what cannot be answered says why and stops nothing else."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from levcore.engine.leverage_limits import leverage_of_tiers
from levcore.errors import LevcoreError, UnknownRuleError
from levcore.planning.contract import contract_of
from levcore.planning.desk import AT_ONCE, Desk
from levcore.planning.fees import with_plan_fees
from levcore.planning.points import points_of, values_of
from levcore.planning.quantities import size_for_budget
from levcore.planning.question import Question
from levcore.planning.survival import survivable_leverage
from levcore.planning.venue import Mode, Rung, VenuePlan
from levcore.rules.policy import MarginPolicy
from levcore.rules.terms import UNKNOWN
from levcore.status import FIRST_FAILURE, Status

__all__ = ["LADDER", "venue_plan"]

LADDER = (2.0, 3.0, 5.0, 10.0, 25.0, 50.0, 100.0)


def venue_plan(question: Question, policy: MarginPolicy) -> VenuePlan:
    """Answer `question` under `policy` as far as its rules go."""
    policy, fees = with_plan_fees(policy, question)
    owes = policy.owes(question.mode)
    because = policy.unknown.about("trader_owes") or "not stated"
    if owes != UNKNOWN:
        because = policy.rests_on.about(f"trader_owes_{question.mode}")
    plan = VenuePlan(question, policy, fees, None, owes=owes, owes_because=because)
    try:
        contract = contract_of(policy, question.symbol)
    except LevcoreError as error:
        return replace(plan, refused=f"no such contract: {error}")
    plan = replace(plan, contract=contract, break_even=_break_even(question, fees.taker))
    if question.mode == "cross" and contract.instrument.isolated_only:
        return replace(plan, refused=f"{contract.instrument.name} is listed for isolated margin alone")
    try:
        desk = Desk(question, policy, contract)
    except UnknownRuleError as error:
        refused = str(error).removeprefix(f"{policy.id}: ")
        valuing = Desk(question, _any_rules(policy), contract)
        if not valuing.is_valued:
            return replace(plan, refused=f"{refused}; {valuing.status.describe()}")
        return replace(plan, refused=refused, **_valued(valuing, plan))
    if not desk.is_valued:
        limit = f"; {contract.limit}" if contract.limit and desk.status == Status.TIER_OVERFLOW else ""
        return replace(plan, refused=desk.status.describe() + limit)
    return replace(plan, desk=desk, **_judged(desk, plan))


def _any_rules(policy: MarginPolicy) -> MarginPolicy:
    """Policy with some rule wherever one is unknown, for values and profits, which depend on none."""
    stand_ins = {
        "requirement_basis_isolated": "price",
        "requirement_basis_cross": "price",
        "initial_margin_basis_isolated": "entry",
        "initial_margin_basis_cross": "entry",
        "closing_fee_basis": "none",
        "closing_fee_basis_cross": "same",
        "closing_fee_reserved": "same",
        "closing_fee_rate": 0.0,
        "closing_fee_bankruptcy_cross": "none",
        "closing_fee_in_initial_margin": False,
        "closing_fee_in_maintenance_margin": False,
        "bankruptcy_includes_closing_fee": False,
        "initial_margin_rule": "leverage",
        "funding_in_requirement": "none",
    }
    return policy.replace(**stand_ins)


def _valued(desk: Desk, plan: VenuePlan) -> dict[str, Any]:
    """What can be said where the rules do not suffice for a margin: values, profits, fees."""
    told: dict[str, Any] = {"value": desk.at_entry.value}
    told["points"], told["why_not"] = values_of(desk, plan.fees)
    if desk.question.margin is not None or desk.question.cross:
        told["at_stake"] = desk.question.wallet if desk.question.cross else desk.question.margin
    if desk.question.budget is not None:
        told |= _for_budget(desk, plan.fees.taker, told["why_not"])
    return told


def _judged(desk: Desk, plan: VenuePlan) -> dict[str, Any]:
    asked, fees = desk.question, plan.fees
    points, why_not = points_of(desk, fees)
    entry = desk.at_entry
    told: dict[str, Any] = {
        "value": entry.value,
        "margin": entry.equity if asked.margin is not None else entry.initial_margin,
        "at_stake": asked.wallet if asked.cross else entry.equity,
        "maximum_leverage": _maximum_leverage(desk),
        "points": points,
    }
    told |= _restored(desk, points.get("margin call") or points.get("your call"))
    if asked.stop is not None:
        trigger, is_adverse = desk.liquidation, asked.sign * (asked.entry - asked.stop) > 0
        told["liquidated_before_stop"] = is_adverse and asked.sign * (trigger - asked.stop) >= 0
    if asked.budget is not None:
        told |= _for_budget(desk, fees.taker, why_not)
    told |= _daily(desk, why_not)
    # A ladder is of isolated positions, whatever the question's own mode is.
    alone = _isolated(desk, why_not)
    if alone is not None:
        told["ladder"] = _ladder(alone)
        if asked.move is not None:
            told["survivable_leverage"] = float(survivable_leverage(alone.engine, alone.book, asked.move)[0])
    told["other_mode"] = _other_mode(desk, why_not)
    told["why_not"] = why_not
    return told


def _break_even(asked: Question, taker: float) -> float:
    """Price at which the profit pays both fees: the same for linear and inverse contracts."""
    return asked.entry * (1 + asked.sign * taker) / (1 - asked.sign * taker)


def _maximum_leverage(desk: Desk) -> float:
    """Of the tier that the position opens in; NaN where the table states none."""
    instrument = desk.contract.instrument
    tiers = instrument.tiers if desk.question.sign > 0 else instrument.short_tiers or instrument.tiers
    contracts, value = np.array([abs(desk.quantity)]), np.array([desk.at_entry.value])
    # Of a table that goes by a chosen limit, the smallest that holds the position.
    return float(leverage_of_tiers(tiers, contracts, value, value, instrument.contract_size)[0])


def _restored(desk: Desk, point: Any) -> dict[str, float]:
    """Deposit, or fraction to close, that bring the position at a call back to its initial margin."""
    if point is None or desk.question.leverage is None:
        return {}
    look = desk.at(point.price)
    return {
        "deposit": max(0.0, look.initial_margin - look.equity),
        "reduction": max(0.0, 1 - look.equity / look.initial_margin),
    }


def _for_budget(desk: Desk, taker: float, why_not: dict[str, str]) -> dict[str, float]:
    asked = desk.question
    if asked.stop is None:
        why_not["size for the budget"] = "needs a stop"
        return {}
    rate = 0.0 if math.isnan(taker) else taker
    marks = {desk.name: asked.entry}
    contracts = abs(
        float(size_for_budget(desk.engine, desk.book, marks, [asked.stop], asked.budget or math.nan, rate)[0])
    )
    if math.isnan(contracts):
        why_not["size for the budget"] = "the stop loses nothing: it is on the side of profit"
    elif math.isnan(taker):
        why_not["fees of the size"] = "no fees are in it, since none are chosen"
    size = desk.contract.base_units(contracts, asked.entry)
    return {"size_for_budget": size, "contracts_for_budget": contracts}


def _daily(desk: Desk, why_not: dict[str, str]) -> dict[str, float]:
    asked = desk.question
    if asked.funding_a_day is None:
        why_not["funding"] = "not asked for: it changes every few hours (--funding RATE a day)"
        return {}
    # A positive rate is paid by longs to shorts.
    cost = asked.sign * asked.funding_a_day * desk.at_entry.value
    return {"cost_a_day": cost, "days": desk.days_to_liquidation(cost)}


def _isolated(desk: Desk, why_not: dict[str, str]) -> Desk | None:
    if not desk.question.cross:
        return desk
    leverage = desk.question.leverage or 1.0
    try:
        asked = replace(desk.question, cross=False, leverage=leverage)
        return Desk(asked, desk.policy, desk.contract)
    except LevcoreError as error:
        why_not["ladder"] = str(error)
        return None


def _ladder(desk: Desk) -> tuple[Rung, ...]:
    risk, highest = desk.with_leverages(LADDER), _maximum_leverage(desk)
    rungs = []
    for row, leverage in enumerate(LADDER):
        status = Status(risk.status[row])
        margin, price = float(risk.equity[row]), float(risk.liquidation_price[row])
        if status == Status.ALREADY_LIQUIDATABLE:
            rungs.append(_rung(leverage, highest, margin, math.nan, desk, AT_ONCE))
            continue
        known = status < FIRST_FAILURE and math.isfinite(price) and price > 0
        told = "" if known else status.name.lower().replace("_", " ")
        rungs.append(_rung(leverage, highest, margin, price if known else math.nan, desk, told))
    return tuple(rungs)


def _rung(leverage: float, highest: float, margin: float, price: float, desk: Desk, told: str) -> Rung:
    allowed = None if math.isnan(highest) else leverage <= highest
    loss = -desk.at(price).pnl if price == price else math.nan
    move = price / desk.question.entry - 1
    return Rung(leverage, allowed, margin, price, move, loss, told)


def _other_mode(desk: Desk, why_not: dict[str, str]) -> Mode | None:
    try:
        other = desk.in_other_mode()
    except LevcoreError as error:
        why_not["other mode"] = str(error)
        return None
    if other is None:
        needed = "--leverage" if desk.question.cross else "--wallet, the balance that would stand behind it"
        why_not["other mode"] = f"needs {needed}"
        return None
    asked, price = other.question, other.liquidation
    stake = asked.wallet if asked.cross else other.at_entry.equity
    told = "" if math.isfinite(price) else f"no price of liquidation ({other.status.name.lower()})"
    if other.status == Status.ALREADY_LIQUIDATABLE:
        told = AT_ONCE
    return Mode(asked.mode, price, price / asked.entry - 1, stake or math.nan, told)
