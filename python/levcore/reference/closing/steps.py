"""How much of a position a step of a liquidation closes."""

from dataclasses import dataclass

__all__ = ["MOST_STEPS", "StepRule", "step_quantity"]

MOST_STEPS = 1_000
"""Steps after which what is still to be liquidated is closed whole."""


@dataclass(frozen=True, slots=True)
class StepRule:
    """A rule by its name, with its numbers; see the core."""

    step: str
    share: float
    whole_up_to: float
    least: float


def step_quantity(rule: StepRule, quantity: float, value: float, keep: float, everything: bool) -> float:
    """Contracts that are closed: a share of the value or its least, or what is beyond `keep`; at most all."""
    some = quantity
    if rule.step == "share" and value > rule.whole_up_to:
        share = rule.share * value
        aimed = share if share > rule.least else rule.least
        some = quantity * (aimed / value)
    elif rule.step == "tiers":
        some = quantity - keep
    return quantity if everything or not 0 < some < quantity else some
