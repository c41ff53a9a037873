"""Codes of errors: every rule that is raised stands in the catalogue, with one code and on the page."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import levcore as lc
from levcore.errors import InputError, ShapeError, TierError, catalogue_file

ROOT = Path(__file__).parents[1]
TOOL = runpy.run_path(str(ROOT / "tools" / "error_catalogue.py"))


def held() -> list[tuple[str, str, str]]:
    """Lines of the catalogue."""
    lines = [line.split("\t") for line in catalogue_file().read_text(encoding="utf-8").splitlines()]
    return [(code, name, words) for code, name, words in lines]


def test_the_catalogue_and_its_page_are_what_the_code_raises() -> None:
    assert held() == TOOL["catalogue"](), "run python tools/error_catalogue.py"
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == TOOL["page"](held())


def test_no_code_stands_for_two_rules() -> None:
    codes = [code for code, *_ in held()]
    assert len(set(codes)) == len(codes) > 200


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: lc.PositionBook(["A"], [1.0, 2.0], [1.0]), "shape.must-have-one-value-a-row"),
        (lambda: lc.policy("binance-usdm").known("closing_fee_rate"), ""),
        (lambda: lc.policy("bybit-linear").known("closing_fee_rate"), "unknown-rule.is-unknown"),
    ],
)
def test_an_error_knows_its_code(call: object, code: str) -> None:
    assert callable(call)
    if not code:
        call()
        return
    with pytest.raises(lc.LevcoreError) as caught:
        call()
    assert caught.value.code == code


def test_a_rule_from_outside_has_the_family_of_its_class() -> None:
    assert ShapeError("rows", "must be mine").code == "shape.other"
    assert InputError("rows", "must be mine").code == "input.other"
    assert TierError("X", 1, "must not fall").code == "tier.must-not-fall"
