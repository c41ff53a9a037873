"""How many contracts stay where a liquidation goes down in tiers."""

from typing import TYPE_CHECKING

import numpy as np

from levcore._levcore import contracts_to_keep
from levcore.errors import UnknownRuleError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.positions import PositionBook
    from levcore.closing.money import Wholes
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.tiers import TierTable

__all__ = ["kept_contracts", "tiers_to_go_down"]


def kept_contracts(
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
        For tiers that do not follow from the size of a position.
    """
    keep = np.zeros(rows.size)
    codes, short = book.instrument_codes[rows], book.quantity[rows] < 0
    for place, (code, is_short) in enumerate(zip(codes.tolist(), short.tolist(), strict=True)):
        instrument = instruments[code]
        if instrument is None:
            continue
        table = tiers_to_go_down(policy, instrument, is_short)
        scale = {"quote": value[place] / quantity[place], "base": instrument.contract_size, "contracts": 1.0}
        key = float(quantity[place] * scale[table.unit])
        keep[place] = contracts_to_keep(
            list(table.floors), key, float(quantity[place]), policy.close_out_tiers
        )
    return keep


def tiers_to_go_down(policy: "MarginPolicy", instrument: "Instrument", short: bool) -> "TierTable":
    """Tiers of a side of an instrument.

    Raises
    ------
    UnknownRuleError
        For tiers keyed by a risk limit, which the trader chooses, or by the price of a unit.
    """
    own = instrument.short_tiers
    table = own if short and own is not None else instrument.tiers
    if table.unit in ("risk_limit", "price"):
        remedy = "policy.replace(close_out_step='whole')"
        reason = f"the tiers of {instrument.name} do not follow from the size of a position"
        raise UnknownRuleError(policy.id, "does not say what a lower tier closes", remedy, reason)
    return table
