"""Constants of a policy that do not depend on a position: factors ``d / (1 - d r)``, thresholds, lines."""

import math
from dataclasses import dataclass

from levcore.compiled import FEE_BASES, KEYS, CompiledInstrument, CompiledPolicy, CompiledRules
from levcore.errors import PolicyError
from levcore.reference.state import Levels, effective_level

__all__ = ["Factors", "Line", "Policy", "Tiers", "prepare"]

FEE_AT_PRICE = FEE_BASES["price"]
FIXED_FEES = (FEE_BASES["entry"], FEE_BASES["bankruptcy"])


@dataclass(frozen=True, slots=True)
class Factors:
    """``d / (1 - d r)`` for both directions d."""

    gaining: float
    losing: float

    def along(self, direction: float) -> float:
        """Factor of a direction."""
        return self.gaining if direction > 0.0 else self.losing


def factors_of(rate: float) -> Factors:
    """Factors of a rate."""
    return Factors(1.0 / (1.0 - rate), -1.0 / (1.0 + rate))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a marginal table, or one tier of a flat one, with what does not depend on the position.

    A line applies above its thresholds: `floor` for the value, `gaining` and `losing` for what a position of
    that direction needs (a losing one with the sign turned).
    """

    floor: float
    gaining: float
    losing: float
    rate: float
    deduction: float
    trigger_deduction: float
    factors: Factors


@dataclass(frozen=True, slots=True)
class Tiers:
    """Lines of an instrument's table; ``key`` is a code of `levcore.compiled.KEYS`."""

    key: int
    lines: tuple[Line, ...]

    @property
    def is_marginal(self) -> bool:
        """Whether the maintenance margin is the largest line."""
        return self.key == KEYS["quote"]


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
    )


def _bankruptcy_fee(rules: CompiledRules) -> float:
    if rules.fee_in_bankruptcy is None:
        return math.nan
    return rules.fee_rate if rules.fee_in_bankruptcy else 0.0


def prepare_tiers(instrument: CompiledInstrument, policy: Policy) -> Tiers:
    """Constants of an instrument's table.

    Raises
    ------
    PolicyError
        For rates that, with the fee and scaled by the liquidation level, reach 1: no price restores such a
        position.
    """
    rules = policy.rules
    price_fee = rules.fee_rate if rules.fee_basis == FEE_AT_PRICE else 0.0
    lines = []
    for floor, rate, deduction in zip(
        instrument.floors, instrument.rates, instrument.deductions, strict=True
    ):
        scaled = (rate + price_fee) * policy.trigger
        if not scaled < 1.0:
            expected = "rate plus closing fee below the liquidation level"
            raise PolicyError("rate", "is outside of its domain", expected, str(rate))
        trigger_deduction = deduction * policy.trigger
        gaining = floor * (1.0 - scaled) + trigger_deduction
        losing = floor * (1.0 + scaled) - trigger_deduction
        lines.append(Line(floor, gaining, losing, rate, deduction, trigger_deduction, factors_of(scaled)))
    return Tiers(instrument.key, tuple(lines))
