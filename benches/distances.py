"""Legs a second on rays of prices: how far all prices may move until each account is liquidated.

python benches/distances.py [--legs 1000000] [--turns 7] [--out FILE.md]

Accounts of ten legs out of 320 instruments with Binance's real tier tables, betas of 0.5 to 1.5. numba does
what levcore does, Newton's method from outside on the straight pieces of the surplus, in one loop over the
accounts, whose rows it gets in order; NumPy bisects all accounts at once, a tenth of them since it takes so
long. All take turns in one process, one call each, and everybody's distances must agree before anything is
timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

import levcore as lc
from contender_levcore import book_of, policies_of
from machine import describe
from report import grid, number
from scenarios import take_turns
from workload import LEGS_PER_ACCOUNT, Floats, Workload, bundled_tables, generate

Run = Callable[[], tuple[Floats, Floats]]
STEPS = 60
"""Bisections: down to the last bits of a place between 0 and 16."""
FARTHEST = 16.0
NUMPY = "numpy, bisection of healthy accounts"
AGREED = 1e-9


def betas_of(work: Workload) -> Floats:
    """The same random betas in every run."""
    return np.random.default_rng(5).uniform(0.5, 1.5, len(work.tables.names))


def levcore_runs(work: Workload, order: str) -> dict[str, Run]:
    """Levcore on one thread and on two."""
    engine, book = lc.Engine(policies_of(work, "cross")), book_of(work, "cross")
    betas = dict(zip(work.tables.names.tolist(), betas_of(work).tolist(), strict=True))

    def run(threads: int) -> Run:
        def call() -> tuple[Floats, Floats]:
            found = lc.distance(engine, book, work.marks[0], betas, threads=threads)
            return found.lower, found.upper

        return call

    return {f"levcore, {order}, {threads} threads": run(threads) for threads in (1, 2)}


def numpy_runs(work: Workload) -> dict[str, Run]:
    """All accounts at once: the surplus is concave, so its zeros lie on either side of its highest place."""
    code, mark = work.codes, work.marks[0][work.codes]
    beta, size = betas_of(work)[code], np.abs(work.quantity)
    count, starts = len(work.wallet_balance), np.arange(0, len(code), LEGS_PER_ACCOUNT)
    tables = work.tables

    def surplus(move: Floats) -> Floats:
        """Surplus of every account at a move of its own."""
        price = mark * (1.0 + beta * move[work.accounts])
        value = size * price
        margin = np.zeros(len(value))
        for rates, deductions in zip(tables.rates.T, tables.deductions.T, strict=True):
            np.maximum(margin, rates[code] * value - deductions[code], out=margin)
        legs = work.quantity * (price - work.entry_price) - margin
        return work.wallet_balance + np.add.reduceat(legs, starts)

    def bisect(good: Floats, bad: Floats) -> Floats:
        exists = (surplus(good) >= 0.0) & (surplus(bad) < 0.0)
        for _ in range(STEPS):
            middle = 0.5 * (good + bad)
            fine = surplus(middle) >= 0.0
            good, bad = np.where(fine, middle, good), np.where(fine, bad, middle)
        return np.where(exists, bad, np.nan)

    def call() -> tuple[Floats, Floats]:
        largest = np.maximum.reduceat(beta, starts)
        now = np.zeros(count)
        return bisect(now, -1.0 / largest), bisect(now, (FARTHEST - 1.0) / largest)

    return {NUMPY: call}


def numba_runs(work: Workload) -> dict[str, Run]:
    """One loop over accounts; nothing without numba."""
    try:
        from numba import njit, prange, set_num_threads

        from opponents_numba import tier_of
    except ImportError:
        return {}

    @njit
    def touching(place, codes, quantity, entry, marks, betas, largest, tables):  # type: ignore[no-untyped-def]
        """Value at 0 and slope of the line that touches the surplus of these legs at a place."""
        floors, rates, deductions = tables
        start, slope = 0.0, 0.0
        for leg in range(codes.size):
            code, q = codes[leg], quantity[leg]
            share, worth = betas[code] / largest, abs(q) * marks[code]
            factor = np.inf if place == np.inf else 1.0 + share * (place - 1.0)
            tier = tier_of(worth * factor, floors[code])
            own = q * marks[code] - rates[code, tier] * worth
            start += own * (1.0 - share) - q * entry[leg] + deductions[code, tier]
            slope += own * share
        return start, slope

    @njit
    def zero(place, sign, wallet, *legs):  # type: ignore[no-untyped-def]
        """Newton's method from a place outside of all zeros, to the one on this side."""
        start, slope = touching(place, *legs)
        start += wallet
        height = start + slope * place if place != np.inf else -sign * slope
        if not (height < 0.0 if place != np.inf else slope < 0.0):
            return np.nan
        for _ in range(200):
            if not slope * sign > 0.0:
                return np.nan
            following = -start / slope
            if place != np.inf and not (following - place) * sign > 0.0:
                return place
            if not following > 0.0:
                return np.nan
            place = following
            start, slope = touching(place, *legs)
            start += wallet
        return place

    @njit(parallel=True)
    def distances(  # type: ignore[no-untyped-def]
        codes, quantity, entry, wallets, borders, marks, betas, tables, lower, upper
    ):
        for account in prange(wallets.size):
            rows = slice(borders[account], borders[account + 1])
            largest = betas[codes[rows]].max()
            legs = codes[rows], quantity[rows], entry[rows], marks, betas, largest, tables
            lower[account] = (zero(0.0, 1.0, wallets[account], *legs) - 1.0) / largest
            upper[account] = (zero(np.inf, -1.0, wallets[account], *legs) - 1.0) / largest

    borders = np.append(np.arange(0, len(work.codes), LEGS_PER_ACCOUNT), len(work.codes))
    tables = work.tables.floors, work.tables.rates, work.tables.deductions
    lower, upper = np.empty(len(borders) - 1), np.empty(len(borders) - 1)
    betas = betas_of(work)

    def run(threads: int) -> Run:
        def call() -> tuple[Floats, Floats]:
            set_num_threads(threads)
            legs = work.codes, work.quantity, work.entry_price, work.wallet_balance
            distances(*legs, borders, work.marks[0], betas, tables, lower, upper)
            return lower, upper

        return call

    return {f"numba, {threads} threads": run(threads) for threads in (1, 2)}


def agree(runs: dict[str, Run], work: Workload) -> None:
    """Refuse to time contenders whose distances differ by more than round-off."""
    risk = lc.Engine(policies_of(work, "cross")).evaluate(book_of(work, "cross"), work.marks[0])
    healthy = risk.accounts.surplus > 0.0
    expected = [column.copy() for column in next(iter(runs.values()))()]
    for name, run in runs.items():
        for found, column in zip(run(), expected, strict=True):
            # Bisection asks healthy accounts alone, and no farther than it looks.
            judged = healthy & ~(column > 8.0) if name == NUMPY else np.ones(len(column), np.bool_)
            if not np.allclose(found[judged], column[judged], AGREED, AGREED, equal_nan=True):
                raise SystemExit(f"{name}: distances differ")


def main() -> None:
    """Measure and print; write the table where asked."""
    parser = argparse.ArgumentParser(description="Legs a second on rays of prices.")
    parser.add_argument("--legs", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    machine = describe()
    tables = bundled_tables()
    work = generate(chosen.legs, "cross", "sorted", tables)
    runs = levcore_runs(work, "by account")
    runs |= levcore_runs(generate(chosen.legs, "cross", "random", tables), "random rows")
    runs |= numba_runs(work)
    agree(runs, work)
    tenth = generate(chosen.legs // 10, "cross", "sorted", tables)
    slow = numpy_runs(tenth)
    agree(levcore_runs(tenth, "by account") | slow, tenth)
    lines = [
        [name, number(legs / median(spent) / 1e6), number(1e9 * median(spent) / legs), str(len(spent))]
        for contenders, turns, legs in ((runs, chosen.turns, chosen.legs), (slow, 1, len(tenth.codes)))
        for name, times in take_turns(contenders, turns).items()
        for spent in [[clock for clock, _ in times]]
    ]
    text = (
        f"{chosen.legs:,} legs in {len(work.wallet_balance):,} accounts, all prices moving by their betas\n\n"
        + grid(["contender", "M legs/s", "ns a leg, median", "turns"], lines)
        + f"\n\n{machine['processor']}, {machine['cores']} cores.\n"
    )
    print(text)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
