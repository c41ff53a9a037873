"""What the documentation shows is what happens: README, manual and docstrings are executed."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import levcore as lc
from levcore import scenarios
from levcore.cli.main import main
from levcore.engine.displayed_prices import displayed_price
from levcore.rules.policy import RULES
from levcore.rules.policy_files import policies_of_text

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(
    r"^```\{?(python|doctest|testsetup|testcleanup|sh)\}?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
SHOWN = {
    "compare_hedged.py": "okx-multi-currency: liquidated by a move of all prices of -54.4% or +18.3%",
    "compare_venues.py": "'bybit-linear': 2, 'okx-linear-swap': 8}",
    "cross_account.py": "HYPE: 76.4989",
    "first_steps.py": "liquidation at 54,216.87",
    "hedged_account.py": "liquidated at 100.33 and below, and at 862.96 and above",
    "multi_asset_account.py": "BTC has moved by -20.44% and ETH by -30.65%",
}
"""What each file of examples prints, among others; `make run` runs the one that is missing."""
MODULES = sorted(module.name for module in pkgutil.walk_packages(lc.__path__, "levcore."))


def run_page(path: str) -> int:
    """Run the examples of a page in one namespace; return how many there were."""
    names: dict[str, object] = {}  # what a page uses it imports, as who copies it must
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    text = (ROOT / path).read_text(encoding="utf-8")
    cleanups = []
    try:
        for kind, code in FENCE.findall(text):
            if kind == "testsetup":
                exec(code, names)
            elif kind == "testcleanup":
                cleanups.append(code)
            elif ">>>" in code:
                test = doctest.DocTestParser().get_doctest(code, names, path, path, 0)
                test.globs = names  # not a copy: a page goes on where its last example ended
                runner.run(test, clear_globs=False)
    finally:
        for code in cleanups:
            exec(code, names)
    result = runner.summarize(verbose=False)
    assert not result.failed, f"{result.failed} examples of {path} failed; see the output"
    return result.attempted


def test_the_examples_of_the_readme_run() -> None:
    assert run_page("README.md") > 10


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_the_manual_run(page: str) -> None:
    run_page(page)


@pytest.mark.parametrize("example", SHOWN)
def test_the_examples_of_the_folder_run(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [example])
    runpy.run_path(str(ROOT / "examples" / example), run_name="__main__")
    assert SHOWN[example] in capsys.readouterr().out


def test_every_example_of_the_folder_is_run() -> None:
    # tests/replays/test_crashes.py runs the replays of crashes, against the pages that show what they print.
    others = {path.name for path in (ROOT / "examples").glob("*.py")} - {"crash.py"}
    assert {name for name in others if not name.startswith("replay_")} == {*SHOWN, "make_run.py"}


@pytest.mark.parametrize("module", ["levcore", *MODULES])
def test_the_examples_of_docstrings_run(module: str) -> None:
    if module == "levcore.__main__":
        return
    result = doctest.testmod(
        importlib.import_module(module), extraglobs={"levcore": lc}, optionflags=doctest.ELLIPSIS
    )
    assert not result.failed


def commands(program: str) -> Iterator[list[str]]:
    """Command lines of the README that start this program, without its name."""
    for kind, code in FENCE.findall(README):
        if kind == "sh":
            for line in code.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0] == program:
                    yield words[1:]


def test_the_commands_of_the_readme_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    found = list(commands(".venv/bin/levcore"))
    assert [words[0] for words in found] == ["plan", "score"]
    for words in found:
        assert main(words) in (0, 2)
        assert len(capsys.readouterr().out.splitlines()) > 5


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in {*(words[0] for words in commands("make")), "bench", "docs"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_readme_is_a_front_page() -> None:
    assert len(README.splitlines()) < 200


def test_every_rule_of_a_policy_is_explained() -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"`{rule}`" not in text] == []


def test_everything_that_is_exported_has_a_page() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = {*re.findall(r"^   ([\w.]+)$", text, re.MULTILINE), *re.findall(r"``([\w.]+)``", text)}
    exported = {name for name in lc.__all__ if not name.endswith("Error")} - {"__version__", "reference"}
    exported |= {f"scenarios.{name}" for name in scenarios.__all__}
    assert {name for name in exported if not {name, f"levcore.{name}"} & listed} == set()


def test_the_policy_shown_to_contributors_is_complete() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (toml,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (policy,) = policies_of_text(toml, "example-linear")
    instrument = lc.Instrument("BTC", "linear", lc.TierTable.single_rate("0.005"), tick_size=0.01)
    book = lc.PositionBook(["BTC"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    risk = lc.Engine(policy.with_instruments([instrument])).evaluate(book, {"BTC": 60_000.0})
    # (V - 27,000) * 0.8 = (0.005 + 0.0005) V, and the file says what the venue would print of it.
    price = float(risk.liquidation_price[0])
    assert price == pytest.approx(2 * 27_000 / (1 - 0.0055 / 0.8))
    assert f"liquidation price {displayed_price(policy, instrument, price, 0.5)} " in policy.verified_by


def test_the_unsafe_code_is_counted() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = {
        name: int(count) for name, count in re.findall(r"^\| `(\w+\.rs)` \| (\d+) \|", text, re.MULTILINE)
    }
    found = {}
    for path in (ROOT / "rust").rglob("*.rs"):
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        uses = len(re.findall(r"\bunsafe\b(?=\s*(?:\{|impl|fn|extern))", code))
        if uses:
            found[path.name] = uses
    assert listed == found


def test_the_links_of_the_readme_and_the_manual_point_to_files() -> None:
    for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES]:
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert os.path.exists(ROOT / Path(page).parent / target), (page, target)


def test_an_index_shows_the_readme_without_links_that_lead_nowhere() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "long_description.py"))
    make = tool["long_description"]
    shown = (ROOT / "python" / "README.md").read_text(encoding="utf-8")
    assert shown == make(README, tool["source"]()), "run python tools/long_description.py"
    for text in (make(README), make(README, "https://example.com/levcore")):
        assert not re.search(r"\]\((?!https?://)", text)
        assert "docs/limits.md" in text
    absolute = make(README, "https://example.com/levcore")
    assert "](https://example.com/levcore/raw/HEAD/docs/images/plan.png)" in absolute
    assert "](https://example.com/levcore/blob/HEAD/docs/quickstart.md#frames)" in absolute


def test_the_sections_that_the_readme_links_to_exist() -> None:
    for page, section in re.findall(r"\]\((?!https?:)([^)#]+)#([^)]+)\)", README):
        heads = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


def test_the_rust_example_prints_what_its_page_shows() -> None:
    page = (ROOT / "docs" / "rust.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"--example score\n(.*?)```", page, re.DOTALL)
    # In the profile in which `cargo test` has built it already.
    command = [
        "cargo",
        "run",
        "--quiet",
        "--locked",
        "--profile",
        "test",
        "-p",
        "levcore",
        "--example",
        "score",
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == shown
