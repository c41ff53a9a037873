"""A million rows from a file to a file through the command line, beside what polars alone needs for them."""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl

from levcore.cli.main import main as command

MARKS = {"BTCUSDT": 61_000.5, "ETHUSDT": 3_050.25, "SOLUSDT": 150.125}
POLICY = "binance-usdm@2024-10-24"
SEED = 20_261_126


def positions(rows: int) -> pl.DataFrame:
    """Isolated positions in three instruments, five an account."""
    random = np.random.default_rng(SEED)
    instruments = np.array(list(MARKS))[random.integers(0, len(MARKS), rows)]
    marks = np.array(list(MARKS.values()))[np.unique(instruments, return_inverse=True)[1]]
    return pl.DataFrame(
        {
            "account": [f"a{row // 5}" for row in range(rows)],
            "instrument": instruments,
            "quantity": np.round(random.normal(0.0, 2.0, rows), 4),
            "entry_price": np.round(marks * random.uniform(0.9, 1.1, rows), 2),
            "mark_price": marks,
            "margin_mode": "isolated",
            "leverage": random.integers(2, 20, rows),
        }
    )


def shortest(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def score(source: Path, target: Path) -> None:
    """Run ``levcore score`` without its report."""
    with redirect_stdout(StringIO()):
        command(["score", str(source), "--policy", POLICY, "--out", str(target)])


def measure(folder: Path, frame: pl.DataFrame, kind: str, rounds: int) -> tuple[float, float]:
    """Seconds of the command, and of polars reading the same input and writing the same output."""
    source, target, copy = (folder / f"{name}.{kind}" for name in ("in", "out", "copy"))
    if kind == "csv":
        read, write = pl.read_csv, pl.DataFrame.write_csv
    else:
        read, write = pl.read_parquet, pl.DataFrame.write_parquet
    write(frame, source)
    ours = shortest(lambda: score(source, target), rounds)
    results = read(target)
    alone = shortest(lambda: read(source), rounds) + shortest(lambda: write(results, copy), rounds)
    return ours, alone


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    frame = positions(options.rows)
    print(f"{options.rows:,} rows, 7 columns in, 22 out: seconds, the fastest of {options.rounds}")
    print(f"{'':<10}{'levcore score':>15}{'polars alone':>15}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("csv", "parquet"):
            ours, alone = measure(Path(folder), frame, kind, options.rounds)
            print(f"{kind:<10}{ours:>15.2f}{alone:>15.2f}")


if __name__ == "__main__":
    main()
