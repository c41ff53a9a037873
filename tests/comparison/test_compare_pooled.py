"""Comparison of accounts whose parts move together: hedged legs, and balances in several assets."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import levcore as lc
from levcore.book.derived import some_positions
from levcore.cli.main import main
from levcore.comparison.compare import compare
from levcore.comparison.comparison import Comparison, Refusal
from levcore.measures import BALANCE_MEASURES, MEASURE_NAMES
from levcore.reports.charts.model import Figure
from levcore.reports.charts.svg import svg
from levcore.reports.comparison.figures import liquidation_figures, margin_figures
from support.comparison import assert_same_risk, same_bits
from support.pages import Page, html_of

DATA = Path(__file__).parents[2] / "examples" / "data" / "hedged_multi_asset"
HEDGED = [
    "compare",
    str(DATA / "positions.csv"),
    "--position-mode=hedge",
    f"--balances={DATA / 'balances.csv'}",
    f"--asset-prices={DATA / 'asset_prices.csv'}",
    f"--instruments={DATA / 'instruments.csv'}",
    "--tiers-from=binance-usdm-multi-assets",
    "--policies=binance-usdm-multi-assets,binance-portfolio-margin,okx-multi-currency,binance-usdm",
    "--set=okx-multi-currency.closing_fee_rate=0.0005",
]
ASSETS = f"--assets={DATA / 'assets.csv'}"
LOANS = lc.TierTable.single_rate(0.05)
FLAT = [lc.Asset("USDT", liability_tiers=LOANS), lc.Asset("BTC", (0.95,), liability_tiers=LOANS)]
# What counts of the next coin falls, so that a hedged holding is net long below and net short above.
TIERED = [FLAT[0], lc.Asset("BTC", (0.95, 0.8, 0.5), (0.0, 150_000.0, 250_000.0), liability_tiers=LOANS)]
MARKS = {"BTCUSDT": 97_000.0, "ETHUSDT": 3_300.0}
PRICES = {"USDT": 1.0, "BTC": 97_000.0}
ROWS = ["BTCUSDT", "ETHUSDT", "ETHUSDT"]


def instruments() -> list[lc.Instrument]:
    """Linear contracts at a rate of one per cent."""
    tiers = lc.TierTable.single_rate(0.01)
    return [lc.Instrument(name, "linear", tiers, settlement="USDT", underlying=name[:3]) for name in MARKS]


def house(assets: list[lc.Asset], **rules: Any) -> lc.MarginPolicy:
    """Generic policy of accounts in several assets."""
    policy = lc.policy("generic").with_instruments(instruments()).with_assets(assets)
    return policy.replace(**{"liabilities_count_as": "negative_equity", "hedge_requirement": "sum"} | rules)


def hedged_book(**balances: Any) -> lc.PositionBook:
    """Two accounts: coins held against a short position and a loan, and a long leg against a short one."""
    columns: dict[str, Any] = {
        "account": ["basis", "basis", "pair"],
        "asset": ["BTC", "USDT", "USDT"],
        "balance": [3.0, 0.0, 12_000.0],
        "liability": [0.0, 222_000.0, 0.0],
    } | balances
    return lc.PositionBook(
        ROWS,
        [-2.0, 60.0, -50.0],
        [97_400.0, 3_390.0, 3_255.0],
        account=["basis", "pair", "pair"],
        margin_mode="cross",
        leverage=[10.0, 50.0, 50.0],
        position_mode="hedge",
        balances=lc.Balances(**columns),
    )


def wallet_book() -> lc.PositionBook:
    """Hedged account with a wallet, and an isolated position."""
    return lc.PositionBook(
        ["ETHUSDT", "ETHUSDT", "BTCUSDT"],
        [60.0, -50.0, 1.0],
        [3_390.0, 3_255.0, 97_000.0],
        account=["pair", "pair", "alone"],
        margin_mode=["cross", "cross", "isolated"],
        isolated_margin=[np.nan, np.nan, 9_700.0],
        leverage=[50.0, 50.0, 10.0],
        wallet_balance={"pair": 9_000.0},
        position_mode="hedge",
    )


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Three policies, the last of which has accounts of one wallet."""
    policies = {
        "flat": house(FLAT),
        "tiered": house(TIERED, hedge_requirement="larger_leg", trader_owes="yes"),
        "wallet": "binance-usdm",
    }
    return compare(hedged_book(), policies, MARKS, tiers_from="flat", asset_prices=PRICES)


def test_each_answer_is_that_of_the_engine(comparison: Comparison) -> None:
    assert list(comparison.answers) == ["flat", "tiered"]
    for label, risk in comparison.answers.items():
        engine = lc.Engine(comparison.policies[label])
        alone = engine.evaluate(comparison.book, MARKS, asset_prices=PRICES)
        assert_same_risk(risk, alone, label)
        assert risk.measures == MEASURE_NAMES
        for measure in BALANCE_MEASURES:
            assert same_bits(comparison.balance_table(measure)[label], getattr(alone.balances, measure))
        away = lc.distance(engine, comparison.book, MARKS, asset_prices=PRICES)
        assert same_bits(comparison.account_table("distance_lower")[label], away.lower)
        assert same_bits(comparison.account_table("distance_upper")[label], away.upper)
        assert (
            comparison.account_table("may_add_risk")[label].tolist() == alone.accounts.may_add_risk.tolist()
        )


def test_tiers_of_collateral_liquidate_on_either_side(comparison: Comparison) -> None:
    lower, upper = (comparison.table(f"liquidation_price_{side}") for side in ("lower", "upper"))
    assert lower["flat"][0] < MARKS["BTCUSDT"]
    assert np.isnan(upper["flat"][0])
    assert lower["tiered"][0] < MARKS["BTCUSDT"] < upper["tiered"][0]
    # At either price, the account's surplus is zero: the engine itself says so.
    for price in (lower["tiered"][0], upper["tiered"][0]):
        scale = price / MARKS["BTCUSDT"]
        prices = PRICES | {"BTC": PRICES["BTC"] * scale}
        risk = lc.Engine(comparison.policies["tiered"]).evaluate(
            comparison.book, MARKS | {"BTCUSDT": price}, asset_prices=prices
        )
        assert risk.accounts.surplus[0] == pytest.approx(0.0, abs=1e-6)


# Refusals


def test_accounts_of_one_wallet_refuse_balances(comparison: Comparison) -> None:
    refusal = comparison.results["wallet"]
    assert isinstance(refusal, Refusal)
    assert str(refusal).startswith(
        "refuses: balances belong to accounts in several assets; under binance-usdm"
    )
    assert refusal.remedy == "wallet_balance instead of balances"
    assert not refusal.can_be_stated
    assert np.isnan(comparison.table("liquidation_price_upper")["wallet"]).all()
    assert np.isnan(comparison.balance_table("collateral_value")["wallet"]).all()
    assert comparison.account_table("may_add_risk")["wallet"].tolist() == [False, False]
    assert np.isnan(comparison.account_table("distance_lower")["wallet"]).all()


def test_an_unknown_rule_for_hedged_legs_is_a_refusal() -> None:
    unknown = house(FLAT, hedge_requirement="unknown")
    policies = {"sum": house(FLAT), "unknown": unknown}
    both = compare(some_positions(wallet_book(), np.arange(2)), policies, MARKS)
    refusal = both.results["unknown"]
    assert isinstance(refusal, Refusal)
    assert str(refusal).startswith("refuses: rule hedge_requirement is unknown")
    assert "replace(hedge_requirement=" in refusal.remedy
    assert refusal.can_be_stated
    assert list(both.answers) == ["sum"]
    # Beside an isolated position it is one of the legs alone.
    mixed = compare(wallet_book(), policies, MARKS)
    assert [one.refusal for one in mixed.withheld["unknown"]] == [refusal]
    assert mixed.answers["unknown"].status.tolist() == [lc.Status.REFUSED] * 2 + [lc.Status.OK]


def test_two_settlement_currencies_in_a_wallet_fail_the_account_under_that_policy_alone() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"], [1.0, 1.0], [97e3, 3.3e3], account=["a", "a"], margin_mode="cross",
        leverage=[10.0, 10.0], wallet_balance={"a": 50e3},
    )  # fmt: skip
    tiers = lc.TierTable.single_rate(0.02)
    mixed = house(FLAT).with_instruments([lc.Instrument("ETHUSDT", "linear", tiers, settlement="USDC")])
    both = compare(book, {"one": house(FLAT), "two": mixed}, MARKS)
    statuses = {label: risk.accounts.status.tolist() for label, risk in both.answers.items()}
    assert statuses == {"one": [lc.AccountStatus.OK], "two": [lc.AccountStatus.MIXED_SETTLEMENT]}
    assert both.answers["two"].status.tolist() == [lc.Status.ACCOUNT_INCOMPLETE] * 2
    assert not both.judged.any()
    assert "mixed settlement" in lc.report(both)


@pytest.mark.parametrize(
    ("book", "prices", "words"),
    [
        (hedged_book(), None, "asset_prices: are needed for a book with balances"),
        (wallet_book(), PRICES, "asset_prices: belong to a book with balances"),
    ],
)
def test_prices_that_do_not_fit_the_book_are_an_error(book: Any, prices: Any, words: str) -> None:
    with pytest.raises(lc.InputError, match=words):
        compare(book, {"flat": house(FLAT)}, MARKS, asset_prices=prices)


# Assets


def test_assets_that_a_policy_lacks_are_borrowed_only_on_request() -> None:
    bare = house([FLAT[0]])
    without = compare(hedged_book(), {"all": house(FLAT), "bare": bare}, MARKS, asset_prices=PRICES)
    assert without.asset_matches["bare"].missing == ("BTC",)
    accounts = without.answers["bare"].accounts
    assert accounts.status.tolist() == [lc.AccountStatus.INCOMPLETE, lc.AccountStatus.OK]
    assert without.answers["bare"].balances.status[0] == lc.Status.UNKNOWN_ASSET
    note = "No rules of these assets, and therefore no numbers for accounts that hold or settle in them: BTC."
    assert note in " ".join(lc.report(without).split())
    assert note in " ".join(Page(html_of(without)).words)
    assert without.to_dict()["policies"]["bare"]["assets_missing"] == ["BTC"]
    lent = compare(
        hedged_book(), {"all": house(FLAT), "bare": bare}, MARKS, asset_prices=PRICES, assets_from="all"
    )
    assert_same_risk(lent.answers["bare"], lent.answers["all"])
    match = lent.asset_matches["bare"]
    assert (match.own, match.borrowed, match.missing, match.lender) == (("USDT",), ("BTC",), (), "all")
    assert "Assets of all: BTC; weights and loan rates there are not" in " ".join(lc.report(lent).split())
    facts = lent.to_dict()["policies"]["bare"]
    assert (facts["assets_borrowed"], facts["assets_borrowed_from"]) == (["BTC"], "all")


def test_what_positions_settle_in_is_needed_as_well() -> None:
    book = hedged_book(account=["basis", "pair"], asset=["BTC", "BTC"], balance=[3.0, 1.0], liability=None)
    only_coins = compare(book, {"coins": house(FLAT[1:])}, MARKS, asset_prices=PRICES)
    assert only_coins.asset_matches["coins"].missing == ("USDT",)
    assert not only_coins.compared.any()


def test_the_lender_of_assets_must_be_a_policy() -> None:
    with pytest.raises(lc.PolicyError, match="has no such name"):
        compare(hedged_book(), {"flat": house(FLAT)}, MARKS, asset_prices=PRICES, assets_from="nyse")


# Totals


def test_totals_take_the_margins_of_accounts_with_balances(comparison: Comparison) -> None:
    for label, total in comparison.totals().items():
        accounts = comparison.answers[label].accounts
        own = total["accounts with balances"]
        for measure in ("equity", "collateral_value", "liabilities", "initial_margin", "maintenance_margin"):
            assert own[measure] == getattr(accounts, measure).sum()
        assert "maintenance_margin" not in total["USDT"]
        assert total["USDT"]["notional"] == comparison.answers[label].notional.sum()
    rows = comparison.answers["tiered"].maintenance_margin.sum()
    assert comparison.totals()["tiered"]["accounts with balances"]["maintenance_margin"] != rows


def test_totals_of_a_hedged_wallet_are_the_account_and_the_isolated_row() -> None:
    covered = house(FLAT, hedge_requirement="larger_side")
    both = compare(wallet_book(), {"sum": house(FLAT), "netted": covered}, MARKS)
    for label, risk in both.answers.items():
        (total,) = both.totals()[label].values()
        account = float(risk.accounts.maintenance_margin[0])
        assert total["maintenance_margin"] == account + float(risk.maintenance_margin[2])
    netted = both.answers["netted"]
    assert netted.accounts.maintenance_margin[0] == pytest.approx(0.01 * 60 * 3_300.0)
    assert both.totals()["sum"]["USDT"]["maintenance_margin"] == pytest.approx(0.01 * (110 * 3_300.0 + 97e3))


def test_totals_leave_out_accounts_that_one_policy_cannot_judge() -> None:
    bare = house([FLAT[0]])
    both = compare(hedged_book(), {"all": house(FLAT), "bare": bare}, MARKS, asset_prices=PRICES)
    assert both.judged.tolist() == [False, True]
    for label, risk in both.answers.items():
        assert both.totals()[label]["accounts with balances"]["equity"] == risk.accounts.equity[1]


# Layouts


def test_plain_values_are_the_columns(comparison: Comparison) -> None:
    plain = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    for label, risk in comparison.answers.items():
        for side in ("lower", "upper"):
            found = plain["positions"][f"liquidation_price_{side}"][label]
            assert [np.nan if one is None else one for one in found] == pytest.approx(
                risk.column(f"liquidation_price_{side}").tolist(), rel=0, nan_ok=True
            )
        assert plain["balances"]["collateral_value"][label] == risk.balances.collateral_value.tolist()
        assert plain["accounts"]["may_add_risk"][label] == risk.accounts.may_add_risk.tolist()
        assert plain["accounts"]["liabilities"][label] == risk.accounts.liabilities.tolist()
    assert plain["accounts"]["may_add_risk"]["wallet"] == [None, None]
    assert plain["balances"]["asset"] == ["BTC", "USDT", "USDT"]
    assert plain["balances"]["liability"] == [0.0, 222_000.0, 0.0]
    # The USDT of the pair move with nothing that it holds.
    assert plain["balances"]["status"]["flat"] == ["ok", "ok", "no_liquidation_price"]
    assert plain["policies"]["wallet"]["refusal"].startswith("refuses: balances belong")


def cells_of(text: str, words: str) -> list[list[str]]:
    """Cells of the lines of a text that begin with some words, leaving out the name of an account."""
    lines = [line for line in text.splitlines() if words in line]
    return [line.split(words)[1].split() for line in lines]


def test_text_holds_accounts_and_balances(comparison: Comparison) -> None:
    text = lc.report(comparison)
    assert "3 positions in hedge mode, 2 accounts, 3 balances" in text
    assert "the totals take the account's own" in " ".join(text.split())
    order = [comparison.book.account_ids.index(name) for name in ("basis", "pair")]
    expected = [
        ["yes" if risk.accounts.may_add_risk[place] else "no" for risk in comparison.answers.values()]
        for place in order
    ]
    assert sorted(cells_of(text, "may add risk")) == sorted([*one, "refuses"] for one in expected)
    assert ["unknown", "yes", "refuses"] in cells_of(text, "trader owes a shortfall")
    ups = comparison.account_table("distance_upper")
    assert ["none", f"+{100 * ups['tiered'][order[0]]:.2f}", "%", "refuses"] in cells_of(
        text, "all prices move, up"
    )
    block = text.split("basis: USDT 0.00  ")[1].splitlines()
    assert block[1].split("  ")[1] == "owed 222,000.00"
    assert block[2].split("  ")[1] == "price 1"
    at = comparison.balance_table("liquidation_price_upper")["tiered"][0]
    assert ["none", f"{at:,.1f}", "refuses"] in cells_of(text, "liquidated at or above")


def test_who_owes_is_told_with_the_amount() -> None:
    book = hedged_book(balance=[3.0, 0.0, -60_000.0])
    owing = compare(book, {"owes": house(FLAT, trader_owes="yes")}, MARKS, asset_prices=PRICES)
    equity = float(owing.answers["owes"].accounts.equity[1])
    assert equity < 0
    assert ["yes,", f"{-equity:,.2f}"] in cells_of(lc.report(owing), "trader owes a shortfall")


def test_html_holds_both_prices_and_the_balances(comparison: Comparison) -> None:
    page = html_of(comparison, title="hedged")
    words = " ".join(Page(page).words)
    for side, at in (("lower", "at or below"), ("upper", "at or above")):
        price = comparison.table(f"liquidation_price_{side}")["tiered"][0]
        cells = words.split("row 0: ")[1].split(f"liquidated {at}")[1].split("distance to liquidation")[0]
        assert f" {price:,.7g}"[:8] in cells
    assert "Balances" in words
    assert "owed 222,000.00" in words
    assert "accounts with balances" in words
    assert html_of(comparison, title="hedged") == page


def chart_root(figures: list[Figure]) -> ElementTree.Element:
    """The drawing of the only figure."""
    (figure,) = figures
    return ElementTree.fromstring(svg(figure))


def test_the_plot_has_a_mark_on_either_side_and_one_entry_for_a_pair(comparison: Comparison) -> None:
    root = chart_root(liquidation_figures(comparison, [0, 1, 2]))
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{space}text")]
    assert texts.count("ETHUSDT") == 1
    assert "long and short, cross" in texts
    assert "short, cross" in texts
    tips = [path.findtext(f"{space}title") or "" for path in root.iter(f"{space}path")]
    assert len([tip for tip in tips if tip.startswith("BTCUSDT, tiered")]) == 2
    assert len([tip for tip in tips if tip.startswith("BTCUSDT, flat")]) == 1
    ticks = {text.text: float(text.get("x", "")) for text in root.iter(f"{space}text")}
    tick = next(name for name in ticks if name and re.fullmatch(r"\+\d+ %", name))
    a_per_cent = (ticks[tick] - ticks["mark"]) / float(tick[1:-2])
    for side in ("lower", "upper"):
        move = comparison.table(f"liquidation_price_{side}")["tiered"][0] / MARKS["BTCUSDT"] - 1
        expected = ticks["mark"] + 100 * move * a_per_cent
        assert any(
            abs(float(path.get("d", "")[1:].split()[0]) - expected) < 0.2
            for path in root.iter(f"{space}path")
            if (path.findtext(f"{space}title") or "").startswith("BTCUSDT, tiered")
        )


def test_bars_are_the_accounts_margins(comparison: Comparison) -> None:
    root = chart_root(margin_figures(comparison))
    bars = [float(bar.get("width", "")) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    margins = [risk.accounts.maintenance_margin.sum() for risk in comparison.answers.values()]
    assert bars[1] / bars[0] == pytest.approx(margins[1] / margins[0], rel=1e-3)


def test_balances_without_positions_have_no_distance_of_all_prices() -> None:
    balances = lc.Balances(["a"], ["BTC"], [1.0])
    book = lc.PositionBook([], [], [], balances=balances)
    one = compare(book, {"flat": house(FLAT)}, {}, asset_prices=PRICES)
    assert np.isnan(one.account_table("distance_lower")["flat"]).all()
    assert one.balance_table("collateral_value")["flat"].tolist() == [0.95 * 97_000.0]
    assert ["–"] in cells_of(lc.report(one), "all prices move, down")


def test_measures_of_balances_that_are_none(comparison: Comparison) -> None:
    with pytest.raises(lc.InputError, match="must be a measure of balances"):
        comparison.balance_table("liquidation_price")


# The command line


def test_hedged_accounts_under_policies_that_differ_in_what_they_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "hedged.html"
    lent = [ASSETS, "--assets-from=binance-usdm-multi-assets"]
    assert main([*HEDGED, *lent, f"--report={report}"]) == 2
    captured = capsys.readouterr()
    assert "9 positions in hedge mode, 3 accounts, 8 balances" in captured.out
    assert "okx-multi-currency refuses: rule hedge_requirement is unknown" in captured.err
    assert "(--set okx-multi-currency.RULE=VALUE states a rule)" in captured.err
    assert "binance-usdm refuses: balances belong to accounts in several assets" in captured.err
    assert "--set binance-usdm.RULE" not in captured.err
    assert "Assets of binance-usdm-multi-assets: USDT, USDC, BTC" in " ".join(captured.out.split())
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main([*HEDGED, *lent, "--set=okx-multi-currency.hedge_requirement=sum", "--format=json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert [label for label, facts in document["policies"].items() if facts["refusal"]] == ["binance-usdm"]
    ups = document["accounts"]["distance_upper"]
    assert ups["okx-multi-currency"][1] < ups["binance-usdm-multi-assets"][1]


def test_without_a_lender_the_assets_of_a_file_are_those_of_every_policy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*HEDGED, ASSETS, "--format=json"]) == 2
    policies = json.loads(capsys.readouterr().out)["policies"]
    assert policies["binance-portfolio-margin"]["assets_own"] == ["USDT", "USDC", "BTC"]
    assert policies["binance-portfolio-margin"]["assets_borrowed"] == []
    assert main([*HEDGED, "--format=json"]) == 2
    policies = json.loads(capsys.readouterr().out)["policies"]
    assert policies["binance-portfolio-margin"]["assets_missing"] == ["USDT", "USDC", "BTC"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([ASSETS, "--assets-from=gmx-v2"], "--assets-from: must name one of the policies in use"),
        (["--assets-from=nyse"], "has no such name"),
    ],
)
def test_wrong_lenders(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*HEDGED, *arguments]) == 1
    assert words in capsys.readouterr().err
