"""How far float64 is from the truth: every measure against exact fractions, within `budgets.py`.

The unit of an error is ``2**-52`` times the natural scale of the measure (`oracle.Number`). Run ``python
tests/test_oracle.py`` to measure again what `budgets.py` and docs/accuracy.md call the largest measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

import levcore as lc
from levcore.measures import ACCOUNT_MEASURES, MEASURE_NAMES
from levcore.status import FIRST_PARTIAL
from support.budgets import ACCOUNT_BUDGETS, BUDGETS, POOLED_BUDGETS
from support.measured import Measured, near
from support.oracle import ExactRow, Number, exact_accounts, exact_isolated
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns
from support.strategies import Case, cases

ROWS = 1_500
"""Rows of each configuration; exact fractions take about a millisecond a row."""


def judge_state(policy: lc.MarginPolicy, ratio: Number) -> int | None:
    """State by the exact ratio; None if it is too close to a level to call."""
    if not isinstance(ratio.value, Fraction):
        return lc.State.BANKRUPT
    state = lc.State.HEALTHY
    for name, level_state in (
        ("warning_level", lc.State.WARNING),
        ("margin_call_level", lc.State.MARGIN_CALL),
        ("liquidation_level", lc.State.LIQUIDATION),
    ):
        level = getattr(policy, name)
        if level is None:
            continue
        if near(ratio.value, Fraction(level), ratio.scale):
            return None
        if ratio.value > Fraction(level):
            state = level_state
    return state


def judge_status(risk: lc.BookRisk, exact: ExactRow, state: int, *, cross: bool) -> int | None:
    """Finding by the exact numbers, the last that applies; None if one is too close to call."""
    row, value = exact.row, exact.liquidation_value
    price, room = exact.measures["liquidation_price"], exact.measures["distance_to_liquidation"]
    if value_is_unsure(value):
        return None
    if exact.bankruptcy_value.value is not None and value_is_unsure(exact.bankruptcy_value):
        return None
    ruin = exact.measures["bankruptcy_price"].value
    status = lc.Status.OK if ruin is not None else lc.Status.NO_BANKRUPTCY_PRICE
    if price.value is None:
        status = lc.Status.NO_LIQUIDATION_PRICE
    if exact.cap is not None and value.value is not None:
        if near(value.exact, exact.cap, value.scale):
            return None
        if value.exact > exact.cap:
            status = lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER
    side = 1 if risk.book.quantity[row] > 0 else -1
    if not cross and price.value is not None:
        entry = Fraction(float(risk.book.entry_price[row]))
        if near(entry, price.exact, price.scale):
            return None
        if side * (entry - price.exact) < 0:
            status = lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY
    past = state >= lc.State.LIQUIDATION
    if isinstance(room.value, Fraction):
        if near(room.value, Fraction(0), room.scale):
            return None
        past = past or room.value < 0
    if past:
        return lc.Status.ALREADY_LIQUIDATABLE
    of_inputs = judge_inputs(risk, exact)
    if of_inputs == lc.Status.LEVERAGE_ABOVE_TIER and status in GIVES_WAY:
        return of_inputs
    return of_inputs if status == lc.Status.OK else status


GIVES_WAY = (lc.Status.NO_LIQUIDATION_PRICE, lc.Status.NO_BANKRUPTCY_PRICE)


def judge_inputs(risk: lc.BookRisk, exact: ExactRow) -> int | None:
    """Finding about what a row and its instrument hold; None if the tier is too close to call."""
    book, row = risk.book, exact.row
    instrument = risk.policy.instruments[book.instrument_names[book.instrument_codes[row]]]
    leverage = math.inf if book.leverage is None else book.leverage[row]
    if math.isnan(leverage):
        return lc.Status.MISSING_LEVERAGE
    short = book.quantity[row] < 0
    tiers = (short and instrument.short_tiers) or instrument.tiers
    if tiers.max_leverage and tiers.shape == "marginal" and book.leverage is not None:
        value = exact.measures["notional"]
        if any(near(value.exact, Fraction(floor), value.scale) for floor in tiers.floors):
            return None
        place = sum(value.exact > Fraction(floor) for floor in tiers.floors) - 1
        if leverage > tiers.max_leverage[place]:
            return lc.Status.LEVERAGE_ABOVE_TIER
    no_table = risk.policy.initial_margin_rule == "table" and instrument.initial_tiers is None
    return lc.Status.MISSING_INITIAL_TIERS if no_table else lc.Status.OK


def compare_row(
    measured: Measured, risk: lc.BookRisk, exact: ExactRow, equity: Number, *, cross: bool
) -> None:
    """Every measure of a row, its state and its status."""
    if near(equity.exact, Fraction(0), equity.scale):
        # Whether any equity is left is below what the inputs say: a large ratio and infinity are both right.
        measured.undecided += 1
        return
    row = exact.row
    state = judge_state(risk.policy, exact.measures["margin_ratio"])
    for name in MEASURE_NAMES:
        number = exact.measures[name]
        if name.startswith(("liquidation_price", "distance_to_liquidation")) and value_is_unsure(
            exact.liquidation_value
        ):
            continue
        if name == "distance_to_liquidation" and number.value == math.inf:
            if state is None:
                continue
            number = Number(-math.inf if state >= lc.State.LIQUIDATION else math.inf)
        if name == "bankruptcy_price" and value_is_unsure(exact.bankruptcy_value):
            continue
        measured.note(name, float(risk[name][row]), number)
    if state is None or (status := judge_status(risk, exact, state, cross=cross)) is None:
        measured.undecided += 1
        return
    measured.decided += 1
    assert risk.state[row] == state
    assert risk.status[row] == status, (lc.Status(risk.status[row]), lc.Status(status))


def value_is_unsure(value: Number) -> bool:
    """Whether rounding may decide if there is a price."""
    return value.value is not None and near(value.exact, Fraction(0), value.scale)


def measure_book(measured: Measured, risk: lc.BookRisk) -> None:
    """Every row and every account of a result that holds numbers."""
    book, marks = risk.book, risk.marks.tolist()
    for row in np.flatnonzero(
        (risk.status < FIRST_PARTIAL) & ~book.is_cross & (book.quantity != 0.0)
    ).tolist():
        exact = exact_isolated(book, risk.policy, marks[book.instrument_codes[row]], row)
        compare_row(measured, risk, exact, exact.measures["equity"], cross=False)
    if book.account_codes is None:
        return
    judged = risk.accounts.status == lc.AccountStatus.OK
    flat = np.unique(book.account_codes[book.is_cross & (book.quantity == 0.0)])
    judged[flat] = False
    chosen = np.flatnonzero(judged).tolist()
    for account in exact_accounts(book, risk.policy, marks, chosen):
        equity = account.measures["equity"]
        for leg in account.legs:
            compare_row(measured, risk, leg, equity, cross=True)
        for name in ACCOUNT_MEASURES:
            if name != "margin_ratio" or not near(equity.exact, Fraction(0), equity.scale):
                found = float(getattr(risk.accounts, name)[account.code])
                measured.note(f"account {name}", found, account.measures[name])


def budget_of(measure: str) -> float:
    return (
        ACCOUNT_BUDGETS[measure.removeprefix("account ")].units
        if measure.startswith("account ")
        else BUDGETS[measure].units
    )


def assert_within_budgets(measured: Measured) -> None:
    over = {name: units for name, units in measured.errors.items() if units > budget_of(name)}
    assert not over, f"errors above their budgets, in units of the scale: {over}"


def measure_configuration(configuration: Configuration, repetition: int = 1) -> Measured:
    seed = 100 * repetition + CONFIGURATIONS.index(configuration)
    columns, marks = random_columns(configuration, ROWS, seed, spoiled=False)
    risk = lc.Engine(configuration.policy).evaluate(book_of(columns), marks, measures=MEASURE_NAMES)
    measured = Measured()
    measure_book(measured, risk)
    return measured


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_every_measure_is_within_its_budget(configuration: Configuration) -> None:
    measured = measure_configuration(configuration)
    assert_within_budgets(measured)
    assert measured.decided > 0.7 * ROWS
    # Random numbers hardly ever fall on a threshold; where many do, the comparison has gone soft.
    assert measured.undecided <= 0.002 * ROWS


# Without copies of rows: the error of a sum grows with the legs of an account, and the budgets are for a few.
@given(cases(repeats_of=(1,), pooled=(False,)))
def test_odd_books_are_within_the_budgets_too(case: Case) -> None:
    policy, columns, marks = ordinary(case)
    risk = lc.Engine(policy).evaluate(book_of(columns), marks, measures=MEASURE_NAMES)
    measured = Measured()
    measure_book(measured, risk)
    assert_within_budgets(measured)


def ordinary(case: Case) -> Case:
    """Case with magnitudes at which nothing underflows or overflows; the budgets say nothing beyond."""
    policy, columns, marks = case
    kept: dict[str, Any] = {}
    for name, column in columns.items():
        kept[name] = column
        if isinstance(column, np.ndarray) and column.dtype == np.float64:
            kept[name] = np.where(in_range(column), column, np.nan if name != "accrued_funding" else 0.0)
        elif name == "wallet_balance":
            kept[name] = float(column) if in_range(np.array(column)) else 1.0
    return policy, kept, np.where(in_range(marks), marks, np.nan)


def in_range(column: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Zero, or a magnitude with which products stay far from both ends of float64."""
    magnitude = np.abs(column)
    within: npt.NDArray[np.bool_] = (column == 0.0) | ((magnitude > 1e-12) & (magnitude < 1e12))
    return within


def table_lines() -> Iterator[str]:
    """The budgets as the lines of the table in docs/accuracy.md."""
    yield "| measure | budget | largest measured | natural scale |"
    yield "| --- | ---: | ---: | --- |"
    parts = ("", BUDGETS), ("account: ", ACCOUNT_BUDGETS), ("moving together: ", POOLED_BUDGETS)
    for prefix, budgets in parts:
        for budget in budgets.values():
            numbers = f"{budget.units:g} | {budget.measured:.2f}"
            yield f"| {prefix}`{budget.measure}` | {numbers} | {budget.scale} |"


def test_the_page_on_accuracy_shows_these_budgets() -> None:
    page = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if re.match(r"\| ", line)] == list(table_lines())


def test_there_is_a_budget_for_every_measure() -> None:
    assert tuple(BUDGETS) == MEASURE_NAMES
    assert tuple(ACCOUNT_BUDGETS) == ACCOUNT_MEASURES
    for budget in (*BUDGETS.values(), *ACCOUNT_BUDGETS.values()):
        # A budget far above what was ever measured would let a mistake through.
        assert budget.measured < budget.units <= max(2.0, 4.0 * budget.measured)


def main() -> None:
    """Print the largest error of each measure over eight books of every configuration."""
    largest: dict[str, float] = {}
    decided = undecided = 0
    for configuration in CONFIGURATIONS:
        for repetition in range(1, 9):
            measured = measure_configuration(configuration, repetition)
            for name, units in measured.errors.items():
                largest[name] = max(largest.get(name, 0.0), units)
            decided, undecided = decided + measured.decided, undecided + measured.undecided
    print(f"{decided} rows decided, {undecided} too close to call")  # noqa: T201
    for name, units in largest.items():
        print(f"{name:35} {units:.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
