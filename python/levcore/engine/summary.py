"""Counts and totals of an evaluated book."""

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.listings import listing_codes, settlements
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["summarize"]

SUMMED = ("unrealized_pnl", "initial_margin", "maintenance_margin")


def summarize(risk: "BookRisk") -> dict[str, Any]:
    """Counts and totals of a result.

    Returns
    -------
    dict
        ``policy``, ids separated by commas; ``positions``, ``accounts``; ``evaluated``, ``incomplete`` and
        ``failed`` rows;
        ``states``, ``statuses``, ``account_states``, ``account_statuses`` as counts by name (those that
        occur); ``totals``: by settlement currency ``long_notional``, ``short_notional``, ``unrealized_pnl``,
        ``initial_margin``, ``maintenance_margin`` over the rows that hold the number (measures that were not
        computed are absent; a sum over missing initial margins is NaN); ``nearest``: row and distance of the
        position closest to liquidation, None if none has a price.
    """
    status = risk.status
    return {
        "policy": ", ".join(policy.id for policy in risk.policies),
        "positions": len(risk),
        "accounts": len(risk.accounts),
        "evaluated": int(np.count_nonzero(status < FIRST_PARTIAL)),
        "incomplete": int(np.count_nonzero((status >= FIRST_PARTIAL) & (status < FIRST_FAILURE))),
        "failed": risk.failed,
        "states": _counts(risk.state, State),
        "statuses": _counts(status, Status),
        "account_states": _counts(risk.accounts.state, State),
        "account_statuses": _counts(risk.accounts.status, AccountStatus),
        "totals": _totals(risk),
        "nearest": _nearest(risk),
    }


def _counts(codes: npt.NDArray[np.uint8], kind: type[IntEnum]) -> dict[str, int]:
    counts = np.bincount(codes, minlength=1)
    return {kind(int(code)).name: int(counts[code]) for code in np.flatnonzero(counts)}


def _totals(risk: "BookRisk") -> dict[str, dict[str, float]]:
    currencies, place = settlements(risk.book, risk.policies)
    listing = listing_codes(risk.book)
    held = risk.status < FIRST_FAILURE
    totals: dict[str, dict[str, float]] = {}
    for number, currency in enumerate(currencies):
        rows = held & (place[listing] == number) if len(currencies) > 1 else held
        if not rows.any():
            continue
        total: dict[str, float] = {}
        if "notional" in risk.measures:
            notional, quantity = risk.notional[rows], risk.book.quantity[rows]
            total["long_notional"] = float(notional[quantity > 0].sum())
            total["short_notional"] = float(notional[quantity < 0].sum())
        for name in SUMMED:
            if name in risk.measures:
                total[name] = float(risk.column(name)[rows].sum())
        totals[currency] = total
    return totals


def _nearest(risk: "BookRisk") -> dict[str, Any] | None:
    if "distance_to_liquidation" not in risk.measures:
        return None
    distance = risk.distance_to_liquidation
    finite = np.flatnonzero(np.isfinite(distance))
    if not finite.size:
        return None
    row = int(finite[np.argmin(distance[finite])])
    return {"row": row, "instrument": risk.book.name_of(row), "distance": float(distance[row])}
