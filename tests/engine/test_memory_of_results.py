"""Memory of large results: lent to one result after the other, never to two at once, and given back."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest

import levcore as lc
from levcore._levcore import Table, kept_memory, release_memory
from levcore.engine import memory
from levcore.measures import DEFAULT_MEASURES
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
    release_memory()
    yield
    gc.collect()
    release_memory()


def blocks() -> list[int]:
    """Bytes of the blocks that are kept, the oldest first."""
    return kept_memory()[0]


def address(risk: lc.BookRisk) -> int:
    return int(risk.buffers[0].ctypes.data)


def test_the_next_result_takes_the_memory_of_the_last_one() -> None:
    positions = book()
    first = ENGINE.evaluate(positions, MARKS)
    assert first.buffers[0].size >= memory.LARGE_OUTPUT
    held, place = pickle.loads(pickle.dumps(first)), address(first)
    # Whatever stands there, nothing of it is read.
    first.buffers[0].fill(-7.0)
    del first
    assert len(blocks()) == 1
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
    assert not blocks()
    second = ENGINE.evaluate(positions, {"BTCUSDT": 1.0})
    assert address(second) != place
    found = column["equity"] if isinstance(column, dict) else column
    assert np.array_equal(found, before if found.size == ROWS else before[5:9], equal_nan=True)


def test_one_block_of_a_bounded_size_is_kept() -> None:
    several = [ENGINE.evaluate(book(), MARKS) for _ in range(3)]
    several.clear()
    assert len(blocks()) == 1
    # Pages that nobody writes to take no memory.
    most = kept_memory()[1] // 8
    memory.results_memory(1, most + 1)
    assert not blocks()
    memory.results_memory(1, most - memory.CACHE_LINE)
    assert blocks() == [8 * most]


def test_results_and_frames_share_one_pool() -> None:
    pl.DataFrame(ENGINE.evaluate(book(), MARKS))
    (*columns, _), most = kept_memory()
    assert len(columns) > len(DEFAULT_MEASURES), "columns of the frame, then the result that it was of"
    # A block that leaves no room for them has the oldest columns go first.
    room = columns[-1] + columns[-2]
    memory.results_memory(1, (most - room) // 8 - memory.CACHE_LINE)
    assert blocks() == [*columns[-2:], most - room]


def test_a_small_result_does_not_hold_the_memory_of_a_large_one() -> None:
    memory.results_memory(1, 4 * memory.LARGE_OUTPUT)
    assert len(blocks()) == 1
    lent = memory.results_memory(1, memory.LARGE_OUTPUT)
    assert lent.shape == (1, memory.LARGE_OUTPUT)
    assert not blocks()
    del lent
    assert blocks()[0] < 2 * 8 * memory.LARGE_OUTPUT


def numbers_of(frame: pl.DataFrame) -> dict[str, Any]:
    return {name: frame[name].fill_null(np.nan).to_numpy().copy() for name in DEFAULT_MEASURES}


def test_a_frame_stays_as_it_was_when_its_result_is_written_again() -> None:
    positions = book()
    risk = ENGINE.evaluate(positions, MARKS)
    frame, before = pl.DataFrame(risk), risk.equity.copy()
    ENGINE.evaluate(positions, {"BTCUSDT": 1.0}, out=risk)
    assert np.array_equal(frame["equity"].to_numpy(), before)
    assert not np.array_equal(risk.equity, before)


def test_two_frames_that_are_held_never_share_memory() -> None:
    positions = book()
    marks = [61_000.0, 59_000.0, 1.0]
    frames = [pl.DataFrame(ENGINE.evaluate(positions, {"BTCUSDT": mark})) for mark in marks]
    for frame, mark in zip(frames, marks, strict=True):
        expected = ENGINE.evaluate(positions, {"BTCUSDT": mark}, threads=1)
        for name, found in numbers_of(frame).items():
            assert np.array_equal(found, expected.column(name), equal_nan=True), name


def address_in(frame: pl.DataFrame, name: str) -> int:
    return int(frame[name].to_numpy(allow_copy=False).ctypes.data)


def test_the_next_frame_takes_the_memory_of_the_last_one() -> None:
    risk = ENGINE.evaluate(book(), MARKS)
    frame = pl.DataFrame(risk)
    expected, places = numbers_of(frame), {address_in(frame, name) for name in ("equity", "notional")}
    part = frame["equity"].slice(5, 3)
    del frame

    def taken_by_others() -> set[int]:
        others = [pl.DataFrame(risk) for _ in range(2)]
        for other in others:
            for name, found in numbers_of(other).items():
                assert np.array_equal(found, expected[name], equal_nan=True), name
        return {address_in(other, name) for other in others for name in ("equity", "notional")}

    assert not taken_by_others() & places, "a slice of a column holds the memory of the frame that it came in"
    assert part.to_list() == expected["equity"][5:8].tolist()
    del part
    assert taken_by_others() & places, "and nobody holds it any more"


def test_a_smaller_frame_takes_no_more_than_it_needs() -> None:
    risk = ENGINE.evaluate(book(), MARKS)
    expected = risk.equity[:300].copy()
    pl.DataFrame(risk)
    few = ENGINE.evaluate(
        lc.PositionBook(["BTCUSDT"] * 300, book().quantity[:300], [6e4] * 300, leverage=10.0), MARKS
    )
    frame = pl.DataFrame(few)
    assert len(frame) == 300
    assert np.array_equal(frame["equity"].to_numpy(), expected)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 127, 128, 200_001])
def test_numbers_that_are_not_known_are_null_at_every_place(rows: int) -> None:
    values = np.random.default_rng(rows).normal(size=rows)
    for share in (0.0, 0.02, 1.0):
        unknown = np.random.default_rng(1).uniform(size=rows) < share
        unknown[-1] = share > 0.0
        column = np.where(unknown, np.nan, values)
        for given in (column, np.repeat(column, 2)[::2]):
            found = pl.DataFrame(Table(rows).with_numbers("x", given))["x"]
            assert np.array_equal(found.is_null().to_numpy(), unknown)
            assert np.array_equal(found.fill_null(np.nan).to_numpy(), column, equal_nan=True)
    nothing = pl.DataFrame(Table(rows).with_unknown_numbers("x"))["x"]
    assert nothing.dtype == pl.Float64
    assert nothing.null_count() == rows


def test_codes_that_are_none_are_null() -> None:
    codes = np.array([7, 0, 200, 7, 3], np.uint8)
    table = Table(5).with_codes("x", codes, [0, 7], ["none", "seven"])
    assert pl.DataFrame(table)["x"].to_list() == ["seven", "none", None, "seven", None]
    assert pl.DataFrame(Table(2).with_codes("x", codes[:2], [0, 7], ["none", "seven"]))["x"].to_list() == [
        "seven",
        "none",
    ]
