"""Prices that matter to a position, and what closing it there costs."""

import math
from collections.abc import Iterator

from levcore.planning.desk import Desk, Look
from levcore.planning.fees import PlanFees
from levcore.planning.venue import Point
from levcore.rules.policy import MarginPolicy

__all__ = ["NO_CALL", "points_of", "values_of"]

NO_CALL = "this venue makes none"
LEVELS = {"warning": "warning_level", "margin call": "margin_call_level"}


def points_of(desk: Desk, fees: PlanFees) -> tuple[dict[str, Point], dict[str, str]]:
    """Points by name, and why those without a price have none."""
    found: dict[str, Point] = {}
    missing: dict[str, str] = {}
    for name, price, reason in _prices(desk):
        if math.isfinite(price) and price > 0:
            found[name] = _point(desk, fees, name, price)
        else:
            missing[name] = reason
    _add_end(desk, fees, found, missing)
    return found, missing


def values_of(desk: Desk, fees: PlanFees) -> tuple[dict[str, Point], dict[str, str]]:
    """Points that need no margin, with the loss there undivided, since no price of liquidation is known."""
    asked, found, missing = desk.question, {}, {"liquidation": "not known"}
    prices = {"stop": asked.stop, "move": None if asked.move is None else asked.entry * (1 + asked.move)}
    for name, price in prices.items():
        if price is not None:
            look = desk.at(price)
            paid = fees.taker * (desk.at_entry.value + look.value)
            left = math.nan if asked.wallet is None or not asked.cross else asked.wallet + look.pnl
            found[name] = Point(name, price, price / asked.entry - 1, -look.pnl, 0.0, paid, left)
    return found, missing


def _prices(desk: Desk) -> Iterator[tuple[str, float, str]]:
    """Name, price (NaN: none) and the reason of a missing one."""
    asked, policy = desk.question, desk.policy
    for name, rule in LEVELS.items():
        level = getattr(policy, rule)
        if level is None:
            yield name, math.nan, _without_level(policy, rule)
        else:
            yield name, desk.price_at(level), desk.without_liquidation
    if asked.call_at is not None:
        yield "your call", desk.price_at(asked.call_at), desk.without_liquidation
    yield "liquidation", desk.liquidation, desk.without_liquidation
    yield "bankruptcy", desk.bankruptcy, _no_bankruptcy(policy)
    if asked.stop is not None:
        yield "stop", asked.stop, ""
    if asked.move is not None:
        yield "move", asked.entry * (1 + asked.move), ""
    if asked.gap is not None:
        yield "gap", desk.liquidation * (1 - asked.sign * asked.gap), desk.without_liquidation


def _without_level(policy: MarginPolicy, rule: str) -> str:
    reason = policy.unknown.about(rule)
    if rule == "margin_call_level" and reason.startswith("none"):
        return f"{NO_CALL}: {reason}"
    return reason if reason.startswith("not stated") else f"not stated: {reason}"


def _no_bankruptcy(policy: MarginPolicy) -> str:
    reason = policy.unknown.about("bankruptcy_includes_closing_fee")
    return f"not stated: {reason}" if reason else "no such price"


def _point(desk: Desk, fees: PlanFees, name: str, price: float) -> Point:
    look, asked = desk.at(price), desk.question
    trigger = desk.liquidation
    is_past = asked.sign * (trigger - price) > 0
    loss = -look.pnl
    to_trigger = -desk.at(trigger).pnl if is_past else loss
    # From the trigger on it is the venue that closes.
    closing = fees.liquidation if is_past or name == "liquidation" else fees.taker
    paid = fees.taker * desk.at_entry.value + closing * look.value
    return Point(name, price, price / asked.entry - 1, to_trigger, loss - to_trigger, paid, _left(desk, look))


def _left(desk: Desk, look: Look) -> float:
    """Equity before fees: what is at stake, and the profit since entry."""
    stake = desk.question.wallet if desk.question.cross else desk.at_entry.equity
    return (math.nan if stake is None else stake) + look.pnl


def _add_end(desk: Desk, fees: PlanFees, found: dict[str, Point], missing: dict[str, str]) -> None:
    """Point at a price of zero, where the loss there ends; for the other side there is no end."""
    asked, inverse = desk.question, desk.contract.instrument.payoff == "inverse"
    if (asked.sign > 0) == inverse:
        missing["zero"] = "without bound: the loss of this side grows with every further move"
        return
    value = desk.at_entry.value
    trigger = -desk.at(desk.liquidation).pnl if math.isfinite(desk.liquidation) else value
    price, move = (math.inf, math.inf) if inverse else (0.0, -1.0)
    stake = asked.wallet if asked.cross else desk.at_entry.equity
    left = (math.nan if stake is None else stake) - value
    found["zero"] = Point("zero", price, move, trigger, value - trigger, fees.taker * value, left)
