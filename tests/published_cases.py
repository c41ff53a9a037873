"""Published numbers as test cases: what is in ``tests/published`` and how it is run.

The files hold cases; a case names its ids, venue, source and date and holds runs; a run is a book under a
policy at marks, a tier table, or a call of one function (`published_calls`), with what was printed for it
(`published_numbers.Comparison`). ``left_out``
of a case gives the outputs that are not compared, with the reason; ``left_out.json`` the cases that are not
run; ``index.json`` every id there is, by collection and venue: worked examples and replies of centralised
venues, those of all others, and positions as venues returned them.
"""

import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import levcore as lc
from levcore.files import read_accounts, read_positions
from published_calls import ExactComparison, exact_comparisons
from published_numbers import Comparison, read_number
from published_scenarios import scenario_reading

FOLDER = Path(__file__).parent / "published"
ACCOUNTS = Path(__file__).parents[1] / "examples" / "data"

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


def policy_of(run: dict[str, Any]) -> lc.MarginPolicy:
    """Policy of a run, with what the caller states and the instruments of the case."""
    policy = lc.policy(run["policy"]).replace(**run.get("stated", {}))
    if "account" in run:
        return policy.with_instruments(
            lc.InstrumentTable.from_csv(ACCOUNTS / run["account"] / "instruments.csv")
        )
    return policy.with_instruments([instrument_of(*each) for each in run.get("instruments", {}).items()])


def instrument_of(name: str, facts: dict[str, Any]) -> lc.Instrument:
    """Instrument of a case."""
    given = {key: value for key, value in facts.items() if key not in ("shape", "unit", "tiers", "minimum")}
    for table in ("short_tiers", "initial_tiers"):
        if table in given:
            given[table] = table_of(given[table])
    return lc.Instrument(name=name, tiers=table_of(facts), **given)


def table_of(facts: dict[str, Any]) -> lc.TierTable:
    """Tier table of a case, not below its ``minimum`` where it has one."""
    table = plain_table_of(facts)
    return table.with_minimum(facts["minimum"]) if "minimum" in facts else table


def plain_table_of(facts: dict[str, Any]) -> lc.TierTable:
    """Tier table of a case; missing deductions are derived, a growing one has its rate and slope as tiers."""
    if facts.get("shape") == "half_of_initial_rate":
        return lc.TierTable.half_of_initial_rate(facts["tiers"])
    if facts.get("shape") == "growing":
        return lc.TierTable.growing(*facts["tiers"], unit=facts["unit"])
    build = lc.TierTable.flat if facts.get("shape") == "flat" else lc.TierTable.marginal
    return build(facts["tiers"], unit=facts["unit"])


def book_of(run: dict[str, Any]) -> tuple[lc.PositionBook, Any]:
    """Book and marks of a run."""
    if "account" in run:
        folder = ACCOUNTS / run["account"]
        positions = read_positions(folder / "positions.csv")
        return positions.book(read_accounts(folder / "accounts.csv")), positions.marks
    rows = run["positions"]
    optional = {
        name: [row.get(name, math.nan) for row in rows]
        for name in ("isolated_margin", "leverage", "risk_limit")
        if any(name in row for row in rows)
    }
    if any("accrued_funding" in row for row in rows):
        optional["accrued_funding"] = [row.get("accrued_funding", 0.0) for row in rows]
    book = lc.PositionBook(
        instrument=[row["instrument"] for row in rows],
        quantity=[row["quantity"] for row in rows],
        entry_price=[row["entry_price"] for row in rows],
        account=[row.get("account", "account") for row in rows],
        margin_mode=[row["margin_mode"] for row in rows],
        wallet_balance=wallets_of(run),
        **optional,
    )
    return book, run["marks"]


def wallets_of(run: dict[str, Any]) -> dict[str, float] | None:
    """Balances by account; a plain number is of the one account of the run."""
    given = run.get("wallet_balance")
    return {"account": given} if isinstance(given, (int, float)) else given


def by_engine(book: lc.PositionBook, policy: lc.MarginPolicy, marks: Any) -> lc.BookRisk:
    """Evaluate with the compiled engine."""
    return lc.Engine(policy).evaluate(book, marks)


EVALUATORS: dict[str, Callable[[lc.PositionBook, lc.MarginPolicy, Any], lc.BookRisk]] = {
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
    return EVALUATORS[evaluator](book, policy_of(run), marks)


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
    tick = risk.policy.instruments[risk.book.name_of(row)].tick_size
    return Comparison(expected, number, term, int(risk.status[row]), tick)
