"""Why a number of ours and the venue's differ: digits first, then other inputs, rules and tables.

Each alternative is evaluated by the engine; it explains a difference where its number agrees with the printed
digits, or comes so close that nothing else is likely.
"""

import math
from dataclasses import replace

from levcore.reconciliation.alternatives import FINDERS
from levcore.reconciliation.difference import ALMOST, Difference, Reason
from levcore.reconciliation.digits import of_digits, of_inferred_tick, of_return_at_mark, of_unit
from levcore.reconciliation.recover import is_clean_rate, solve

__all__ = ["reason_for"]

CLOSER = 1000.0
"""How much closer than ours an alternative must come that misses the last digits."""
NEVER_ZERO = ("notional", "notional_at_entry", "initial_margin", "maintenance_margin")


def reason_for(difference: Difference) -> Reason | None:
    """First reason that gives the printed digits, else one that comes close; None where there is neither."""
    if not difference.printed.value and difference.number.reading in NEVER_ZERO:
        return Reason("empty", "0 is no such number of an open position: the venue has not filled it in")
    if math.isfinite(difference.ours):
        found = of_digits(difference)
        if found is not None:
            return found
    closest: tuple[float, Reason] | None = None
    for finder in FINDERS:
        for reason, case in finder(difference):
            gap = difference.gap_of(case)
            if gap == 0.0:
                return reason
            if gap < (ALMOST if closest is None else closest[0]):
                closest = gap, reason
    if math.isfinite(difference.ours):
        found = of_return_at_mark(difference) or of_unit(difference) or of_inferred_tick(difference)
        if found is not None:
            return found
    if closest is not None and closest[0] * CLOSER < difference.gap:
        return replace(closest[1], text=f"{closest[1].text}; but for {closest[0]:.0e} of it")
    return _of_rate(difference) if math.isfinite(difference.ours) else None


def _of_rate(difference: Difference) -> Reason | None:
    """The maintenance rate that their margin implies, where it looks like one of a table."""
    case, row = difference.recovered.alone(difference.row), 0
    facts = difference.facts
    if difference.number.reading != "maintenance_margin" or facts.tiers is None:
        return None
    rate = solve(case, row, "maintenance_rate", "maintenance_margin", difference.printed)
    if rate is None or not 0 < rate < 1:
        return None
    value = case.evaluation.read("maintenance_margin", row) / case.evaluation.read("notional", row)
    clean = is_clean_rate(rate)
    text = (
        f"the venue's number is {rate:g} of the value, {facts.tiers_from or 'the table'} makes it {value:.6g}"
        + (": another tier, or a table of another date" if clean else "")
    )
    return Reason("rate" if clean else "", text)
