"""Changes a second: `levcore.what_if` beside a loop over `evaluate` and beside numba.

Orders on isolated rows and on accounts of ten legs; the number of changes is the argument, by default a
million. The loop builds the changed account and evaluates it, order by order; numba's program is one loop
over all orders with the tables as constants, which gives the same outputs and knows no other rule.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc

FLOORS = np.array([0.0, 50_000.0, 250_000.0, 1_000_000.0])
RATES = np.array([0.004, 0.005, 0.01, 0.025])
LEGS = 10
ROWS = 1_000_000
NAMES = [f"X{place}" for place in range(100)]
Floats = npt.NDArray[np.float64]


def loop_over_evaluate(engine: lc.Engine, columns: Any, order: Any, cross: bool) -> list[float]:
    """Liquidation price after each order: a book of the changed account, evaluated, one after the other."""
    code, quantity, entry, more, marks = columns
    found = []
    for row, bought, price in zip(*order, strict=True):
        first = row // LEGS * LEGS if cross else row
        rows = slice(first, first + (LEGS if cross else 1))
        held, paid = quantity[row], entry[row]
        after, average = held + bought, paid
        adds = (held > 0.0) == (bought > 0.0)
        turns = not adds and abs(bought) > abs(held)
        closed = 0.0 if adds else min(abs(bought), abs(held))
        realized = closed * (price - paid) * (1.0 if held > 0.0 else -1.0)
        if adds:
            average = (abs(held) * paid + abs(bought) * price) / abs(after)
        elif turns:
            average = price
        sizes, entries = quantity[rows].copy(), entry[rows].copy()
        sizes[row - first], entries[row - first] = after, average
        own: dict[str, Any]
        if cross:
            wallet = more[row // LEGS] + realized - 0.0005 * abs(bought) * price
            own = {"account": ["a"] * LEGS, "margin_mode": "cross", "wallet_balance": {"a": wallet}}
        elif adds:
            own = {"isolated_margin": [more[row] + abs(bought) * price / 10.0]}
        elif turns:
            own = {"isolated_margin": [abs(after) * price / 10.0]}
        else:
            own = {"isolated_margin": [more[row] * abs(after) / abs(held)]}
        book = lc.PositionBook(code[rows], sizes, entries, leverage=10.0, instrument_names=NAMES, **own)
        found.append(float(engine.evaluate(book, marks).liquidation_price[row - first]))
    return found


def best_of(work: Callable[[], Any], runs: int = 3) -> float:
    """Shortest time of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main(count: int) -> None:
    """Print changes a second."""
    random = np.random.default_rng(7)
    marks = np.exp(random.normal(3.0, 2.0, len(NAMES)))
    code = (np.arange(ROWS) % LEGS * 10 + random.integers(0, 10, ROWS)).astype(np.uint32)
    quantity = 20_000.0 / marks[code] * random.choice([-1.0, 1.0], ROWS)
    entry, mark = marks[code] * np.exp(random.normal(0.0, 0.02, ROWS)), marks[code]
    margin, wallet = np.full(ROWS, 3_000.0), np.full(ROWS // LEGS, 60_000.0)
    table = lc.TierTable.marginal(
        list(zip(FLOORS.tolist(), map(str, RATES.tolist()), strict=True)), unit="quote"
    )
    policy = lc.policy("generic").with_instruments([lc.Instrument(name, "linear", table) for name in NAMES])
    shared: dict[str, Any] = {"leverage": 10.0, "instrument_names": NAMES}
    owner = np.arange(ROWS) // LEGS
    books = {
        "isolated rows": lc.PositionBook(code, quantity, entry, isolated_margin=margin, **shared),
        "accounts of ten legs": lc.PositionBook(
            code,
            quantity,
            entry,
            owner,
            "cross",
            accounts=np.arange(ROWS // LEGS),
            wallet_balance=wallet,
            **shared,
        ),
    }
    row = random.integers(0, ROWS, count)
    bought = quantity[row] * random.choice([-2.0, -0.5, 0.5, 1.0], count)
    price = mark[row] * np.exp(random.normal(0.0, 0.01, count))
    fees = {"isolated rows": 0.0, "accounts of ten legs": 0.0005}
    print(f"{count:,} orders on {ROWS:,} rows, {os.cpu_count()} processors")
    for name, book in books.items():
        cross = name != "isolated rows"
        changes = lc.Changes(
            np.ones(count, np.uint8), row=row, quantity=bought, price=price, fee_rate=fees[name]
        )
        for threads in (1, 2):
            engine = lc.Engine(policy, threads=threads)
            result = lc.what_if(engine, book, marks, changes, before=False)
            spent = best_of(lambda: lc.what_if(engine, book, marks, changes, before=False, out=result))  # noqa: B023
            print(f"{name}: levcore, {threads} threads: {count / spent / 1e6:.2f} M changes/s")
        prices = result.after.positions.liquidation_price
        few = slice(0, min(count, 500))
        columns = code, quantity, entry, wallet if cross else margin, marks
        order = row[few].tolist(), bought[few].tolist(), price[few].tolist()
        told: list[float] = []
        slow = best_of(lambda: told.extend(loop_over_evaluate(engine, columns, order, cross)), 1)  # noqa: B023
        assert np.allclose(told, prices[few], rtol=1e-9, equal_nan=True), name
        print(f"{name}: a loop over evaluate: {len(told) / slow / 1e6:.4f} M changes/s")
        against_numba(name, (quantity, entry, mark, columns[3]), (row, bought, price), prices, cross)


def against_numba(name: str, book: Any, order: Any, prices: Floats, cross: bool) -> None:
    """Time numba's program of the same outputs, once it agrees."""
    try:
        import numba

        import opponents_numba_what_if as opponent
    except ImportError:
        print(f"{name}: numba is not installed")
        return
    run = opponent.accounts if cross else opponent.isolated
    out = np.empty((opponent.OUTPUTS, prices.size))
    run(*(order[0], book, *order[1:]), out)
    assert np.allclose(out[opponent.PRICE], prices, rtol=1e-9, equal_nan=True), name
    for threads in (1, 2):
        numba.set_num_threads(threads)
        spent = best_of(lambda: run(order[0], book, *order[1:], out))
        print(
            f"{name}: numba, {threads} threads, the same outputs: {prices.size / spent / 1e6:.2f} M changes/s"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
