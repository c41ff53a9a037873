"""Sums that are rounded only when they are shown, so that parts of a book add up to the bits of the whole."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from levcore._levcore import exact_wholes
from levcore.book.arrays import Floats

__all__ = ["ExactTotal", "exact_totals"]

UNITS_OF_ONE = 1 << 1074
"""How many of the smallest positive float64 make 1."""


@dataclass(frozen=True, slots=True)
class ExactTotal:
    """A sum of float64 without rounding; the core's ``ExactSum`` as numbers of Python, which pickle.

    Parameters
    ----------
    whole : int
        Sum of what is finite, in units of ``2**-1074``, of which every float64 is a whole number.
    not_finite : float
        Plain sum of what is not; 0 where all was finite.
    """

    whole: int = 0
    not_finite: float = 0.0

    def __add__(self, other: "ExactTotal") -> "ExactTotal":
        """Sum of both, exact as well."""
        return ExactTotal(self.whole + other.whole, self.not_finite + other.not_finite)

    def __float__(self) -> float:
        """The sum rounded to nearest, ties to even: the bits of ``exact_sums``; infinite beyond the range."""
        if self.not_finite != 0.0:
            return math.nan if math.isnan(self.not_finite) else self.not_finite
        try:
            # Python rounds the quotient of two integers once.
            return self.whole / UNITS_OF_ONE
        except OverflowError:
            return math.inf if self.whole > 0 else -math.inf


def exact_totals(values: Floats, groups: npt.NDArray[np.integer] | None, count: int) -> list[ExactTotal]:
    """Exact sums by group; what has a negative group is left out, without `groups` all are of group 0."""
    wholes = exact_wholes(values, None if groups is None else groups.astype(np.int64, copy=False), count)
    return [
        ExactTotal(int.from_bytes(whole, "little", signed=True), not_finite) for whole, not_finite in wholes
    ]
