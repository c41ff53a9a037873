"""What must hold of accounts whose parts move together, whatever the formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

import levcore as lc
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES, MEASURE_NAMES
from support.pooled_books import PooledBook, random_book
from support.pooled_parity import SEEDS

TIERS = lc.TierTable.marginal([(0, "0.01"), (1_000, "0.02"), (4_000, "0.05")], unit="quote")
LINEAR = [
    lc.Instrument(f"{coin}USDT", "linear", TIERS, settlement="USDT", underlying=coin)
    for coin in ("BTC", "ETH", "SOL")
]
GENERIC = lc.policy("generic").with_instruments(LINEAR)
MARKS = {"BTCUSDT": 100.0, "ETHUSDT": 80.0, "SOLUSDT": 60.0}
COINS = [lc.Asset("USDT"), lc.Asset("BTC", weights=(0.95, 0.5), floors=(0.0, 300.0)), lc.Asset("ETH", (0.9,))]
MULTI = GENERIC.replace(liabilities_count_as="negative_equity").with_assets(COINS)
PRICES = {"USDT": 1.0, "BTC": 100.0, "ETH": 80.0}
HEDGE_RULES = ("sum", "larger_leg", "larger_side", "covered")
UNITS = ("return_on_equity", "margin_ratio", "effective_leverage", "distance_to_liquidation")
NEAR = 1e-9


def hedged(quantity: list[float], names: list[str] | None = None, **more: Any) -> lc.PositionBook:
    """Book of one account in hedge mode, every leg opened at 100."""
    arguments: dict[str, Any] = {
        "instrument": names or ["BTCUSDT"] * len(quantity),
        "quantity": quantity,
        "entry_price": [100.0] * len(quantity),
        "account": ["a"] * len(quantity),
        "margin_mode": "cross",
        "leverage": [10.0] * len(quantity),
        "position_mode": "hedge",
    }
    if "balances" not in more:
        arguments["wallet_balance"] = {"a": 50.0}
    return lc.PositionBook(**(arguments | more))


def evaluated(
    policy: lc.MarginPolicy, book: lc.PositionBook, mark: float = 100.0, **more: Any
) -> lc.BookRisk:
    return lc.Engine(policy).evaluate(book, MARKS | {"BTCUSDT": mark}, measures=MEASURE_NAMES, **more)


@pytest.mark.parametrize("mark", [20.0, 100.0, 500.0])
def test_legs_of_one_size_gain_nothing_at_any_price(mark: float) -> None:
    # What is netted asks for nothing either: no price liquidates, all of them leave the wallet.
    risk = evaluated(GENERIC.replace(hedge_requirement="covered"), hedged([3.0, -3.0]), mark)
    assert risk.accounts.equity.tolist() == [50.0]
    assert risk.accounts.maintenance_margin.tolist() == [0.0]
    assert risk.accounts.initial_margin.tolist() == [0.0]
    assert np.isnan(risk.liquidation_price).all()
    assert np.isnan(risk.bankruptcy_price).all()
    assert risk.status.tolist() == [lc.Status.NO_LIQUIDATION_PRICE] * 2


@pytest.mark.parametrize("rule", HEDGE_RULES[:3])
def test_legs_of_one_size_are_liquidated_by_their_requirement_alone(rule: str) -> None:
    # Above, since the requirement of both legs grows with the price and the equity does not.
    risk = evaluated(GENERIC.replace(hedge_requirement=rule), hedged([3.0, -3.0]))
    assert risk.accounts.equity.tolist() == [50.0]
    assert np.isnan(risk.liquidation_price_lower).all()
    upper = float(risk.liquidation_price_upper[0])
    assert upper == risk.liquidation_price_upper[1]
    value = 3.0 * upper
    one = max(0.01 * value, 0.02 * value - 10.0, 0.05 * value - 130.0)
    assert (2.0 if rule == "sum" else 1.0) * one == pytest.approx(50.0, rel=1e-12)


def test_a_covered_share_of_one_charges_the_larger_leg() -> None:
    # At an entry common to both legs the rules meet, whatever basis the requirement has.
    book = hedged([3.0, -2.0])
    for basis in ("price", "entry", "mark"):
        policy = GENERIC.replace(requirement_basis_cross=basis)
        whole = evaluated(policy.replace(hedge_requirement="covered", covered_share=1.0), book)
        larger = evaluated(policy.replace(hedge_requirement="larger_leg"), book)
        assert_close(whole.accounts.surplus, larger.accounts.surplus)


def test_netting_asks_for_no_more_than_the_larger_leg_and_that_for_no_more_than_both() -> None:
    quantities = [[3.0, -2.0], [30.0, -29.0], [1.0, -50.0], [10.0, -10.0]]
    for quantity in quantities:
        book = hedged(quantity)
        covered = GENERIC.replace(hedge_requirement="covered", covered_share=0.5)
        policies = [GENERIC.replace(hedge_requirement="covered"), covered]
        policies += [GENERIC.replace(hedge_requirement=rule) for rule in ("larger_leg", "sum")]
        margins = [float(evaluated(policy, book).accounts.maintenance_margin[0]) for policy in policies]
        assert margins == sorted(margins)
        assert margins[0] < margins[-1]


@given(SEEDS)
def test_a_hedge_book_without_pairs_equals_the_plain_book(seed: int) -> None:
    # Every account as one whole, under a rule that groups nothing here, against one leg after the other.
    drawn = np.random.default_rng(seed)
    names = [instrument.name for instrument in LINEAR]
    book = hedged(
        (drawn.choice([-1.0, 1.0], 3) * drawn.lognormal(1.0, 1.0, 3)).tolist(),
        names,
        wallet_balance={"a": float(drawn.uniform(0.0, 400.0))},
        accrued_funding=drawn.normal(0.0, 1.0, 3),
    )
    rules: dict[str, Any] = {
        "closing_fee_basis": "price",
        "closing_fee_rate": 0.001,
        "bankruptcy_includes_closing_fee": True,
    }
    for policy in (GENERIC, GENERIC.replace(**rules), GENERIC.replace(requirement_basis_cross="mark")):
        plain = evaluated(policy, book)
        whole = evaluated(policy.replace(hedge_requirement="larger_side"), book)
        assert (plain.state == whole.state).all()
        for name in ACCOUNT_MEASURES:
            assert_close(getattr(whole.accounts, name), getattr(plain.accounts, name))
        for name in ("notional", "equity", "margin_ratio", "bankruptcy_price"):
            assert_close(whole[name], plain[name])
        for name in ("liquidation_price_lower", "liquidation_price_upper"):
            assert_close(whole[name], plain[name])


def assert_close(found: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]) -> None:
    np.testing.assert_allclose(found, expected, rtol=NEAR, atol=NEAR)


@given(SEEDS)
def test_a_wallet_equals_a_balance_in_what_is_worth_its_number(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    quantity = (drawn.choice([-1.0, 1.0], 4) * drawn.lognormal(1.0, 1.0, 4)).tolist()
    quantity[1] = -quantity[0] * 1.5
    names = ["BTCUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT"]
    held = float(drawn.uniform(-10.0, 400.0))
    wallet = hedged(quantity, names, wallet_balance={"a": held})
    balance = hedged(quantity, names, balances=lc.Balances(["a"], ["USDT"], [held]))
    for rule in HEDGE_RULES:
        policy = MULTI.replace(hedge_requirement=rule)
        one = evaluated(policy, wallet)
        two = evaluated(policy, balance, asset_prices=PRICES)
        for name in ACCOUNT_MEASURES:
            assert np.array_equal(getattr(one.accounts, name), getattr(two.accounts, name)), name
        # Of three underlyings none has two instruments, so what moves is the same.
        for name in one.keys():  # noqa: SIM118 - a BookRisk is no mapping
            np.testing.assert_allclose(two[name], one[name], rtol=NEAR, err_msg=name)


@given(SEEDS)
def test_splitting_a_balance_into_what_is_held_and_owed_leaves_the_equity(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    net, extra = float(drawn.integers(-50, 50)), float(drawn.integers(0, 100))
    accounts, assets = ["a"] * 2, ["USDT", "BTC"]
    whole = lc.Balances(accounts, assets, [100.0, net])
    split = lc.Balances(
        accounts, assets, [100.0, net + extra], liability=[0.0, extra * 0.75], interest=[0.0, extra * 0.25]
    )
    risks = [
        evaluated(MULTI, hedged([1.0, -2.0], balances=balances), asset_prices=PRICES)
        for balances in (whole, split)
    ]
    # Whole numbers: nothing is rounded. A liability asks for nothing here.
    for name in ACCOUNT_MEASURES:
        assert getattr(risks[0].accounts, name) == getattr(risks[1].accounts, name), name
    for name in BALANCE_MEASURES:
        assert np.array_equal(
            getattr(risks[0].balances, name), getattr(risks[1].balances, name), equal_nan=True
        )
    for name in MEASURE_NAMES:
        assert np.array_equal(risks[0][name], risks[1][name], equal_nan=True), name


@pytest.mark.parametrize("rule", HEDGE_RULES)
@pytest.mark.parametrize("unit", [2.0**20, 2.0**-12])
def test_accounts_of_another_size_scale_to_the_bit(rule: str, unit: float) -> None:
    # Without tiers no number is tied to a size, and a power of two is exact.
    single = lc.TierTable.single_rate("0.02")
    coins = [lc.Asset("USDT"), lc.Asset("BTC", weights=(0.9,), liability_weight=1.01, liability_tiers=single)]
    instruments = [
        lc.Instrument(each.name, "linear", single, settlement="USDT", underlying=each.underlying)
        for each in LINEAR
    ]
    instruments.append(lc.Instrument("BTCUSD", "inverse", single, contract_size=10.0, settlement="BTC"))
    policy = lc.policy("generic").with_instruments(instruments).with_assets(coins)
    policy = policy.replace(hedge_requirement=rule, liabilities_count_as="requirement")

    def of_size(size: float) -> lc.BookRisk:
        names = ["BTCUSDT", "BTCUSDT", "ETHUSDT", "BTCUSD"]
        quantity = [size * each for each in (3.0, -2.5, 1.7, -4.0)]
        columns = {name: [size * each for each in values] for name, values in amounts.items()}
        balances = lc.Balances(["a", "a"], ["USDT", "BTC"], columns["balance"], columns["liability"])
        book = hedged(quantity, names, balances=balances)
        return lc.Engine(policy).evaluate(
            book, MARKS | {"BTCUSD": 101.0}, measures=MEASURE_NAMES, asset_prices=PRICES
        )

    amounts = {"balance": [30.3, 1.7], "liability": [11.1, 0.3]}
    one, many = of_size(1.0), of_size(unit)
    assert (one.state == many.state).all()
    for name in MEASURE_NAMES:
        factor = 1.0 if name in UNITS or "price" in name else unit
        assert np.array_equal(many[name], one[name] * factor, equal_nan=True), name
    for name in ACCOUNT_MEASURES:
        factor = 1.0 if name in UNITS else unit
        assert getattr(many.accounts, name) == getattr(one.accounts, name) * factor, name
    for name in BALANCE_MEASURES:
        factor = 1.0 if "price" in name else unit
        assert np.array_equal(
            getattr(many.balances, name), getattr(one.balances, name) * factor, equal_nan=True
        )


@pytest.mark.parametrize("mark", [13.0, 50.0, 100.0, 1_000.0])
def test_both_prices_of_growing_rates_are_found_from_either_side(mark: float) -> None:
    # Healthy from 15.7 to 84.1: the mark lies below both, between them, or above both.
    growing = lc.Instrument("COIN", "inverse", lc.TierTable.growing("0.01", "0.001"), contract_size=100.0)
    book = hedged([20.0, -100.0], ["COIN", "COIN"], wallet_balance={"a": 1.0})
    engine = lc.Engine(lc.policy("generic").with_instruments([growing]))
    risk = engine.evaluate(book, {"COIN": mark})
    assert risk.liquidation_price_lower == pytest.approx([15.654970956322405] * 2, rel=1e-12)
    assert risk.liquidation_price_upper == pytest.approx([84.09186448671556] * 2, rel=1e-12)
    liquidated = risk.state >= lc.State.LIQUIDATION
    assert liquidated.all() == (mark != 50.0)


@pytest.mark.parametrize("rule", HEDGE_RULES)
def test_the_currency_that_legs_settle_in_has_its_price_under_every_rule(rule: str) -> None:
    # Bitcoin worth 95 against 60 owed and one leg's margin of 1: liquidated as a dollar is 95 / 61.
    balances = lc.Balances(["a", "a"], ["USDT", "BTC"], [-60.0, 1.0])
    book = hedged([1.0], balances=balances)
    risk = evaluated(MULTI.replace(hedge_requirement=rule), book, asset_prices=PRICES)
    assert risk.balances.liquidation_price_upper[0] == pytest.approx(95.0 / 61.0, rel=1e-12)


@pytest.mark.parametrize("rule", HEDGE_RULES)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_an_initial_margin_that_is_not_known_is_none(rule: str, side: float) -> None:
    book = hedged([side, side], ["BTCUSDT", "ETHUSDT"], leverage=[10.0, math.nan])
    risk = evaluated(GENERIC.replace(hedge_requirement=rule), book)
    assert np.isnan(risk.accounts.initial_margin).all()
    assert not risk.accounts.may_add_risk.any()


@given(SEEDS)
def test_prices_bracket_the_mark_of_what_is_healthy(seed: int) -> None:
    drawn = random_book(seed, spoiled=False)
    risk = drawn.evaluate(drawn.book())
    book = risk.book
    healthy = (risk.state < lc.State.LIQUIDATION) & (book.quantity != 0.0) & book.is_cross
    marks = np.array([risk.mark_of(row) for row in range(len(risk))])
    lower, upper = risk.liquidation_price_lower, risk.liquidation_price_upper
    assert ((lower <= marks * (1 + NEAR)) | np.isnan(lower))[healthy].all()
    assert ((upper >= marks * (1 - NEAR)) | np.isnan(upper))[healthy].all()
    assert (risk.distance_to_liquidation[healthy] >= 0.0).all()
    if book.balances is None or drawn.asset_prices is None:
        return
    states = dict(zip(risk.accounts.ids, risk.accounts.state.tolist(), strict=True))
    names = book.balances.asset_names
    for row, (account, code) in enumerate(zip(book.balances.account, book.balances.asset_codes, strict=True)):
        if states[account] < lc.State.LIQUIDATION:
            price = drawn.asset_prices[names[code]]
            low = float(risk.balances.liquidation_price_lower[row])
            high = float(risk.balances.liquidation_price_upper[row])
            assert math.isnan(low) or low <= price * (1 + NEAR)
            assert math.isnan(high) or high >= price * (1 - NEAR)


@given(SEEDS)
def test_the_state_flips_at_the_price(seed: int) -> None:
    # Frozen at the mark, a requirement is another one at another mark.
    drawn = random_book(seed, spoiled=False, policies=1, requirement_basis_cross="price")
    policy = next(iter(drawn.policies.values()))
    if policy.fee_basis_of("cross") == "mark":
        return
    risk = drawn.evaluate(drawn.book())
    checked = 0
    for row in np.flatnonzero(
        (risk.state < lc.State.INCOMPLETE) & risk.book.is_cross & (risk.book.quantity != 0.0)
    ):
        for side, column in ((1.0, "liquidation_price_lower"), (-1.0, "liquidation_price_upper")):
            price = float(risk[column][row])
            # Beyond, a last tier ends, or digits do.
            if math.isnan(price) or not 0.2 < price / risk.mark_of(int(row)) < 5.0 or checked > 6:
                continue
            surplus = [
                surplus_at(drawn, policy, risk, int(row), price * (1 + side * step)) for step in (-1e-6, 1e-6)
            ]
            if not any(map(math.isnan, surplus)):
                checked += 1
                assert surplus[0] < 0.0 < surplus[1], (row, column)


def surplus_at(
    drawn: PooledBook, policy: lc.MarginPolicy, risk: lc.BookRisk, row: int, price: float
) -> float:
    """Surplus of the account of a row with everything that moves with it moved."""
    instrument = policy.instruments[risk.book.name_of(row)]
    factor = price / risk.mark_of(row)
    in_assets = drawn.balances is not None and risk.book.account_of(row) in drawn.balances["account"]
    mover = moves_with(instrument)
    together = in_assets and bool(mover)

    def moves(name: str) -> bool:
        return name == instrument.name or (together and moves_with(policy.instruments[name]) == mover)

    marks = {name: mark * factor if moves(name) else mark for name, mark in drawn.marks.items()}
    prices = drawn.asset_prices and {
        name: mark * factor if together and policy.assets[name].moves_with == mover else mark
        for name, mark in drawn.asset_prices.items()
    }
    moved = PooledBook(drawn.policies, drawn.columns, drawn.balances, marks, prices)
    again = moved.evaluate(moved.book()).accounts
    return float(again.surplus[again.ids.index(risk.book.account_of(row))])


def moves_with(instrument: lc.Instrument) -> str:
    """Underlying of an instrument; an inverse one moves with the coin that it settles in."""
    return instrument.underlying or (instrument.settlement if instrument.payoff == "inverse" else "")
