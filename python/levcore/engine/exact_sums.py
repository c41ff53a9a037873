"""Sums that do not depend on the order of their terms."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats

__all__ = ["exact_sums"]


def exact_sums(values: Floats, groups: npt.NDArray[np.int64] | None, count: int) -> Floats:
    """Sum of the values of each group, rounded once: any order, batching or sharding gives the same bits.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    groups : ndarray of int64, shape (n,), optional
        Group of each value, 0 to `count` - 1. Absent: all are of the first.
    count : int
        How many groups.

    Returns
    -------
    ndarray of float64, shape (count,)
        The float64 nearest to the sum in exact numbers, as ``math.fsum`` gives it; 0.0 for a group without
        values. NaN where a value is NaN or both infinities occur; infinite where the sum is too large.
    """
    if groups is None:
        groups = np.zeros(values.size, dtype=np.int64)
    order = np.argsort(groups, kind="stable")
    ends = np.searchsorted(groups[order], np.arange(count + 1))
    ordered = values[order].tolist()
    return np.array([_sum(ordered[ends[code] : ends[code + 1]]) for code in range(count)], dtype=np.float64)


def _sum(terms: list[float]) -> float:
    try:
        return math.fsum(terms)
    except ValueError:  # both infinities
        return math.nan
    except OverflowError:  # of the whole, or of a part that later terms take back
        exact = sum(map(Fraction, terms))
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
