"""levcore itself, and its pure-Python reference, as contenders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import levcore as lc
from contender import Outputs
from workload import ASSETS, LIABILITY_WEIGHTS, MEASURES, WEIGHTS, Workload

FEWER_MEASURES = ("unrealized_pnl", "margin_ratio", "liquidation_price")


POLICY_LABELS = ("binance", "hyperliquid", "bybit")


def policies_of(work: Workload, mode: str) -> lc.MarginPolicy | dict[str, lc.MarginPolicy]:
    """Rules of the book: Binance's, or those of three venues over Binance's tables."""
    binance = lc.policy("binance-usdm")
    table = [binance.instruments[name] for name in work.tables.names.tolist()]
    if mode == "assets":
        numbers = zip(ASSETS, WEIGHTS.tolist(), LIABILITY_WEIGHTS.tolist(), strict=True)
        assets = [
            lc.Asset(name, (weight,), liability_weight=of_liability) for name, weight, of_liability in numbers
        ]
        return lc.policy("binance-usdm-multi-assets").with_instruments(table).with_assets(assets)
    if mode == "mixed":
        bybit = lc.policy("bybit-linear").replace(closing_fee_rate=0.00055)
        venues = binance, lc.policy("hyperliquid"), bybit
        return {
            label: venue.with_instruments(table) for label, venue in zip(POLICY_LABELS, venues, strict=True)
        }
    return binance


def book_of(work: Workload, mode: str) -> lc.PositionBook:
    """Book of the workload's columns, which it borrows."""
    isolated = mode == "isolated"
    columns: dict[str, Any] = {}
    if mode == "mixed":
        columns = {"policy": work.policies, "policy_names": POLICY_LABELS}
    if mode == "assets":
        columns = {"balances": balances_of(work)}
    elif not isolated:
        columns |= {"accounts": np.arange(len(work.wallet_balance)), "wallet_balance": work.wallet_balance}
    return lc.PositionBook(
        instrument=work.codes,
        instrument_names=work.tables.names.tolist(),
        quantity=work.quantity,
        entry_price=work.entry_price,
        margin_mode="isolated" if isolated else "cross",
        isolated_margin=work.isolated_margin if isolated else None,
        leverage=work.leverage,
        account=None if isolated else work.accounts,
        position_mode="hedge" if mode == "hedge" else "one_way",
        **columns,
    )


def balances_of(work: Workload) -> lc.Balances:
    """One row an asset of an account."""
    accounts, assets = work.balances.shape
    return lc.Balances(np.repeat(np.arange(accounts), assets), ASSETS * accounts, work.balances.ravel())


class Reused:
    """Every measure, into the same result again and again."""

    measures: tuple[str, ...] = MEASURES

    def __init__(self, work: Workload, mode: str) -> None:
        self.policies = policies_of(work, mode)
        self.engine = lc.Engine(self.policies)
        self.book = book_of(work, mode)
        self.marks = work.marks
        prices = [dict(zip(ASSETS, work.asset_prices(tick).tolist(), strict=True)) for tick in (0, 1)]
        self.asset_prices = prices if mode == "assets" else [None, None]
        self.risk = self.evaluate(0)

    def evaluate(self, tick: int, **options: Any) -> lc.BookRisk:
        """Call the engine at marks and prices `tick`."""
        return self.engine.evaluate(
            self.book,
            self.marks[tick],
            asset_prices=self.asset_prices[tick],
            measures=self.measures,
            **options,
        )

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on as many threads as the variant's first character says."""
        self.evaluate(tick, out=self.risk, threads=int(variant[0]))

    def outputs(self) -> Outputs:
        """Columns of the last run."""
        columns = self.risk.to_dict()
        return {name: columns[name] for name in (*MEASURES, "state") if name in columns}


class Fresh(Reused):
    """Every measure, into a new result each time; the old one is dropped first."""

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on as many threads as the variant's first character says."""
        del self.risk
        self.risk = self.evaluate(tick, threads=int(variant[0]))


class Fewer(Reused):
    """Three measures and the codes only."""

    measures = FEWER_MEASURES


class Reordered(Reused):
    """The same book built anew in the row order that levcore recommends, `PositionBook.row_order`."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.rows = book_of(work, mode).row_order()
        columns = ("codes", "quantity", "entry_price", "isolated_margin", "leverage", "accounts", "policies")
        super().__init__(replace(work, **{name: getattr(work, name)[self.rows] for name in columns}), mode)

    def outputs(self) -> Outputs:
        """Columns of the last run, back in the workload's order."""
        place = np.empty(len(self.rows), np.intp)
        place[self.rows] = np.arange(len(self.rows))
        return {name: np.asarray(column)[place] for name, column in super().outputs().items()}


class Reference(Reused):
    """levcore's specification in pure Python, one position at a time."""

    def run(self, variant: str, tick: int) -> None:
        """Evaluate; the interpreter has one thread."""
        self.risk = lc.reference.evaluate(
            self.book, self.policies, self.marks[tick], asset_prices=self.asset_prices[tick]
        )
