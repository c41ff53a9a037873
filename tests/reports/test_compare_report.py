"""A comparison as text, as HTML and from the command line."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.comparison.compare import compare
from levcore.comparison.comparison import Comparison
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_positions
from levcore.reports.charts.model import Figure
from levcore.reports.charts.svg import svg
from levcore.reports.comparison.figures import liquidation_figures, margin_figures
from levcore.reports.comparison.lists import by_notional, by_ratio, by_spread
from levcore.samples import generate
from support.pages import Page, browser, distinct_lines, html_of, open_in_browser, usdt_instruments

BINANCE = "binance-usdm@2024-10-24"
ACCOUNT = Path(__file__).parents[2] / "examples" / "data" / "hyperliquid_account_2026-01-14"
REAL = [
    "compare",
    str(ACCOUNT / "positions.csv"),
    f"--accounts={ACCOUNT / 'accounts.csv'}",
    f"--instruments=hyperliquid={ACCOUNT / 'instruments.csv'}",
    "--tiers-from=hyperliquid",
    "--policies=hyperliquid,binance-usdm,bybit-linear,okx-linear-swap",
]
FEES = ["--set=bybit-linear.closing_fee_rate=0.00055", "--set=okx-linear-swap.closing_fee_rate=0.0005"]


def generated(rows: int) -> Comparison:
    """Comparison of a generated book under four policies without tables, one of which refuses."""
    book, marks = generate.book(rows, usdt_instruments(), seed=7, margin_mode="mixed")
    bybit, hyperliquid, mexc = (
        lc.policy(name).replace(instruments=lc.InstrumentTable())
        for name in ("bybit-linear@2025-10-02", "hyperliquid", "mexc-linear")
    )
    policies: list[str | lc.MarginPolicy] = [
        BINANCE,
        bybit.replace(closing_fee_rate=0.00055),
        hyperliquid,
        mexc,
    ]
    return compare(book, policies, marks, tiers_from=BINANCE)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Comparison of a generated book of cross and isolated positions."""
    return generated(2000)


@pytest.fixture(scope="module")
def hostile() -> Comparison:
    """Comparison whose names are markup, with rows that fail."""
    name = "<script>alert(1)</script>"
    tiers = lc.TierTable.single_rate(0.01)
    names = (name, "<em>")
    policy = lc.policy("generic").with_instruments(
        [lc.Instrument(each, "linear", tiers, settlement="<U&D>") for each in names]
    )
    book = lc.PositionBook(
        [name, "<i>unknown</i>", "<em>"],
        [1.0, 1.0, -2.0],
        [100.0, 100.0, 100.0],
        account=["a&b", '"quoted"', "a&b"],
        margin_mode=["cross", "isolated", "cross"],
        isolated_margin=[np.nan, 10.0, np.nan],
        leverage=[10.0] * 3,
        wallet_balance={"a&b": 50.0},
    )
    return compare(
        book,
        {"<b>one</b>": policy, "two & more": policy, "okx": "okx-linear-swap"},
        dict.fromkeys(names, 100.0),
    )


def test_lists_hold_the_extremes_in_order(comparison: Comparison) -> None:
    rows = by_notional(comparison, 12)
    assert comparison.notional[rows].tolist() == np.sort(comparison.notional)[::-1][:12].tolist()
    distances = np.stack([risk.distance_to_liquidation for risk in comparison.answers.values()])
    reached = (distances.min(axis=0) <= 1.0) & (distances.max(axis=0) >= 0.0) & (comparison.spread > 0)
    spreads = np.sort(comparison.spread[reached])[::-1][:12]
    assert comparison.spread[by_spread(comparison, 12)].tolist() == spreads.tolist()
    assert (spreads > 0).all()
    ratios = np.max([risk.accounts.margin_ratio for risk in comparison.answers.values()], axis=0)
    assert ratios[by_ratio(comparison, 5)].tolist() == np.sort(ratios)[::-1][:5].tolist()
    assert by_notional(comparison, 0) == []


def test_text_holds_the_answers_of_every_policy(comparison: Comparison) -> None:
    text = lc.report(comparison, title="Comparison of policies: book.csv", top=5)
    assert text.startswith(f"Comparison of policies: book.csv, levcore {lc.__version__}\nverdict  ")
    (row, *_) = by_notional(comparison, 1)
    block = text.split(f"row {row}: ")[1].split("\nrow ")[0]
    for measure in ("initial_margin", "maintenance_margin"):
        words = measure.replace("_", " ")
        line = next(line for line in block.splitlines() if f"  {words}  " in line)
        cells = re.split(r"\s{2,}", line.partition(words)[2].strip())
        assert cells[-1] == "refuses"
        expected = [float(risk[measure][row]) for risk in comparison.answers.values()]
        assert [float(cell.replace(",", "")) for cell in cells[:-1]] == pytest.approx(expected, abs=0.5)
    flat = " ".join(text.split())
    for label, policy in comparison.policies.items():
        assert label in flat
        assert policy.title in flat
    assert "owes a shortfall yes (a negative coin balance is a loan with interest" in flat
    assert "stated by caller closing_fee_rate = 0.00055" in flat
    assert "answer refuses: rule closing_fee_rate is unknown, because: the taker rate" in flat


def test_rules_that_differ_are_listed_and_no_others(comparison: Comparison) -> None:
    section = lc.report(comparison).split("Rules that differ\n")[1].split("\n\n")[0]
    rules = {line.split()[0] for line in section.splitlines()[1:]}
    assert {"requirement_basis_isolated", "closing_fee_rate", "warning_level"} <= rules
    assert "liquidation_level" not in rules


def test_html_is_whole_deterministic_and_loads_nothing(comparison: Comparison, hostile: Comparison) -> None:
    for one in (comparison, hostile):
        text = html_of(one, title="Comparison of policies: <b>book</b>")
        page = Page(text)
        assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "a"}
        for _, attributes in page.tags:
            assert not {"src", "srcset", "data", "action", "background", "href"} & set(attributes)
            assert not any(name.startswith("on") for name in attributes)
        assert "url(" not in text
        assert "@import" not in text
        assert "Content-Security-Policy" in text
        assert "Comparison of policies: <b>book</b>" in page.words
        assert html_of(one, title="Comparison of policies: <b>book</b>") == text
    assert html_of(generated(2000)) == html_of(comparison)


def test_html_escapes_what_it_is_given(hostile: Comparison) -> None:
    text = html_of(hostile)
    assert "<script>" not in text
    assert "<i>" not in text
    assert "<b>one" not in text
    words = " ".join(Page(text).words)
    for name in ("<script>alert(1)</script>", "<i>unknown</i>", "a&b", "<b>one</b>", "two & more", "<U&D>"):
        assert name in words


def test_html_says_what_the_policies_say(comparison: Comparison) -> None:
    words = " ".join(Page(html_of(comparison)).words)
    for label, policy in comparison.policies.items():
        assert label in words
        assert policy.as_of in words
    assert str(comparison.results[lc.policy("mexc-linear").id]) in words
    assert "unknown (no source says whether a residual is owed)" in words
    assert f"Instruments and tiers of {BINANCE} for all instruments: there the rules are compared" in words


def test_size_does_not_grow_with_the_book(comparison: Comparison) -> None:
    assert len(html_of(generated(20_000))) < 1.1 * len(html_of(comparison))


def chart_root(figures: list[Figure]) -> ElementTree.Element:
    """The drawing of the only figure."""
    (figure,) = figures
    return ElementTree.fromstring(svg(figure))


def test_marks_lie_where_the_policies_liquidate() -> None:
    tiers = lc.TierTable.single_rate(0.01)
    policy = lc.policy("generic").with_instruments([lc.Instrument("A", "linear", tiers)])
    book = lc.PositionBook(
        ["A", "A", "A"], [10.0, -10.0, 10.0], [100.0] * 3, isolated_margin=[200.0, 100.0, 1_000.0]
    )
    both = compare(book, {"one": policy, "two": policy.replace(liquidation_level=0.5)}, {"A": 100.0})
    root = chart_root(liquidation_figures(both, [0, 1, 2]))
    space = "{http://www.w3.org/2000/svg}"
    places: dict[str, float] = {}
    for path in root.iter(f"{space}path"):
        tip = path.findtext(f"{space}title")
        if tip:
            places[tip] = float(path.get("d", "")[1:].split()[0])
    assert len(places) == 4
    ticks = {text.text: float(text.get("x", "")) for text in root.iter(f"{space}text")}
    middle, ten = ticks["mark"], ticks["+10 %"]
    for row, sign in ((0, -1.0), (1, 1.0)):
        for risk in both.answers.values():
            distance = float(risk.distance_to_liquidation[row])
            expected = middle + sign * 10 * distance * (ten - middle)
            assert any(abs(place - expected) < 0.2 for place in places.values())
    texts = [text.text for text in root.iter(f"{space}text")]
    assert texts.count("no liquidation price") == 2
    assert root.findtext(f"{space}desc", "").startswith("A long: one −19.19 %, two −")


def test_bars_are_as_long_as_the_margins(comparison: Comparison) -> None:
    root = chart_root(margin_figures(comparison))
    space = "{http://www.w3.org/2000/svg}"
    bars = [float(bar.get("width", "")) for bar in root.iter(f"{space}rect")]
    totals = [total["USDT"]["maintenance_margin"] for total in comparison.totals().values()]
    assert len(bars) == len(totals) == 3
    assert [bar / bars[0] for bar in bars] == pytest.approx([one / totals[0] for one in totals], rel=1e-3)


@pytest.mark.parametrize("rows", [[], [0, 1]])
def test_no_chart_where_nothing_answers(rows: list[int]) -> None:
    book = lc.PositionBook(["BTCUSDT"] * 2, [1.0] * 2, [60e3] * 2, isolated_margin=[9e3] * 2)
    refused = compare(book, ["okx-linear-swap"], {"BTCUSDT": 61e3}, tiers_from=BINANCE)
    assert liquidation_figures(refused, rows) == []
    assert margin_figures(refused) == []
    assert "No position has an answer" in html_of(refused)


def test_the_report_in_a_browser(comparison: Comparison, tmp_path: Path) -> None:
    page = lc.report(comparison, tmp_path / "comparison.html")
    picture, asked = open_in_browser(browser(), page, tmp_path)
    assert asked == []
    assert distinct_lines(picture)[2] > 600


# The command line


def test_the_real_account_under_four_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "comparison.html"
    assert main([*REAL, *FEES, f"--report={report}"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "10 of 16 positions with two answers or more are liquidated at different prices." in text
    assert "stated by caller closing_fee_rate = 0.0005" in text
    assert "the caller gave all of them" in text
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main([*REAL, *FEES, "--format=json"]) == 0
    document = json.loads(capsys.readouterr().out)
    positions = read_positions(ACCOUNT / "positions.csv")
    book = positions.book(read_accounts(ACCOUNT / "accounts.csv"))
    table = read_instruments(ACCOUNT / "instruments.csv")
    okx = lc.policy("okx-linear-swap").replace(closing_fee_rate=0.0005).with_instruments(table)
    risk = lc.Engine(okx).evaluate(book, positions.marks)
    prices = document["positions"]["liquidation_price"]["okx-linear-swap"]
    assert [np.nan if one is None else one for one in prices] == pytest.approx(
        risk.liquidation_price.tolist(), rel=0, nan_ok=True
    )
    assert document["positions"]["spread"][14] == pytest.approx(0.000674, abs=1e-6)


def test_a_refusal_exits_with_2_and_names_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(REAL) == 2
    captured = capsys.readouterr()
    assert "bybit-linear refuses: rule closing_fee_rate is unknown" in captured.err
    assert "--set bybit-linear.RULE=VALUE" in captured.err
    assert "bybit-linear, okx-linear-swap: no answer." in captured.out
    # Without a policy, the rule is stated for those that leave it unknown, and for no other.
    assert main([*REAL, "--set=closing_fee_rate=0.0006"]) == 0
    assert capsys.readouterr().out.count("closing_fee_rate = 0.0006") == 2


def test_names_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    positions = tmp_path / "positions.csv"
    positions.write_text(
        "instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin\n"
        "BTC,1,60000,61000,isolated,9000\n"
    )
    names = tmp_path / "names.csv"
    names.write_text("policy,instrument,name\nbinance-usdm,BTC,BTCUSDT\n")
    call = [
        "compare",
        str(positions),
        "--policies=binance-usdm,hyperliquid",
        f"--names={names}",
        "--format=json",
    ]
    assert main(call) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["policies"]["binance-usdm"]["unmatched"] == []
    assert document["positions"]["maintenance_margin"]["hyperliquid"] == [61_000 / 80]
    assert main([*call[:3], "--format=json"]) == 2
    assert json.loads(capsys.readouterr().out)["policies"]["binance-usdm"]["unmatched"] == ["BTC"]
    names.write_text("policy,instrument,name\nbinance-usdm,BTC,BTCUSDT\nbinance-usdm,BTC,BTCUSDC\n")
    assert main(call) == 1
    assert "names.csv, line 3, column 'name': contradicts" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--policies=,"], "policies: must not be empty"),
        (["--policies=generic,generic"], "two have one id"),
        (["--policies=binance"], "expected 'binance-usdm' or 'binance-coinm'"),
        (["--policies=generic", "--instruments=x.csv"], "--instruments: must say whose instruments"),
        (["--policies=generic", "--instruments=okx=x.csv"], "must name one of the policies in use"),
        (["--policies=generic", "--instruments=generic=x.csv"], "x.csv: No such file"),
        (["--policies=generic", "--set=fee"], "RULE=VALUE"),
        (
            ["--policies=generic,reg-t", "--set=closing_fee_rate=0.1"],
            "no policy leaves closing_fee_rate unknown",
        ),
        (["--policies=generic", "--set=okx.closing_fee_rate=0.1"], "must name one of the policies in use"),
        (["--policies=generic", "--set=generic.fee=1"], "is no rule of a policy"),
        (["--policies=generic", "--report=a.csv"], "uses already"),
        (["--policies=generic", "--top=-1"], "--top: must not be negative"),
    ],
)
def test_wrong_calls(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "a.csv", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("levcore: error: ")
    assert words in captured.err
