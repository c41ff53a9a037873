"""Positions of Hyperliquid: ``clearinghouseState``, which holds positions and account in one reply."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from levcore.errors import FileFormatError
from levcore.venues.json import Record
from levcore.venues.positions.reply import AccountReply, MarginMode, Reply, Reported, VenuePosition
from levcore.venues.positions.rows import read_rows, reported, size_or_reason
from levcore.venues.printed_number import EXACT

__all__ = ["read_positions"]

READINGS = {
    "positionValue": "notional",
    "unrealizedPnl": "unrealized_pnl",
    "returnOnEquity": "return_on_equity",
    "marginUsed": "initial_margin",
    "liquidationPx": "liquidation_price",
}
ACCOUNT_READINGS = {"accountValue": "account_equity", "totalNtlPos": "cross_notional"}
CURRENCY = "USDC"
OPEN_ORDERS = "free of positions and open orders; the reply does not hold the orders"


def read_positions(data: Any, file: str) -> Reply:
    """Read a reply of ``clearinghouseState``."""
    if not isinstance(data, Mapping) or "assetPositions" not in data:
        raise FileFormatError(
            file, "must be a reply of clearinghouseState", "an object with assetPositions", _kind(data)
        )
    whole = Record(file, "", data)
    rows = [row.record("position") for row in whole.records("assetPositions")]
    positions, left_out, flat = read_rows(rows, _position, ("coin",))
    return Reply(
        positions=positions,
        left_out=left_out,
        flat=flat,
        accounts={CURRENCY: _account(whole)},
        wallet_field="crossMarginSummary.totalRawUsd of clearinghouseState",
    )


def _kind(data: Any) -> str:
    return "an object without" if isinstance(data, Mapping) else type(data).__name__


def _position(row: Record) -> VenuePosition | str | None:
    quantity = size_or_reason(row, "szi")
    if isinstance(quantity, str):
        return quantity
    if not quantity:
        return None
    leverage = row.record("leverage")
    modes: dict[str, MarginMode] = {"isolated": "isolated", "cross": "cross"}
    mode = leverage.choice("type", modes)
    entry, raw = row.printed("entryPx"), leverage.printed("rawUsd")
    readings = READINGS | ({"marginUsed": "equity"} if mode == "isolated" else {})
    units = {} if entry is None else {"entry_price": entry.unit}
    if raw is not None:
        units["isolated_margin"] = raw.unit
    return VenuePosition(
        place=row.place,
        instrument=row.required_text("coin"),
        policy="hyperliquid",
        payoff="linear",
        settlement=CURRENCY,
        quantity=quantity,
        contract_size=Decimal(1),
        entry_price=None if entry is None else entry.value,
        mark_price=None,
        margin_mode=mode,
        isolated_margin=None if raw is None else raw.value,
        margin_without_entry_value=raw is not None,
        leverage=leverage.number("value"),
        max_leverage=row.number("maxLeverage"),
        units=units,
        reported=reported(row, readings, none=("liquidationPx",), drops_zeros=True),
    )


def _account(whole: Record) -> AccountReply:
    cross = whole.record("crossMarginSummary")
    raw = cross.printed("totalRawUsd")
    numbers = [
        *reported(cross, ACCOUNT_READINGS),
        *reported(whole, {"crossMaintenanceMarginUsed": "account_maintenance_margin"}),
        *reported(cross, {"totalMarginUsed": "account_initial_margin"}),
    ]
    withdrawable = whole.printed("withdrawable")
    if withdrawable is not None:
        numbers.append(Reported("withdrawable", "", withdrawable, OPEN_ORDERS))
    value, margin = cross.number("accountValue"), whole.number("crossMaintenanceMarginUsed")
    return AccountReply(
        wallet_balance=None if raw is None else raw.value,
        wallet_without_entry_value=True,
        unit=Decimal(0) if raw is None else raw.unit,
        surplus=None if value is None or margin is None else EXACT.subtract(value, margin),
        reported=tuple(numbers),
    )
