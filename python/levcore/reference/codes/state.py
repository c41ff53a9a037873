"""How close a position or an account is to liquidation, by the thresholds of a policy."""

import math
from dataclasses import dataclass

from levcore.status import State

__all__ = ["Levels", "effective_level", "state_of"]


def effective_level(level: float | None, inclusive: bool) -> float:
    """Threshold to compare with ``>=``; NaN, which no ratio reaches, where there is none."""
    if level is None:
        return math.nan
    return level if inclusive else math.nextafter(level, math.inf)


@dataclass(frozen=True, slots=True)
class Levels:
    """Thresholds ready for comparison with ``>=``."""

    warning: float
    margin_call: float
    liquidation: float


def state_of(margin_ratio: float, levels: Levels) -> int:
    """State that belongs to a margin ratio; an infinite ratio means that no equity is left."""
    state = State.HEALTHY
    if margin_ratio >= levels.warning:
        state = State.WARNING
    if margin_ratio >= levels.margin_call:
        state = State.MARGIN_CALL
    if margin_ratio >= levels.liquidation:
        state = State.LIQUIDATION
    if margin_ratio == math.inf:
        state = State.BANKRUPT
    return state
