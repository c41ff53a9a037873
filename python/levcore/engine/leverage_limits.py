"""The maximum leverage of a tier, and the positions that hold more than theirs allows."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes

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
    listings, names = listing_codes(book), book.instrument_names
    lowest = _lowest_maxima(risk)
    near = np.flatnonzero((book.leverage > 1.0) & (book.leverage > lowest[listings]))
    # Few rows are left, which the tier of each decides, one listing after the other.
    near = near[np.argsort(listings[near], kind="stable")]
    found: list[LeverageAboveTier] = []
    for rows in np.split(near, np.flatnonzero(np.diff(listings[near])) + 1) if near.size else ():
        policy, code = divmod(int(listings[rows[0]]), len(names))
        instrument = risk.policies[policy].instruments[names[code]]
        for sign, tiers in ((1.0, instrument.tiers), (-1.0, instrument.short_tiers or instrument.tiers)):
            if tiers.max_leverage:
                own = rows[book.quantity[rows] * sign > 0.0]
                found += _above(risk, own, names[code], tiers, instrument.contract_size)
    return sorted(found)


def _lowest_maxima(risk: "BookRisk") -> Floats:
    """Lowest maximum leverage of any tier of each listing; infinite where its tables state none."""
    lowest = []
    for policy in risk.policies:
        for name in risk.book.instrument_names:
            stated: list[float] = []
            if name in policy.instruments:
                instrument = policy.instruments[name]
                for tiers in (instrument.tiers, instrument.short_tiers):
                    stated += () if tiers is None else tiers.max_leverage
            lowest.append(np.fmin.reduce(stated, initial=np.inf))
    return np.array(lowest)


def _above(
    risk: "BookRisk", rows: npt.NDArray[np.int64], name: str, tiers: "TierTable", contract_size: float
) -> list[LeverageAboveTier]:
    """Those of some positions of an instrument on one side that are above."""
    book = risk.book
    if book.leverage is None:
        return []
    limit = None if book.risk_limit is None else book.risk_limit[rows]
    highest = leverage_of_tiers(tiers, np.abs(book.quantity[rows]), risk.notional[rows], limit, contract_size)
    above = book.leverage[rows] > highest
    return [
        LeverageAboveTier(int(row), name, float(book.leverage[row]), float(most))
        for row, most in zip(rows[above], highest[above], strict=True)
    ]


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
