"""The report on a stress test, and its figures; the same result gives the same bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from levcore.arguments import whole_number
from levcore.book.arrays import Floats, float_column
from levcore.book.labelled import column_names, values_of
from levcore.engine.totals import OF_ACCOUNTS
from levcore.errors import InputError, ShapeError
from levcore.reports.charts.model import Figure, Grid, Span, Spans
from levcore.reports.numbers import amount, count, percent, short
from levcore.reports.page import Page, Section
from levcore.reports.tables import Cell, Table, plain_table, signed
from levcore.reports.words import number_of
from levcore.status import State
from levcore.stress_testing.result import TOTALS, StressTotals

__all__ = ["factor_figure", "scenario_figure", "scenario_table", "stress_page", "stress_verdict"]

COUNTS = ("positions_liquidated", "accounts_liquidated", "not_judged")
OF_FACTORS = ("shortfall", "liquidated_notional", *COUNTS)
MOST_CELLS = 30

NOTE = (
    "Each scenario moves every price at once. Equity and maintenance margin are of isolated positions and"
    " cross accounts; the shortfall is what those below zero are short of. What was not judged is in no sum."
)


def stress_page(stress: StressTotals, title: str = "Stress test", *, top: int = 20) -> Page:
    """Build the page of a stress test: scenarios from the one that leaves least, `top` of them."""
    sections = [
        Section(
            f"Scenarios{_of(currency, stress)}",
            NOTE if place == 0 else "",
            [scenario_figure(stress, currency, top=top), scenario_table(stress, currency, top=top)]
            if len(stress)
            else [],
        )
        for place, currency in enumerate(stress.currencies)
    ]
    missing = any(stress.totals[currency]["shortfall"].any() for currency in stress.currencies)
    past = bool(stress.positions_liquidated.any())
    return Page(
        title=title,
        verdict=stress_verdict(stress),
        worst=State.BANKRUPT if missing else State.LIQUIDATION if past else State.HEALTHY,
        facts=[("book", number_of(stress.rows, "position")), ("scenarios", count(len(stress)))],
        sections=[section for section in sections if section.parts],
    )


def stress_verdict(stress: StressTotals) -> str:
    """One sentence: the scenario that liquidates most, and what could not be judged."""
    if not len(stress):
        return "No scenario was asked for."
    worst = int(np.argmax(stress.positions_liquidated))
    most = number_of(int(stress.positions_liquidated[worst]), "position")
    text = f"Scenario {stress.scenarios[worst]} liquidates most: {most} of {count(stress.rows)}"
    if not stress.positions_liquidated.any():
        text = "No scenario liquidates a position"
    unknown = int(stress.not_judged.max())
    return text + (f"; up to {number_of(unknown, 'position')} could not be judged." if unknown else ".")


def scenario_table(stress: StressTotals, currency: str, *, top: int) -> Table[Any]:
    """Scenarios from the one that leaves least in a currency."""
    totals = stress.totals[currency]
    lines: list[Sequence[str | Cell]] = [
        (
            str(stress.scenarios[each]),
            signed(float(totals["equity"][each])),
            *(amount(float(totals[name][each])) for name in TOTALS[1:]),
            *(count(getattr(stress, name)[each]) for name in COUNTS),
        )
        for each in _worst(stress, currency, top)
    ]
    heads = (
        "Scenario",
        "Equity",
        "Maintenance",
        "Shortfall",
        "Liquidated",
        "Positions",
        "Accounts",
        "Not judged",
    )
    return plain_table(heads, lines)


def scenario_figure(stress: StressTotals, currency: str, *, top: int) -> Figure:
    """Equity that each scenario leaves, from the one that leaves least.

    Raises
    ------
    InputError
        For a stress test without scenarios.
    """
    if not len(stress):
        raise InputError("stress", "must have a scenario to draw", "1 or more", "0")
    equity = stress.totals[currency]["equity"]
    spans = [
        Span(
            str(stress.scenarios[each]),
            0.0,
            float(equity[each]),
            amount(float(equity[each])),
            "liquidation" if equity[each] < 0.0 else "long",
        )
        for each in _worst(stress, currency, top)
    ]
    told = "; ".join(f"{one.name}: {one.text}" for one in spans)
    left_out = len(stress) - len(spans)
    subtitle = f"what is left of isolated positions and cross accounts{_of(currency, stress)}"
    subtitle += f"; {count(left_out)} scenarios that leave more are not drawn" if left_out else ""
    return Figure("Equity by scenario", subtitle, told, Spans(spans, short))


def factor_figure(
    stress: StressTotals, shocks: Any, across: str, down: str, measure: str, currency: str
) -> Figure:
    """One measure over the moves of two factors.

    Raises
    ------
    InputError
        For a measure that is no amount or count of a stress test, a column that `shocks` does not hold, two
        scenarios at one place, or more places than a figure shows.
    ShapeError
        For shocks of another number of scenarios.
    """
    if measure not in OF_FACTORS:
        raise InputError("measure", "must be one that a grid shows", ", ".join(OF_FACTORS), repr(measure))
    is_count = measure in COUNTS
    values = getattr(stress, measure) if is_count else stress.totals[currency][measure]
    ends = [
        _factor(stress, shocks, argument, name) for argument, name in (("across", across), ("down", down))
    ]
    (heads, column), (rows, row) = (np.unique(end, return_inverse=True) for end in ends)
    if max(heads.size, rows.size) > MOST_CELLS:
        found = f"{rows.size} by {heads.size}"
        raise InputError("shocks", "must have few moves to draw", f"at most {MOST_CELLS} of a factor", found)
    cells = np.full((rows.size, heads.size), np.nan)
    for scenario in range(len(stress)):
        place = (int(row[scenario]), int(column[scenario]))
        if not np.isnan(cells[place]):
            rule = f"must not repeat moves of {across} and {down}"
            raise InputError("shocks", rule, "one scenario of each pair", "another", scenario)
        cells[place] = values[scenario]
    moves = [[percent(float(move), 1) for move in end] for end in (heads, rows)]
    form = count if is_count else short
    worst = int(np.argmax(values))
    told = f"Most in scenario {stress.scenarios[worst]}: {form(float(values[worst]))}."
    word = measure.replace("_", " ")
    return Figure(
        f"{word.capitalize()} over {across} and {down}",
        f"moves of {across} from left to right, of {down} from top to bottom. {told}",
        told,
        Grid(moves[0], moves[1], cells.tolist(), "liquidation", form, across, down),
    )


def _factor(stress: StressTotals, shocks: Any, argument: str, name: str) -> Floats:
    names = column_names(shocks)
    if names is None or name not in names:
        known = "a table of columns" if names is None else ", ".join(names)
        raise InputError(argument, "must be a column of shocks", known, repr(name))
    moves = float_column(f"shocks[{name!r}]", values_of(shocks[name]), None, [])
    if moves.shape != (len(stress),):
        expected = str((len(stress),))
        raise ShapeError(f"shocks[{name!r}]", "must have one value a scenario", expected, str(moves.shape))
    return moves


def _worst(stress: StressTotals, currency: str, top: int) -> list[int]:
    """Scenarios by the equity that they leave, the lowest first, equal ones in their order."""
    whole_number("top", top)
    order: list[int] = np.argsort(stress.totals[currency]["equity"], kind="stable")[:top].tolist()
    return order


def _of(currency: str, stress: StressTotals) -> str:
    if currency == OF_ACCOUNTS:
        return ", in the currency of the asset prices"
    return f", {currency}" if currency and len(stress.currencies) > 1 else f" in {currency}" * bool(currency)
