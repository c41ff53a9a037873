"""Published numbers as test cases: what is in ``tests/published``, how it is run, when a number agrees.

A file a venue holds cases; a case names its ids, source and date and holds runs; a run is a book under a
policy at marks, or a tier table, with what was printed for it. ``left_out`` of a case gives the outputs that
are not compared, with the reason; ``left_out.json`` the cases that are not run; ``index.json`` every id.
"""

import json
import math
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import levcore as lc
from levcore.display import displayed_price
from levcore.files import read_accounts, read_positions

FOLDER = Path(__file__).parent / "published"
ACCOUNTS = Path(__file__).parents[1] / "examples" / "data"

ROUND_OFF = 4
"""Units in the last place of float64 that a sum of a few terms may be off where more digits are printed."""


def read_json(name: str) -> Any:
    """Contents of a file of ``tests/published``."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def read_cases() -> dict[str, dict[str, Any]]:
    """Every case by id; one that two collections hold stands under either id."""
    cases: dict[str, dict[str, Any]] = {}
    for venue in read_json("index.json"):
        for case in read_json(f"{venue.lower()}.json"):
            for name in case["ids"]:
                assert name not in cases, name
                cases[name] = case
    return cases


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
    given = {key: value for key, value in facts.items() if key not in ("shape", "unit", "tiers")}
    return lc.Instrument(name=name, tiers=table_of(facts), **given)


def table_of(facts: dict[str, Any]) -> lc.TierTable:
    """Tier table of a case; missing deductions are derived."""
    if facts.get("shape") == "half_of_initial_rate":
        return lc.TierTable.half_of_initial_rate(facts["tiers"])
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
        for name in ("isolated_margin", "leverage")
        if any(name in row for row in rows)
    }
    book = lc.PositionBook(
        instrument=[row["instrument"] for row in rows],
        quantity=[row["quantity"] for row in rows],
        entry_price=[row["entry_price"] for row in rows],
        account=["account"] * len(rows),
        margin_mode=[row["margin_mode"] for row in rows],
        wallet_balance={"account": run["wallet_balance"]} if "wallet_balance" in run else None,
        **optional,
    )
    return book, run["marks"]


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


def sum_of_cut(risk: lc.BookRisk, measure: str) -> float:
    """Sum over the cross positions of a measure cut to 6 decimals, as the venue adds up."""
    numbers = risk[measure][risk.book.is_cross].tolist()
    # Rounded first, so that the round-off of a number of 6 decimals does not cost it its last one.
    return float(sum(cut(Decimal(repr(round(number, 9))), 6) for number in numbers))


def cut(number: Decimal, decimals: int) -> Decimal:
    """Cut a number to some decimals, toward zero."""
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)


def displayed(risk: lc.BookRisk, row: int, measure: str) -> float:
    """Price of a row as the venue displays it."""
    instrument = risk.policy.instruments[risk.book.name_of(row)]
    return displayed_price(risk.policy, instrument, float(risk[measure][row]), float(risk.book.quantity[row]))


def of_row(measure: str) -> Callable[[lc.BookRisk, int], float]:
    """Reading of one of levcore's measures."""
    return lambda risk, row: float(risk[measure][row])


READINGS: dict[str, Callable[[lc.BookRisk, int], float]] = {
    **{measure.name: of_row(measure.name) for measure in lc.MEASURES},
    "displayed_liquidation_price": lambda risk, row: displayed(risk, row, "liquidation_price"),
    "displayed_bankruptcy_price": lambda risk, row: displayed(risk, row, "bankruptcy_price"),
    "inverse_margin_ratio": lambda risk, row: 1.0 / float(risk.margin_ratio[row]),
    "account_equity": lambda risk, _: float(risk.accounts.equity[0]),
    "account_initial_margin": lambda risk, _: float(risk.accounts.initial_margin[0]),
    "account_maintenance_margin": lambda risk, _: float(risk.accounts.maintenance_margin[0]),
    "account_margin_ratio": lambda risk, _: float(risk.accounts.margin_ratio[0]),
    "account_initial_margin_ratio": lambda risk, _: float(
        risk.accounts.initial_margin[0] / risk.accounts.equity[0]
    ),
    "cross_initial_margin_cut": lambda risk, _: sum_of_cut(risk, "initial_margin"),
    "cross_maintenance_margin_cut": lambda risk, _: sum_of_cut(risk, "maintenance_margin"),
    "cross_notional": lambda risk, _: float(risk.notional[risk.book.is_cross].sum()),
    "total_notional": lambda risk, _: float(risk.notional.sum()),
    "total_equity": lambda risk, _: float(
        risk.accounts.equity.sum() + risk.equity[~risk.book.is_cross].sum()
    ),
}
"""How an output is read from a result; measures of levcore by their names."""


def check(number: float, expected: dict[str, Any], tick: float | None = None) -> None:
    """Compare a number with what was printed, to the printed digits unless the case states a tolerance.

    ``decimals`` is how many decimals the venue prints, where zeros were dropped or float noise added;
    ``digits`` "cut" means that it cuts instead of rounding; ``ticks_off`` how many ticks the print is above
    the formula.
    """
    what = f"{expected['measure']}: {number!r}, printed {expected['printed']}"
    printed = Decimal(expected["printed"])
    if "decimals" in expected:
        printed = printed.quantize(Decimal(1).scaleb(-expected["decimals"]))
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    digit = Decimal(1).scaleb(min(exponent, 0))
    if "ticks_off" in expected:
        assert tick is not None
        printed -= expected["ticks_off"] * Decimal(repr(tick))
    slack = ROUND_OFF * Decimal(math.ulp(float(printed)))
    assert math.isfinite(number), what
    if expected["measure"].startswith("displayed"):
        assert number == float(printed), what
    elif expected.get("digits") == "cut":
        beyond = (Decimal(number) - printed).copy_sign(1)
        assert abs(Decimal(number)) >= abs(printed) - slack, what
        assert beyond < digit + slack, what
    else:
        tolerance = Decimal(repr(expected.get("tolerance", 0.0)))
        tolerance = tolerance or Decimal(repr(expected.get("relative", 0.0))) * abs(printed) or digit / 2
        assert abs(Decimal(number) - printed) <= tolerance + slack, what
