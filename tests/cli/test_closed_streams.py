"""Standard streams that are closed, archives for files, columns that a kind of output cannot hold."""

import bz2
import datetime as dt
import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from levcore.cli.main import main

ROW: dict[str, list[Any]] = {
    "instrument": ["BTCUSDT"],
    "quantity": [0.5],
    "entry_price": [60_000.0],
    "mark_price": [61_000.0],
    "margin_mode": ["isolated"],
    "isolated_margin": [3_000.0],
}
LEVCORE = f'"{sys.executable}" -c "import sys; from levcore.cli.main import main; sys.exit(main())"'


def run(words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f"{LEVCORE} {words}"], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    file = tmp_path / "positions.csv"
    pl.DataFrame(ROW).write_csv(file)
    return file


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_closed_output_is_said(positions: Path, form: str) -> None:
    done = run(f"score {positions} --policy binance-usdm --format {form} >&-")
    assert done.returncode == 1
    assert done.stderr == "levcore: error: standard output: is closed; > /dev/null discards it\n"


def test_a_closed_input_is_empty_and_a_closed_error_silent(positions: Path, tmp_path: Path) -> None:
    done = run("score - --policy binance-usdm <&-")
    assert done.returncode == 1
    assert "must have a header line" in done.stderr
    out = tmp_path / "out.csv"
    done = run(f"score {positions} --policy binance-usdm --out {out} 2>&-")
    assert done.returncode == 0
    # What is said on the closed stream must not end up in a file that took its number.
    assert out.read_text().splitlines()[0].startswith("instrument,quantity")
    assert "levcore:" not in out.read_text()


@pytest.mark.parametrize(
    ("packed", "word"),
    [
        (bz2.compress(b"a,b\n1,2\n"), "a bzip2 archive: unpack it"),
        (lzma.compress(b"a,b\n1,2\n"), "an xz archive: unpack it"),
        (b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00", "a Zstandard archive: unpack it"),
    ],
)
def test_archives_are_named(
    packed: bytes, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "positions.csv"
    file.write_bytes(packed)
    assert main(["score", str(file), "--policy", "binance-usdm"]) == 1
    assert word in capsys.readouterr().err


def test_columns_of_every_type_come_out_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "positions.parquet"
    further = {
        "opened": [dt.datetime(2026, 1, 2, 3, 4, 5)],
        "day": [dt.date(2026, 1, 2)],
        "note_list": [[1, 2]],
        "note_fields": [{"desk": "a", "limit": None}],
        "note_bytes": [b"\xff\x00"],
    }
    pl.DataFrame(ROW | further).write_parquet(file)
    words = ["score", str(file), "--policy", "binance-usdm", "--format"]
    assert main([*words, "jsonl"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert {name: row[name] for name in further} == {
        "opened": "2026-01-02T03:04:05",
        "day": "2026-01-02",
        "note_list": [1, 2],
        "note_fields": {"desk": "a", "limit": None},
        "note_bytes": "ff00",
    }
    for output in ([*words, "csv"], [*words, "table", "--out", str(tmp_path / "out.csv")]):
        assert main(output) == 1
        error = capsys.readouterr().err
        assert "note_list: cannot be cells of a CSV file" in error
        assert "--ignore-columns note_list, found List(Int64)" in error
    assert main([*words, "csv", "--ignore-columns", "note_list,note_fields,note_bytes"]) == 0
    assert "2026-01-02T03:04:05" in capsys.readouterr().out
