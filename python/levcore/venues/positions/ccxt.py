"""Positions as ccxt's ``fetch_positions()`` returns them, whatever the venue below.

ccxt unifies names, not meanings: a field is compared only where what ccxt puts into it is known for the
venue, which the raw reply under ``info`` gives away.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from levcore.rules.instruments import Payoff
from levcore.venues.json import Record, records
from levcore.venues.positions.reply import MarginMode, Reply, Reported, VenuePosition
from levcore.venues.positions.rows import read_rows, reported, size_or_reason, unit_of_entry
from levcore.venues.printed_number import EXACT

__all__ = ["read_positions"]

SYMBOL = re.compile(r"([^/:]+)/([^/:]+):([^/:-]+)(-.+)?")
# A field of the raw reply that only this venue has.
FIELD_OF_VENUE = {
    "positionAmt": "binance",
    "positionIdx": "bybit",
    "instId": "okx",
    "position": "hyperliquid",
}
READINGS = {
    "notional": "notional",
    "unrealizedPnl": "unrealized_pnl",
    "initialMargin": "initial_margin",
    "maintenanceMargin": "maintenance_margin",
    "liquidationPrice": "liquidation_price",
}
MADE_UP = "ccxt derives it; the venue prints none"
IN_USD = "ccxt copies notionalUsd: in USD, at an index price that the reply does not hold"
NOT_THE_VENUES = {
    ("bybit", "inverse", "notional"): MADE_UP,
    ("hyperliquid", "linear", "maintenanceMargin"): MADE_UP,
    ("okx", "inverse", "notional"): MADE_UP,
    ("okx", "linear", "notional"): IN_USD,
}
"""Fields that are no number of the venue, or of another currency."""
POLICIES = {
    ("binance", "linear"): "binance-usdm",
    ("binance", "inverse"): "binance-coinm",
    ("bybit", "linear"): "bybit-linear",
    ("bybit", "inverse"): "bybit-inverse",
    ("okx", "linear"): "okx-linear-swap",
    ("okx", "inverse"): "okx-inverse-swap",
    ("hyperliquid", "linear"): "hyperliquid",
}


def read_positions(data: Any, file: str) -> Reply:
    """Read the list that ``fetch_positions()`` returns, as JSON."""
    rows = [Record(file, "", data)] if isinstance(data, Mapping) else records(data, file)
    positions, left_out, flat = read_rows(rows, _position, ("symbol",))
    return Reply(positions=positions, left_out=left_out, wallet_field="fetch_balance()", flat=flat)


def _position(row: Record) -> VenuePosition | str | None:
    # ccxt counts contracts without a sign.
    contracts = size_or_reason(row, "contracts")
    if isinstance(contracts, str):
        return contracts
    if not contracts:
        return None
    symbol = row.required_text("symbol")
    match = SYMBOL.fullmatch(symbol)
    if match is None:
        raise row.error("symbol", "must name a contract", "such as BTC/USDT:USDT", repr(symbol))
    base, quote, settlement, _ = match.groups()
    payoff: Payoff = "linear" if settlement == quote else "inverse" if settlement == base else "quanto"
    venue = _venue(row)
    side = row.required_text("side")
    if side not in ("long", "short"):
        raise row.error("side", "must be a side", "long or short", repr(side))
    entry, mark = row.printed("entryPrice"), row.printed("markPrice")
    modes: dict[str, MarginMode] = {"isolated": "isolated", "cross": "cross", "crossed": "cross", "": "cross"}
    mode = row.choice("marginMode", modes)
    margin = _isolated_margin(row) if mode == "isolated" else None
    last = row.number("lastPrice")
    return VenuePosition(
        place=row.place,
        instrument=symbol,
        policy=POLICIES.get((venue, payoff), ""),
        payoff=payoff,
        settlement=settlement,
        quantity=contracts if side == "long" else -contracts,
        # Where ccxt knows none, the venue counts in base units.
        contract_size=row.number("contractSize") or Decimal(1),
        entry_price=None if entry is None else entry.value,
        mark_price=None if mark is None else mark.value,
        margin_mode=mode,
        isolated_margin=margin,
        leverage=row.number("leverage"),
        max_leverage=row.record("info").record("position").number("maxLeverage")
        if venue == "hyperliquid"
        else None,
        units={} if entry is None else {"entry_price": unit_of_entry(entry, mark)},
        other_prices={} if last is None else {"lastPrice": last},
        reported=_reported(row, venue, payoff, mode),
    )


def _venue(row: Record) -> str:
    info = row.record("info")
    return next((venue for field, venue in FIELD_OF_VENUE.items() if field in info), "")


def _isolated_margin(row: Record) -> Decimal | None:
    """``positionMargin``, or ``collateral`` less the profit that it holds."""
    margin = row.number("positionMargin")
    if margin:
        return margin
    collateral, profit = row.number("collateral"), row.number("unrealizedPnl")
    return None if not collateral or profit is None else EXACT.subtract(collateral, profit)


def _reported(row: Record, venue: str, payoff: Payoff, mode: MarginMode) -> tuple[Reported, ...]:
    readings = dict(READINGS)
    if venue == "bybit":
        readings["notional"] = "notional_at_entry"
    if venue == "okx":
        readings["percentage"] = "return_on_equity_percent"
    if mode == "isolated" and venue in ("okx", "hyperliquid", "bybit"):
        # There ccxt fills it with the margin that was posted.
        del readings["initialMargin"]
    numbers = []
    for each in reported(row, readings, none=("liquidationPrice",)):
        note = NOT_THE_VENUES.get((venue, payoff, each.field))
        if note is not None:
            numbers.append(Reported(each.field, "", each.printed, note))
        elif venue == "binance" and each.reading == "maintenance_margin":
            numbers.append(_with_unit_of_notional(row, each))
        else:
            numbers.append(each)
    return tuple(numbers)


def _with_unit_of_notional(row: Record, number: Reported) -> Reported:
    """Maintenance margin that ccxt makes of a rate and the printed value, and so no more exact than it."""
    notional, printed = row.printed("notional"), number.printed
    if notional is None or not notional.value or printed is None:
        return number
    unit = max(printed.unit, notional.unit * abs(printed.value / notional.value))
    return replace(number, printed=replace(printed, unit=unit))
