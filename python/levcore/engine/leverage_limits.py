"""The maximum leverage of a tier, and the positions that hold more than theirs allows."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk
    from levcore.rules.tiers import TierTable

__all__ = ["LeverageAboveTier", "leverage_above_tier", "leverage_of_tiers"]


class LeverageAboveTier(NamedTuple):
    """A position with more leverage than its tier allows, which no venue would have opened so."""

    row: int
    instrument: str
    leverage: float
    maximum: float


def leverage_above_tier(risk: "BookRisk") -> list[LeverageAboveTier]:
    """Positions whose leverage is above the maximum of the tier that they are in, by row.

    The tier is that of the value at the mark, so `risk` must hold ``notional``. Tables that state no maximum,
    and rows without a leverage, say nothing.
    """
    book = risk.book
    if book.leverage is None or not len(book):
        return []
    given = book.leverage > 1.0
    policies = np.zeros(len(book), np.int64) if book.policy_codes is None else book.policy_codes
    kinds = np.unique(np.stack((policies[given], book.instrument_codes[given]), axis=1), axis=0)
    found: list[LeverageAboveTier] = []
    for policy, code in kinds.tolist():
        table, name = risk.policies[policy].instruments, book.instrument_names[code]
        if name not in table:
            continue
        instrument = table[name]
        own = given & (book.instrument_codes == code) & (policies == policy)
        for sign, tiers in ((1.0, instrument.tiers), (-1.0, instrument.short_tiers or instrument.tiers)):
            if not tiers.max_leverage:
                continue
            rows = np.flatnonzero(own & (book.quantity * sign > 0.0))
            limit = None if book.risk_limit is None else book.risk_limit[rows]
            size = np.abs(book.quantity[rows])
            highest = leverage_of_tiers(tiers, size, risk.notional[rows], limit, instrument.contract_size)
            above = book.leverage[rows] > highest
            found += [
                LeverageAboveTier(int(row), name, float(book.leverage[row]), float(most))
                for row, most in zip(rows[above], highest[above], strict=True)
            ]
    return sorted(found)


def leverage_of_tiers(
    tiers: "TierTable", contracts: Floats, notional: Floats, risk_limit: Floats | None, contract_size: float
) -> Floats:
    """Maximum leverage of the tier that each position is in; NaN where the table states none.

    Parameters
    ----------
    tiers : TierTable
    contracts : ndarray, shape (n,)
        Size without sign.
    notional : ndarray, shape (n,), settlement currency
    risk_limit : ndarray, shape (n,), or None
        For tables that are keyed by it.
    contract_size : float
    """
    if not tiers.max_leverage:
        return np.full(contracts.size, np.nan)
    key: npt.NDArray[np.float64] = notional
    if tiers.unit == "contracts":
        key = contracts
    elif tiers.unit == "base" and not tiers.is_single_rate and tiers.shape != "marginal":
        # Of an inverse contract, whose tables are marginal, the value is in base currency.
        key = contracts * contract_size
    elif tiers.unit == "risk_limit":
        key = np.full(contracts.size, np.nan) if risk_limit is None else risk_limit
    floors = np.asarray(tiers.floors)
    # Above a floor its tier applies, at the floor the one below.
    place = np.maximum(np.searchsorted(floors, key, side="left") - 1, 0)
    leverage = np.asarray(tiers.max_leverage)[np.minimum(place, floors.size - 1)]
    return np.where(np.isnan(key), np.nan, leverage)
