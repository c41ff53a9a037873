"""Positions of Bybit: ``position/list`` of v5 and of the versions before it, and ``wallet-balance``.

Version 2 spells fields with underscores and wraps each row in ``data`` beside ``is_valid``.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from levcore.errors import FileFormatError
from levcore.rules.instruments import Payoff
from levcore.venues.json import Record, records, shown
from levcore.venues.positions.reply import AccountReply, Reply, Reported, VenuePosition
from levcore.venues.positions.rows import read_rows, reported, size_or_reason, unit_of_entry
from levcore.venues.printed_number import EXACT

__all__ = ["read_account", "read_positions"]

READINGS = {
    "positionValue": "notional_at_entry",
    "unrealisedPnl": "unrealized_pnl",
    "sessionUPL": "unrealized_pnl",
    "positionIM": "initial_margin",
    "positionMM": "maintenance_margin",
    "positionIMByMp": "initial_margin_at_mark",
    "positionMMByMp": "maintenance_margin_at_mark",
    "liqPrice": "liquidation_price",
    "bustPrice": "bankruptcy_price",
}
PRICES = ("liqPrice", "bustPrice")
SETTLED_IN_QUOTE = ("USDT", "USDC")
WALLET = "walletBalance of the coin in GET /v5/account/wallet-balance"
SETTLED = (
    "profit is settled in sessions; sessionUPL is what is open, and what this is beside it is not stated"
)
PRICE_CAP = Decimal("999999")
OUTSIDE = "the venue prints nothing, or its lowest or highest price, where the price is outside of its limits"


def read_positions(data: Any, file: str) -> Reply:
    """Read a reply of ``position/list``, a part of it, or a push of the topic ``position``."""
    category, rows = _rows(data, file)
    positions, left_out, flat = read_rows(rows, lambda row: _read(row, category), ("symbol",))
    return Reply(positions=positions, left_out=left_out, wallet_field=WALLET, flat=flat)


def _read(row: Record, category: str) -> VenuePosition | str | None:
    if row.text("is_valid") == "false":
        return "the venue calls the row not valid"
    row = row.record("data") if "data" in row else row
    side = row.text("side").lower()
    if "side" not in row or side in ("", "none"):
        row.required_number("size")
        return None if not row.number("size") else "the row has a size and no side"
    if side not in ("buy", "sell"):
        raise row.error("side", "must be a side", "Buy, Sell or None", shown(row.text("side")))
    size = size_or_reason(row, "size")
    if isinstance(size, str):
        return size
    if not size:
        return None
    if size < 0:
        raise row.error("size", "must not be negative beside a side", "a size without a sign", str(size))
    kind = row.text("category") or category
    if kind in ("option", "spot"):
        return f"a position of category {kind}, not of a future or perpetual"
    return _position(row, row.required_text("symbol"), kind, size if side == "buy" else -size)


def read_account(data: Any, file: str) -> dict[str, AccountReply]:
    """Wallet balances of ``wallet-balance``, by coin, with the account's totals in USD."""
    if not isinstance(data, Mapping):
        raise FileFormatError(file, "must be a reply of wallet-balance", "an object", "a list")
    whole = Record(file, "", data)
    whole = whole.record("result") if "result" in whole else whole
    accounts_listed = whole.records("list") if "list" in whole else [whole]
    if len(accounts_listed) != 1:
        raise whole.error("list", "must be of one account", "1", str(len(accounts_listed)))
    account = accounts_listed[0]
    equity, maintenance = account.number("totalEquity"), account.number("totalMaintenanceMargin")
    surplus = None if equity is None or maintenance is None else EXACT.subtract(equity, maintenance)
    accounts = {}
    for coin in account.records("coin"):
        wallet = coin.printed("walletBalance")
        if wallet is not None:
            accounts[coin.required_text("coin")] = AccountReply(
                wallet_balance=wallet.value, unit=wallet.unit, surplus=surplus
            )
    return accounts


def _rows(data: Any, file: str) -> tuple[str, list[Record]]:
    if not isinstance(data, Mapping):
        return "", records(data, file)
    whole = Record(file, "", data)
    # Before version 5 the list itself, or one position, was the result.
    result = whole.value("result")
    if isinstance(result, (list, tuple)):
        return "", whole.records("result")
    whole = whole.record("result") if "result" in whole else whole
    name = next((each for each in ("list", "data", "dataList") if each in whole), None)
    if name is None and "size" in whole:
        return whole.text("category"), [whole]
    if name is None:
        raise FileFormatError(
            file, "must be a reply of position/list", "a list of positions under result.list"
        )
    return whole.text("category"), whole.records(name)


def _position(row: Record, symbol: str, category: str, quantity: Decimal) -> VenuePosition:
    payoff = _payoff(symbol, category)
    entry, mark = row.printed("avgPrice", "entryPrice"), row.printed("markPrice")
    isolated = row.choice("tradeMode", {"1": True, "0": False, "": False})
    isolated = row.choice("isIsolated", {"true": True, "false": False, "": isolated})
    # Of an isolated position: its balance, added margin and fee reserve included. Unified accounts do not say
    # that a position is isolated, so that it is read for all.
    margin = row.printed("positionBalance", "positionIM", "positionMargin")
    units = {} if entry is None else {"entry_price": unit_of_entry(entry, mark)}
    if margin is not None:
        units["isolated_margin"] = margin.unit
    bust = row.number("bustPrice")
    return VenuePosition(
        place=row.place,
        instrument=symbol,
        policy=f"bybit-{payoff}",
        payoff=payoff,
        settlement=_settlement(symbol, payoff),
        quantity=quantity,
        contract_size=Decimal(1),
        entry_price=None if entry is None else entry.value,
        mark_price=None if mark is None else mark.value,
        margin_mode="isolated" if isolated else "cross",
        isolated_margin=None if margin is None else margin.value,
        leverage=row.number("leverage"),
        units=units,
        other_prices={} if bust is None else {"bustPrice": bust},
        reported=_reported(row, isolated),
    )


def _payoff(symbol: str, category: str) -> Payoff:
    """Inverse symbols end in USD or in a code of the month after it; the others name their quote."""
    if category in ("linear", "inverse"):
        return "inverse" if category == "inverse" else "linear"
    quoted = any(quote in symbol for quote in (*SETTLED_IN_QUOTE, "PERP")) or "-" in symbol
    return "linear" if quoted else "inverse"


def _settlement(symbol: str, payoff: Payoff) -> str:
    if payoff == "inverse":
        return symbol.partition("USD")[0]
    return "USDT" if "USDT" in symbol else "USDC"


def _reported(row: Record, isolated: bool) -> tuple[Reported, ...]:
    numbers = [
        each
        for each in reported(row, READINGS, none=PRICES, drops_zeros=True)
        if not _says_nothing(row, each, isolated)
    ]
    in_sessions = bool(row.text("sessionUPL"))
    return tuple(
        _outside(each)
        if each.reading.endswith("_price") and _is_outside(row, each)
        else Reported(each.field, "", each.printed, SETTLED)
        if each.reading == "unrealized_pnl" and in_sessions and each.field != row.key("sessionUPL")
        else each
        for each in numbers
    )


def _says_nothing(row: Record, number: Reported, isolated: bool) -> bool:
    """Whether a field is empty by design, or an input and no result.

    Unified accounts have no bankruptcy price of a position, portfolio margin has no liquidation price either;
    the initial margin of an isolated position is the margin posted.
    """
    if number.reading == "bankruptcy_price":
        return not row.text("bustPrice")
    if number.reading == "liquidation_price":
        return not row.text("liqPrice") and "positionIM" in row and not row.text("positionIM")
    return number.reading == "initial_margin" and isolated


def _is_outside(row: Record, number: Reported) -> bool:
    """Empty, the price cap, or two prices at one bound."""
    if number.printed is None or number.printed.value >= PRICE_CAP:
        return True
    return row.number("liqPrice") == row.number("bustPrice")


def _outside(number: Reported) -> Reported:
    return Reported(number.field, number.reading, None, OUTSIDE)
