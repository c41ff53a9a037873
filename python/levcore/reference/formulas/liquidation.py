"""Liquidation and bankruptcy: zeros of a minimum of lines in the position's value.

Along the price of its own instrument the equity is ``A + d V``; with the requirement ``max_k (r_k V - c_k)``
the zero of the surplus is ``(y - c_k) * f_k`` with ``y = -A`` and ``f_k = d / (1 - d r_k)``, on the line that
``y`` selects. Where the rate grows with the value, ``r + s V``, it is ``2 d y / (g + sqrt(g^2 - 4 s y))``
with ``g = 1 - d r``: the zero on the side where the position loses, as the root that does not subtract. A
position that gains as its value rises has a second one, ``(g + sqrt(g^2 - 4 s y)) / (2 s)``, beyond which its
requirement grows faster than its profit.
"""

import math

from levcore.reference.arithmetic import divide

__all__ = [
    "distance",
    "far_value_at_zero_of_growing",
    "is_nearer_above",
    "price_or_none",
    "value_at_zero",
    "value_at_zero_of_growing",
]


def value_at_zero(needed: float, deduction: float, factor: float) -> float:
    """Value of the position at which its surplus is zero: ``(needed - deduction) * factor``."""
    return (needed - deduction) * factor


def value_at_zero_of_growing(needed: float, direction: float, rate: float, slope: float) -> float:
    """The same where the rate grows with the value; NaN where no value has a surplus."""
    gap = 1.0 - direction * rate
    square = gap * gap - 4.0 * slope * needed
    root = math.sqrt(square) if square >= 0.0 else math.nan
    return divide(direction * (2.0 * needed), gap + root)


def far_value_at_zero_of_growing(needed: float, rate: float, slope: float) -> float:
    """The other zero, of a position that gains with its value: its requirement outgrows its profit."""
    gap = 1.0 - rate
    square = gap * gap - 4.0 * slope * needed
    root = math.sqrt(square) if square >= 0.0 else math.nan
    return divide(gap + root, 2.0 * slope)


def price_or_none(price: float) -> float:
    """A price, or NaN where it is not positive, as at a value that is not, or leaves the range of float64."""
    return price if 0.0 < price < math.inf else math.nan


def is_nearer_above(mark: float, lower: float, upper: float) -> bool:
    """Whether of two prices, either of which may be NaN, the one above is met first."""
    return math.isnan(lower) or abs(mark - lower) > abs(upper - mark)


def distance(side: float, mark: float, price: float, reciprocal_mark: float) -> float:
    """Room to liquidation as a fraction of the mark: ``side * (mark - price) * (1 / mark)``."""
    return (side * (mark - price)) * reciprocal_mark
