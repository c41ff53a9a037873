"""Policies of centralised venues: their levels are the venues', and what no source states refuses."""

from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.book.balances import Balances
from levcore.errors import UnknownRuleError
from levcore.rules.assets import Asset
from levcore.rules.policy import RULES
from levcore.rules.terms import UNKNOWN

# Levels as the venue prints them, margin call and liquidation; "over" where its ratio falls as risk rises.
PRINTED_LEVELS: dict[str, tuple[str, float | None, float]] = {
    "binance-usdm": ("requirement", None, 1.0),
    "binance-usdm-multi-assets": ("requirement", None, 1.0),
    "binance-portfolio-margin": ("over", 1.20, 1.05),
    "binance-cross-margin-3x": ("over", 1.3, 1.1),
    "binance-cross-margin-5x": ("over", 1.16, 1.1),
    "binance-cross-margin-pro": ("over", None, 1.0),
    "binance-isolated-margin-3x": ("over", 1.22, 1.18),
    "binance-isolated-margin-5x": ("over", 1.19, 1.15),
    "binance-isolated-margin-10x": ("over", 1.10, 1.05),
    "bybit-unified": ("requirement", None, 1.0),
    "okx-multi-currency": ("over", None, 1.0),
    "okx-isolated-margin": ("over", None, 1.0),
    "bitmex": ("requirement", None, 1.0),
    "deribit-standard-margin": ("requirement", None, 1.0),
    "kraken-futures-inverse": ("requirement", None, 1.0),
    "kraken-futures-multi-collateral": ("requirement", None, 1.0),
    "kraken-spot-margin": ("over", 0.8, 0.4),
    "bitget-linear": ("requirement", None, 1.0),
    "gate-perpetual": ("over", None, 1.0),
}

# Venues that liquidate below a margin, not at it.
BEYOND_THE_LEVEL = {
    "bitmex",
    "deribit-standard-margin",
    "kraken-futures-inverse",
    "kraken-futures-multi-collateral",
}

TRADER_OWES = {
    "binance-usdm": "no",
    "binance-portfolio-margin": "claim_reserved",
    "binance-cross-margin-3x": "no",
    "bybit-inverse@2024": "no",
    "bybit-inverse@2026": "yes",
    "bybit-unified": "yes",
    "okx-linear-swap": UNKNOWN,
    "okx-multi-currency": "yes",
    "mexc-linear": UNKNOWN,
    "bitmex": "no",
    "deribit-standard-margin": "no",
    "kraken-futures-inverse": "no",
    "kraken-spot-margin": "yes",
    "bitget-linear": UNKNOWN,
    "gate-perpetual": UNKNOWN,
}

HEDGED = {
    "binance-usdm": "sum",
    "binance-coinm": "sum",
    "bitget-linear": "larger_leg",
    "kraken-futures-multi-collateral": "larger_side",
}

# Rules that the sources leave open, by policy; each is asked for by name.
OPEN_RULES = [
    ("bitget-linear@2025-09-29", "requirement_basis_cross"),
    ("bitget-linear@2025-11-10", "requirement_basis_cross"),
    ("gate-perpetual", "initial_margin_basis_isolated"),
    ("gate-perpetual", "hedge_requirement"),
    ("bitmex", "bankruptcy_includes_closing_fee"),
    ("bybit-unified", "hedge_requirement"),
    ("kraken-futures-inverse", "requirement_basis_isolated"),
    ("deribit-standard-margin", "requirement_basis_isolated"),
    ("binance-usdm-multi-assets", "requirement_basis_isolated"),
    ("binance-cross-margin-pro", "margin_call_level"),
    ("okx-isolated-margin", "trader_owes"),
]

# The position asks for a rule which the policy does not have: margin mode, and the rule that is named.
REFUSED_MODES = [
    ("bitget-linear@2025-09-29", "cross", "requirement_basis_cross"),
    ("gate-perpetual", "isolated", "initial_margin_basis_isolated"),
    ("gate-perpetual", "cross", "initial_margin_basis_cross"),
    ("deribit-standard-margin", "isolated", "requirement_basis_isolated"),
    ("kraken-futures-inverse", "isolated", "requirement_basis_isolated"),
    ("binance-portfolio-margin", "isolated", "requirement_basis_isolated"),
    ("binance-cross-margin-3x", "cross", "requirement_basis_cross"),
    ("okx-isolated-margin", "cross", "requirement_basis_cross"),
]


def policy_with_fee(name: str) -> lc.MarginPolicy:
    """Policy that knows the account's fee, where it asks for one."""
    policy = lc.policy(name)
    return policy.replace(closing_fee_rate=0.0006) if policy.closing_fee_rate == UNKNOWN else policy


def one_position(mode: str) -> lc.PositionBook:
    """Book of a long position of 1 at 100."""
    columns: dict[str, Any] = {"isolated_margin": [10.0]} if mode == "isolated" else {}
    if mode == "cross":
        columns = {"account": ["a"], "wallet_balance": {"a": 10.0}}
    return lc.PositionBook(
        instrument=["X"], quantity=[1.0], entry_price=[100.0], margin_mode=[mode], **columns
    )


@pytest.mark.parametrize("name", PRINTED_LEVELS)
def test_levels_are_those_the_venue_prints(name: str) -> None:
    kind, call, liquidation = PRINTED_LEVELS[name]
    policy = lc.policy(name)
    assert policy.liquidation_level == (1 / liquidation if kind == "over" else liquidation)
    if call is None:
        assert policy.margin_call_level is None
        assert policy.unknown.about("margin_call_level")
    else:
        assert policy.margin_call_level == (1 / call if kind == "over" else call)
    assert ("inverse" in policy.ratio or "reciprocal" in policy.ratio) == (kind == "over")
    assert policy.liquidation_level_inclusive == (name not in BEYOND_THE_LEVEL)


@pytest.mark.parametrize("name", TRADER_OWES)
def test_who_owes_a_shortfall(name: str) -> None:
    policy = lc.policy(name)
    assert policy.trader_owes == TRADER_OWES[name]
    stated = policy.unknown if TRADER_OWES[name] == UNKNOWN else policy.rests_on
    assert stated.about("trader_owes")


@pytest.mark.parametrize("name", HEDGED)
def test_requirements_of_hedged_legs(name: str) -> None:
    assert lc.policy(name).hedge_requirement == HEDGED[name]


@pytest.mark.parametrize(("name", "rule"), OPEN_RULES)
def test_open_rules_are_unknown_with_a_reason(name: str, rule: str) -> None:
    policy = lc.policy(name)
    with pytest.raises(UnknownRuleError, match=rule) as caught:
        policy.known(rule)
    assert policy.unknown.about(rule) in str(caught.value)


@pytest.mark.parametrize(("name", "mode", "rule"), REFUSED_MODES)
def test_positions_that_need_an_open_rule_are_refused(name: str, mode: str, rule: str) -> None:
    policy = policy_with_fee(name).with_instruments(
        [lc.Instrument("X", "linear", lc.TierTable.single_rate(0.01))]
    )
    for evaluate in (
        lc.Engine(policy).evaluate,
        lambda book, marks: lc.reference.evaluate(book, policy, marks),
    ):
        with pytest.raises(UnknownRuleError, match=rule):
            evaluate(one_position(mode), {"X": 100.0})


def test_every_asset_of_a_policy_is_sourced() -> None:
    bundled = {
        info.id: {
            asset.name: (asset.weights, asset.liability_weight)
            for asset in lc.policy(info.id).assets.values()
        }
        for info in lc.policies()
        if lc.policy(info.id).assets
    }
    in_full = dict.fromkeys(("BTC", "ETH", "BNB", "USDT", "USDC"), ((1.0,), 1.0))
    spot = {
        **{f"binance-cross-margin-{leverage}x@2023-01-12": in_full for leverage in (3, 5)},
        **{f"binance-isolated-margin-{leverage}x@2026": in_full for leverage in (3, 5, 10)},
    }
    others = {
        "binance-usdm-multi-assets@2022-07-06": {"ADA": ((0.9,), 1.1)},
        "okx-multi-currency@2024-07-18": {"BETH": ((0.95, 0.85, 0.5, 0.0), 1.0)},
    }
    centralised = ("binance", "bybit", "okx", "mexc", "bitmex", "deribit", "kraken", "bitget", "gate")
    assert {name: assets for name, assets in bundled.items() if name.startswith(centralised)} == spot | others


def test_bitget_before_and_after_its_changes() -> None:
    before, margins, tiers = (
        lc.policy(f"bitget-linear@{date}") for date in ("2023-11-24", "2025-09-29", "2025-11-10")
    )
    changed = {rule for rule in RULES if getattr(before, rule) != getattr(margins, rule)}
    in_cross = {"requirement_basis_cross", "closing_fee_basis_cross"}
    assert changed == {"initial_margin_basis_isolated", "initial_margin_basis_cross"} | in_cross
    assert {rule for rule in RULES if getattr(margins, rule) != getattr(tiers, rule)} == {"table_shape"}


def test_gate_before_and_after_its_change() -> None:
    before, after = lc.policy("gate-perpetual@2024"), lc.policy("gate-perpetual@2025")
    changed = {rule for rule in RULES if getattr(before, rule) != getattr(after, rule)}
    assert changed == {"table_units", "table_shape"}
    assert (before.table_shape, after.table_shape) == ("flat", "marginal")


@pytest.mark.parametrize("offset", [0.0, 1e-9])
def test_bitmex_liquidates_below_its_requirement_and_bitget_at_it(offset: float) -> None:
    # Margin of exactly the requirement, 1 % of 100 and no fee, and of a little more.
    expected = {
        "bitmex": lc.State.HEALTHY,
        "bitget-linear": lc.State.LIQUIDATION if not offset else lc.State.HEALTHY,
    }
    for name, state in expected.items():
        policy = lc.policy(name).replace(closing_fee_rate=0.0, bankruptcy_includes_closing_fee=False)
        policy = policy.with_instruments([lc.Instrument("X", "linear", lc.TierTable.single_rate(0.01))])
        book = lc.PositionBook(
            instrument=["X"],
            quantity=[1.0],
            entry_price=[100.0],
            margin_mode=["isolated"],
            isolated_margin=[1.0 + offset],
        )
        risk = lc.Engine(policy).evaluate(book, {"X": 100.0})
        assert np.array_equal(risk.state, [state]), name


def risk_of_balances(policy: lc.MarginPolicy, debt: float, price: float) -> tuple[lc.BookRisk, lc.BookRisk]:
    """Risk of 2 BTC and 100 USDT against a debt in USDT, half a USDT of interest on it: engine, reference."""
    balances = Balances(["a", "a"], ["BTC", "USDT"], [2.0, 100.0], liability=[0.0, debt], interest=[0.0, 0.5])
    book = lc.PositionBook(instrument=[], quantity=[], entry_price=[], balances=balances)
    prices = {"BTC": price, "USDT": 1.0}
    return (
        lc.Engine(policy).evaluate(book, {}, asset_prices=prices),
        lc.reference.evaluate(book, policy, {}, asset_prices=prices),
    )


SPOT_LEVELS = {
    "binance-cross-margin-3x": (1.3, 1.1),
    "binance-cross-margin-5x": (1.16, 1.1),
    "binance-isolated-margin-3x": (1.22, 1.18),
    "binance-isolated-margin-5x": (1.19, 1.15),
    "binance-isolated-margin-10x": (1.10, 1.05),
}


@pytest.mark.parametrize("name", SPOT_LEVELS)
def test_spot_margin_is_called_and_liquidated_at_its_levels(name: str) -> None:
    call, liquidation = SPOT_LEVELS[name]
    debt = 10_000.0
    states = (
        (call * 1.001, lc.State.HEALTHY),
        (call * 0.999, lc.State.MARGIN_CALL),
        (liquidation * 0.999, lc.State.LIQUIDATION),
    )
    for level, state in states:
        price = (level * (debt + 0.5) - 100.0) / 2.0
        for risk in risk_of_balances(lc.policy(name), debt, price):
            assert risk.accounts.state[0] == state, level
            assert risk.accounts.margin_ratio[0] == pytest.approx(1 / level, rel=1e-14)
            if state < lc.State.LIQUIDATION:
                lower = (liquidation * (debt + 0.5) - 100.0) / 2.0
                assert risk.balances.liquidation_price_lower[0] == pytest.approx(lower, rel=1e-14)


@pytest.mark.parametrize("name", ["okx-isolated-margin", "binance-cross-margin-pro", "kraken-spot-margin"])
def test_a_debt_asks_for_its_maintenance_margin(name: str) -> None:
    rate, debt = 0.05, 10_000.0
    tiers = lc.TierTable.single_rate(rate)
    policy = lc.policy(name).with_assets([Asset("BTC"), Asset("USDT", liability_tiers=tiers)])
    for risk in risk_of_balances(policy, debt, 6_000.0):
        # The 100 USDT that are held count in the equity; the margin is on the debt and its interest.
        equity, margin = 2 * 6_000.0 + 100.0 - debt - 0.5, rate * (debt + 0.5)
        assert risk.accounts.equity[0] == pytest.approx(equity, rel=1e-14)
        assert risk.accounts.maintenance_margin[0] == pytest.approx(margin, rel=1e-14)
        needed = margin / policy.liquidation_level
        lower = (needed + debt + 0.5 - 100.0) / 2.0
        assert risk.balances.liquidation_price_lower[0] == pytest.approx(lower, rel=1e-12)


def test_an_asset_that_a_policy_does_not_know_is_not_counted_as_nothing() -> None:
    balances = Balances(["a", "a"], ["DOGE", "USDT"], [1_000.0, 100.0], liability=[0.0, 50.0])
    book = lc.PositionBook(instrument=[], quantity=[], entry_price=[], balances=balances)
    risk = lc.Engine(lc.policy("binance-cross-margin-3x")).evaluate(
        book, {}, asset_prices={"DOGE": 0.1, "USDT": 1.0}
    )
    assert np.isnan(risk.accounts.equity[0])
    assert risk.accounts.state[0] == lc.State.INCOMPLETE


@pytest.mark.parametrize("short_entry", [100.0, 110.0])
def test_hedged_legs_ask_for_both_at_binance_and_for_the_larger_at_bitget(short_entry: float) -> None:
    expected = {"binance-usdm": 0.01 * (100.0 + 50.0), "bitget-linear": 0.01 * 100.0}
    for name, requirement in expected.items():
        policy = lc.policy(name).with_instruments(
            [lc.Instrument("X", "linear", lc.TierTable.single_rate(0.01))]
        )
        if name == "bitget-linear":
            policy = policy.replace(requirement_basis_cross="price", closing_fee_rate=0.0)
        book = lc.PositionBook(
            instrument=["X", "X"],
            quantity=[1.0, -0.5],
            entry_price=[100.0, short_entry],
            account=["a", "a"],
            margin_mode="cross",
            wallet_balance={"a": 20.0},
            position_mode="hedge",
        )
        risk = lc.Engine(policy).evaluate(book, {"X": 100.0})
        assert risk.accounts.margin_ratio[0] * risk.accounts.equity[0] == pytest.approx(
            requirement, rel=1e-13
        )


@pytest.mark.parametrize("name", ["okx-linear-swap", "bybit-linear", "mexc-linear", "gate-perpetual"])
def test_hedged_legs_are_refused_where_no_source_says_what_they_ask_for(name: str) -> None:
    policy = policy_with_fee(name).with_instruments(
        [lc.Instrument("X", "linear", lc.TierTable.single_rate(0.01))]
    )
    policy = policy.replace(requirement_basis_cross="price", initial_margin_basis_cross="mark")
    book = lc.PositionBook(
        instrument=["X", "X"],
        quantity=[1.0, -0.5],
        entry_price=[100.0, 100.0],
        account=["a", "a"],
        margin_mode="cross",
        wallet_balance={"a": 20.0},
        leverage=[10.0, 10.0],
        position_mode="hedge",
    )
    for evaluate in (
        lc.Engine(policy).evaluate,
        lambda book, marks: lc.reference.evaluate(book, policy, marks),
    ):
        with pytest.raises(UnknownRuleError, match="hedge_requirement"):
            evaluate(book, {"X": 100.0})
