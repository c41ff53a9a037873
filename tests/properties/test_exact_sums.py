"""Exact sums by group: the bits of `math.fsum`, in any order, and what they say of numbers that are none."""

import math
import pickle
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from levcore import errors
from levcore._levcore import exact_sums
from levcore.engine.exact_total import ExactTotal, exact_totals

Floats = npt.NDArray[np.float64]

FINITE = st.floats(allow_nan=False, allow_infinity=False)
MODERATE = st.floats(-1e12, 1e12)


def total(numbers: list[float]) -> float:
    """Sum of one group."""
    return float(exact_sums(np.array(numbers, dtype=np.float64), None, 1)[0])


def rounded_once(numbers: list[float]) -> float:
    """The sum in fractions, as a float; infinite beyond their range."""
    exact = sum(map(Fraction, numbers), Fraction())
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def bits(numbers: Floats) -> bytes:
    """Bit patterns."""
    return numbers.tobytes()


@given(st.lists(MODERATE | FINITE))
def test_a_sum_is_rounded_once(numbers: list[float]) -> None:
    assert total(numbers) == rounded_once(numbers)


@given(st.lists(MODERATE))
def test_a_sum_is_that_of_fsum(numbers: list[float]) -> None:
    found = total(numbers)
    assert found == math.fsum(numbers)
    assert math.copysign(1.0, found) == math.copysign(1.0, math.fsum(numbers))


@given(st.data())
def test_groups_are_summed_apart_in_any_order(data: st.DataObject) -> None:
    rows, count = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 6))
    values = data.draw(arrays.arrays(np.float64, rows, elements=MODERATE))
    groups = data.draw(arrays.arrays(np.int64, rows, elements=st.integers(-2, count - 1)))
    found = exact_sums(values, groups, count)
    assert found.dtype == np.float64
    assert bits(found) == bits(
        np.array([math.fsum(values[groups == group].tolist()) for group in range(count)])
    )
    order = np.array(data.draw(st.permutations(range(rows))), dtype=np.intp)
    assert bits(exact_sums(values[order], groups[order], count)) == bits(found)


def test_a_large_column_is_summed_as_fsum_does() -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=200_000) * 10.0 ** random.integers(-200, 200, 200_000)
    assert total(values.tolist()) == math.fsum(values.tolist())
    assert np.sum(values) != math.fsum(values.tolist())


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1.0, math.nan], math.nan),
        ([math.inf, -math.inf], math.nan),
        ([math.inf, -1e308], math.inf),
        ([-math.inf, 1.0], -math.inf),
        ([1e308, 1e308], math.inf),
        # Only the result may leave the range of float64.
        ([1e308, 1e308, -1e308], 1e308),
        ([-0.0], 0.0),
    ],
)
def test_what_is_no_number(numbers: list[float], expected: float) -> None:
    np.testing.assert_array_equal(total(numbers), expected)


def test_a_group_without_values_has_the_sum_zero() -> None:
    values, groups = np.array([math.nan, 2.0, 3.0]), np.array([-1, 1, 1])
    assert exact_sums(values, groups, 3).tolist() == [0.0, 5.0, 0.0]
    assert exact_sums(np.empty(0), None, 2).tolist() == [0.0, 0.0]


def test_codes_outside_of_the_table_and_columns_of_another_length_are_refused() -> None:
    with pytest.raises(errors.InputError, match="groups") as refused:
        exact_sums(np.ones(3), np.array([0, 1, 2]), 2)
    assert refused.value.row == 2
    with pytest.raises(errors.ShapeError, match="groups"):
        exact_sums(np.ones(3), np.array([0, 1]), 2)
    with pytest.raises(errors.InputError, match="values"):
        exact_sums(np.ones(6)[::2], None, 1)


@given(st.lists(st.floats() | FINITE), st.integers(0, 60))
def test_parts_add_up_to_the_bits_of_the_whole(numbers: list[float], cut: int) -> None:
    values = np.array(numbers, dtype=np.float64)
    (one,), (other,) = exact_totals(values[:cut], None, 1), exact_totals(values[cut:], None, 1)
    found = pickle.loads(pickle.dumps(one + other))
    assert bits(np.array([float(found)])) == bits(exact_sums(values, None, 1))


@given(st.data())
def test_parts_of_groups_add_up_as_well(data: st.DataObject) -> None:
    rows, count = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 6))
    values = data.draw(arrays.arrays(np.float64, rows, elements=FINITE))
    groups = data.draw(arrays.arrays(np.int64, rows, elements=st.integers(-2, count - 1)))
    cut = data.draw(st.integers(0, rows))
    sums = [ExactTotal()] * count
    for part in (slice(0, cut), slice(cut, rows)):
        sums = [
            sum_ + own
            for sum_, own in zip(sums, exact_totals(values[part], groups[part], count), strict=True)
        ]
    assert bits(np.array(list(map(float, sums)))) == bits(exact_sums(values, groups, count))


def test_a_total_outside_of_the_range_comes_back_in_another_part() -> None:
    (large,) = exact_totals(np.array([1e308, 1e308]), None, 1)
    (small,) = exact_totals(np.array([-1e308, 5e-324]), None, 1)
    assert (float(large), float(large + small)) == (math.inf, 1e308)
    assert float(ExactTotal() + ExactTotal()) == 0.0
    assert float(exact_totals(np.array([-1e308, -1e308]), None, 1)[0]) == -math.inf
