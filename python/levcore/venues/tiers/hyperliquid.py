"""Tier tables of Hyperliquid: ``meta``, with its universe and margin tables."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from levcore.errors import FileFormatError
from levcore.rules.tiers import TierTable
from levcore.venues.json import Record

__all__ = ["tiers_from_hyperliquid"]


def tiers_from_hyperliquid(data: Any, *, file: str = "meta") -> dict[str, TierTable]:
    """Tables of the info request ``meta``, or of ``metaAndAssetCtxs``.

    Parameters
    ----------
    data : object or list
        ``universe`` names the coins with ``maxLeverage`` and ``marginTableId``, ``marginTables`` the lower
        bounds and leverages. A coin whose table is not listed has one tier at its highest leverage.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to TierTable
        Marginal, unit ``"quote"``, by coin; rates are half of the initial rate at the highest leverage.

    Raises
    ------
    FileFormatError
        Where it is not such a reply, naming the place; also where a coin's leverage is not its table's.
    TierError
        Where a table breaks a rule of tables.
    """
    if isinstance(data, Sequence) and not isinstance(data, str) and data:
        data = data[0]  # metaAndAssetCtxs: the second element holds prices
    if not isinstance(data, Mapping):
        raise FileFormatError(file, "must be a reply of meta", "an object with universe", type(data).__name__)
    whole = Record(file, "", data)
    tables = _margin_tables(whole)
    return {row.required_text("name"): _table(row, tables) for row in whole.records("universe")}


def _margin_tables(whole: Record) -> dict[str, list[tuple[Decimal, Decimal]]]:
    """Lower bound and leverage of each tier, by id."""
    found = {}
    for index, pair in enumerate(whole.fields.get("marginTables") or []):
        place = f"marginTables[{index}]"
        if not isinstance(pair, Sequence) or len(pair) != 2 or not isinstance(pair[1], Mapping):
            raise FileFormatError(
                whole.file, "must be an id and a table", "[id, {...}]", repr(pair), column=place
            )
        table = Record(whole.file, f"{place}[1]", pair[1])
        found[str(pair[0])] = [
            (tier.required_number("lowerBound"), tier.required_number("maxLeverage"))
            for tier in table.records("marginTiers")
        ]
    return found


def _table(row: Record, tables: Mapping[str, list[tuple[Decimal, Decimal]]]) -> TierTable:
    highest = row.required_number("maxLeverage")
    tiers = tables.get(row.text("marginTableId"), [(Decimal(0), highest)])
    if tiers[0][1] != highest:
        raise row.error(
            "maxLeverage", "must be that of the coin's margin table", str(tiers[0][1]), str(highest)
        )
    return TierTable.half_of_initial_rate(tiers, unit="quote", instrument=row.required_text("name"))
