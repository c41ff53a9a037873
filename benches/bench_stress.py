"""Scenarios: `lc.stress` and a sorted book beside an evaluation a scenario and beside numba, in turns.

Isolated positions, and accounts of ten legs; the numbers of positions, of scenarios and of threads are the
arguments, and the books, ``isolated`` or ``accounts``. The evaluation a scenario and numba go through some of
the scenarios only, and their times are scaled to all. Times are of the processor: others may have it, too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import levcore as lc

FLOORS = np.array([0.0, 50_000.0, 250_000.0, 1_000_000.0])
RATES = np.array([0.004, 0.005, 0.01, 0.025])
LEGS = 10
NAMES = [f"X{place}" for place in range(100)]
TURNS = 3


def spent(work: Callable[[], Any]) -> float:
    """Seconds of processor time of one run: others may have the machine, too."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main(rows: int, scenarios: int, threads: int, kinds: list[str]) -> None:
    """Print times and ratios."""
    random = np.random.default_rng(7)
    marks = np.exp(random.normal(3.0, 2.0, len(NAMES)))
    code = (np.arange(rows) % LEGS * 10 + random.integers(0, 10, rows)).astype(np.uint32)
    quantity = 20_000.0 * random.lognormal(0.0, 1.0, rows) / marks[code] * random.choice([-1.0, 1.0], rows)
    entry = marks[code] * np.exp(random.normal(0.0, 0.02, rows))
    margin = np.abs(quantity) * entry / 10.0
    wallet = margin.reshape(-1, LEGS).sum(axis=1) / 2.0
    table = lc.TierTable.marginal(
        list(zip(FLOORS.tolist(), map(str, RATES.tolist()), strict=True)), unit="quote"
    )
    policy = lc.policy("generic").with_instruments([lc.Instrument(name, "linear", table) for name in NAMES])
    engine = lc.Engine(policy, threads=threads)
    owner = np.arange(rows) // LEGS
    books = {
        "isolated": lc.PositionBook(code, quantity, entry, isolated_margin=margin, instrument_names=NAMES),
        "accounts": lc.PositionBook(
            code, quantity, entry, owner, "cross", accounts=np.arange(rows // LEGS), wallet_balance=wallet,
            instrument_names=NAMES,
        ),
    }  # fmt: skip
    moves = random.normal(0.0, 0.1, (scenarios, len(NAMES))).clip(-0.5, 0.5)
    few = max(2, scenarios // 100)
    print(f"{rows:,} positions, {scenarios:,} scenarios, {threads} threads, {os.cpu_count()} processors")
    print(f"load {os.getloadavg()[0]:.1f}; an evaluation a scenario and numba over {few} of them, scaled")
    for name in kinds:
        book = books[name]
        if name == "isolated":
            time_index(engine, book, marks, moves, threads)
        lc.stress(engine, book, marks, moves[:2])
        own: list[float] = []
        slow: list[float] = []
        theirs: list[float] = []
        opponent = numba_of(name, (code, quantity, entry, margin, wallet), table, threads)
        for _ in range(TURNS):
            own.append(spent(lambda: lc.stress(engine, book, marks, moves)))  # noqa: B023
            every = spent(lambda: lc.stress(engine, book, marks, moves[:few], exact=True))  # noqa: B023
            slow.append(every * scenarios / few)
            if opponent is not None:
                prices = marks * (1.0 + moves[:few])
                theirs.append(spent(lambda: opponent(prices)) * scenarios / few)  # noqa: B023
        check(engine, book, marks, moves[:few], opponent)
        rate = rows * scenarios / min(own)
        print(f"{name}: levcore {min(own):.3f} s, {rate / 1e9:.2f} G positions x scenarios a second")
        for word, other in (("an evaluation a scenario", slow), ("numba", theirs)):
            if other:
                ratio = median(each / mine for each, mine in zip(other, own, strict=True))
                print(f"{name}: {word} {min(other):.3f} s, {ratio:.1f} times as long")


def time_index(engine: lc.Engine, book: lc.PositionBook, marks: Any, moves: Any, threads: int) -> None:
    """Print what sorting takes, and what scenarios take after it."""
    found: list[lc.StressIndex] = []
    memory = resident()
    sorting = spent(lambda: found.append(lc.StressIndex(engine, book, marks, lowest=-0.6, highest=0.6)))
    held = resident() - memory
    index = found[0]
    index.stress(moves[:2])
    asked = min(spent(lambda: index.stress(moves)) for _ in range(2 * TURNS))
    started = time.perf_counter()
    index.stress(moves)
    wall = time.perf_counter() - started
    check_index(index.stress(moves), lc.stress(engine, book, marks, moves))
    print(f"sorted book: {sorting:.2f} s to sort, {held / len(book):.0f} bytes a position;", end=" ")
    print(
        f"then {1e3 * asked:.1f} ms of processor for all scenarios ({1e3 * wall:.1f} ms on {threads} threads)"
    )


def check_index(found: Any, expected: Any) -> None:
    """Hold the sorted book to the positions followed one by one."""
    assert (found.positions_liquidated == expected.positions_liquidated).all()
    for name, values in expected.totals[expected.currencies[0]].items():
        assert np.allclose(found.totals[found.currencies[0]][name], values, rtol=1e-12, atol=1e-3), name


def resident() -> int:
    """Memory of this process, bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def numba_of(name: str, columns: Any, table: lc.TierTable, threads: int) -> Callable[[Any], Any] | None:
    """Numba's program of a book, compiled; None where numba is not installed."""
    try:
        import numba

        import opponents_numba_stress as programs
    except ImportError:
        return None
    numba.set_num_threads(threads)
    code, quantity, entry, margin, wallet = columns
    lines = FLOORS, RATES, np.array(table.deductions, dtype=np.float64)

    def run(prices: Any) -> Any:
        out = programs.new_output(len(prices))
        if name == "isolated":
            programs.isolated(prices, code, quantity, entry, margin, lines, out)
        else:
            programs.accounts(prices, code, quantity, entry, wallet, LEGS, lines, out)
        return out

    run(np.ones((1, len(NAMES))))
    return run


def check(engine: lc.Engine, book: lc.PositionBook, marks: Any, moves: Any, opponent: Any) -> None:
    """Hold all three to the same numbers."""
    fast, exact = (lc.stress(engine, book, marks, moves, exact=each) for each in (False, True))
    currency = fast.currencies[0]
    assert (fast.positions_liquidated == exact.positions_liquidated).all()
    for name, values in exact.totals[currency].items():
        assert np.allclose(fast.totals[currency][name], values, rtol=1e-12, atol=1e-3), name
    if opponent is not None:
        found = opponent(marks * (1.0 + moves))
        counts = exact.accounts_liquidated if len(book.account_ids) else exact.positions_liquidated
        assert np.allclose(found[0], exact.totals[currency]["equity"], rtol=1e-9, atol=1.0)
        assert (found[4] == counts).all()


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:] if each.isdecimal()]
    words = [each for each in sys.argv[1:] if not each.isdecimal()]
    main(*given, *(1_000_000, 1_000, 1)[len(given) :], words or ["isolated", "accounts"])
