"""Tables of the HTML report."""

from collections.abc import Iterable, Sequence
from html import escape

from levcore.reports.numbers import amount, count, distance, price, prices, ratio
from levcore.reports.page import state_colour
from levcore.reports.risk.balances import BALANCE_HEADERS, balance_cells
from levcore.reports.risk.charts import exposure_charts
from levcore.reports.risk.data import AccountLine, PositionLine, Report, StatusGroup
from levcore.reports.risk.text import IN_LIQUIDATION, number_of, others, row_texts
from levcore.status import State

__all__ = [
    "account_sections",
    "balance_section",
    "finding_section",
    "html_table",
    "instrument_section",
    "not_evaluated_section",
    "position_sections",
    "signed",
    "state_mark",
]


def html_table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, narrow: bool = False
) -> str:
    """Table of finished cells (HTML); the first `left` columns are words, the others numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        kinds = ("name" if place < left else "number" for place in range(len(cells)))
        return "".join(
            f'<{tag} class="{kind}">{cell}</{tag}>' for kind, cell in zip(kinds, cells, strict=True)
        )

    body = "\n".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    kind = ' class="narrow"' if narrow else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{line(headers, "th")}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def state_mark(state: State) -> str:
    """Name of a state with its colour."""
    return f'<span class="state" style="--of-state: {state_colour(state)}">{state.phrase}</span>'


def signed(value: float) -> str:
    """Amount, marked where it is negative."""
    return f'<span class="loss">{amount(value)}</span>' if value < 0 else amount(value)


def account_sections(report: Report) -> str:
    """Accounts in liquidation, and those closest to it."""
    parts = []
    if report.accounts_past:
        total = sum(line.accounts for line in report.states if line.state in IN_LIQUIDATION)
        note = f"The largest calls of {number_of(total, 'account')}."
        parts.append(f"<h2>Accounts in liquidation or bankrupt</h2>\n<p class='note'>{note}</p>")
        parts.append(_account_table(report.accounts_past))
    if report.accounts:
        parts += ["<h2>Accounts closest to liquidation</h2>", _account_table(report.accounts)]
    return "\n".join(parts)


def _account_table(lines: Iterable[AccountLine]) -> str:
    headers = (
        "Account", "State", "Margin ratio", "Equity", "Maintenance margin", "Free margin", "Margin call",
        "Positions",
    )  # fmt: skip
    rows = [
        (
            escape(line.account),
            state_mark(line.state),
            ratio(line.margin_ratio),
            signed(line.equity),
            amount(line.maintenance_margin),
            signed(line.free_margin),
            amount(line.margin_call_amount),
            count(line.positions),
        )
        for line in lines
    ]
    return html_table(headers, rows, left=2)


def balance_section(report: Report) -> str:
    """What accounts hold in several assets."""
    if not report.balances:
        return ""
    left = (
        f" {number_of(report.balances_left_out, 'balance')} not listed." if report.balances_left_out else ""
    )
    note = f"The largest by value; equity in units of the asset, all else in the account's currency.{left}"
    headers = [word.capitalize() for word in BALANCE_HEADERS]
    table = html_table(headers, balance_cells(report.balances, html=True), left=2)
    return f"<h2>Balances</h2>\n<p class='note'>{note}</p>\n{table}"


def position_sections(report: Report) -> str:
    """Positions past their liquidation price, and those closest to it."""
    parts = []
    if report.positions_past:
        note = (
            "The largest of them. In a cross account that is in liquidation most positions are past theirs."
        )
        parts.append(f"<h2>Positions past their liquidation price</h2>\n<p class='note'>{note}</p>")
        parts.append(_position_table(report.positions_past))
    if report.positions:
        note = (
            "Distance is the adverse move of the mark up to the liquidation price. For a cross position only"
            " its own instrument moves, in accounts of hedged legs or balances all that they hold on its"
            " underlying; the rest of the account stays at its marks. A second price is on the other side."
            " Rows count from 0."
        )
        parts.append(f"<h2>Positions closest to liquidation</h2>\n<p class='note'>{note}</p>")
        parts.append(_position_table(report.positions))
    return "\n".join(parts)


def _position_table(lines: Iterable[PositionLine]) -> str:
    headers = (
        "Row", "Account", "Instrument", "Side", "Mode", "State", "Notional", "Entry", "Mark",
        "Liquidation price", "Distance", "Unrealized PnL",
    )  # fmt: skip
    rows = [
        (
            str(line.row),
            escape(line.account),
            escape(line.instrument),
            "long" if line.quantity > 0 else "short",
            "cross" if line.is_cross else "isolated",
            state_mark(line.state),
            amount(line.notional),
            price(line.entry_price),
            price(line.mark_price),
            prices(line.liquidation_price, line.second_price),
            distance(line.distance),
            signed(line.unrealized_pnl),
        )
        for line in lines
    ]
    return html_table(headers, rows, left=6)


def instrument_section(report: Report) -> str:
    """Exposure by instrument."""
    if not report.instruments:
        return ""
    headers = (
        "Instrument", "Currency", "Positions", "Long", "Short", "Net", "Unrealized PnL", "Mark", "Past",
        "Nearest",
    )  # fmt: skip
    rows = [
        (
            escape(line.instrument) or others(line.instruments),
            escape(line.settlement) or "–",
            count(line.positions),
            amount(line.long_notional),
            amount(line.short_notional),
            amount(line.long_notional - line.short_notional),
            signed(line.unrealized_pnl),
            price(line.mark_price),
            count(line.past),
            distance(line.nearest),
        )
        for line in report.instruments
    ]
    note = "Past: positions past their liquidation price; nearest: the shortest distance of the others."
    return (
        f"<h2>Exposure by instrument</h2>\n{exposure_charts(report)}\n"
        f'<p class="note">{note}</p>\n{html_table(headers, rows, left=2)}'
    )


def not_evaluated_section(report: Report) -> str:
    """Rows without numbers, by reason."""
    head = "<h2>Rows that could not be evaluated</h2>\n"
    if not report.failures:
        return head + '<p class="note">None: every row was evaluated.</p>' + _account_groups(report)
    note = (
        '<p class="note">Their numbers are missing, not zero, and no total holds them. An account with such a'
        " row is incomplete. The first rows of each kind:</p>\n"
    )
    return head + note + _groups(report.failures) + _account_groups(report)


def finding_section(report: Report) -> str:
    """Rows worth a remark, by kind."""
    if not report.findings:
        return ""
    note = '<p class="note">Every number of these rows is valid; the first rows of each kind:</p>\n'
    return "<h2>Findings</h2>\n" + note + _groups(report.findings)


def _account_groups(report: Report) -> str:
    if not report.account_failures:
        return ""
    lines = []
    for group in report.account_failures:
        first = ", ".join(group.accounts) + (", ..." if group.count > len(group.accounts) else "")
        cells = (escape(group.status.describe()), escape(first))
        lines.append((group.status.phrase, count(group.count), *cells))
    return "<h2>Accounts that could not be judged</h2>\n" + _status_table("Accounts", "First accounts", lines)


def _groups(groups: Iterable[StatusGroup]) -> str:
    lines = [
        (
            group.status.phrase,
            count(group.count),
            escape(group.status.describe()),
            "<br>".join(escape(text) for text in row_texts(group)),
        )
        for group in groups
    ]
    return _status_table("Rows", "First rows", lines)


def _status_table(what: str, first: str, lines: Iterable[tuple[str, str, str, str]]) -> str:
    """Table of finished cells: status, count, meaning, first examples."""
    body = "".join(
        f'<tr><td class="name">{word}</td><td class="number">{number}</td><td>{meaning}</td>'
        f"<td>{examples}</td></tr>"
        for word, number, meaning, examples in lines
    )
    heads = f'<th>Status</th><th class="number">{what}</th><th>Meaning</th><th>{first}</th>'
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
