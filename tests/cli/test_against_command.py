"""The command ``levcore against``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from levcore.cli.main import main

POSITIONS = """instrument,quantity,entry_price,margin_mode,mark_price,leverage
BTCUSDT,0.5,60000,isolated,61000,10
ETHUSDT,-4,3000,isolated,3050,10
"""
POLICY = ("--policy", "binance-usdm@2024-10-24")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, Path]:
    positions = tmp_path / "positions.csv"
    positions.write_text(POSITIONS, encoding="utf-8")
    return str(positions), tmp_path / "theirs.csv"


def test_causes_are_told_and_the_exit_code_says_whether_all_is(
    files: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    positions, theirs = files
    theirs.write_text(
        "instrument,upnl,note\nBTCUSDT,500\nETHUSDT,200\n".replace(",note", ""), encoding="utf-8"
    )
    assert main(["against", positions, str(theirs), *POLICY, "--column", "upnl=unrealized_pnl"]) == 0
    shown = capsys.readouterr().out
    assert "2 numbers compared: 1 the same, 1 explained, 0 not" in shown
    assert "side or sign" in shown
    theirs.write_text("unrealized_pnl,note\n500,x\n123,y\n", encoding="utf-8")
    report = theirs.with_suffix(".html")
    arguments = ["against", positions, str(theirs), *POLICY, "--format", "json", "--report", str(report)]
    assert main(arguments) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["rows_by_cause"] == {"unexplained": 1}
    assert found["left_out"] == ["note"]
    assert "unexplained" in report.read_text(encoding="utf-8")


def test_their_file_may_repeat_the_positions(
    files: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    positions, theirs = files
    assert main(["score", positions, *POLICY, "--out", str(theirs)]) == 0
    capsys.readouterr()
    assert main(["against", positions, str(theirs), *POLICY]) == 0
    shown = capsys.readouterr().out
    assert "the same, 0 explained, 0 not" in shown
    assert "left out state, status" in shown
    rows = theirs.read_text(encoding="utf-8").replace("unrealized_pnl", "unrealised_pnl")
    theirs.write_text(rows, encoding="utf-8")
    assert main(["against", positions, str(theirs), *POLICY]) == 0
    assert "left out unrealised_pnl, state, status" in capsys.readouterr().out


def test_bad_files_are_named(files: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    positions, theirs = files
    theirs.write_text("unrealized_pnl\n500\n", encoding="utf-8")
    assert main(["against", positions, str(theirs), *POLICY]) == 1
    assert "unrealized_pnl" in capsys.readouterr().err
    assert main(["against", positions, str(theirs), *POLICY, "--column", "x"]) == 1
    assert "--column" in capsys.readouterr().err
