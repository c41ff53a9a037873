"""Tables of the risk report."""

import math
from collections.abc import Sequence
from typing import Any

from levcore.measures import MEASURES
from levcore.reports.numbers import amount, count, distance, price, prices, ratio
from levcore.reports.risk.balances import BalanceLine
from levcore.reports.risk.data import (
    DISTANCE_BINS,
    AccountGroup,
    AccountLine,
    InstrumentLine,
    PositionLine,
    Report,
    StateLine,
    StatusGroup,
    Totals,
)
from levcore.reports.tables import Cell, Column, Table, pairs_table, signed, state_cell
from levcore.reports.words import number_of, status_word

__all__ = [
    "account_group_table",
    "account_table",
    "balance_table",
    "distance_table",
    "instrument_table",
    "measure_table",
    "position_table",
    "state_table",
    "status_table",
    "total_table",
]

BAR = 40  # characters of the longest bar


def total_table(lines: Sequence[Totals]) -> Table[Totals]:
    """Totals by settlement currency."""
    columns: list[Column[Totals]] = [
        Column("Currency", lambda line: line.settlement or "not named", "name"),
        Column("Positions", lambda line: count(line.positions)),
        Column("Long", lambda line: amount(line.long_notional)),
        Column("Short", lambda line: amount(line.short_notional)),
        Column("Net", lambda line: amount(line.net)),
        Column("Unrealized PnL", lambda line: signed(line.unrealized_pnl)),
        Column("Maintenance", lambda line: amount(line.maintenance_margin)),
        Column("Equity", lambda line: signed(line.equity)),
        Column("of isolated", lambda line: signed(line.isolated_equity), only="html"),
        Column("of accounts", lambda line: signed(line.account_equity), only="html"),
    ]
    return Table(columns, lines)


def state_table(lines: Sequence[StateLine]) -> Table[StateLine]:
    """How many of each kind are in each state."""
    columns: list[Column[StateLine]] = [
        Column("State", lambda line: state_cell(line.state), "name"),
        Column("Cross accounts", lambda line: count(line.accounts)),
        Column("Isolated positions", lambda line: count(line.isolated_positions)),
        Column("Cross positions, by their account", lambda line: count(line.cross_positions)),
    ]
    return Table(columns, lines, shape="narrow")


def account_table(lines: Sequence[AccountLine]) -> Table[AccountLine]:
    """One line an account."""
    columns: list[Column[AccountLine]] = [
        Column("Account", lambda line: line.account, "name"),
        Column("State", lambda line: state_cell(line.state), "name"),
        Column("Margin ratio", lambda line: ratio(line.margin_ratio)),
        Column("Equity", lambda line: signed(line.equity)),
        Column("Maintenance", lambda line: amount(line.maintenance_margin)),
        Column("Free margin", lambda line: signed(line.free_margin)),
        Column("Margin call", lambda line: amount(line.margin_call_amount)),
        Column("Positions", lambda line: count(line.positions)),
    ]
    return Table(columns, lines)


def balance_table(lines: Sequence[BalanceLine]) -> Table[BalanceLine]:
    """One line a balance."""
    columns: list[Column[BalanceLine]] = [
        Column("Account", lambda line: line.account, "name"),
        Column("Asset", lambda line: line.asset, "name"),
        Column("Equity", lambda line: price(line.equity)),
        Column("Value", lambda line: amount(line.market_value)),
        Column("Counted", lambda line: amount(line.collateral_value)),
        Column("Maintenance", lambda line: amount(line.maintenance_margin)),
        Column(
            "Liquidation", lambda line: prices(line.liquidation_price_lower, line.liquidation_price_upper)
        ),
        Column("Status", lambda line: status_word(line.status), "name"),
    ]
    return Table(columns, lines)


def position_table(lines: Sequence[PositionLine]) -> Table[PositionLine]:
    """One line a position."""
    columns: list[Column[PositionLine]] = [
        Column("Row", lambda line: str(line.row), "name"),
        Column("Account", lambda line: line.account, "name"),
        Column("Instrument", lambda line: line.instrument, "name"),
        Column("Side", lambda line: "long" if line.quantity > 0 else "short", "name"),
        Column("Mode", lambda line: "cross" if line.is_cross else "isolated", "name"),
        Column("State", lambda line: state_cell(line.state), "name", only="html"),
        Column("Notional", lambda line: amount(line.notional)),
        Column("Entry", lambda line: price(line.entry_price), only="html"),
        Column("Mark", lambda line: price(line.mark_price)),
        Column("Liquidation", lambda line: prices(line.liquidation_price, line.second_price)),
        Column("Distance", lambda line: distance(line.distance)),
        Column("Unrealized PnL", lambda line: signed(line.unrealized_pnl), only="html"),
    ]
    return Table(columns, lines)


def distance_table(report: Report) -> Table[int]:
    """Positions and notional by distance to liquidation; a terminal has bars, a page its figures."""
    distances = report.distances
    notional = (distances.long_notional + distances.short_notional).tolist()
    longest = max(notional) or 1.0
    columns: list[Column[int]] = [
        Column("Distance", lambda place: DISTANCE_BINS[place], "name"),
        Column("Long", lambda place: count(distances.long_count[place])),
        Column("Short", lambda place: count(distances.short_count[place])),
        Column("Notional", lambda place: amount(notional[place])),
        Column("", lambda place: "#" * round(BAR * notional[place] / longest), "name", only="text"),
    ]
    return Table(columns, range(len(DISTANCE_BINS)), shape="narrow")


def instrument_table(lines: Sequence[InstrumentLine]) -> Table[InstrumentLine]:
    """One line an instrument, and one for all others of a currency."""
    columns: list[Column[InstrumentLine]] = [
        Column("Instrument", lambda line: line.instrument or number_of(line.instruments, "other"), "name"),
        Column("Currency", lambda line: line.settlement or "–", "name"),
        Column("Positions", lambda line: count(line.positions)),
        Column("Long", lambda line: amount(line.long_notional)),
        Column("Short", lambda line: amount(line.short_notional)),
        Column("Net", lambda line: amount(line.long_notional - line.short_notional), only="html"),
        Column("Unrealized PnL", lambda line: signed(line.unrealized_pnl)),
        Column("Mark", lambda line: price(line.mark_price)),
        Column("Past", lambda line: count(line.past)),
        Column("Nearest", lambda line: distance(line.nearest)),
    ]
    return Table(columns, lines)


def status_table(groups: Sequence[StatusGroup]) -> Table[StatusGroup]:
    """Rows by status, with the first of each."""
    columns: list[Column[StatusGroup]] = [
        Column("Status", lambda group: status_word(group.status), "name"),
        Column("Rows", lambda group: count(group.count)),
        Column("Meaning", lambda group: group.status.describe(), "prose"),
        Column("First rows", _first_rows, "name"),
    ]
    return Table(columns, groups)


def _first_rows(group: StatusGroup) -> Cell:
    """First rows of a group in words: instrument, account, and the value at fault."""
    texts = []
    for row, account, instrument, value in group.rows:
        of_account = f" ({account})" if account else ""
        told = "" if value is None else f", {group.column} {'missing' if math.isnan(value) else repr(value)}"
        texts.append(f"row {row}: {instrument}{of_account}{told}")
    return Cell(tuple(texts))


def account_group_table(groups: Sequence[AccountGroup]) -> Table[AccountGroup]:
    """Accounts without a verdict by reason, with the first of each."""
    columns: list[Column[AccountGroup]] = [
        Column("Status", lambda group: status_word(group.status), "name"),
        Column("Accounts", lambda group: count(group.count)),
        Column("Meaning", lambda group: group.status.describe(), "prose"),
        Column(
            "First accounts",
            lambda group: ", ".join(group.accounts) + (", ..." if group.count > len(group.accounts) else ""),
            "prose",
        ),
    ]
    return Table(columns, groups, title="Accounts that could not be judged")


def measure_table() -> Table[Any]:
    """What each measure means."""
    return pairs_table(
        [(measure.name.replace("_", " "), f"{measure.doc} ({measure.unit})") for measure in MEASURES]
    )
