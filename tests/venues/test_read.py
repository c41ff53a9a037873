"""A reply as a book: what is read, what is recovered, and what is said to be missing."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from levcore.cli.exit_codes import FAILED, FOUND, OK
from levcore.cli.main import main
from levcore.venues import read
from levcore.venues.json import read_json
from support.replies import FOLDER, options_of, read_index

NEEDS_A_RULE = ("bybit/copy_trading_2022-05-10.json", "bybit/portfolio_2025-12-30.json", "ccxt/bybit.json")
"""Replies whose policy has a rule that the caller must state."""
UNUSUAL = FOLDER.parent / "unusual_replies"


@pytest.mark.parametrize("entry", read_index(), ids=lambda entry: entry["file"])
def test_the_book_gives_the_numbers_of_the_reconciliation(entry: dict[str, Any]) -> None:
    """Every liquidation price that a reconciliation has is that of the book, where nothing is unknown."""
    options = options_of(entry)
    found = read(FOLDER / entry["file"], entry["from"], **options)
    assert len(found.book) == len(found.columns["instrument"])
    if entry["file"] in NEEDS_A_RULE:
        with pytest.raises(lc.PolicyError, match="is unknown"):
            lc.Engine(found.policies).evaluate(found.book, found.marks)
        return
    risk = lc.Engine(found.policies).evaluate(found.book, found.marks, asset_prices=found.asset_prices)
    result = lc.reconcile(FOLDER / entry["file"], entry["from"], **options)
    prices = [
        each.ours
        for each in result.numbers
        if each.reading == "liquidation_price" and each.ours is not None and not found.asset_prices
    ]
    ours = [price for price in risk.liquidation_price.tolist() if not math.isnan(price)]
    assert set(prices) <= set(ours)


def test_a_book_of_one_policy_can_be_compared() -> None:
    found = read(FOLDER / "binance" / "cross_2022-06-14.json", "binance")
    assert found.wallets == {"USDT": 2.53267053}
    assert any("implied by liquidationPrice" in note for note in found.notes)
    names = ["binance-usdm@2022-05-21", "binance-usdm@2024-10-24"]
    both = lc.compare(found.book, names, found.marks)
    assert list(both.results) == names


def test_positions_of_two_products_have_a_policy_each() -> None:
    linear = read_json(FOLDER / "binance" / "v2_isolated_2022-01.json")
    inverse = read_json(FOLDER / "binance" / "coinm_isolated.json")
    found = read(linear + inverse, "binance")
    assert [name.partition("@")[0] for name in found.policies] == ["binance-usdm", "binance-coinm"]
    risk = lc.Engine(found.policies).evaluate(found.book, found.marks)
    assert risk.notional[0] == pytest.approx(43.5323)


def test_borrowed_positions_are_balances() -> None:
    found = read(UNUSUAL / "okx_margin_short.json", "okx")
    assert found.balances is not None
    risk = lc.Engine(found.policies).evaluate(found.book, found.marks, asset_prices=found.asset_prices)
    assert risk.balances is not None
    assert risk.balances.liquidation_price_upper[1] == pytest.approx(100.31430948814871, rel=1e-15)
    assert 1 / risk.accounts.margin_ratio[0] == pytest.approx(3.903466055555656, rel=1e-15)
    data = read_json(UNUSUAL / "okx_margin_short.json")
    for change in ({"instId": "LTC-BTC", "posCcy": "BTC"}, {"markPx": "87.9"}, {"mmr": ""}):
        other = {**data["data"][0], **change}
        both = read({"code": "0", "data": [data["data"][0], other]}, "okx")
        assert len(both.left_out) == 1
        assert both.balances is not None
        assert len(both.balances) == 2


def test_a_cross_position_in_a_contract_for_isolated_margin_alone_is_said_and_refused() -> None:
    reply = FOLDER / "hyperliquid" / "account_2026-01-14.json"
    table = lc.policy("hyperliquid").instruments
    name = next(iter(read(reply, "hyperliquid").marks))
    given = replace(table[str(name)], isolated_only=True)
    listed = lc.policy("hyperliquid").with_instruments([given])
    for options in ({"instruments": {str(name): given}}, {"policy": listed}):
        found = read(reply, "hyperliquid", **options)
        said = [note for note in found.notes if "lists for isolated margin alone" in note]
        assert len(said) == 1
        assert f" {name}: a cross position in a contract that hyperliquid" in said[0]
        engine = lc.Engine(found.policies)
        with pytest.raises(lc.InputError, match="lists for isolated margin alone"):
            engine.evaluate(found.book, found.marks)
        # The venue holds it so: what it printed is compared, and the contradiction is said.
        plain, result = (lc.reconcile(reply, "hyperliquid", **each) for each in ({}, options))
        assert said[0] in result.notes
        assert [each.ours for each in result.numbers] == [each.ours for each in plain.numbers]
    assert not any("isolated margin alone" in note for note in read(reply, "hyperliquid").notes)


def test_what_is_left_out_is_said() -> None:
    found = read(UNUSUAL / "ccxt_contracts_null.json", "ccxt", policy="bitget-linear")
    assert len(found.book) == 0
    assert len(found.left_out) == 2
    assert all("contracts is empty" in line for line in found.left_out)


def test_an_instrument_of_unknown_size_fails_its_row() -> None:
    data = read_json(FOLDER / "okx" / "future_isolated_2021-04-27.json")
    found = read(data, "okx", rules={"closing_fee_rate": 0.0005})
    risk = lc.Engine(found.policies).evaluate(found.book, found.marks)
    assert lc.Status(risk.status[0]) is lc.Status.UNKNOWN_INSTRUMENT


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_score_of_a_reply(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FOLDER / "hyperliquid" / "account_2026-01-14.json")
    assert main(["score", file, "--from", "hyperliquid", "--format", form]) == OK
    shown = capsys.readouterr()
    assert "mark_price 95209 of BTC was recovered" in shown.err
    assert "BTC" in shown.out
    if form == "json":
        assert json.loads(shown.out)["positions"][0]["entry_price"] == 95137.8
    if form == "csv":
        assert shown.out.splitlines()[1].startswith("USDC,BTC,-1.47472,95137.8,95209.0,cross,,20.0,")


def test_score_says_what_it_could_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = read_json(FOLDER / "binance" / "v2_isolated_2022-01.json")
    file = tmp_path / "reply.json"
    file.write_text(json.dumps([*data, {"symbol": "ETHUSDT", "positionAmt": None}]))
    assert main(["score", str(file), "--from", "binance"]) == FOUND
    assert "left out: [1] ETHUSDT: positionAmt is empty" in capsys.readouterr().err
    file.write_text("[]")
    assert main(["score", str(file), "--from", "binance"]) == FAILED
    assert "must hold a position" in capsys.readouterr().err


def test_explain_and_compare_of_a_reply(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FOLDER / "binance" / "cross_2022-06-14.json")
    assert main(["explain", file, "--from", "binance", "--row", "0"]) == OK
    names = "binance-usdm@2022-05-21,binance-usdm@2024-10-24"
    assert main(["compare", file, "--from", "binance", "--policies", names]) == OK
    assert "19,731.4" in capsys.readouterr().out


def test_files_beside_a_reply_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FOLDER / "binance" / "cross_2022-06-14.json")
    assert main(["score", file, "--from", "binance", "--marks", "marks.csv"]) == FAILED
    assert "--marks: does not go with --from" in capsys.readouterr().err


def account_of_two_assets() -> dict[str, Any]:
    """Reply of ``account`` with cross positions in USDT and in USDC, and the wallet of each."""
    assets = [("USDT", "3000.00000000"), ("USDC", "800.00000000"), ("BNB", "0.00000000")]
    positions = [("BTCUSDT", "0.500", "500.00000000"), ("BTCUSDC", "-0.200", "-202.00000000")]
    return {
        "assets": [{"asset": asset, "crossWalletBalance": balance} for asset, balance in assets],
        "positions": [
            {
                "symbol": symbol,
                "positionAmt": size,
                "entryPrice": "60000.0",
                "markPrice": "61000.0",
                "unRealizedProfit": profit,
                "marginType": "cross",
                "leverage": "10",
            }
            for symbol, size, profit in positions
        ],
    }


def test_an_account_of_two_assets_is_read_with_the_wallet_of_each() -> None:
    found = read(account_of_two_assets(), "binance", policy="binance-usdm@2026-09-29")
    assert found.wallets == {"USDT": 3_000.0, "USDC": 800.0}
    assert not any("cross_wallet" in note for note in found.notes)
    risk = lc.Engine(found.policies).evaluate(found.book, found.marks)
    one_account = lc.PositionBook(
        ["BTCUSDT", "BTCUSDC"], [0.5, -0.2], [60_000.0, 60_000.0], ["ann", "ann"], "cross",
        leverage=10.0, wallet_balance={"ann": found.wallets},
    )  # fmt: skip
    policy = lc.policy("binance-usdm@2026-09-29")
    expected = lc.Engine(policy).evaluate(one_account, {"BTCUSDT": 61_000.0, "BTCUSDC": 61_000.0})
    assert risk.liquidation_price.tolist() == expected.liquidation_price.tolist()
    assert risk.accounts.ids == ("USDT", "USDC")


@pytest.mark.parametrize("rule", ["account", "unknown"])
def test_wallets_read_apart_that_no_rule_has_apart_are_said(rule: str) -> None:
    policy = lc.policy("binance-usdm@2026-09-29").replace(cross_wallet=rule)
    found = read(account_of_two_assets(), "binance", policy=policy)
    words = "cross positions settle in USDT and USDC: each currency is read as an account of its own"
    assert any(note.startswith(words) for note in found.notes)
