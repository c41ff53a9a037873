"""Colours on a terminal, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from levcore.cli.colours import painted

pty = pytest.importorskip("pty")

POSITIONS = (
    "instrument,quantity,entry_price,margin_mode,isolated_margin,mark_price\n"
    "BTCUSDT,0.1,60000,isolated,700,53000\n"
)
SCORE = [sys.executable, "-m", "levcore", "score", "positions.csv", "--policy", "binance-usdm"]
RED, ESCAPE = "\x1b[31m", "\x1b"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("positions.csv").write_text(POSITIONS, encoding="utf-8")


def on_a_terminal(command: list[str], **environment: str) -> str:
    """What a command writes on a terminal of its own."""
    ours, theirs = pty.openpty()
    plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=plain | {"TERM": "xterm"} | environment
    ) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not part:
                break
            text += part
        process.wait()
    os.close(ours)
    return text.decode()


def test_states_are_coloured_on_a_terminal() -> None:
    text = on_a_terminal(SCORE)
    assert f"{RED}liquidation\x1b[0m" in text
    assert "\x1b[32mhealthy\x1b[0m" in text


def test_an_error_is_red_on_a_terminal() -> None:
    assert f"levcore: {RED}error:\x1b[0m" in on_a_terminal([*SCORE, "--set", "nonsense"])


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_not_where_the_user_wants_none(environment: dict[str, str]) -> None:
    text = on_a_terminal(SCORE, **environment)
    assert "liquidation" in text
    assert ESCAPE not in text.replace("\x1b[K", "")


def test_not_in_pipes_and_files() -> None:
    piped = subprocess.run(SCORE, capture_output=True, text=True, check=False)
    assert "liquidation" in piped.stdout
    assert ESCAPE not in piped.stdout + piped.stderr


def test_only_cells_of_a_column_of_states_have_a_colour() -> None:
    text = "  account   State         liquidation\n  bankrupt  margin call   1\n\n  healthy   warning\n"
    assert painted(text) == text.replace("margin call", "\x1b[33mmargin call\x1b[0m")
