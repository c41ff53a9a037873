"""DuckDB as a good quant writes it: one query over native tables, tiers by counting floors and a join.

Slower, on the look-up alone: a join on the range of the tier, `greatest` over all lines, an ASOF join; and
fetching the result into numpy or Arrow instead of a table of the database.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from contender import LiquidationTables, Outputs
from workload import BANKRUPT, HEALTHY, LIQUIDATION, MEASURES, WARNING, WARNING_LEVEL, Workload

ISOLATED = """
    SELECT *, margin + unrealized_pnl AS equity, maintenance_margin AS requirement,
        margin - quantity * entry AS own, -(margin - quantity * entry) / quantity AS zero
    FROM valued"""
CROSS = """
    SELECT *, equity - requirement + maintenance_margin - quantity * mark AS own,
        mark - equity / quantity AS zero
    FROM valued JOIN (
        SELECT account, any_value(wallet) + sum(unrealized_pnl) AS equity,
            sum(maintenance_margin) AS requirement
        FROM valued JOIN wallets USING (account) GROUP BY account
    ) USING (account)"""
QUERY = """
CREATE OR REPLACE TABLE result AS
WITH marked AS (
    SELECT positions.*, mark, abs(quantity) AS size, abs(quantity) * mark AS notional,
        quantity * (mark - entry) AS unrealized_pnl, side * {tiers} + {tier} AS line, {borders}
    FROM positions JOIN sides_{tick} USING (side)
), valued AS (
    SELECT marked.*, rate * notional - deduction AS maintenance_margin FROM marked JOIN lines USING (line)
), judged AS ({judged}
), counted AS (
    SELECT *, side * {tiers} + {limit_tier} AS limit_line FROM judged
), priced AS (
    SELECT counted.*, scale * (own + deduction) / size AS limit_price
    FROM counted JOIN lines ON limit_line = lines.line
)
SELECT row, notional, unrealized_pnl, unrealized_pnl * leverage / (size * entry) AS return_on_equity,
    notional / leverage AS initial_margin, maintenance_margin, equity,
    CASE WHEN equity > 0 THEN requirement / equity ELSE 'inf'::DOUBLE END AS margin_ratio,
    CASE WHEN equity > 0 THEN notional / equity ELSE 'inf'::DOUBLE END AS effective_leverage,
    CASE WHEN limit_price > 0 THEN limit_price ELSE 'nan'::DOUBLE END AS liquidation_price,
    CASE WHEN zero > 0 THEN zero ELSE 'nan'::DOUBLE END AS bankruptcy_price,
    CASE WHEN limit_price > 0 THEN sign(quantity) * (mark - limit_price) / mark
        WHEN equity <= 0 OR requirement >= equity THEN '-inf'::DOUBLE ELSE 'inf'::DOUBLE END
        AS distance_to_liquidation,
    CASE WHEN equity <= 0 THEN {bankrupt} WHEN requirement >= equity THEN {liquidation}
        WHEN requirement / equity >= {level} THEN {warning} ELSE {healthy} END::UTINYINT AS state
FROM priced"""


class DuckDB:
    """A database in memory with the book and its tables, on two threads."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.database = duckdb.connect(config={"threads": 2})
        tables, limits = work.tables, LiquidationTables(work.tables)
        self.count = tables.floors.shape[1]
        side = 2 * work.codes + (work.quantity < 0.0)
        columns: dict[str, npt.NDArray[Any]] = {
            "row": np.arange(len(side), dtype=np.uint32),
            "side": side,
            "quantity": work.quantity,
            "entry": work.entry_price,
            "margin": work.isolated_margin,
            "leverage": work.leverage,
            "account": work.accounts.astype(np.int32),
        }
        if mode == "isolated":
            del columns["account"]
        self._create("positions", columns)
        self._create(
            "wallets",
            {"account": np.arange(len(work.wallet_balance), dtype=np.int32), "wallet": work.wallet_balance},
        )
        for tick, marks in enumerate(work.marks):
            sides: dict[str, npt.NDArray[Any]] = {
                "side": np.arange(2 * len(marks), dtype=np.int32),
                "mark": np.repeat(marks, 2),
            }
            for tier in range(1, self.count):
                sides[f"floor_{tier}"] = np.repeat(tables.floors[:, tier], 2)
                sides[f"border_{tier}"] = limits.borders[tier]
            self._create(f"sides_{tick}", sides)
        lines: dict[str, npt.NDArray[Any]] = {
            "line": np.arange(2 * tables.floors.size, dtype=np.int32),
            "rate": np.repeat(tables.rates, 2, axis=0).ravel(),
            "deduction": np.repeat(tables.deductions, 2, axis=0).ravel(),
            "scale": limits.scale.T.ravel(),
        }
        self._create("lines", lines)
        self.judged = CROSS if mode == "cross" else ISOLATED

    def _create(self, name: str, columns: dict[str, npt.NDArray[Any]]) -> None:
        self.database.register("columns", columns)
        self.database.execute(f"CREATE TABLE {name} AS SELECT * FROM columns")
        self.database.unregister("columns")

    def run(self, variant: str, tick: int) -> None:
        """Evaluate into a table of the database, anew each time."""
        places = range(1, self.count)
        query = QUERY.format(
            tick=tick,
            tiers=self.count,
            tier=" + ".join(f"(abs(quantity) * mark > floor_{k})::INT" for k in places),
            borders=", ".join(f"border_{k}" for k in places),
            limit_tier=" + ".join(f"(-sign(quantity) * own > border_{k})::INT" for k in places),
            judged=self.judged,
            healthy=HEALTHY,
            warning=WARNING,
            level=WARNING_LEVEL,
            liquidation=LIQUIDATION,
            bankrupt=BANKRUPT,
        )
        self.database.execute(query)

    def outputs(self) -> Outputs:
        """Columns of the last run; the table holds them in any order, with the number of each row."""
        columns = self.database.execute("SELECT * FROM result ORDER BY row").fetchnumpy()
        return {name: np.asarray(columns[name]) for name in (*MEASURES, "state")}
