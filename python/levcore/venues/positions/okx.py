"""Positions of OKX: ``account/positions`` and ``account/balance``."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from levcore.errors import FileFormatError
from levcore.rules.instruments import Payoff
from levcore.venues.json import Record, records
from levcore.venues.positions.reply import AccountReply, BorrowedPosition, Reply, Reported, VenuePosition
from levcore.venues.positions.rows import read_rows, reported, size_or_reason, unit_of_entry

__all__ = ["read_account", "read_positions"]

READINGS = {
    "imr": "initial_margin",
    "mmr": "maintenance_margin",
    "upl": "unrealized_pnl",
    "uplRatio": "return_on_equity",
    "mgnRatio": "inverse_margin_ratio",
    "liqPx": "liquidation_price",
}
BORROWED_READINGS = {
    "mmr": "maintenance_margin",
    "mgnRatio": "inverse_margin_ratio",
    "liqPx": "liquidation_price",
}
IN_USD = "in USD, at an index price of the settlement currency that the reply does not hold"
WALLET = "cashBal of the currency in GET /api/v5/account/balance"


def read_positions(data: Any, file: str) -> Reply:
    """Read a reply of ``account/positions``, or its ``data``; options alone are left out."""
    found, left_out, flat = read_rows(_rows(data, file), _read, ("instId",))
    return Reply(
        positions=tuple(each for each in found if isinstance(each, VenuePosition)),
        borrowed=tuple(each for each in found if isinstance(each, BorrowedPosition)),
        left_out=left_out,
        wallet_field=WALLET,
        flat=flat,
    )


def _read(row: Record) -> VenuePosition | BorrowedPosition | str | None:
    quantity = size_or_reason(row, "pos")
    if isinstance(quantity, str):
        return quantity
    if not quantity:
        return None
    kind = row.text("instType")
    if kind == "MARGIN":
        return _borrowed(row, quantity)
    return "an option" if kind == "OPTION" else _position(row, quantity)


def _borrowed(row: Record, amount: Decimal) -> BorrowedPosition | str:
    """Read a margin position: `pos` of ``posCcy``, the margin included, against ``liab`` of ``liabCcy``."""
    name = row.required_text("instId")
    base, _, quote = name.partition("-")
    held, owed = row.text("posCcy"), row.text("liabCcy")
    if not row.choice("mgnMode", {"isolated": True, "cross": False}):
        return "a borrowed position of a cross account, which shares its assets with all others"
    liability, mark = row.number("liab"), row.number("markPx")
    if {held, owed} != {base, quote} or not liability:
        return "a margin position without a debt in one of its coins against the other"
    if amount < 0:
        return f"pos is {amount}: what is held is not negative"
    return BorrowedPosition(
        place=row.place,
        instrument=name,
        policy="okx-isolated-margin",
        base=base,
        quote=quote,
        held=held,
        owed=owed,
        amount=amount,
        # Printed with and without a sign.
        liability=abs(liability),
        interest=abs(row.number("interest") or Decimal(0)),
        mark_price=mark if mark is not None and mark > 0 else None,
        reported=reported(row, BORROWED_READINGS, none=("liqPx",)),
    )


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
    if "data" not in whole:
        raise FileFormatError(file, "must be a reply of the venue", "a list under data", "no such field")
    return whole.records("data")


def _position(row: Record, quantity: Decimal) -> VenuePosition:
    name = row.required_text("instId")
    parts = name.split("-")
    if len(parts) < 3:
        raise row.error("instId", "must name a swap or future", "such as BTC-USDT-SWAP", repr(name))
    payoff: Payoff = "inverse" if parts[1] == "USD" else "linear"
    isolated = row.choice("mgnMode", {"isolated": True, "cross": False})
    entry, margin = row.printed("avgPx"), row.printed("margin") if isolated else None
    units = {} if entry is None else {"entry_price": unit_of_entry(entry, row.printed("markPx"))}
    if margin is not None:
        units["isolated_margin"] = margin.unit
    is_short = row.choice("posSide", {"short": True, "long": False, "net": False, "": False})
    if row.text("posSide").lower() == "long" and quantity < 0:
        raise row.error("pos", "must not be negative beside posSide long", "a size", str(quantity))
    prices = {field: row.number(field) for field in ("last", "idxPx")}
    return VenuePosition(
        place=row.place,
        instrument=name,
        policy=f"okx-{payoff}-swap",
        payoff=payoff,
        settlement=row.text("ccy") or (parts[0] if payoff == "inverse" else parts[1]),
        # Signed in net mode; in long/short mode the side is said apart.
        quantity=-abs(quantity) if is_short else quantity,
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
