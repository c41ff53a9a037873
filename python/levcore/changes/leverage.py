"""The maximum leverage of the tier that a changed position is in."""

from typing import TYPE_CHECKING

import numpy as np

from levcore.book.arrays import Floats

if TYPE_CHECKING:
    from levcore.changes.result import WhatIf
    from levcore.rules.tiers import TierTable

__all__ = ["highest_leverage"]


def highest_leverage(result: "WhatIf") -> Floats:
    """Maximum leverage by the tier tables, shape (c,); NaN: no table, or none that states it."""
    names, highest = result.names, np.full(len(result), np.nan)
    instrument, policy = result.column("instrument_code"), result.column("policy_code")
    known = np.flatnonzero(~np.isnan(instrument))
    pairs = np.stack((policy[known], instrument[known]), axis=1).astype(np.int64)
    kinds, inverse = np.unique(pairs, axis=0, return_inverse=True)
    for place, (policy_code, code) in enumerate(kinds.tolist()):
        first = len(names.instruments)
        if code < first:
            table = result.policies[policy_code].instruments
            name = names.instruments[code]
            if name not in table:
                continue
            given = table[name]
        else:
            given = names.tables[code - first]
        rows = known[inverse.ravel() == place]
        short = result.quantity[rows] < 0.0
        for side, tiers in ((~short, given.tiers), (short, given.short_tiers or given.tiers)):
            chosen = rows[side]
            size = np.abs(result.quantity[chosen])
            highest[chosen] = _of_tiers(tiers, result, chosen, size, given.contract_size)
    return highest


def _of_tiers(
    tiers: "TierTable",
    result: "WhatIf",
    rows: "np.ndarray[tuple[int], np.dtype[np.intp]]",
    contracts: Floats,
    contract_size: float,
) -> Floats:
    if not tiers.max_leverage:
        return np.full(rows.size, np.nan)
    if tiers.unit == "contracts":
        key = contracts
    elif tiers.unit == "base" and not tiers.is_single_rate:
        notional = result.after.positions.notional[rows]
        # Of an inverse contract the value is in base currency.
        inverse = tiers.shape == "marginal"
        key = notional if inverse else contracts * contract_size
    elif tiers.unit == "risk_limit":
        key = np.where(np.isnan(result.changes.risk_limit[rows]), np.nan, result.changes.risk_limit[rows])
    else:
        key = result.after.positions.notional[rows]
    floors = np.asarray(tiers.floors)
    # Above a floor its tier applies, at the floor the one below.
    place = np.maximum(np.searchsorted(floors, key, side="left") - 1, 0)
    leverage = np.asarray(tiers.max_leverage)[np.minimum(place, floors.size - 1)]
    return np.where(np.isnan(key), np.nan, leverage)
