"""Pages of one reply: one that goes on is told, several are one account."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import FileFormatError

REPLIES = Path(__file__).parents[1] / "data" / "replies" / "bybit"
SET = "nextPageCursor is set beside"


def page(symbol: str, cursor: str) -> dict[str, Any]:
    row = {
        "symbol": symbol, "side": "Buy", "size": "0.5", "avgPrice": "60000", "markPrice": "61000",
        "leverage": "10", "positionValue": "30000", "unrealisedPnl": "500", "positionIM": "", "liqPrice": "",
    }  # fmt: skip
    result = {"category": "linear", "nextPageCursor": cursor, "list": [row]}
    return {"retCode": 0, "retMsg": "OK", "result": result}


def test_a_reply_that_goes_on_says_so() -> None:
    read = lc.venues.read(page("BTCUSDT", "abc"), "bybit")
    told = [line for line in read.notes if SET in line]
    assert told == [
        "result.nextPageCursor is set beside 1 row: more positions may follow, which are not read; ask again"
        " with cursor set to it until it is empty or no row comes, and give all replies as one list"
    ]
    assert told[0] in lc.reconcile(page("BTCUSDT", "abc"), "bybit").notes
    assert not [line for line in lc.venues.read(page("BTCUSDT", ""), "bybit").notes if SET in line]


def test_the_documented_example_is_read_with_the_note() -> None:
    read = lc.venues.read(REPLIES / "unified_2022-07-13.json", "bybit")
    assert len(read.book) > 0
    assert any(SET in line for line in read.notes)


def test_pages_are_one_account(tmp_path: Path) -> None:
    pages = [page("BTCUSDT", "abc"), page("ETHUSDT", "")]
    whole = copy.deepcopy(pages[1])
    whole["result"]["list"] = [*pages[0]["result"]["list"], *pages[1]["result"]["list"]]
    expected = lc.venues.read(whole, "bybit")
    paths = []
    for name, each in zip("ab", pages, strict=True):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(each))
    for given in (pages, tuple(pages), paths):
        read = lc.venues.read(given, "bybit")
        assert read.columns == expected.columns
        assert read.marks == expected.marks
        assert not any(SET in line for line in read.notes)
    places = {each.place for each in lc.reconcile(pages, "bybit").numbers}
    assert places == {"[0].result.list[0]", "[1].result.list[0]"}
    unfinished = lc.venues.read([pages[0], page("ETHUSDT", "def")], "bybit")
    assert any(f"{SET} 2 rows" in line for line in unfinished.notes)


def test_a_page_given_twice_or_of_another_venue_is_refused() -> None:
    one = page("BTCUSDT", "abc")
    with pytest.raises(FileFormatError, match="must hold each page once"):
        lc.venues.read([one, page("ETHUSDT", ""), copy.deepcopy(one)], "bybit")
    with pytest.raises(FileFormatError, match=r"reply\[1\].*is an error"):
        lc.venues.read([one, {"retCode": 10001, "retMsg": "no", "result": {"list": []}}], "bybit")


def test_ccxt_repeats_the_cursor_in_its_rows() -> None:
    row = {
        "symbol": "BTC/USDT:USDT", "side": "long", "contracts": 0.5, "contractSize": 1.0,
        "entryPrice": 60000.0, "markPrice": 61000.0, "marginMode": "cross", "leverage": 10.0,
        "info": {"nextPageCursor": "abc"},
    }  # fmt: skip
    read = lc.venues.read([row], "ccxt", policy="bybit-linear")
    assert any("[0].info.nextPageCursor is set beside 1 row" in line for line in read.notes)


def test_commands_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reply.json"
    path.write_text(json.dumps(page("BTCUSDT", "abc")))
    main(["reconcile", str(path), "--from", "bybit"])
    assert SET in capsys.readouterr().err
    path.write_text(json.dumps([page("BTCUSDT", "abc"), page("ETHUSDT", "")]))
    main(["reconcile", str(path), "--from", "bybit"])
    assert SET not in capsys.readouterr().err


def test_a_position_that_moved_from_one_page_to_the_next_is_not_counted_twice() -> None:
    later = page("BTCUSDT", "")
    later["result"]["list"][0]["markPrice"] = "61001"
    with pytest.raises(FileFormatError, match=r"each position once.*cross long BTCUSDT again on page 1"):
        lc.venues.read([page("BTCUSDT", "abc"), later], "bybit")
    later["result"]["list"][0]["side"] = "Sell"
    assert len(lc.venues.read([page("BTCUSDT", "abc"), later], "bybit").book) == 2


def wallet_page(*coins: str, balance: str = "1000") -> dict[str, Any]:
    rows = [{"coin": coin, "walletBalance": balance} for coin in coins]
    account = {"accountType": "UNIFIED", "totalEquity": "", "totalMaintenanceMargin": "", "coin": rows}
    return {"retCode": 0, "retMsg": "OK", "result": {"list": [account]}}


def test_replies_about_an_account_may_be_several_too(tmp_path: Path) -> None:
    positions = page("BTCUSDT", "")
    pages = [wallet_page("BTC"), wallet_page("USDT", balance="5000")]
    paths = []
    for name, each in zip("ab", pages, strict=True):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(each))
    (tmp_path / "both.json").write_text(json.dumps(pages))
    for given in (pages[1], pages, tuple(pages), paths, str(tmp_path / "both.json")):
        read = lc.venues.read(positions, "bybit", account=given)
        assert read.book.wallet_balance.tolist() == [5_000.0]
    of_binance = [{"assets": [{"asset": coin, "crossWalletBalance": "7"}]} for coin in ("BNB", "USDT")]
    cross = {
        "symbol": "BTCUSDT", "positionAmt": "0.1", "marginType": "cross", "leverage": "4",
        "entryPrice": "60000", "markPrice": "61000", "isolatedWallet": "0", "liquidationPrice": "0",
        "unRealizedProfit": "100",
    }  # fmt: skip
    assert lc.venues.read([cross], "binance", account=of_binance).book.wallet_balance.tolist() == [7.0]


def test_pages_about_an_account_that_contradict_each_other_are_refused() -> None:
    positions, one = page("BTCUSDT", ""), wallet_page("USDT")
    with pytest.raises(FileFormatError, match=r"account: must hold each page once; found page 1 is page 0"):
        lc.venues.read(positions, "bybit", account=[one, copy.deepcopy(one)])
    with pytest.raises(FileFormatError, match=r"must hold each wallet once.*found USDT again on page 1"):
        lc.reconcile(positions, "bybit", account=[one, wallet_page("BTC", "USDT", balance="2")])
    with pytest.raises(FileFormatError, match=r"account\[1\].*is an error"):
        lc.venues.read(positions, "bybit", account=[one, {"retCode": 10001, "result": {"list": []}}])
