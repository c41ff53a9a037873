"""One shot: from columns of names and numbers to a frame of results, beside a program of polars for them.

The book is cross, in random order, its accounts and instruments texts, and nothing of it is known before:
ours numbers the names, lays the book out and evaluates it, polars joins the names with its tables and sums
over the accounts. Both end in a polars frame. `--memory` tells how many bytes a row an isolated book takes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

import levcore as lc
from opponents_polars import Polars
from workload import MEASURES, Workload, bundled_tables, generate

ENGINE = lc.Engine(lc.policy("binance-usdm"))
KINDS = ("polars", "polars categorical", "numpy", "lists", "codes")
SECONDS = 2.0
"""How long each row of the table is measured at least, or `ROUNDS`."""
ROUNDS = 5


class OneShot:
    """A book in one kind of columns, and both ways to its results."""

    def __init__(self, work: Workload, kind: str) -> None:
        self.names, self.kind = work.tables.names.tolist(), kind
        self.marks = dict(zip(self.names, work.marks[0].tolist(), strict=True))
        ids = np.array([f"account-{account:09d}" for account in range(len(work.wallet_balance))])
        self.wallets = dict(zip(ids.tolist(), work.wallet_balance.tolist(), strict=True))
        self.numbers = {
            "quantity": work.quantity,
            "entry_price": work.entry_price,
            "leverage": work.leverage,
        }
        self.texts = self._texts(work.tables.names[work.codes], ids[work.accounts])
        if kind == "codes":
            self.texts = {"instrument": work.codes.astype(np.uint32), "account": work.accounts}
            self.wallets = dict(enumerate(work.wallet_balance.tolist()))
        elif kind.startswith("polars"):
            self.frame = pl.DataFrame(self.texts | self.numbers).with_columns(margin_mode=pl.lit("cross"))
        self.opponent = Polars(work, "cross")

    def _texts(self, instruments: Any, accounts: Any) -> dict[str, Any]:
        texts = {"instrument": instruments, "account": accounts}
        if self.kind == "numpy":
            return texts
        if self.kind == "lists":
            return {name: column.tolist() for name, column in texts.items()}
        series = {name: pl.Series(column) for name, column in texts.items()}
        if self.kind == "polars categorical":
            return {name: column.cast(pl.Categorical) for name, column in series.items()}
        return series

    def ours(self) -> pl.DataFrame:
        """Results of levcore."""
        return pl.DataFrame(ENGINE.evaluate(self.book(), self.marks))

    def book(self) -> lc.PositionBook:
        """The book alone."""
        if self.kind.startswith("polars"):
            return lc.PositionBook.from_frame(self.frame, wallet_balance=self.wallets)
        names = self.names if self.kind == "codes" else None
        return lc.PositionBook(
            **self.texts,
            **self.numbers,
            margin_mode="cross",
            wallet_balance=self.wallets,
            instrument_names=names,
        )

    def theirs(self) -> pl.DataFrame:
        """Results of polars: names joined with the tables, then the query of the other benches."""
        columns = self.texts | self.numbers
        frame = pl.DataFrame(columns).rename({"entry_price": "entry"}).lazy()
        if self.kind == "codes":
            frame = frame.rename({"instrument": "code"}).with_columns(pl.col("account").cast(pl.UInt32))
        else:
            frame = _joined(frame, "instrument", "code", self.names)
            frame = _joined(frame, "account", "place", list(self.wallets)).drop("account")
            frame = frame.rename({"place": "account"})
        # A lazy frame is a frame to the query, which then is one query.
        self.opponent.frame = frame
        self.opponent.run("", 0)
        return self.opponent.result


def _joined(frame: pl.LazyFrame, column: str, place: str, labels: list[str]) -> pl.LazyFrame:
    places = pl.DataFrame({column: labels, place: np.arange(len(labels), dtype=np.uint32)}).lazy()
    return frame.with_columns(pl.col(column).cast(pl.String)).join(
        places, on=column, how="left", maintain_order="left"
    )


def fastest(*works: Callable[[], object]) -> list[float]:
    """Seconds of the fastest run of each, taken in turns."""
    best = [np.inf] * len(works)
    started, rounds = time.perf_counter(), 0
    while rounds < ROUNDS or time.perf_counter() - started < SECONDS:
        for place, work in enumerate(works):
            begun = time.perf_counter()
            work()
            best[place] = min(best[place], time.perf_counter() - begun)
        rounds += 1
    return best


def check(shot: OneShot) -> None:
    """Refuse to time what does not compute the same."""
    ours, theirs = shot.ours(), shot.theirs()
    for name in MEASURES:
        found = ours[name].fill_null(np.nan).to_numpy()
        np.testing.assert_allclose(found, theirs[name].to_numpy(), rtol=1e-9, atol=1e-9, err_msg=name)


def bytes_a_row(rows: int) -> tuple[float, float]:
    """Bytes a row of the inputs, and of all at the peak, of an isolated book with codes; in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    random = np.random.default_rng(1)
    names = list(ENGINE.policy.instruments)[:320]
    columns = {
        "instrument": random.integers(0, len(names), rows, dtype=np.uint32),
        "quantity": random.normal(size=rows),
        "entry_price": random.uniform(90.0, 110.0, rows),
        "isolated_margin": random.uniform(1.0, 10.0, rows),
        "leverage": np.full(rows, 10.0),
    }
    risk = ENGINE.evaluate(lc.PositionBook(**columns, instrument_names=names), np.full(len(names), 100.0))
    assert len(risk) == rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return sum(column.nbytes for column in columns.values()) / rows, (peak - before) * 1024 / rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 100, 10_000, 1_000_000])
    parser.add_argument("--memory", type=int, nargs="*", default=[])
    parser.add_argument("--bytes", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bytes:
        print("{:.0f} {:.0f}".format(*bytes_a_row(options.bytes)))
        return
    print(
        f"{'rows':>10} {'from':<20}{'book':>12}{'levcore':>12}{'polars':>12}{'ratio':>8}   nanoseconds a row"
    )
    for rows in options.rows:
        work = generate(rows, "cross", "random", bundled_tables())
        for kind in KINDS:
            shot = OneShot(work, kind)
            check(shot)
            times = fastest(shot.book, shot.ours, shot.theirs)
            book, ours, theirs = (1e9 * seconds / rows for seconds in times)
            print(f"{rows:>10,} {kind:<20}{book:>12.1f}{ours:>12.1f}{theirs:>12.1f}{theirs / ours:>8.2f}")
    for rows in options.memory:
        told = [sys.executable, __file__, "--bytes", str(rows)]
        inputs, peak = subprocess.run(told, capture_output=True, text=True, check=True).stdout.split()
        print(f"{rows:>10,} isolated rows: {inputs} bytes a row in, {peak} at the peak")


if __name__ == "__main__":
    main()
