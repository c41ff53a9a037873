"""Positions of OKX: ``account/positions`` and ``account/balance``."""

from collections.abc import Mapping
from typing import Any

from levcore.errors import FileFormatError
from levcore.rules.instruments import Payoff
from levcore.venues.json import Record, records
from levcore.venues.positions.reply import (
    AccountReply,
    Reply,
    Reported,
    VenuePosition,
    reported,
    unit_of_entry,
)

__all__ = ["read_account", "read_positions"]

READINGS = {
    "imr": "initial_margin",
    "mmr": "maintenance_margin",
    "upl": "unrealized_pnl",
    "uplRatio": "return_on_equity",
    "mgnRatio": "inverse_margin_ratio",
    "liqPx": "liquidation_price",
}
IN_USD = "in USD, at an index price of the settlement currency that the reply does not hold"
WALLET = "cashBal of the currency in GET /api/v5/account/balance"


def read_positions(data: Any, file: str) -> Reply:
    """Read a reply of ``account/positions``, or its ``data``; swaps and futures alone."""
    positions, left_out = [], []
    for row in _rows(data, file):
        kind = row.text("instType")
        if kind in ("MARGIN", "OPTION"):
            what = "a borrowed position, whose margin is on the debt" if kind == "MARGIN" else "an option"
            left_out.append(f"{row.place} {row.text('instId')}: {what}")
        elif row.number("pos"):
            positions.append(_position(row))
    return Reply(positions=tuple(positions), left_out=tuple(left_out), wallet_field=WALLET)


def read_account(data: Any, file: str) -> dict[str, AccountReply]:
    """Cash balances of ``account/balance``, by currency."""
    accounts = {}
    for row in _rows(data, file):
        for detail in row.records("details"):
            balance = detail.printed("cashBal")
            if balance is not None:
                accounts[detail.required_text("ccy")] = AccountReply(
                    wallet_balance=balance.value, unit=balance.unit
                )
    return accounts


def _rows(data: Any, file: str) -> list[Record]:
    if not isinstance(data, Mapping):
        return records(data, file)
    whole = Record(file, "", data)
    if whole.text("code") not in ("", "0"):
        raise whole.error("code", "the reply is an error", "0", whole.text("code", "msg"))
    if "data" not in whole:
        raise FileFormatError(file, "must be a reply of the venue", "a list under data", "no such field")
    return whole.records("data")


def _position(row: Record) -> VenuePosition:
    name = row.required_text("instId")
    parts = name.split("-")
    if len(parts) < 3:
        raise row.error("instId", "must name a swap or future", "such as BTC-USDT-SWAP", repr(name))
    payoff: Payoff = "inverse" if parts[1] == "USD" else "linear"
    isolated = row.required_text("mgnMode") == "isolated"
    entry, margin = row.printed("avgPx"), row.printed("margin") if isolated else None
    units = {} if entry is None else {"entry_price": unit_of_entry(entry, row.printed("markPx"))}
    if margin is not None:
        units["isolated_margin"] = margin.unit
    quantity = row.required_number("pos")
    prices = {field: row.number(field) for field in ("last", "idxPx")}
    return VenuePosition(
        place=row.place,
        instrument=name,
        policy=f"okx-{payoff}-swap",
        payoff=payoff,
        settlement=row.text("ccy") or (parts[0] if payoff == "inverse" else parts[1]),
        # Signed in net mode; in long/short mode the side is said apart.
        quantity=-abs(quantity) if row.text("posSide") == "short" else quantity,
        contract_size=None,
        entry_price=None if entry is None else entry.value,
        mark_price=row.number("markPx"),
        margin_mode="isolated" if isolated else "cross",
        isolated_margin=None if margin is None else margin.value,
        leverage=row.number("lever"),
        units=units,
        other_prices={field: price for field, price in prices.items() if price is not None},
        reported=_reported(row),
    )


def _reported(row: Record) -> tuple[Reported, ...]:
    numbers = reported(row, READINGS, none=("liqPx",))
    value = row.printed("notionalUsd")
    return numbers if value is None else (*numbers, Reported("notionalUsd", "", value, IN_USD))
