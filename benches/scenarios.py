"""Legs a second over sixteen scenarios: levcore beside numpy and numba, which compute the scan risk alone.

A second numba program writes all that levcore does without charges: four measures and a status an account,
and the scan risk and the worst scenario of every group. Without groups levcore still writes the measures and
the status, makes its outputs anew in every call, and looks up instruments and groups; the first numba program
writes one number an account into an array that it has, and knows where each group of an account begins.

python benches/scenarios.py [--legs 1000000] [--turns 7] [--out FILE.md]

A hundred thousand accounts of ten legs in three groups each, out of 320 instruments in 40 groups. All take
turns in one process, one call each, and medians are shown, of the processor's time too: a shared machine
drifts. Everybody's scan risk
by account must agree before anything is timed. The rivals get what suits them for free: legs sorted by
account and group, and the borders found; levcore sorts nothing and checks every leg.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.scenarios import (
    ContractCharge,
    ScenarioAddOns,
    ScenarioArrays,
    SpreadCharge,
    scenario_margin,
)
from machine import describe

Floats = npt.NDArray[np.float64]
Run = Callable[[], Floats]

INSTRUMENTS, GROUPS, SCENARIOS = 320, 40, 16
LEGS_PER_ACCOUNT, GROUPS_PER_ACCOUNT = 10, 3
CHUNK = 4_096
"""Groups of accounts that numpy takes at a time, so that its products stay in the cache."""


@dataclass(frozen=True)
class Portfolio:
    """Legs by account and group, and where each group of an account and each account starts."""

    instrument: npt.NDArray[np.uint32]
    quantity: Floats
    account: npt.NDArray[np.int64]
    profits: Floats
    group: npt.NDArray[np.int64]
    group_starts: npt.NDArray[np.int64]
    account_starts: npt.NDArray[np.int64]


def portfolio(legs: int) -> Portfolio:
    """The same random legs in every run."""
    random = np.random.default_rng(11)
    accounts = max(1, legs // LEGS_PER_ACCOUNT)
    account = np.repeat(np.arange(accounts), LEGS_PER_ACCOUNT)
    choice = random.integers(0, GROUPS, (accounts, GROUPS_PER_ACCOUNT))
    group = choice[account, random.integers(0, GROUPS_PER_ACCOUNT, account.size)]
    order = np.lexsort((group, account))
    group = group[order]
    instrument = group * (INSTRUMENTS // GROUPS) + random.integers(0, INSTRUMENTS // GROUPS, account.size)
    step = np.flatnonzero(np.diff(account * GROUPS + group)) + 1
    group_starts = np.concatenate(([0], step))
    return Portfolio(
        instrument.astype(np.uint32),
        random.integers(-9, 10, account.size) + 0.5,
        account,
        random.normal(0.0, 1_000.0, (INSTRUMENTS, SCENARIOS)),
        np.repeat(np.arange(GROUPS), INSTRUMENTS // GROUPS),
        group_starts,
        np.searchsorted(account[group_starts], np.arange(accounts)),
    )


def levcore_runs(held: Portfolio, shuffled: bool) -> dict[str, Run]:
    """Levcore on one thread and on two, with charges and without."""
    order = np.random.default_rng(3).permutation(held.account.size) if shuffled else slice(None)
    names = [f"I{number}" for number in range(INSTRUMENTS)]
    arrays = ScenarioArrays.from_profits(held.profits, names, groups=[str(group) for group in held.group])
    rows = held.account.size
    book = lc.PositionBook(
        held.instrument[order],
        held.quantity[order],
        np.ones(rows),
        account=held.account[order],
        margin_mode="cross",
        instrument_names=names,
        accounts=np.arange(held.account_starts.size),
        wallet_balance=np.zeros(held.account_starts.size),
    )
    charged = ScenarioAddOns(
        minimum=ContractCharge(short=10.0),
        contingency=ContractCharge(long=1.0, short=1.0),
        spread=SpreadCharge(dict.fromkeys(names, 1.0), dict.fromkeys(arrays.groups, 5.0)),
    )

    def run(threads: int, add_ons: ScenarioAddOns | None = None, *, groups: bool = True) -> Run:
        return lambda: scenario_margin(book, arrays, add_ons, keep_groups=groups, threads=threads).scan_risk

    where = "random rows" if shuffled else "by account"
    runs = {f"levcore, {where}, {threads} threads": run(threads) for threads in (1, 2)}
    runs |= {
        f"levcore without groups, {where}, {threads} threads": run(threads, groups=False)
        for threads in (1, 2)
    }
    return runs | {f"levcore with three kinds of charges, {where}, 2 threads": run(2, charged)}


def numpy_runs(held: Portfolio) -> dict[str, Run]:
    """Sums by ``add.reduceat``, over all legs at once and in chunks, and by ``add.at``."""

    def of_groups(scanned: Floats) -> Floats:
        return np.add.reduceat(np.maximum(0.0, -scanned), held.account_starts)

    def whole() -> Floats:
        products = held.quantity[:, None] * held.profits[held.instrument]
        return of_groups(np.add.reduceat(products, held.group_starts).min(axis=1))

    def chunked() -> Floats:
        borders = np.append(held.group_starts, held.quantity.size)
        scanned = np.empty(held.group_starts.size)
        for first in range(0, scanned.size, CHUNK):
            part = slice(first, min(first + CHUNK, scanned.size))
            legs = slice(borders[part.start], borders[part.stop])
            products = held.quantity[legs, None] * held.profits[held.instrument[legs]]
            np.add.reduceat(products, borders[part] - legs.start).min(axis=1, out=scanned[part])
        return of_groups(scanned)

    def scattered() -> Floats:
        target = np.zeros((held.group_starts.size, SCENARIOS))
        place = np.zeros(held.quantity.size, dtype=np.int64)
        place[held.group_starts[1:]] = 1
        np.add.at(target, np.cumsum(place), held.quantity[:, None] * held.profits[held.instrument])
        return of_groups(target.min(axis=1))

    return {
        "numpy, add.reduceat": whole,
        "numpy, add.reduceat in chunks": chunked,
        "numpy, add.at": scattered,
    }


def numba_runs(held: Portfolio) -> dict[str, Run]:
    """One fused loop over the groups of each account, in parallel over accounts; nothing without numba."""
    try:
        from numba import njit, prange, set_num_threads
    except ImportError:
        return {}

    @njit(parallel=True)
    def scan(  # type: ignore[no-untyped-def]
        instrument, quantity, profits, borders, account_borders, out
    ):
        for account in prange(out.size):
            sums = np.empty(SCENARIOS)
            total = 0.0
            for group in range(account_borders[account], account_borders[account + 1]):
                sums[:] = 0.0
                for leg in range(borders[group], borders[group + 1]):
                    row, q = instrument[leg], quantity[leg]
                    for scenario in range(SCENARIOS):
                        sums[scenario] += q * profits[row, scenario]
                total += max(0.0, -sums.min())
            out[account] = total

    @njit(parallel=True)
    def scan_groups(  # type: ignore[no-untyped-def]
        instrument, quantity, profits, borders, account_borders, group, measures, status, codes, risks
    ):
        for account in prange(status.size):
            sums = np.empty(SCENARIOS)
            total = 0.0
            for place in range(account_borders[account], account_borders[account + 1]):
                sums[:] = 0.0
                for leg in range(borders[place], borders[place + 1]):
                    row, q = instrument[leg], quantity[leg]
                    for scenario in range(SCENARIOS):
                        sums[scenario] += q * profits[row, scenario]
                worst = sums.argmin()
                risk = max(0.0, -sums[worst])
                codes[0, place], codes[1, place] = account, group[instrument[borders[place]]]
                codes[2, place], codes[3, place] = worst, worst
                risks[0, place], risks[1, place] = risk, risk
                total += risk
            measures[0, account], measures[1, account] = total, 0.0
            measures[2, account], measures[3, account] = 0.0, max(total, 0.0)
            status[account] = 0 if np.isfinite(total) else 1

    borders = np.append(held.group_starts, held.quantity.size)
    account_borders = np.append(held.account_starts, held.group_starts.size)
    accounts, groups = held.account_starts.size, held.group_starts.size
    out, measures, status = np.empty(accounts), np.empty((4, accounts)), np.empty(accounts, np.uint8)
    codes, risks = np.empty((4, groups), np.uint32), np.empty((2, groups))
    legs = held.instrument, held.quantity, held.profits, borders, account_borders

    def run(threads: int) -> Run:
        def call() -> Floats:
            set_num_threads(threads)
            scan(*legs, out)
            return out

        return call

    def run_all(threads: int) -> Run:
        def call() -> Floats:
            set_num_threads(threads)
            scan_groups(*legs, held.group, measures, status, codes, risks)
            return measures[0]

        return call

    return {f"numba, {threads} threads": run(threads) for threads in (1, 2)} | {
        f"numba, the same outputs, {threads} threads": run_all(threads) for threads in (1, 2)
    }


def agree(runs: dict[str, Run]) -> None:
    """Refuse to time contenders whose scan risks differ by more than round-off."""
    expected = next(iter(runs.values()))().copy()
    for name, run in runs.items():
        if not np.allclose(run(), expected, rtol=1e-12, atol=1e-6):
            raise SystemExit(f"{name}: scan risks differ")


def take_turns(runs: dict[str, Run], turns: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of a call of each and of the processor, one after the other in each turn."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            start, spent = perf_counter(), process_time()
            run()
            seconds[name].append((perf_counter() - start, process_time() - spent))
    return seconds


def table(seconds: dict[str, list[tuple[float, float]]], legs: int, machine: dict[str, Any]) -> str:
    """Markdown table of medians."""
    lines = [
        f"{legs:,} legs in {max(1, legs // LEGS_PER_ACCOUNT):,} accounts over {SCENARIOS} scenarios",
        "",
        "| contender | M legs/s | ms a call, median | best | ms of the processor, median |",
        "| --- | --: | --: | --: | --: |",
    ]
    for name, spent in seconds.items():
        clock, processor = ([turn[place] for turn in spent] for place in (0, 1))
        middle = median(clock)
        lines.append(
            f"| {name} | {legs / middle / 1e6:.1f} | {1e3 * middle:.1f} | {1e3 * min(clock):.1f} "
            f"| {1e3 * median(processor):.1f} |"
        )
    versions = ", ".join(f"{tool} {version}" for tool, version in machine["versions"].items() if tool in
                         ("levcore", "numpy", "numba"))  # fmt: skip
    return "\n".join([*lines, "", f"{machine['processor']}, {machine['cores']} cores; {versions}.", ""])


def main() -> None:
    """Measure and print; write the table where asked."""
    parser = argparse.ArgumentParser(description="Legs a second over sixteen scenarios.")
    parser.add_argument("--legs", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    machine = describe()
    held = portfolio(chosen.legs)
    runs = levcore_runs(held, shuffled=False) | levcore_runs(held, shuffled=True)
    runs |= numba_runs(held) | numpy_runs(held)
    agree(runs)
    text = table(take_turns(runs, chosen.turns), held.quantity.size, machine)
    print(text)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
