"""Positions of Binance: ``positionRisk`` (v1 to v3) and ``account`` of USDⓈ-M and COIN-M futures."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from levcore.errors import FileFormatError
from levcore.venues.json import Record, records
from levcore.venues.positions.reply import AccountReply, MarginMode, Reply, Reported, VenuePosition
from levcore.venues.positions.rows import read_rows, reported, size_or_reason, unit_of_entry
from levcore.venues.printed_number import EXACT

__all__ = ["read_account", "read_positions"]

READINGS = {
    "notional": "notional",
    "notionalValue": "notional",
    "unRealizedProfit": "unrealized_pnl",
    "unrealizedProfit": "unrealized_pnl",
    "positionInitialMargin": "initial_margin",
    "maintMargin": "maintenance_margin",
    "isolatedMargin": "equity",
    "liquidationPrice": "liquidation_price",
}
INVERSE = re.compile(r"([A-Z0-9]+)USD_(PERP|\d{6})")
QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "BNFCR", "USD1")
WALLET = "crossWalletBalance of GET /fapi/v3/account (COIN-M: /dapi/v1/account)"


def read_positions(data: Any, file: str) -> Reply:
    """Read a reply of ``positionRisk``, of ``account``, or of the websocket's ``account.position``.

    Positions without a size are counted alone: the venue lists every symbol of the market.
    """
    if isinstance(data, Mapping):
        whole = Record(file, "", data)
        name = next((each for each in ("positions", "result") if each in whole), None)
        if name is None:
            raise FileFormatError(file, "must be a reply of positionRisk or account", "a list of positions")
        rows = whole.records(name)
        accounts = read_account(data, file) if "assets" in whole else {}
    else:
        rows, accounts = records(data, file), {}
    positions, left_out, flat = read_rows(rows, _position, ("symbol",))
    return Reply(positions=positions, accounts=accounts, left_out=left_out, wallet_field=WALLET, flat=flat)


def read_account(data: Any, file: str) -> dict[str, AccountReply]:
    """Wallet balances of ``account`` or of ``balance``, by asset."""
    rows = Record(file, "", data).records("assets") if isinstance(data, Mapping) else records(data, file)
    accounts = {}
    for asset in rows:
        wallet = asset.printed("crossWalletBalance")
        if wallet is not None:
            accounts[asset.required_text("asset")] = AccountReply(
                wallet_balance=wallet.value, unit=wallet.unit
            )
    return accounts


def _position(row: Record) -> VenuePosition | str | None:
    quantity = size_or_reason(row, "positionAmt")
    if isinstance(quantity, str):
        return quantity
    if not quantity:
        return None
    symbol = row.required_text("symbol")
    inverse = INVERSE.fullmatch(symbol)
    entry, mark = row.printed("entryPrice"), row.printed("markPrice")
    mode = _mode(row)
    margin, unit = _isolated_margin(row) if mode == "isolated" else (None, None)
    units = {} if unit is None else {"isolated_margin": unit}
    if entry is not None:
        units["entry_price"] = unit_of_entry(entry, mark)
    return VenuePosition(
        place=row.place,
        instrument=symbol,
        policy="binance-coinm" if inverse else "binance-usdm",
        payoff="inverse" if inverse else "linear",
        settlement=inverse[1] if inverse else row.text("marginAsset") or _quote(symbol),
        quantity=quantity,
        contract_size=None if inverse else Decimal(1),
        # A position that is open has been entered at some price: 0 is "not given".
        entry_price=entry.value if entry is not None and entry.value > 0 else None,
        mark_price=mark.value if mark is not None and mark.value > 0 else None,
        margin_mode=mode,
        isolated_margin=margin,
        leverage=row.number("leverage"),
        units=units,
        reported=_reported(row, mode, quantity),
    )


def _mode(row: Record) -> MarginMode:
    """Version 3 has dropped ``marginType``; an isolated position is one with a wallet of its own."""
    if row.text("marginType"):
        return row.choice("marginType", {"isolated": "isolated", "cross": "cross", "crossed": "cross"})
    if row.text("isolated"):
        return row.choice("isolated", {"true": "isolated", "false": "cross"})
    return "isolated" if row.number("isolatedWallet", "isolatedMargin") else "cross"


def _isolated_margin(row: Record) -> tuple[Decimal | None, Decimal | None]:
    """Margin without profit: ``isolatedWallet``, or ``isolatedMargin`` less the profit it holds."""
    wallet = row.printed("isolatedWallet")
    if wallet is not None and wallet.value:
        return wallet.value, wallet.unit
    margin, profit = row.printed("isolatedMargin"), row.number("unRealizedProfit", "unrealizedProfit")
    if margin is None or profit is None:
        return None, None
    return EXACT.subtract(margin.value, profit), margin.unit


def _reported(row: Record, mode: MarginMode, quantity: Decimal) -> tuple[Reported, ...]:
    """The venue's own numbers; the notional of a short comes with its sign, ours has none."""
    numbers = reported(row, READINGS, none=("liquidationPrice",))
    if mode == "cross":
        numbers = tuple(each for each in numbers if each.reading != "equity")
    elif row.number("isolatedWallet") in (None, Decimal(0)):
        # The margin was derived from this field: it is no check.
        numbers = tuple(each for each in numbers if each.reading != "equity")
    if row.number("positionInitialMargin") is None and row.number("initialMargin") is not None:
        numbers += reported(row, {"initialMargin": "initial_margin"})
    if quantity < 0:
        numbers = tuple(_unsigned(each) if each.reading == "notional" else each for each in numbers)
    return numbers


def _unsigned(number: Reported) -> Reported:
    printed = number.printed
    return number if printed is None else replace(number, printed=replace(printed, value=abs(printed.value)))


def _quote(symbol: str) -> str:
    plain = symbol.partition("_")[0]
    return next((quote for quote in QUOTES if plain.endswith(quote)), "")
