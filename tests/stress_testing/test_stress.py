"""A book in many scenarios is the book evaluated in each, and a move that nobody stated is refused."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError, LevcoreError, ShapeError
from levcore.samples import generate

POLICY = lc.policy("binance-usdm@2024-10-24")
DOLLARS = {name: POLICY.instruments[name] for name in POLICY.instruments}
DOLLARS = dict(list({n: i for n, i in DOLLARS.items() if i.settlement == "USDT"}.items())[:12])
ENGINE = lc.Engine(POLICY)


@pytest.mark.parametrize("mode", ["isolated", "cross", "mixed"])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_scenario_is_an_evaluation_at_the_moved_marks(mode: str, threads: int) -> None:
    book, marks = generate.book(500, DOLLARS, seed=3, margin_mode=mode)  # type: ignore[arg-type]
    random = np.random.default_rng(4)
    moves = random.uniform(-0.3, 0.3, (40, len(book.instrument_names)))
    worlds = lc.stress(ENGINE, book, marks, moves, exact=True, threads=threads)
    prices = np.array([marks[name] for name in book.instrument_names])
    lowest = np.full(len(book.account_ids), np.inf)
    for scenario in range(40):
        risk = ENGINE.evaluate(book, prices * (1.0 + moves[scenario]))
        lost = (risk.state == lc.State.LIQUIDATION) | (risk.state == lc.State.BANKRUPT)
        own = [*risk.equity[~book.is_cross], *risk.accounts.equity]
        equities = [Fraction(float(each)) for each in own if not np.isnan(each)]
        assert worlds.positions_liquidated[scenario] == lost.sum()
        assert worlds.totals["USDT"]["equity"][scenario] == float(sum(equities))
        assert worlds.totals["USDT"]["shortfall"][scenario] == float(
            sum(-each for each in equities if each < 0)
        )
        value = sum(Fraction(float(each)) for each in risk.notional[lost])
        assert worlds.totals["USDT"]["liquidated_notional"][scenario] == float(value)
        lowest = np.fmin(lowest, risk.accounts.equity)
    np.testing.assert_array_equal(worlds.worst_of_accounts.equity, np.where(np.isinf(lowest), np.nan, lowest))


def test_the_worst_scenario_is_the_one_that_leaves_least() -> None:
    book = lc.PositionBook(["BTCUSDT", "BTCUSDT"], [1.0, -1.0], [60_000.0] * 2, isolated_margin=[6_000.0] * 2)
    worlds = lc.stress(
        ENGINE, book, {"BTCUSDT": 60_000.0}, {"scenario": ["up", "down"], "BTCUSDT": [0.2, -0.3]}
    )
    assert [str(worlds.scenarios[each]) for each in worlds.worst_of_rows.scenario] == ["down", "up"]
    assert worlds.worst_of_rows.equity.tolist() == [6_000.0 - 18_000.0, 6_000.0 - 12_000.0]
    assert worlds.worst_of_rows.liquidations.tolist() == [1, 1]
    assert worlds.totals["USDT"]["shortfall"].tolist() == [6_000.0, 12_000.0]


def test_factors_move_instruments_by_their_betas() -> None:
    book = lc.PositionBook(["BTCUSDT", "ETHUSDT"], [1.0, 1.0], [60_000.0, 3_000.0], isolated_margin=[1e6] * 2)
    marks = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}
    factors = {"market": [-0.1, 0.2], "alt": [0.05, -0.1]}
    betas = {"BTCUSDT": {"market": 1.0}, "ETHUSDT": {"market": 1.5, "alt": 1.0}}
    by_factor = lc.stress(ENGINE, book, marks, factors, betas=betas)
    moved = {"BTCUSDT": [-0.1, 0.2], "ETHUSDT": [1.5 * -0.1 + 0.05, 1.5 * 0.2 - 0.1]}
    by_name = lc.stress(ENGINE, book, marks, moved)
    assert by_factor.totals["USDT"]["equity"].tolist() == by_name.totals["USDT"]["equity"].tolist()


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pl.DataFrame])
def test_tables_of_any_library_are_read(make: type) -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], isolated_margin=[6_000.0])
    table = make({"scenario": ["a", "b"], "BTCUSDT": [-0.2, 0.1]})
    worlds = lc.stress(ENGINE, book, {"BTCUSDT": 60_000.0}, table)
    assert worlds.positions_liquidated.tolist() == [1, 0]
    assert list(worlds.to_dict())[:2] == ["scenario", "equity"]


def test_collateral_moves_with_its_underlying() -> None:
    loan = lc.PositionBook(
        ["BTCUSDT"], [0.1], [60_000.0], account=["eve"], margin_mode="cross",
        balances=lc.Balances(account=["eve"], asset=["BTC"], balance=[1.0]),
    )  # fmt: skip
    rules = lc.policy("binance-usdm-multi-assets")
    coin = lc.Asset("BTC", underlying="BTC")
    contract = lc.Instrument(
        "BTCUSDT", "linear", lc.TierTable.single_rate("0.01"), settlement="USDT", underlying="BTC"
    )
    rules = rules.with_instruments([contract]).with_assets([coin, lc.Asset("USDT")])
    engine = lc.Engine(rules)
    marks, assets = {"BTCUSDT": 60_000.0}, {"BTC": 60_000.0, "USDT": 1.0}
    worlds = lc.stress(engine, loan, marks, {"BTCUSDT": [-0.5]}, asset_prices=assets)
    expected = engine.evaluate(loan, {"BTCUSDT": 30_000.0}, asset_prices={"BTC": 30_000.0, "USDT": 1.0})
    assert worlds.worst_of_accounts.equity.tolist() == expected.accounts.equity.tolist()


BOOK = lc.PositionBook(["BTCUSDT", "ETHUSDT"], [1.0, 1.0], [60_000.0, 3_000.0], isolated_margin=[1e3] * 2)
MARKS = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}


@pytest.mark.parametrize(
    ("shocks", "options", "kind", "words"),
    [
        ({"BTCUSDT": [-0.1]}, {}, InputError, "ETHUSDT"),
        ({"BTCUSDT": [-0.1], "ETHUSD": [0.1]}, {"others": 0.0}, InputError, "'ETHUSD'"),
        ({"BTCUSDT": [-1.0]}, {"others": 0.0}, InputError, "above -1"),
        ({"BTCUSDT": [np.nan]}, {"others": 0.0}, InputError, "finite"),
        ({"BTCUSDT": [-0.1, 0.1], "ETHUSDT": [0.1]}, {}, ShapeError, "ETHUSDT"),
        ({"scenario": ["a"], "BTCUSDT": [-0.1, 0.1]}, {"others": 0.0}, ShapeError, "scenario"),
        ([[0.1]], {}, ShapeError, "scenario"),
        ([["a", "b"]], {}, DTypeError, "real"),
        ("BTCUSDT", {}, LevcoreError, "shocks"),
        ({"m": [0.1]}, {"betas": {"BTCUSDT": {"n": 1.0}}, "others": 0.0}, InputError, "factor"),
        ({"m": [0.1]}, {"betas": {"BTC": {"m": 1.0}}, "others": 0.0}, InputError, "'BTC'"),
        ({"m": [0.1]}, {"betas": 3}, DTypeError, "betas"),
        ({"m": [0.1]}, {"betas": {"BTCUSDT": 1.0}, "others": 0.0}, DTypeError, "mapping"),
        ({"BTCUSDT": [0.1]}, {"others": -2.0}, InputError, "others"),
        ({}, {}, InputError, "column"),
    ],
)
def test_a_bad_shock_is_refused(
    shocks: object, options: dict[str, object], kind: type[LevcoreError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        lc.stress(ENGINE, BOOK, MARKS, shocks, **options)  # type: ignore[arg-type]


def test_what_cannot_be_judged_is_counted() -> None:
    worlds = lc.stress(ENGINE, BOOK, {"BTCUSDT": 60_000.0}, {"BTCUSDT": [0.0]}, others=0.0)
    assert worlds.not_judged.tolist() == [1]
    assert worlds.worst_of_rows.scenario.tolist() == [0, -1]
    with warnings.catch_warnings(action="error"):
        beyond = lc.stress(ENGINE, BOOK, {"BTCUSDT": 60_000.0}, {"BTCUSDT": [1e308]}, others=0.0)
    assert beyond.not_judged.tolist() == [2]


def test_wallets_of_an_account_are_stressed_apart() -> None:
    tiers = lc.TierTable.single_rate("0.01")
    instruments = [
        lc.Instrument(name, "linear", tiers, settlement=currency)
        for name, currency in (("A", "USDT"), ("B", "USDC"))
    ]
    policy = lc.policy("generic").replace(cross_wallet="settlement_currency").with_instruments(instruments)
    book = lc.PositionBook(
        ["A", "B"], [1.0, 1.0], [100.0, 100.0], ["a", "a"], "cross",
        wallet_balance={"a": {"USDT": 50.0, "USDC": 10.0}},
    )  # fmt: skip
    marks = {"A": 100.0, "B": 100.0}
    worlds = lc.stress(lc.Engine(policy), book, marks, {"A": [0.0, -0.2], "B": [0.0, -0.2]})
    assert worlds.totals["USDT"]["equity"].tolist() == [50.0, 30.0]
    assert worlds.totals["USDC"]["equity"].tolist() == [10.0, -10.0]
    assert worlds.totals["USDC"]["shortfall"].tolist() == [0.0, 10.0]
    assert worlds.accounts_liquidated.tolist() == [0, 1]
    assert worlds.positions_liquidated.tolist() == [0, 1]
    assert worlds.worst_of_accounts.liquidations.tolist() == [1]


def test_no_scenarios_give_an_empty_result() -> None:
    book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    found = lc.stress(lc.Engine(lc.policy("generic")), book, {"BTCUSDT": 60_000.0}, np.empty((0, 1)))
    assert len(found) == 0
    assert all(column.shape == (0,) for column in found.to_dict().values())
    assert "No scenario was asked for." in lc.report(found)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("accounts", [False, True])
def test_currencies_are_those_that_positions_settle_in(exact: bool, accounts: bool) -> None:
    table = lc.TierTable.single_rate("0.01")
    coins = [lc.Instrument(f"{coin}USD", "linear", table, settlement=coin) for coin in ("A", "B")]
    generic = lc.policy("generic")
    engine = lc.Engine(
        {coin: generic.with_instruments([each]) for coin, each in zip("AB", coins, strict=True)}
    )
    cross: dict[str, Any] = {
        "account": ["x", "y", "z"],
        "margin_mode": "cross",
        "wallet_balance": {"x": 9.0, "y": 9.0, "z": 9.0},
    }
    book = lc.PositionBook(
        ["AUSD", "BUSD", "CUSD"],
        [1.0, 1.0, 1.0],
        [10.0, 10.0, 10.0],
        policy=["A", "B", "A"],
        leverage=[2.0, 2.0, 2.0],
        **(cross if accounts else {}),
    )
    marks = {"AUSD": 10.0, "BUSD": 10.0, "CUSD": 10.0}
    shocks = {"AUSD": [0.0, 0.5]}
    result = lc.stress(engine, book, marks, shocks, others=0.0, exact=exact)
    assert result.currencies == ("A", "B") == tuple(result.totals)
    assert result.not_judged.tolist() == [1, 1]
    index = lc.StressIndex(engine, book, marks, lowest=-0.5, highest=0.5)
    totals = index.stress(shocks, others=0.0)
    assert totals.currencies == ("A", "B")
    for currency in "AB":
        assert totals.totals[currency]["equity"].tolist() == result.totals[currency]["equity"].tolist()
