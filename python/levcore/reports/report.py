"""The one verb that shows a result."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import overload

import numpy as np

from levcore.arguments import a_path, of_kind, whole_number
from levcore.comparison.comparison import Comparison
from levcore.engine.leg_costs import LegCosts
from levcore.engine.risk import BookRisk
from levcore.errors import DTypeError, InputError
from levcore.files.writing import write_text
from levcore.planning.plan import Plan
from levcore.reconciliation.result import Reconciliation
from levcore.replays.result import Replay
from levcore.reports.comparison.page import comparison_page
from levcore.reports.html import page_html, template_library
from levcore.reports.page import Page
from levcore.reports.plan.page import plan_page
from levcore.reports.reconciliation import reconciliation_page
from levcore.reports.replay.page import replay_page
from levcore.reports.risk.gather import gather
from levcore.reports.risk.page import risk_page
from levcore.reports.stress import stress_page
from levcore.reports.systems import against_page
from levcore.reports.text import page_text
from levcore.stress_testing.result import StressTotals
from levcore.systems.result import Against

__all__ = ["check_report_path", "report"]

Result = BookRisk | Comparison | Plan | Reconciliation | Against | Replay | StressTotals

TOP_OF_TEXT, TOP_OF_PAGE = 10, 20


@overload
def report(
    result: Result,
    path: None = None,
    *,
    title: str = "",
    top: int | None = None,
    generated_at: datetime | None = None,
    leg_costs: LegCosts | None = None,
) -> str: ...
@overload
def report(
    result: Result,
    path: str | Path,
    *,
    title: str = "",
    top: int | None = None,
    generated_at: datetime | None = None,
    leg_costs: LegCosts | None = None,
) -> Path: ...
def report(
    result: Result,
    path: str | Path | None = None,
    *,
    title: str = "",
    top: int | None = None,
    generated_at: datetime | None = None,
    leg_costs: LegCosts | None = None,
) -> str | Path:
    """Report on a result: plain text for a terminal, or one HTML file.

    Both hold the same tables. The file runs no script, loads nothing from anywhere, and can be printed; the
    same result gives the same bytes.

    Parameters
    ----------
    result : BookRisk, Comparison, Plan, Reconciliation, Against, Replay or StressTotals
        What `levcore.Engine.evaluate` with every measure, `levcore.compare`, `levcore.plan`,
        `levcore.reconcile`, `levcore.against`, `levcore.replay`, `levcore.stress`, a `levcore.StressIndex` or
        `levcore.cluster.stress` returns.
    path : path, optional
        The file to write, ``.html`` or ``.htm``; it needs Jinja2, the extra ``report``.
    title : str
        Its first line, such as ``"Risk report: book.csv"``; what kind of report it is where it is not given.
    top : int, optional
        Length of the lists of accounts, positions, instruments and scenarios, not negative; where it is not
        given, 10 in the text and 20 in the file. A plan and a reconciliation are shown whole.
    generated_at : datetime, optional
        Time to print on a risk report, now in UTC where it is not given. The others carry none.
    leg_costs : LegCosts, optional
        What `levcore.leg_costs` returns for the book of a risk report, which then says which leg costs what.

    Returns
    -------
    str or Path
        The text, or the path of the file that was written.

    Raises
    ------
    InputError
        For a path of another kind, a negative `top`, a measure that was not computed, `leg_costs` of another
        book or result, or a file where Jinja2 is not installed.
    DTypeError
        For a result that is none of these.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    >>> risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 61_000.0})
    >>> print(lc.report(risk).splitlines()[1])
    verdict  Nothing is in margin call or worse.
    """
    if path is not None:
        check_report_path(path)
    if top is None:
        top = TOP_OF_TEXT if path is None else TOP_OF_PAGE
    elif whole_number("top", top) < 0:
        raise InputError("top", "must not be negative", "0 or more", str(top))
    if leg_costs is not None:
        _check_leg_costs(leg_costs, result)
    page = _page(result, title, top, generated_at, leg_costs)
    if path is None:
        return page_text(page)
    file = Path(path)
    write_text(file, page_html(page))
    return file


def check_report_path(path: str | Path, argument: str = "path") -> None:
    """Refuse a path that `report` cannot write, before a long evaluation.

    Raises
    ------
    DTypeError
        For what is no path.
    InputError
        Where it does not end in ``.html`` or ``.htm``, or Jinja2 is not installed; of `argument`.
    """
    a_path(argument, path)
    suffix = Path(path).suffix
    if suffix.lower() not in (".html", ".htm"):
        raise InputError(argument, "must be an HTML file", ".html, .htm", repr(suffix or str(path)))
    template_library(argument)


def _check_leg_costs(leg_costs: LegCosts, result: Result) -> None:
    of_kind("leg_costs", leg_costs, LegCosts)
    rule = "must be of the book and the marks of a risk report"
    if not isinstance(result, BookRisk):
        raise InputError("leg_costs", rule, "BookRisk", type(result).__name__)
    same = np.array_equal(leg_costs.risk.marks, result.marks, equal_nan=True)
    if leg_costs.risk.book is not result.book or not same:
        raise InputError("leg_costs", rule, "levcore.leg_costs(engine, risk.book, marks)", "another")


def _page(
    result: Result, title: str, top: int, generated_at: datetime | None, leg_costs: LegCosts | None
) -> Page:
    words = (title,) if title else ()
    if isinstance(result, BookRisk):
        gathered = gather(result, top=top, generated_at=generated_at)
        return risk_page(gathered, *words, leg_costs=leg_costs, top=top)
    if isinstance(result, Comparison):
        return comparison_page(result, *words, top=top)
    if isinstance(result, Plan):
        return plan_page(result, title)
    if isinstance(result, Reconciliation):
        return reconciliation_page(result, *words)
    if isinstance(result, Against):
        return against_page(result, *words)
    if isinstance(result, Replay):
        return replay_page(result, *words)
    if isinstance(result, StressTotals):
        return stress_page(result, *words, top=top)
    expected = "BookRisk, Comparison, Plan, Reconciliation, Against, Replay or StressTotals"
    raise DTypeError("result", "must be a result that a report shows", expected, type(result).__name__)
