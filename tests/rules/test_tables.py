"""Tables of an instrument: by side, of the initial margin, growing, with a minimum or funding inside."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import levcore as lc
from levcore.errors import TierError, UnknownRuleError
from levcore.measures import MEASURE_NAMES
from levcore.rules.tiers import TierTable
from support.comparison import assert_same_risk

ONE_PERCENT, FIVE_PERCENT = TierTable.single_rate("0.01"), TierTable.single_rate("0.05")
LINEAR = lc.Instrument("X", "linear", ONE_PERCENT)
INVERSE = lc.Instrument("X", "inverse", ONE_PERCENT)


def evaluated(
    instrument: lc.Instrument,
    quantity: list[float],
    mark: float = 100.0,
    *,
    margin: float = 1_000.0,
    leverage: float | None = 10.0,
    mode: str = "isolated",
    **rules: object,
) -> lc.BookRisk:
    """Positions opened at 100, and the reference beside the kernel."""
    policy = lc.policy("generic").replace(**rules).with_instruments([instrument])
    count = len(quantity)
    book = lc.PositionBook(
        ["X"] * count,
        quantity,
        [100.0] * count,
        account=list(range(count)),
        margin_mode=mode,
        isolated_margin=[margin] * count,
        leverage=None if leverage is None else [leverage] * count,
        wallet_balance=dict.fromkeys(range(count), margin),
    )
    risk = lc.Engine(policy).evaluate(book, {"X": mark}, measures=MEASURE_NAMES)
    assert_same_risk(risk, lc.reference.evaluate(book, policy, {"X": mark}, measures=MEASURE_NAMES))
    return risk


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("count", [2, 63, 64, 200])
def test_each_side_has_its_own_tiers_in_a_run_of_one_instrument(mode: str, count: int) -> None:
    sided = replace(LINEAR, short_tiers=FIVE_PERCENT)
    quantity = np.where(np.arange(count) % 3 == 1, -20.0, 20.0)
    risk = evaluated(sided, quantity.tolist(), mode=mode)
    expected = np.where(quantity > 0.0, 20.0, 100.0)
    np.testing.assert_allclose(risk.maintenance_margin, expected, rtol=1e-15)
    # 2,000 of value, 1,000 of margin: 1,000 are owed by the long, 3,000 held against the short.
    prices = np.where(quantity > 0.0, 1_000.0 / 0.99 / 20.0, 3_000.0 / 1.05 / 20.0)
    np.testing.assert_allclose(risk.liquidation_price, prices, rtol=1e-14)


def test_a_run_of_one_side_and_then_of_the_other() -> None:
    # The constants of an instrument are kept from tile to tile; the side is not one of them.
    sided = replace(LINEAR, short_tiers=FIVE_PERCENT)
    quantity = np.repeat([20.0, -20.0, 20.0], 128)
    risk = evaluated(sided, quantity.tolist())
    np.testing.assert_allclose(risk.maintenance_margin, np.where(quantity > 0.0, 20.0, 100.0), rtol=1e-15)


def test_sides_may_differ_in_shape_and_cap() -> None:
    sided = replace(
        LINEAR,
        tiers=TierTable.marginal([(0, "0.01")], unit="quote", cap=5_000),
        short_tiers=TierTable.flat([(0, "0.02"), (30, "0.04")], unit="contracts", cap=100),
    )
    risk = evaluated(sided, [40.0, -40.0, 60.0, -60.0, -120.0])
    assert [lc.Status(status).name for status in risk.status] == [
        "OK",
        "OK",
        "TIER_OVERFLOW",
        "OK",
        "TIER_OVERFLOW",
    ]
    assert risk.maintenance_margin[[0, 1, 3]].tolist() == [40.0, 160.0, 240.0]


def test_the_initial_margin_follows_its_table_and_not_the_leverage() -> None:
    tiers = TierTable.marginal([(0, "0.02"), (1_000, "0.1")], unit="quote", cap=1e6)
    listed = replace(LINEAR, initial_tiers=tiers)
    by_table = evaluated(listed, [5.0, -20.0], 110.0, leverage=None, initial_margin_rule="table")
    np.testing.assert_allclose(by_table.initial_margin, [0.02 * 550.0, 0.1 * 2_200.0 - 80.0], rtol=1e-15)
    at_entry = evaluated(
        listed, [5.0], 110.0, initial_margin_rule="table", initial_margin_basis_isolated="entry"
    )
    assert at_entry.initial_margin[0] == 10.0
    by_leverage = evaluated(listed, [5.0], 110.0)
    assert by_leverage.initial_margin[0] == 55.0


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_without_an_initial_table_there_is_no_initial_margin_and_not_one_of_zero(mode: str) -> None:
    risk = evaluated(LINEAR, [20.0], mode=mode, initial_margin_rule="table")
    assert math.isnan(risk.initial_margin[0])
    assert risk.status[0] == lc.Status.MISSING_INITIAL_TIERS
    assert risk.maintenance_margin[0] == 20.0
    if mode == "cross":
        assert math.isnan(risk.accounts.free_margin[0])
        assert risk.accounts.state[0] == lc.State.HEALTHY


def test_a_position_larger_than_its_initial_table_is_refused() -> None:
    capped = replace(LINEAR, initial_tiers=TierTable.marginal([(0, "0.02")], unit="quote", cap=1_500))
    risk = evaluated(capped, [14.0, 20.0], initial_margin_rule="table")
    assert risk.status.tolist() == [lc.Status.OK, lc.Status.TIER_OVERFLOW]
    assert evaluated(capped, [20.0]).status[0] == lc.Status.OK


@pytest.mark.parametrize(
    ("size", "initial", "maintenance"),
    # https://support.deribit.com/hc/en-us/articles/25944738177565-Linear-Perpetual
    [(25.0, 200.625, 100.625), (6_000.0, 84_000.0, 60_000.0)],
)
def test_margins_of_a_linear_rate_that_grows(size: float, initial: float, maintenance: float) -> None:
    grown = replace(
        LINEAR,
        tiers=TierTable.growing("0.02", "0.000005"),
        initial_tiers=TierTable.growing("0.04", "0.000005"),
    )
    risk = evaluated(grown, [size], 200.0, margin=1e6, initial_margin_rule="table")
    assert risk.initial_margin[0] == pytest.approx(initial, rel=1e-15)
    assert risk.maintenance_margin[0] == pytest.approx(maintenance, rel=1e-15)


# Sizes in coins; a contract of 100 USD at a mark of 100 is one.
@pytest.mark.parametrize(("size", "initial"), [(25.0, 0.53125), (350.0, 13.125)])
def test_margins_of_an_inverse_rate_that_grows(size: float, initial: float) -> None:
    tiers = TierTable.growing("0.02", "0.00005")
    grown = replace(INVERSE, contract_size=100.0, tiers=tiers, initial_tiers=tiers)
    risk = evaluated(grown, [size, -size], margin=50.0, initial_margin_rule="table")
    np.testing.assert_allclose(risk.initial_margin, initial, rtol=1e-15)
    np.testing.assert_allclose(risk.maintenance_margin, initial, rtol=1e-15)


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_at_the_liquidation_price_of_a_growing_rate_the_equity_is_what_it_asks_for(mode: str) -> None:
    tiers = TierTable.growing("0.01", "0.0005")
    for instrument in (replace(LINEAR, tiers=tiers), replace(INVERSE, contract_size=100.0, tiers=tiers)):
        margin = 1_000.0 if instrument.payoff == "linear" else 10.0
        for side in (50.0, -50.0):
            price = float(evaluated(instrument, [side], margin=margin, mode=mode).liquidation_price[0])
            assert side * (100.0 - price) > 0.0
            at_price = evaluated(instrument, [side], price, margin=margin, mode=mode)
            assert at_price.margin_ratio[0] == pytest.approx(1.0, rel=1e-12)


def test_a_small_slope_gives_the_price_of_the_rate_alone() -> None:
    # The form of the root that subtracts would have no digit left here.
    flat = replace(INVERSE, contract_size=100.0)
    grown = replace(flat, tiers=TierTable.growing("0.01", "1e-25"))
    one, two = (evaluated(each, [50.0, -50.0], margin=10.0) for each in (flat, grown))
    np.testing.assert_allclose(two.liquidation_price, one.liquidation_price, rtol=1e-15)


def test_sizes_whose_rate_would_reach_one_are_refused() -> None:
    tiers = TierTable.growing("0.5", "0.01")
    linear = evaluated(replace(LINEAR, tiers=tiers), [49.0, 51.0, -51.0])
    assert linear.status[1:].tolist() == [lc.Status.TIER_OVERFLOW] * 2
    assert linear.maintenance_margin[0] == pytest.approx(0.99 * 4_900.0)
    inverse = evaluated(replace(INVERSE, contract_size=100.0, tiers=tiers), [49.0, 51.0])
    assert inverse.maintenance_margin[0] == pytest.approx(0.99 * 49.0)
    assert inverse.status[1] == lc.Status.TIER_OVERFLOW


def test_a_minimum_holds_at_the_price_and_at_the_liquidation_price() -> None:
    least = replace(LINEAR, tiers=ONE_PERCENT.with_minimum(50))
    risk = evaluated(least, [20.0, 80.0, -20.0])
    assert risk.maintenance_margin.tolist() == [50.0, 80.0, 50.0]
    # Of 2,000 the long owes 1,000 and must keep 50; the short holds 3,000 and must keep 50.
    np.testing.assert_allclose(risk.liquidation_price[[0, 2]], [1_050.0 / 20.0, 2_950.0 / 20.0], rtol=1e-15)
    # The same by vectors over a whole tile of one table.
    many = evaluated(least, [20.0, 80.0, -20.0] * 64)
    assert many.maintenance_margin.tolist() == [50.0, 80.0, 50.0] * 64
    np.testing.assert_array_equal(many.liquidation_price, np.tile(risk.liquidation_price, 64))


def test_the_funding_rate_adds_to_every_rate_where_the_policy_says_so() -> None:
    funded = replace(LINEAR, short_tiers=FIVE_PERCENT.with_minimum(10), funding_rate=0.002)
    inside = evaluated(funded, [20.0, -20.0, -1.0], funding_in_requirement="rate_times_value")
    np.testing.assert_allclose(inside.maintenance_margin, [24.0, 104.0, 10.2], rtol=1e-14)
    np.testing.assert_allclose(evaluated(funded, [20.0, -20.0]).maintenance_margin, [20.0, 100.0], rtol=1e-15)


def test_a_funding_rate_that_leaves_the_rates_is_refused() -> None:
    policy = lc.policy("generic").replace(funding_in_requirement="rate_times_value")
    for rate in (-0.02, 0.99):
        with pytest.raises(TierError, match="must stay a fraction of value with the funding rate added"):
            lc.Engine(policy.with_instruments([replace(LINEAR, funding_rate=rate)]))


@pytest.mark.parametrize("rule", ["initial_margin_rule", "funding_in_requirement"])
def test_a_rule_that_is_unknown_refuses(rule: str) -> None:
    with pytest.raises(UnknownRuleError, match=f"{rule} is unknown"):
        lc.Engine(lc.policy("generic").replace(**{rule: "unknown"}).with_instruments([LINEAR]))


def test_tables_that_do_not_fit_the_payoff_are_refused() -> None:
    quanto = lc.Instrument("X", "quanto", ONE_PERCENT, multiplier=1e-3)
    in_base = TierTable.marginal([(0, "0.01")], unit="base", cap=9)
    for instrument, rule in (
        (replace(quanto, tiers=TierTable.growing("0.01", "0.1")), "no meaning for a quanto contract"),
        (replace(LINEAR, short_tiers=in_base), "keyed by value in settlement currency"),
        (replace(LINEAR, initial_tiers=in_base), "keyed by value in settlement currency"),
    ):
        with pytest.raises(TierError, match=rule):
            lc.Engine(lc.policy("generic").with_instruments([instrument]))


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_long_has_a_lower_price_and_a_short_an_upper_one(mode: str) -> None:
    risk = evaluated(LINEAR, [20.0, -20.0, 0.0, math.nan], mode=mode)
    price = risk.liquidation_price
    np.testing.assert_array_equal(risk.liquidation_price_lower, [price[0], math.nan, math.nan, math.nan])
    np.testing.assert_array_equal(risk.liquidation_price_upper, [math.nan, price[1], math.nan, math.nan])


def test_bounds_of_prices_are_stored_only_if_asked_for() -> None:
    policy = lc.policy("generic").with_instruments([LINEAR])
    book = lc.PositionBook(["X"], [-20.0], [100.0], isolated_margin=[1_000.0])
    engine = lc.Engine(policy)
    assert len(engine.evaluate(book, {"X": 100.0}).measures) == 11
    upper = engine.evaluate(book, {"X": 100.0}, measures=("liquidation_price_upper",))
    assert upper.keys() == ("liquidation_price_upper", "state", "status")
    assert upper.liquidation_price_upper[0] == pytest.approx(3_000.0 / 1.01 / 20.0, rel=1e-15)
