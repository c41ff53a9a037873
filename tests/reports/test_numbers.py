"""Numbers as reports print them, where a line one off would read as another number."""

import math

import pytest

from levcore.reports.numbers import distance, ratio, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999_950.0, "1 M"),
        (999_600.0, "1 M"),
        (999_400.0, "999 k"),
        (-999_950.0, "-1 M"),
        (999.96, "1 k"),
        (999.4, "999"),
        (999_950_000.0, "1 B"),
        (999_960_000_000.0, "1 T"),
        (0.0, "0"),
    ],
)
def test_a_short_number_never_reads_as_a_thousand_of_its_suffix(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000 %"),
        (-0.0, "0.0000 %"),
        (5e-324, "0.0000 %"),
        (-5e-324, "past"),
        (-1e-9, "past"),
        (0.001, "0.10 %"),
        (math.inf, "∞"),
        (math.nan, "–"),
    ],
)
def test_a_distance_of_zero_is_not_past(value: float, text: str) -> None:
    assert distance(value) == text


@pytest.mark.parametrize(("value", "text"), [(1.0, "100.00 %"), (0.999999, "< 100 %"), (1.00001, "100.00 %")])
def test_a_ratio_below_one_does_not_read_as_one(value: float, text: str) -> None:
    assert ratio(value) == text
