"""The manual's page of published numbers says what the cases give when they are run."""

from pathlib import Path

from support.published_cases import venue_by_id
from support.published_fates import exponent, fates, render

PAGE = Path(__file__).parents[2] / "docs" / "published.md"


def test_the_page_is_what_the_cases_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python tools/published_table.py"


def test_every_case_is_counted_once() -> None:
    counted = [int(venue.cells[0]) for venue in fates().values()]
    assert sum(counted) == len(venue_by_id())
    for venue in fates().values():
        reproduced, out_of_scope, inconsistent = (int(venue.cells[place]) for place in (1, 5, 6))
        assert int(venue.cells[0]) == reproduced + out_of_scope + inconsistent


def test_deviations_are_shown_with_one_digit() -> None:
    assert [exponent(number) for number in (0.0, 3.8e-9, 0.0213)] == ["0", "4e-9", "2e-2"]
