"""The command line: what it prints, writes and returns."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.cli.progress import Progress

EXAMPLES = Path(__file__).parents[2] / "examples"
ACCOUNT = EXAMPLES / "data" / "hyperliquid_account_2026-01-14"
REAL = [
    str(ACCOUNT / "positions.csv"),
    f"--accounts={ACCOUNT / 'accounts.csv'}",
    f"--instruments={ACCOUNT / 'instruments.csv'}",
    "--policy=hyperliquid",
]
HEADER = "account,instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage\n"
SAFE = "a,BTCUSDT,1,60000,61000,isolated,20000,3\n"


def positions_file(folder: Path, rows: str) -> str:
    """Write positions and return the path."""
    path = folder / "positions.csv"
    path.write_text(HEADER + rows)
    return str(path)


def score(folder: Path, rows: str, *options: str) -> int:
    """Score rows under the policy of Binance."""
    return main(["score", positions_file(folder, rows), "--policy", "binance-usdm@2024-10-24", *options])


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failed command leaves."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("levcore: error: ")
    assert "Traceback" not in captured.err
    return captured.err


# Exit codes


def test_exit_code_0_when_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score(tmp_path, SAFE) == 0
    assert "Nothing is in margin call or worse." in capsys.readouterr().out


def test_exit_code_2_when_something_is_liquidated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score(tmp_path, SAFE + "a,ETHUSDT,1,3000,2000,isolated,1005,3\n") == 2
    assert "1 of 2 accounts and isolated positions is in margin call or worse." in capsys.readouterr().out


def test_exit_code_2_when_something_cannot_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tmp_path, SAFE + "a,ETHUSDT,1,3000,,isolated,1010,3\n") == 2
    out = capsys.readouterr().out
    assert "Nothing that was judged is in margin call or worse; 1 could not be judged." in out
    assert "missing mark price" in out


def test_exit_code_1_and_one_line_when_the_file_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tmp_path, SAFE.replace("60000", "sixty")) == 1
    error = error_of(capsys)
    assert "positions.csv, line 2, column 'entry_price': must be a number" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "nowhere.csv", "--policy", "binance-usdm"], "nowhere.csv: No such file"),
        (["score", "nowhere.csv", "--policy", "nyse"], "has no such name"),
        (["score", "nowhere.csv", "--policy", "generic", "--set", "fee"], "RULE=VALUE"),
        (["score", "nowhere.csv", "--policy", "generic", "--set", "fee=1"], "is no rule of a policy"),
        (["score", "nowhere.csv", "--policy", "generic", "--out", "x.xls"], "kind of file"),
        (["score", "a.csv", "--policy", "generic", "--out", "a.csv"], "uses already"),
        (["score", "a.csv", "--policy", "generic", "--report", "a.csv"], "uses already"),
        (["policies", "nyse"], "has no such name"),
    ],
)
def test_wrong_calls(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert words in error_of(capsys)


def test_wrong_arguments_do_not_exit_with_the_code_of_a_margin_call(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in ([], ["score"], ["score", "a.csv", "--policy", "x", "--format", "xml"], ["evaluate"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 1
    said = capsys.readouterr().err
    assert "--help shows options and examples" in said or "usage: levcore" in said


def test_traceback_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(lc.InputError):
        score(tmp_path, SAFE.replace("60000", "sixty"), "--traceback")
    monkeypatch.setenv("LEVCORE_TRACEBACK", "1")
    with pytest.raises(lc.InputError):
        score(tmp_path, SAFE.replace("60000", "sixty"))


def test_an_unknown_rule_names_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instruments = tmp_path / "instruments.csv"
    instruments.write_text(
        "instrument,payoff,contract_size,floor,rate,unit\nBTCUSDT,linear,1,0,0.005,quote\n"
    )
    call = [
        "score",
        positions_file(tmp_path, SAFE),
        "--policy=bybit-linear",
        f"--instruments={instruments}",
    ]
    assert main(call) == 1
    assert "--set closing_fee_rate=VALUE" in error_of(capsys)
    assert main([*call, "--set", "closing_fee_rate=0.00055"]) == 0


# Outputs


def test_the_real_account_has_the_prices_of_its_venue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out.csv", tmp_path / "report.html"
    assert main(["score", *REAL, f"--out={out}", f"--report={report}"]) == 0
    text = capsys.readouterr().out
    assert "hyperliquid@" in text
    assert "8,272,576.57" in text
    assert "<!DOCTYPE html>" in report.read_text(encoding="utf-8")
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    for row in rows:
        ours, theirs = row["liquidation_price"], row["venue_liquidation_price"]
        assert bool(ours) == bool(theirs)
        if theirs:
            assert float(ours) == pytest.approx(float(theirs), rel=2e-9)


def test_formats_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", *REAL, "--format=json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert len(document["positions"]) == 16
    assert document["accounts"][0]["equity"] == pytest.approx(8259027.075462)
    assert "Nothing is in margin call or worse." in captured.err
    assert main(["score", *REAL, "--format=csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["instrument"] for row in rows[:3]] == ["BTC", "ETH", "SOL"]


def test_marks_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "positions.csv"
    path.write_text(HEADER.replace("mark_price,", "") + SAFE.replace("61000,", ""))
    marks = tmp_path / "marks.csv"
    marks.write_text("instrument,mark_price\nBTCUSDT,61000\n")
    call = ["score", str(path), "--policy=binance-usdm", "--format=json"]
    assert main([*call, f"--marks={marks}"]) == 0
    assert json.loads(capsys.readouterr().out)["positions"][0]["unrealized_pnl"] == 1000.0
    assert main(call) == 1
    assert "column 'mark_price': the column is missing" in error_of(capsys)


def test_a_misspelt_column_is_refused_unless_it_is_passed_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "positions.csv"
    path.write_text(HEADER.replace("leverage", "levrage") + SAFE)
    call = ["score", str(path), "--policy=binance-usdm", "--format=csv"]
    assert main(call) == 1
    assert "column 'levrage': the column looks like an input and is not read" in error_of(capsys)
    assert main([*call, "--pass-columns=levrage"]) == 0
    assert "levrage" in capsys.readouterr().out
    assert main([*call, "--ignore-columns=Levrage"]) == 0
    assert "levrage" not in capsys.readouterr().out


def test_a_header_alone_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.html"
    assert score(tmp_path, "", f"--report={report}", f"--out={tmp_path / 'out.csv'}") == 3
    assert "0 positions" in capsys.readouterr().out
    assert (tmp_path / "out.csv").read_text().count("\n") == 1
    assert score(tmp_path, "", "--format=json") == 3
    assert json.loads(capsys.readouterr().out)["positions"] == []


def test_explain_shows_the_line_and_the_price(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *REAL, "--row=10"]) == 0
    text = capsys.readouterr().out
    assert "positions.csv, line 12" in text
    assert "76.4988" in text


def test_explain_of_a_row_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *REAL, "--row=16"]) == 1
    assert "expected 0 to 15, found 16" in error_of(capsys)


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_policies_are_listed_with_dates_sources_and_what_is_unknown(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["policies"]) == 0
    listing = capsys.readouterr().out
    entries = {entry.partition(":")[0]: " ".join(entry.split()) for entry in listing.split("\n\n")}
    for info in lc.policies():
        entry = entries[info.name]
        assert info.as_of in entry
        assert all(rule in entry for rule in info.unknown)
        assert not info.sources or lc.policy(info.name).sources[0].title in entry
    too_long = [line for line in listing.splitlines() if len(line) > min(columns, 120)]
    assert all(len(line.split()) == 1 for line in too_long), "only addresses may be longer than the terminal"


def test_unknowns_of_versions_that_differ_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policies"]) == 0
    entry = capsys.readouterr().out.partition("bybit-linear:")[2].partition("\n\n")[0]
    older, newer = entry.partition("unknown  2025-10-02:")[2].split("unknown  2026-05-27:")
    assert "displayed_price_cross" in newer
    assert "displayed_price_cross" not in older


def test_a_policy_is_shown_with_all_of_its_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policies", "hyperliquid"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^  maintenance_rate_rule +half-of-initial-at-max-leverage  ", shown, re.MULTILINE)
    assert all(source.url in shown for source in lc.policy("hyperliquid").sources)


# As a program


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python on arguments, as a user would."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=120,
    )


def test_the_module_is_a_program() -> None:
    done = run("-m", "levcore", "--version")
    assert (done.returncode, done.stdout) == (0, f"levcore {lc.__version__}\n")
    done = run("-m", "levcore", "score", *REAL, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_is_no_error() -> None:
    code = "import sys; from levcore.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "score", *REAL, "--format=csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
    assert "Traceback" not in error
    assert "Exception ignored" not in error


@pytest.mark.parametrize("name", ["first_steps.py", "cross_account.py", "compare_venues.py"])
def test_examples_run(name: str) -> None:
    done = run(str(EXAMPLES / name))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_make_run_agrees_with_venue_and_reference(tmp_path: Path) -> None:
    done = run(str(EXAMPLES / "make_run.py"), "--rows=3000", f"--out={tmp_path}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "agree bit for bit" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"hyperliquid_account.html", "generated_book.html"}


# Progress


class Terminal:
    """A stream that says whether it is a terminal and keeps what is written."""

    def __init__(self, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self.text = ""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.is_terminal

    def write(self, text: str) -> int:
        """Keep text."""
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("is_terminal", "expected"),
    [
        (True, "\r\x1b[Kreading: 2,000 rows\r\x1b[Kreading: 3,000 rows\r\x1b[Kreading: 4,000 rows\r\x1b[K"),
        (False, "reading: 4,000 rows\n"),
    ],
)
def test_progress_tells_only_of_long_work(is_terminal: bool, expected: str) -> None:
    now = 0.0
    stream = Terminal(is_terminal)
    progress = Progress(stream, lambda: now)  # type: ignore[arg-type]
    step = progress.step("reading")
    for now, rows in ((0.1, 1000), (1.0, 2000), (1.05, 2500), (2.0, 3000), (6.0, 4000)):  # noqa: B007
        step(rows)
    progress.clear()
    progress.clear()
    assert stream.text == expected
