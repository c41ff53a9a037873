"""How many contracts stay where a liquidation goes down in tiers."""

from typing import TYPE_CHECKING

import numpy as np

from levcore.errors import UnknownRuleError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.positions import PositionBook
    from levcore.closing.money import Wholes
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy

__all__ = ["contracts_to_keep"]

BELOW = 1.0 - 2.0**-50
"""What is kept is this much less than the cap of the lower tier, so that rounding does not leave it above."""


def contracts_to_keep(
    policy: "MarginPolicy",
    instruments: "list[Instrument | None]",
    book: "PositionBook",
    rows: "Wholes",
    quantity: "Floats",
    value: "Floats",
) -> "Floats":
    """Contracts with which each position stands `close_out_tiers` lower; 0 where it has not so many below.

    Raises
    ------
    UnknownRuleError
        For tiers keyed by a risk limit, which the trader chooses.
    """
    keep = np.zeros(rows.size)
    codes, short = book.instrument_codes[rows], book.quantity[rows] < 0
    for place, (code, is_short) in enumerate(zip(codes.tolist(), short.tolist(), strict=True)):
        instrument = instruments[code]
        if instrument is None:
            continue
        own = instrument.short_tiers
        table = own if is_short and own is not None else instrument.tiers
        if table.unit == "risk_limit":
            remedy = "policy.replace(close_out_step='whole')"
            reason = "the tier follows from a limit that the trader chose"
            raise UnknownRuleError(policy.id, "does not say what a lower risk limit closes", remedy, reason)
        scale = {"quote": value[place] / quantity[place], "base": instrument.contract_size, "contracts": 1.0}
        key = float(quantity[place] * scale[table.unit])
        tier = max(int(np.searchsorted(table.floors, key, side="left")) - 1, 0)
        target = tier - policy.close_out_tiers if policy.close_out_tiers else 0
        if tier > 0 and target >= 0:
            keep[place] = quantity[place] * (table.floors[target + 1] / key) * BELOW
    return keep
