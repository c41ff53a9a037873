"""Very many ticks of small books of every kind, with changes between: no event is missed, none is false.

A million ticks take seconds, since a run of them is evaluated in one call.
"""

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore.live_books.levels import STATES
from support.live_books import armed, random_change
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns

TICKS = 10_000_000 if os.environ.get("LEVCORE_TESTS") == "thorough" else 120_000
RUN = 1_000
MEASURES = ("equity", "maintenance_margin", "margin_ratio")


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_every_event_is_that_of_an_evaluation(configuration: Configuration) -> None:
    random, told, number = np.random.default_rng(3), 0, 0
    while number < TICKS / len(CONFIGURATIONS):
        columns, marks = random_columns(configuration, 40, seed=number, spoiled=False)
        live = armed(lc.Engine(configuration.policy), book_of(columns), marks)
        prices = np.where(live.marks() > 0, live.marks(), 1.0)
        for _ in range(20):
            random_change(random, live)
            told += check_run(random, live, prices)
            number += RUN
    assert told > 100


def check_run(random: np.random.Generator, live: lc.LiveBook, start: npt.NDArray[Any]) -> int:
    """Pass a run of ticks about some prices and compare it with evaluations; how many events there were."""
    book, before = live.book(), live.marks()
    held = np.unique(book.instrument_codes)
    codes = random.choice(held, RUN)
    marks, prices = np.tile(before, (RUN + 1, 1)), np.empty(RUN)
    size = random.choice([0.002, 0.01, 0.05])
    for code in held.tolist():
        own = np.flatnonzero(codes == code)
        prices[own] = start[code] * np.exp(np.cumsum(random.normal(0, size, own.size)).clip(-0.7, 0.7))
        # What held last holds until the next tick.
        last = np.maximum.accumulate(np.where(codes == code, np.arange(1, RUN + 1), 0))
        marks[1:, code] = np.where(last > 0, prices[last - 1], before[code])
    first = live.number
    events = live.ticks(codes, prices)
    risk = live.engine.evaluate_over(book, marks, measures=MEASURES, keep_rows=True)
    instants = events.number - first + 1
    compare_accounts(live, book, risk, events, instants)
    compare_counts(live, book, risk, events, instants)
    rows = ~events.subject.is_account
    for name in MEASURES:
        of_account = risk.accounts[name][instants[~rows], events.subject.place[~rows]]
        of_row = risk.rows[name][instants[rows], events.subject.place[rows]]
        np.testing.assert_array_equal(getattr(events, name)[~rows], of_account)
        np.testing.assert_array_equal(getattr(events, name)[rows], of_row)
    return len(events)


def seen(live: lc.LiveBook) -> npt.NDArray[Any]:
    """Each state as the watched levels tell it."""
    watched = {lc.State.HEALTHY, lc.State.LIQUIDATION, lc.State.INCOMPLETE}
    watched |= {STATES[level] for level in live.levels[1:]}
    return np.array([max(level for level in watched if level <= state) for state in lc.State], dtype=np.uint8)


def compare_accounts(live: lc.LiveBook, book: lc.PositionBook, risk: Any, events: Any, instants: Any) -> None:
    """Compare who is told to stand otherwise, and how, with whose state differs from the tick before."""
    chosen = events.subject.is_account
    found = list(zip(instants[chosen].tolist(), events.subject.place[chosen].tolist(), strict=True))
    if book.account_codes is None:
        assert found == []
        return
    states = seen(live)[risk.account_states]
    with_legs = np.zeros(len(book.account_ids), dtype=bool)
    with_legs[book.account_codes[book.is_cross]] = True
    instant, account = np.nonzero((states[1:] != states[:-1]) & with_legs)
    assert found == list(zip((instant + 1).tolist(), account.tolist(), strict=True))
    np.testing.assert_array_equal(events.before[chosen], states[instant, account])
    np.testing.assert_array_equal(events.state[chosen], states[instant + 1, account])


def compare_counts(live: lc.LiveBook, book: lc.PositionBook, risk: Any, events: Any, instants: Any) -> None:
    """Compare how many rows are in each state after every tick; a leg is in that of its account."""
    legs = np.zeros(len(book.account_ids) + 1, dtype=np.int64)
    if book.account_codes is not None:
        legs[:-1] = np.bincount(book.account_codes[book.is_cross], minlength=len(book.account_ids))
    weight = np.where(events.subject.is_account, legs[np.minimum(events.subject.place, legs.size - 1)], 1)
    moves = np.zeros((RUN + 1, len(lc.State)), dtype=np.int64)
    np.add.at(moves, (instants, events.state), weight)
    np.subtract.at(moves, (instants, events.before), weight)
    counted = np.zeros_like(risk.states)
    for state, told in enumerate(seen(live)):
        counted[:, told] += risk.states[:, state]
    np.testing.assert_array_equal(counted[0] + np.cumsum(moves, axis=0), counted)
