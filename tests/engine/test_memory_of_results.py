"""Memory of large results: lent to one result after the other, never to two at once, and given back."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.engine import memory
from support.comparison import assert_same_risk

ENGINE = lc.Engine(lc.policy("binance-usdm"))
ROWS = 100_000
MARKS = {"BTCUSDT": 61_000.0}


def book() -> lc.PositionBook:
    quantity = np.random.default_rng(3).normal(size=ROWS)
    return lc.PositionBook(
        np.zeros(ROWS, np.uint32),
        quantity,
        np.full(ROWS, 60_000.0),
        leverage=np.full(ROWS, 10.0),
        instrument_names=["BTCUSDT"],
    )


@pytest.fixture(autouse=True)
def nothing_kept() -> Any:
    gc.collect()
    memory._kept.clear()
    yield
    gc.collect()
    memory._kept.clear()


def address(risk: lc.BookRisk) -> int:
    return int(risk.buffers[0].ctypes.data)


def test_the_next_result_takes_the_memory_of_the_last_one() -> None:
    positions = book()
    first = ENGINE.evaluate(positions, MARKS)
    assert first.buffers[0].size >= memory.LARGE_OUTPUT
    held, place = pickle.loads(pickle.dumps(first)), address(first)
    del first
    assert len(memory._kept) == 1
    # Whatever stands there, nothing of it is read.
    memory._kept[0].fill(-7.0)
    second = ENGINE.evaluate(positions, MARKS)
    assert address(second) == place
    assert address(second) % 64 == 0
    assert_same_risk(second, held)


@pytest.mark.parametrize(
    "kept", [lambda risk: risk.equity, lambda risk: risk.to_dict(), lambda risk: risk.equity[5:9]]
)
def test_a_column_keeps_the_memory_of_its_result(kept: Any) -> None:
    positions = book()
    first = ENGINE.evaluate(positions, MARKS)
    column, before, place = kept(first), first.equity.copy(), address(first)
    del first
    assert not memory._kept
    second = ENGINE.evaluate(positions, {"BTCUSDT": 1.0})
    assert address(second) != place
    found = column["equity"] if isinstance(column, dict) else column
    assert np.array_equal(found, before if found.size == ROWS else before[5:9], equal_nan=True)


def test_one_block_of_a_bounded_size_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    several = [ENGINE.evaluate(book(), MARKS) for _ in range(3)]
    several.clear()
    assert len(memory._kept) == 1
    memory._kept.clear()
    monkeypatch.setattr(memory, "MOST_KEPT", 8 * memory.LARGE_OUTPUT)
    ENGINE.evaluate(book(), MARKS)
    assert not memory._kept


def test_a_small_result_does_not_hold_the_memory_of_a_large_one() -> None:
    memory._kept.append(np.empty(4 * memory.LARGE_OUTPUT))
    lent = memory.results_memory(1, memory.LARGE_OUTPUT)
    assert lent.shape == (1, memory.LARGE_OUTPUT)
    assert not memory._kept
    del lent
    assert memory._kept[0].size < 2 * memory.LARGE_OUTPUT
