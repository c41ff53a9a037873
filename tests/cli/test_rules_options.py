"""``--set`` and ``--fees``: the same words in every command that takes a policy, one function in Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main

REPLY = {
    "category": "linear",
    "list": [
        {
            "symbol": "BTCUSDT",
            "side": "Buy",
            "size": "0.5",
            "avgPrice": "60000",
            "positionValue": "30000",
            "markPrice": "61000",
            "leverage": "10",
            "tradeMode": 1,
            "positionBalance": "3014.85",
            "unrealisedPnl": "500",
            "liqPrice": "54178.8",
        }
    ],
}
POSITIONS = (
    "instrument,quantity,entry_price,margin_mode,mark_price,leverage,isolated_margin\n"
    "BTCUSDT,0.5,60000,isolated,61000,10,3014.85\n"
)
MEASURE = "liquidation_price"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {
        "positions.csv": POSITIONS,
        "reply.json": json.dumps({"retCode": 0, "result": REPLY}),
        "theirs.csv": f"instrument,{MEASURE}\nBTCUSDT,1\n",
        "mixed.csv": "".join(
            f"{line},{cell}\n"
            for line, cell in zip(
                [*POSITIONS.splitlines(), POSITIONS.splitlines()[1]],
                ["policy", "bybit-linear", "binance-usdm"],
                strict=True,
            )
        ),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name.partition(".")[0]: str(tmp_path / name) for name in texts}


COMMANDS = {
    "score": "score {positions} --policy bybit-linear --format json",
    "score --from": "score {reply} --from bybit --format json",
    "explain": "explain {positions} --policy bybit-linear --row 0",
    "explain --from": "explain {reply} --from bybit --row 0",
    "against": "against {positions} {theirs} --policy bybit-linear --format json",
    "against --from": "against {reply} {theirs} --from bybit --format json",
    "compare": "compare {positions} --policies bybit-linear,binance-usdm --format json",
    "compare --from": "compare {reply} --from bybit --policies bybit-linear,binance-usdm --format json",
    "reconcile": "reconcile {reply} --from bybit --format json",
    "plan": "plan BTCUSDT long 0.5 --entry 60000 --leverage 10 --policies bybit-linear,binance-usdm",
    "tiers diff": "tiers diff bybit-linear@2025-10-02 bybit-linear {positions}",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_rule_is_stated_of_one_policy_by_its_name(
    command: str, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = command.format(**files).split()
    stated = "--set=bybit-linear.closing_fee_rate=0.00055"
    assert main([*words, stated]) in (0, 2)
    plain = capsys.readouterr().out
    assert main([*words, "--set=bybit-linear.closing_fee_rate=0.0099"]) in (0, 2)
    assert capsys.readouterr().out != plain
    assert main([*words, "--set=okx.closing_fee_rate=0.1"]) == 1
    assert "must name one of the policies in use" in capsys.readouterr().err
    assert main([*words, "--set=bybit-linear.no_such_rule=0.1"]) == 1
    assert "is no rule of a policy" in capsys.readouterr().err
    assert main([*words, "--fees=regular"]) in (0, 2)
    captured = capsys.readouterr()
    if "plan" in command or "explain" in command:  # which say where a fee comes from
        assert "non-VIP" in captured.out
    else:
        assert captured.out == plain


def test_without_a_name_it_is_a_rule_of_all_that_leave_it_unknown(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["score", files["mixed"], "--format", "json"]
    assert main([*words, "--set=closing_fee_rate=0.00055"]) == 0
    rows = json.loads(capsys.readouterr().out)["positions"]
    assert [round(row[MEASURE], 2) for row in rows] == [54178.79, 54187.05]
    assert main([*words, "--set=liquidation_level=0.9"]) == 1
    assert "no policy leaves liquidation_level unknown" in capsys.readouterr().err


def test_several_words_are_one_value() -> None:
    from levcore.cli.rules import rule_value

    assert rule_value("close_out_payers", "fund, deleveraging") == ("fund", "deleveraging")
    assert rule_value("closing_fee_in_initial_margin", "true") is True
    ready = lc.with_rules({"mine": "generic"}, {"mine.close_out_payers": ("fund",)})
    assert ready["mine"].close_out_payers == ("fund",)
    assert ready["mine"].rests_on["close_out_payers"].startswith("[caller]")


def test_what_cannot_be_stated_is_named() -> None:
    with pytest.raises(lc.PolicyError, match="is no rule of a policy"):
        lc.with_rules(["generic"], {"venue": "mine"})
    with pytest.raises(lc.InputError, match="no policy leaves liquidation_level unknown"):
        lc.with_rules(["generic", "reg-t"], {"liquidation_level": 0.9})
    with pytest.raises(lc.InputError, match="must name one of the policies in use"):
        lc.with_rules(["generic"], {"reg-t.liquidation_level": 0.9})
    assert lc.with_rules(["generic"], {})["generic"] is lc.policy("generic")
    assert lc.with_rules(["generic"], {"liquidation_level": 0.9})["generic"].liquidation_level == 0.9
