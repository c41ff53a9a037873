"""Tier tables of OKX: ``public/position-tiers``, and instruments with their contract sizes."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from levcore.rules.instruments import Instrument, Payoff
from levcore.rules.tiers import Tier, TierTable
from levcore.venues.json import Record, records

__all__ = ["instruments_from_okx", "tiers_from_okx"]


def tiers_from_okx(data: Any, *, file: str = "position-tiers") -> dict[str, TierTable]:
    """Tables of ``GET /api/v5/public/position-tiers`` for swaps and futures.

    Parameters
    ----------
    data : object or list
        The reply, or its ``data``. Bounds are contracts; a tier may begin at the last one's end or one lot
        above it: 1 contract, 0.1, 0.01, the same in the whole table. The end is the border.
    file : str
        Named in errors.

    Returns
    -------
    dict of str to TierTable
        Flat, unit ``"contracts"``, by ``instId`` or, where that is empty as for swaps, by ``instFamily``
        (``"BTC-USDT"``).

    Raises
    ------
    FileFormatError
        Where it is not such a reply, naming the place; also for the tiers of borrowed positions, which are
        not counted in contracts.
    TierError
        Where a table breaks a rule of tables.
    """
    grouped: dict[str, list[Record]] = {}
    for row in _rows(data, file):
        if row.number("quoteMaxLoan") or row.number("baseMaxLoan"):
            raise row.error(
                "quoteMaxLoan", "these are tiers of borrowed positions", "tiers of swaps or futures"
            )
        grouped.setdefault(row.required_text("instId", "instFamily", "uly"), []).append(row)
    return {name: _table(name, group) for name, group in grouped.items()}


def instruments_from_okx(
    data: Any, tiers: Mapping[str, TierTable], *, file: str = "instruments"
) -> dict[str, Instrument]:
    """Instruments of ``GET /api/v5/public/instruments`` that have a table in `tiers`, by ``instId``.

    Contract size is ``ctVal * ctMult``, the payoff ``ctType``, the tick ``tickSz``.

    Raises
    ------
    FileFormatError
        Where it is not such a reply, naming the place.
    """
    made = {}
    for row in _rows(data, file):
        name = row.required_text("instId")
        table = next((tiers[key] for key in (name, row.text("instFamily", "uly")) if key in tiers), None)
        if table is None:
            continue
        kind = row.required_text("ctType")
        if kind not in ("linear", "inverse"):
            raise row.error("ctType", "must be a payoff", "linear or inverse", repr(kind))
        payoff: Payoff = "linear" if kind == "linear" else "inverse"
        size = row.required_number("ctVal") * (row.number("ctMult") or Decimal(1))
        tick = row.number("tickSz")
        made[name] = Instrument(
            name,
            payoff,
            table,
            contract_size=float(size),
            tick_size=None if tick is None else float(tick),
            settlement=row.text("settleCcy"),
        )
    return made


def _rows(data: Any, file: str) -> list[Record]:
    return Record(file, "", data).records("data") if isinstance(data, Mapping) else records(data, file)


def _table(name: str, group: list[Record]) -> TierTable:
    rows = sorted(group, key=lambda row: row.required_number("tier"))
    lot = _lot(rows)
    tiers: list[Tier] = []
    for row in rows:
        floor = row.required_number("minSz")
        if tiers and lot and floor - lot == tiers[-1].cap:
            floor -= lot
        rate, cap = row.required_number("mmr"), row.required_number("maxSz")
        tiers.append(Tier(floor, rate, None, row.number("maxLever"), cap))
    return TierTable.flat(tiers, unit="contracts", instrument=name)


def _lot(rows: list[Record]) -> Decimal | None:
    """Step between the end of a tier and the beginning of the next, where all have the same: one lot."""
    steps = {
        above.required_number("minSz") - below.required_number("maxSz") for below, above in pairwise(rows)
    } - {Decimal(0)}
    if len(steps) != 1:
        return None
    step = steps.pop()
    return step if 0 < step <= 1 and step == Decimal(1).scaleb(step.adjusted()) else None
