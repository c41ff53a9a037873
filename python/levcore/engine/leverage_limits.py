"""The maximum leverage of a tier, and the positions that hold more than theirs allows."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats

if TYPE_CHECKING:
    from collections.abc import Callable

    from levcore.engine.risk import BookRisk
    from levcore.rules.instruments import Instrument
    from levcore.rules.tiers import TierTable

__all__ = [
    "LeverageAboveTier",
    "allowed_leverage",
    "leverage_above_tier",
    "leverage_by_kind",
    "leverage_of_tiers",
]


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
    if book.leverage is None or not (book.leverage > 1.0).any():
        return []
    highest = allowed_leverage(risk)
    rows = np.flatnonzero((book.leverage > 1.0) & (book.leverage > highest))
    return [
        LeverageAboveTier(row, book.name_of(row), float(book.leverage[row]), float(highest[row]))
        for row in rows.tolist()
    ]


def allowed_leverage(risk: "BookRisk") -> Floats:
    """Maximum leverage of the tier that each position is in at the mark, shape (n,).

    NaN where its table states none, its policy does not know the instrument, or the row has no value; `risk`
    must hold ``notional``.
    """
    book = risk.book
    policies = np.zeros(len(book), np.int64) if book.policy_codes is None else book.policy_codes
    names = book.instrument_names
    kinds = policies.astype(np.int64) * max(len(names), 1) + book.instrument_codes

    def instrument_of(kind: int) -> "Instrument | None":
        policy, code = divmod(kind, len(names))
        table = risk.policies[policy].instruments
        return table.get(names[code])

    return leverage_by_kind(kinds, instrument_of, book.quantity, risk.notional, book.risk_limit)


def leverage_by_kind(
    kinds: npt.NDArray[np.int64],
    instrument_of: "Callable[[int], Instrument | None]",
    quantity: Floats,
    notional: Floats,
    risk_limit: Floats | None,
) -> Floats:
    """Maximum leverage of positions, each of a kind that has one instrument; NaN: none, or none stated."""
    highest = np.full(kinds.size, np.nan)
    order = np.argsort(kinds, kind="stable")
    found, starts = np.unique(kinds[order], return_index=True)
    ends = [*starts.tolist(), kinds.size][1:]
    for kind, start, end in zip(found.tolist(), starts.tolist(), ends, strict=True):
        rows = order[start:end]
        instrument = instrument_of(kind)
        if instrument is None:
            continue
        short = quantity[rows] < 0.0
        for side, tiers in (
            (rows[~short], instrument.tiers),
            (rows[short], instrument.short_tiers or instrument.tiers),
        ):
            limit = None if risk_limit is None else risk_limit[side]
            size = np.abs(quantity[side])
            highest[side] = leverage_of_tiers(tiers, size, notional[side], limit, instrument.contract_size)
    return highest


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
