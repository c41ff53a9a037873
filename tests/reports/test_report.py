"""The reports: that they say what the result holds, escape what they are given, and load nothing."""

import doctest
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import levcore as lc
from levcore.reports import numbers as report_numbers
from levcore.reports import report as verb
from levcore.reports import text as report_text
from levcore.reports import words as report_words
from levcore.reports.charts import ticks
from levcore.reports.charts.model import (
    Areas,
    Bars,
    Columns,
    Diverging,
    Drawing,
    Figure,
    Series,
    Shares,
    Sign,
)
from levcore.reports.charts.svg import svg
from levcore.reports.risk.data import DISTANCE_BINS
from levcore.reports.risk.gather import gather
from levcore.reports.risk.lists import second_price
from levcore.reports.tables import Cell, plain_table
from levcore.rules import terms as rule_terms
from levcore.samples import generate
from levcore.status import FIRST_FAILURE
from support.pages import Page, browser, distinct_lines, html_of, open_in_browser, usdt_instruments

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)


def generated(rows: int, **options: object) -> lc.BookRisk:
    """Result on a generated book."""
    arguments = {"seed": 5, "margin_mode": "mixed"} | options
    book, marks = generate.book(rows, usdt_instruments(), **arguments)  # type: ignore[arg-type]
    return lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, marks)


@pytest.fixture(scope="module")
def risk() -> lc.BookRisk:
    """Result on a generated book of cross and isolated positions."""
    return generated(4000)


@pytest.fixture(scope="module")
def broken() -> lc.BookRisk:
    """Result of which most rows fail, each in another way, with names that are no names."""
    nan = np.nan
    book = lc.PositionBook(
        instrument=["BTCUSDT", "<script>alert(1)</script>", "ETHUSDT", "BTCUSDT", "ETHUSDT", "BTCUSDT"],
        quantity=[1.0, 1.0, nan, 1.0, 1.0, -1.0],
        entry_price=[60e3, 1.0, 3e3, -1.0, 3e3, 60e3],
        account=["a&b", "a&b", "a&b", '"quoted"', "", "a&b"],
        margin_mode=["cross", "isolated", "cross", "isolated", "isolated", "isolated"],
        isolated_margin=[nan, 1.0, nan, 1.0, 500.0, 9e3],
        leverage=[10.0] * 6,
        wallet_balance={"a&b": 1e5},
    )
    return lc.Engine(lc.policy("binance-usdm")).evaluate(book, {"BTCUSDT": 61e3, "ETHUSDT": 3.1e3})


# What the numbers are gathered from


def test_totals_and_states_are_those_of_the_result(risk: lc.BookRisk) -> None:
    report = gather(risk)
    (total,) = report.totals
    long = risk.book.quantity > 0
    assert total.settlement == "USDT"
    assert total.long_notional == pytest.approx(risk.notional[long].sum())
    assert total.short_notional == pytest.approx(risk.notional[~long].sum())
    assert total.net == pytest.approx(total.long_notional - total.short_notional)
    assert total.unrealized_pnl == pytest.approx(risk.unrealized_pnl.sum())
    assert total.isolated_equity == pytest.approx(risk.equity[~risk.book.is_cross].sum())
    assert total.account_equity == pytest.approx(risk.accounts.equity.sum())
    for line in report.states:
        assert line.accounts == np.count_nonzero(risk.accounts.state == line.state)
        of_state = risk.state == line.state
        assert line.isolated_positions == np.count_nonzero(of_state & ~risk.book.is_cross)
        assert line.cross_positions == np.count_nonzero(of_state & risk.book.is_cross)


def test_two_prices_of_a_leg_are_shown_where_there_are_two(risk: lc.BookRisk) -> None:
    hedged = generated(2000, hedged=0.6, margin_mode="cross")
    both = np.flatnonzero(
        ~np.isnan(hedged.liquidation_price_lower) & ~np.isnan(hedged.liquidation_price_upper)
    )
    listed = gather(hedged, top=2000).positions
    shown = [row for row in both.tolist() if row in listed]
    assert len(shown) > 5
    for row in shown:
        bounds = {float(hedged.liquidation_price_lower[row]), float(hedged.liquidation_price_upper[row])}
        assert {float(hedged.liquidation_price[row]), second_price(hedged, row)} == bounds
    assert np.isnan([second_price(hedged, row) for row in listed if row not in both]).all()
    text = report_numbers.prices(hedged.liquidation_price[shown[0]], second_price(hedged, shown[0]))
    assert " / " in text
    assert text in lc.report(hedged, top=2000)
    assert text in html_of(hedged, top=2000)
    assert np.isnan([second_price(risk, row) for row in gather(risk, top=500).positions]).all()


def test_lists_hold_the_extremes_in_order(risk: lc.BookRisk) -> None:
    report = gather(risk, top=6)
    distance = risk.distance_to_liquidation
    ahead = np.sort(distance[distance >= 0])[:6]
    assert distance[[*report.positions]].tolist() == ahead.tolist()
    past = np.sort(risk.notional[distance < 0])[::-1][:3]
    assert risk.notional[[*report.positions_past]].tolist() == past.tolist()
    dead = risk.accounts.state >= lc.State.LIQUIDATION
    ratios = np.sort(risk.accounts.margin_ratio[~dead])[::-1][:6]
    assert risk.accounts.margin_ratio[[*report.accounts]].tolist() == ratios.tolist()
    calls = np.sort(risk.accounts.margin_call_amount[dead])[::-1][:3]
    assert risk.accounts.margin_call_amount[[*report.accounts_past]].tolist() == calls.tolist()


@pytest.mark.parametrize("top", [0, 1, 3, 100_000])
def test_lists_have_the_length_asked_for(risk: lc.BookRisk, top: int) -> None:
    report = gather(risk, top=top)
    ahead = np.count_nonzero((risk.distance_to_liquidation >= 0) & (risk.distance_to_liquidation < np.inf))
    past = np.count_nonzero(risk.distance_to_liquidation < 0)
    assert len(report.positions) == min(top, ahead)
    assert len(report.positions_past) == min(top // 2, past)
    assert len(report.accounts) <= top
    assert sum(line.instruments for line in report.instruments) == len(np.unique(risk.book.instrument_codes))


def test_instruments_add_up_to_the_totals(risk: lc.BookRisk) -> None:
    report = gather(risk, top=5)
    assert len(report.instruments) == 6
    assert report.instruments[-1].instrument == ""
    (total,) = report.totals
    assert sum(line.positions for line in report.instruments) == len(risk)
    assert sum(line.long_notional for line in report.instruments) == pytest.approx(total.long_notional)
    sizes = [line.long_notional + line.short_notional for line in report.instruments[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    distance = risk.distance_to_liquidation
    assert sum(line.past for line in report.instruments) == np.count_nonzero(distance < 0)
    assert min(line.nearest for line in report.instruments) == distance[distance >= 0].min()


def test_every_position_is_in_one_class_of_distance(risk: lc.BookRisk) -> None:
    distances = gather(risk).distances
    distance = risk.distance_to_liquidation
    count = distances.long_count + distances.short_count
    assert count.sum() == len(risk)
    assert count[0] == np.count_nonzero(distance < 0)
    assert count[3] == np.count_nonzero((distance >= 0.02) & (distance < 0.05))
    assert count[-1] == np.count_nonzero(distance == np.inf)
    assert len(count) == len(DISTANCE_BINS)
    reached = risk.notional[(risk.book.quantity > 0) & (distance <= 0.10)].sum() / risk.notional.sum()
    assert distances.long_profile[10] == pytest.approx(reached)
    assert (np.diff(distances.long_profile) >= 0).all()


def test_amounts_in_two_currencies_are_never_added() -> None:
    tiers = lc.TierTable.single_rate(0.01)
    policy = lc.policy("generic").with_instruments(
        [lc.Instrument(name, "linear", tiers, settlement=name[-3:]) for name in ("A-USD", "B-EUR", "C-EUR")]
    )
    book = lc.PositionBook(
        instrument=["A-USD", "B-EUR", "C-EUR"],
        quantity=[1.0, 2.0, 3.0],
        entry_price=[10.0] * 3,
        account=["one", "two", "two"],
        margin_mode="cross",
        leverage=[2.0] * 3,
        wallet_balance={"one": 100.0, "two": 200.0},
    )
    engine = lc.Engine(policy)
    report = gather(engine.evaluate(book, {"A-USD": 10.0, "B-EUR": 10.0, "C-EUR": 10.0}))
    found = {line.settlement: (line.gross, line.account_equity) for line in report.totals}
    assert found == {"EUR": (50.0, 200.0), "USD": (10.0, 100.0)}
    assert report.distances.left_out == 1
    unnamed = policy.with_instruments([lc.Instrument("N", "linear", tiers)])
    mixed = lc.PositionBook(
        instrument=["A-USD", "N"],
        quantity=[1.0, 1.0],
        entry_price=[10.0] * 2,
        account=["one", "one"],
        margin_mode="cross",
        wallet_balance={"one": 100.0},
    )
    risk = lc.Engine(unnamed).evaluate(mixed, {"A-USD": 10.0, "N": 10.0})
    assert all(np.isnan(line.account_equity) for line in gather(risk).totals)
    assert "accounts hold positions whose currency is not named" in html_of(risk)


def test_rows_that_failed_are_grouped_with_what_is_wrong(broken: lc.BookRisk) -> None:
    report = gather(broken)
    assert report.failed == np.count_nonzero(broken.status >= FIRST_FAILURE) == 3
    groups = {group.status.name: group for group in report.failures}
    assert set(groups) == {
        "ACCOUNT_INCOMPLETE",
        "INVALID_QUANTITY",
        "INVALID_ENTRY_PRICE",
        "UNKNOWN_INSTRUMENT",
    }
    assert groups["INVALID_ENTRY_PRICE"].rows == ((3, '"quoted"', "BTCUSDT", -1.0),)
    row, _, _, value = groups["INVALID_QUANTITY"].rows[0]
    assert row == 2
    assert value != value
    (accounts,) = report.account_failures
    assert (accounts.status, accounts.accounts) == (lc.AccountStatus.INCOMPLETE, ("a&b",))
    text = lc.report(broken)
    assert "Not in these totals: 3 positions that could not be evaluated and the equity of 1 account" in text
    assert "row 2: ETHUSDT (a&b), quantity missing" in text
    assert "Nothing that was judged" in text


def test_nothing_evaluated_gives_no_total_of_zero() -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [1.0], isolated_margin=[1.0])
    risk = lc.Engine(lc.policy("binance-usdm")).evaluate(book, {})
    report = gather(risk)
    assert report.totals == ()
    assert report.positions == ()
    page = html_of(risk)
    assert "missing mark price" in page
    assert "<h2>Distance to liquidation</h2>" not in page


def test_a_missing_measure_is_refused() -> None:
    book, marks = generate.book(10, usdt_instruments(), seed=1)
    policy = lc.policy("binance-usdm@2024-10-24")
    risk = lc.Engine(policy).evaluate(book, marks, measures=("equity",))
    with pytest.raises(lc.InputError, match="was not computed"):
        gather(risk)


# The two layouts


def test_html_is_whole_and_loads_nothing(risk: lc.BookRisk, broken: lc.BookRisk) -> None:
    for one in (risk, broken):
        text = html_of(one, title="Risk report: <b>book</b>", generated_at=NOON)
        page = Page(text)
        names = {tag for tag, _ in page.tags}
        assert not names & {"script", "link", "img", "iframe", "object", "embed", "audio", "video"}
        for tag, attributes in page.tags:
            assert not {"src", "srcset", "data", "action", "background"} & set(attributes)
            assert not any(name.startswith("on") for name in attributes)
            assert tag == "a" or "href" not in attributes
        assert "url(" not in text
        assert "@import" not in text
        assert "Content-Security-Policy" in text
        assert "2026-01-14 12:00:00 UTC" in text
        assert f"levcore {lc.__version__}" in text
        assert "Risk report: <b>book</b>" in page.words


def test_html_escapes_what_it_is_given(broken: lc.BookRisk) -> None:
    text = html_of(broken)
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    words = " ".join(Page(text).words)
    assert "a&b" in words
    assert '"quoted"' in words


def test_html_says_on_what_it_rests(risk: lc.BookRisk) -> None:
    words = " ".join(Page(html_of(risk)).words)
    policy = risk.policy
    assert policy.id in words
    for source in policy.sources:
        assert source.title in words
    for why in policy.unknown.values():
        assert why in words
    names = risk.book.instrument_names
    held = np.unique(risk.book.instrument_codes)
    assert all(repr(float(risk.marks[code])) in words and names[code] in words for code in held)


def test_size_does_not_grow_with_the_book(risk: lc.BookRisk) -> None:
    small, large = len(html_of(risk)), len(html_of(generated(40_000)))
    assert large < 1.1 * small
    assert large < 200_000


def test_text_fits_a_terminal_and_names_the_worst(risk: lc.BookRisk) -> None:
    text = lc.report(risk, title="Risk report: book.csv", generated_at=NOON)
    assert text.startswith(
        f"Risk report: book.csv, 2026-01-14 12:00:00 UTC, levcore {lc.__version__}\nverdict  "
    )
    assert max(map(len, text.splitlines())) < 150
    report = gather(risk, top=10)
    for place in report.accounts + report.accounts_past:
        assert re.search(rf"^  {risk.accounts.ids[place]} ", text, re.MULTILINE)


# The verb


def results() -> dict[str, Any]:
    """One result of each kind."""
    book, marks = generate.book(50, usdt_instruments(), seed=3)
    policy = lc.policy("binance-usdm@2024-10-24")
    first = min((Path(__file__).parents[1] / "data" / "replies" / "binance").glob("*.json"))
    return {
        "risk": lc.Engine(policy).evaluate(book, marks),
        "comparison": lc.compare(book, {"one": policy, "two": policy}, marks),
        "reconciliation": lc.reconcile(first, "binance"),
    }


@pytest.mark.parametrize("kind", ["risk", "comparison", "reconciliation"])
def test_text_and_page_hold_the_same_tables(kind: str, tmp_path: Path) -> None:
    result = results()[kind]
    text = lc.report(result, top=5, title="A title & more", generated_at=NOON)
    assert text.startswith("A title & more, ")
    path = lc.report(result, tmp_path / "report.HTML", top=5, title="A title & more", generated_at=NOON)
    assert path == tmp_path / "report.HTML"
    page = path.read_text(encoding="utf-8")
    words = " ".join(" ".join(Page(page).words).split())
    assert page.startswith("<!DOCTYPE html>")
    # Prose is wrapped in the one and not in the other: word for word, the text is in the page.
    marks = {"#", "verdict", "levcore"}
    below = text.partition("\n")[2].split()
    missing = [word for word in below if word not in words and not {word, word[0]} & marks]
    assert missing == []
    again = lc.report(result, tmp_path / "again.html", top=5, title="A title & more", generated_at=NOON)
    assert again.read_bytes() == path.read_bytes()
    assert "Content-Security-Policy" in page
    assert "<script" not in page


@pytest.mark.parametrize("path", ["x.pdf", "x", "x.html.gz", ".html"])
def test_a_file_of_another_kind_is_refused(risk: lc.BookRisk, path: str, tmp_path: Path) -> None:
    with pytest.raises(lc.InputError, match=r"path: must be an HTML file; expected \.html, \.htm, found"):
        lc.report(risk, tmp_path / path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_result_and_a_negative_length_are_refused(risk: lc.BookRisk) -> None:
    with pytest.raises(lc.InputError, match="result: must be a result that a report shows"):
        lc.report({"equity": 1.0})  # type: ignore[call-overload]
    with pytest.raises(lc.InputError, match="top: must not be negative"):
        lc.report(risk, top=-1)


def test_text_is_shorter_than_the_page_where_no_length_is_given(risk: lc.BookRisk) -> None:
    assert lc.report(risk, generated_at=NOON) == lc.report(risk, top=10, generated_at=NOON)
    assert html_of(risk, generated_at=NOON) == html_of(risk, top=20, generated_at=NOON)


def test_prose_is_wrapped_and_everything_else_stays_whole() -> None:
    table = plain_table(
        ("Name", "Value", "Said"),
        [("a" * 30, "1.00", "word " * 40), ("b", "2.00", Cell(("first line", "second line")))],
        ("name", "number", "prose"),
    )
    lines = report_text.table_text(table, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith(f"  {'a' * 30}   1.00  word word")
    assert lines[-2:] == [f"  b{29 * ' '}   2.00  first line", f"{41 * ' '}second line"]
    assert sum(line.count("word") for line in lines) == 40


# Parts


@pytest.mark.parametrize("module", [report_numbers, report_text, report_words, rule_terms, ticks, verb])
def test_documented_examples(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@example(4194305.0, 1e-09, 2)
@example(1e12, 1e-09, 5)
@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 12))
def test_ticks_are_round_and_cover_the_range(low: float, length: float, about: int) -> None:
    high = low + length
    found = ticks.nice_ticks(low, high, about)
    assert len(found) >= 2
    assert all(one < other for one, other in pairwise(found))
    if length > 1e-6 * abs(low):
        slack = 1e-6 * (found[1] - found[0])
        assert found[0] <= low + slack
        assert found[-1] >= high - slack
        assert len(found) <= 2 * about + 3


def drawings() -> dict[str, Figure]:
    """One figure of each kind but the dot plot, with a name that must be escaped."""
    sides = (Series("long & <b>", [1.0, 0.0, 3.0], "long"), Series("short", [0.0, 0.0, 1.0], "short"))
    names = ["a", "b", "<c>"]
    circle = Sign("policy-1", "circle")
    kinds: dict[str, Drawing] = {
        "columns": Columns(names, sides, str, "x"),
        "diverging": Diverging(names, *sides, str),
        "areas": Areas([0.0, 1.0, 2.0], sides, str, str),
        "shares": Shares(sides, str),
        "bars": Bars(names, [circle] * 3, [1.0, 0.0, 2.0], str),
        "nothing": Columns([], [], str, "x"),
        "zero": Columns(["a"], [Series("x", [0.0], "long")], str, "x"),
    }
    return {kind: Figure("t < u", "", "d & e", drawing) for kind, drawing in kinds.items()}


@pytest.mark.parametrize("kind", drawings())
def test_charts_are_xml_with_title_and_description(kind: str) -> None:
    root = ElementTree.fromstring(svg(drawings()[kind]))
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.get("role") == "img"
    assert root.findtext(f"{space}title") == "t < u"
    assert root.findtext(f"{space}desc") == "d & e"


def test_a_bar_that_is_not_zero_can_be_seen() -> None:
    chart = svg(Figure("t", "", "d", Columns(["a", "b"], [Series("x", [1e9, 1.0], "bankrupt")], str, "x")))
    heights = [float(height) for height in re.findall(r'height="([0-9.]+)" fill="var\(--bankrupt', chart)]
    # The legend, and two bars.
    assert len(heights) == 3
    assert min(heights) > 0.5


# In a browser


def test_the_report_in_a_browser(risk: lc.BookRisk, tmp_path: Path) -> None:
    page = lc.report(risk, tmp_path / "report.html", title="Risk report: generated book")
    picture, asked = open_in_browser(browser(), page, tmp_path)
    assert asked == []
    width, height, lines = distinct_lines(picture)
    assert (width, height) == (1240, 2400)
    # A blank page has one line, a page of plain text a few hundred.
    assert lines > 600


def test_the_browser_check_would_notice_a_request(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<p>text</p><img src="http://levcore.invalid/x.png">')
    picture, asked = open_in_browser(browser(), page, tmp_path)
    assert "http://levcore.invalid/x.png" in asked
    assert distinct_lines(picture)[2] < 100


def test_names_neither_steer_a_terminal_nor_add_lines_to_a_table() -> None:
    names = ["a\n  b  healthy", "c\x1b[31m", "d\te\u202ef"]
    book = lc.PositionBook(
        ["BTCUSDT"] * 3,
        [0.5, 1.0, 1.0],
        [60_000.0] * 3,
        names,
        "cross",
        leverage=10.0,
        wallet_balance=dict.fromkeys(names, 5_000.0),
    )
    risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 61_000.0})
    told = lc.report(risk)
    assert not {"\x1b", "\t", "\u202e"} & set(told)
    for shown in (r"a\n  b  healthy  healthy", r"c\x1b[31m", r"d\te\u202ef"):
        assert f"  {shown} " in told
