"""numba at its best: a book sorted by instrument, where a block of rows has one tier table, in scalars.

The maximum over the lines then vectorises, as every loop runs along rows. It needs the sorted order: in any
other the outputs would have to be scattered back, at more than the arithmetic costs.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange, set_num_threads

from contender import Outputs, empty_outputs
from workload import BANKRUPT, HEALTHY, LIQUIDATION, MEASURES, WARNING, WARNING_LEVEL, Workload

BLOCK = 512


@njit(parallel=True, cache=True)
def evaluate(  # type: ignore[no-untyped-def]
    starts, codes, tiers, all_quantity, all_entry, all_margin, all_leverage, marks, rates, deductions,
    notional, pnl, on_equity, initial, maintenance, equity, ratio, effective, price, bankruptcy, distance,
    state,
):  # fmt: skip
    """All measures of isolated positions, block by block; a block has one instrument."""
    for block in prange(starts.size - 1):
        rows = slice(starts[block], starts[block + 1])
        code = codes[rows.start]
        mark, count = marks[code], rows.stop - rows.start
        quantity, entry = all_quantity[rows], all_entry[rows]
        own_margin, leverage = all_margin[rows], all_leverage[rows]
        value, profit, margin, left = notional[rows], pnl[rows], maintenance[rows], equity[rows]
        limit, move, ratios, times = price[rows], distance[rows], ratio[rows], effective[rows]
        returns, opening, bankrupt, states = on_equity[rows], initial[rows], bankruptcy[rows], state[rows]
        # Side times value at liquidation is a maximum of lines for longs and for shorts.
        first_rate = rates[code, 0]
        of_long, of_short = -1.0 / (1.0 - first_rate), -1.0 / (1.0 + first_rate)
        for i in range(count):
            size = abs(quantity[i])
            worth, gain = size * mark, quantity[i] * (mark - entry[i])
            value[i] = worth
            profit[i] = gain
            returns[i] = gain * leverage[i] / (size * entry[i])
            opening[i] = worth / leverage[i]
            margin[i] = first_rate * worth
            left[i] = own_margin[i] + gain
            zero = -(own_margin[i] - quantity[i] * entry[i]) / quantity[i]
            bankrupt[i] = zero if zero > 0.0 else np.nan
            limit[i] = (own_margin[i] - quantity[i] * entry[i]) * (of_long if quantity[i] > 0.0 else of_short)
        for k in range(1, tiers[code]):
            rate, deduction = rates[code, k], deductions[code, k]
            of_long, of_short = -1.0 / (1.0 - rate), -1.0 / (1.0 + rate)
            for i in range(count):
                line = rate * value[i] - deduction
                before = margin[i]
                margin[i] = line if line > before else before
            for i in range(count):
                own = own_margin[i] - quantity[i] * entry[i]
                line = (own + deduction) * (of_long if quantity[i] > 0.0 else of_short)
                before = limit[i]
                limit[i] = line if line > before else before
        for i in range(count):
            size, side = abs(quantity[i]), 1.0 if quantity[i] > 0.0 else -1.0
            at = side * limit[i] / size
            solvent = left[i] > 0.0
            used = margin[i] / left[i] if solvent else np.inf
            ratios[i] = used
            times[i] = value[i] / left[i] if solvent else np.inf
            judged = LIQUIDATION if used >= 1.0 else (WARNING if used >= WARNING_LEVEL else HEALTHY)
            states[i] = judged if solvent else BANKRUPT
            limit[i] = at if at > 0.0 else np.nan
            move[i] = side * (mark - at) / mark if at > 0.0 else np.inf


class NumbaSorted:
    """A sorted book cut into blocks that do not cross instruments."""

    def __init__(self, work: Workload, mode: str) -> None:
        if mode != "isolated" or np.any(np.diff(work.codes) < 0):
            raise ValueError("needs isolated positions, sorted by instrument")
        self.work = work
        rows = len(work.codes)
        edges = np.flatnonzero(np.diff(work.codes)) + 1
        cuts = [np.arange(a, b, BLOCK) for a, b in zip([0, *edges], [*edges, rows], strict=True)]
        self.starts = np.concatenate([*cuts, [rows]])
        self.tiers = np.isfinite(work.tables.floors).sum(axis=1)
        self.out = empty_outputs(rows)

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on one or two threads."""
        work = self.work
        set_num_threads(1 if variant == "1 thread" else 2)
        columns = work.quantity, work.entry_price, work.isolated_margin, work.leverage
        tables = work.marks[tick], work.tables.rates, work.tables.deductions
        results = (self.out[name] for name in MEASURES)
        evaluate(self.starts, work.codes, self.tiers, *columns, *tables, *results, self.out["state"])

    def outputs(self) -> Outputs:
        """Columns of the last run."""
        return self.out
