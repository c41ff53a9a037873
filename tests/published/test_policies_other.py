"""Policies of on-chain venues, stock margin and brokers: their rules in closed form, and what they refuse."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore.book.balances import Balances
from levcore.errors import UnknownRuleError
from levcore.rules.assets import Asset
from levcore.rules.policy import RULES
from levcore.rules.policy_files import DEFAULTS
from support.closing.quantums import Account, Leg
from support.published_cases import EVALUATORS

Evaluator = Callable[..., lc.BookRisk]

QUARTER = lc.TierTable.single_rate("0.25")
HALF = lc.TierTable.single_rate("0.5")


@pytest.fixture(params=EVALUATORS, ids=str)
def evaluate(request: pytest.FixtureRequest) -> Evaluator:
    return EVALUATORS[request.param]


def risk_of(
    evaluate: Evaluator,
    policy: str,
    *,
    quantity: float,
    entry: float,
    margin: float,
    mark: float,
    tiers: lc.TierTable = QUARTER,
    **facts: Any,
) -> lc.BookRisk:
    """One isolated position under a bundled policy."""
    rules = lc.policy(policy).with_instruments([lc.Instrument("X", "linear", tiers, **facts)])
    book = lc.PositionBook(
        instrument=["X"],
        quantity=[quantity],
        entry_price=[entry],
        isolated_margin=[margin],
        leverage=[4.0],
    )
    return evaluate(book, rules, {"X": mark})


# Equity over requirement at which the venue acts, and whether it acts at that very number.
ACTS_AT = {
    "dydx-v4": (1.0, False),
    "gmx-v2": (1.0, False),
    "reg-t": (1.0, False),
    "fx-broker": (0.5, True),
    "cfd-broker-eu": (0.5, True),
}


@pytest.mark.parametrize("policy", ACTS_AT)
def test_positions_are_liquidated_at_the_level_or_beyond_it(evaluate: Evaluator, policy: str) -> None:
    share, inclusive = ACTS_AT[policy]
    for margin, liquidatable in (
        (25 * share, inclusive),
        (25 * share - 0.5, True),
        (25 * share + 0.5, False),
    ):
        risk = risk_of(evaluate, policy, quantity=1, entry=100, margin=margin, mark=100)
        assert bool(risk.state[0] == lc.State.LIQUIDATION) is liquidatable, margin


@pytest.mark.parametrize(
    ("policy", "owes"),
    [
        ("dydx-v4", "no"),
        ("gmx-v1", "no"),
        ("gmx-v2", "no"),
        ("aave-v3", "no"),
        ("compound-v3", "no"),
        ("cfd-broker-eu", "no"),
        ("reg-t", "yes"),
        ("fx-broker", "unknown"),
        ("paradex", "unknown"),
        ("lighter", "unknown"),
        ("unprotected", "yes"),
    ],
)
def test_who_owes_a_shortfall(policy: str, owes: str) -> None:
    assert lc.policy(policy).trader_owes == owes


@pytest.mark.parametrize("side", [1, -1])
def test_a_requirement_at_entry_puts_the_price_where_the_margin_is_used_up(
    evaluate: Evaluator, side: int
) -> None:
    # Margin 40 less half of the requirement of 25 is what the price may take; the mark does not matter.
    for mark in (80, 100, 120):
        risk = risk_of(evaluate, "fx-broker", quantity=side, entry=100, margin=40, mark=mark)
        assert risk.liquidation_price[0] == 100 - side * 27.5
        assert risk.maintenance_margin[0] == 25 == risk.initial_margin[0]


@pytest.mark.parametrize(("quantity", "rate"), [(8, "0.25"), (-8, "0.30")])
def test_stock_is_called_where_the_maintenance_percentage_is_left(
    evaluate: Evaluator, quantity: int, rate: str
) -> None:
    risk = risk_of(
        evaluate,
        "reg-t",
        quantity=quantity,
        entry=100,
        margin=400,
        mark=104,
        short_tiers=lc.TierTable.single_rate("0.30"),
        initial_tiers=HALF,
    )
    side = 1 if quantity > 0 else -1
    called = Fraction(100) * (1 - side * Fraction(1, 2)) / (1 - side * Fraction(rate))
    assert risk.liquidation_price[0] == pytest.approx(float(called), rel=1e-15)
    assert risk.initial_margin[0] == 416
    assert risk.maintenance_margin[0] == pytest.approx(832 * float(rate), rel=1e-15)


def test_stock_without_an_initial_percentage_has_no_initial_margin(evaluate: Evaluator) -> None:
    risk = risk_of(evaluate, "reg-t", quantity=1, entry=100, margin=50, mark=100)
    assert risk.initial_margin[0] != risk.initial_margin[0]
    assert risk.maintenance_margin[0] == 25


@pytest.mark.parametrize("value", [100.0, 500.0, 555.0, 556.0, 2_000.0])
def test_gmx_v1_asks_for_the_worse_of_fees_and_a_hundredth(evaluate: Evaluator, value: float) -> None:
    tiers = lc.TierTable.single_rate("0.009").with_minimum(5)
    risk = risk_of(evaluate, "gmx-v1", quantity=value, entry=1, margin=50, mark=1, tiers=tiers)
    worse = max(0.001 * value + 5, 0.01 * value)
    assert risk.maintenance_margin[0] == pytest.approx(worse, rel=1e-14)
    assert risk.liquidation_price[0] == pytest.approx(1 - (50 - worse) / value, rel=1e-13)


@pytest.mark.parametrize("policy", ["aave-v3", "compound-v3"])
@pytest.mark.parametrize(("debt", "liquidatable"), [(799.0, False), (800.0, False), (801.0, True)])
def test_a_loan_is_liquidated_below_its_weighted_collateral(
    evaluate: Evaluator, policy: str, debt: float, liquidatable: bool
) -> None:
    rules = lc.policy(policy).with_assets([Asset("COLL", weights=(0.8,)), Asset("BASE")])
    balances = Balances(["a", "a"], ["COLL", "BASE"], [10.0, 0.0], liability=[0.0, debt])
    book = lc.PositionBook(instrument=[], quantity=[], entry_price=[], balances=balances)
    risk = evaluate(book, rules, {}, asset_prices={"COLL": 100.0, "BASE": 1.0})
    assert bool(risk.accounts.state[0] == lc.State.LIQUIDATION) is liquidatable
    assert risk.accounts.margin_ratio[0] == debt / 800
    # Collateral may fall to where its weighted value is the debt, and the debt rise to that value.
    assert risk.balances.liquidation_price_lower[0] == pytest.approx(debt / 8, rel=1e-14)
    assert risk.balances.liquidation_price_upper[1] == pytest.approx(800 / debt, rel=1e-14)


@pytest.mark.parametrize("side", [1, -1])
def test_collateral_in_the_index_token_moves_with_the_position(evaluate: Evaluator, side: int) -> None:
    size, entry, held = 40.0 * side, 5_000.0, 10.0
    tiers = lc.TierTable.single_rate("0.01").with_minimum(1)
    instrument = lc.Instrument("X", "linear", tiers, settlement="USD", underlying="ETH")
    rules = lc.policy("gmx-v2").with_instruments([instrument]).with_assets([Asset("ETH"), Asset("USD")])
    book = lc.PositionBook(
        instrument=["X"],
        quantity=[size],
        entry_price=[entry],
        account=["a"],
        margin_mode="cross",
        balances=Balances(["a"], ["ETH"], [held]),
    )
    risk = evaluate(book, rules, {"X": 4_800.0}, asset_prices={"ETH": 4_800.0, "USD": 1.0})
    # Collateral, profit and requirement: held * p + size * (p - entry) = 1 % of the size at entry.
    price = (size * entry + 0.01 * abs(size) * entry) / (size + held)
    assert risk.liquidation_price[0] == pytest.approx(price, rel=1e-14)
    assert risk.accounts.equity[0] == held * 4_800 + size * (4_800 - entry)


@pytest.mark.parametrize(
    ("stated", "lots"),
    [
        ({}, 3.0),  # both covered legs at half of their margin
        ({"covered_share": 0.0}, 1.0),  # covered lots are free
        ({"hedge_requirement": "larger_leg", "covered_share": 0.0}, 3.0),
        ({"hedge_requirement": "sum", "covered_share": 0.0}, 5.0),
    ],
)
def test_a_broker_charges_covered_lots_as_it_states(
    evaluate: Evaluator, stated: dict[str, Any], lots: float
) -> None:
    rules = lc.policy("fx-broker").replace(**stated)
    rules = rules.with_instruments([lc.Instrument("X", "linear", lc.TierTable.single_rate("0.25"))])
    book = lc.PositionBook(
        instrument=["X", "X"],
        quantity=[3.0, -2.0],
        entry_price=[4.0, 4.0],
        account=["a", "a"],
        margin_mode="cross",
        position_mode="hedge",
        wallet_balance={"a": 100.0},
    )
    assert evaluate(book, rules, {"X": 4.0}).accounts.maintenance_margin[0] == lots


@given(st.integers(1, 10**6), st.booleans(), st.integers(1, 10**9), st.integers(-(10**12), 10**12), st.data())
def test_the_engine_judges_as_the_chain_does_but_for_its_rounding(
    price: int, is_long: bool, size: int, balance: int, data: st.DataObject
) -> None:
    initial, share = data.draw(st.integers(10_000, 500_000)), data.draw(st.integers(300_000, 1_000_000))
    quantity = size if is_long else -size
    chain = Account(balance, [Leg(quantity, price, initial, share)])
    tiers = lc.TierTable.single_rate(Fraction(initial * share, 10**12))
    rules = lc.policy("dydx-v4").with_instruments([lc.Instrument("X", "linear", tiers)])
    book = lc.PositionBook(
        instrument=["X"],
        quantity=[float(quantity)],
        entry_price=[float(price)],
        account=["a"],
        margin_mode="cross",
        wallet_balance={"a": float(balance + quantity * price)},
    )
    accounts = lc.reference.evaluate(book, rules, {"X": float(price)}).accounts
    required = chain.maintenance_requirement
    slack = 2 + 1e-12 * size * price
    assert required - slack <= accounts.maintenance_margin[0] <= required + slack
    if abs(chain.equity - required) > slack:
        assert (accounts.state[0] in (lc.State.LIQUIDATION, lc.State.BANKRUPT)) is chain.is_liquidatable


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("margin", [Fraction(1, 5), Fraction(1, 2)])
def test_tradingviews_price_of_a_margin_call(evaluate: Evaluator, side: int, margin: Fraction) -> None:
    """The formula of the help centre, article 43000717375: capital and net profit, point value, direction."""
    capital, point, size, entry = Fraction(900), 5, 4, Fraction(100)
    expected = (capital / (point * size) - side * entry) / (margin - side)
    tiers = lc.TierTable.single_rate(str(float(margin)))
    contract = lc.Instrument("X", "linear", tiers, contract_size=float(point), initial_tiers=tiers)
    book = lc.PositionBook(["X"], [side * size], [float(entry)], ["a"], "cross", wallet_balance={"a": 900.0})
    risk = evaluate(book, lc.policy("tradingview-strategy").with_instruments([contract]), {"X": 100.0})
    assert risk.liquidation_price[0] == pytest.approx(float(expected), rel=1e-15)
    assert risk.initial_margin[0] == pytest.approx(float(margin * point * size * entry), rel=1e-15)


def test_a_margin_call_of_tradingview_closes_four_times_what_is_missing() -> None:
    """Pine Script user manual, Strategies, Margin: TSLA at 3.9 on 2010-09-23, three times the capital."""
    tiers = lc.TierTable.single_rate("0.25")
    shares = lc.Instrument("TSLA", "linear", tiers, initial_tiers=tiers)
    book = lc.PositionBook(["TSLA"], [682_438.0], [4.43], ["a"], "cross", wallet_balance={"a": 1_000_000.0})
    engine = lc.Engine(lc.policy("tradingview-strategy").with_instruments([shares]))
    missing = lc.quantities_to_close(engine, book, {"TSLA": 3.9})
    assert missing.round(2).tolist() == [27_763.27]
    assert 4 * int(missing[0]) == 111_052


def test_unprotected_is_generic_but_for_who_pays() -> None:
    ours, generic = lc.policy("unprotected"), lc.policy("generic")
    stated = {rule for rule in RULES if rule.startswith("close_out_") and rule not in DEFAULTS}
    after = stated | {"trader_owes", "debtor"}
    assert {rule for rule in RULES if getattr(ours, rule) != getattr(generic, rule)} == after
    book = lc.PositionBook(["X"], [1.0], [100.0], isolated_margin=[10.0], leverage=[10.0])
    policy = ours.with_instruments([lc.Instrument("X", "linear", lc.TierTable.single_rate("0.01"))])
    closed = lc.close_out(lc.Engine(policy), book, {"X": 80.0})
    assert closed.totals()["owed"] == 10.0


REFUSED = {
    "paradex": "close_out_fee_rate",
    "lighter": "requirement_basis_isolated",
    "tradingview-strategy": "close_out_step",
    "gmx-v1": "requirement_basis_cross",
    "cfd-broker-eu": "hedge_requirement",
    "reg-t": "hedge_requirement",
    "fx-broker": "trader_owes",
    "aave-v3": "requirement_basis_isolated",
    "compound-v3": "warning_level",
    "dydx-v4": "margin_call_level",
}


@pytest.mark.parametrize("policy", REFUSED)
def test_what_no_source_states_refuses_with_the_reason(policy: str) -> None:
    rules = lc.policy(policy)
    with pytest.raises(UnknownRuleError) as caught:
        rules.known(REFUSED[policy])
    assert rules.unknown.about(REFUSED[policy]) in str(caught.value)
