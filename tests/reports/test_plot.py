"""`levcore.plot` draws the figures of the reports, and refuses what it cannot draw."""

from __future__ import annotations

import itertools
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.reports.charts.model import Figure, Grid, Spans
from levcore.reports.charts.svg import svg
from levcore.reports.risk.account_figure import account_figure
from levcore.reports.stress import factor_figure, scenario_figure
from levcore.samples import generate
from support.pages import usdt_instruments

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

BINANCE = "binance-usdm@2024-10-24"
MARKS = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}
BOOK = lc.PositionBook(
    ["BTCUSDT", "ETHUSDT", "BTCUSDT"], [0.5, -4.0, 0.1], [58_000.0, 2_900.0, 60_000.0],
    account=["desk", "desk", None], margin_mode=["cross", "cross", "isolated"],
    wallet_balance={"desk": 6_000.0}, isolated_margin=[np.nan, np.nan, 700.0], leverage=[10.0] * 3,
    accrued_funding=[-12.5, 0.0, 0.0],
)  # fmt: skip
ENGINE = lc.Engine(lc.policy(BINANCE))
RISK = ENGINE.evaluate(BOOK, MARKS)
PAIRS = list(itertools.product((-0.2, 0.0, 0.2), (-0.3, 0.3)))
SHOCKS = {
    "scenario": [f"<b>{btc:+g}, {eth:+g}" for btc, eth in PAIRS],
    "BTCUSDT": [btc for btc, _ in PAIRS],
    "ETHUSDT": [eth for _, eth in PAIRS],
}
STRESS = lc.stress(ENGINE, BOOK, MARKS, SHOCKS)
WRONG: Any = STRESS
WORD: Any = "colour"
NO_SHOCKS = np.empty((0, 2))
LADDER = lc.ladder(ENGINE, BOOK, "BTCUSDT", marks=MARKS)


def title_of(drawn: Plot) -> str:
    drawn.savefig(BytesIO(), format="png")
    (axes,) = drawn.axes
    return str(axes.get_title(loc="left"))


def test_every_figure_is_drawn() -> None:
    book, marks = generate.book(300, usdt_instruments(), seed=5, margin_mode="mixed")
    risk = ENGINE.evaluate(book, marks)
    compared = lc.compare(BOOK, [BINANCE, "hyperliquid"], MARKS, tiers_from=BINANCE)
    asked = lc.plan("BTCUSDT", "short", 0.5, entry=60_000.0, leverage=10.0, fees=0.0005, policies=BINANCE)
    drawn = [
        lc.plot.distances(risk), lc.plot.distances(risk, "positions"), lc.plot.distances(risk, "moves"),
        lc.plot.account(RISK, "desk"), lc.plot.payoff(asked), lc.plot.comparison(compared),
        lc.plot.comparison(compared, "margin"), lc.plot.scenarios(STRESS),
        lc.plot.factors(STRESS, SHOCKS, "BTCUSDT", "ETHUSDT"),
        lc.plot.ladder(lc.ladder(ENGINE, book, book.instrument_names[0], marks=marks)),
    ]  # fmt: skip
    titles = [title_of(each) for each in drawn]
    assert titles[3:5] == ["Account desk", "Profit and equity over the price"]
    assert len(set(titles)) == len(titles)


def test_an_account_is_a_sum() -> None:
    drawing = account_figure(RISK, "desk").drawing
    assert isinstance(drawing, Spans)
    *steps, equity, required = drawing.spans
    assert [one.name for one in steps] == ["wallet", "BTCUSDT long", "ETHUSDT short", "accrued funding"]
    assert [one.end - one.start for one in steps] == [6_000.0, 1_000.0, -400.0, -12.5]
    assert all(one.end == following.start for one, following in itertools.pairwise(steps))
    assert steps[-1].end == equity.end == RISK.accounts.equity[0]
    assert required.end == RISK.accounts.maintenance_margin[0]


def test_scenarios_go_from_the_one_that_leaves_least() -> None:
    drawing = scenario_figure(STRESS, "USDT", top=4).drawing
    assert isinstance(drawing, Spans)
    assert [one.end for one in drawing.spans] == np.sort(STRESS.totals["USDT"]["equity"])[:4].tolist()


@pytest.mark.parametrize("measure", ["shortfall", "liquidated_notional", "positions_liquidated"])
def test_a_grid_has_the_value_of_each_pair(measure: str) -> None:
    drawing = factor_figure(STRESS, SHOCKS, "BTCUSDT", "ETHUSDT", measure, "USDT").drawing
    assert isinstance(drawing, Grid)
    values = STRESS.totals["USDT"].get(measure, STRESS.positions_liquidated)
    assert [*drawing.across, *drawing.down] == ["-20.0 %", "0.0 %", "20.0 %", "-30.0 %", "30.0 %"]
    for (btc, eth), value in zip(PAIRS, values.tolist(), strict=True):
        cell = drawing.values[(-0.3, 0.3).index(eth)][(-0.2, 0.0, 0.2).index(btc)]
        assert cell == value
    strongest = max(drawing.strength(each) for row in drawing.values for each in row)
    assert strongest == 1.0


def test_names_of_scenarios_are_escaped() -> None:
    figure: Figure = scenario_figure(STRESS, "USDT", top=10)
    assert "<b>" not in svg(figure)
    assert "&lt;b&gt;" in svg(figure)
    assert "<b>" in lc.report(STRESS)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: lc.plot.account(RISK, "nobody"), InputError, "'desk'"),
        (lambda: lc.plot.account(RISK, "desk", "EUR"), InputError, "USDT"),
        (lambda: lc.plot.account(WRONG, "desk"), DTypeError, "BookRisk"),
        (lambda: lc.plot.distances(RISK, WORD), InputError, "notional"),
        (lambda: lc.plot.scenarios(STRESS, "EUR"), InputError, "USDT"),
        (lambda: lc.plot.factors(STRESS, SHOCKS, "BTCUSDT", "SOL"), InputError, "ETHUSDT"),
        (lambda: lc.plot.factors(STRESS, SHOCKS, "BTCUSDT", "BTCUSDT"), InputError, "one scenario of each"),
        (lambda: lc.plot.factors(STRESS, SHOCKS, "BTCUSDT", "ETHUSDT", measure="x"), InputError, "shortfall"),
        (lambda: lc.plot.factors(STRESS, {"a": [0.1], "b": [0.2]}, "a", "b"), ShapeError, "(6,)"),
        (lambda: lc.plot.scenarios(lc.stress(ENGINE, BOOK, MARKS, NO_SHOCKS)), InputError, "1 or more"),
        (lambda: lc.plot.ladder(LADDER, [2.0, 1.0]), InputError, "ascend"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said.replace("(", r"\(").replace(")", r"\)")):
        call()
