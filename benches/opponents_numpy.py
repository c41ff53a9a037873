"""numpy as a good quant writes it: blocks of rows in the cache, outputs allocated once, tiers by counting.

The usual shortcut, one `searchsorted` over keys `instrument * 2**40 + floor`, is not used: it loses the low
bits of the value and puts about one row in 10,000 into the wrong tier. One instrument at a time, in a sorted
book, was slower than the look-ups below at 1e6 rows (the blocks become too short).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from contender import LiquidationTables, Outputs, empty_outputs
from workload import BANKRUPT, LIQUIDATION, WARNING, WARNING_LEVEL, Floats, Workload

BLOCK = 32_768

Indices = npt.NDArray[np.intp]


def count_below(value: Floats, borders: Floats, columns: Indices) -> Indices:
    """Flat index into a table like `borders`: its row is how many borders of its column are below `value`."""
    tier = np.zeros(len(value), np.int8)
    border, above = np.empty(len(value)), np.empty(len(value), np.bool_)
    for row in borders[1:]:
        np.take(row, columns, out=border, mode="clip")
        np.greater(value, border, out=above)
        tier += above.view(np.int8)
    index = np.multiply(tier, borders.shape[1], dtype=np.intp)
    index += columns
    return index


class Numpy:
    """A book with its codes and tables in the form that `np.take` likes best."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.work = work
        self.cross = mode == "cross"
        self.codes = work.codes.astype(np.intp)
        self.columns = self.codes * 2 + (work.quantity < 0.0)
        self.side = np.sign(work.quantity)
        self.floors = np.ascontiguousarray(work.tables.floors.T)
        self.rates = np.ascontiguousarray(work.tables.rates.T)
        self.deductions = np.ascontiguousarray(work.tables.deductions.T)
        self.liquidation = LiquidationTables(work.tables)
        self.out = empty_outputs(len(work.codes))
        self.pool = ThreadPoolExecutor(2)
        self.blocks = [slice(start, start + BLOCK) for start in range(0, len(work.codes), BLOCK)]

    def run(self, variant: str, tick: int) -> None:
        """Evaluate every row; numpy leaves the interpreter lock, so "2 threads" share the blocks of rows."""
        marks = self.work.marks[tick]
        on_blocks = self._with_pool if variant == "2 threads" else self._in_turn
        if self.cross:
            on_blocks(lambda rows: self._valuation(rows, marks))
            sums = self._sums()
            on_blocks(lambda rows: self._cross(rows, *sums))
        else:
            on_blocks(lambda rows: self._isolated(rows, marks))

    def _in_turn(self, work: Callable[[slice], None]) -> None:
        for rows in self.blocks:
            work(rows)

    def _with_pool(self, work: Callable[[slice], None]) -> None:
        list(self.pool.map(work, self.blocks))

    def outputs(self) -> Outputs:
        """Columns of the last run."""
        return self.out

    def _valuation(self, rows: slice, marks: Floats) -> None:
        """Measures that need nothing but the row; the mark is left in the column of the distance."""
        work, out, codes = (
            self.work,
            {name: column[rows] for name, column in self.out.items()},
            self.codes[rows],
        )
        quantity, entry, leverage = work.quantity[rows], work.entry_price[rows], work.leverage[rows]
        mark, value, pnl = out["distance_to_liquidation"], out["notional"], out["unrealized_pnl"]
        np.take(marks, codes, out=mark, mode="clip")
        size = np.abs(quantity)
        np.multiply(size, mark, out=value)
        np.subtract(mark, entry, out=pnl)
        pnl *= quantity
        np.multiply(pnl, leverage, out=out["return_on_equity"])
        size *= entry
        out["return_on_equity"] /= size
        np.divide(value, leverage, out=out["initial_margin"])
        tier = count_below(value, self.floors, codes)
        margin = out["maintenance_margin"]
        np.take(self.rates, tier, out=margin, mode="clip")
        margin *= value
        margin -= np.take(self.deductions, tier, out=size, mode="clip")

    def _isolated(self, rows: slice, marks: Floats) -> None:
        """All measures of isolated positions, each against its own margin."""
        self._valuation(rows, marks)
        work, out = self.work, {name: column[rows] for name, column in self.out.items()}
        np.add(work.isolated_margin[rows], out["unrealized_pnl"], out=out["equity"])
        self._against_equity(rows, out["maintenance_margin"])
        own = work.quantity[rows] * work.entry_price[rows]
        np.subtract(work.isolated_margin[rows], own, out=own)
        np.divide(own, work.quantity[rows], out=out["bankruptcy_price"])
        np.negative(out["bankruptcy_price"], out=out["bankruptcy_price"])
        out["bankruptcy_price"][out["bankruptcy_price"] <= 0.0] = np.nan
        self._liquidation(rows, own)

    def _against_equity(self, rows: slice, requirement: Floats) -> None:
        """Ratio, effective leverage and state of rows whose equity answers for `requirement`."""
        out = {name: column[rows] for name, column in self.out.items()}
        equity, ratio = out["equity"], out["margin_ratio"]
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(requirement, equity, out=ratio)
            np.divide(out["notional"], equity, out=out["effective_leverage"])
        bankrupt = equity <= 0.0
        ratio[bankrupt] = np.inf
        out["effective_leverage"][bankrupt] = np.inf
        np.multiply(ratio >= WARNING_LEVEL, WARNING, out=out["state"], dtype=np.uint8)
        out["state"][ratio >= 1.0] = LIQUIDATION
        out["state"][bankrupt] = BANKRUPT

    def _liquidation(self, rows: slice, own: Floats) -> None:
        """Liquidation price from `own` (equity less value, with the sign of the side) and its distance."""
        out, tables, side = (
            {name: column[rows] for name, column in self.out.items()},
            self.liquidation,
            self.side[rows],
        )
        tier = count_below(-side * own, tables.borders, self.columns[rows])
        price, scratch = out["liquidation_price"], np.empty(len(own))
        np.take(tables.deductions, tier, out=price, mode="clip")
        price += own
        price *= np.take(tables.scale, tier, out=scratch, mode="clip")
        price /= np.abs(self.work.quantity[rows], out=scratch)
        price[price <= 0.0] = np.nan
        distance = out["distance_to_liquidation"]
        move = np.subtract(distance, price, out=scratch)
        move *= side
        np.divide(move, distance, out=distance)
        none = np.isnan(distance)
        distance[none] = np.where(out["margin_ratio"][none] >= 1.0, -np.inf, np.inf)

    def _sums(self) -> tuple[Floats, Floats]:
        """Equity and maintenance margin of every account."""
        accounts, count = self.work.accounts, len(self.work.wallet_balance)
        pnl = np.bincount(accounts, self.out["unrealized_pnl"], count)
        margin = np.bincount(accounts, self.out["maintenance_margin"], count)
        return self.work.wallet_balance + pnl, margin.astype(np.float64, copy=False)

    def _cross(self, rows: slice, equity: Floats, margin: Floats) -> None:
        """Measures of legs that depend on the sums of their accounts."""
        out = {name: column[rows] for name, column in self.out.items()}
        account, quantity, mark = (
            self.work.accounts[rows],
            self.work.quantity[rows],
            out["distance_to_liquidation"],
        )
        np.take(equity, account, out=out["equity"], mode="clip")
        requirement = np.take(margin, account)
        self._against_equity(rows, requirement)
        price = np.divide(out["equity"], quantity, out=out["bankruptcy_price"])
        np.subtract(mark, price, out=price)
        price[price <= 0.0] = np.nan
        own = out["equity"] - requirement
        own += out["maintenance_margin"]
        own -= quantity * mark
        self._liquidation(rows, own)
