"""How many contracts stay where a liquidation goes down in tiers."""

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["contracts_to_keep"]

BELOW = 1.0 - 2.0**-50
"""What is kept is this much less than the cap of the lower tier, so that rounding does not leave it above."""


def contracts_to_keep(floors: Sequence[float], key: float, quantity: float, tiers: int) -> float:
    """Contracts with which a position stands so many tiers lower, 0: in the lowest; 0 where it cannot."""
    tier = max(bisect_left(floors, key) - 1, 0)
    lower = tier - tiers if tiers else 0
    if tier == 0 or lower < 0:
        return 0.0
    return quantity * (floors[lower + 1] / key) * BELOW
