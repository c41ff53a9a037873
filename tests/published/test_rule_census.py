"""``[V]`` means held: no rule value so marked can be changed without a published number noticing."""

from pathlib import Path

import pytest

import levcore as lc
from support.census_page import render
from support.made_once import made_once
from support.rule_census import Line, census, empty_texts, neighbours, noticed_by, unheld
from support.wrong_rules import without_a_test

PAGE = Path(__file__).parents[2] / "docs" / "census.md"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """Every rule value of every policy changed to each neighbour; of several processes one does the work."""
    return made_once(tmp_path_factory, "rule_census", census)


def test_every_verified_value_is_held_by_a_published_number(lines: list[Line]) -> None:
    assert sum(line.mark == "[V]" for line in lines) > 500
    missed = {key: sorted({line.neighbour for line in found}) for key, found in unheld(lines).items()}
    assert missed == {}


def test_every_verified_evidence_is_of_a_rule_that_a_number_holds(lines: list[Line]) -> None:
    assert empty_texts(lines) == {}


def test_every_wrong_rule_has_its_test() -> None:
    assert without_a_test() == []


def test_the_page_is_what_the_census_gives(lines: list[Line]) -> None:
    assert PAGE.read_text(encoding="utf-8") == render(lines), "run python tools/census_page.py"


@pytest.mark.parametrize(
    ("policy", "rule", "neighbour", "case"),
    [
        ("phemex-linear@2025-12", "requirement_basis_cross", "entry", "phemex-cross-recorded"),
        ("phemex-linear@2025-12", "closing_fee_reserved", "same", "phemex-usdtm-isolated"),
        ("bitmex", "requirement_basis_cross", "price", "bitmex-cross-10000"),
        ("bitget-linear@2023", "closing_fee_basis_cross", "price", "bitget-03"),
        ("okx-linear-swap", "closing_fee_basis_cross", "none", ""),
        ("kucoin-linear@2022", "bankruptcy_rounding_long", "up", "kucoin-02"),
        ("binance-usdm@2022-02-05", "trader_owes", "yes", ""),
    ],
)
def test_the_census_notices_what_it_should(policy: str, rule: str, neighbour: str, case: str) -> None:
    changed = lc.policy(policy)
    found = {str(value): (value, companions) for value, companions in neighbours(changed, rule)}
    if not case:
        assert neighbour not in found  # no policy of the kernel, or a rule that no number follows from
        return
    assert noticed_by(changed, rule, *found[neighbour]) == case


def test_a_wrong_value_under_a_verified_mark_is_found() -> None:
    wrong = [Line("bitmex@2022-05-21", "table_shape", "flat", "marginal", "[V]", "")]
    assert list(unheld(wrong)) == [("bitmex", "table_shape")]
