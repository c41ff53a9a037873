"""A sorted book says in any scenario what an evaluation says, also where a verdict turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from levcore.samples import generate
from support.random_books import CONFIGURATIONS, Configuration, generic, linear, single
from support.stress_worlds import assert_amounts, random_world

ISOLATED = [
    replace(each, mode="isolated", absent=() if "leverage" in each.absent else each.absent)
    for each in CONFIGURATIONS
]
MOVING_FEE = Configuration(
    "fee at the mark", generic([linear("L1")], closing_fee_basis="mark", closing_fee_rate=0.0005), "isolated"
)
WIDE: dict[str, Any] = {"lowest": -1.0 + 1e-12, "highest": 1e6}
COUNTS = ("positions_liquidated", "accounts_liquidated", "not_judged")


def same_counts(found: Any, expected: Any) -> None:
    """Compare numbers of positions and accounts."""
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("configuration", [*ISOLATED, MOVING_FEE], ids=lambda each: each.name)
def test_an_index_says_what_every_evaluation_says(configuration: Configuration, seed: int) -> None:
    engine, book, marks, moves = random_world(configuration, 400, seed)
    exact = lc.stress(engine, book, marks, moves, exact=True)
    index = lc.StressIndex(engine, book, marks, **WIDE)
    found = index.stress(moves)
    same_counts(found, exact)
    assert_amounts(configuration, marks, moves, found, exact)
    assert (exact.positions_liquidated > 0).any()
    # One scenario by itself is the same to the last bit: no sum depends on its neighbours.
    alone = index.stress(moves[[7]])
    for currency, amounts in found.totals.items():
        for name, values in amounts.items():
            assert alone.totals[currency][name][0] == values[7]


def test_verdicts_are_exact_on_every_float_around_a_liquidation_price() -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    book = lc.PositionBook(
        ["BTCUSDT"] * 4, [1.0, -1.0, 7.0, -40.0], [60_000.0] * 4, leverage=[10.0, 10.0, 25.0, 5.0]
    )
    engine, marks = lc.Engine(policy), {"BTCUSDT": 60_000.0}
    prices = engine.evaluate(book, marks).liquidation_price
    near = [price + step * np.spacing(price) for price in prices for step in range(-60, 61)]
    moves = np.array(near)[:, np.newaxis] / 60_000.0 - 1.0
    index = lc.StressIndex(engine, book, marks)
    same_counts(index.stress(moves), lc.stress(engine, book, marks, moves, exact=True))


def test_accounts_are_added_and_several_currencies_told_apart() -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT", "BTCUSDC", "ETHUSDT"],
        [0.5, -4.0, 1.0, 2.0],
        [58_000.0, 2_900.0, 60_000.0, 3_000.0],
        ["desk", "desk", None, None],
        ["cross", "cross", "isolated", "isolated"],
        wallet_balance={"desk": 2_500.0},
        isolated_margin=[np.nan, np.nan, 4_000.0, 500.0],
    )
    engine = lc.Engine(policy)
    marks = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "BTCUSDC": 60_010.0}
    moves = np.random.default_rng(2).uniform(-0.4, 0.4, (50, 3))
    found, expected = lc.StressIndex(engine, book, marks).stress(moves), lc.stress(engine, book, marks, moves)
    same_counts(found, expected)
    assert found.currencies == expected.currencies == ("USDC", "USDT")
    assert len(set(expected.accounts_liquidated.tolist())) == 2
    for currency, amounts in expected.totals.items():
        for name, values in amounts.items():
            np.testing.assert_allclose(found.totals[currency][name], values, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_no_bit(threads: int) -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    names = [name for name, each in policy.instruments.items() if each.settlement == "USDT"][:5]
    instruments = {name: policy.instruments[name] for name in names}
    book, marks = generate.book(20_000, instruments, seed=1, margin_mode="isolated")
    moves = np.random.default_rng(1).uniform(-0.5, 0.5, (40, len(names)))
    engine = lc.Engine(policy)
    one = lc.StressIndex(engine, book, marks, threads=1).stress(moves, threads=1)
    some = lc.StressIndex(engine, book, marks, threads=threads).stress(moves, threads=threads)
    same_counts(some, one)
    for name, values in one.totals["USDT"].items():
        np.testing.assert_array_equal(some.totals["USDT"][name], values)


def test_labels_factors_and_an_empty_table() -> None:
    policy = generic([linear("A", tiers=single()), linear("B", tiers=single())])
    book = lc.PositionBook(["A", "B", "A"], [1.0, 1.0, 0.0], [100.0] * 3, isolated_margin=[10.0, 10.0, 5.0])
    index = lc.StressIndex(lc.Engine(policy), book, {"A": 100.0})
    worlds = index.stress({"scenario": ["still", "down"], "A": [0.0, -0.2]}, others=0.0)
    assert (worlds.scenarios.tolist(), worlds.rows, len(worlds)) == (["still", "down"], 3, 2)
    # B has no price: it is left to the evaluation, and not judged.
    assert worlds.not_judged.tolist() == [1, 1]
    assert worlds.positions_liquidated.tolist() == [0, 1]
    assert worlds.totals[worlds.currencies[0]]["equity"].tolist() == [15.0, -5.0]
    factors = index.stress({"market": [-0.1, -0.15]}, betas={"A": {"market": 1.0}}, others=0.0)
    assert factors.positions_liquidated.tolist() == [1, 1]
    assert len(index.stress(np.empty((0, 2)))) == 0


def test_what_an_index_cannot_do_is_refused() -> None:
    policy = generic([linear("A", tiers=single())])
    engine = lc.Engine(policy)
    book = lc.PositionBook(["A"], [1.0], [100.0], isolated_margin=[10.0])
    index = lc.StressIndex(engine, book, {"A": 100.0}, lowest=-0.5, highest=0.5)
    with pytest.raises(errors.InputError, match="must be a move within the range of the index"):
        index.stress({"A": [0.1, 0.6]})
    outside: list[dict[str, Any]] = [{"lowest": -1.0}, {"lowest": 0.0}, {"highest": 0.0}, {"highest": np.nan}]
    for given in outside:
        with pytest.raises(errors.InputError):
            lc.StressIndex(engine, book, {"A": 100.0}, **given)
    hedged = lc.PositionBook(
        ["A", "A"],
        [1.0, -0.5],
        [100.0] * 2,
        ["x", "x"],
        "cross",
        wallet_balance={"x": 50.0},
        position_mode="hedge",
    )
    with pytest.raises(errors.InputError, match="book: must have accounts with one wallet each"):
        lc.StressIndex(engine, hedged, {"A": 100.0})
