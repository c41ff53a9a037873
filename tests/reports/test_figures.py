"""Figures: every one of the reports is drawn by both renderers, and says the same in both."""

import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest

import levcore as lc
from levcore.comparison.compare import compare
from levcore.reports.charts.canvas import SHAPES as SVG_SHAPES
from levcore.reports.charts.canvas import text_width
from levcore.reports.charts.colours import DARK, LIGHT, policy_sign, state_colour
from levcore.reports.charts.model import (
    Areas,
    Bars,
    Columns,
    Diverging,
    Dots,
    Drawing,
    Figure,
    Grid,
    Lines,
    Place,
    Series,
    Shares,
    Spans,
)
from levcore.reports.charts.plot import plot
from levcore.reports.charts.svg import svg
from levcore.reports.comparison.figures import comparison_figures
from levcore.reports.comparison.lists import by_notional
from levcore.reports.plan.figure import plan_figure
from levcore.reports.risk.account_figure import account_figure
from levcore.reports.risk.figures import risk_figures
from levcore.reports.risk.gather import gather
from levcore.reports.stress import factor_figure, scenario_figure
from levcore.samples import generate
from support.pages import usdt_instruments

BINANCE = "binance-usdm@2024-10-24"


def figures() -> list[Figure]:
    """Every figure of the risk report and of the report on a comparison."""
    book, marks = generate.book(800, usdt_instruments(), seed=11, margin_mode="mixed")
    risk = lc.Engine(lc.policy(BINANCE)).evaluate(book, marks)
    bybit = lc.policy("bybit-linear@2025-10-02").replace(closing_fee_rate=0.00055)
    both = compare(book, [BINANCE, bybit, "hyperliquid"], marks, tiers_from=BINANCE)
    asked = lc.plan(
        "BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, gap=0.1, stop=57_000.0, fees=0.0005,
        policies=[BINANCE, "hyperliquid"],
    )  # fmt: skip
    shocks = {"scenario": list("abcd"), "BTCUSDT": [-0.4, -0.4, 0.4, 0.4], "ETHUSDT": [-0.4, 0.4, -0.4, 0.4]}
    stress = lc.stress(lc.Engine(lc.policy(BINANCE)), book, marks, shocks, others=0.0)
    return [
        *risk_figures(gather(risk)), account_figure(risk, risk.accounts.ids[0]),
        *comparison_figures(both, by_notional(both, 10)), plan_figure(asked),
        scenario_figure(stress, "USDT", top=3),
        factor_figure(stress, shocks, "BTCUSDT", "ETHUSDT", "liquidated_notional", "USDT"),
    ]  # fmt: skip


FIGURES = {figure.title: figure for figure in figures()}


def words_of(drawing: Drawing) -> Sequence[str]:
    """Names that a drawing must show."""
    match drawing:
        case Shares(parts):
            return [one.name for one in parts if one.values[0] > 0]
        case Columns(categories, series):
            return [*categories, *(one.name for one in series), drawing.axis]
        case Areas(_, series):
            return [one.name for one in series]
        case Lines(_, series, places, _, form_place, axis):
            told = [f"{place.name} {form_place(place.at)}" for place in places]
            return [*(one.name for one in series), *told, axis]
        case Diverging(categories, left, right):
            return [*categories, left.name, right.name]
        case Bars(names, _, values):
            return [*names, *map(drawing.form, values)]
        case Dots(groups):
            lanes = [lane for group in groups for lane in group.lanes]
            marks = [mark.text for lane in lanes for mark in lane.marks]
            return [*(lane.name for lane in lanes), *marks]
        case Spans(spans):
            return [text for one in spans for text in (one.name, one.text)]
        case Grid(across, down, values, _, form, axis, other):
            return [*across, *down, *(form(each) for row in values for each in row), axis, other]


def test_every_kind_of_drawing_occurs() -> None:
    kinds = {type(figure.drawing) for figure in FIGURES.values()}
    assert kinds == {Shares, Columns, Areas, Diverging, Bars, Dots, Lines, Spans, Grid}


@pytest.mark.parametrize("title", FIGURES)
def test_svg_says_everything(title: str) -> None:
    figure = FIGURES[title]
    root = ElementTree.fromstring(svg(figure))
    assert root.findtext("{*}title") == title
    assert root.findtext("{*}desc") == figure.description != ""
    said = " ".join(element.text or "" for element in root.iter())
    assert [word for word in words_of(figure.drawing) if word not in said] == []
    assert svg(figure) == svg(figure)


@pytest.mark.parametrize("title", FIGURES)
def test_matplotlib_says_everything(title: str) -> None:
    figure = FIGURES[title]
    drawn = plot(figure)
    (axes,) = drawn.axes
    assert axes.get_title(loc="left") == title
    drawn.savefig(BytesIO(), format="png")  # lays out, and gives the axes their labels
    texts = [
        *axes.texts,
        *axes.get_xticklabels(),
        *axes.get_yticklabels(),
        axes.xaxis.label,
        axes.yaxis.label,
    ]
    legend = axes.get_legend()
    texts += legend.get_texts() if legend else []
    said = " ".join(text.get_text() for text in texts)
    assert [word for word in words_of(figure.drawing) if word not in said] == []


def test_bars_have_the_values_of_the_figure_in_matplotlib() -> None:
    figure = FIGURES["Positions by distance to liquidation"]
    assert isinstance(figure.drawing, Columns)
    (axes,) = plot(figure).axes
    for bars, series in zip(axes.containers, figure.drawing.series, strict=True):
        assert [bar.get_height() for bar in bars] == list(series.values)


def test_marks_lie_at_the_places_of_the_figure_in_matplotlib() -> None:
    figure = FIGURES["Where each policy liquidates"]
    assert isinstance(figure.drawing, Dots)
    limit = figure.drawing.limit
    places = [
        max(-limit, min(limit, mark.place))
        for group in figure.drawing.groups
        for lane in group.lanes
        for mark in lane.marks
    ]
    (axes,) = plot(figure).axes
    data = [np.asarray(line.get_xdata(), dtype=np.float64) for line in axes.lines]
    found = [float(places[0]) for places in data if len(places) == 1]
    assert found == places


def test_every_colour_is_there_light_and_dark() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert {state_colour(state) for state in lc.State} <= LIGHT.keys()
    assert {policy_sign(place).colour for place in range(20)} <= LIGHT.keys()
    assert {policy_sign(place).shape for place in range(20)} <= SVG_SHAPES.keys()


@pytest.mark.parametrize(
    ("missing", "call", "extra"),
    [
        ("jinja2", "lc.report(risk, 'report.html')", "levcore[report]"),
        ("matplotlib", "plot(risk_figures(gather(risk))[0])", "levcore[plot]"),
    ],
)
def test_without_its_library_a_layout_says_which_extra_brings_it(missing: str, call: str, extra: str) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None
import levcore as lc
from levcore.reports.charts.plot import plot
from levcore.reports.risk.account_figure import account_figure
from levcore.reports.risk.figures import risk_figures
from levcore.reports.risk.gather import gather
book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
risk = lc.Engine(lc.policy({BINANCE!r})).evaluate(book, {{"BTCUSDT": 61_000.0}})
assert "Nothing is in margin call" in lc.report(risk)
try:
    {call}
except lc.InputError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert f'pip install "{extra}"' in said


def test_names_of_rules_are_written_to_the_right_and_inside_of_the_drawing() -> None:
    marks = [Place(99.0, "entry", "ink"), Place(99.9, "liquidation under a policy of a long name", "long")]
    line = Series("profit", [0.0, 1.0], "long")
    drawing = Lines([0.0, 100.0], [line], marks, str, str, "price")
    root = ElementTree.fromstring(svg(Figure("t", "", "d", drawing)))
    width = float(root.get("width", "0"))
    rules = {float(each.get("x1", "0")): float(each.get("y1", "0")) for each in root.findall("{*}line")}
    texts = {each.text or "": each for each in root.findall("{*}text")}
    places = []
    for mark in marks:
        name = f"{mark.name} {mark.at}"
        text = texts[name]
        x = float(text.get("x", "0"))
        assert text.get("text-anchor") == "start"
        assert x + text_width(name) <= width
        assert x - 4.0 in rules
        places.append((x, float(text.get("y", "0"))))
    # The first name lies above the second, whose rule begins below it.
    (_, upper), (right, lower) = places
    assert upper < rules[right - 4.0] <= lower
