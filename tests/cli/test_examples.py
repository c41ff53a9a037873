"""Every example of ``--help`` runs; pipes, files of options, JSON lines, and output that is scored again."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from levcore.cli.examples import EXAMPLES
from levcore.cli.main import main

REPLIES = Path(__file__).parents[1] / "data" / "replies"
POSITIONS = """account,mark_price,instrument,quantity,entry_price,margin_mode,isolated_margin,leverage,note
desk,60000,BTCUSDT,0.5,58000,cross,,10,first
desk,3000,ETHUSDT,-4,2900,cross,,10,
,60000,BTCUSDT,0.1,60000,isolated,700,10,"a, b"
"""
ISOLATED = "\n".join([POSITIONS.splitlines()[0], POSITIONS.splitlines()[3]]) + "\n"
PRICES = """time,instrument,price
0,BTCUSDT,60000
1,BTCUSDT,40000
0,ETHUSDT,3000
1,ETHUSDT,4500
"""
RULES = "--policy binance-usdm   # of all files here\n--fees regular\n"
LINES = [(name, line) for name, examples in EXAMPLES.items() for _, line in examples]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("positions.csv").write_text(POSITIONS, encoding="utf-8")
    pl.read_csv("positions.csv").sort("account").write_parquet("positions.parquet")
    Path("isolated.csv").write_text(ISOLATED, encoding="utf-8")
    Path("accounts.csv").write_text("account,wallet_balance\ndesk,2500\n", encoding="utf-8")
    Path("prices.csv").write_text(PRICES, encoding="utf-8")
    Path("levcore.args").write_text(RULES, encoding="utf-8")
    Path("desk.toml").write_text('policy = "binance-usdm"\nfees = "regular"\n', encoding="utf-8")
    theirs = "instrument,their_liq\nBTCUSDT,52000\nETHUSDT,3600\nBTCUSDT,53212.85\n"
    Path("theirs.csv").write_text(theirs, encoding="utf-8")
    shutil.copy(REPLIES / "bybit" / "isolated_2022-11-25.json", "reply.json")
    shutil.copy(REPLIES / "binance" / "leverageBracket_coinm.json", "brackets.json")


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a line of a shell with at most one file for its standard input."""
    words, _, source = line.partition(" < ")
    if source:
        data = Path(source).read_bytes()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
    return main(shlex.split(words)[1:])


@pytest.mark.parametrize(("name", "line"), LINES)
def test_the_examples_of_the_help_run(
    name: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(line, monkeypatch)
    said = capsys.readouterr()
    assert code in (0, 2), said.err
    assert len(said.out) > 60


ASKED = {
    "score": "score isolated.csv --policy binance-usdm",
    "explain": "explain isolated.csv --policy binance-usdm --row 0",
    "against": "against positions.csv theirs.csv --policy binance-usdm --column their_liq=liquidation_price"
    " --accounts accounts.csv",
    "compare": "compare isolated.csv --policies binance-usdm,hyperliquid",
    "plan": "plan BTCUSDT long 0.5 --entry 60000 --leverage 10 --stop 57000",
    "plan, refused": "plan NOSUCHUSDT long 0.5 --entry 60000 --leverage 10",
    "reconcile": "reconcile reply.json --from bybit --fees regular",
    "replay": "replay isolated.csv prices.csv --policy hyperliquid --set close_out_step=whole"
    " --set close_out_remainder=fund --set close_out_payers=fund --fund 1e6",
    "ladder": "ladder isolated.csv --policy binance-usdm --rungs 3",
    "tiers": "tiers binance-usdm",
    "tiers of a contract": "tiers binance-usdm BTCUSDT",
    "tiers diff": "tiers diff binance-usdm@2023 binance-usdm@2024",
    "policies": "policies",
    "policies, one": "policies binance-usdm",
    "doctor": "doctor",
}


def said_by(words: str, form: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*words.split(), "--format", form]) in (0, 2, 3)
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ASKED)
def test_every_command_answers_in_every_format(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    # What is measured is another number each time: `bench` has a test of its own.
    assert {each.partition(",")[0].split()[0] for each in ASKED} == {*EXAMPLES} - {"bench"}
    whole = json.loads(said_by(ASKED[name], "json", capsys))
    lines = rows_of(said_by(ASKED[name], "jsonl", capsys))
    table = [*csv.DictReader(io.StringIO(said_by(ASKED[name], "csv", capsys)))]
    assert whole
    assert len(lines) == len(table) > 0
    for line, row in zip(lines, table, strict=True):
        assert {*line} == {*row} == {*lines[0]}
        for key, value in line.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert float(row[key]) == value
            elif value is None:
                assert row[key] == ""


def test_a_plan_that_no_policy_answers_says_so_in_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    words = "long 0.5 --entry 60000 --leverage 10 --policies binance-usdm --format json"
    assert main(["plan", "BTCUSDT", *words.split()]) == 0
    venue = json.loads(capsys.readouterr().out)["venues"][0]
    assert venue["points"]["liquidation"]["price"] == pytest.approx(54_216.867, abs=1e-3)
    assert main(["plan", "NOSUCHUSDT", *words.split()]) == 3
    assert json.loads(capsys.readouterr().out)["venues"][0]["points"] == {}


def test_events_of_a_replay_add_up_to_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    words = ASKED["replay"] + " --path low_first"
    totals = json.loads(said_by(words, "json", capsys))["totals"]
    events = rows_of(said_by(words, "jsonl", capsys))
    assert totals["liquidated"] == len(events) == 1
    assert events[0]["instrument"] == "BTCUSDT"
    assert events[0]["fees"] / events[0]["per_unit"] == totals["fees"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\x14\x00", "an Excel workbook: save its sheet as CSV"),
        (b"\x1f\x8b\x08", "a gzip archive: unpack it"),
        ("instrument".encode("utf-16"), "UTF-16: save it as CSV in UTF-8"),
        (b"PAR1", "its name must end in .parquet"),
        (
            b'{"code": -1003, "msg": "Too many requests"}',
            "JSON: save it as CSV; a venue's reply is read with --from",
        ),
        (b'[{"symbol": "BTCUSDT"}]', "JSON: save it as CSV"),
        (b"<!DOCTYPE html><html>", "HTML or XML: save its table as CSV"),
    ],
)
def test_a_file_that_is_no_csv_says_what_it_is(
    content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("theirs.csv").write_bytes(content)
    assert main(["score", "theirs.csv", "--policy", "generic"]) == 1
    assert said in capsys.readouterr().err


def test_a_wrong_call_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "BTCUSDT", "up", "1", "--entry", "60000"])
    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert len(said) == 2
    assert "'up'" in said[0]
    assert said[1] == "(levcore plan --help shows options and examples)"


def test_a_rule_that_is_close_is_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "isolated.csv", "--policy", "generic", "--set", "closing_fee=0.0005"]) == 1
    assert "expected one of closing_fee_basis, closing_fee_rate" in capsys.readouterr().err


def test_every_command_shows_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    for name, examples in EXAMPLES.items():
        assert f"\n    {name}" in listed
        with pytest.raises(SystemExit):
            main([name, "--help"])
        shown = " ".join(capsys.readouterr().out.replace("\\\n", " ").split())
        for what, line in examples:
            assert f"# {what} {' '.join(line.split())}" in shown


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_are_the_rows_of_the_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["score", "positions.csv", "--policy", "binance-usdm", "--format", "json"])
    whole = json.loads(capsys.readouterr().out)["positions"]
    main(["score", "positions.csv", "--policy", "binance-usdm", "--format", "jsonl", "--out", "out.jsonl"])
    printed = capsys.readouterr().out
    assert rows_of(printed) == whole
    assert Path("out.jsonl").read_text(encoding="utf-8") == printed
    assert [row["note"] for row in whole] == ["first", None, "a, b"]


def test_output_is_scored_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--policy binance-usdm --accounts accounts.csv"
    run(f"levcore score - {words} --out - < positions.csv", monkeypatch)
    first = capsys.readouterr()
    assert "left out" not in first.err
    Path("again.csv").write_text(first.out, encoding="utf-8")
    run(f"levcore score - {words} --out - < again.csv", monkeypatch)
    second = capsys.readouterr()
    assert second.out == first.out
    assert "standard input holds results of an earlier evaluation, left out" in second.err
    run("levcore compare - --policies binance-usdm,generic --accounts accounts.csv < again.csv", monkeypatch)
    assert "Comparison of policies: standard input" in capsys.readouterr().out


@pytest.mark.parametrize("end", ["csv", "parquet", "arrow"])
def test_a_file_of_results_of_any_kind_is_scored_again(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells of a CSV file are text; in a file that knows types they are numbers again, and gaps are gaps."""
    text = "instrument,side,qty,entry_price,mark_price,margin_mode,leverage,note\n"
    text += "BTCUSDT,short,0.5,60000,61000,isolated,10,01\nETHUSDT,long,4,3000,3050,isolated,,x\n"
    Path("sides.csv").write_text(text, encoding="utf-8")
    policy = ["--policy", "binance-usdm@2024-10-24"]
    assert main(["score", "sides.csv", *policy, "--out", f"again.{end}"]) == 2
    capsys.readouterr()
    assert main(["score", "sides.csv", *policy, "--format", "jsonl"]) == 2
    first = capsys.readouterr().out
    assert main(["score", f"again.{end}", *policy, "--format", "jsonl"]) == 2
    assert capsys.readouterr().out == first


def test_one_result_alone_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*csv.reader(io.StringIO(ISOLATED))]
    text = "\n".join(f"{','.join(row[:-1])},{last}" for row, last in zip(rows, ("equity", "1"), strict=True))
    Path("some.csv").write_text(text, encoding="utf-8")
    assert main(["score", "some.csv", "--policy", "generic"]) == 1
    assert "has the name of a result" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("score - --marks - --policy generic", "standard input can be one file only"),
        ("score positions.csv --policy generic --out - --format jsonl", "--format jsonl"),
    ],
)
def test_what_cannot_be_piped_is_refused(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 1
    assert said in capsys.readouterr().err


def test_a_file_of_options_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["score", "positions.csv", "@nothing.args"])
    assert ended.value.code == 1
    assert "nothing.args" in capsys.readouterr().err
