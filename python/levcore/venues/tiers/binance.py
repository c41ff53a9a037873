"""Tier tables of Binance: ``leverageBracket`` of USDⓈ-M and COIN-M futures."""

from collections.abc import Mapping
from typing import Any

from levcore.rules.tiers import Tier, TierTable
from levcore.venues.json import Record, records

__all__ = ["tiers_from_binance"]

# The COIN-M documentation spells the floor with one letter too many in one place.
QUANTITY_FLOORS = ("qtyFloor", "qtylFloor")


def tiers_from_binance(data: Any, *, file: str = "leverageBracket") -> dict[str, TierTable]:
    """Tables of ``GET /fapi/v1/leverageBracket`` and ``GET /dapi/v2/leverageBracket``.

    Parameters
    ----------
    data : list, or one object where a symbol was asked for
        Symbols with their ``brackets``. Bounds called ``notional...`` are in quote currency, those called
        ``qty...`` in coin. A ``notionalCoef`` says that an account has brackets of its own; they are taken as
        printed, and refused where their ``cum`` does not continue then.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to TierTable
        Marginal, by symbol; unit ``"quote"`` (USDⓈ-M) or ``"base"`` (COIN-M).

    Raises
    ------
    FileFormatError
        Where it is not such a reply, naming the place.
    TierError
        Where a table breaks a rule of tables.
    """
    rows = [Record(file, "", data)] if isinstance(data, Mapping) else records(data, file)
    return {row.required_text("symbol"): _table(row) for row in rows}


def _table(row: Record) -> TierTable:
    brackets = sorted(row.records("brackets"), key=lambda each: each.required_number("bracket"))
    by_quantity = any("qtyCap" in each for each in brackets)
    floors, cap = (QUANTITY_FLOORS, "qtyCap") if by_quantity else (("notionalFloor",), "notionalCap")
    tiers = [
        Tier(
            each.required_number(*floors),
            each.required_number("maintMarginRatio"),
            each.number("cum"),
            each.number("initialLeverage"),
            each.required_number(cap),
        )
        for each in brackets
    ]
    return TierTable.marginal(
        tiers, unit="base" if by_quantity else "quote", instrument=row.required_text("symbol")
    )
