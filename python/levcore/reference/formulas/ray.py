"""Zeros of a concave surplus along a ray of prices, by Newton's method from outside.

The surplus of an account along a ray is a sum of minima of lines (and, for rates that grow with the size, of
concave parabolas), so it is concave and has at most two zeros. A step goes to the zero of the line that
decides at the current place; from a place where the surplus is negative the steps never pass the zero, and on
lines they end on it.
"""

import math
from collections.abc import Callable

__all__ = ["Line", "lower_zero", "upper_zero"]

Line = tuple[float, float]
"""Value at 0 and slope of a line."""
STEPS = 200
DOUBLINGS = 1_100


def lower_zero(line_at: Callable[[float], Line], now: Line, highest: float, smooth: bool) -> float:
    """Place in (0, highest) where the surplus rises through zero; NaN if there is none.

    `line_at` gives the line that touches the surplus at a place, `now` is the one at the place 1; `smooth`
    says that it is not made of lines alone, so that the place 0 may have none.
    """
    place = _beyond_the_tangent(now, 1.0)
    if not place > 0.0:
        place = _outside(line_at, 0.5) if smooth else 0.0
        if place == 0.0 and not line_at(0.0)[0] < 0.0:
            return math.nan
    for _ in range(STEPS):
        if math.isnan(place):
            return math.nan
        start, slope = line_at(place)
        if not slope > 0.0:
            return math.nan
        following = -start / slope
        if not following > place:
            return place
        if not following < highest:
            return math.nan
        place = following
    return place


def upper_zero(line_at: Callable[[float], Line], now: Line, highest: float, smooth: bool) -> float:
    """Place in (0, highest) where the surplus falls through zero; NaN if there is none."""
    place = _beyond_the_tangent(now, -1.0)
    if not place < highest:
        place = _upper_start(line_at, highest, smooth)
    for _ in range(STEPS):
        if not place > 0.0:
            return math.nan
        start, slope = line_at(place)
        if not slope < 0.0:
            return math.nan
        following = -start / slope
        if not following < place:
            return place
        place = following
    return place


def _beyond_the_tangent(now: Line, sign: float) -> float:
    """Zero of the line that touches at the place 1 and is positive there, if it lies on this side.

    No zero on that side is farther in. NaN where the line rises or falls the other way.
    """
    start, slope = now
    return -start / slope if start + slope > 0.0 and sign * slope > 0.0 else math.nan


def _upper_start(line_at: Callable[[float], Line], highest: float, smooth: bool) -> float:
    """Place beyond the upper zero; NaN if there is none."""
    if highest < math.inf:
        start, slope = line_at(highest)
        return highest if start + _product(slope, highest) < 0.0 else math.nan
    if smooth:
        return _outside(line_at, 2.0)
    start, slope = line_at(math.inf)
    return -start / slope if slope < 0.0 else math.nan


def _outside(line_at: Callable[[float], Line], factor: float) -> float:
    """First place of 1, factor, factor squared ... beyond all zeros; NaN if there is none.

    There the surplus is negative and falls outwards: where it falls inwards, zeros may lie farther out.
    """
    place = 1.0
    for _ in range(DOUBLINGS):
        start, slope = line_at(place)
        if start + _product(slope, place) < 0.0 and slope * (factor - 1.0) < 0.0:
            return place
        place *= factor
        if not 0.0 < place < math.inf:
            break
    return math.nan


def _product(slope: float, place: float) -> float:
    """Rise of a line up to a place; 0 at the place 0, also of an infinite slope."""
    return 0.0 if place == 0.0 else slope * place
