"""Counts and totals of an evaluated book."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.engine.totals import totals_by_currency
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, AccountStatus, Code, State, Status

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["summarize"]


def summarize(risk: "BookRisk") -> dict[str, Any]:
    """Counts and totals of a result.

    Returns
    -------
    dict
        ``policy``, ids separated by commas; ``positions``, ``accounts``; ``evaluated``, ``incomplete`` and
        ``failed`` rows;
        ``states``, ``statuses``, ``account_states``, ``account_statuses`` as counts by word (those that
        occur); ``wallets`` and ``wallet_states``: the same of the wallets, of which an account may have
        several; ``totals``: what `levcore.engine.totals.totals_by_currency` returns; ``nearest``: row and
        distance of the position closest to liquidation, None if none has a price.
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
        "wallets": len(risk.wallets),
        "wallet_states": _counts(risk.wallets.state, State),
        "totals": totals_by_currency(risk),
        "nearest": _nearest(risk),
    }


def _counts(codes: npt.NDArray[np.uint8], kind: type[Code]) -> dict[str, int]:
    counts = np.bincount(codes, minlength=1)
    return {kind(int(code)).word: int(counts[code]) for code in np.flatnonzero(counts)}


def _nearest(risk: "BookRisk") -> dict[str, Any] | None:
    if "distance_to_liquidation" not in risk.measures:
        return None
    distance = risk.distance_to_liquidation
    finite = np.flatnonzero(np.isfinite(distance))
    if not finite.size:
        return None
    row = int(finite[np.argmin(distance[finite])])
    return {"row": row, "instrument": risk.book.name_of(row), "distance": float(distance[row])}
