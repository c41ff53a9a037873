"""The risk report.

It says what a risk manager asks, in that order: is anything in trouble, how far away is the rest, who and
what is closest, where is the exposure, what could not be evaluated, and on which rules and prices all of it
rests.
"""

from collections.abc import Iterator
from typing import Any

from levcore.engine.leg_costs import LegCosts
from levcore.engine.risk import BookRisk
from levcore.reports.numbers import count, percent, short
from levcore.reports.page import Page, Section, Tile
from levcore.reports.policy import policy_section
from levcore.reports.risk.data import Report
from levcore.reports.risk.figures import distance_figures, exposure_figures, state_figures
from levcore.reports.risk.leg_costs import leg_cost_sections
from levcore.reports.risk.tables import (
    account_group_table,
    account_table,
    balance_table,
    distance_table,
    instrument_table,
    measure_table,
    position_table,
    state_table,
    status_table,
    total_table,
)
from levcore.reports.tables import Table, plain_table
from levcore.reports.words import number_of
from levcore.rules.policy import MarginPolicy
from levcore.status import State, Status

__all__ = ["headline", "risk_page"]

MOST_NAMED = 3
IN_LIQUIDATION = (State.LIQUIDATION, State.BANKRUPT)
IN_TROUBLE = (State.MARGIN_CALL, *IN_LIQUIDATION)


def risk_page(
    report: Report, title: str = "Risk report", *, leg_costs: LegCosts | None = None, top: int = 10
) -> Page:
    """Build the page of a report.

    Parameters
    ----------
    report : Report
        What `levcore.reports.risk.gather.gather` returns.
    title : str
    leg_costs : LegCosts, optional
        Of the same book at the same marks, for the section on them, with lists of at most `top` legs.
    """
    rows = f"{number_of(report.rows, 'position')} in"
    rows += f" {number_of(len(report.risk.book.instrument_names), 'instrument')}"
    if len(report.risk.accounts):
        rows += f", {number_of(len(report.risk.accounts), 'account')}"
    if report.risk.wallets.columns.is_split:
        rows += f" in {number_of(len(report.risk.wallets), 'wallet')}, each judged apart"
    rows += f"; {count(report.failed)} not evaluated, {count(report.partial)} in part"
    return Page(
        title=title,
        verdict=headline(report),
        worst=_worst(report),
        facts=[
            *(("policy", f"{one.id}: {one.title}") for one in report.risk.policies),
            ("book", rows),
            *_leverage_above_tier(report.risk),
            *_unread_margins(report.risk),
            *_prices_apart(report.risk),
        ],
        made=report.generated_at.strftime("%Y-%m-%d %H:%M:%S %Z"),
        tiles=_tiles(report),
        sections=[
            *_results(report),
            *(() if leg_costs is None else leg_cost_sections(leg_costs, top)),
            *_grounds(report),
        ],
    )


def _leverage_above_tier(risk: BookRisk) -> Iterator[tuple[str, str]]:
    """Fact that some positions hold more leverage than a venue allows at their size."""
    above = risk.leverage_above_tier()
    if above:
        first = above[0]
        yield (
            "leverage",
            f"{number_of(len(above), 'position')} above the maximum of the tier; first row {first.row},"
            f" {first.instrument}: {first.leverage:g}x where {first.maximum:g}x is allowed",
        )


def _unread_margins(risk: BookRisk) -> Iterator[tuple[str, str]]:
    """Fact that some cross positions come with an isolated margin, which is not theirs."""
    rows = risk.unread_margins()
    if rows.size:
        first = int(rows[0])
        yield (
            "isolated margin",
            f"{number_of(rows.size, 'cross position')} with an isolated margin, which is not read; first row"
            f" {first}, {risk.book.name_of(first)}",
        )


def _prices_apart(risk: BookRisk) -> Iterator[tuple[str, str]]:
    """Fact that marks and entry prices of some instruments are not of one unit."""
    apart = risk.prices_apart()
    if apart:
        more = f"; and {number_of(len(apart) - MOST_NAMED, 'more instrument')}" * (len(apart) > MOST_NAMED)
        yield "prices", "; ".join(each.said for each in apart[:MOST_NAMED]) + more


def headline(report: Report) -> str:
    """One sentence: how many are in trouble, and what is not known."""
    trouble = report.in_state(*IN_TROUBLE)
    units = report.in_state(*State)
    unknown = report.in_state(State.INCOMPLETE)
    if trouble:
        verb = "is" if trouble == 1 else "are"
        what = f"{count(trouble)} of {count(units)} accounts and isolated positions"
        text = f"{what} {verb} in margin call or worse"
    elif not units:
        text = "There is nothing to judge"
    else:
        text = f"Nothing {'that was judged ' if unknown else ''}is in margin call or worse"
    if unknown:
        text += f"; {count(unknown)} could not be judged"
    return text + "."


def _worst(report: Report) -> State:
    # What is known to be in trouble outranks what is not known.
    met = [state for state in State if report.in_state(state)]
    trouble = [state for state in met if state in IN_TROUBLE]
    return max(trouble or met, default=State.HEALTHY)


def _left_out(report: Report) -> str:
    """What the totals do not hold, as a sentence; empty where they hold everything."""
    parts = []
    if report.failed:
        parts.append(f"{number_of(report.failed, 'position')} that could not be evaluated")
    without = sum(group.count for group in report.failures if group.status == Status.WITHOUT_MARGIN)
    if without:
        parts.append(f"what depends on the margin of {number_of(without, 'position')} without one")
    accounts = sum(group.count for group in report.account_failures)
    if accounts:
        parts.append(f"the equity of {number_of(accounts, 'account')} that could not be judged")
    return f"Not in these totals: {' and '.join(parts)}." if parts else ""


def _tiles(report: Report) -> list[Tile]:
    evaluated = short(report.rows - report.failed - report.partial)
    remark = f"of {count(report.rows)}; {count(report.failed)} failed, {count(report.partial)} in part"
    trouble = count(report.in_state(*IN_TROUBLE))
    tiles = [
        Tile("In margin call or worse", trouble, "accounts and isolated positions"),
        Tile("Positions evaluated", evaluated, remark),
    ]
    for line in report.totals[:1]:
        currency = f" {line.settlement}" if line.settlement else ""
        # Of sums that do not hold the same positions and accounts there is no quotient.
        whole = line.equity > 0 and not _left_out(report)
        share = f"{percent(line.maintenance_margin / line.equity, 1)} of equity" if whole else ""
        tiles += [
            Tile("Gross notional", short(line.gross) + currency, f"net {short(line.net)}"),
            Tile("Unrealized PnL", short(line.unrealized_pnl) + currency),
            Tile("Equity", short(line.equity) + currency),
            Tile("Maintenance margin", short(line.maintenance_margin) + currency, share),
        ]
    return tiles


def _results(report: Report) -> Iterator[Section]:
    """Sections on what was found; none is empty."""
    lines = [line for line in (*report.totals, report.totals_of_balances) if line is not None]
    if lines:
        yield Section("Totals by settlement currency", _total_notes(report), [total_table(lines)])
    yield Section("States", _levels(report), [*state_figures(report), state_table(report)])
    figures = distance_figures(report)
    if figures:
        yield Section("Distance to liquidation", _distance_note(report), [*figures, distance_table(report)])
    if report.accounts_past:
        total = sum(line.accounts for line in report.states if line.state in IN_LIQUIDATION)
        note = f"The largest calls of {number_of(total, 'account')}."
        yield Section(
            "Accounts in liquidation or bankrupt", note, [account_table(report.risk, report.accounts_past)]
        )
    if report.accounts:
        yield Section("Accounts closest to liquidation", "", [account_table(report.risk, report.accounts)])
    if report.balances:
        left = report.balances_left_out
        note = "The largest by value; equity in units of the asset, all else in the account's currency."
        note += f" {number_of(left, 'balance')} not listed." if left else ""
        yield Section("Balances", note, [balance_table(report.risk, report.balances)])
    if report.positions_past:
        note = (
            "The largest of them. In a cross account that is in liquidation most positions are past theirs."
        )
        table = position_table(report.risk, report.positions_past)
        yield Section("Positions past their liquidation price", note, [table])
    if report.positions:
        yield Section(
            "Positions closest to liquidation",
            POSITIONS_NOTE,
            [position_table(report.risk, report.positions)],
        )
    if report.instruments:
        note = "Past: positions past their liquidation price; nearest: the shortest distance of the others."
        figures = exposure_figures(report)
        yield Section("Exposure by instrument", note, [*figures, instrument_table(report.instruments)])


POSITIONS_NOTE = (
    "Distance is the adverse move of the mark up to the liquidation price. For a cross position only its own"
    " instrument moves, in accounts of hedged legs or balances all that they hold on its underlying; the rest"
    " of the account stays at its marks. A second price is on the other side. Rows count from 0."
)


def _grounds(report: Report) -> Iterator[Section]:
    """Sections on what is missing, and on what the rest is built."""
    tables: list[Table[Any]] = []
    note = "None: every row was evaluated."
    if report.failures:
        note = (
            "Their numbers are missing, not zero, and no total holds them. An account with such a row is"
            " incomplete. The first rows of each kind:"
        )
        tables.append(status_table(report.failures))
    if report.account_failures:
        tables.append(account_group_table(report.account_failures))
    yield Section("Rows that could not be evaluated", note, tables)
    if report.findings:
        note = "Every number of these rows is valid; the first rows of each kind:"
        yield Section("Findings", note, [status_table(report.findings)])
    for policy in report.risk.policies:
        yield policy_section(policy, only="html")
    left = (
        f" The {count(report.marks_left_out)} of the smallest are left out." if report.marks_left_out else ""
    )
    note = f"Quote per base, the instruments with the largest notional first.{left}"
    marks = plain_table(("", ""), [(name, repr(mark)) for name, mark in report.marks], shape="flow")
    yield Section("Mark prices used", note, [marks], only="html")
    yield Section("What the words mean", "", [measure_table()], only="html")


def _total_notes(report: Report) -> str:
    notes = [_left_out(report)]
    if len(report.risk.balances):
        notes.append("– : no total, since accounts hold several assets and count them in one of their own.")
    elif any(line.account_equity != line.account_equity for line in report.totals):
        notes.append(
            "– : no total, since accounts hold positions whose currency is not named or none could be judged."
        )
    return " ".join(note for note in notes if note)


def _levels(report: Report) -> str:
    policies = report.risk.policies
    levels = (f"{policy.id}: " * (len(policies) > 1) + _levels_of(policy) for policy in policies)
    return " ".join(["The margin ratio is requirement over equity: it rises with the risk.", *levels])


def _levels_of(policy: MarginPolicy) -> str:
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


def _distance_note(report: Report) -> str:
    distances = report.distances
    currency = f" Notional in {distances.settlement}." if distances.settlement else ""
    note = "How far the mark may move against a position before its liquidation price, as a fraction of it."
    left = number_of(distances.left_out, "position")
    others = f" {left} that settle in other currencies are not counted here." if distances.left_out else ""
    return f"{note}{currency}{others}"
