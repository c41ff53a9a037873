"""``levcore plan``: what a person reads who types one line."""

from pathlib import Path

import pytest

from levcore.cli.main import main

FIVE = "binance-usdm,bybit-linear,okx-linear-swap,mexc-linear,hyperliquid"
LINE = ["plan", "BTCUSDT", "long", "0.5", "--entry", "60000", "--leverage", "10"]


def output_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*LINE, *arguments]) == 0
    return capsys.readouterr().out


def test_one_line_under_one_policy_ends_in_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(["--policies", "binance-usdm"], capsys)
    assert out.splitlines()[1] == (
        "verdict  Liquidated 9.64 % below entry, at 54,216.87; at most 3,000.00 USDT and fees are lost; "
        "nothing can be owed, says a third party's copy of the venue's text "
        "(the insurance fund balances a negative wallet to 0)."
    )


def test_five_venues_side_by_side_on_a_fresh_clone(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(["--fees", "regular", "--policies", FIVE], capsys)
    for told in (
        "54,216.87",
        "54,178.79",
        "54,244.10",
        "54,060.00",
        "54,683.54",
        "secondary: ",
        "is BTC here",
    ):
        assert told in out
    assert "nan" not in out.lower().split()


def test_moves_and_gaps_are_per_cent_with_a_sign(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(
        ["--move", "-15%", "--gap", "15%", "--call-at", "80%", "--policies", "binance-usdm"], capsys
    )
    assert "Surviving a move of -15.00 %" in out
    assert "6.51x" in out
    assert "46,084.34" in out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_lines_keep_to_the_terminal(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    asked = [
        "--fees",
        "regular",
        "--stop",
        "57000",
        "--budget",
        "200",
        "--wallet",
        "9000",
        "--funding",
        "0.03%",
    ]
    out = output_of([*asked, "--policies", FIVE], capsys)
    # The head of a page is not wrapped.
    body = out.split("\n\n", 1)[1]
    too_long = [line for line in body.splitlines() if len(line) > int(columns)]
    assert not [line for line in too_long if max(map(len, line.split())) < 40]


def test_a_rule_is_stated_for_one_policy(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(["--policies", "mexc-linear", "--set", "mexc-linear.closing_fee_rate=0.0006"], capsys)
    assert "Liquidated 9.90 % below entry" in out
    assert main([*LINE, "--policies", "mexc-linear", "--set", "bitmex.closing_fee_rate=0.1"]) == 1
    assert "--set" in capsys.readouterr().err


def test_the_page_holds_what_the_text_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.html"
    output_of(["--fees", "regular", "--report", str(file)], capsys)
    page = file.read_text(encoding="utf-8")
    assert "<svg" in page
    assert "54,216.87" in page
    assert "A demand to deposit or to reduce" in page


def test_what_makes_no_position_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*LINE[:-2]]) == 1
    assert "leverage" in capsys.readouterr().err
    assert main([*LINE, "--cross"]) == 1
    assert "wallet" in capsys.readouterr().err
    assert main([*LINE, "--report", "plan.txt"]) == 1
