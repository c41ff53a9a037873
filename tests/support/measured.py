"""How far results are from exact numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from support.budgets import UNIT
from support.oracle import Number

__all__ = ["NEAR", "Measured", "near"]

NEAR = 64 * UNIT
"""So close to a threshold, in units of the scale, rounding may decide which side a number falls on."""


@dataclass
class Measured:
    """Largest error of each measure, in units of its scale; how many decisions were too close to call."""

    errors: dict[str, float] = field(default_factory=dict)
    decided: int = 0
    undecided: int = 0

    def note(self, measure: str, found: float, exact: Number) -> None:
        """Compare one number; infinities and absent ones must be exactly that."""
        if exact.value is None:
            assert math.isnan(found), (measure, found)
        elif isinstance(exact.value, float):
            assert found == exact.value, (measure, found, exact.value)
        else:
            assert math.isfinite(found), (measure, found, float(exact.value))
            error = abs(Fraction(found) - exact.value)
            units = float(error / exact.scale) / UNIT if error else 0.0
            self.errors[measure] = max(self.errors.get(measure, 0.0), units)


def near(left: Fraction, right: Fraction, scale: Fraction) -> bool:
    return abs(left - right) <= Fraction(NEAR) * scale
