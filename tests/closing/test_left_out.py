"""What cannot be judged is not closed, and every verb that passes over it says how many there are."""

from typing import Any

import numpy as np
import pytest

import levcore as lc
from support.closing_books import closing_policy

RULES: dict[str, Any] = {"close_out_payers": ("fund",), "trader_owes": "yes", "close_out_remainder": "trader"}
ENGINE = lc.Engine(closing_policy(**RULES))
MARKS = {"A": 80.0}
"""None of B: rows 1 and 3 fail, and with them account c, which holds row 2, too."""


@pytest.fixture
def book() -> lc.PositionBook:
    return lc.PositionBook(
        ["A", "B", "A", "B", "A"],
        [1.0, 5.0, 2.0, 3.0, 0.0],
        [100.0, 20.0, 100.0, 20.0, 100.0],
        account=["a", "b", "c", "c", "e"],
        margin_mode=["isolated", "isolated", "cross", "cross", "isolated"],
        isolated_margin=[10.0, 5.0, np.nan, np.nan, 1.0],
        wallet_balance={"c": 9.0},
    )


def test_a_close_out_counts_what_it_could_not_judge(book: lc.PositionBook) -> None:
    closed = lc.close_out(ENGINE, book, MARKS)
    assert closed.rows.tolist() == [0]
    assert closed.left_out == 3
    assert "3 not judged" in repr(closed)
    whole = lc.close_out(ENGINE, book, MARKS | {"B": 20.0})
    assert (whole.rows.tolist(), whole.left_out) == ([0, 2, 3], 0)
    assert "judged" not in repr(whole)


def test_without_any_mark_nobody_is_found_healthy(book: lc.PositionBook) -> None:
    assert lc.close_out(ENGINE, book, {}).left_out == 4


def test_outcomes_ladders_and_cascades_count_it(book: lc.PositionBook) -> None:
    line = lc.outcomes(ENGINE, lc.variants(book, ENGINE.policy, at_most=(), sizes_of=()), MARKS)[0]
    assert (line.liquidated, line.left_out) == (1, 3)
    rungs = lc.ladder(ENGINE, book, "A", [70.0], marks=MARKS)
    assert (rungs.positions.tolist(), rungs.left_out) == ([1], 1)
    fallen = lc.cascade(ENGINE, book, "A", 70.0, lc.Impact.linear(0.01, 1.0), marks=MARKS)
    assert (fallen.positions.tolist(), fallen.left_out) == ([1], 1)


def test_who_is_bankrupt_at_any_price_is_in_the_ladder_and_the_cascade() -> None:
    """A short of 100 that owes 150 is safe at no price, so none is its trigger."""
    book = lc.PositionBook(["A"], [-1.0], [100.0], isolated_margin=[-150.0])
    marks = {"A": 90.0}
    assert np.isnan(ENGINE.evaluate(book, marks).liquidation_price).all()
    assert lc.close_out(ENGINE, book, marks).rows.tolist() == [0]
    assert lc.ladder(ENGINE, book, "A", [91.0], marks=marks).positions.tolist() == [1]
    risen = lc.cascade(ENGINE, book, "A", 91.0, lc.Impact.linear(0.01, 1.0), marks=marks, direction="up")
    assert risen.positions.tolist() == [1]
