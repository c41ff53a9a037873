"""Comparison of results to the bit, over whole columns at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc

__all__ = ["assert_same_risk", "bits", "same_bits"]


def bits(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Bit patterns of a column, every NaN with the same one; codes stay what they are."""
    if column.dtype != np.float64:
        return column
    # Which NaN an operation gives is the processor's choice; 0.0 and -0.0 stay apart.
    return np.where(np.isnan(column), np.nan, column).view(np.uint64)


def same_bits(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> bool:
    """Whether two columns are equal to the last bit; NaN equals NaN."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if left.dtype != np.float64:
        return np.array_equal(left, right)
    # Most values have the same bits; the few others may be NaN that are made of others, on both sides.
    odd = np.ascontiguousarray(left).view(np.uint64) != np.ascontiguousarray(right).view(np.uint64)
    return not odd.any() or bool(np.isnan(left[odd]).all() and np.isnan(right[odd]).all())


def assert_same_risk(found: lc.BookRisk, expected: lc.BookRisk, context: object = "") -> None:
    """Every measure, state and status of rows, accounts and balances, to the bit."""
    for name in found.keys():  # noqa: SIM118 - a BookRisk is no mapping
        _assert_same(name, found[name], expected[name], found, expected, context)
    for kind in ("accounts", "wallets"):
        ours, theirs = getattr(found, kind), getattr(expected, kind)
        assert ours.ids == theirs.ids
        for name in (*ours.measures, *ours.codes):
            assert same_bits(ours[name], theirs[name]), f"{context}: {kind} {name}: " + _difference(
                ours[name], theirs[name]
            )
    for name, column in found.balances.to_dict().items():
        if name not in ("account", "asset"):
            other = expected.balances.to_dict()[name]
            assert same_bits(column, other), f"{context}: balance {name}: {_difference(column, other)}"


def _assert_same(
    name: str,
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    found: lc.BookRisk,
    expected: lc.BookRisk,
    context: object,
) -> None:
    if same_bits(left, right):
        return
    row = int(np.flatnonzero(bits(left) != bits(right))[0])
    statuses = lc.Status(found.status[row]).name, lc.Status(expected.status[row]).name
    raise AssertionError(f"{context}: {name}: {_difference(left, right)}; statuses {statuses}")


def _difference(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> str:
    if left.shape != right.shape:
        return f"shape {left.shape} instead of {right.shape}"
    rows = np.flatnonzero(bits(left) != bits(right))
    row = int(rows[0])
    return f"{rows.size} rows differ, first {row}: {left[row]!r} instead of {right[row]!r}"
