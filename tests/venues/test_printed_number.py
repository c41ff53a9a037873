"""Numbers as printed: what their digits say, and when a number of ours agrees with them."""

import math
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levcore.venues.printed_number import (
    agreement,
    inferred_tick,
    printed_number,
    shortest_decimal,
    tick_direction,
)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5930.78", "5930.78", "0.01"),
        ("0.00080", "0.00080", "0.00001"),
        ("-1.06214947", "-1.06214947", "0.00000001"),
        ("30", "30", "1"),
        ("1e3", "1000", "1"),
        # A float64 written out: the noise of a binary sum is no digit.
        ("8259027.0754620004", "8259027.075462", "0.000001"),
        ("3878574.0336500001", "3878574.03365", "0.00001"),
    ],
)
def test_what_a_text_says(text: str, value: str, unit: str) -> None:
    printed = printed_number(text)
    assert (printed.value, printed.unit, printed.text) == (Decimal(value), Decimal(unit), text)


@pytest.mark.parametrize("text", ["", "none", "1,5", "NaN", "Infinity", "0x10"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        printed_number(text)


@pytest.mark.parametrize(
    ("ours", "theirs", "how"),
    [
        (99.62303962, "99.62303962", "nearest"),
        (5930.78355, "5930.78", "nearest"),
        (99.623039625001, "99.62303962", "cut"),
        (-99.623039627, "-99.62303962", "cut"),
        (99.623039613, "99.62303962", "away"),
        (5930.7895, "5930.78", "cut"),
        (5930.7905, "5930.78", None),
        (5930.7695, "5930.78", None),
        (0.0, "0.01", None),
    ],
)
def test_how_a_number_becomes_the_printed_one(ours: float, theirs: str, how: str | None) -> None:
    assert agreement(ours, printed_number(theirs), 0.0) == how


def test_round_off_is_no_difference() -> None:
    printed = printed_number("12608.959083877446")
    assert agreement(12608.95908387746, printed, 2e-11) == "nearest"
    assert agreement(12608.9590838776, printed, 2e-11) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "tick", "direction"),
    [
        (919.097, "919.10", "0.05", "up"),
        (913.1048, "913.15", "0.05", "up"),
        (913.16, "913.15", "0.05", "down"),
        (913.09, "913.15", "0.05", None),
        (913.1048, "913.12", "0.05", None),
    ],
)
def test_ticks(ours: float, theirs: str, tick: str, direction: str | None) -> None:
    assert tick_direction(ours, printed_number(theirs), Decimal(tick)) == direction


def test_a_tick_that_nobody_stated() -> None:
    assert inferred_tick(913.1048, printed_number("913.15")) == Decimal("0.05")
    assert inferred_tick(913.1048, printed_number("950.00")) is None


@given(
    st.decimals(min_value=-1000, max_value=1000, places=6), st.decimals(min_value=0, max_value=10, places=9)
)
def test_shortest_decimal_lies_inside_and_nothing_shorter_does(low: Decimal, width: Decimal) -> None:
    high = low + width
    found = shortest_decimal(low, high)
    assert low <= found <= high
    exponent = found.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if found and exponent < max(abs(low), abs(high)).adjusted():
        coarser = Fraction(10) ** (exponent + 1)
        first, last = Fraction(low) / coarser, Fraction(high) / coarser
        assert math.floor(last) < math.ceil(first)
