"""Orders that have not happened, in numba: what `levcore.what_if` tells of a position and its account.

One fused loop over the changes on all threads, tables as constants, no statuses and no rule but the bench's:
marginal tiers, no closing fee, a leverage for all. Rows of `out`: quantity, entry price, wallet or margin,
realized profit, fee; notional, profit, return, initial and maintenance margin, equity, ratio, effective
leverage, prices of liquidation and bankruptcy, distance; the five of the account.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

FLOORS = np.array([0.0, 50_000.0, 250_000.0, 1_000_000.0])
RATES = np.array([0.004, 0.005, 0.01, 0.025])
CUTS = np.concatenate((np.zeros(1), np.cumsum(FLOORS[1:] * np.diff(RATES))))
LEGS = 10
LEVERAGE = 10.0
OUTPUTS = 21
PRICE = 13
"""Row of the liquidation price."""


@numba.njit(inline="always")
def required(value: float) -> float:
    """Maintenance margin of a value."""
    most = 0.0
    for tier in range(FLOORS.size):
        most = max(most, RATES[tier] * value - CUTS[tier])
    return most


@numba.njit(inline="always")
def filled(held: float, entry: float, bought: float, price: float) -> tuple[float, float, float]:
    """Quantity, entry price and realized profit after an order."""
    after = held + bought
    if held == 0.0 or (held > 0.0) == (bought > 0.0):
        return after, (abs(held) * entry + abs(bought) * price) / (abs(held) + abs(bought)), 0.0
    turns = abs(bought) > abs(held)
    closed = abs(held) if turns else abs(bought)
    return after, price if turns else entry, (1.0 if held > 0.0 else -1.0) * closed * (price - entry)


@numba.njit(inline="always")
def tell(out: Any, at: int, after: float, entry: float, mark: float, equity: float, needed: float) -> None:
    """Measures of a position: `equity` judges it, `needed` is the requirement of all that it is judged by."""
    size, side = abs(after), 1.0 if after > 0.0 else -1.0
    value, profit = size * mark, after * (mark - entry)
    own = required(value)
    # Equity less the other requirements and this position's value: what does not move with its price.
    rest = equity - (needed - own) - side * value
    best = -1e300 if side > 0.0 else 1e300
    for tier in range(FLOORS.size):
        price = -(rest + CUTS[tier]) / (side - RATES[tier])
        best = max(best, price) if side > 0.0 else min(best, price)
    liquidation = best / size if size > 0.0 and best > 0.0 else np.nan
    bankruptcy = (side * value - equity) * side / size if size > 0.0 else np.nan
    out[5, at], out[6, at] = value, profit
    out[7, at] = profit / (size * entry / LEVERAGE) if size > 0.0 else np.nan
    out[8, at], out[9, at], out[10, at] = value / LEVERAGE, own, equity
    out[11, at] = needed / equity if equity > 0.0 else np.inf
    out[12, at] = value / equity if equity > 0.0 else np.inf
    out[PRICE, at], out[14, at] = liquidation, bankruptcy
    out[15, at] = side * (mark - liquidation) / mark


@numba.njit(parallel=True)
def isolated(row: Any, book: Any, bought: Any, price: Any, out: Any) -> None:
    """Orders on isolated rows."""
    quantity, entry, mark, margin = book
    for at in numba.prange(row.size):
        place = row[at]
        held, had, own = quantity[place], margin[place], price[at]
        after, average, realized = filled(held, entry[place], bought[at], own)
        if (held > 0.0) == (bought[at] > 0.0):
            kept = had + abs(bought[at]) * own / LEVERAGE
        elif abs(bought[at]) > abs(held):
            kept = abs(after) * own / LEVERAGE
        else:
            kept = had * abs(after) / abs(held)
        out[0, at], out[1, at], out[2, at], out[3, at], out[4, at] = after, average, kept, realized, 0.0
        value = abs(after) * mark[place]
        tell(out, at, after, average, mark[place], kept + after * (mark[place] - average), required(value))
        for measure in range(16, OUTPUTS):
            out[measure, at] = np.nan


@numba.njit(parallel=True)
def accounts(row: Any, book: Any, bought: Any, price: Any, out: Any) -> None:
    """Orders on legs of accounts of ten."""
    quantity, entry, mark, wallet = book
    for at in numba.prange(row.size):
        place, account = row[at], row[at] // LEGS
        after, average, realized = filled(quantity[place], entry[place], bought[at], price[at])
        fee = 0.0005 * abs(bought[at]) * price[at]
        money = wallet[account] + (realized - fee)
        equity, needed, initial = money, 0.0, 0.0
        for leg in range(account * LEGS, account * LEGS + LEGS):
            held, paid = (after, average) if leg == place else (quantity[leg], entry[leg])
            value = abs(held) * mark[leg]
            equity += held * (mark[leg] - paid)
            needed += required(value)
            initial += value / LEVERAGE
        out[0, at], out[1, at], out[2, at], out[3, at], out[4, at] = after, average, money, realized, fee
        tell(out, at, after, average, mark[place], equity, needed)
        out[16, at], out[17, at], out[18, at] = equity, initial, needed
        out[19, at] = equity - initial
        out[20, at] = needed / equity if equity > 0.0 else np.inf
