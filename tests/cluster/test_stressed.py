"""Partitions in many scenarios: the totals of `levcore.stress` over the whole, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import errors
from support.comparison import same_bits
from support.parted_books import ENGINE, MARKS, parted_frame

MOVES = [0.0, -0.1, -0.35, 0.2]
SHOCKS = {"scenario": ["still", "down", "crash", "up"]} | dict.fromkeys(MARKS, MOVES)
BETAS = {name: {"market": 1.0 + 0.1 * place, "coin": 0.3} for place, name in enumerate(MARKS)}
FACTORS = {"market": MOVES, "coin": [0.0, 0.1, 0.0, -0.2]}


def same_totals(found: lc.cluster.StressTotals, expected: Any) -> None:
    """Compare everything that `levcore.stress` tells in total."""
    assert found.currencies == expected.currencies
    for currency, amounts in expected.totals.items():
        for name, values in amounts.items():
            assert same_bits(found.totals[currency][name], values), (currency, name)
    for name in ("scenarios", "positions_liquidated", "accounts_liquidated", "not_judged"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_any_partitions_give_the_totals_of_the_whole(seed: int, count: int, by_factor: bool) -> None:
    frame = parted_frame(seed, 80, priced=True)
    number = frame["account"].hash(1) % count
    partitions = [frame.filter(number == part) for part in range(count)]
    book = lc.PositionBook.from_frame(frame)
    present = {name: SHOCKS[name] for name in ("scenario", *sorted(set(frame["instrument"])))}
    held = {name: BETAS[name] for name in set(frame["instrument"])}
    shocks: dict[str, Any] = FACTORS if by_factor else present
    betas = held if by_factor else None
    assert book.marks is not None
    expected = lc.stress(ENGINE, book, book.marks, shocks, betas=betas)
    same_totals(lc.cluster.stress(partitions, ENGINE, shocks, betas=betas), expected)


def test_processes_give_the_same_bits(tmp_path: Any) -> None:
    frame = parted_frame(5, 200, priced=False)
    number = frame["account"].hash(1) % 4
    paths = [tmp_path / f"{part}.parquet" for part in range(4)]
    for part, path in enumerate(paths):
        frame.filter(number == part).write_parquet(path)
    done = list[int]()
    found = lc.cluster.stress(paths, ENGINE, SHOCKS, 2, marks=MARKS, progress=done.append)
    same_totals(found, lc.stress(ENGINE, lc.PositionBook.from_frame(frame), MARKS, SHOCKS))
    assert (done[-1], len(done), len(found), found.rows) == (200, 4, 4, 200)


@pytest.mark.parametrize(
    ("shocks", "options", "rule"),
    [
        ([[0.1]], {}, "must be a table"),
        ({"BTCUSDT": [0.1]}, {}, "must have one for every instrument, or come with others="),
        (SHOCKS | {"elsewhere": MOVES}, {}, "must name instruments of the book"),
        (SHOCKS | {"BTCUSDT": [-1.0, 0.0, 0.0, 0.0]}, {}, "must be a finite move above -1"),
        (FACTORS, {"betas": BETAS | {"elsewhere": {}}}, "must name instruments of the book"),
    ],
)
def test_bad_calls(shocks: Any, options: dict[str, Any], rule: str) -> None:
    frame = parted_frame(5, 200, priced=True)
    with pytest.raises(errors.InputError, match=rule):
        lc.cluster.stress([frame], ENGINE, shocks, **options)


def test_an_account_in_two_partitions_is_refused() -> None:
    frame = parted_frame(5, 200, priced=True).filter(pl.col("margin_mode") == "cross")
    with pytest.raises(errors.InputError, match="must not be split between partitions"):
        lc.cluster.stress([frame, frame[:1]], ENGINE, SHOCKS)
