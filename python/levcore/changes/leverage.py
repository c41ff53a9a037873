"""The maximum leverage of the tier that a changed position is in."""

from typing import TYPE_CHECKING

import numpy as np

from levcore.book.arrays import Floats
from levcore.engine.leverage_limits import leverage_by_kind

if TYPE_CHECKING:
    from levcore.changes.result import WhatIf
    from levcore.rules.instruments import Instrument

__all__ = ["highest_leverage"]


def highest_leverage(result: "WhatIf") -> Floats:
    """Maximum leverage by the tier tables, shape (c,); NaN: no table, or none that states it."""
    names, instrument = result.names, result.column("instrument_code")
    count = len(names.instruments) + len(names.tables)
    known = np.flatnonzero(~np.isnan(instrument))
    kinds = (result.column("policy_code")[known] * count + instrument[known]).astype(np.int64)

    def instrument_of(kind: int) -> "Instrument | None":
        policy, code = divmod(kind, count)
        if code >= len(names.instruments):
            return names.tables[code - len(names.instruments)]
        table = result.policies[policy].instruments
        return table.get(names.instruments[code])

    highest = np.full(len(result), np.nan)
    highest[known] = leverage_by_kind(
        kinds,
        instrument_of,
        result.quantity[known],
        result.after.positions.notional[known],
        _risk_limits(result)[known],
    )
    return highest


def _risk_limits(result: "WhatIf") -> Floats:
    """Risk limit that each change states, else that of the row of the book that it names."""
    changes, held = result.changes, result.after.positions.book
    stated = np.array(changes.risk_limit, dtype=np.float64)
    if held.risk_limit is not None:
        of_book = np.flatnonzero(np.isnan(stated) & (changes.row >= 0) & (changes.row < len(held)))
        stated[of_book] = held.risk_limit[changes.row[of_book]]
    return stated
