"""levcore itself, and its pure-Python reference, as contenders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import levcore as lc
from contender import Outputs
from workload import MEASURES, Workload

FEWER_MEASURES = ("unrealized_pnl", "margin_ratio", "liquidation_price")


def book_of(work: Workload, mode: str) -> lc.PositionBook:
    """Book of the workload's columns, which it borrows."""
    return lc.PositionBook(
        instrument=work.codes,
        instrument_names=work.tables.names.tolist(),
        quantity=work.quantity,
        entry_price=work.entry_price,
        margin_mode=mode,
        isolated_margin=work.isolated_margin if mode == "isolated" else None,
        leverage=work.leverage,
        account=work.accounts if mode == "cross" else None,
        accounts=np.arange(len(work.wallet_balance)) if mode == "cross" else None,
        wallet_balance=work.wallet_balance if mode == "cross" else None,
    )


class Reused:
    """Every measure, into the same result again and again."""

    measures: tuple[str, ...] | None = None

    def __init__(self, work: Workload, mode: str) -> None:
        self.engine = lc.Engine(lc.policy("binance-usdm"))
        self.book = book_of(work, mode)
        self.marks = work.marks
        self.risk = self.engine.evaluate(self.book, work.marks[0], measures=self.measures)

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on as many threads as the variant's first character says."""
        self.engine.evaluate(
            self.book, self.marks[tick], out=self.risk, measures=self.measures, threads=int(variant[0])
        )

    def outputs(self) -> Outputs:
        """Columns of the last run."""
        columns = self.risk.to_dict()
        return {name: columns[name] for name in (*MEASURES, "state") if name in columns}


class Fresh(Reused):
    """Every measure, into a new result each time; the old one is dropped first."""

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on as many threads as the variant's first character says."""
        del self.risk
        self.risk = self.engine.evaluate(self.book, self.marks[tick], threads=int(variant[0]))


class Fewer(Reused):
    """Three measures and the codes only."""

    measures = FEWER_MEASURES


class Reordered(Reused):
    """The same book built anew in the row order that levcore recommends, `PositionBook.row_order`."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.rows = book_of(work, mode).row_order()
        columns = ("codes", "quantity", "entry_price", "isolated_margin", "leverage", "accounts")
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
        self.risk = lc.reference.evaluate(self.book, self.engine.policy, self.marks[tick])
