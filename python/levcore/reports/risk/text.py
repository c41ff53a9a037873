"""The report for a terminal: plain, aligned text."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from levcore._levcore import __version__
from levcore.engine.risk import BookRisk
from levcore.reports.numbers import MISSING, amount, count, distance, price, prices, ratio
from levcore.reports.risk.balances import BALANCE_HEADERS, balance_cells
from levcore.reports.risk.data import DISTANCE_BINS, AccountLine, PositionLine, Report, StatusGroup
from levcore.reports.risk.gather import gather
from levcore.status import State

__all__ = ["headline", "left_out", "number_of", "others", "render_text", "row_texts", "text_table"]

IN_LIQUIDATION = (State.LIQUIDATION, State.BANKRUPT)
IN_TROUBLE = (State.MARGIN_CALL, *IN_LIQUIDATION)
BAR = 40  # characters of the longest bar


def render_text(
    risk: BookRisk, *, name: str = "", top: int = 10, generated_at: datetime | None = None
) -> str:
    """Report on `risk` as plain text.

    Parameters
    ----------
    risk : BookRisk
        Result with every measure.
    name : str
        What was evaluated, such as the file's name.
    top : int
        Length of the lists.
    generated_at : datetime, optional
        Time to print, now where it is not given.

    Raises
    ------
    InputError
        A measure was not computed.
    """
    report = gather(risk, top=top, generated_at=generated_at)
    sections = (
        _head(report, name),
        _totals(report),
        _states(report),
        _accounts("Accounts in liquidation or bankrupt, the largest call first", report.accounts_past),
        _accounts("Accounts closest to liquidation", report.accounts),
        _balances(report),
        _positions("Positions past their liquidation price, the largest first", report.positions_past),
        _positions("Positions closest to liquidation", report.positions),
        _distances(report),
        _instruments(report),
        _groups("Rows that could not be evaluated, or not completely", report.failures),
        _account_groups(report),
        _groups("Findings (all numbers of these rows are valid)", report.findings),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def text_table(headers: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Aligned table; the first `left` columns are set to the left, the others to the right.

    Examples
    --------
    >>> print(text_table(["name", "value"], [["a", "1.50"], ["bcd", "20.00"]]))
      name  value
      a      1.50
      bcd   20.00
    """
    lines = [list(headers), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def others(number: int) -> str:
    """Name of the line for the instruments that are not listed."""
    return number_of(number, "other")


def row_texts(group: StatusGroup) -> list[str]:
    """First rows of a group in words: instrument, account, and the value at fault."""
    texts = []
    for row, account, instrument, value in group.rows:
        of_account = f" ({account})" if account else ""
        told = "" if value is None else f", {group.column} {'missing' if value != value else repr(value)}"
        texts.append(f"{row}: {instrument}{of_account}{told}")
    return texts


def number_of(number: int, thing: str) -> str:
    """Count with its noun, such as "1 account" and "2 accounts"."""
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def left_out(report: Report) -> str:
    """What the totals do not hold, as a sentence; empty where they hold everything."""
    parts = []
    if report.failed:
        parts.append(f"{number_of(report.failed, 'position')} that could not be evaluated")
    accounts = sum(group.count for group in report.account_failures)
    if accounts:
        parts.append(f"the equity of {number_of(accounts, 'account')} that could not be judged")
    return f"Not in these totals: {' and '.join(parts)}." if parts else ""


def headline(report: Report) -> str:
    """One sentence: how many are in trouble, and what is not known."""
    trouble = report.in_state(*IN_TROUBLE)
    units = report.in_state(*State)
    unknown = report.in_state(State.INCOMPLETE)
    if trouble:
        verb = "is" if trouble == 1 else "are"
        what = f"{count(trouble)} of {count(units)} accounts and isolated positions"
        text = f"{what} {verb} in margin call or worse"
    else:
        text = f"Nothing {'that was judged ' if unknown else ''}is in margin call or worse"
    if unknown:
        text += f"; {count(unknown)} could not be judged"
    return text + "."


def _head(report: Report, name: str) -> str:
    rows = number_of(report.rows, "position")
    rows += f" in {number_of(len(report.risk.book.instrument_names), 'instrument')}"
    if len(report.risk.accounts):
        rows += f", {number_of(len(report.risk.accounts), 'account')}"
    rows += f"; {count(report.failed)} not evaluated, {count(report.partial)} in part"
    time = report.generated_at.strftime("%Y-%m-%d %H:%M:%S %Z")
    return "\n".join(
        [
            f"levcore {__version__} risk report{f' on {name}' if name else ''}, {time}",
            *(f"policy   {policy.id}: {policy.title}" for policy in report.risk.policies),
            f"book     {rows}",
            f"verdict  {headline(report)}",
        ]
    )


def _totals(report: Report) -> str:
    headers = ("currency", "positions", "long", "short", "net", "unrealized PnL", "maintenance", "equity")
    rows = [
        (
            line.settlement or "(not named)",
            count(line.positions) if line.positions else MISSING,
            amount(line.long_notional),
            amount(line.short_notional),
            amount(line.net),
            amount(line.unrealized_pnl),
            amount(line.maintenance_margin),
            amount(line.equity),
        )
        for line in (*report.totals, report.totals_of_balances)
        if line is not None
    ]
    title = "Totals by settlement currency"
    return "\n".join(filter(None, [title, text_table(headers, rows), left_out(report)])) if rows else ""


def _states(report: Report) -> str:
    rows = [
        (
            line.state.phrase,
            count(line.accounts),
            count(line.isolated_positions),
            count(line.cross_positions),
        )
        for line in report.states
    ]
    headers = ("state", "accounts", "isolated positions", "cross positions (their account's state)")
    return "States\n" + text_table(headers, rows)


def _accounts(title: str, lines: Sequence[AccountLine]) -> str:
    headers = (
        "account",
        "state",
        "ratio",
        "equity",
        "maintenance",
        "free margin",
        "margin call",
        "positions",
    )
    rows = [
        (
            line.account,
            line.state.phrase,
            ratio(line.margin_ratio),
            amount(line.equity),
            amount(line.maintenance_margin),
            amount(line.free_margin),
            amount(line.margin_call_amount),
            count(line.positions),
        )
        for line in lines
    ]
    return f"{title}\n{text_table(headers, rows, 2)}" if rows else ""


def _balances(report: Report) -> str:
    if not report.balances:
        return ""
    table = text_table(BALANCE_HEADERS, balance_cells(report.balances), 2)
    left = f"; {count(report.balances_left_out)} not listed" if report.balances_left_out else ""
    return f"Balances (equity in the asset, all else in the account's currency{left})\n{table}"


def _positions(title: str, lines: Sequence[PositionLine]) -> str:
    headers = (
        "row", "account", "instrument", "side", "mode", "notional", "mark", "liquidation", "distance",
    )  # fmt: skip
    rows = [
        (
            str(line.row),
            line.account,
            line.instrument,
            "long" if line.quantity > 0 else "short",
            "cross" if line.is_cross else "isolated",
            amount(line.notional),
            price(line.mark_price),
            prices(line.liquidation_price, line.second_price),
            distance(line.distance),
        )
        for line in lines
    ]
    return f"{title}\n{text_table(headers, rows, 5)}" if rows else ""


def _distances(report: Report) -> str:
    distances = report.distances
    notional = distances.long_notional + distances.short_notional
    if not notional.any():
        return ""
    longest = float(notional.max())
    rows = [
        (
            label,
            count(distances.long_count[place]),
            count(distances.short_count[place]),
            amount(float(notional[place])),
        )
        for place, label in enumerate(DISTANCE_BINS)
    ]
    lines = text_table(("distance", "long", "short", "notional"), rows).split("\n")
    for place, value in enumerate(notional.tolist()):
        lines[place + 1] += "  " + "#" * round(BAR * value / longest)
    currency = f" in {distances.settlement}" if distances.settlement else ""
    left_out = f"; {count(distances.left_out)} in other currencies left out" if distances.left_out else ""
    title = f"Distance to liquidation (adverse move of the mark; notional{currency}{left_out})"
    return "\n".join([title, *(line.rstrip() for line in lines)])


def _instruments(report: Report) -> str:
    headers = (
        "instrument",
        "currency",
        "positions",
        "long",
        "short",
        "unrealized PnL",
        "mark",
        "past",
        "nearest",
    )
    rows = [
        (
            line.instrument or others(line.instruments),
            line.settlement or "–",
            count(line.positions),
            amount(line.long_notional),
            amount(line.short_notional),
            amount(line.unrealized_pnl),
            price(line.mark_price),
            count(line.past),
            distance(line.nearest),
        )
        for line in report.instruments
    ]
    return "Exposure by instrument\n" + text_table(headers, rows, 2) if rows else ""


def _groups(title: str, groups: Sequence[StatusGroup]) -> str:
    lines = []
    for group in groups:
        lines.append(f"  {count(group.count):>9}  {group.status.phrase}: {group.status.describe()}")
        lines += [f"{'':13}row {text}" for text in row_texts(group)]
    return "\n".join([title, *lines]) if lines else ""


def _account_groups(report: Report) -> str:
    lines = []
    for group in report.account_failures:
        lines.append(f"  {count(group.count):>9}  {group.status.phrase}: {group.status.describe()}")
        lines.append(
            f"{'':13}{', '.join(group.accounts)}{', ...' if group.count > len(group.accounts) else ''}"
        )
    return "\n".join(["Accounts that could not be judged", *lines]) if lines else ""
