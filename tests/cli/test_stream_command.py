"""``levcore score --stream``: the summary of an evaluation at once, to the last bit, batch by batch."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import levcore as lc
from levcore.cli import stream
from levcore.cli.main import main

MARKS = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0}


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = lc.evaluate_batches
    monkeypatch.setattr(stream, "evaluate_batches", lambda *given, **named: batches(*given, rows=64, **named))


def book(folder: Path, rows: int = 500, *, wallet: float = 9_000.0, sort: bool = True) -> str:
    """Write positions of some hundred accounts, cross and isolated."""
    random = np.random.default_rng(rows)
    number = np.arange(rows)
    account, code = (number // 2, number % 2) if sort else (number % (rows // 2), number * 2 // rows)
    cross = account % 2 == 0
    entry = np.array(list(MARKS.values()))[code] * random.normal(1.0, 0.02, rows)
    frame = pl.DataFrame(
        {
            "account": account,
            "instrument": pl.Series(list(MARKS)).gather(code),
            "margin_mode": pl.Series(["isolated", "cross"]).gather(cross.astype(np.int64)),
            "quantity": random.normal(0.0, 0.2, rows),
            "entry_price": entry,
            "mark_price": np.array(list(MARKS.values()))[code],
            "leverage": 10.0,
            "wallet_balance": pl.Series(np.where(cross, wallet, np.nan)).fill_nan(None),
            "desk": "north",
        }
    )
    frame.write_parquet(folder / "book.parquet")
    return str(folder / "book.parquet")


def score(path: str, *options: str) -> int:
    """Score under the policy of Binance."""
    return main(["score", path, "--policy", "binance-usdm@2024-10-24", "--pass-columns", "desk", *options])


@pytest.mark.parametrize("wallet", [500_000.0, 500.0])
def test_a_stream_has_the_summary_and_the_exit_code_of_the_whole(
    wallet: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(tmp_path, wallet=wallet)
    whole = score(path, "--format", "json")
    expected = json.loads(capsys.readouterr().out)["summary"]
    out = tmp_path / "results"
    out.mkdir()
    assert score(path, "--stream", "--format", "json", "--out", str(out)) == whole
    assert json.loads(capsys.readouterr().out) == expected
    parts = sorted(out.iterdir())
    assert len(parts) > 5
    rows = pl.concat([pl.read_parquet(part) for part in parts])
    assert score(path, "--out", str(tmp_path / "whole.parquet")) == whole
    assert rows.equals(pl.read_parquet(tmp_path / "whole.parquet").select(rows.columns))


def test_a_stream_is_summed_up_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score(book(tmp_path, wallet=500.0), "--stream") == 2
    shown = capsys.readouterr().out
    for words in ("positions     500\n", "unrealized_pnl", "closest to liquidation: row ", "total, USDT"):
        assert words in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--report", "x.html"], "--report: needs the whole book at once"),
        (["--leg-costs"], "--leg-costs: needs the whole book at once"),
        (["--from", "bybit"], "--from: needs the whole book at once"),
        (["--format", "csv"], "--format: of a stream is its summary; expected --out FOLDER"),
        (["--out", "nowhere"], "out: must be a folder that exists"),
    ],
)
def test_what_a_stream_cannot_do_is_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(book(tmp_path), "--stream", *options) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_a_stream_needs_a_policy_a_table_in_parts_and_sorted_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", book(tmp_path), "--stream"]) == 1
    assert "--policy: is needed with --stream" in capsys.readouterr().err
    (tmp_path / "book.csv").write_text("instrument\n")
    assert score(str(tmp_path / "book.csv"), "--stream") == 1
    assert "must be a file that can be read in parts" in capsys.readouterr().err
    assert score(book(tmp_path, sort=False), "--stream") == 1
    assert "account" in capsys.readouterr().err
