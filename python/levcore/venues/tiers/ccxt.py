"""Tier tables as ccxt's ``fetch_leverage_tiers()`` returns them, and as freqtrade ships them."""

from collections.abc import Mapping
from typing import Any

from levcore.errors import FileFormatError
from levcore.rules.tier_rows import UNITS_OF_SHAPE
from levcore.rules.tiers import Tier, TierTable, Unit
from levcore.venues.json import Record, records

__all__ = ["tiers_from_ccxt", "tiers_from_freqtrade"]

# The venue's own deduction, which ccxt leaves in the raw row.
DEDUCTIONS = ("cum", "mmDeduction", "deduction", "maintAmount")


def tiers_from_ccxt(data: Any, *, unit: Unit, file: str = "leverage tiers") -> dict[str, TierTable]:
    """Tables of ``fetch_leverage_tiers()``.

    Parameters
    ----------
    data : mapping of str to list
        Tiers by unified symbol. ``minNotional`` and ``maxNotional`` hold what the venue's table counts in,
        despite their names: contracts for OKX and MEXC, coins for Binance COIN-M.
    unit : {"quote", "base", "contracts", "risk_limit"}
        Unit of these bounds. Tables by contracts or risk limit are flat, the others marginal.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to TierTable
        By unified symbol. Deductions come from the raw row under ``info`` where it has them, and are derived
        otherwise.

    Raises
    ------
    FileFormatError
        Where it is not such a mapping, naming the place; also where ccxt made up a tier without a rate.
    TierError
        Where a table breaks a rule of tables.
    """
    if not isinstance(data, Mapping):
        raise FileFormatError(file, "must map symbols to tiers", "{symbol: [...]}", type(data).__name__)
    return {
        str(symbol): _table(str(symbol), records(rows, file, str(symbol)), unit)
        for symbol, rows in data.items()
    }


def tiers_from_freqtrade(data: Any, *, file: str = "leverage_tiers") -> dict[str, TierTable]:
    """Tables of freqtrade's ``binance_leverage_tiers.json``: ccxt's for Binance USDⓈ-M, in quote currency.

    Raises
    ------
    FileFormatError, TierError
        As `tiers_from_ccxt`.
    """
    return tiers_from_ccxt(data, unit="quote", file=file)


def _table(symbol: str, rows: list[Record], unit: Unit) -> TierTable:
    shape = "flat" if unit in UNITS_OF_SHAPE["flat"] else "marginal"
    tiers = []
    for row in rows:
        rate = row.number("maintenanceMarginRate")
        if rate is None:
            raise row.error("maintenanceMarginRate", "ccxt knows no rate of this market", "a rate", "nothing")
        deduction = row.record("info").number(*DEDUCTIONS) if shape == "marginal" else None
        tiers.append(
            Tier(
                row.number("minNotional") or 0,
                rate,
                deduction,
                row.number("maxLeverage"),
                row.number("maxNotional"),
            )
        )
    return TierTable.of_shape("flat" if shape == "flat" else "marginal", tiers, unit=unit, instrument=symbol)
