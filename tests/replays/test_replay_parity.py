"""A replay in the core and by its twin: the same events and series, to the bit; and no quantum is lost."""

import os
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore as core
from support.replays import random_replay, replay_policy, twin_of

THOROUGH = os.environ.get("LEVCORE_TESTS") == "thorough"


def drawn(seed: int, rows: int, times: int) -> tuple[lc.MarginPolicy, lc.PositionBook, dict[str, Any]]:
    random = np.random.default_rng(seed)
    policy, case = replay_policy(random), random_replay(random, rows, times)
    return policy, lc.PositionBook(**case["columns"]), case["arguments"]


@pytest.mark.parametrize("seed", range(2_000 if THOROUGH else 120))
def test_the_core_and_its_twin_agree(seed: int) -> None:
    policy, book, arguments = drawn(seed, 2 + seed % 12, 12)
    engine = lc.Engine(policy)
    found, expected = lc.replay(engine, book, **arguments), twin_of(engine, book, arguments)
    for name, column in expected["events"].items():
        assert getattr(found.events, name).tolist() == column, name
    for name, column in expected["series"].items():
        if name != "step":
            assert getattr(found.series, name).tolist() == column, name
    assert (found.fund, found.funding) == (expected["fund"], expected["funding"])


def test_every_kind_of_event_was_met() -> None:
    kinds: set[str] = set()
    names = [name for name, _ in core.replay_words()]
    for seed in range(120):
        policy, book, arguments = drawn(seed, 2 + seed % 12, 12)
        events = lc.replay(lc.Engine(policy), book, **arguments).events
        kinds |= {names[kind] for kind in np.unique(events.kind)}
    assert kinds == set(names)


@pytest.mark.parametrize("part", range(4))
def test_no_quantum_is_lost(part: int) -> None:
    for seed in range(2_000 if THOROUGH else 50):
        policy, book, arguments = drawn(10_000 * (part + 1) + seed, 3 + seed % 30, 15)
        found = lc.replay(lc.Engine(policy), book, **arguments)
        ledger = found.ledger()
        assert sum(ledger.values()) == 0, (part, seed, ledger)
        assert ledger["unpaid"] == -sum(found.debts().values())
        e = found.events
        closed = e.kind == 0
        for step in np.unique(
            e.step[closed]
        ):  # losses of an instant are what its payers paid and margins held
            at = closed & (e.step == step)
            missing = e.fund[at] + e.deleveraging[at] + e.socialised[at] + e.unpaid[at]
            assert (missing >= 0).all()
        assert found.money == sum(found.margin[~book.is_cross].tolist()) + sum(found.wallet.tolist())


def test_order_instruction_set_and_stopping_do_not_matter() -> None:
    for seed in range(20):
        policy, book, arguments = drawn(seed + 500, 25, 20)
        expected = lc.replay(lc.Engine(policy), book, **arguments).hash()
        for instruction_set in core.instruction_sets():
            engine = lc.Engine(policy, instruction_set=instruction_set)
            assert lc.replay(engine, book, **arguments).hash() == expected
        random = np.random.default_rng(seed)
        columns = random_replay_columns(seed)
        order = random.permutation(len(book))
        mixed: Any = {
            name: column[order] if isinstance(column, np.ndarray) and name not in ("accounts",) else column
            for name, column in columns.items()
        }
        assert lc.replay(lc.Engine(policy), lc.PositionBook(**mixed), **arguments).hash() == expected


def test_stop_and_resume_at_any_step_is_the_same() -> None:
    for seed in range(12):
        policy, book, arguments = drawn(seed + 900, 12, 8)
        engine = lc.Engine(policy)
        whole = lc.replay(engine, book, **arguments)
        for steps in range(0, whole.of_steps + 1, 3):
            part = lc.replay(engine, book, stop_after=steps, **arguments)
            more = lc.replay(engine, book, stop_after=steps + 2, resume=part, **arguments)
            found = lc.replay(engine, book, resume=more, **arguments)
            assert found.hash() == whole.hash()
            assert found.ledger() == whole.ledger()
            assert found.series.unpaid.tolist() == whole.series.unpaid.tolist()


def random_replay_columns(seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed + 500)
    replay_policy(random)
    return dict(random_replay(random, 25, 20)["columns"])
