"""Files whose rows name their policy: the column, the marks it goes with, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from levcore import errors
from levcore.cli.main import main
from levcore.files.positions import merge_marks, read_marks, read_positions

FILE = """instrument,policy,account,margin_mode,quantity,entry_price,mark_price,isolated_margin,leverage
BTCUSDT,binance-usdm@2024-10-24,one,isolated,0.5,60000,61000,3000,10
BTC,hyperliquid@2026-08-07,two,cross,-0.5,60000,61020,,20
ETH,hyperliquid@2026-08-07,two,cross,4,3000,3050,,10
BTCUSDT,binance-usdm@2024-10-24,one,isolated,-0.5,60000,61000,3000,10
"""


def written(folder: Path, text: str = FILE) -> Path:
    (folder / "accounts.csv").write_text("account,wallet_balance\ntwo,4000\n", encoding="utf-8")
    (folder / "positions.csv").write_text(text, encoding="utf-8")
    return folder / "positions.csv"


def score(path: Path, *options: str) -> int:
    return main(["score", str(path), "--accounts", str(path.parent / "accounts.csv"), *options])


def test_a_file_names_the_policy_of_each_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    assert score(path, "--format", "csv", "--report", str(tmp_path / "report.html")) == 0
    lines = capsys.readouterr().out.splitlines()
    place = lines[0].split(",").index("liquidation_price")
    assert [round(float(line.split(",")[place]), 1) for line in lines[1:3]] == [54216.9, 67073.6]
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    for found in ("binance-usdm@2024-10-24", "hyperliquid@2026-08-07", "BTC (hyperliquid@2026-08-07)"):
        assert found in report
    assert report.count("<h2>Policy ") == 2
    assert score(path) == 0
    text = capsys.readouterr().out
    assert "policy   hyperliquid@2026-08-07" in text
    assert "BTCUSDT (binance-usdm@2024-10-24)" in text
    assert main(["explain", str(path), "--accounts", str(tmp_path / "accounts.csv"), "--row", "1"]) == 0
    assert "under hyperliquid@2026-08-07" in capsys.readouterr().out


def test_one_name_has_a_mark_price_a_policy(tmp_path: Path) -> None:
    two_marks = FILE.replace("BTC,hyperliquid@2026-08-07", "BTCUSDT,generic").replace(
        "ETH,hyperliquid@2026-08-07", "ETH,generic"
    )
    positions = read_positions(written(tmp_path, two_marks))
    assert positions.marks == {}
    expected = {
        "binance-usdm@2024-10-24": {"BTCUSDT": 61000.0},
        "generic": {"BTCUSDT": 61020.0, "ETH": 3050.0},
    }
    assert positions.marks_of_policies == merge_marks(positions, {}) == expected
    assert merge_marks(positions, {"SOL": 1.0}) == {
        name: own | {"SOL": 1.0} for name, own in expected.items()
    }


@pytest.mark.parametrize(
    ("old", "new", "options", "words"),
    [
        ("BTC,hyperliquid@2026-08-07", "BTC,", (), "line 3, column 'policy': must not be empty"),
        ("BTC,hyperliquid@2026-08-07", "BTC,nobody", (), "policy: "),
        (
            "ETH,hyperliquid@2026-08-07",
            "ETH,binance-usdm",
            (),
            "must be one for all cross positions of account 'two'",
        ),
        (",policy,", ",remark,", (), "--policy: is needed"),
        ("", "", ("--policy", "generic"), "--policy: must not be given beside a column policy"),
        ("-0.5,60000,61000", "-0.5,60000,61001", (), "line 5, column 'mark_price': contradicts itself"),
    ],
    ids=["empty cell", "no such policy", "an account of two", "no column", "both", "two marks"],
)
def test_files_that_are_refused(
    old: str,
    new: str,
    options: tuple[str, ...],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert score(written(tmp_path, FILE.replace(old, new)), *options) == 1
    assert words in capsys.readouterr().err


def test_marks_by_policy_are_refused_in_a_file_of_marks(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text("policy,instrument,mark_price\nhyperliquid@2026-08-07,BTC,61020\n", encoding="utf-8")
    with pytest.raises(errors.FileFormatError, match="one price holds under every policy"):
        read_marks(path)
