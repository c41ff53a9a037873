"""``levcore.toml``: options that are not typed; what is typed wins, what is no option is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from levcore.cli.main import main

POSITIONS = (
    "instrument,quantity,entry_price,margin_mode,isolated_margin,mark_price,note\n"
    "BTCUSDT,0.1,60000,isolated,700,60000,x\n"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("positions.csv").write_text(POSITIONS, encoding="utf-8")


def write(text: str, name: str = "levcore.toml") -> None:
    """Write a file of options into the working directory."""
    Path(name).write_text(text, encoding="utf-8")


def refused(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Error of a command that fails."""
    assert main(list(words)) == 1
    return capsys.readouterr().err


def test_options_of_the_file_hold_for_every_command_and_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    write('format = "json"\n[score]\npolicy = "binance-usdm"\nignore-columns = ["note"]\nleg-costs = false\n')
    assert main(["score", "positions.csv"]) == 0
    found = capsys.readouterr()
    assert json.loads(found.out)["positions"][0]["instrument"] == "BTCUSDT"
    assert "levcore.toml: --format=json --policy=binance-usdm --ignore-columns=note" in found.err
    assert main(["policies"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_what_is_typed_wins(capsys: pytest.CaptureFixture[str]) -> None:
    write('[score]\npolicy = "bybit-linear"\nformat = "json"\nset = ["closing_fee_rate=0.5"]\n')
    typed = ["--policy", "binance-usdm", "--format", "csv", "--set", "liquidation_level=0.9"]
    assert main(["score", "positions.csv", *typed, "--set", "closing_fee_rate=0.0"]) == 0
    with_file = capsys.readouterr().out
    Path("levcore.toml").unlink()
    assert main(["score", "positions.csv", *typed, "--set", "closing_fee_rate=0.0"]) == 0
    assert with_file == capsys.readouterr().out != ""


def test_a_command_has_its_own_in_the_place_of_what_holds_for_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write('format = "json"\n[policies]\nformat = "csv"\n')
    assert main(["policies"]) == 0
    assert capsys.readouterr().out.startswith("id,name,")


def test_required_options_may_stand_in_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        '[plan]\nentry = 60_000\nleverage = 10\nmove = "-15%"\npolicies = ["binance-usdm", "hyperliquid"]\n'
    )
    assert main(["plan", "BTCUSDT", "long", "0.5"]) == 0
    assert "at 60,000, 10x" in capsys.readouterr().out


def test_a_named_file_stands_in_the_place_of_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    write("this is no TOML")
    write('format = "json"\n', "desk.toml")
    for words in (["--config", "desk.toml"], ["--config=desk.toml"], ["--conf", "desk.toml"], ["@words"]):
        write("--config desk.toml", "words")
        assert main(["policies", *words]) == 0
        assert json.loads(capsys.readouterr().out)
    write("policies --config desk.toml", "words")
    assert main(["@words"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("this is no TOML", "levcore.toml: must be TOML in UTF-8"),
        ('polcy = "binance-usdm"', "must be an option of some command; expected account, accounts, "),
        ('[scor]\npolicy = "x"', "must be a command; expected score, explain, "),
        ("[score]\nrow = 2\n[explain]\nrow = 2", "must be an option of score; expected accounts, "),
        ('[score]\nout = "positions.csv"', "must be an option of score"),
        ('[plan]\nreport = "x.html"', "must be an option of plan"),
        ('format = "xml"', "format must be a value of the option; expected table or json or jsonl or csv"),
        ("format = true", "format must be a value of the option; expected text or a number, found True"),
        ('format = ["json"]', "format must be a value of the option; expected one value"),
        ("[policies]\nformat = { a = 1 }", "format must be a value of the option"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_every_command(
    text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(text)
    error = refused("policies", capsys=capsys)
    assert "levcore: error: levcore.toml: " in error
    assert words in error


def test_values_are_those_of_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    write('[plan]\nleverage = "ten"\n[score]\nleg-costs = "yes"\n')
    assert "leverage must be a value of the option; expected X, found 'ten'" in refused(
        "plan", "BTCUSDT", "long", "1", "--entry", "1", capsys=capsys
    )
    assert "leg-costs must be a value of the option; expected true or false, found 'yes'" in refused(
        "score", "positions.csv", capsys=capsys
    )


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere.toml: No such file" in refused("policies", "--config", "nowhere.toml", capsys=capsys)


def test_the_doctor_says_which_file_is_in_force(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["doctor", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["options file"] == "none"
    write("")
    assert main(["doctor", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["options file"] == str((tmp_path / "levcore.toml").resolve())
