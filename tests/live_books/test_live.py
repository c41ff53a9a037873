"""A live book tells what an evaluation of everybody after every instant does, to the bit."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import levcore as lc
from levcore.live_books.index import Subjects
from support.live_books import Oracle, armed, random_change
from support.pooled_books import random_book as random_pooled_book
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns
from support.strategies import Case, cases


def live_through(live: lc.LiveBook, seed: int, instants: int, size: float, evaluate: Any = None) -> Oracle:
    """Let prices move and positions change at random, and compare after every instant."""
    random, oracle = np.random.default_rng(seed), Oracle(live, evaluate)
    marks = np.where((live.marks() > 1e-9) & (live.marks() < 1e9), live.marks(), 1.0)
    for _ in range(instants):
        kind = random.random()
        if kind < 0.25:
            events = random_change(random, live)
            if events is not None:
                oracle.check(events, live.book(), live.marks())
        elif kind < 0.35:
            marks = marks * np.exp(random.normal(0, size, marks.size))
            oracle.check(live.remark(marks), live.book(), marks)
        else:
            pass_ticks(live, oracle, random, marks, size)
        if random.random() < 0.3:
            oracle.check_totals()
    return oracle


def pass_ticks(
    live: lc.LiveBook, oracle: Oracle, random: np.random.Generator, marks: npt.NDArray[Any], size: float
) -> None:
    """Give ticks in one call and compare them one by one."""
    count, book, now = int(random.integers(1, 4)), live.book(), live.marks()
    first = live.number
    held = book.instrument_codes if len(book) else np.arange(marks.size)
    codes = random.choice(held, count)
    prices = np.empty(count)
    for place, code in enumerate(codes.tolist()):
        far = random.random() < 0.05
        marks[code] *= np.exp(random.normal(0, 20 * size if far else size))
        prices[place] = marks[code]
    events = live.ticks(codes, prices, times=codes)
    assert live.number == first + count
    for place, code in enumerate(codes.tolist()):
        now = now.copy()
        now[code] = prices[place]
        own = of_instant(events, first + place)
        assert (own.price == prices[place]).all()
        assert (own.instrument == code).all()
        oracle.check(own, book, now)
    assert events.time is not None
    assert (events.time == events.instrument).all()


def of_instant(events: Any, number: int) -> Any:
    """The events of one instant."""
    chosen = events.number == number
    columns = [column[chosen] for column in events.columns()]
    subject = Subjects(columns[3], columns[4])
    return type(events)(columns[0], None, columns[1], columns[2], subject, *columns[5:])


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


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_accounts_charged_as_one_whole(seed: int) -> None:
    drawn = random_pooled_book(seed, rows=12, policies=1, requirement_basis_isolated="price")
    policy, book = next(iter(drawn.policies.values())), drawn.book()
    engine = lc.Engine(policy)
    marks = np.array([drawn.marks.get(name, np.nan) for name in book.instrument_names])
    if drawn.balances is not None:
        with pytest.raises(lc.InputError, match="without balances in several assets"):
            lc.live(engine, book, marks)
        return
    live_through(armed(engine, book, marks), seed, 20, 0.05).check_totals()
