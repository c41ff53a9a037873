"""The report as one HTML file: no script, nothing loaded from anywhere, printable, light or dark.

It says what a risk manager asks, in that order: is anything in trouble, how far away is the rest, who and
what is closest, where is the exposure, what could not be evaluated, and on which rules and prices all of it
rests.
"""

from datetime import datetime
from html import escape
from pathlib import Path

from levcore.engine.risk import BookRisk
from levcore.files.writing import write_text
from levcore.measures import MEASURES
from levcore.reports.numbers import amount, count, percent, short
from levcore.reports.page import html_page, state_colour
from levcore.reports.policy import policy_section
from levcore.reports.risk.charts import distance_charts, state_bar
from levcore.reports.risk.data import Report
from levcore.reports.risk.gather import gather
from levcore.reports.risk.html_tables import (
    account_sections,
    balance_section,
    finding_section,
    html_table,
    instrument_section,
    not_evaluated_section,
    position_sections,
    signed,
    state_mark,
)
from levcore.reports.risk.text import IN_TROUBLE, headline, left_out, number_of
from levcore.rules.policy import MarginPolicy
from levcore.status import State

__all__ = ["render_report", "write_report"]


def write_report(
    risk: BookRisk,
    path: str | Path,
    *,
    name: str = "",
    top: int = 20,
    generated_at: datetime | None = None,
) -> Path:
    """Write the report on `risk` to a file.

    Parameters
    ----------
    path : path
        The file to write.
    risk, name, top, generated_at
        As for `render_report`.

    Returns
    -------
    Path
        The file.
    """
    file = Path(path)
    write_text(file, render_report(risk, name=name, top=top, generated_at=generated_at))
    return file


def render_report(
    risk: BookRisk, *, name: str = "", top: int = 20, generated_at: datetime | None = None
) -> str:
    """Report on `risk` as the text of an HTML file.

    Parameters
    ----------
    risk : BookRisk
        Result with every measure.
    name : str
        What was evaluated, such as the file's name.
    top : int
        Length of the lists of accounts, positions and instruments.
    generated_at : datetime, optional
        Time to print, now in UTC where it is not given.

    Raises
    ------
    InputError
        A measure was not computed.
    """
    report = gather(risk, top=top, generated_at=generated_at)
    title = f"Risk report: {name}" if name else "Risk report"
    body = "\n".join(
        (
            _head(report, title),
            _states(report),
            distance_charts(report),
            account_sections(report),
            balance_section(report),
            position_sections(report),
            instrument_section(report),
            not_evaluated_section(report),
            finding_section(report),
            *(policy_section(policy) for policy in risk.policies),
            _marks(report),
            _words(),
        )
    )
    return html_page(title, body)


def _head(report: Report, title: str) -> str:
    risk = report.risk
    time = report.generated_at.strftime("%Y-%m-%d %H:%M:%S %Z")
    trouble = report.in_state(*IN_TROUBLE)
    worst = max((line.state for line in report.states if report.in_state(line.state)), default=State.HEALTHY)
    if trouble and worst == State.INCOMPLETE:
        # What is known to be in trouble outranks what is not known.
        worst = max(state for state in IN_TROUBLE if report.in_state(state))
    tiles = [
        ("In margin call or worse", count(trouble), "accounts and isolated positions"),
        (
            "Positions evaluated",
            short(report.rows - report.failed - report.partial),
            f"of {count(report.rows)}; {count(report.failed)} failed, {count(report.partial)} in part",
        ),
    ]
    for line in report.totals[:1]:
        currency = f" {line.settlement}" if line.settlement else ""
        # Of sums that do not hold the same positions and accounts there is no quotient.
        whole = line.equity > 0 and not left_out(report)
        share = f"{percent(line.maintenance_margin / line.equity, 1)} of equity" if whole else ""
        tiles += [
            ("Gross notional", short(line.gross) + currency, f"net {short(line.net)}"),
            ("Unrealized PnL", short(line.unrealized_pnl) + currency, ""),
            ("Equity", short(line.equity) + currency, ""),
            ("Maintenance margin", short(line.maintenance_margin) + currency, share),
        ]
    cells = "".join(
        f'<div class="tile"><dt>{escape(head)}</dt>'
        f"<dd>{escape(value)}<small>{escape(small)}</small></dd></div>"
        for head, value, small in tiles
    )
    policies = ", ".join(policy.id for policy in risk.policies)
    size = f"{number_of(report.rows, 'position')}, {number_of(len(risk.accounts), 'account')}"
    return (
        f"<header><h1>{escape(title)}</h1>\n"
        f'<p class="meta">{escape(time)} · {size} · policy {escape(policies)}</p>\n'
        f'<p class="verdict" style="--edge: {state_colour(worst)}">{escape(headline(report))}</p>\n'
        f'<dl class="tiles">{cells}</dl></header>\n{_totals(report)}'
    )


def _totals(report: Report) -> str:
    if not report.totals:
        return ""
    headers = (
        "Settlement currency", "Positions", "Long", "Short", "Net", "Unrealized PnL", "Maintenance margin",
        "Equity, isolated", "Equity, cross accounts",
    )  # fmt: skip
    rows = [
        (
            escape(line.settlement) or "not named",
            count(line.positions),
            amount(line.long_notional),
            amount(line.short_notional),
            amount(line.net),
            signed(line.unrealized_pnl),
            amount(line.maintenance_margin),
            signed(line.isolated_equity),
            signed(line.account_equity),
        )
        for line in report.totals
    ]
    notes = [left_out(report)]
    if len(report.risk.balances):
        notes.append("– : no total, since accounts hold several assets and count them in one of their own.")
    elif any(line.account_equity != line.account_equity for line in report.totals):
        notes.append(
            "– : no total, since accounts hold positions whose currency is not named or none could be judged."
        )
    return html_table(headers, rows) + "".join(f'<p class="note">{note}</p>' for note in notes if note)


def _states(report: Report) -> str:
    rows = [
        (
            state_mark(line.state),
            count(line.accounts),
            count(line.isolated_positions),
            count(line.cross_positions),
        )
        for line in report.states
    ]
    headers = ("State", "Cross accounts", "Isolated positions", "Cross positions, by their account")
    policies = report.risk.policies
    levels = [f"{escape(policy.id)}: " * (len(policies) > 1) + _levels(policy) for policy in policies]
    return (
        "<h2>States</h2>\n"
        '<p class="note">The margin ratio is requirement over equity: it rises with the risk.'
        f" {'<br>'.join(levels)}</p>\n"
        f"{state_bar(report)}\n{html_table(headers, rows, narrow=True)}"
    )


def _levels(policy: MarginPolicy) -> str:
    """Where the states begin, and which of them the policy does not know."""
    levels = {
        "warning": policy.warning_level,
        "margin call": policy.margin_call_level,
        "liquidation": policy.liquidation_level,
    }
    known = ", ".join(f"{word} from {100 * level:g} %" for word, level in levels.items() if level is not None)
    missing = " or ".join(word for word, level in levels.items() if level is None)
    unknown = f" No source states a level for {missing}, so that state does not occur." if missing else ""
    return f"{known.capitalize()}.{unknown}"


def _marks(report: Report) -> str:
    cells = "".join(f"<span>{escape(name)} <b>{mark!r}</b></span>" for name, mark in report.marks)
    left_out = (
        f" The {count(report.marks_left_out)} of the smallest are left out." if report.marks_left_out else ""
    )
    return (
        "<h2>Mark prices used</h2>\n"
        f'<p class="note">Quote per base, the instruments with the largest notional first.{left_out}</p>\n'
        f'<div class="marks">{cells}</div>'
    )


def _words() -> str:
    words = "".join(
        f"<dt>{escape(measure.name.replace('_', ' '))}</dt><dd>{escape(measure.doc)} <span class='note'>"
        f"({escape(measure.unit)})</span></dd>"
        for measure in MEASURES
    )
    return f'<h2>What the words mean</h2>\n<dl class="words">{words}</dl>'
