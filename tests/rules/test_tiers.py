"""Tier tables: what they accept, what they derive, what they refuse and how they say it."""

import math
import pickle
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from levcore.errors import TierError
from levcore.rules.tiers import Tier, TierTable

EXACT_TIERS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 80)), min_size=1, max_size=12).map(
    lambda steps: [
        (sum(step for step, _ in steps[:index]), Fraction(sum(rate for _, rate in steps[: index + 1]), 1000))
        for index in range(len(steps))
    ]
)


def marginal_sum(tiers: list[tuple[int, Fraction]], value: Fraction) -> Fraction:
    """Maintenance margin as the sum over the parts of the value in each tier."""
    floors = [floor for floor, _ in tiers] + [math.inf]
    total = Fraction(0)
    for index, (floor, rate) in enumerate(tiers):
        upper = floors[index + 1]
        part = (value if value <= upper else Fraction(upper)) - floor
        total += rate * max(part, Fraction(0))
    return total


@given(EXACT_TIERS, st.integers(1, 10**10))
def test_derived_deductions_make_the_maximum_of_lines_the_marginal_sum(
    tiers: list[tuple[int, Fraction]], value: int
) -> None:
    table = TierTable.marginal([(floor, rate) for floor, rate in tiers], unit="quote")
    lines = max(
        rate * value - deduction for rate, deduction in zip(table.rates, table.deductions, strict=True)
    )
    assert lines == pytest.approx(float(marginal_sum(tiers, Fraction(value))), rel=1e-12, abs=1e-6)


@given(EXACT_TIERS)
def test_derived_deductions_are_the_nearest_float_to_the_exact_ones(
    tiers: list[tuple[int, Fraction]],
) -> None:
    table = TierTable.marginal(tiers, unit="quote")
    for (floor, rate), deduction in zip(tiers, table.deductions, strict=True):
        assert deduction == float(rate * floor - marginal_sum(tiers, Fraction(floor)))


def test_the_three_spellings_of_a_row_and_all_kinds_of_numbers_agree() -> None:
    expected = TierTable.marginal([(0, "0.004", None, 125), (50_000, "0.005", None, 100)], unit="quote")
    assert expected.deductions == (0.0, 50.0)
    assert expected.max_leverage == (125.0, 100.0)
    assert expected == TierTable.marginal(
        [Tier(0, Decimal("0.004"), max_leverage=125), Tier(5e4, 0.005, 50, np.int64(100))], unit="quote"
    )
    assert expected == TierTable.marginal(
        [
            {"floor": "0", "rate": Fraction(1, 250), "max_leverage": "125"},
            {"floor": "5e4", "rate": np.float64(0.005), "deduction": "50.0", "max_leverage": 100.0},
        ],
        unit="quote",
    )


def test_a_deduction_with_round_off_is_kept_and_a_wrong_one_refused() -> None:
    near = 50.0 * (1 + 5e-10)
    assert TierTable.marginal([(0, 0.004), (50_000, 0.005, near)], unit="quote").deductions == (0.0, near)
    with pytest.raises(TierError) as caught:
        TierTable.marginal(
            [(0, "0.004"), (50_000, "0.005", "50"), (250_000, "0.01", "1200")],
            unit="quote",
            instrument="BTCUSDT",
        )
    error = caught.value
    assert (error.instrument, error.tier, error.column) == ("BTCUSDT", 3, "deduction")
    assert (error.expected, error.found) == ("1300", "1200")
    assert "BTCUSDT" in str(error)
    assert "tier 3" in str(error)


def test_round_trip_of_errors_and_tables_through_pickle() -> None:
    table = TierTable.flat([(0, 0.01), (100, 0.02)], unit="contracts", cap=500)
    assert pickle.loads(pickle.dumps(table)) == table
    assert hash(pickle.loads(pickle.dumps(table))) == hash(table)
    error = TierError("X", 2, "must rise", "> 1", "0", "floor")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_single_rate_has_no_bounds_and_so_no_unit() -> None:
    table = TierTable.single_rate(0.005, 100)
    assert table.is_single_rate
    assert (table.rates, table.deductions, table.cap, table.max_leverage) == (
        (0.005,),
        (0.0,),
        math.inf,
        (100.0,),
    )
    assert not TierTable.marginal([(0, 0.005)], unit="quote", cap=1e6).is_single_rate


def test_half_of_the_initial_rate_at_the_highest_leverage() -> None:
    table = TierTable.half_of_initial_rate([(0, 25), (100_000_000, 15)])
    assert table.rates == (0.02, 1 / 30)
    assert table.deductions == (0.0, float(Fraction(10**8) * (Fraction(1, 30) - Fraction(1, 50))))


@given(EXACT_TIERS, st.integers(1, 10**10), st.integers(1, 10**8))
def test_a_minimum_is_the_larger_of_itself_and_the_table(
    tiers: list[tuple[int, Fraction]], value: int, minimum: int
) -> None:
    table = TierTable.marginal([(floor, rate) for floor, rate in tiers], unit="quote").with_minimum(minimum)
    lines = max(
        rate * value - deduction for rate, deduction in zip(table.rates, table.deductions, strict=True)
    )
    expected = max(float(marginal_sum(tiers, Fraction(value))), minimum)
    assert lines == pytest.approx(expected, rel=1e-12, abs=1e-6)
    assert table.rates[0] == 0
    assert table.deductions[0] == -minimum


def test_a_minimum_may_swallow_the_first_tiers_and_keeps_leverages() -> None:
    rows = [(0, "0.01", None, 50), (1_000, "0.02", None, 25), (5_000, "0.05", None, 10)]
    table = TierTable.marginal(rows, unit="quote", cap=10_000).with_minimum(30)
    # 30 is what the second tier asks for at 2,000.
    assert table.floors == (0.0, 2_000.0, 5_000.0)
    assert table.rates == (0.0, 0.02, 0.05)
    assert table.deductions == (-30.0, 10.0, 160.0)
    assert table.max_leverage == (25.0, 25.0, 10.0)
    assert table.cap == 10_000.0


def test_a_growing_table_has_one_rate_a_slope_and_a_cap() -> None:
    table = TierTable.growing("0.02", "0.000005", cap=40_000, max_leverage=50)
    assert (table.shape, table.unit, table.rates, table.slope) == ("growing", "base", (0.02,), 5e-06)
    assert (table.cap, table.max_leverage) == (40_000.0, (50.0,))
    assert not TierTable.growing("0.02", "0.000005").is_single_rate
    assert pickle.loads(pickle.dumps(table)) == table


@pytest.mark.parametrize("cap", ["9223372036854775807", "9223372036854776000", 2**63 - 1, math.inf, "inf"])
def test_sentinel_caps_mean_that_there_is_no_cap(cap: str | float) -> None:
    assert TierTable.marginal([(0, 0.01, 0, 10, cap)], unit="quote").cap == math.inf


def test_caps_are_the_borders_of_tables_of_contracts_with_their_gap_of_one() -> None:
    rows = [(0, "0.02", None, None, 20_000), (20_001, "0.03", None, None, 42_000)]
    table = TierTable.flat(rows, unit="contracts")
    assert table.floors == (0.0, 20_000.0)
    assert table.cap == 42_000.0
    with pytest.raises(TierError, match="must be the cap of the tier below; expected 20000, found 20001"):
        TierTable.flat(rows, unit="risk_limit")


REFUSED: dict[str, tuple[Callable[[], TierTable], str, str]] = {
    "a rate keyed by value on the whole position": (
        lambda: TierTable.flat([(0, 0.01)], unit="quote"),
        "unit",
        "flat rate must not be keyed by value",
    ),
    "a marginal table keyed by contracts": (
        lambda: TierTable.marginal([(0, 0.01)], unit="contracts"),
        "unit",
        "must fit a marginal table",
    ),
    "no tiers": (lambda: TierTable.marginal([], unit="quote"), "", "must not be empty"),
    "a first floor above 0": (
        lambda: TierTable.marginal([(1, 0.01)], unit="quote"),
        "floor",
        "must be 0 in the first tier",
    ),
    "floors that fall": (
        lambda: TierTable.flat([(0, 0.01), (9, 0.02), (5, 0.03)], unit="contracts"),
        "floor",
        "must rise",
    ),
    "a gap between cap and floor": (
        lambda: TierTable.marginal([(0, 0.01, None, None, 5), (6, 0.02)], unit="quote"),
        "floor",
        "must be the cap",
    ),
    "a cap below the last floor": (
        lambda: TierTable.marginal([(0, 0.01), (9, 0.02)], unit="quote", cap=8),
        "cap",
        "must lie above",
    ),
    "two last caps": (
        lambda: TierTable.marginal([(0, 0.01, None, None, 7)], unit="quote", cap=8),
        "cap",
        "given twice",
    ),
    "equal marginal rates": (
        lambda: TierTable.marginal([(0, 0.01), (9, 0.01)], unit="quote"),
        "rate",
        "must rise",
    ),
    "falling flat rates": (
        lambda: TierTable.flat([(0, 0.02), (9, 0.01)], unit="risk_limit"),
        "rate",
        "must not fall",
    ),
    "a rate in percent": (lambda: TierTable.single_rate(1.25), "rate", "must be a fraction of value"),
    "a rate of 0": (lambda: TierTable.single_rate(0), "rate", "must be a fraction of value"),
    "a rate that is no number": (lambda: TierTable.single_rate("1 %"), "rate", "must be a number"),
    "a rate that is NaN": (lambda: TierTable.single_rate(math.nan), "rate", "must be a number"),
    "a deduction in the first tier": (
        lambda: TierTable.marginal([(0, 0.01, 1)], unit="quote"),
        "deduction",
        "must be 0 in the first tier",
    ),
    "a deduction in a flat table": (
        lambda: TierTable.flat([(0, 0.01), (5, 0.02, 3)], unit="contracts"),
        "deduction",
        "must be 0 in a flat table",
    ),
    "leverage that rises": (
        lambda: TierTable.marginal([(0, 0.01, None, 10), (5, 0.02, None, 11)], unit="quote"),
        "max_leverage",
        "must not rise",
    ),
    "leverage for some tiers": (
        lambda: TierTable.marginal([(0, 0.01, None, 10), (5, 0.02)], unit="quote"),
        "max_leverage",
        "for every tier or for none",
    ),
    "leverage of 0": (lambda: TierTable.half_of_initial_rate([(0, 0)]), "max_leverage", "must be positive"),
    "negative leverage": (lambda: TierTable.single_rate(0.1, -1), "max_leverage", "must be positive"),
    "leverage below 1": (lambda: TierTable.single_rate(0.1, 0.5), "max_leverage", "must be at least 1"),
    "0.4 beside 125x": (
        lambda: TierTable.single_rate("0.4", 125),
        "rate",
        "contradicts a leverage",
    ),
    "half a percent as 0.5": (
        lambda: TierTable.marginal([(0, "0.4", None, 100), (9, "0.5", None, 50)], unit="quote"),
        "rate",
        "contradicts a leverage of 100",
    ),
    "a flat rate above its leverage's": (
        lambda: TierTable.flat([(0, "0.01", None, 50), (9, "0.05", None, 25)], unit="contracts"),
        "rate",
        "contradicts a leverage of 25",
    ),
    "a growing rate above its leverage's": (
        lambda: TierTable.growing("0.2", "0.001", max_leverage=10),
        "rate",
        "contradicts a leverage of 10",
    ),
    "a row with an unknown key": (
        lambda: TierTable.marginal([{"floor": 0, "mmr": 0.01}], unit="quote"),
        "",
        "must be a tier",
    ),
    "a slope of 0": (lambda: TierTable.growing("0.01", 0), "slope", "must be positive and finite"),
    "a slope that is no number": (lambda: TierTable.growing("0.01", "steep"), "slope", "must be a number"),
    "a rate that grows in quote": (
        lambda: TierTable.growing("0.01", "0.1", unit="quote"),
        "unit",
        "must fit a growing table",
    ),
    "a growing rate of 1": (lambda: TierTable.growing(1, "0.1"), "rate", "must be a fraction of value"),
    "growing tiers": (
        lambda: TierTable("growing", "base", (0.0, 5.0), (0.1, 0.2), (0.0, 0.0), slope=0.1),
        "",
        "a growing table has one row",
    ),
    "a slope of a marginal table": (
        lambda: TierTable("marginal", "quote", (0.0,), (0.1,), (0.0,), slope=0.1),
        "slope",
        "belongs to a growing table",
    ),
    "a minimum of a flat table": (
        lambda: TierTable.flat([(0, 0.01)], unit="contracts").with_minimum(1),
        "minimum",
        "belongs to a marginal table",
    ),
    "a second minimum": (
        lambda: TierTable.single_rate(0.01).with_minimum(1).with_minimum(2),
        "minimum",
        "belongs to a marginal table without one",
    ),
    "a negative minimum": (
        lambda: TierTable.single_rate(0.01).with_minimum(-1),
        "minimum",
        "must be positive",
    ),
    "a minimum above the table": (
        lambda: TierTable.marginal([(0, 0.01)], unit="quote", cap=100).with_minimum(1),
        "minimum",
        "must be asked for below the cap",
    ),
    "a minimum that does not meet its tier": (
        lambda: TierTable("marginal", "quote", (0.0, 50.0), (0.0, 0.1), (-4.0, 0.0)),
        "deduction",
        "must continue the tier below",
    ),
    "an unknown shape": (
        lambda: TierTable("stepped", "quote", (0.0,), (0.1,), (0.0,)),  # type: ignore[arg-type]
        "shape",
        "must be known",
    ),
    "columns of two lengths": (
        lambda: TierTable("marginal", "quote", (0.0,), (0.1, 0.2), (0.0,)),
        "rate",
        "one value a tier",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_column_and_the_rule(case: str) -> None:
    make, column, rule = REFUSED[case]
    with pytest.raises(TierError, match=rule) as caught:
        make()
    assert caught.value.column == column


def test_initial_rates_that_a_venue_rounds_up_are_no_contradiction() -> None:
    for rate, leverage in (("0.0134", 75), ("0.34", 3), ("0.008", 125), ("1e-2", 100)):
        assert TierTable.single_rate(rate, leverage).max_leverage == (float(leverage),)
