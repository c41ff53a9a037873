"""``levcore bench``: what it measures, and that it holds the engine against the reference."""

import csv
import io
import json
from typing import Any

import pytest

from levcore.cli.main import main
from levcore.engine.engine import Engine
from levcore.errors import InternalError
from levcore.reports import speed


def said_in(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["bench", "--rows", "300", "--format", form]) == 0
    return capsys.readouterr().out


def test_it_answers_in_every_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.0)
    monkeypatch.setattr(speed, "REFERENCE_ROWS", 50)
    whole = json.loads(said_in("json", capsys))
    lines = [json.loads(line) for line in said_in("jsonl", capsys).splitlines()]
    rows = [*csv.DictReader(io.StringIO(said_in("csv", capsys)))]
    measured = whole["measured"]
    assert {each["book"] for each in measured} == {"isolated", "cross"}
    assert (
        [each.keys() for each in measured]
        == [each.keys() for each in lines]
        == [each.keys() for each in rows]
    )
    for each in measured:
        assert each["rows"] == 300
        assert each["ratio"] == each["rows_per_second"] / each["reference_rows_per_second"]
    text = said_in("table", capsys)
    assert "agree to the bit" in text
    assert text.count("isolated") == sum(each["book"] == "isolated" for each in measured)


def test_an_engine_that_differs_in_a_bit_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = Engine.evaluate

    def wrong(*given: Any, **options: Any) -> Any:
        risk = evaluate(*given, **options)
        risk.equity.flags.writeable = True
        risk.equity[7] *= 1 + 2**-52
        return risk

    monkeypatch.setattr(Engine, "evaluate", wrong)
    with pytest.raises(InternalError, match="equity: must have the same bits"):
        speed.measured_speed(100)


def test_rows_that_are_none_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--rows", "0"]) == 1
    assert "--rows: must be at least 1" in capsys.readouterr().err
