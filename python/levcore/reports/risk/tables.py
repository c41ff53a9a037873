"""Tables of the risk report."""

import math
from collections.abc import Sequence
from typing import Any

from levcore.book.labels import cross_positions
from levcore.engine.risk import BookRisk
from levcore.measures import MEASURES
from levcore.reports.numbers import MISSING, amount, count, distance, price, prices, ratio
from levcore.reports.risk.data import (
    DISTANCE_BINS,
    AccountGroup,
    InstrumentLine,
    Report,
    Rows,
    StateLine,
    StatusGroup,
    Totals,
)
from levcore.reports.risk.lists import account_of, second_price
from levcore.reports.tables import Cell, Column, Table, pairs_table, signed, state_cell
from levcore.reports.words import number_of
from levcore.status import State, Status

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
        Column("Positions", lambda line: count(line.positions) if line.positions else MISSING),
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


def state_table(report: Report) -> Table[StateLine]:
    """How many of each kind are in each state."""
    units = "Wallets of cross accounts" if report.risk.wallets.columns.is_split else "Cross accounts"
    columns: list[Column[StateLine]] = [
        Column("State", lambda line: state_cell(line.state), "name"),
        Column(units, lambda line: count(line.accounts)),
        Column("Isolated positions", lambda line: count(line.isolated_positions)),
        Column("Cross positions, by their account", lambda line: count(line.cross_positions)),
    ]
    return Table(columns, report.states, shape="narrow")


def account_table(risk: BookRisk, places: Rows) -> Table[int]:
    """One line an account, or a wallet of one that has several."""
    accounts = risk.wallets
    positions = cross_positions(accounts.columns.of_row, risk.book.is_cross, len(accounts))
    columns: list[Column[int]] = [
        Column("Account", accounts.label, "name"),
        Column("State", lambda place: state_cell(State(int(accounts.state[place]))), "name"),
        Column("Margin ratio", lambda place: ratio(accounts.margin_ratio[place])),
        Column("Equity", lambda place: signed(accounts.equity[place])),
        Column("Maintenance", lambda place: amount(accounts.maintenance_margin[place])),
        Column("Free margin", lambda place: signed(accounts.free_margin[place])),
        Column("Margin call", lambda place: amount(accounts.margin_call_amount[place])),
        Column("Positions", lambda place: count(positions[place])),
    ]
    return Table(columns, places)


def balance_table(risk: BookRisk, rows: Rows) -> Table[int]:
    """One line a balance: equity in units of the asset, all else in the account's currency."""
    held, balances = risk.balances, risk.book.balances
    assert balances is not None
    columns: list[Column[int]] = [
        Column("Account", lambda row: str(balances.account[row]), "name"),
        Column("Asset", lambda row: balances.asset_names[int(balances.asset_codes[row])], "name"),
        Column("Equity", lambda row: price(held.equity[row])),
        Column("Value", lambda row: amount(held.market_value[row])),
        Column("Counted", lambda row: amount(held.collateral_value[row])),
        Column("Maintenance", lambda row: amount(held.maintenance_margin[row])),
        Column(
            "Liquidation",
            lambda row: prices(held.liquidation_price_lower[row], held.liquidation_price_upper[row]),
        ),
        Column("Status", lambda row: Status(int(held.status[row])).phrase, "name"),
    ]
    return Table(columns, rows)


def position_table(risk: BookRisk, rows: Rows) -> Table[int]:
    """One line a position."""
    book = risk.book
    columns: list[Column[int]] = [
        Column("Row", str, "name"),
        Column("Account", lambda row: account_of(risk, row), "name"),
        Column("Instrument", book.name_of, "name"),
        Column("Side", lambda row: "long" if book.quantity[row] > 0 else "short", "name"),
        Column("Mode", lambda row: "cross" if book.is_cross[row] else "isolated", "name"),
        Column("State", lambda row: state_cell(State(int(risk.state[row]))), "name", only="html"),
        Column("Notional", lambda row: amount(risk.notional[row])),
        Column("Entry", lambda row: price(book.entry_price[row]), only="html"),
        Column("Mark", lambda row: price(risk.mark_of(row))),
        Column("Liquidation", lambda row: prices(risk.liquidation_price[row], second_price(risk, row))),
        Column("Distance", lambda row: distance(risk.distance_to_liquidation[row])),
        Column("Unrealized PnL", lambda row: signed(risk.unrealized_pnl[row]), only="html"),
    ]
    return Table(columns, rows)


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
        Column("Positions", lambda line: count(line.positions) if line.positions else MISSING),
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
        Column("Status", lambda group: group.status.phrase, "name"),
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
        Column("Status", lambda group: group.status.phrase, "name"),
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
