"""Differences of digits: cut, moved to a tick, within the last digit of an input, or in another unit."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from levcore.reconciliation.case import Case
from levcore.reconciliation.difference import Difference, Reason
from levcore.venues.printed_number import EXACT, agreement, inferred_tick, tick_direction

__all__ = ["of_digits", "of_inferred_tick", "of_return_at_mark", "of_unit"]

PERCENT_DIGITS = 3
"""Significant digits from which on a factor between two numbers is no accident."""
SMALLEST_TICK = -8


def of_digits(difference: Difference) -> Reason | None:
    """Rounding at the last digit, to the tick, of an input, or before a sum."""
    return _of_digits(difference) or _of_input_digits(difference) or _of_cut_sum(difference)


def of_unit(difference: Difference) -> Reason | None:
    """Percent against fraction, contracts against base units, the other sign."""
    if len(difference.printed.value.normalize().as_tuple().digits) < PERCENT_DIGITS:
        return None
    facts = difference.facts
    factors = {"percent against a fraction": Decimal(100), "the other sign": Decimal(-1)}
    if facts.contract_size not in (None, Decimal(1)):
        assert facts.contract_size is not None
        factors["contracts against base units"] = facts.contract_size
    for text, factor in factors.items():
        for scaled in (float(factor), float(1 / factor)):
            number = difference.ours * scaled
            if agreement(number, difference.printed, abs(number) * 1e-14) is not None:
                return Reason("unit", f"{text}: {scaled:g} times ours")
    return None


def of_return_at_mark(difference: Difference) -> Reason | None:
    """Return over the margin of the value at the mark instead of that at entry."""
    if not difference.number.reading.startswith("return_on_equity"):
        return None
    evaluation, row = difference.recovered.evaluation, difference.row
    value = evaluation.read("notional", row)
    if not value:
        return None
    number = difference.ours * evaluation.read("notional_at_entry", row) / value
    if agreement(number, difference.printed, difference.slack) is None:
        return None
    return Reason("rule", "over the initial margin of the value at the mark instead of that at entry")


def of_inferred_tick(difference: Difference) -> Reason | None:
    """One tick off, or rounded to the tick, where nobody stated the tick."""
    if not difference.number.reading.endswith("_price"):
        return None
    for exponent in range(0, SMALLEST_TICK - 1, -1):
        reason = _of_whole_ticks(difference, Decimal(1).scaleb(exponent), " (not stated: inferred)")
        if reason is not None:
            return reason
    tick = inferred_tick(difference.ours, difference.printed)
    if tick is None:
        return None
    direction = tick_direction(difference.ours, difference.printed, tick)
    return Reason("tick", f"rounded {direction}, if the tick is {tick} (state it with the instruments)", True)


def _of_digits(difference: Difference) -> Reason | None:
    """Cut or rounded away at the last digit, or moved to the tick."""
    slack = difference.slack
    how = agreement(difference.ours, difference.printed, slack)
    unit = difference.printed.unit
    if how == "cut":
        return Reason("cut", f"cut to {unit:f}", True)
    if how == "away":
        return Reason("cut", f"rounded away from zero to {unit:f}", True)
    tick = _tick(difference)
    if tick is None:
        return None
    direction = tick_direction(difference.ours, difference.printed, tick)
    if direction:
        return Reason("tick", f"rounded {direction} to the tick of {tick}", True)
    return _of_whole_ticks(difference, tick, "")


def _tick(difference: Difference) -> Decimal | None:
    facts = difference.facts
    if not difference.number.reading.endswith("_price") or facts.tick_size is None:
        return None
    return Decimal(repr(facts.tick_size))


def _of_whole_ticks(difference: Difference, tick: Decimal, doubt: str) -> Reason | None:
    gap = EXACT.subtract(difference.printed.value, Decimal(difference.ours))
    steps = (gap / tick).to_integral_value()
    slack = difference.slack
    room = max(difference.printed.unit, Decimal(slack))
    if abs(steps) != 1 or abs(gap - steps * tick) > max(room, tick * Decimal("1e-6")):
        return None
    side = "above" if steps > 0 else "below"
    return Reason(
        "tick", f"one tick of {tick}{doubt} {side} the formula's price; no source states that as a rule"
    )


def _of_input_digits(difference: Difference) -> Reason | None:
    """Within what the last printed digit of an input leaves open."""
    case, row = difference.recovered, difference.row
    position = case.positions[row]
    inputs: list[tuple[str, Decimal, Callable[[Decimal], Case]]] = []
    for name, unit in position.units.items():
        value: Decimal | None = getattr(position, name)
        if value is not None:
            inputs.append((name, unit, _shifted(case, row, name, value)))
    if difference.account is not None and difference.account.unit and case.wallet_balance is not None:
        balance = case.wallet_balance
        inputs.append(
            (
                "wallet_balance",
                difference.account.unit,
                lambda step: replace(case, wallet_balance=EXACT.add(balance, step)),
            )
        )
    for name, unit, shifted in inputs:
        ends = [shifted(step).evaluation.read(difference.number.reading, row) for step in (-unit, unit)]
        if not all(math.isfinite(end) for end in ends):
            continue
        low, high = sorted(Decimal(end) for end in ends)
        half = difference.printed.unit / 2
        if low - half <= difference.printed.value <= high + half and low < high:
            share = (difference.printed.value - Decimal(ends[0])) / (Decimal(ends[1]) - Decimal(ends[0]))
            if _is_pinned(difference, shifted((2 * share - 1) * unit)):
                continue
            text = f"{name} is printed to {unit:f}, which leaves {_short(high - low)} open here"
            return Reason("input digits", text, True)
    return None


def _is_pinned(difference: Difference, moved: Case) -> bool:
    """Whether the digits of another number say that an input cannot be what this one needs."""
    before, row = difference.recovered.evaluation, difference.row
    for other in difference.position.reported:
        if other.printed is None or other.reading in ("", difference.number.reading):
            continue
        numbers = before.read(other.reading, row), moved.evaluation.read(other.reading, row)
        if not all(map(math.isfinite, numbers)) or numbers[0] == numbers[1]:
            continue
        agree = [agreement(ours, other.printed, before.slack(other.reading, row)) for ours in numbers]
        if agree[0] and not agree[1]:
            return True
    return False


def _shifted(case: Case, row: int, name: str, value: Decimal) -> Callable[[Decimal], Case]:
    return lambda step: case.with_position(row, **{name: EXACT.add(value, step)})


def _of_cut_sum(difference: Difference) -> Reason | None:
    """Sum of the positions' margins, each cut first."""
    measure = difference.number.reading.removeprefix("account_")
    if not difference.number.reading.startswith("account_") or "margin" not in measure:
        return None
    total = difference.recovered.evaluation.cut_sum(measure)
    if not total.is_finite() or abs(total - difference.printed.value) > difference.printed.unit / 2:
        return None
    return Reason("sum", "the sum of the positions' numbers, each cut to 6 decimals", True)


def _short(number: Decimal) -> str:
    return f"{float(number):.3g}"
