"""One word for each state and status, wherever it is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import levcore as lc
from levcore.files.positions import read_positions
from levcore.files.results import write_results
from levcore.scenarios import ScenarioAccountStatus, ScenarioRowStatus
from levcore.status import Code

CODES = (lc.Status, lc.AccountStatus, lc.State, ScenarioRowStatus, ScenarioAccountStatus)
POLICY = "binance-usdm@2024-10-24"
MARKS = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "DOGE": 1.0}
ROWS = """account,mark_price,instrument,quantity,entry_price,margin_mode,isolated_margin,leverage
a,60000,BTCUSDT,1,60000,cross,,10
a,1,DOGE,1,1,cross,,10
b,3000,ETHUSDT,1,3300,isolated,310,
"""


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_a_code_has_one_word_and_one_meaning(kind: type[Code]) -> None:
    words = kind.words()
    for code in kind:
        assert code.word == code.name.lower() == words[code]
        assert code.phrase == code.word.replace("_", " ")
        assert code.describe()
        assert code.column == code.column.lower()
    assert sum(map(bool, words)) == len(kind)
    assert lc.State.MARGIN_CALL.word == "margin_call"
    assert lc.State.MARGIN_CALL.phrase == "margin call"


def test_files_summary_comparison_and_explanation_use_it(tmp_path: Path) -> None:
    source, table, whole = (tmp_path / name for name in ("in.csv", "out.csv", "out.json"))
    source.write_text(ROWS, encoding="utf-8")
    positions = read_positions(source)
    book = positions.book()
    policy = lc.policy(POLICY)
    risk = lc.Engine(policy).evaluate(book, MARKS)
    for path in (table, whole):
        write_results(path, positions, risk)
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    written = json.loads(whole.read_text(encoding="utf-8"))
    compared = lc.compare(book, {"one": policy}, MARKS).to_dict()
    states = [lc.State(code).word for code in risk.state]
    statuses = [lc.Status(code).word for code in risk.status]
    assert states == ["incomplete", "incomplete", "liquidation"]
    assert statuses == ["account_incomplete", "unknown_instrument", "already_liquidatable"]
    for found in (rows, written["positions"]):
        assert [row["state"] for row in found] == states
        assert [row["status"] for row in found] == statuses
    assert compared["positions"]["state"]["one"] == states
    assert compared["accounts"]["state"]["one"] == ["incomplete"]
    assert written["accounts"][0]["state"] == "incomplete"
    assert written["summary"]["states"] == risk.summary()["states"] == {"liquidation": 1, "incomplete": 2}
    assert written["summary"]["statuses"] == dict.fromkeys(
        ("already_liquidatable", "account_incomplete", "unknown_instrument"), 1
    )
    for row, (state, status) in enumerate(zip(states, statuses, strict=True)):
        told = lc.explain(lc.Engine(policy), book, MARKS, row).to_dict()
        assert (told["state"], told["status"]) == (state, status)
