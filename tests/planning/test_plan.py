"""One position before it is opened: numbers by hand, and what is said where none is known."""

import math
from typing import Any, Literal

import pytest

import levcore as lc
from levcore.errors import InputError
from levcore.planning.venue import VenuePlan
from levcore.rules.tiers import TierTable

FIVE = ("binance-usdm", "bybit-linear", "okx-linear-swap", "mexc-linear", "hyperliquid")


def house(rate: float = 0.004, **rules: object) -> lc.MarginPolicy:
    """Policy of one rate and no fee, whose trader owes, with a linear contract X of one unit."""
    stated: dict[str, object] = {
        "requirement_basis_isolated": "price",
        "requirement_basis_cross": "price",
        "initial_margin_basis_isolated": "mark",
        "initial_margin_basis_cross": "mark",
        "closing_fee_basis": "none",
        "closing_fee_rate": 0.0,
        "trader_owes": "yes",
    }
    policy = lc.policy("generic").replace(**(stated | rules))
    return policy.with_instruments(
        [lc.Instrument("X", "linear", TierTable.single_rate(rate), settlement="USD")]
    )


def of_ten_thousand(**asked: object) -> VenuePlan:
    """A long of 10,000 at 10x under `house`."""
    return lc.plan("X", "long", 100.0, entry=100.0, leverage=10.0, policies=house(), **asked).first  # type: ignore[arg-type]


def test_a_gap_of_15_percent_past_the_trigger_costs_more_than_the_margin() -> None:
    # V - 9,000 = 0.004 V at V = 9,036.14; filled at 0.85 of that; 9,000 are not the trader's.
    plan = of_ten_thousand(gap=0.15)
    trigger, gap = plan.points["liquidation"], plan.points["gap"]
    assert 100 * trigger.price == pytest.approx(9_036.14, abs=0.005)
    assert 100 * gap.price == pytest.approx(7_680.72, abs=0.005)
    assert gap.to_trigger == pytest.approx(963.86, abs=0.005)
    assert gap.past_trigger == pytest.approx(1_355.42, abs=0.005)
    assert gap.shortfall == pytest.approx(1_319.28, abs=0.005)
    assert trigger.past_trigger == 0.0
    assert trigger.shortfall == 0.0
    assert math.isnan(plan.limit_of_loss)


def test_the_rule_of_thumb_is_size_over_leverage_and_both_fees() -> None:
    assert of_ten_thousand(fees=0.005).rule_of_thumb == (1_000.0, 100.0)
    assert math.isnan(of_ten_thousand().rule_of_thumb[1])


def test_the_position_of_the_readme() -> None:
    venue = lc.plan(
        "BTC/USDT:USDT",
        "long",
        0.5,
        entry=60_000.0,
        leverage=10.0,
        stop=57_000.0,
        budget=200.0,
        move=-0.15,
        fees=0.0005,
        policies="binance-usdm@2024-10-24",
    ).first
    assert venue.margin == 3_000.0
    assert venue.liquidation_price == pytest.approx(27_000 / 0.996 / 0.5)
    assert venue.price("bankruptcy") == pytest.approx(54_000.0)
    # 0.8 of the equity covers the requirement: V - 27,000 = 0.005 V.
    assert venue.price("warning") == pytest.approx(27_000 / 0.995 / 0.5)
    assert venue.why_not["margin call"].startswith("not stated")
    assert venue.break_even == pytest.approx(60_000 * 1.0005 / 0.9995)
    assert venue.limit_of_loss == 3_000.0
    stop = venue.points["stop"]
    assert stop.loss == 1_500.0
    assert stop.fees == pytest.approx(0.0005 * 58_500)
    assert venue.liquidated_before_stop is False
    # A unit loses 3,000 and pays 0.0005 of 117,000.
    assert venue.size_for_budget == pytest.approx(200 / 3_058.5)
    # Of a value of 1, 0.85 are left and 0.0034 required: margin 0.1534.
    assert venue.survivable_leverage == pytest.approx(1 / 0.1534, rel=1e-12)


def test_a_stop_beyond_the_liquidation_is_never_reached() -> None:
    assert of_ten_thousand(stop=90.0).liquidated_before_stop is True
    assert of_ten_thousand(stop=95.0).liquidated_before_stop is False
    assert of_ten_thousand(stop=110.0).liquidated_before_stop is False


def test_a_call_of_ones_own_says_what_restores_the_leverage() -> None:
    plan = of_ten_thousand(call_at=0.5)
    # (V - 9,000) / 2 = 0.004 V.
    value = 9_000 / 0.992
    assert 100 * plan.price("your call") == pytest.approx(value)
    assert plan.deposit == pytest.approx(value / 10 - (value - 9_000))
    assert plan.reduction == pytest.approx(1 - (value - 9_000) / (value / 10))


def test_a_margin_call_of_the_venue_has_a_price() -> None:
    policy = house(margin_call_level=0.5)
    plan = lc.plan("X", "long", 100.0, entry=100.0, leverage=10.0, policies=policy).first
    assert 100 * plan.price("margin call") == pytest.approx(9_000 / 0.992)
    assert plan.deposit > 0


def test_the_loss_of_a_short_has_no_bound() -> None:
    plan = lc.plan("X", "short", 100.0, entry=100.0, leverage=10.0, gap=0.2, policies=house()).first
    assert 100 * plan.liquidation_price == pytest.approx(11_000 / 1.004)
    assert plan.price("gap") == pytest.approx(1.2 * plan.liquidation_price)
    assert "zero" not in plan.points
    assert plan.why_not["zero"].startswith("without bound")
    assert "without bound" in lc.report(
        lc.plan("X", "short", 1.0, entry=100.0, leverage=5.0, policies=house())
    )


def test_the_ladder_is_a_book_of_its_leverages() -> None:
    ladder = of_ten_thousand().ladder
    assert [rung.leverage for rung in ladder] == [2, 3, 5, 10, 25, 50, 100]
    for rung in ladder:
        assert rung.margin == 10_000 / rung.leverage
        assert rung.price == pytest.approx((100 - 100 / rung.leverage) / 0.996)
        assert rung.loss == pytest.approx(100 * (100 - rung.price))
        assert rung.allowed is None


def test_a_rung_above_the_maximum_of_the_venue_says_so() -> None:
    plan = lc.plan("BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, policies="hyperliquid@2026-08-07")
    told = {rung.leverage: (rung.allowed, rung.told) for rung in plan.first.ladder}
    assert told[25] == (True, "")
    assert told[50] == (False, "")
    assert told[100] == (False, "liquidated as it opens")
    assert "50x, 100x: above the venue's maximum of 40x" in str(plan)


def test_funding_alone_liquidates_on_the_first_day_on_which_it_has_eaten_the_room() -> None:
    # 1,000 of margin, 40 required, 20 a day: 48 days leave exactly 40, which is liquidated.
    plan = of_ten_thousand(funding_a_day=0.002)
    assert (plan.cost_a_day, plan.days) == (20.0, 48.0)
    short = lc.plan("X", "short", 1.0, entry=100.0, leverage=5.0, funding_a_day=0.002, policies=house()).first
    assert short.cost_a_day == pytest.approx(-0.2)
    assert short.days == math.inf


def test_small_costs_are_found_to_the_day_as_well() -> None:
    plan = of_ten_thousand(funding_a_day=1e-6)
    assert plan.days == pytest.approx(96_000, abs=1)


def test_cross_stands_beside_isolated() -> None:
    alone = of_ten_thousand(wallet=5_000.0)
    other = alone.other_mode
    assert other is not None
    assert (other.name, other.at_stake) == ("cross", 5_000.0)
    assert 100 * other.price == pytest.approx(5_000 / 0.996)
    cross = lc.plan(
        "X", "long", 100.0, entry=100.0, leverage=10.0, cross=True, wallet=5_000.0, policies=house()
    ).first
    assert cross.liquidation_price == other.price
    assert cross.other_mode is not None
    assert cross.other_mode.price == alone.liquidation_price
    assert cross.at_stake == 5_000.0


def test_who_owes_is_told_by_margin_mode() -> None:
    alone, cross = (
        lc.plan(
            "BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, cross=mode, wallet=9_000.0, fees="regular",
            policies="bybit-linear@2026-05-27",
        ).first
        for mode in (False, True)
    )  # fmt: skip
    assert (alone.owes, cross.owes) == ("no", "yes")
    assert alone.limit_of_loss == alone.margin
    assert math.isnan(cross.limit_of_loss)


def test_five_policies_side_by_side_each_by_its_own_contract() -> None:
    plan = lc.plan("BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, fees="regular", policies=FIVE)
    prices = {venue.policy.name: round(venue.liquidation_price, 2) for venue in plan}
    assert prices == {
        "binance-usdm": 54_216.87,
        "bybit-linear": 54_178.79,
        "okx-linear-swap": 54_244.10,  # 27,000 / (1 - 0.004 - 0.0005) / 0.5
        "mexc-linear": 54_060.00,  # 60,000 - (3,000 - 30) / 0.5
        "hyperliquid": 54_683.54,  # 27,000 / (1 - 0.0125) / 0.5
    }
    names = {venue.policy.name: venue.contract.instrument.name for venue in plan if venue.contract}
    assert names["okx-linear-swap"] == "BTC-USDT-SWAP"
    assert (names["hyperliquid"], plan["hyperliquid"].currency) == ("BTC", "USDC")
    assert "settled in USDC" in str(plan)
    assert {venue.policy.name for venue in plan if venue.owes == "unknown"} == {
        "okx-linear-swap",
        "mexc-linear",
    }


@pytest.mark.parametrize("name", FIVE)
def test_a_plan_is_a_book_of_one_row(name: str) -> None:
    venue = lc.plan(
        "BTCUSDT", "short", 2.0, entry=60_000.0, leverage=20.0, fees="regular", policies=name
    ).first
    assert venue.contract is not None
    contract = venue.contract.instrument
    book = lc.PositionBook([contract.name], [-2.0 / contract.contract_size], [60_000.0], leverage=[20.0])
    risk = lc.Engine(venue.policy).evaluate(book, {contract.name: 60_000.0})
    assert venue.liquidation_price == risk.liquidation_price[0]
    assert venue.margin == risk.initial_margin[0]


def test_what_a_policy_leaves_open_stops_no_other_answer() -> None:
    plan = lc.plan(
        "BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, stop=57_000.0, policies="mexc-linear"
    )
    venue = plan.first
    assert "closing_fee_rate is unknown" in venue.refused
    assert math.isnan(venue.liquidation_price)
    assert venue.points["stop"].loss == 1_500.0
    assert venue.rule_of_thumb[0] == 3_000.0
    assert "closing_fee_rate is unknown" in str(plan)


def test_a_policy_without_the_contract_says_so_beside_the_others() -> None:
    plan = lc.plan(
        "BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, policies=["generic", "binance-usdm"]
    )
    assert "no such contract" in plan["generic"].refused


def test_a_contract_for_isolated_margin_alone_does_not_stop_the_other_venues() -> None:
    tiers = lc.TierTable.single_rate("0.01", 10)
    only = lc.Instrument("BTCUSDT", "linear", tiers, settlement="USDT", isolated_only=True)
    policies = [lc.policy("generic").with_instruments([only]), "binance-usdm"]
    asked: dict[str, Any] = {"entry": 60_000.0, "leverage": 5.0, "policies": policies}
    plan = lc.plan("BTCUSDT", "long", 1.0, cross=True, wallet=20_000.0, **asked)
    assert plan["generic"].refused == "BTCUSDT is listed for isolated margin alone"
    assert not plan["binance-usdm"].refused
    assert "BTCUSDT is listed for isolated margin alone" in " ".join(lc.report(plan).split())
    assert not lc.plan("BTCUSDT", "long", 1.0, **asked)["generic"].refused
    assert plan["binance-usdm"].liquidation_price > 0
    assert "not evaluated under generic" in str(plan)


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ({"leverage": None}, "leverage"),
        ({"leverage": -1.0}, "leverage"),
        ({"cross": True}, "wallet"),
        ({"cross": True, "wallet": 10.0, "margin": 5.0}, "margin"),
        ({"move": -1.0}, "move"),
        ({"gap": 1.0}, "gap"),
        ({"fees": 5.0}, "fees"),
        ({"stop": math.nan}, "stop"),
        ({"policies": []}, "policies"),
        ({"side": "up"}, "side"),
    ],
)
def test_a_number_out_of_its_range_is_refused(asked: dict[str, object], argument: str) -> None:
    given: dict[str, object] = {"side": "long", "entry": 100.0, "leverage": 10.0, "policies": house()}
    with pytest.raises(InputError, match=argument):
        lc.plan("X", size=1.0, **(given | asked))  # type: ignore[arg-type]


def test_a_plan_says_what_else_can_be_asked_with_numbers_of_its_own() -> None:
    plain = lc.plan("SOLUSDT", "short", 10.0, entry=200.0, leverage=5.0, policies="binance-usdm")
    text = " ".join(str(plain).split())
    assert "What else can be asked" in text
    for option in ("--stop 210", "--stop 210 --budget 200", "--move 15%", "--gap", "--call-at", "--funding"):
        assert option in text
    everything = lc.plan(
        "SOLUSDT", "short", 10.0, entry=200.0, leverage=5.0, policies="binance-usdm", stop=210.0, budget=20.0,
        move=0.15, gap=0.05, call_at=0.5, funding_a_day=0.0003, wallet=1_000.0,
    )  # fmt: skip
    assert "What else can be asked" not in str(everything)


BITCOIN: tuple[str, Literal["long"], float] = ("BTCUSDT", "long", 0.5)
ASKED: Any = {"entry": 60_000.0, "leverage": 10.0, "fees": "regular"}


def test_an_unknown_debt_is_shown_under_either_answer() -> None:
    text = " ".join(str(lc.plan(*BITCOIN, policies="mexc-linear", **ASKED)).split())
    assert "3,012.00 if nothing is owed; 30,000.00 if all is owed at a price" in text
    assert "if nothing is owed" not in str(lc.plan(*BITCOIN, policies="hyperliquid", **ASKED))


def test_what_is_liquidated_as_it_opens_is_not_without_a_price_of_liquidation() -> None:
    """At 0.4 % a leverage of 400 leaves less than the requirement: safe it is not."""
    plan = lc.plan("X", "long", 1.0, entry=100.0, leverage=400.0, wallet=50.0, policies=house())
    assert math.isnan(plan.first.liquidation_price)
    assert plan.first.why_not["liquidation"] == "liquidated as it opens"
    told = lc.report(plan)
    assert "verdict  Liquidated as it opens;" in told
    assert "No price of liquidation" not in told
    venues = ("binance-usdm@2026-09-29", "hyperliquid@2026-08-07")  # 0.4 % and half of 1/40
    both = lc.report(lc.plan("BTCUSDT", "long", 0.5, entry=60_000.0, leverage=190.0, policies=venues))
    assert "under binance-usdm; liquidated as it opens under hyperliquid;" in both
