"""numba as a good quant writes it: one fused loop over rows, tiers counted without a branch, no allocation.

Counting the floors below a value vectorises (it is a sum of integers); the maximum over the lines does not
without fastmath, and an early exit from a scan of the tiers mispredicts. Both were slower. The output arrays
are arguments one by one: with a tuple of them numba 0.68 drops the stores as dead code, silently.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange, set_num_threads

from contender import LiquidationTables, Outputs, empty_outputs
from workload import BANKRUPT, HEALTHY, LIQUIDATION, MEASURES, WARNING, WARNING_LEVEL, Workload


@njit(inline="always")
def state_of(ratio, equity):  # type: ignore[no-untyped-def]
    """State of a position or account, bankrupt where nothing is left to cover the requirement."""
    if equity <= 0.0:
        return np.uint8(BANKRUPT)
    if ratio >= 1.0:
        return np.uint8(LIQUIDATION)
    return np.uint8(WARNING) if ratio >= WARNING_LEVEL else np.uint8(HEALTHY)


@njit(inline="always")
def distance_of(side, mark, limit, ratio):  # type: ignore[no-untyped-def]
    """Distance to a liquidation price; where there is none, infinite on the side that the account is on."""
    if limit > 0.0:
        return side * (mark - limit) / mark
    return -np.inf if ratio >= 1.0 else np.inf


@njit(inline="always")
def tier_of(value, floors):  # type: ignore[no-untyped-def]
    """How many floors but the first are below `value`."""
    tier = 0
    for k in range(1, floors.size):
        tier += value > floors[k]
    return tier


@njit(parallel=True, cache=True)
def isolated(  # type: ignore[no-untyped-def]
    codes, quantity, entry, own_margin, leverage, marks, tables,
    notional, pnl, on_equity, initial, maintenance, equity, ratio, effective, price, bankruptcy, distance,
    state,
):  # fmt: skip
    """All measures of isolated positions."""
    floors, rates, deductions, borders, scale = tables
    for i in prange(codes.size):
        code, q, mark = codes[i], quantity[i], marks[codes[i]]
        size, side = abs(q), 1.0 if q > 0.0 else -1.0
        value, profit = size * mark, q * (mark - entry[i])
        notional[i] = value
        pnl[i] = profit
        on_equity[i] = profit * leverage[i] / (size * entry[i])
        initial[i] = value / leverage[i]
        tier = tier_of(value, floors[code])
        margin = rates[code, tier] * value - deductions[code, tier]
        left = own_margin[i] + profit
        maintenance[i] = margin
        equity[i] = left
        ratio[i] = margin / left if left > 0.0 else np.inf
        effective[i] = value / left if left > 0.0 else np.inf
        state[i] = state_of(ratio[i], left)
        own = own_margin[i] - q * entry[i]
        column = 2 * code + (q < 0.0)
        tier = tier_of(-side * own, borders[column])
        limit = scale[column, tier] * (own + deductions[code, tier]) / size
        zero = -own / q
        bankruptcy[i] = zero if zero > 0.0 else np.nan
        price[i] = limit if limit > 0.0 else np.nan
        distance[i] = distance_of(side, mark, limit, ratio[i])


@njit(parallel=True, cache=True)
def own_measures(  # type: ignore[no-untyped-def]
    codes, quantity, entry, leverage, marks, tables,
    notional, pnl, on_equity, initial, maintenance, equity, ratio, effective, price, bankruptcy, distance,
    state,
):  # fmt: skip
    """Measures of cross legs that need nothing but the leg."""
    floors, rates, deductions, _, _ = tables
    for i in prange(codes.size):
        code, q, mark = codes[i], quantity[i], marks[codes[i]]
        size = abs(q)
        value, profit = size * mark, q * (mark - entry[i])
        notional[i] = value
        pnl[i] = profit
        on_equity[i] = profit * leverage[i] / (size * entry[i])
        initial[i] = value / leverage[i]
        tier = tier_of(value, floors[code])
        maintenance[i] = rates[code, tier] * value - deductions[code, tier]


@njit(cache=True)
def account_sums(accounts, wallet, pnl, maintenance, sums):  # type: ignore[no-untyped-def]
    """Equity and maintenance margin of every account; on one thread, as two could meet in an account."""
    sums[:, 0] = wallet
    sums[:, 1] = 0.0
    for i in range(accounts.size):
        sums[accounts[i], 0] += pnl[i]
        sums[accounts[i], 1] += maintenance[i]


@njit(parallel=True, cache=True)
def account_measures(  # type: ignore[no-untyped-def]
    accounts, sums, codes, quantity, marks, tables,
    notional, pnl, on_equity, initial, maintenance, equity, ratio, effective, price, bankruptcy, distance,
    state,
):  # fmt: skip
    """Measures of cross legs that depend on their account."""
    _, _, deductions, borders, scale = tables
    for i in prange(codes.size):
        code, q, mark = codes[i], quantity[i], marks[codes[i]]
        left, required = sums[accounts[i], 0], sums[accounts[i], 1]
        side = 1.0 if q > 0.0 else -1.0
        equity[i] = left
        ratio[i] = required / left if left > 0.0 else np.inf
        effective[i] = notional[i] / left if left > 0.0 else np.inf
        state[i] = state_of(ratio[i], left)
        own = left - required + maintenance[i] - q * mark
        column = 2 * code + (q < 0.0)
        tier = tier_of(-side * own, borders[column])
        limit = scale[column, tier] * (own + deductions[code, tier]) / abs(q)
        zero = mark - left / q
        bankruptcy[i] = zero if zero > 0.0 else np.nan
        price[i] = limit if limit > 0.0 else np.nan
        distance[i] = distance_of(side, mark, limit, ratio[i])


# Below some 10,000 rows starting even one worker thread costs more than the loop.
SERIAL = {kernel: njit(kernel.py_func) for kernel in (isolated, own_measures, account_measures)}
SMALL = 10_000


class Numba:
    """A book with its tables row by row."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.work = work
        self.cross = mode == "cross"
        liquidation, tables = LiquidationTables(work.tables), work.tables
        self.tables = (
            tables.floors,
            tables.rates,
            tables.deductions,
            np.ascontiguousarray(liquidation.borders.T),
            np.ascontiguousarray(liquidation.scale.T),
        )
        self.out = empty_outputs(len(work.codes))
        self.columns = (*(self.out[name] for name in MEASURES), self.out["state"])
        self.sums = np.empty((len(work.wallet_balance), 2))

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on one or two threads."""
        work, marks = self.work, self.work.marks[tick]
        set_num_threads(1 if variant == "1 thread" else 2)
        alone = variant == "1 thread" and len(work.codes) < SMALL
        first, second, third = (
            SERIAL[kernel] if alone else kernel for kernel in (isolated, own_measures, account_measures)
        )
        legs = work.codes, work.quantity, work.entry_price
        if self.cross:
            second(*legs, work.leverage, marks, self.tables, *self.columns)
            pnl, margin = self.out["unrealized_pnl"], self.out["maintenance_margin"]
            account_sums(work.accounts, work.wallet_balance, pnl, margin, self.sums)
            third(work.accounts, self.sums, work.codes, work.quantity, marks, self.tables, *self.columns)
        else:
            first(*legs, work.isolated_margin, work.leverage, marks, self.tables, *self.columns)

    def outputs(self) -> Outputs:
        """Columns of the last run."""
        return self.out
