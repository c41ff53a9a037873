"""A live book tells what an evaluation of everybody after every instant does, to the bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import levcore as lc
from levcore.live_books.index import Subjects
from support.live_books import Oracle, Prices, armed, random_change
from support.pooled_books import PooledBook
from support.pooled_books import random_book as random_pooled_book
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns
from support.strategies import Case, cases


def live_through(live: lc.LiveBook, seed: int, instants: int, size: float) -> Oracle:
    """Let prices move and positions change at random, and compare after every instant."""
    random, oracle, prices = np.random.default_rng(seed), Oracle(live), Prices(live)
    for _ in range(instants):
        kind = random.random()
        if kind < 0.25:
            events = random_change(random, live)
            if events is not None:
                oracle.check_now(events)
            if prices.of_assets is None and live.asset_prices() is not None:
                prices.of_assets = live.asset_prices()
        elif kind < 0.35:
            oracle.check_now(prices.remark(random, size))
        else:
            pass_ticks(live, oracle, random, prices, size)
        if random.random() < 0.3:
            oracle.check_totals()
    return oracle


def pass_ticks(
    live: lc.LiveBook, oracle: Oracle, random: np.random.Generator, prices: Prices, size: float
) -> None:
    """Give ticks in one call and compare them one by one."""
    book, first = live.book(), live.number
    given, after = prices.ticks(random, size, int(random.integers(1, 4)))
    count = len(after)
    events = live.ticks(**given, times=np.arange(count))
    assert live.number == first + count
    names, assets = live.instrument_names, live.asset_names
    for place, (marks, of_assets) in enumerate(after):
        own = of_instant(events, first + place)
        assert (own.price == given["prices"][place]).all()
        name = given["instruments"][place]
        expected = [-1, assets.index(name)] if given["is_asset"][place] else [names.index(name), -1]
        assert (own.instrument == expected[0]).all()
        assert (own.asset == expected[1]).all()
        oracle.check(own, book, marks, of_assets)
    assert events.time is not None
    assert (events.time == events.number - first).all()


def of_instant(events: Any, number: int) -> Any:
    """The events of one instant."""
    chosen = events.number == number
    columns = [column[chosen] for column in events.columns()]
    subject = Subjects(columns[4], columns[5])
    return type(events)(columns[0], None, *columns[1:4], subject, *columns[6:])


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 2**32 - 1))
def test_any_policy_any_small_book(case: Case, seed: int) -> None:
    policy, columns, marks = case
    book, engine = book_of(columns), lc.Engine(policy)
    try:
        engine.bind(book)
    except lc.LevcoreError:
        return  # a rule is unknown, and no evaluation either
    bound = engine.bind(book)
    if bound.wallets.is_split or bound.wallets.status is not None:
        with pytest.raises(lc.InputError, match=r"engine\.by_wallet"):
            lc.live(engine, book, marks)
        return
    live = armed(engine, book, np.asarray(marks, dtype=float))
    live_through(live, seed, 8, 0.03).check_totals()


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_books_of_every_shape(configuration: Configuration) -> None:
    columns, marks = random_columns(configuration, 300, seed=7, spoiled=False)
    live = armed(lc.Engine(configuration.policy), book_of(columns), marks)
    oracle = live_through(live, 11, 90, 0.04)
    assert oracle.events > 30


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_accounts_charged_as_one_whole(seed: int) -> None:
    drawn = random_pooled_book(seed, rows=12, policies=1, requirement_basis_isolated="price")
    live_through(begun(drawn), seed, 20, 0.05).check_totals()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_several_policies(seed: int) -> None:
    drawn = random_pooled_book(seed, rows=16, policies=seed % 2 + 2, requirement_basis_isolated="price")
    live_through(begun(drawn), seed, 20, 0.05).check_totals()


def test_books_of_balances_and_several_policies_have_events() -> None:
    told = 0
    for seed in range(12):
        drawn = random_pooled_book(
            seed, rows=60, policies=seed % 3 + 1, requirement_basis_isolated="price", spoiled=False
        )
        told += live_through(begun(drawn), seed, 40, 0.05).events
    assert told > 300


def begun(drawn: PooledBook) -> lc.LiveBook:
    """Live book of a random one."""
    book = drawn.book()
    marks = np.array([drawn.marks.get(name, np.nan) for name in book.instrument_names])
    marks = np.where(marks > 0, marks, np.nan)
    return armed(lc.Engine(drawn.policies), book, marks, asset_prices=drawn.asset_prices)
