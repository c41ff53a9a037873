"""Errors name options, not the arguments of the functions behind a command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from levcore.cli.main import _parser, main
from levcore.cli.told import OPTIONS, in_words_of
from levcore.errors import InputError, catalogue_file

COMMANDS = _parser()[1]
PYTHON = re.compile(r"\b[a-z_]+=|\blc\.|\blevcore\.\w+\(|policy\.\w+\(")
FUNCTIONS: dict[str, tuple[Callable[..., Any], set[str]]] = {
    "plan": (lc.plan, {"as_of"}),
    "replay": (lc.replay, {"engine", "book", "progress", "seed", "resume", "stop_after", "quantum", "lot"}),
    "compare": (lc.compare, {"book"}),
    "against": (lc.against, {"risk", "frame"}),
    "explain": (lc.explain, {"engine", "book"}),
    "score": (lc.evaluate_batches, {"engine", "batches", "rows", "options"}),
    "ladder": (lc.ladder, {"engine", "book", "prices", "quantum"}),
    "reconcile": (lc.reconcile, {"reply", "payload"}),
}
"""Function behind a command, and its arguments that nobody can type: what the files hold, and how it runs."""
POSITIONS = (
    "instrument,quantity,entry_price,leverage,margin_mode,mark_price\nBTCUSDT,1,60000,10,isolated,60000\n"
)
PRICES = "time,instrument,price\n0,BTCUSDT,60000\n1,BTCUSDT,60000\n2,BTCUSDT,60000\n9,BTCUSDT,60000\n"
RULES = [
    "--policy=binance-usdm",
    *(f"--set=close_out_{rule}" for rule in ("step=whole", "fee_rate=0", "remainder=trader")),
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("positions.csv").write_text(POSITIONS, encoding="utf-8")
    Path("prices.csv").write_text(PRICES, encoding="utf-8")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_a_function_is_an_option_or_cannot_be_typed(name: str) -> None:
    function, not_typed = FUNCTIONS[name]
    for argument in inspect.signature(function).parameters:
        told = in_words_of(COMMANDS[name], InputError(argument, "must be right", f"{argument}='x'"))
        is_told = not re.search(PYTHON, told.expected)
        assert is_told != (argument in not_typed), argument


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told_as_it_is_typed(name: str) -> None:
    for action in COMMANDS[name]._actions:
        told = str(in_words_of(COMMANDS[name], InputError(action.dest, "must be right")))
        typed = action.option_strings[-1] if action.option_strings else action.metavar or action.dest
        assert told == f"{typed}: must be right"


def test_the_mapping_has_no_name_that_no_command_needs() -> None:
    dests = {action.dest for parser in COMMANDS.values() for action in parser._actions}
    assert {name for names in OPTIONS.values() for name in names} <= dests


@pytest.mark.parametrize(
    ("command", "told", "expected"),
    [
        ("replay", "gaps='hold' where nothing", "--hold-gaps where nothing"),
        ("replay", "delisted={name: time}", "--delisted INSTRUMENT=TIME"),
        ("score", "position_mode='one_way'", "--position-mode one-way"),
        ("against", "columns={their name: measure}", "--column THEIRS=MEASURE"),
        ("score", "state it with policy.replace(closing_fee_rate=...)", "--set closing_fee_rate=VALUE"),
        ("score", "policy.replace(close_out_step='whole') states", "--set close_out_step=whole states"),
        ("score", "choose it with policy.with_fees('regular') (x)", "--fees regular (x)"),
        ("plan", "funding_a_day=0.1", "--funding 0.1"),
        ("score", "else pass_columns= or ignore_columns=", "else --pass-columns or --ignore-columns"),
        ("doctor", "policy.replace(a=...)", "policy.replace(a=...)"),
    ],
)
def test_a_remedy_is_told_as_it_is_typed(command: str, told: str, expected: str) -> None:
    assert in_words_of(COMMANDS[command], InputError("x", told, told)).expected == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["replay", "positions.csv", "prices.csv", *RULES],
            "PRICES: must be without gaps; expected one every 1",
        ),
        (["replay", "positions.csv", "prices.csv", *RULES], "or --hold-gaps where nothing was traded"),
        (
            ["replay", "positions.csv", "prices.csv", *RULES, "--slippage=-1"],
            "--slippage: must be basis points",
        ),
        (["plan", "BTCUSDT", "long", "-1", "--entry=1"], "SIZE: must be positive"),
        (["plan", "BTCUSDT", "long", "1", "--entry=1", "--leverage=2", "--funding=2"], "--funding: must be"),
        (["plan", "BTCUSDT", "long", "1", "--entry=1", "--leverage=2", "--call-at=-2"], "--call-at: must be"),
        (["score", "positions.csv", "--policy=bybit-linear"], "--fees regular (0.00055, "),
        (["score", "positions.csv", "--policy=bybit-linear"], "or --set closing_fee_rate=VALUE"),
        (["compare", "positions.csv", "--policies=binance-usdm", "--top=-1"], "--top: must not be negative"),
    ],
)
def test_errors_of_commands(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    error = capsys.readouterr().err
    assert expected in error
    assert not re.search(PYTHON, error.replace("close_out_step=", "").replace("rate=VALUE", ""))


def test_no_rule_of_the_catalogue_names_an_argument_without_an_option() -> None:
    """A rule that says ``name=`` is one that no command raises, or the command has an option for it."""
    rules = [line.split("\t")[2] for line in catalogue_file().read_text(encoding="utf-8").splitlines()]
    named = {found for rule in rules for found in re.findall(r"\b([a-z_]+)=", rule)}
    # hedge_requirement is a rule of a policy file; others belongs to levcore.cluster, which no command calls.
    assert named <= {"hedge_requirement", "others"}, named
