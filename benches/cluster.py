"""A book in Parquet at once, in batches, in partitions over two processes and over Dask: time and memory.

``python benches/cluster.py [ROWS ...] [--kill] [--folder FOLDER] [--ways WAY;WAY]``; each way runs in a
process of its own. Its largest memory is told: of the process and its workers together without the pages of
files, which the system may drop, sampled; of the largest process with them, as the system counts; and, on the
next line, of each process without them, the caller's first. Totals are told as a hash of every bit of the
summary: equal hashes are equal totals, and a way with another hash or another number of rows ends the command
with code 1. The decoders read the same columns in the same batches and do nothing with them. In a folder that
is named the files stay, and are used again.

``--kill`` asks one question: whether a worker of Dask, killed (SIGKILL) in the middle, changes anything. It
runs one process, Dask, and Dask with a kill, at last without the accounts that the caller remembers.
"""

import argparse
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import levcore as lc
from levcore.files.batches import ROWS, read_batches
from levcore.measures import MEASURE_NAMES

MARKS = {"ADAUSDT": 0.4, "BNBUSDT": 600.0, "BTCUSDT": 61_000.0, "DOGEUSDT": 0.1}
MARKS |= {"ETHUSDT": 3_050.0, "LINKUSDT": 12.0, "SOLUSDT": 140.0, "XRPUSDT": 0.5}
PARTITIONS = 16
WAYS = (
    "polars alone",
    "pyarrow alone",
    "at once",
    "batches",
    "partitions",
    "2 processes",
    "one killed",
    "dask, 2 workers",
    "dask, killed",
)
KILL = ("batches", "dask, 2 workers", "dask, killed", "dask, killed, unchecked")
AT_ONCE = 10_000_000
"""Most rows that are evaluated at once: memory is 300 bytes a row."""
IDLE = 50_000
"""KB below which a process only keeps count of others."""


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


def decoded(way: str, book: Path) -> dict[str, object]:
    """Read the book in batches of the same size, with one library or the other, and do nothing with it."""
    if way == "polars alone":
        return {"positions": sum(batch.height for batch in read_batches(book))}
    from pyarrow.parquet import ParquetFile

    return {"positions": sum(batch.num_rows for batch in ParquetFile(book).iter_batches(ROWS))}


def summary(way: str, folder: Path) -> dict[str, object]:
    """Evaluate the book in one way."""
    engine, book = lc.Engine(lc.policy("binance-usdm@2024-10-24")), folder / "book.parquet"
    parts = sorted(folder.glob("part-*.parquet"))
    if way.endswith("alone"):
        return decoded(way, book)
    if way == "at once":
        whole = lc.PositionBook.from_frame(pl.read_parquet(book))
        return engine.evaluate(whole, MARKS, measures=MEASURE_NAMES).summary()
    if way == "batches":
        risks = lc.evaluate_batches(engine, book)
        for _ in risks:
            pass
        return risks.summary()
    if way.startswith("dask"):
        from distributed import Client, LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
            return over_dask(way, Client(cluster), parts, engine)
    if way == "partitions":
        return lc.cluster.evaluate(parts, engine, rows=ROWS).summary()
    progress = Killer(children, in_parts(parts) // 2) if way == "one killed" else None
    found = lc.cluster.evaluate(parts, engine, 2, rows=ROWS, progress=progress)
    if progress is not None:
        print(f"  {found.retried} partitions were handed over again", flush=True)
    return found.summary()


def over_dask(way: str, client: Any, parts: list[Path], engine: lc.Engine) -> dict[str, object]:
    """Evaluate partitions over a cluster's two workers, one of which may be killed."""

    def workers() -> list[int]:
        return list(client.run(os.getpid).values())

    start, before = time.perf_counter(), workers()
    killer = Killer(lambda: before, in_parts(parts) // 2) if "killed" in way else None
    found = lc.cluster.evaluate(
        parts,
        engine,
        client.get_executor(),
        rows=ROWS,
        check_accounts="unchecked" not in way,
        progress=killer,
    )
    print(f"  of which {time.perf_counter() - start:.2f} s without the start of the cluster", flush=True)
    if killer is not None:
        assert killer.killed, "nobody was killed"
        print(f"  workers were {before}, are {workers()}; {found}", flush=True)
    return found.summary()


def in_parts(parts: list[Path]) -> int:
    """Rows of all partitions, by their footers."""
    return int(pl.scan_parquet(parts).select(pl.len()).collect().item())


def children() -> list[int]:
    """Processes that this one has started, the tracker of resources left out, which works on nothing."""
    pid = os.getpid()
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


class Killer:
    """Kills a worker in the middle of a partition: a while after so many rows are done.

    Parameters
    ----------
    workers : callable
        Processes of the workers.
    after : int
        Rows.
    """

    def __init__(self, workers: Callable[[], list[int]], after: int) -> None:
        self._workers, self._after, self.killed = workers, after, False

    def __call__(self, done: int) -> None:
        """Kill one, the first time that enough is done."""
        if not self.killed and done >= self._after:
            self.killed = True
            threading.Timer(0.3, self._kill, [done]).start()

    def _kill(self, done: int) -> None:
        worker = self._workers()[0]
        os.kill(worker, signal.SIGKILL)
        print(f"  worker {worker} killed after {done:,} rows", flush=True)


class Memory(threading.Thread):
    """Samples the memory of this process and of everything it has started."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.of_each: dict[int, int] = {}
        self.over = threading.Event()

    def run(self) -> None:
        """Sample until it is over."""
        while not self.over.wait(0.05):
            now = {pid: anonymous(pid) for pid in family(os.getpid())}
            self.peak = max(self.peak, sum(now.values()))
            for pid, memory in now.items():
                self.of_each[pid] = max(memory, self.of_each.get(pid, 0))

    def told(self) -> str:
        """The peak of each process that works, MB; what only keeps count of the others is left out."""
        each = [f"{peak / 1024:.0f}" for peak in self.of_each.values() if peak > IDLE]
        return "  memory of each process " + " + ".join(each) + " MB"


def family(pid: int) -> list[int]:
    """A process and all that descend from it, whichever of its threads started them."""
    try:
        found = [file.read_text(encoding="ascii") for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return [pid]
    children = [int(child) for text in found for child in text.split()]
    return [pid, *(each for child in children for each in family(child))]


def anonymous(pid: int) -> int:
    """Memory of a process that is no page of a file, KB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    lines = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")]
    return int(lines[0]) if lines else 0


def one(way: str, folder: Path) -> None:
    """Measure one way in this process and those that it starts."""
    memory_of = Memory()
    memory_of.start()
    start = time.perf_counter()
    found = summary(way, folder)
    wall = time.perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(each.ru_utime + each.ru_stime for each in used)
    memory_of.over.set()
    largest = " + ".join(f"{each.ru_maxrss / 1024:.0f}" for each in used if each.ru_maxrss)
    digest = hashlib.sha256(repr(found).encode()).hexdigest()[:12]
    count = found["positions"]
    assert isinstance(count, int)
    times = f"{wall:8.2f} s {processor:8.2f} s of processor, {count / processor / 1e6:6.2f} M rows each"
    print(f"{way:24} {count:>12,} {times} {memory_of.peak / 1024:6.0f} MB ({largest}) {digest}")
    print(memory_of.told(), flush=True)


def agree(way: str, printed: str, count: int, kept: dict[str, str]) -> bool:
    """Whether a way told as many rows as there are and, where it evaluated them, the totals of the others."""
    line = next(line for line in printed.splitlines() if line.startswith(way))
    words = line.removeprefix(way).split()
    if way.endswith("alone"):
        return words[0] == f"{count:,}"
    return words[0] == f"{count:,}" and words[-1] == kept.setdefault("hash", words[-1])


def measured(count: int, folder: Path, ways: tuple[str, ...]) -> bool:
    """Measure every way for one size; whether all have the same totals."""
    if not (folder / "book.parquet").exists():
        folder.mkdir(exist_ok=True)
        write(folder, count)
    equal, kept = True, dict[str, str]()
    for way in ways:
        if way != "at once" or count <= AT_ONCE:
            command = [sys.executable, os.path.abspath(__file__), "--one", way, str(folder)]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            print(printed, end="", flush=True)
            equal &= agree(way, printed, count, kept)
    print(f"{count:,} rows: {'every' if equal else 'NOT every'} way has the same rows and totals", flush=True)
    return equal


def main() -> int:
    """Measure every way for every size."""
    parser = argparse.ArgumentParser(description="A book in Parquet, in every way.")
    parser.add_argument("rows", nargs="*", type=float, default=[1e6, 1e7])
    parser.add_argument("--folder", type=Path, help="for the files, which then stay")
    parser.add_argument(
        "--ways", type=lambda text: tuple(text.split(";")), default=WAYS, help="separated by ;"
    )
    parser.add_argument(
        "--kill", action="store_const", dest="ways", const=KILL, help="Dask with a worker killed"
    )
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]))
        return 0
    equal = True
    for count in map(int, options.rows):
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            folder = Path(name) if options.folder is None else options.folder / str(count)
            equal &= measured(count, folder, options.ways)
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
