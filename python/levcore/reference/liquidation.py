"""Liquidation and bankruptcy: zeros of a minimum of lines in the position's value.

Along the price of its own instrument the equity is ``A + d V``; with the requirement ``max_k (r_k V - c_k)``
the zero of the surplus is ``(y - c_k) * f_k`` with ``y = -A`` and ``f_k = d / (1 - d r_k)``, on the line that
``y`` selects.
"""

import math

__all__ = ["distance", "price_or_none", "value_at_zero"]


def value_at_zero(needed: float, deduction: float, factor: float) -> float:
    """Value of the position at which its surplus is zero: ``(needed - deduction) * factor``."""
    return (needed - deduction) * factor


def price_or_none(value: float, price: float) -> float:
    """A price, or NaN where the value is not positive or the price leaves the range of float64."""
    return price if value > 0.0 and 0.0 < price < math.inf else math.nan


def distance(side: float, mark: float, price: float, reciprocal_mark: float) -> float:
    """Room to liquidation as a fraction of the mark: ``side * (mark - price) * (1 / mark)``."""
    return (side * (mark - price)) * reciprocal_mark
