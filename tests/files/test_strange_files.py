"""Files of people who do not know ours: each refusal names the remedy, and nothing is passed over."""

from pathlib import Path

import pytest

from levcore.cli.main import main

HEADER = "instrument,quantity,entry_price,margin_mode,isolated_margin"


def told(path: Path, text: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    positions = path / "positions.csv"
    positions.write_text(text)
    code = main(["score", str(positions), "--policy", "binance-usdm", *options])
    out, err = capsys.readouterr()
    return code, out + err


@pytest.mark.parametrize("word", ["None", "N/A", "NULL", "-", "NaT"])
def test_a_word_for_nothing_is_no_number_and_the_remedy_is_said(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = told(tmp_path, f"{HEADER},mark_price\nBTCUSDT,1,60000,isolated,{word},61000\n", capsys)
    assert code == 1
    assert "line 2, column 'isolated_margin'" in said
    assert f"an empty cell where there is none, found {word!r}" in said


def test_semicolons_and_an_index_without_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(tmp_path, f"{HEADER}\nBTCUSDT,0,5\n".replace(",", ";"), capsys)
    assert code == 1
    assert "must be separated by commas; expected ',', and points in numbers" in said
    code, said = told(tmp_path, f",{HEADER}\n0,BTCUSDT,1,60000,isolated,3000\n", capsys)
    assert code == 1
    assert (
        "column 1 has no name; expected a name in the header; pandas writes an index without: index=False"
        in said
    )


def test_a_mark_of_another_spelling_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks = tmp_path / "marks.csv"
    row = f"{HEADER}\nBTCUSDT,0.5,60000,isolated,3000\n"
    marks.write_text("instrument,mark_price\nBTC/USDT:USDT,61000\nETHUSDT,3000\n")
    code, said = told(tmp_path, row, capsys, "--marks", str(marks))
    assert code == 2
    assert "note: BTCUSDT has no mark; is 'BTC/USDT:USDT' meant?" in said
    marks.write_text("instrument,mark_price\nBTCUSDT,61000\n")
    code, said = told(tmp_path, row, capsys, "--marks", str(marks))
    assert code == 0
    assert "has no mark" not in said


def test_no_rows_are_no_good_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(tmp_path, f"{HEADER},mark_price\n", capsys)
    assert code == 3
    assert "There is nothing to judge." in said
    assert "Nothing is in margin call" not in said
