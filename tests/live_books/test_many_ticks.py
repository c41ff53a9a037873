"""Very many ticks of small books of every kind, with changes between: no event is missed, none is false.

A million ticks take seconds, since a run of them is evaluated in one call, while prices of assets stay.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from support.live_books import accounts_of, armed, policies_of, random_change, seen_states
from support.pooled_books import random_book
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns

TICKS = 10_000_000 if os.environ.get("LEVCORE_TESTS") == "thorough" else 120_000
RUN = 1_000
MEASURES = ("equity", "maintenance_margin", "margin_ratio")
ASSET_TICKS = 12
"""Prices of assets in a run."""


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_every_event_is_that_of_an_evaluation(configuration: Configuration) -> None:
    random, told, number = np.random.default_rng(3), 0, 0
    while number < TICKS / len(CONFIGURATIONS):
        columns, marks = random_columns(configuration, 40, seed=number, spoiled=False)
        live = armed(lc.Engine(configuration.policy), book_of(columns), marks)
        told += check_runs(random, live, 20)
        number += 20 * RUN
    assert told > 100


@pytest.mark.parametrize("policies", [1, 2, 3])
def test_books_with_balances_and_several_policies(policies: int) -> None:
    random, told, number = np.random.default_rng(4), 0, 0
    while number < TICKS / 6:
        drawn = random_book(
            number + policies,
            rows=40,
            policies=policies,
            spoiled=False,
            requirement_basis_isolated="price",
            liabilities_count_as=("negative_equity", "requirement")[number // RUN % 2],
        )
        book = drawn.book()
        marks = np.array([drawn.marks[name] for name in book.instrument_names])
        live = armed(lc.Engine(drawn.policies), book, marks, asset_prices=drawn.asset_prices)
        assert live.asset_prices()
        told += check_runs(random, live, 5)
        number += 5 * RUN
    assert told > 100


def check_runs(random: np.random.Generator, live: lc.LiveBook, runs: int) -> int:
    """Pass runs of ticks with changes between and compare them; how many events there were."""
    told, start = 0, np.atleast_2d(live.marks())
    start = np.where(start > 0, start, 1.0)
    for _ in range(runs):
        random_change(random, live)
        told += check_run(random, live, start)
    return told


@dataclass
class Path:
    """What an evaluation gives after every tick of a run, first before it."""

    account_states: npt.NDArray[Any]
    states: npt.NDArray[Any]
    accounts: dict[str, npt.NDArray[Any]]
    rows: dict[str, npt.NDArray[Any]]


def path_of(live: lc.LiveBook, book: lc.PositionBook, marks: Any, prices: list[Any]) -> Path:
    """Evaluate the marks of all times, each stretch between two prices of assets in one call."""
    changes = [time for time in range(1, len(prices)) if prices[time] is not prices[time - 1]]
    found = []
    for first, last in zip([0, *changes], [*changes, len(prices)], strict=True):
        risk = live.engine.evaluate_over(
            book, marks[first:last], measures=MEASURES, keep_rows=True, asset_prices=prices[first]
        )
        found.append(risk)
    joined: list[Any] = [
        np.concatenate([getattr(risk, name) for risk in found]) for name in ("account_states", "states")
    ]
    joined += [
        {name: np.concatenate([getattr(risk, kind)[name] for risk in found]) for name in MEASURES}
        for kind in ("accounts", "rows")
    ]
    return Path(*joined)


def check_run(random: np.random.Generator, live: lc.LiveBook, start: npt.NDArray[Any]) -> int:
    """Pass a run of ticks about some prices and compare it with evaluations; how many events there were."""
    book, before, labels = live.book(), live.marks(), list(live.levels_by_policy)
    marks = np.tile(np.atleast_2d(before), (RUN + 1, 1, 1))
    codes = random.choice(np.unique(book.instrument_codes), RUN)
    policies, prices = random.integers(0, len(labels), RUN), np.empty(RUN)
    size = random.choice([0.002, 0.01, 0.05])
    of_assets: list[Any] = [live.asset_prices()]
    is_asset = np.zeros(RUN, dtype=bool)
    if of_assets[0] is not None:
        is_asset[random.choice(RUN, ASSET_TICKS, replace=False)] = True
        codes[is_asset] = random.choice([live.asset_names.index(name) for name in of_assets[0]], ASSET_TICKS)
    for policy, code in {(int(policy), int(code)) for policy, code in zip(policies, codes, strict=True)}:
        at = ~is_asset & (policies == policy) & (codes == code)
        own = np.flatnonzero(at)
        prices[own] = start[policy, min(code, start.shape[1] - 1)] * np.exp(
            np.cumsum(random.normal(0, size, own.size)).clip(-0.7, 0.7)
        )
        # What held last holds until the next tick.
        last = np.maximum.accumulate(np.where(at, np.arange(1, RUN + 1), 0))
        if own.size:
            marks[1:, policy, code] = np.where(last > 0, prices[last - 1], marks[0, policy, code])
    for place in range(RUN):
        held = of_assets[-1]
        if is_asset[place]:
            name = live.asset_names[codes[place]]
            now = held[name] if held[name] > 0 else 1.0
            prices[place] = now * np.exp(random.normal(0, 4 * size))
            held = {**held, name: prices[place]}
        of_assets.append(held)
    first = live.number
    chosen: dict[str, Any] = {"is_asset": is_asset} if is_asset.any() else {}
    if len(labels) > 1:
        chosen["policies"] = [labels[code] for code in policies]
    events = live.ticks(codes, prices, **chosen)
    path = path_of(live, book, marks if before.ndim == 2 else marks[:, 0], of_assets)
    instants = events.number - first + 1
    compare_accounts(live, book, path, events, instants)
    compare_counts(live, book, path, events, instants)
    rows = ~events.subject.is_account
    for name in MEASURES:
        of_account = path.accounts[name][instants[~rows], events.subject.place[~rows]]
        of_row = path.rows[name][instants[rows], events.subject.place[rows]]
        np.testing.assert_array_equal(getattr(events, name)[~rows], of_account)
        np.testing.assert_array_equal(getattr(events, name)[rows], of_row)
    return len(events)


def compare_accounts(
    live: lc.LiveBook, book: lc.PositionBook, path: Path, events: Any, instants: Any
) -> None:
    """Compare who is told to stand otherwise, and how, with whose state differs from the tick before."""
    chosen = events.subject.is_account
    found = list(zip(instants[chosen].tolist(), events.subject.place[chosen].tolist(), strict=True))
    states = seen_states(live)[policies_of(book)[1], path.account_states]
    is_subject = np.zeros(len(book.account_ids), dtype=bool)
    is_subject[accounts_of(book)] = True
    instant, account = np.nonzero((states[1:] != states[:-1]) & is_subject)
    assert found == list(zip((instant + 1).tolist(), account.tolist(), strict=True))
    np.testing.assert_array_equal(events.before[chosen], states[instant, account])
    np.testing.assert_array_equal(events.state[chosen], states[instant + 1, account])


def compare_counts(live: lc.LiveBook, book: lc.PositionBook, path: Path, events: Any, instants: Any) -> None:
    """Compare how many rows are in each state after every tick; a leg is in that of its account."""
    legs = np.zeros(len(book.account_ids) + 1, dtype=np.int64)
    if book.account_codes is not None:
        legs[:-1] = np.bincount(book.account_codes[book.is_cross], minlength=len(book.account_ids))
    weight = np.where(events.subject.is_account, legs[np.minimum(events.subject.place, legs.size - 1)], 1)
    moves = np.zeros((RUN + 1, len(lc.State)), dtype=np.int64)
    # Where policies watch other levels, only what all of them tell apart can be counted.
    told = seen_states(live).min(axis=0)
    np.add.at(moves, (instants, told[events.state]), weight)
    np.subtract.at(moves, (instants, told[events.before]), weight)
    counted = np.zeros_like(path.states)
    for state, seen in enumerate(told):
        counted[:, seen] += path.states[:, state]
    np.testing.assert_array_equal(counted[0] + np.cumsum(moves, axis=0), counted)
