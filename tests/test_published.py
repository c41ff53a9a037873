"""Numbers that venues published or returned, each through the public API and each with its source.

The cases stand in ``tests/published``; `published_cases` says in which form. Venues: Binance, Bybit, OKX,
MEXC and Hyperliquid, as far as levcore covers them: isolated and cross positions in one settlement currency.
"""

import math
import re
from typing import Any

import pytest

import levcore as lc
from levcore.policy import RULES
from levcore.status import FIRST_FAILURE
from published_cases import EVALUATORS, READINGS, check, evaluated, read_cases, read_json, table_of

CASES = read_cases()
LEFT_OUT = read_json("left_out.json")
INDEX = read_json("index.json")
KINDS = {
    "multi-assets collateral",
    "portfolio margin",
    "spot margin",
    "auto-deleveraging",
    "liquidation steps",
    "inconsistent or incomplete at the source",
}


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("case", CASES)
def test_published_numbers_are_reproduced(case: str, evaluator: str) -> None:
    for run in CASES[case]["runs"]:
        if "tiers" in run:
            deductions = table_of(run).deductions
            for expected in run["expected"]:
                check(deductions[expected["row"]], expected)
        else:
            check_run(run, evaluator)


def check_run(run: dict[str, Any], evaluator: str) -> None:
    """Compare every printed number of a run."""
    risk = evaluated(run, evaluator)
    assert run["expected"]
    for expected in run["expected"]:
        row = expected.get("row", 0)
        assert risk.status[row] < FIRST_FAILURE, lc.Status(risk.status[row]).name
        number = READINGS[expected["measure"]](risk, row)
        if expected["printed"] is None:
            assert math.isnan(number)
            assert risk.status[row] == lc.Status.NO_LIQUIDATION_PRICE
        else:
            tick = risk.policy.instruments[risk.book.name_of(row)].tick_size
            check(number, expected, tick)


def test_every_case_is_run_or_left_out_with_a_reason() -> None:
    known = {name: venue for venue, names in INDEX.items() for name in names}
    assert len(known) == sum(map(len, INDEX.values()))
    assert set(CASES).isdisjoint(LEFT_OUT)
    assert set(CASES) | set(LEFT_OUT) == set(known)
    for name, why in LEFT_OUT.items():
        assert why["venue"] == known[name]
        assert why["kind"] in KINDS
        assert len(why["reason"]) > 20


def test_every_case_says_where_it_comes_from() -> None:
    for name, case in CASES.items():
        assert name in INDEX[case["venue"]]
        assert len(case["source"]) > 10
        assert re.fullmatch(r"(about )?\d{4}(-\d\d){0,2}|", case["date"])
        assert all(len(reason) > 15 for reason in case.get("left_out", {}).values())


def test_a_printed_number_is_not_met_by_a_near_miss() -> None:
    expected = {"measure": "liquidation_price", "printed": "18778.73"}
    check(18778.7259, expected)
    for wrong in (18778.7249, 18778.7351, math.nan):
        with pytest.raises(AssertionError):
            check(wrong, expected)
    truncated = {"measure": "initial_margin", "printed": "99.62303962", "digits": "cut"}
    check(99.623039629, truncated)
    for wrong in (99.62303961, 99.62303964, -99.62303962):
        with pytest.raises(AssertionError):
            check(wrong, truncated)


@pytest.mark.parametrize("policy", [info.id for info in lc.policies()])
def test_verified_by_claims_only_numbers_of_these_cases(policy: str) -> None:
    proven = {
        plain(expected["printed"])
        for case in CASES.values()
        for run in case["runs"]
        if "policy" in run and have_the_same_rules(run["policy"], policy)
        for expected in run["expected"]
        if expected["printed"] is not None
    }
    # Counts of tiers are tested with the tables. What is left out besides are dates, counts and exponents.
    claims = re.sub(r"all [\d,]+ tiers|\d{4}-\d\d-\d\d|1e-\d", "", lc.policy(policy).verified_by)
    claims = re.sub(r"(?<![\d.,])\d{1,2} (?=[a-z])", "", claims)
    for claim in re.findall(r"(?<![\w.-])\d[\d,]*\.?\d*", claims):
        assert plain(claim.rstrip(".,")) in proven, claim


def have_the_same_rules(one: str, other: str) -> bool:
    """Whether two policies are one product's and differ in their tables at most."""
    first, second = lc.policy(one), lc.policy(other)
    return first.name == second.name and all(getattr(first, rule) == getattr(second, rule) for rule in RULES)


def plain(number: str) -> str:
    """Digits of a number without thousands separators, sign and zeros at the end."""
    text = number.replace(",", "").lstrip("-")
    return text.rstrip("0").rstrip(".") if "." in text else text
