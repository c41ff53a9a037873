"""Totals of a sorted book and of a cluster are reported and drawn like a stress test of the book."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.reports.html import page_html
from levcore.reports.notebook import notebook_html
from levcore.reports.stress import factor_figure, scenario_figure, stress_page

POLICY = "binance-usdm@2024-10-24"
COLUMNS: dict[str, Any] = {
    "instrument": ["BTCUSDT", "BTCUSDT", "ETHUSDT"],
    "quantity": [1.0, -2.0, 30.0],
    "entry_price": [60_000.0, 61_000.0, 3_000.0],
    "isolated_margin": [3_000.0, 9_000.0, 9_500.0],
}
BOOK = lc.PositionBook(**COLUMNS)
MARKS = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_100.0}
MOVES = np.array([-0.4, 0.0, 0.3])
SHOCKS = {
    "BTCUSDT": np.repeat(MOVES, 3),
    "ETHUSDT": np.tile(MOVES, 3),
}


@pytest.fixture(scope="module")
def told() -> Any:
    """A stress test by position, the same in total by a sorted book, and by partitions."""
    engine = lc.Engine(lc.policy(POLICY))
    index = lc.StressIndex(engine, BOOK, MARKS, lowest=-0.5, highest=0.5)
    parts = lc.cluster.stress(
        [pl.DataFrame(COLUMNS | {"margin_mode": "isolated"})], engine, SHOCKS, marks=MARKS
    )
    return lc.stress(engine, BOOK, MARKS, SHOCKS), index.stress(SHOCKS), parts


def test_totals_are_reported_as_the_positions_are(told: Any) -> None:
    stress, *others = told
    assert stress.positions_liquidated.max() == 2
    for totals in others:
        assert lc.report(totals) == lc.report(stress)
        assert page_html(stress_page(totals, top=3)) == page_html(stress_page(stress, top=3))
        assert notebook_html(totals) == notebook_html(stress)


def test_totals_are_drawn_as_the_positions_are(told: Any) -> None:
    stress, *others = told
    for totals in others:
        assert scenario_figure(totals, "USDT", top=5) == scenario_figure(stress, "USDT", top=5)
        drawn, expected = (
            factor_figure(each, SHOCKS, "BTCUSDT", "ETHUSDT", "liquidated_notional", "USDT")
            for each in (totals, stress)
        )
        assert drawn == expected


def test_totals_are_tables(told: Any) -> None:
    stress, *others = told
    for totals in others:
        columns, expected = totals.to_dict(), stress.to_dict()
        assert list(columns) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(columns[name], values, err_msg=name)


def test_what_does_not_fit_is_refused(told: Any) -> None:
    _, totals, _ = told
    index = lc.StressIndex(lc.Engine(lc.policy(POLICY)), BOOK, MARKS, lowest=-0.5, highest=0.5)
    with pytest.raises(DTypeError, match="StressTotals"):
        lc.report(index)  # type: ignore[call-overload]
    with pytest.raises(DTypeError, match="StressTotals"):
        lc.plot.scenarios(index)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="measure"):
        factor_figure(totals, SHOCKS, "BTCUSDT", "ETHUSDT", "worst", "USDT")
    with pytest.raises(ShapeError, match="one value a scenario"):
        factor_figure(totals, {"BTCUSDT": MOVES, "ETHUSDT": MOVES}, "BTCUSDT", "ETHUSDT", "shortfall", "USDT")
