"""Displayed prices: rounded to the tick exactly, by the rule of the side, and never by a guess."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore.engine.displayed_prices import displayed_price
from levcore.errors import InputError, ShapeError, UnknownRuleError

RULES = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "nearest": ROUND_HALF_UP}
ROUNDED_APART = lc.policy("generic").replace(price_rounding_long="up", price_rounding_short="down")


def instrument_with(tick: float | None) -> lc.Instrument:
    return lc.Instrument("X", "linear", lc.TierTable.single_rate("0.005"), tick_size=tick)


def test_long_and_short_prices_follow_their_own_rules() -> None:
    shown = displayed_price(ROUNDED_APART, instrument_with(0.05), [919.097, 919.097, 1.0], [0.1, -0.1, 0.0])
    assert shown[:2].tolist() == [919.1, 919.05]
    assert math.isnan(shown[2])


def test_one_price_gives_one_number() -> None:
    shown = displayed_price(ROUNDED_APART, instrument_with(0.5), 5739.0838, 10_000.0)
    assert isinstance(shown, float)
    assert shown == 5739.5


def test_prices_on_a_tick_stay_there_despite_round_off() -> None:
    price = 0.1 * 3  # 0.30000000000000004
    assert displayed_price(ROUNDED_APART, instrument_with(0.1), price, 1.0) == 0.3
    assert displayed_price(ROUNDED_APART, instrument_with(0.1), 0.7 - 0.1 - 0.3, -1.0) == 0.3
    assert displayed_price(ROUNDED_APART, instrument_with(0.1), 0.3000001, 1.0) == 0.4


def test_no_price_stays_none_and_no_rounding_changes_nothing() -> None:
    assert math.isnan(displayed_price(ROUNDED_APART, instrument_with(0.1), math.nan, 1.0))
    plain = lc.policy("generic")
    prices = np.array([1.0 / 3.0, math.nan])
    np.testing.assert_array_equal(displayed_price(plain, instrument_with(None), prices, [1, -1]), prices)


def test_what_is_not_known_is_refused() -> None:
    policy = lc.policy("bybit-inverse@2024-09-10")
    assert displayed_price(policy, instrument_with(0.5), 99.9, 1.0) == 100.0
    with pytest.raises(UnknownRuleError, match="price_rounding_short"):
        displayed_price(policy, instrument_with(0.5), [99.9, 99.9], [1.0, -1.0])
    with pytest.raises(InputError, match="tick_size"):
        displayed_price(policy, instrument_with(None), 99.9, 1.0)
    with pytest.raises(ShapeError, match="one value a price"):
        displayed_price(policy, instrument_with(0.5), [99.9, 99.9], 1.0)


@given(
    steps=st.integers(1, 10**8),
    tick=st.sampled_from(["0.00000001", "0.0001", "0.01", "0.025", "0.05", "0.1", "0.5", "1", "5", "0.3"]),
    part=st.sampled_from(["0", "0.001", "0.25", "0.5", "0.75", "0.999"]),
    rule=st.sampled_from(sorted(RULES)),
)
def test_rounding_is_that_of_decimals(steps: int, tick: str, part: str, rule: str) -> None:
    exact_tick = Decimal(tick)
    price = float((steps + Decimal(part)) * exact_tick)
    policy = lc.policy("generic").replace(price_rounding_long=rule)
    shown = displayed_price(policy, instrument_with(float(tick)), price, 1.0)
    whole = (Decimal(repr(price)) / exact_tick).to_integral_value(RULES[rule])
    assert shown == float(whole * exact_tick)
