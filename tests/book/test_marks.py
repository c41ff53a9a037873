"""Marks as people have them, and marks over time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from levcore.book.marks import mark_prices, marks_of_rows
from support.comparison import same_bits
from support.pooled_books import random_book


class Series:
    """What a pandas series has."""

    def __init__(self, values: list[float], index: list[Any]) -> None:
        self.values, self.index = np.array(values), index

    def to_numpy(self) -> Any:
        return self.values

    def __len__(self) -> int:
        return len(self.values)


class Frame(dict[str, Any]):
    """What a data frame has."""

    @property
    def columns(self) -> list[str]:
        return list(self)


def book() -> lc.PositionBook:
    return lc.PositionBook(["A", "B", "A"], [1.0, 1.0, -1.0], [10.0, 20.0, 10.0], leverage=2.0)


@pytest.mark.parametrize(
    "marks",
    [
        {"A": 11.0, "B": 22.0},
        [11.0, 22.0],
        np.array([11.0, 22.0]),
        Series([22.0, 11.0], ["B", "A"]),
        Series([11.0, 22.0], [0, 1]),
        {"instrument": ["B", "A"], "mark": [22.0, 11.0]},
        Frame(instrument=["B", "A", "C"], mark_price=[22.0, 11.0, 1.0]),
        np.array([11.0, 22.0, 11.0]),
    ],
)
def test_every_form_gives_the_same_prices(marks: Any) -> None:
    assert mark_prices(book(), marks).tolist() == [11.0, 22.0]


def test_polars_where_it_is() -> None:
    polars = sys.modules.get("polars")
    frame = (
        Frame(instrument=["A"], price=[11.0])
        if polars is None
        else polars.DataFrame({"instrument": ["A"], "price": [11.0]})
    )
    assert np.array_equal(mark_prices(book(), frame), [11.0, np.nan], equal_nan=True)


def test_a_column_of_the_book_must_agree_with_itself() -> None:
    assert marks_of_rows(book(), [11.0, 22.0, np.nan]).tolist() == [11.0, 22.0]
    with pytest.raises(errors.InputError, match=r"'A'.*row 2"):
        mark_prices(book(), np.array([11.0, 22.0, 12.0]))
    with pytest.raises(errors.InputError, match="again"):
        mark_prices(book(), Series([1.0, 2.0], ["A", "A"]))
    with pytest.raises(errors.InputError, match="column of prices"):
        mark_prices(book(), {"instrument": ["A"], "mark": [1.0], "price": [1.0]})
    with pytest.raises(errors.ShapeError, match="marks"):
        mark_prices(book(), [1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("threads", [1, 2])
def test_every_time_is_an_evaluation(seed: int, threads: int) -> None:
    drawn = random_book(seed)
    held = drawn.book()
    engine = lc.Engine(drawn.policies)
    base = np.array([drawn.marks.get(name, np.nan) for name in held.instrument_names])
    marks = base * np.linspace(0.7, 1.3, 7)[:, None]
    over = engine.evaluate_over(
        held,
        marks,
        measures=("equity", "maintenance_margin"),
        keep_rows=True,
        asset_prices=drawn.asset_prices,
        threads=threads,
    )
    for time, prices in enumerate(marks):
        risk = engine.evaluate(held, prices, asset_prices=drawn.asset_prices)
        for name in over.measures:
            assert same_bits(over.rows[name][time], np.array(risk[name]))
            known = risk[name][~np.isnan(risk[name])]
            expected = _lc_sum(known) if known.size else np.array([np.nan])
            assert same_bits(over.totals[name][time : time + 1], expected)
        for name, column in over.accounts.items():
            assert same_bits(column[time], np.array(getattr(risk.accounts, name)))
        assert np.array_equal(over.account_states[time], risk.accounts.state)
        assert np.array_equal(over.account_statuses[time], risk.accounts.status)
        assert np.array_equal(over.states[time], np.bincount(risk.state, minlength=6))
        assert over.failed[time] == (risk.status >= 32).sum()


def _lc_sum(values: Any) -> Any:
    from levcore._levcore import exact_sums

    return exact_sums(np.ascontiguousarray(values), None, 1)


def test_frames_over_time() -> None:
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    held = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"],
        [0.5, 1.0],
        [60_000.0, 3_000.0],
        account=["a", "a"],
        margin_mode="cross",
        wallet_balance={"a": 3_500.0},
    )
    frame = {"time": [10, 20, 30], "BTCUSDT": [61_000.0, 53_500.0, 53_000.0], "ETHUSDT": [3_000.0] * 3}
    over = engine.evaluate_over(held, frame)
    assert over.times.tolist() == [10, 20, 30]
    assert over.totals["unrealized_pnl"].tolist() == [500.0, -3_250.0, -3_500.0]
    assert over.accounts["equity"][:, 0].tolist() == [4_000.0, 250.0, 0.0]
    assert over.first(lc.State.BANKRUPT).tolist() == [2]
    assert over.to_dict()["time"].tolist() == [10, 20, 30]
    without = engine.evaluate_over(held, {"BTCUSDT": [61_000.0]}, times=["now"])
    assert without.failed.tolist() == [1]
    assert without.account_statuses.tolist() == [[lc.AccountStatus.INCOMPLETE]]
    assert without.first(lc.State.LIQUIDATION).tolist() == [-1]
    empty = engine.evaluate_over(held, np.empty((0, 2)))
    assert (len(empty), empty.first(lc.State.LIQUIDATION).tolist()) == (0, [-1])
    with pytest.raises(errors.InputError, match="column an instrument"):
        engine.evaluate_over(held, {"SOLUSDT": [1.0]})
    with pytest.raises(errors.ShapeError, match="times"):
        engine.evaluate_over(held, frame, times=[1])
    with pytest.raises(errors.ShapeError, match="marks"):
        engine.evaluate_over(held, [[1.0, 2.0, 3.0]])
    with pytest.raises(errors.ShapeError, match="ETHUSDT"):
        engine.evaluate_over(held, frame | {"ETHUSDT": [1.0]})


def test_a_total_of_nothing_that_is_known_is_not_zero() -> None:
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    held = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"], [0.5, 1.0], [60_000.0, 3_000.0], isolated_margin=3_000.0, leverage=10.0
    )
    marks = {"BTCUSDT": [61_000.0, np.nan, np.nan], "ETHUSDT": [3_000.0, 3_000.0, np.nan]}
    over = engine.evaluate_over(held, marks)
    assert over.failed.tolist() == [0, 1, 2]
    for name in over.measures:
        assert np.isnan(over.totals[name]).tolist() == [False, False, True], name
    assert over.totals["unrealized_pnl"][:2].tolist() == [500.0, 0.0]
    without = engine.evaluate_over(held.replace(leverage=None), marks)
    assert np.isnan(without.totals["initial_margin"]).all(), "of positions without a leverage"
    nobody = lc.PositionBook([], [], [], instrument_names=["BTCUSDT"])
    assert engine.evaluate_over(nobody, [[np.nan]]).totals["unrealized_pnl"].tolist() == [0.0]


def test_marks_that_are_none_are_asked_for() -> None:
    book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    with pytest.raises(errors.ShapeError, match="marks: must be given; expected a mapping"):
        lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, None)  # type: ignore[arg-type]
