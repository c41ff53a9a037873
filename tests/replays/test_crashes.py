"""The replays of crashes print what their pages show, and their reports open without asking for anything."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from support.pages import browser, open_in_browser

ROOT = Path(__file__).parents[2]
CRASHES = sorted(path.stem for path in (ROOT / "examples").glob("replay_*.py"))
SHOWN = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_there_are_three() -> None:
    assert CRASHES == ["replay_eth_2022", "replay_luna_2022", "replay_october_2025"]


@pytest.mark.parametrize("crash", CRASHES)
def test_a_page_shows_what_its_example_prints(
    crash: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    monkeypatch.setattr(sys, "argv", [crash, "--report", str(report)])
    runpy.run_path(str(ROOT / "examples" / f"{crash}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert f"report: {report}" in printed
    page = (ROOT / "docs" / f"{crash}.md").read_text(encoding="utf-8")
    shown = SHOWN.search(page)
    assert shown is not None
    assert shown.group(1).strip() == printed.replace(f"report: {report}\n", "").strip()
    picture, asked = open_in_browser(browser(), report, tmp_path)
    assert not asked
    assert len(picture) > 50_000
