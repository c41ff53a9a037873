"""Nanoseconds a row where no row, one in a hundred and half of them are not ordinary ones.

Odd rows are, in equal parts, without a quantity, flat, without margin and leverage, with an entry price that
is infinite, and in an instrument that nobody knows. One thread, its processor time, the least of many calls.
"""

from __future__ import annotations

import time

import numpy as np

import levcore as lc
from workload import MEASURES, bundled_tables, generate

ROWS, CALLS = 100_000, 200
SHARES = (0.0, 0.01, 0.5)


def nanoseconds(order: str, share: float) -> float:
    """Processor time of a row, in nanoseconds."""
    work = generate(ROWS, "isolated", order, bundled_tables())
    columns = {
        "instrument": work.codes,
        "quantity": work.quantity,
        "entry_price": work.entry_price,
        "isolated_margin": work.isolated_margin,
        "leverage": work.leverage,
    }
    columns = {name: column.copy() for name, column in columns.items()}
    odd = np.random.default_rng(1).permutation(ROWS)[: int(ROWS * share)]
    columns["quantity"][odd[0::5]] = np.nan
    columns["quantity"][odd[1::5]] = 0.0
    columns["isolated_margin"][odd[2::5]] = np.nan
    columns["leverage"][odd[2::5]] = np.nan
    columns["entry_price"][odd[3::5]] = np.inf
    names = [*work.tables.names.tolist(), "NOBODY-KNOWS"]
    columns["instrument"][odd[4::5]] = len(names) - 1
    book = lc.PositionBook(margin_mode="isolated", instrument_names=names, **columns)
    engine, marks = lc.Engine(lc.policy("binance-usdm")), np.append(work.marks[0], 1.0)
    risk, least = engine.evaluate(book, marks, threads=1, measures=MEASURES), float("inf")
    for _ in range(CALLS):
        start = time.thread_time_ns()
        risk = engine.evaluate(book, marks, threads=1, measures=MEASURES, out=risk)
        least = min(least, (time.thread_time_ns() - start) / ROWS)
    return least


if __name__ == "__main__":
    print("| odd rows | sorted by instrument | random order |\n| --: | --: | --: |")
    for share in SHARES:
        print(f"| {share:.0%} | {nanoseconds('sorted', share):.1f} | {nanoseconds('random', share):.1f} |")
