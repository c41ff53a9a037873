"""Constants of a policy that do not depend on a position: factors ``d / (1 - d r)``, levels."""

import math
from dataclasses import dataclass

from levcore.engine.compiled import CompiledPolicy, CompiledRules
from levcore.reference.codes.state import Levels, effective_level
from levcore.reference.rules.tables import Factors, Scale, factors_of

__all__ = ["Policy", "prepare"]

FEE_AT_PRICE = "price"
FIXED_FEES = ("entry", "bankruptcy")


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules with their constants."""

    rules: CompiledRules
    levels: Levels
    trigger: float
    call_level: float
    has_fixed_fee: bool
    frozen: Factors
    bankruptcy: Factors
    bankruptcy_fee: float
    scale: Scale


def prepare(compiled: CompiledPolicy) -> Policy:
    """Constants of the rules."""
    rules = compiled.rules
    trigger = 1.0 / rules.liquidation_level
    price_fee = rules.fee_rate if rules.fee_basis == FEE_AT_PRICE else 0.0
    call_level = rules.liquidation_level if rules.margin_call_level is None else rules.margin_call_level
    return Policy(
        rules,
        Levels(
            effective_level(rules.warning_level, rules.warning_inclusive),
            effective_level(rules.margin_call_level, rules.margin_call_inclusive),
            effective_level(rules.liquidation_level, rules.liquidation_inclusive),
        ),
        trigger,
        call_level,
        rules.fee_basis in FIXED_FEES,
        factors_of(price_fee * trigger),
        factors_of(_bankruptcy_fee(rules)),
        _bankruptcy_fee(rules),
        Scale(price_fee, trigger),
    )


def _bankruptcy_fee(rules: CompiledRules) -> float:
    if rules.fee_in_bankruptcy is None:
        return math.nan
    return rules.fee_rate if rules.fee_in_bankruptcy else 0.0
