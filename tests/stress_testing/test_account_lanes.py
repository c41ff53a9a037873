"""Accounts side by side in many scenarios are those accounts evaluated in each, to the bit."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

import levcore as lc
from levcore.samples import generate
from levcore.stress_testing.accounts import sum_accounts
from levcore.stress_testing.result import Stress
from support.random_books import CONFIGURATIONS, Configuration, generic, linear, single
from support.stress_worlds import assert_same, columns_of_single_legs, compare_worlds

CROSS = [each for each in CONFIGURATIONS if each.mode != "isolated"]
POLICY = lc.policy("binance-usdm@2024-10-24")
DOLLARS = {name: each for name, each in POLICY.instruments.items() if each.settlement == "USDT"}
DOLLARS = dict(list(DOLLARS.items())[:30])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("configuration", CROSS, ids=lambda each: each.name)
def test_lanes_say_what_every_evaluation_says(configuration: Configuration, seed: int) -> None:
    _, exact = compare_worlds(configuration, 500, seed)
    assert (exact.accounts_liquidated > 0).any()
    assert not np.isnan(exact.worst_of_accounts.equity).all()


@pytest.mark.parametrize("configuration", CROSS, ids=lambda each: each.name)
def test_every_account_with_one_wallet_goes_side_by_side(configuration: Configuration) -> None:
    columns, marks = columns_of_single_legs(configuration, 500, 1)
    book, engine = lc.PositionBook(**columns), lc.Engine(configuration.policy)
    currencies = tuple(sorted({each.settlement for each in configuration.policy.instruments.values()} | {""}))
    assert sum_accounts(engine, book, marks[np.newaxis], Stress(book, np.arange(1), currencies), None)


@pytest.mark.parametrize("count", [1, 127, 128, 129, 300])
@pytest.mark.parametrize("order", ["random", "by_account"])
def test_any_number_of_scenarios_and_threads_gives_the_same(
    count: int, order: Literal["random", "by_account"]
) -> None:
    book, marks = generate.book(9_000, DOLLARS, seed=2, margin_mode="cross", order=order)
    engine = lc.Engine(POLICY)
    moves = np.random.default_rng(count).uniform(-0.4, 0.4, (count, len(book.instrument_names)))
    one, two = (lc.stress(engine, book, marks, moves, threads=threads) for threads in (1, 2))
    assert_same(two, one)
    for name, values in one.totals["USDT"].items():
        np.testing.assert_array_equal(two.totals["USDT"][name], values)
    if count < 130:
        assert_same(one, lc.stress(engine, book, marks, moves, exact=True))


def test_the_first_of_equal_scenarios_is_the_worst() -> None:
    book = lc.PositionBook(
        ["BTCUSDT"], [1.0], [60_000.0], account=["a"], margin_mode="cross",
        wallet_balance={"a": 9_000.0, "idle": -5.0},
    )  # fmt: skip
    moves = np.zeros((400, 1))
    moves[[150, 151, 399]] = -0.2
    worlds = lc.stress(lc.Engine(POLICY), book, {"BTCUSDT": 60_000.0}, moves)
    assert worlds.worst_of_accounts.scenario.tolist() == [150, 0]
    assert worlds.worst_of_accounts.equity.tolist() == [-3_000.0, -5.0]
    assert worlds.worst_of_accounts.liquidations.tolist() == [3, 400]
    assert worlds.totals["USDT"]["shortfall"][[0, 150]].tolist() == [5.0, 3_005.0]


def test_what_leaves_the_range_of_float64_is_not_judged_there() -> None:
    policy = generic([linear("A", tiers=single()), linear("B", tiers=single())])
    book = lc.PositionBook(
        ["A", "B", "A"], [1e300, 1.0, -1e300], [1e5, 100.0, 1e5], account=["a", "a", ""],
        margin_mode=["cross", "cross", "isolated"], isolated_margin=[np.nan, np.nan, 1e305],
        wallet_balance={"a": 1e306},
    )  # fmt: skip
    shocks = {"A": [1e4, 0.0, 1e3, -0.5, 1e4], "B": [0.1] * 5}
    marks = {"A": 1e5, "B": 100.0}
    fast, exact = (lc.stress(lc.Engine(policy), book, marks, shocks, exact=each) for each in (False, True))
    assert_same(fast, exact)
    assert exact.not_judged.tolist() == [3, 0, 0, 0, 3]
    for name, values in exact.totals[exact.currencies[0]].items():
        np.testing.assert_array_equal(fast.totals[exact.currencies[0]][name], values)


def test_rows_and_accounts_of_several_policies_follow_their_own() -> None:
    strict, loose = (
        generic([linear("A", tiers=single()), linear("B", tiers=single())], liquidation_level=level)
        for level in (0.5, 1.0)
    )
    random = np.random.default_rng(3)
    book = lc.PositionBook(
        random.choice(["A", "B"], 60), random.normal(0.0, 1.0, 60), [100.0] * 60,
        account=[str(row) for row in range(60)], margin_mode=["cross", "isolated"] * 30,
        isolated_margin=[20.0] * 60, policy=random.choice(["strict", "loose"], 60),
        wallet_balance={str(row): 15.0 for row in range(60)},
    )  # fmt: skip
    engine = lc.Engine({"strict": strict, "loose": loose})
    marks = {"strict": {"A": 100.0, "B": 101.0}, "loose": {"A": 99.0, "B": 100.0}}
    moves = random.uniform(-0.3, 0.3, (200, len(book.instrument_names)))
    fast, exact = (lc.stress(engine, book, marks, moves, exact=each) for each in (False, True))
    assert_same(fast, exact)
    assert len(set(exact.positions_liquidated.tolist())) > 10
