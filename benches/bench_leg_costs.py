"""Leave-one-out of accounts of ten legs beside one evaluation of the same book."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

import levcore as lc

ACCOUNTS, LEGS, REPEATS = 100_000, 10, 7


def book(*, together: bool) -> tuple[lc.PositionBook, lc.Engine, dict[str, float]]:
    """A million legs; the legs of an account neighbours, or anywhere."""
    random = np.random.default_rng(1)
    policy = lc.policy("binance-usdm")
    names = [name for name in policy.instruments if name.endswith("USDT")][:LEGS]
    rows = ACCOUNTS * LEGS
    order = np.arange(rows) if together else random.permutation(rows)
    held = lc.PositionBook(
        np.tile(np.arange(LEGS), ACCOUNTS)[order],
        random.normal(size=rows) * 0.01,
        np.full(rows, 100.0),
        account=np.repeat(np.arange(ACCOUNTS), LEGS)[order],
        margin_mode="cross",
        leverage=5.0,
        accounts=np.arange(ACCOUNTS),
        wallet_balance=random.uniform(0.1, 2.0, ACCOUNTS),
        instrument_names=names,
    )
    return held, lc.Engine(policy), dict.fromkeys(names, 101.0)


def best(work: Callable[[], object]) -> float:
    """Shortest time of a few runs after one that warms up, in seconds."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print both times and their quotient."""
    for together in (True, False):
        held, engine, marks = book(together=together)
        once = best(partial(engine.evaluate, held, marks))
        legs = best(partial(lc.leg_costs, engine, held, marks))
        where = "neighbours" if together else "apart"
        times = f"evaluate {1e3 * once:.1f} ms, leg_costs {1e3 * legs:.1f} ms"
        print(f"legs {where}: {times}, {legs / once:.2f} times")


if __name__ == "__main__":
    main()
