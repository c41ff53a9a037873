"""Changes a second: `levcore.what_if` beside a loop in Python and beside numba.

Orders on isolated rows and on accounts of ten legs; the number of changes is the argument, by default a
million. The opponents do what a trader's script does for an order: entry price, margin, wallet, and the
liquidation price by a marginal table. levcore gives eleven measures of the position and nine of the account.
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


def deductions() -> Floats:
    """What each tier takes off."""
    return np.concatenate(([0.0], np.cumsum(FLOORS[1:] * np.diff(RATES))))


CUTS = deductions()


def order_on_isolated(
    quantity: float, entry: float, margin: float, bought: float, price: float, leverage: float
) -> float:
    """Liquidation price after an order on an isolated position."""
    after = quantity + bought
    if (quantity > 0.0) == (bought > 0.0):
        margin += abs(bought) * price / leverage
        entry = (abs(quantity) * entry + abs(bought) * price) / abs(after)
    elif abs(bought) > abs(quantity):
        margin, entry = abs(after) * price / leverage, price
    else:
        margin *= abs(after) / abs(quantity)
    if after == 0.0:
        return np.nan
    side = 1.0 if after > 0.0 else -1.0
    needed = side * abs(after) * entry - margin
    best = -1e300 if side > 0.0 else 1e300
    for tier in range(FLOORS.size):
        value = (needed - CUTS[tier]) / (side - RATES[tier])
        best = max(best, value) if side > 0.0 else min(best, value)
    return best / abs(after)


def order_on_account(
    leg: int,
    quantity: Floats,
    entry: Floats,
    mark: Floats,
    wallet: float,
    bought: float,
    price: float,
    fee: float,
) -> float:
    """Liquidation price of a leg after an order on it, the other nine legs at their marks."""
    held = quantity[leg]
    after, entry_after, wallet = held + bought, entry[leg], wallet - fee * abs(bought) * price
    if (held > 0.0) == (bought > 0.0):
        entry_after = (abs(held) * entry_after + abs(bought) * price) / abs(after)
    else:
        closed = min(abs(bought), abs(held))
        wallet += (1.0 if held > 0.0 else -1.0) * closed * (price - entry_after)
        if abs(bought) > abs(held):
            entry_after = price
    if after == 0.0:
        return np.nan
    surplus = wallet
    for other in range(quantity.size):
        if other != leg:
            value = abs(quantity[other]) * mark[other]
            requirement = 0.0
            for tier in range(FLOORS.size):
                requirement = max(requirement, RATES[tier] * value - CUTS[tier])
            surplus += quantity[other] * (mark[other] - entry[other]) - requirement
    side = 1.0 if after > 0.0 else -1.0
    needed = side * abs(after) * entry_after - surplus
    best = -1e300 if side > 0.0 else 1e300
    for tier in range(FLOORS.size):
        value = (needed - CUTS[tier]) / (side - RATES[tier])
        best = max(best, value) if side > 0.0 else min(best, value)
    return best / abs(after)


def isolated_loop(row: Any, book: Any, bought: Floats, price: Floats, out: Floats) -> None:
    """Every order on an isolated row."""
    quantity, entry, margin = book
    for change in range(row.size):
        at = row[change]
        out[change] = order_on_isolated(
            quantity[at], entry[at], margin[at], bought[change], price[change], 10.0
        )


def account_loop(row: Any, book: Any, bought: Floats, price: Floats, out: Floats) -> None:
    """Every order on a leg of an account."""
    quantity, entry, mark, wallet = book
    for change in range(row.size):
        account, leg = row[change] // LEGS, row[change] % LEGS
        own = slice(account * LEGS, account * LEGS + LEGS)
        out[change] = order_on_account(
            leg, quantity[own], entry[own], mark[own], wallet[account], bought[change], price[change], 0.0005
        )


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
    loops = {
        "isolated rows": (isolated_loop, (quantity, entry, margin)),
        "accounts of ten legs": (account_loop, (quantity, entry, mark, wallet)),
    }
    try:
        import numba
    except ImportError:
        numba = None
    print(f"{count:,} orders on {ROWS:,} rows, {os.cpu_count()} processors")
    if numba is not None:
        for name in ("order_on_isolated", "order_on_account"):
            globals()[f"python_{name}"] = globals()[name]
    for name, book in books.items():
        changes = lc.Changes(
            np.ones(count, np.uint8), row=row, quantity=bought, price=price, fee_rate=fees[name]
        )
        loop, columns = loops[name]
        few, out = min(count, 20_000), np.empty(count)
        slow = best_of(lambda: loop(row[:few], columns, bought[:few], price[:few], out), 1)  # noqa: B023
        for threads in (1, 2):
            engine = lc.Engine(policy, threads=threads)
            result = lc.what_if(engine, book, marks, changes, before=False)
            spent = best_of(lambda: lc.what_if(engine, book, marks, changes, before=False, out=result))  # noqa: B023
            print(f"{name}: levcore, {threads} threads: {count / spent / 1e6:.2f} M changes/s")
        found = result.after.positions.liquidation_price[:few]
        positive = out[:few] > 0.0
        assert np.allclose(found[positive], out[:few][positive], rtol=1e-9, equal_nan=True), name
        print(f"{name}: loop in Python: {few / slow / 1e6:.4f} M changes/s")
        if numba is not None:
            helper = "order_on_isolated" if loop is isolated_loop else "order_on_account"
            globals()[helper] = numba.njit(globals()[f"python_{helper}"])
            fast = numba.njit(loop)
            fast(row[:10], columns, bought[:10], price[:10], out)
            spent = best_of(lambda: fast(row, columns, bought, price, out))  # noqa: B023
            print(f"{name}: numba, 1 thread, the price alone: {count / spent / 1e6:.2f} M changes/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
