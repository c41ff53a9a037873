"""Sums by lines are a full evaluation: the same numbers of positions, amounts within the stated bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import levcore as lc
from levcore.samples import generate
from levcore.stress_testing.isolated import sum_isolated
from levcore.stress_testing.result import Stress
from support.random_books import CONFIGURATIONS, Configuration, generic, linear, random_columns, single
from support.stress_worlds import assert_same, compare_worlds

ISOLATED = [
    # Without any margin nothing could be judged.
    replace(each, mode="isolated", absent=() if "leverage" in each.absent else each.absent)
    for each in CONFIGURATIONS
]
PER_UNIT = lc.TierTable.per_unit([(0, "0.05", 0), (20, "0.04", "-0.2")])
MOVING_FEE = Configuration(
    "fee at the mark",
    generic([linear("L1")], closing_fee_basis="mark", closing_fee_rate=0.0005),
    "isolated",
)
UNIT = Configuration("rates a unit", generic([linear("U1", tiers=PER_UNIT), linear("L1")]), "isolated")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("configuration", [*ISOLATED, MOVING_FEE, UNIT], ids=lambda each: each.name)
def test_lines_say_what_every_evaluation_says(configuration: Configuration, seed: int) -> None:
    fast, exact = compare_worlds(configuration, 500, seed)
    assert len(fast) == len(exact)
    assert (exact.positions_liquidated > 0).any()


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_of_several_tasks_are_summed_alike_on_any_number_of_threads(threads: int) -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    names = [name for name, each in policy.instruments.items() if each.settlement == "USDT"][:2]
    book, marks = generate.book(
        150_000, {name: policy.instruments[name] for name in names}, seed=1, margin_mode="isolated"
    )
    engine = lc.Engine(policy)
    moves = np.random.default_rng(1).uniform(-0.3, 0.3, (7, len(names)))
    one, some = (lc.stress(engine, book, marks, moves, threads=each) for each in (1, threads))
    assert_same(some, one)
    for name, values in one.totals["USDT"].items():
        np.testing.assert_array_equal(some.totals["USDT"][name], values)
    assert_same(one, lc.stress(engine, book, marks, moves, exact=True))


@pytest.mark.parametrize("configuration", [*ISOLATED, MOVING_FEE, UNIT], ids=lambda each: each.name)
def test_every_row_that_lines_can_give_is_given_by_lines(configuration: Configuration) -> None:
    columns, marks = random_columns(configuration, 400, 5, spoiled=False)
    book, engine, policy = lc.PositionBook(**columns), lc.Engine(configuration.policy), configuration.policy
    moved = marks * (1.0 + np.linspace(-0.1, 0.1, 5)[:, np.newaxis])
    currencies = tuple(sorted({each.settlement for each in policy.instruments.values()} | {""}))
    done = sum_isolated(engine, book, moved, Stress(book, np.arange(5), currencies), None)
    cheap, dear = (engine.evaluate(book, moved[place]).status for place in (0, -1))
    for row in range(len(book)):
        instrument = policy.instruments.get(book.name_of(row))
        if instrument is None:
            assert not done[row]
            continue
        short = book.quantity[row] < 0.0 and instrument.short_tiers is not None
        table = instrument.short_tiers if short else instrument.tiers
        assert table is not None
        inverse = instrument.payoff == "inverse"
        curved = table.shape == "per_unit" or (table.shape == "growing" and inverse)
        # Past the last tier where it is worth least, it is past it everywhere.
        judged = (dear if inverse else cheap)[row] < lc.Status.ACCOUNT_INCOMPLETE
        expected = not curved and policy.closing_fee_basis != "mark" and judged
        assert done[row] == expected, (row, cheap[row], dear[row], table.shape)


def test_an_instrument_without_a_price_is_left_to_the_evaluation() -> None:
    policy = generic([linear("A", tiers=single()), linear("B", tiers=single())])
    book = lc.PositionBook(["A", "B", "A"], [1.0, 1.0, 0.0], [100.0] * 3, isolated_margin=[10.0, 10.0, 5.0])
    for exact in (False, True):
        worlds = lc.stress(
            lc.Engine(policy), book, {"A": 100.0}, {"A": [0.0, -0.2], "B": [0.0, 0.0]}, exact=exact
        )
        assert worlds.not_judged.tolist() == [1, 1]
        assert worlds.positions_liquidated.tolist() == [0, 1]
        assert worlds.worst_of_rows.scenario.tolist() == [1, -1, 0]
        assert worlds.totals[worlds.currencies[0]]["equity"].tolist() == [15.0, -5.0]
