"""Tier tables of Bybit: ``market/risk-limit``."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from levcore.rules.tiers import Tier, TierTable, Unit
from levcore.venues.json import Record, records

__all__ = ["tiers_from_bybit"]

PERCENT = Decimal(100)
CLOSE = Decimal("0.03")
"""Share by which leverage times initial rate may miss 1 (or 100): both are printed rounded."""


def tiers_from_bybit(data: Any, *, category: str = "", file: str = "risk-limit") -> dict[str, TierTable]:
    """Tables of ``GET /v5/market/risk-limit``.

    Parameters
    ----------
    data : object or list
        The reply, its ``result``, or the rows of several pages in one list. ``riskLimitValue`` is the cap of
        a row and the floor of the next; the first row's ``mmDeduction`` may be ``""``.
    category : {"linear", "inverse"}, optional
        Needed where `data` does not say it.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to TierTable
        Marginal, by symbol; unit ``"quote"`` (linear) or ``"base"`` (inverse).

    Raises
    ------
    FileFormatError
        Where it is not such a reply; also where leverage times initial rate is neither 1 nor 100, so that it
        cannot be told whether rates are fractions or percent.
    TierError
        Where a table breaks a rule of tables.
    """
    if isinstance(data, Mapping):
        whole = Record(file, "", data)
        whole = whole.record("result") if "result" in whole else whole
        category = category or whole.text("category")
        rows = whole.records("list")
    else:
        rows = records(data, file)
    grouped: dict[str, list[Record]] = {}
    for row in rows:
        grouped.setdefault(row.required_text("symbol"), []).append(row)
    return {
        symbol: _table(symbol, group, _unit(symbol, category, group[0])) for symbol, group in grouped.items()
    }


def _unit(symbol: str, category: str, row: Record) -> Unit:
    if category in ("linear", "inverse"):
        return "quote" if category == "linear" else "base"
    if symbol.endswith(("USDT", "PERP")) or "-" in symbol:
        return "quote"
    raise row.error("category", "must be given for this symbol", "linear or inverse", repr(symbol))


def _table(symbol: str, group: list[Record], unit: Unit) -> TierTable:
    rows = sorted(group, key=lambda row: row.required_number("riskLimitValue"))
    divisor = _divisor(rows)
    floor, tiers = Decimal(0), []
    for row in rows:
        cap = row.required_number("riskLimitValue")
        rate = row.required_number("maintenanceMargin") / divisor
        tiers.append(Tier(floor, rate, row.number("mmDeduction"), row.number("maxLeverage"), cap))
        floor = cap
    return TierTable.marginal(tiers, unit=unit, instrument=symbol)


def _divisor(rows: list[Record]) -> Decimal:
    """1 where rates are fractions, 100 where they are percent: leverage times initial rate tells."""
    divisors = []
    for row in rows:
        product = row.required_number("maxLeverage") * row.required_number("initialMargin")
        found = next((each for each in (Decimal(1), PERCENT) if abs(product / each - 1) <= CLOSE), None)
        if found is None:
            rule = "leverage times initial rate must tell fractions from percent"
            raise row.error("initialMargin", rule, "a product near 1 or near 100", str(product))
        divisors.append(found)
    if len(set(divisors)) > 1:
        place = next(index for index, each in enumerate(divisors) if each != divisors[0])
        raise rows[place].error("initialMargin", "rates must be all fractions or all percent")
    return divisors[0]
