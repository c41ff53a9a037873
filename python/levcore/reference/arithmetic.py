"""Division as IEEE 754 has it; Python's own raises where the divisor is zero."""

import math

__all__ = ["divide"]


def divide(dividend: float, divisor: float) -> float:
    """Quotient; infinite or NaN for a zero divisor."""
    try:
        return dividend / divisor
    except ZeroDivisionError:
        if dividend == 0.0 or dividend != dividend:
            return math.nan
        return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)
