"""Published numbers as test cases: what is in ``tests/published`` and how it is run.

The files hold cases; a case names its ids, venue, source and date and holds runs; a run is a book under a
policy at marks, a tier table, or a call of one function (`published_calls`), with what was printed for it
(`published_numbers.Comparison`). ``left_out``
of a case gives the outputs that are not compared, with the reason; ``left_out.json`` the cases that are not
run; ``index.json`` every id there is, by collection and venue: worked examples and replies of centralised
venues, those of all others, and positions as venues returned them.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import levcore as lc
from support.published_books import book_of, policy_of, table_of
from support.published_calls import ExactComparison, exact_comparisons
from support.published_numbers import Comparison, read_number
from support.published_scenarios import scenario_reading

FOLDER = Path(__file__).parents[1] / "published"

NO_CASES = {"index.json", "left_out.json"}


def read_json(name: str) -> Any:
    """Contents of a file of ``tests/published``."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def read_cases() -> dict[str, dict[str, Any]]:
    """Every case by id; one that two collections hold stands under either id."""
    cases: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        for case in [] if path.name in NO_CASES else read_json(path.name):
            for name in case["ids"]:
                assert name not in cases, name
                cases[name] = case
    return cases


def venue_by_id() -> dict[str, str]:
    """Venue of every id of the index."""
    venues: dict[str, str] = {}
    for collection in read_json("index.json").values():
        for venue, names in collection.items():
            for name in names:
                assert name not in venues, name
                venues[name] = venue
    return venues


def by_engine(book: lc.PositionBook, policy: lc.MarginPolicy, marks: Any, **prices: Any) -> lc.BookRisk:
    """Evaluate with the compiled engine."""
    return lc.Engine(policy).evaluate(book, marks, **prices)


EVALUATORS: dict[str, Callable[..., lc.BookRisk]] = {
    "engine": by_engine,
    "reference": lc.reference.evaluate,
}


@cache
def evaluated_account(account: str, policy_id: str, evaluator: str) -> lc.BookRisk:
    """Whole account of ``examples/data``, which many cases read one row of."""
    run = {"account": account, "policy": policy_id}
    book, marks = book_of(run)
    return EVALUATORS[evaluator](book, policy_of(run), marks)


def evaluated(run: dict[str, Any], evaluator: str) -> lc.BookRisk:
    """Risk of a run."""
    if "account" in run:
        return evaluated_account(run["account"], run["policy"], evaluator)
    book, marks = book_of(run)
    prices = {"asset_prices": run["asset_prices"]} if "asset_prices" in run else {}
    return EVALUATORS[evaluator](book, policy_of(run), marks, **prices)


def comparisons(case: dict[str, Any], evaluator: str) -> Iterator[Comparison | ExactComparison]:
    """Every printed number of a case beside levcore's."""
    for run in case["runs"]:
        assert run["expected"], case["ids"]
        if "call" in run:
            yield from exact_comparisons(run)
            continue
        for expected in run["expected"]:
            if "scenarios" in run:
                yield Comparison(expected, scenario_reading(run, expected, evaluator))
            elif "tiers" in run:
                yield Comparison(expected, table_of(run).deductions[expected["row"]])
            else:
                yield compared(evaluated(run, evaluator), expected)


def compared(risk: lc.BookRisk, expected: dict[str, Any]) -> Comparison:
    """One printed number beside the result that it is read from."""
    row = expected.get("row", 0)
    number, term = read_number(risk, row, expected)
    if expected["measure"].startswith("account_"):
        return Comparison(expected, number, term)
    if expected["measure"].startswith("balance_"):
        return Comparison(expected, number, term, int(risk.balances.status[row]))
    tick = risk.policy.instruments[risk.book.name_of(row)].tick_size
    return Comparison(expected, number, term, int(risk.status[row]), tick)
