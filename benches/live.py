"""Ticks of a live book beside a full pass at every tick and beside a program that keeps heaps of prices.

The heaps hold the liquidation prices of an isolated book, two an instrument, and know nothing else: no cross
account, no other level, no numbers of an event. A full pass evaluates the cross book after a tick; a program
without triggers has no other way, since a tick moves the liquidation prices of other legs of its accounts.
Both must tell the same liquidations.
"""

import argparse
import heapq
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc

INSTRUMENTS, LEGS = 100, 5
STEP = 5e-4
"""Size of a tick: 5 bp."""
ROUNDS = 2
Ticks = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def engine() -> lc.Engine:
    """One policy over instruments of one tier table."""
    tiers = lc.policy("binance-usdm@2024-10-24").instruments["BTCUSDT"].tiers
    policy = lc.policy("binance-usdm@2024-10-24")
    return lc.Engine(policy.with_instruments([lc.Instrument(name, "linear", tiers) for name in names()]))


def names() -> list[str]:
    """Names of the instruments."""
    return [f"X{place}USDT" for place in range(INSTRUMENTS)]


def book(rows: int, mode: str, leverage: tuple[int, int], seed: int = 1) -> lc.PositionBook:
    """Positions at a price of 100; `LEGS` of as many instruments an account, where they are cross."""
    random = np.random.default_rng(seed)
    account = np.arange(rows) // LEGS
    first = random.integers(0, INSTRUMENTS, rows // LEGS + 1)[account]
    codes = (first + 17 * (np.arange(rows) % LEGS)) % INSTRUMENTS
    quantity = random.choice([-1.0, 1.0], rows) * random.lognormal(2.0, 1.5, rows)
    cross: dict[str, Any] = {}
    if mode == "cross":
        gross = np.bincount(account, np.abs(quantity) * 100.0)
        cross = {"account": account, "accounts": np.arange(gross.size)}
        cross["wallet_balance"] = gross / random.uniform(*leverage, gross.size)
    return lc.PositionBook(
        codes,
        quantity,
        np.full(rows, 100.0),
        margin_mode=mode,
        leverage=random.uniform(*leverage, rows).round(),
        instrument_names=names(),
        **cross,
    )


def walk(count: int, step: float, seed: int = 2) -> Ticks:
    """Random walks of all instruments, a tick at a time."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, INSTRUMENTS, count)
    moves, prices = random.choice([-step, step], count), np.empty(count)
    for code in range(INSTRUMENTS):
        own = codes == code
        prices[own] = 100.0 * np.exp(np.cumsum(moves[own]))
    return codes, prices


def by_heaps(
    held: lc.PositionBook, prices_at: npt.NDArray[np.float64], ticks: Ticks
) -> list[tuple[int, int]]:
    """Tick and row of every first liquidation, by two heaps of prices an instrument."""
    below: list[list[tuple[float, int]]] = [[] for _ in range(INSTRUMENTS)]
    above: list[list[tuple[float, int]]] = [[] for _ in range(INSTRUMENTS)]
    for row, (code, size, price) in enumerate(
        zip(held.instrument_codes.tolist(), held.quantity.tolist(), prices_at.tolist(), strict=True)
    ):
        (below if size > 0 else above)[code].append((-price if size > 0 else price, row))
    for heap in (*below, *above):
        heapq.heapify(heap)
    found, start = [], time.process_time()
    for tick, (code, price) in enumerate(zip(ticks[0].tolist(), ticks[1].tolist(), strict=True)):
        heap = below[code]
        while heap and -heap[0][0] >= price:
            found.append((tick, heapq.heappop(heap)[1]))
        heap = above[code]
        while heap and heap[0][0] <= price:
            found.append((tick, heapq.heappop(heap)[1]))
    report("heaps of prices, isolated, 5 bp", len(ticks[0]), time.process_time() - start, len(found))
    return found


def report(what: str, ticks: int, taken: float, events: int) -> None:
    """Say how fast it was."""
    sys.stdout.write(f"{what:<58} {ticks / taken:>14,.0f} ticks/s {events:>9,} events\n")


def run(what: str, armed: lc.Engine, held: lc.PositionBook, ticks: Ticks, levels: list[str] | None) -> Any:
    """Measure ticks of a live book; the live book and its events."""
    marks = np.full(INSTRUMENTS, 100.0)
    best, live, events = np.inf, None, None
    for _ in range(ROUNDS):
        live = lc.live(armed, held, marks, levels=levels)
        start = time.process_time()
        events = live.ticks(*ticks)
        best = min(best, time.process_time() - start)
    report(what, len(ticks[0]), best, len(events))
    return live, events


def main() -> None:
    """Measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    asked = parser.parse_args()
    armed, marks = engine(), np.full(INSTRUMENTS, 100.0)
    far, only = book(asked.rows, "isolated", (2, 4)), ["liquidation"]
    still = walk(asked.ticks, 1e-7)
    run("nothing crossed, isolated, liquidation", armed, far, still, only)
    run("nothing crossed, isolated, every level", armed, far, still, None)
    near, ticks = book(asked.rows, "isolated", (4, 15)), walk(asked.ticks, STEP)
    _, events = run("isolated, 5 bp, liquidation", armed, near, ticks, only)
    prices_at = armed.evaluate(near, marks, measures=("liquidation_price",)).liquidation_price
    told = {int(row) for row in events.subject.place[events.state >= lc.State.LIQUIDATION]}
    if told != {row for _, row in by_heaps(near, prices_at, ticks)}:
        raise SystemExit("live book and heaps liquidate others")
    cross = book(asked.rows, "cross", (5, 80))
    live, _ = run("cross, 5 bp, liquidation", armed, cross, ticks, only)
    run("cross, 5 bp, every level", armed, cross, ticks, None)
    start = time.process_time()
    risk = armed.evaluate(cross, live.marks(), threads=1)
    report("a full pass at every tick, cross", 1, time.process_time() - start, 0)
    wrong = live.accounts().state != risk.accounts.state
    sys.stdout.write(f"accounts that stand otherwise than in a full pass: {int(wrong.sum())}\n")


if __name__ == "__main__":
    main()
