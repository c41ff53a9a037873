"""Numbers and sides as a trader types them: read, or refused with what is expected."""

import json
from typing import Any

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import InputError

PLAN = ["plan", "ETHUSDT", "long", "10", "--entry", "3000", "--leverage", "20", "--policies", "binance-usdm"]


def refusal_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "value", "told"),
    [
        ("--entry", "3,000", "digits and a decimal point, no separators or units"),
        ("--entry", "3000USDT", "no separators or units"),
        ("--entry", "3.000,00", "no separators or units"),
        ("--entry", "3_000", "no separators or units"),
        ("--stop", "5%", "is a price or an amount, no share of one"),
        ("--entry", "5%", "is a price or an amount, no share of one"),
        ("--wallet", "5%", "is a price or an amount, no share of one"),
        ("--leverage", "5%", "a number such as 20, or 20x"),
        ("--leverage", "20:1", "a number such as 20, or 20x"),
        ("--gap", "far", "per cent such as 15%"),
        ("--fees", "VIP1", "'regular', or per cent such as 0.05%"),
        ("--call-at", "80", "0.8 for a margin ratio of 80 %"),
    ],
)
def test_what_is_no_such_number_is_refused(
    argument: str, value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal_of([*PLAN, argument, value], capsys)
    assert argument in said
    assert "expected " in said
    assert told in said
    assert value.rstrip("%") in said.partition("found ")[2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["plan", "ETHUSDT", "up", "10"], "expected long or short, found 'up'"),
        (["plan", "ETHUSDT", "long", "10ETH"], "argument SIZE: must be a number"),
        (["compare", "p.csv", "--policies", "a,b", "--top", "1.5"], "--top: must be a whole number"),
        (["ladder", "p.csv", "--lowest", "1,000"], "--lowest: must be a number"),
    ],
)
def test_every_command_says_it(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--entry", "3000", "--leverage", "20"] if words[0] == "plan" else []
    assert told in refusal_of([*words, *more], capsys)


def planned(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    assert main([*words, "--format", "jsonl"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_the_spellings_of_traders_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    plain, _ = planned(PLAN, capsys)
    for words in (["LONG", "20x"], ["Buy", "20X"], ["buy", "2e1"]):
        spelled = PLAN.copy()
        spelled[2], spelled[7] = words
        assert planned(spelled, capsys)[0] == plain
    short, sold = PLAN.copy(), PLAN.copy()
    short[2], sold[2] = "short", "SELL"
    assert planned(short, capsys)[0] == planned(sold, capsys)[0] != plain


@pytest.mark.parametrize(("option", "value"), [("--fees", "0.05"), ("--funding", "-0.03")])
def test_a_rate_that_may_have_lost_its_sign_is_told(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = planned([*PLAN, f"{option}={value}"], capsys)
    assert f"note: {value} is {float(value) * 100:g} %; per cent are written {value}%" in err
    for clear in (f"{value}%", "0.0005"):
        assert "note" not in planned([*PLAN, f"{option}={clear}"], capsys)[1]


def test_a_call_after_the_liquidation_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PLAN, "--call-at", "300%"]) == 0
    assert "nothing: the liquidation comes" in capsys.readouterr().out
    assert main([*PLAN, "--call-at", "80%"]) == 0
    assert "nothing: the liquidation comes" not in capsys.readouterr().out
    with pytest.raises(InputError, match="call_at: must be a fraction between 0 and 10"):
        lc.plan("ETHUSDT", "long", 10.0, entry=3_000.0, leverage=20.0, call_at=80.0)


def test_a_stop_on_the_side_of_profits_is_no_loss(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PLAN, "--stop", "3100"]) == 0
    assert "yes; it takes a profit, no loss" in capsys.readouterr().out
    assert main([*PLAN, "--stop", "2950"]) == 0
    assert "it takes a profit" not in capsys.readouterr().out


def test_refusals_under_a_policy_name_options(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*PLAN[:-1], "bybit-linear,binance-coinm,binance-usdm"]
    assert main(words) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "--fees regular (0.00055" in out
    assert "--instruments FILE" in out
    assert "policy.with_" not in out
    assert "policy.replace" not in out
