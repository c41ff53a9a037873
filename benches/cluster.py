"""A book in Parquet at once, in batches, in partitions over two processes and over Dask: time and memory.

``python benches/cluster.py [ROWS ...]``; each way runs in a process of its own, whose largest memory is told.
Totals are told as a hash of every bit of the summary: equal hashes are equal totals.
"""

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import levcore as lc
from levcore.measures import MEASURE_NAMES

MARKS = {"ADAUSDT": 0.4, "BNBUSDT": 600.0, "BTCUSDT": 61_000.0, "DOGEUSDT": 0.1}
MARKS |= {"ETHUSDT": 3_050.0, "LINKUSDT": 12.0, "SOLUSDT": 140.0, "XRPUSDT": 0.5}
PARTITIONS = 16
WAYS = ("at once", "batches", "partitions", "2 processes", "dask, 2 workers")


def rows(first: int, count: int) -> pl.DataFrame:
    """Positions from a number on, eight an account, every other account cross."""
    random = np.random.default_rng(first)
    number = np.arange(first, first + count)
    mark, account = np.array(list(MARKS.values()))[number % len(MARKS)], number // len(MARKS)
    cross = account % 2 == 0
    return pl.DataFrame(
        {
            "account": account,
            "instrument": pl.Series(list(MARKS)).gather(number % len(MARKS)),
            "margin_mode": pl.Series(["isolated", "cross"]).gather(cross.astype(np.int64)),
            "quantity": random.normal(0.0, 1_000.0, count) / mark,
            "entry_price": mark * random.normal(1.0, 0.03, count),
            "mark_price": mark,
            "leverage": random.integers(2, 20, count).astype(np.float64),
            "wallet_balance": pl.Series(np.where(cross, 500.0 + account % 5_000, np.nan)).fill_nan(None),
        }
    )


def write(folder: Path, count: int) -> None:
    """The book in partitions of whole accounts and, by polars, in one file."""
    size = -(-count // PARTITIONS // len(MARKS)) * len(MARKS)
    for place, first in enumerate(range(0, count, size)):
        rows(first, min(size, count - first)).write_parquet(folder / f"part-{place:02}.parquet")
    pl.scan_parquet(sorted(folder.glob("part-*.parquet"))).sink_parquet(folder / "book.parquet")


def summary(way: str, folder: Path) -> dict[str, object]:
    """Evaluate the book in one way."""
    engine, book = lc.Engine(lc.policy("binance-usdm@2024-10-24")), folder / "book.parquet"
    parts = sorted(folder.glob("part-*.parquet"))
    if way == "at once":
        whole = lc.PositionBook.from_frame(pl.read_parquet(book))
        return engine.evaluate(whole, MARKS, measures=MEASURE_NAMES).summary()
    if way == "batches":
        risks = lc.evaluate_batches(engine, book)
        for _ in risks:
            pass
        return risks.summary()
    if way == "dask, 2 workers":
        from distributed import Client, LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            client = Client(cluster)
            return timed(lambda: lc.cluster.evaluate(parts, engine, client.get_executor()).summary())
    return lc.cluster.evaluate(parts, engine, 2 if way == "2 processes" else None).summary()


def timed(work: Callable[[], dict[str, object]]) -> dict[str, object]:
    """Result of the work, whose own seconds are told, without the start of a cluster."""
    start = time.perf_counter()
    result = work()
    print(f"  of which {time.perf_counter() - start:.2f} s without the start of the cluster", file=sys.stderr)
    return result


def one(way: str, folder: Path) -> None:
    """Measure one way in this process and those that it starts."""
    start = time.perf_counter()
    found = summary(way, folder)
    wall = time.perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(each.ru_utime + each.ru_stime for each in used)
    memory = " + ".join(f"{each.ru_maxrss / 1024:.0f}" for each in used if each.ru_maxrss)
    digest = hashlib.sha256(repr(found).encode()).hexdigest()[:12]
    times = f"{wall:8.2f} s {processor:8.2f} s of processor"
    print(f"{way:16} {found['positions']:>12,} {times} {memory:>12} MB  {digest}")


def main() -> None:
    """Measure every way for every size."""
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        one(sys.argv[2], Path(sys.argv[3]))
        return
    for count in [int(float(text)) for text in sys.argv[1:]] or [1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), count)
            for way in WAYS:
                command = [sys.executable, os.path.abspath(__file__), "--one", way, name]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
