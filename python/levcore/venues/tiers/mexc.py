"""Instruments of MEXC: ``contract/detail``, which describes tiers by the first one and the steps above."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from levcore.rules.instruments import Instrument, Payoff
from levcore.rules.tiers import Tier, TierTable
from levcore.venues.json import Record, records, shown

__all__ = ["instruments_from_mexc"]

MOST_LEVELS = 1000


def instruments_from_mexc(
    data: Any, *, first_cap: Literal["base", "increment"] | None = None, file: str = "contract/detail"
) -> dict[str, Instrument]:
    """Instruments of ``GET /api/v1/contract/detail``.

    Parameters
    ----------
    data : object or list
        The reply, its ``data``, or one contract. Bounds are contracts.
    first_cap : {"base", "increment"}, optional
        Whether the first tier ends at ``riskBaseVol`` or at ``riskIncrVol``. No source states it, so it must
        be given where the two differ; the other tiers are ``riskIncrVol`` wide. Contracts that list their
        tiers under ``riskLimitCustom`` need none.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to Instrument
        With contract size, tick and settlement. Tiers are flat and keyed by contracts: a rate on the whole
        position. The venue does not say so; ``mexc-linear`` takes single rates alone until the caller states
        ``table_shape`` and ``table_units``.

    Raises
    ------
    FileFormatError
        Where it is not such a reply, or it does not tell the first tier's end.
    TierError
        Where a table breaks a rule of tables.
    """
    if isinstance(data, Mapping):
        whole = Record(file, "", data)
        inner = data.get("data")
        rows = (
            records(inner, file, "data")
            if isinstance(inner, list)
            else [whole.record("data") if "data" in whole else whole]
        )
    else:
        rows = records(data, file)
    return {row.required_text("symbol"): _instrument(row, first_cap) for row in rows}


def _instrument(row: Record, first_cap: str | None) -> Instrument:
    base, quote = row.required_text("baseCoin"), row.required_text("quoteCoin")
    settlement = row.required_text("settleCoin")
    if settlement not in (base, quote):
        raise row.error("settleCoin", "must be the base or the quote coin", f"{base} or {quote}", settlement)
    payoff: Payoff = "linear" if settlement == quote else "inverse"
    tick = row.number("priceUnit")
    return Instrument(
        row.required_text("symbol"),
        payoff,
        _table(row, first_cap),
        contract_size=float(row.required_number("contractSize")),
        tick_size=None if tick is None else float(tick),
        settlement=settlement,
    )


def _table(row: Record, first_cap: str | None) -> TierTable:
    if row.value("riskLimitCustom") or row.text("riskLimitMode").upper() == "CUSTOM":
        return _custom_table(row)
    rate, initial = row.required_number("maintenanceMarginRate"), row.required_number("initialMarginRate")
    if initial <= 0:
        raise row.error("initialMarginRate", "must be positive", "a rate", str(initial))
    step, levels = row.number("riskIncrVol") or Decimal(0), _levels(row)
    if not step or levels == 1:
        tier = Tier(0, rate, None, Fraction(1) / Fraction(initial), row.number("maxVol"))
        return TierTable.flat([tier], unit="contracts", instrument=row.required_text("symbol"))
    first = _first_cap(row, step, first_cap)
    rate_step, initial_step = row.required_number("riskIncrMmr"), row.required_number("riskIncrImr")
    tiers = [
        Tier(
            first + (level - 1) * step if level else Decimal(0),
            rate + level * rate_step,
            None,
            Fraction(1) / Fraction(initial + level * initial_step),
            first + level * step,
        )
        for level in range(levels)
    ]
    return TierTable.flat(tiers, unit="contracts", instrument=row.required_text("symbol"))


def _levels(row: Record) -> int:
    levels = row.number("riskLevelLimit") or Decimal(1)
    if levels != int(levels) or not 1 <= levels <= MOST_LEVELS:
        raise row.error("riskLevelLimit", "must be a number of tiers", f"1 to {MOST_LEVELS}", str(levels))
    return int(levels)


def _custom_table(row: Record) -> TierTable:
    """Tiers listed one by one; the fields of the rule of steps then describe the first one alone."""
    kind = row.text("riskLimitType")
    if kind not in ("", "BY_VOLUME"):
        raise row.error("riskLimitType", "bounds must be in contracts", "BY_VOLUME", shown(kind))
    listed = sorted(row.records("riskLimitCustom"), key=lambda each: each.required_number("level"))
    if not listed:
        raise row.error("riskLimitCustom", "must list the tiers of riskLimitMode CUSTOM", "tiers", "none")
    floor, tiers = Decimal(0), []
    for each in listed:
        cap = each.required_number("maxVol")
        tiers.append(Tier(floor, each.required_number("mmr"), None, each.number("maxLeverage"), cap))
        floor = cap
    return TierTable.flat(tiers, unit="contracts", instrument=row.required_text("symbol"))


def _first_cap(row: Record, step: Decimal, stated: str | None) -> Decimal:
    base = row.required_number("riskBaseVol")
    if stated is None and base != step:
        rule = "where the first tier ends is not stated by the venue"
        raise row.error(
            "riskBaseVol", rule, "first_cap='base' or 'increment'", f"{base} beside riskIncrVol {step}"
        )
    return step if stated == "increment" else base
