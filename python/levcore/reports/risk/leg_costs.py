"""Which leg costs what: the section of the risk report on accounts without one of their legs."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from levcore.engine.leg_costs import LegCosts
from levcore.reports.numbers import MISSING, count, percent, ratio
from levcore.reports.page import Section
from levcore.reports.risk.data import Rows
from levcore.reports.risk.lists import account_of
from levcore.reports.tables import Column, Table, signed
from levcore.reports.words import number_of

__all__ = ["leg_cost_sections"]

Wholes: TypeAlias = npt.NDArray[np.int64]

NOTE = (
    "Each leg of a cross account in turn, as if it had never been opened: its profit or loss and its margins"
    " go, and what it hedged is charged in full. Initial and maintenance are what the leg adds to the margins"
    " of its account; below zero, it hedges more than it is charged. What closing it costs is not in it."
)


def leg_cost_sections(costs: LegCosts, top: int) -> Iterator[Section]:
    """Sections on the legs that weigh most and on those that help; isolated positions are their own account.

    Parameters
    ----------
    costs : LegCosts
    top : int
        Length of each list.
    """
    cross = costs.risk.book.is_cross
    marginal = costs.marginal_margin_ratio
    judged = cross & np.isfinite(marginal)
    left = int(np.count_nonzero(cross & ~judged))
    note = f" {number_of(left, 'leg')} without a ratio on both sides are not listed." if left else ""
    order = np.argsort(-np.where(judged, marginal, -np.inf), kind="stable")
    weighing = order[judged[order] & (marginal[order] > 0)]
    helping = order[judged[order] & (marginal[order] < 0)][::-1]
    if not len(weighing) and not len(helping):
        yield Section("Which leg costs what", f"No cross account has a leg to leave out.{note}")
        return
    said = f"{NOTE}{note} {_counted(len(weighing), top)}"
    yield Section(
        "Which leg costs what", said, [_table(costs, _first(weighing, top))] if len(weighing) else []
    )
    if len(helping):
        said = (
            f"Without one of these the margin ratio of its account is higher. {_counted(len(helping), top)}"
        )
        yield Section("Legs that help their account", said, [_table(costs, _first(helping, top))])


def _first(rows: Wholes, top: int) -> Rows:
    return tuple(rows[:top].tolist())


def _counted(legs: int, top: int) -> str:
    return f"The first {count(top)} of {count(legs)}." if legs > top else f"{number_of(legs, 'leg')}."


def _table(costs: LegCosts, rows: Rows) -> Table[int]:
    risk, book, without = costs.risk, costs.risk.book, costs.without
    codes = book.account_codes
    assert codes is not None  # there are cross rows
    initial, maintenance = costs.marginal_initial_margin, costs.marginal_maintenance_margin
    columns: list[Column[int]] = [
        Column("Row", str, "name"),
        Column("Account", lambda row: account_of(risk, row), "name"),
        Column("Instrument", book.name_of, "name"),
        Column("Side", lambda row: "long" if book.quantity[row] > 0 else "short", "name"),
        Column("Initial", lambda row: signed(initial[row])),
        Column("Maintenance", lambda row: signed(maintenance[row])),
        Column("Ratio", lambda row: ratio(risk.accounts.margin_ratio[int(codes[row])])),
        Column("without it", lambda row: ratio(without.margin_ratio[row])),
        Column("Equity without", lambda row: signed(without.equity[row]), only="html"),
        Column("Free without", lambda row: signed(without.free_margin[row]), only="html"),
    ]
    found = costs.distance
    if found is not None:
        columns.append(Column("Distance without", lambda row: _moves(found.lower[row], found.upper[row])))
    return Table(columns, rows)


def _moves(lower: float, upper: float) -> str:
    """Moves of all prices at which an account is liquidated, down and up."""
    return " / ".join(percent(each) for each in (lower, upper) if np.isfinite(each)) or MISSING
