"""Numbers that venues published or returned, each through the public API and each with its source.

`published_cases` says in which form the cases stand in ``tests/published``. Each id of the index has one
fate: its numbers are reproduced, it is out of levcore's scope, or its source contradicts itself or leaves
something out.
"""

import math
import re

import pytest

import levcore as lc
from levcore.rules.policy import RULES
from support.published_cases import EVALUATORS, comparisons, read_cases, read_json, venue_by_id
from support.published_numbers import Comparison, check

CASES = read_cases()
LEFT_OUT = read_json("left_out.json")
VENUES = venue_by_id()


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("case", CASES)
def test_published_numbers_are_reproduced(case: str, evaluator: str) -> None:
    compared = list(comparisons(CASES[case], evaluator))
    assert compared
    for comparison in compared:
        comparison.check()


def test_the_collections_are_whole() -> None:
    sizes = {name: sum(map(len, venues.values())) for name, venues in read_json("index.json").items()}
    assert sizes.pop("further") > 0
    assert sizes == {"centralised": 50, "other": 214, "snapshots": 93}


def test_every_case_has_one_fate() -> None:
    assert set(CASES).isdisjoint(LEFT_OUT)
    assert sorted(set(VENUES) - set(CASES) - set(LEFT_OUT)) == []
    assert sorted({*CASES, *LEFT_OUT} - set(VENUES)) == []


def test_every_case_that_is_left_out_says_why() -> None:
    for name, why in LEFT_OUT.items():
        assert why["venue"] == VENUES[name]
        assert len(why["kind"]) > 8
        assert len(why["reason"]) > 20


def test_every_case_says_where_it_comes_from() -> None:
    for name, case in CASES.items():
        assert case["venue"] == VENUES[name]
        assert len(case["source"]) > 10
        assert re.fullmatch(r"(about )?\d{4}(-\d\d){0,2}|", case["date"])
        assert all(len(reason) > 15 for reason in case.get("left_out", {}).values())


def test_a_printed_number_is_not_met_by_a_near_miss() -> None:
    expected = {"measure": "liquidation_price", "printed": "18778.73"}
    check(18778.7259, expected)
    for wrong in (18778.7249, 18778.7351, math.nan):
        with pytest.raises(AssertionError):
            check(wrong, expected)
    assert Comparison(expected, 18778.7259).relative_deviation == pytest.approx(0.0041 / 18778.73)
    truncated = {"measure": "initial_margin", "printed": "99.62303962", "digits": "cut"}
    check(99.623039629, truncated)
    for wrong in (99.62303961, 99.62303964, -99.62303962):
        with pytest.raises(AssertionError):
            check(wrong, truncated)


def test_a_difference_may_be_off_by_the_round_off_of_its_larger_term_and_no_more() -> None:
    expected = {"measure": "unrealized_pnl", "printed": "0.163382354575000020"}
    check(0.163382354574995, expected, term=25.2)
    for number, term in ((0.163382354574995, 0.0), (0.16338235457, 25.2)):
        with pytest.raises(AssertionError):
            check(number, expected, term=term)


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
