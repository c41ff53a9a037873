"""Numbers of portfolio margins beyond the index of cases, each with its source, and the scan risk by hand."""

from __future__ import annotations

import pytest

from support.published_cases import read_json
from support.published_numbers import Comparison
from support.published_scenarios import EVALUATORS, scenario_reading, scenario_risk

CASES = {name: case for case in read_json("further/scenarios.json") for name in case["ids"]}
INDEXED = {name: case for case in read_json("scenarios.json") for name in case["ids"]}


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("case", [*CASES, *INDEXED])
def test_published_numbers_are_reproduced(case: str, evaluator: str) -> None:
    for run in (CASES | INDEXED)[case]["runs"]:
        assert run["expected"]
        for expected in run["expected"]:
            Comparison(expected, scenario_reading(run, expected, evaluator)).check()


def test_every_case_says_where_it_comes_from() -> None:
    assert all(len(case["source"]) > 10 and len(case["note"]) > 15 for case in CASES.values())


def test_a_covered_write_is_margined_less_than_its_future() -> None:
    write = scenario_risk(INDEXED["span-long-call"]["runs"][1], "engine")
    assert write.requirement.tolist() == [6_620.0]
    assert write.groups_to_dict()["worst_scenario"] == ["price down 3/3, volatility up"]
