"""Liquidation and bankruptcy: zeros of a minimum of lines in the position's value.

Along the price of its own instrument the equity is ``A + d V``; with the requirement ``max_k (r_k V - c_k)`` the zero of the
surplus is ``d * max_k ((y - c_k) * f_k)`` with ``y = -A`` and ``f_k = 1 / (1 - d r_k)``.
"""

import math

__all__ = ["candidate", "distance", "price_or_none"]


def candidate(
    needed: float, deduction: float, direction: float, gaining_factor: float, losing_factor: float
) -> float:
    """Candidate of one line: ``(needed - deduction) * factor``."""
    return (needed - deduction) * (gaining_factor if direction > 0.0 else losing_factor)


def price_or_none(value: float, price: float) -> float:
    """A price, or NaN where the value is not positive or the price leaves the range of float64."""
    return price if value > 0.0 and 0.0 < price < math.inf else math.nan


def distance(side: float, mark: float, price: float, reciprocal_mark: float) -> float:
    """Room to liquidation as a fraction of the mark: ``side * (mark - price) * (1 / mark)``."""
    return (side * (mark - price)) * reciprocal_mark
