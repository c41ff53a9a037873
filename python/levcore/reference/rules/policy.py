"""Constants of a policy that do not depend on a position: factors ``d / (1 - d r)``, levels."""

import math
from dataclasses import dataclass

from levcore.engine.compiled import CompiledPolicy, CompiledRules
from levcore.reference.codes.state import Levels, effective_level
from levcore.reference.rules.tables import Factors, Scale, factors_of

__all__ = ["Policy", "prepare"]

AT_PRICE = FEE_AT_PRICE = "price"
MOVING_FEES = ("none", "price")


@dataclass(frozen=True, slots=True)
class Fees:
    """The closing fee of a margin mode, with the factors that follow from it.

    `fixed` says that it is an amount that does not move with the price, `price_fee` is what does.
    """

    basis: str
    rate: float
    fixed: bool
    price_fee: float
    frozen: Factors
    bankruptcy: Factors
    bankruptcy_fee: float


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules with their constants."""

    rules: CompiledRules
    levels: Levels
    trigger: float
    call_level: float
    isolated_fees: Fees
    cross_fees: Fees
    scale: Scale

    @property
    def grouping(self) -> str:
        """The rule that says which legs stand in one group."""
        rules = self.rules
        return rules.hedge_rule_initial if rules.hedge_rule == "sum" else rules.hedge_rule

    def fees(self, cross: bool) -> Fees:
        """Closing fees of a margin mode."""
        return self.cross_fees if cross else self.isolated_fees


def prepare(compiled: CompiledPolicy) -> Policy:
    """Constants of the rules."""
    rules = compiled.rules
    trigger = 1.0 / rules.liquidation_level
    isolated_fees = _fees(rules, rules.fee_basis_isolated, trigger)
    cross_fees = _fees(rules, rules.fee_basis_cross, trigger)
    moving = isolated_fees if rules.requirement_isolated == AT_PRICE else cross_fees
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
        isolated_fees,
        cross_fees,
        Scale(moving.price_fee, trigger),
    )


def _fees(rules: CompiledRules, basis: str, trigger: float) -> Fees:
    price_fee = rules.fee_rate if basis == FEE_AT_PRICE else 0.0
    bankruptcy_fee = _bankruptcy_fee(rules, basis)
    return Fees(
        basis,
        rules.fee_rate,
        basis not in MOVING_FEES,
        price_fee,
        factors_of(price_fee * trigger),
        factors_of(bankruptcy_fee),
        bankruptcy_fee,
    )


def _bankruptcy_fee(rules: CompiledRules, basis: str) -> float:
    if basis == "none":
        return 0.0
    if rules.fee_in_bankruptcy is None:
        return math.nan
    return rules.fee_rate if rules.fee_in_bankruptcy else 0.0
