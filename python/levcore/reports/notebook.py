"""Results and inputs in a notebook: the answer in one line, and a small table by the reports' templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from levcore.book.positions import PositionBook
from levcore.closing.result import CloseOut
from levcore.comparison.comparison import Comparison
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.planning.plan import Plan
from levcore.reconciliation.result import Reconciliation
from levcore.replays.result import Replay
from levcore.reports.comparison.lists import headline
from levcore.reports.comparison.tables import overview_table
from levcore.reports.html import fragment
from levcore.reports.numbers import amount, distance, price, prices, ratio
from levcore.reports.page import Page
from levcore.reports.plan.tables import owes_table, price_table
from levcore.reports.plan.words import verdict
from levcore.reports.reconciliation import reconciliation_page
from levcore.reports.replay.page import replay_page
from levcore.reports.risk.lists import account_of, second_price
from levcore.reports.stress import scenario_table, stress_verdict
from levcore.reports.systems import against_page
from levcore.reports.tables import Column, Table, pairs_table, plain_table, state_cell
from levcore.reports.words import number_of
from levcore.rules.policy import RULES, MarginPolicy
from levcore.rules.terms import UNKNOWN
from levcore.status import State, Status
from levcore.stress_testing.result import StressTotals
from levcore.systems.result import Against

__all__ = ["notebook_html"]

TOP = 10
FORMS: dict[str, Callable[[float], str]] = {
    "notional": amount,
    "unrealized_pnl": amount,
    "maintenance_margin": amount,
    "margin_ratio": ratio,
    "liquidation_price": price,
    "distance_to_liquidation": distance,
}
"""Measures of positions that are shown, where they were computed."""
ENDS = {"liquidation_price_lower", "liquidation_price_upper"}


@dataclass(frozen=True, slots=True)
class Short:
    """What a notebook shows of a result: the answer, tables, and a remark on what is not shown."""

    headline: str
    tables: Sequence[Table[Any]]
    remark: str = ""


def notebook_html(result: Any) -> str | None:
    """Show one of the results and inputs below as a piece of HTML; None where Jinja2 is not installed.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["<b>"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    >>> shown = notebook_html(book)
    >>> "<b>1 position, 1 instrument</b>" in shown, "&lt;b&gt;" in shown
    (True, True)
    """
    short = next(make(result) for kind, make in SHORT.items() if isinstance(result, kind))
    try:
        return fragment("notebook.html", short=short)
    except InputError:
        return None


def _book(book: PositionBook) -> Short:
    columns: list[Column[int]] = [
        Column("Row", str, "name"),
        Column("Account", lambda row: _text(book.account_of(row)), "name"),
        Column("Instrument", book.name_of, "name"),
        Column("Quantity", lambda row: price(float(book.quantity[row]))),
        Column("Entry", lambda row: price(float(book.entry_price[row]))),
        Column("Mode", lambda row: "cross" if book.is_cross[row] else "isolated", "name"),
        Column("Margin", lambda row: _amount_of(book.isolated_margin, row)),
        Column("Leverage", lambda row: "–" if book.leverage is None else f"{book.leverage[row]:g}"),
    ]
    parts = [number_of(len(book), "position"), number_of(len(book.instrument_names), "instrument")]
    parts += [number_of(len(book.account_ids), "cross account")] if book.account_ids else []
    return Short(", ".join(parts), [_rows(columns, len(book))], _remark(len(book)))


def _risk(risk: BookRisk) -> Short:
    book = risk.book
    columns: list[Column[int]] = [
        Column("Row", str, "name"),
        Column("Account", lambda row: account_of(risk, row), "name"),
        Column("Instrument", book.name_of, "name"),
        Column("State", lambda row: state_cell(State(int(risk.state[row]))), "name"),
        Column("Quantity", lambda row: price(float(book.quantity[row]))),
        Column("Mark", lambda row: price(risk.mark_of(row))),
        *(_measure(risk, name) for name in FORMS if name in risk.measures),
        Column("Status", lambda row: Status(int(risk.status[row])).phrase, "name"),
    ]
    counts = np.bincount(risk.state, minlength=len(State)).tolist()
    states = [f"{counts[state]:,} {state.phrase}" for state in State if counts[state]]
    under = ", ".join(policy.id for policy in risk.policies)
    told = f"{number_of(len(risk), 'position')} under {under}: {', '.join(states) or 'none'}"
    return Short(told, [_rows(columns, len(risk))], _remark(len(risk)))


def _measure(risk: BookRisk, name: str) -> Column[int]:
    values, form = risk.column(name), FORMS[name]
    if name == "liquidation_price" and {*risk.measures} >= ENDS:
        return Column("Liquidation price", lambda row: prices(values[row], second_price(risk, row)))
    return Column(name.replace("_", " ").capitalize(), lambda row: form(float(values[row])))


def _policy(policy: MarginPolicy) -> Short:
    unknown = [rule for rule in RULES if getattr(policy, rule) == UNKNOWN]
    pairs = [
        ("product", f"{policy.product} of {policy.venue}" if policy.venue else policy.product),
        ("as of", policy.as_of or "not dated"),
        ("liquidation", f"requirement over equity from {100 * policy.liquidation_level:g} %"),
        ("ratio", policy.ratio),
        (
            "tier tables",
            f"{number_of(len(policy.instruments), 'instrument')}, {policy.instruments.as_of or 'not dated'}",
        ),
        ("unknown", ", ".join(unknown) or "nothing"),
        ("sources", number_of(len(policy.sources), "source")),
        ("verified by", policy.verified_by or "no published number"),
    ]
    return Short(f"{policy.id}: {policy.title}", [pairs_table([pair for pair in pairs if pair[1]])])


def _plan(plan: Plan) -> Short:
    venues = list(plan)
    is_valued = any(venue.value == venue.value for venue in venues)
    return Short(verdict(plan), [price_table(venues) if is_valued else owes_table(venues)])


def _comparison(comparison: Comparison) -> Short:
    return Short(headline(comparison), [overview_table(comparison)])


def _stress(stress: StressTotals) -> Short:
    tables = [scenario_table(stress, currency, top=TOP) for currency in stress.currencies]
    left = len(stress) - TOP
    remark = f"{number_of(left, 'scenario')} that leave more are not shown." if left > 0 else ""
    return Short(stress_verdict(stress), tables, remark)


def _close_out(result: CloseOut) -> Short:
    lines = [(name.replace("_", " "), amount(value)) for name, value in result.totals().items() if value]
    return Short(repr(result), [plain_table(("", "Amount"), lines, shape="narrow")] if lines else [])


def _of_page(page: Page) -> Short:
    tables = [part for one in page.sections_of("html") for part in one.parts if isinstance(part, Table)]
    remark = "" if len(tables) < 2 else "levcore.report(result) shows all of it."
    return Short(page.verdict, tables[:1], remark)


def _rows(columns: list[Column[int]], rows: int) -> Table[int]:
    return Table(columns, range(min(rows, TOP)))


def _remark(rows: int) -> str:
    return f"{number_of(rows - TOP, 'further row')}." if rows > TOP else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _amount_of(column: Any, row: int) -> str:
    return "–" if column is None else amount(float(column[row]))


SHORT: dict[type, Callable[[Any], Short]] = {
    PositionBook: _book,
    BookRisk: _risk,
    MarginPolicy: _policy,
    Plan: _plan,
    Comparison: _comparison,
    StressTotals: _stress,
    CloseOut: _close_out,
    Replay: lambda result: _of_page(replay_page(result)),
    Against: lambda result: _of_page(against_page(result)),
    Reconciliation: lambda result: _of_page(reconciliation_page(result)),
}
