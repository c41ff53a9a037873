"""The maximum leverage of the tier that a changed position is in."""

from typing import TYPE_CHECKING

import numpy as np

from levcore.book.arrays import Floats
from levcore.engine.leverage_limits import leverage_of_tiers

if TYPE_CHECKING:
    from levcore.changes.result import WhatIf

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
            limit, notional = result.changes.risk_limit[chosen], result.after.positions.notional[chosen]
            highest[chosen] = leverage_of_tiers(tiers, size, notional, limit, given.contract_size)
    return highest
