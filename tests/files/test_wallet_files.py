"""Wallets by settlement currency in files, frames and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import levcore as lc
from levcore.cli.exit_codes import FOUND, OK
from levcore.cli.main import main
from levcore.files.positions import read_accounts

POSITIONS = """account,instrument,quantity,entry_price,mark_price,margin_mode,leverage
a,BTCUSDT,0.5,60000,61000,cross,10
a,BTCUSDC,-0.2,60000,61010,cross,10
b,ETHUSDT,3,3000,3010,cross,10
"""
ACCOUNTS = "account,wallet_currency,wallet_balance\na,USDT,3000\na,USDC,800\nb,,900\n"
POLICY = "binance-usdm@2026-09-29"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    positions, accounts = tmp_path / "positions.csv", tmp_path / "accounts.csv"
    positions.write_text(POSITIONS)
    accounts.write_text(ACCOUNTS)
    return str(positions), str(accounts)


@pytest.mark.parametrize("name", ["wallet_currency", "settlement currency", "marginAsset", "ccy", "asset"])
def test_a_file_of_accounts_has_a_line_a_wallet(tmp_path: Path, name: str) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(ACCOUNTS.replace("wallet_currency", name))
    assert read_accounts(path) == {"a": {"USDT": 3_000.0, "USDC": 800.0}, "b": 900.0}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("a,USDT,1\na,USDT,2\n", r"line 3.*must have one line an account and currency.*USDT of 'a' again"),
        ("a,,1\na,,2\n", r"line 3.*must have one line an account and currency.*'a' again"),
        ("a,USDT,1\na,,2\n", r"line 3.*must not be empty: 'a' has several wallets"),
        ("a,USDT,many\n", r"line 2.*wallet_balance"),
    ],
)
def test_wallets_that_contradict_themselves_are_named_with_their_line(
    tmp_path: Path, lines: str, words: str
) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account,wallet_currency,wallet_balance\n" + lines)
    with pytest.raises(lc.LevcoreError, match=words):
        read_accounts(path)


def test_two_columns_for_the_currency_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account,asset,wallet_currency,wallet_balance\na,USDT,USDT,1\n")
    with pytest.raises(lc.LevcoreError, match="two columns say the currency of a wallet"):
        read_accounts(path)


def test_the_command_line_evaluates_wallets_apart(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    positions, accounts = files
    inputs = [positions, "--accounts", accounts, "--policy", POLICY]
    assert main(["score", *inputs, "--format", "json"]) == OK
    output = json.loads(capsys.readouterr().out)
    wallets = {(one["account"], one["currency"]): one["equity"] for one in output["wallets"]}
    assert wallets == {("a", "USDC"): 598.0, ("a", "USDT"): 3_500.0, ("b", "USDT"): 930.0}
    assert [one["status"] for one in output["accounts"]] == ["several_wallets", "ok"]
    assert main(["score", *inputs]) == OK
    report = capsys.readouterr().out
    assert "2 accounts in 3 wallets, each judged apart" in report
    assert "a, USDC" in report
    assert "Wallets of cross accounts" in report
    assert main(["explain", *inputs, "--row", "1"]) == OK
    assert "cross_wallet              USDC" in capsys.readouterr().out
    assert main(["score", *inputs, "--set", "cross_wallet=account"]) == FOUND
    shown = capsys.readouterr()
    assert "mixed settlement" in shown.out
    words = f"1 of the accounts hold several currencies, and cross_wallet is 'account' in {POLICY}"
    assert words in shown.err


def test_one_number_for_two_currencies_fails_that_account(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    positions, accounts = files
    Path(accounts).write_text("account,wallet_balance\na,3000\nb,900\n")
    assert main(["score", positions, "--accounts", accounts, "--policy", POLICY, "--format", "json"]) == FOUND
    shown = capsys.readouterr()
    output = json.loads(shown.out)
    assert "give each wallet its currency, in a column wallet_currency of --accounts" in shown.err
    assert [one["status"] for one in output["accounts"]] == ["missing_wallet_currency", "ok"]
    assert [one["status"] for one in output["positions"]] == ["account_incomplete"] * 2 + ["ok"]
    assert output["positions"][0]["liquidation_price"] is None


def test_a_frame_has_the_wallet_of_each_row() -> None:
    frame = pl.DataFrame(
        {
            "account": ["a", "a", "a", "b"],
            "symbol": ["BTCUSDT", "BTCUSDC", "ETHUSDT", "ETHUSDT"],
            "qty": [0.5, -0.2, 1.0, 3.0],
            "entry": [60_000.0, 60_000.0, 3_000.0, 3_000.0],
            "mark": [61_000.0, 61_010.0, 3_010.0, 3_010.0],
            "margin_mode": ["cross"] * 4,
            "wallet_balance": [3_000.0, 800.0, None, 900.0],
            "settlement_currency": ["USDT", "USDC", "USDT", "USDT"],
        }
    )
    book = lc.PositionBook.from_frame(frame)
    engine = lc.Engine(lc.policy(POLICY))
    assert book.marks is not None
    risk = engine.evaluate(book, book.marks)
    assert risk.wallets.equity.tolist() == [598.0, 3_510.0, 930.0]
    assert pl.DataFrame(risk.wallets)["currency"].to_list() == ["USDC", "USDT", "USDT"]
    assert pl.DataFrame(risk)["settlement_currency"].to_list() == frame["settlement_currency"].to_list()
    contradicting = frame.with_columns(wallet_balance=pl.Series([3_000.0, 800.0, 5.0, 900.0]))
    with pytest.raises(lc.InputError, match="wallet_balance: contradicts itself for a"):
        lc.PositionBook.from_frame(contradicting)
