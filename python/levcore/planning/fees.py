"""Fees of a plan: those chosen, never assumed."""

import math
from dataclasses import dataclass

from levcore.errors import UnknownRuleError
from levcore.planning.question import Question
from levcore.rules.policy import MarginPolicy
from levcore.rules.terms import UNKNOWN

__all__ = ["PlanFees", "with_plan_fees"]


@dataclass(frozen=True, slots=True)
class PlanFees:
    """Fractions of value; NaN where nobody chose or stated them.

    Parameters
    ----------
    taker : float
        Of opening and of closing.
    liquidation : float
        Of a close by the venue; the taker's where it is not known for the product.
    told : str
        Rates with their source, or why there are none.
    """

    taker: float
    liquidation: float
    told: str


def with_plan_fees(policy: MarginPolicy, question: Question) -> tuple[MarginPolicy, PlanFees]:
    """Policy with the fees that the question chooses, and these; a policy without any says so."""
    if question.fees is None:
        return policy, PlanFees(math.nan, math.nan, "not chosen: --fees regular, or your rate")
    if question.fees == "regular":
        try:
            policy = policy.with_fees("regular")
        except UnknownRuleError as error:
            return policy, PlanFees(math.nan, math.nan, str(error))
        fees = policy.fees
        assert fees is not None
        taker = math.nan if fees.taker is None else fees.taker
        told = f"{fees.tier}, {fees.as_of}, {'secondary: ' if fees.secondary else ''}{fees.source}"
        if fees.liquidation_fee is None:
            return policy, PlanFees(taker, taker, f"liquidation: not stated, taker's taken; {told}")
        return policy, PlanFees(taker, fees.liquidation_fee, told)
    rate = float(question.fees)
    if policy.closing_fee_is == "taker" and policy.closing_fee_rate == UNKNOWN:
        policy = policy.replace(closing_fee_rate=rate)
    return policy, PlanFees(rate, rate, "stated by you")
