"""Tier tables of Gate: ``futures/{settle}/risk_limit_tiers``."""

from decimal import Decimal
from typing import Any

from levcore.errors import InputError
from levcore.rules.tiers import Shape, Tier, TierTable, Unit
from levcore.venues.json import Record, records

__all__ = ["tiers_from_gate"]


def tiers_from_gate(
    data: Any, *, contract: str = "", shape: Shape | None = None, file: str = "risk_limit_tiers"
) -> dict[str, TierTable]:
    """Tables of ``GET /futures/{settle}/risk_limit_tiers``.

    Parameters
    ----------
    data : list
        Rows with ``risk_limit`` (the cap, quote currency), ``maintenance_rate``, ``leverage_max`` and, since
        2025-07-29, ``deduction``.
    contract : str
        Whose tiers these are, where the rows do not say.
    shape : {"marginal", "flat"}, optional
        Whether a rate holds for the part above its floor (since 2025-07-29) or for the whole position, by the
        limit chosen (before). Rows with a deduction are marginal; for others it must be stated.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to TierTable
        By contract; unit ``"quote"`` where marginal, ``"risk_limit"`` where flat.

    Raises
    ------
    FileFormatError
        Where it is not such a reply, naming the place.
    InputError
        Where the shape must be stated.
    TierError
        Where a table breaks a rule of tables.
    """
    grouped: dict[str, list[Record]] = {}
    for row in records(data, file):
        name = row.text("contract") or contract
        if not name:
            raise row.error("contract", "must be given", "a name, or the argument contract", "nothing")
        grouped.setdefault(name, []).append(row)
    return {name: _table(name, group, shape) for name, group in grouped.items()}


def _table(name: str, group: list[Record], stated: Shape | None) -> TierTable:
    rows = sorted(group, key=lambda row: row.required_number("risk_limit"))
    shape = stated or ("marginal" if any(row.text("deduction") for row in rows) else None)
    if shape is None:
        raise InputError(
            "shape", f"must be stated for {name}: its rows have no deduction", "marginal or flat", "nothing"
        )
    floor, tiers = Decimal(0), []
    for row in rows:
        cap = row.required_number("risk_limit")
        deduction = row.number("deduction") if shape == "marginal" else None
        rate = row.required_number("maintenance_rate")
        tiers.append(Tier(floor, rate, deduction, row.number("leverage_max"), cap))
        floor = cap
    unit: Unit = "quote" if shape == "marginal" else "risk_limit"
    return TierTable.of_shape(shape, tiers, unit=unit, instrument=name)
