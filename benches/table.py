"""Rows a second: levcore, what a good quant would write instead, a loop that only copies the same bytes.

python benches/table.py [--rows 1,100,10000,1000000,10000000] [--modes isolated,cross,hedge,assets,mixed]
    [--orders sorted,random] [--only NAME,...] [--budget SECONDS] [--legs LEGS] [--out NAME]

Writes benches/results/NAME.json and NAME.md; whole accounts (`distances.py`, `scenarios.py`) are part of
them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, strftime
from typing import Any

from agreement import compare, outputs, sample
from contenders import FLOOR, LEVCORE, ONE, RIVALS, SIZES_OF_MODE, Entry
from machine import describe
from measure import BENCHES, Turn, Worker, ratio, take_turns
from report import markdown

SIZES = "1,100,10000,1000000,10000000"
ORDER_MATTERS_FROM = 1000
THREADS_MATTER_FROM = 5000
LEAST_TURNS = 5
LARGE = 5_000_000
LEAST_TURNS_LARGE = 3
WHOLE_ACCOUNTS = {"Distances": "distances.py", "Scenarios": "scenarios.py"}
"""Measured leg by leg by themselves, since they give a number an account."""


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default=SIZES)
    parser.add_argument("--modes", default="isolated,cross,hedge,assets,mixed")
    parser.add_argument("--orders", default="sorted,random")
    parser.add_argument("--only", default="", help="rivals whose names contain one of these")
    parser.add_argument("--budget", type=float, default=0.5, help="seconds for a rival on a book")
    parser.add_argument("--legs", type=int, default=1_000_000, help="legs of whole accounts; 0: none")
    parser.add_argument("--out", default="table")
    return parser.parse_args()


class Board:
    """The books one after the other, and on each one rival after the other beside the floor and levcore."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.records: list[dict[str, Any]] = []

    def rivals(self, book: str, rows: int) -> Iterator[Entry]:
        """Rivals that take part on this book."""
        wanted = [word for word in self.chosen.only.split(",") if word]
        for entry in RIVALS:
            asked = not wanted or any(word in entry.title for word in wanted)
            if asked and rows <= entry.largest and book in entry.books:
                yield entry

    def measure(self, mode: str, order: str, rows: int, directory: Path) -> None:
        """Every contender on one book."""
        make = [sys.executable, str(BENCHES / "worker.py"), str(directory), mode, order, str(rows)]
        subprocess.run(make, check=True)
        book = {"mode": mode, "order": order, "rows": rows}
        chosen = sample(rows, directory)
        with Worker(directory, mode, FLOOR.place) as floor, Worker(directory, mode, LEVCORE.place) as levcore:
            lowest = self.floors(floor, book)
            own = {name: outputs(levcore, name, chosen) for name in LEVCORE.variants[:1]}
            first = next(iter(own.values()))
            for variant in self.variants(LEVCORE, rows):
                turns = [Turn(floor, lowest[variant[0]]), Turn(levcore, variant)]
                spent = take_turns(turns, self.chosen.budget, self.least(rows))
                self.record(book, LEVCORE, variant, levcore, [spent[0], spent[1], spent[1]], {})
            for entry in self.rivals(f"{mode} {order}", rows):
                with Worker(directory, mode, entry.place) as rival:
                    for variant in self.variants(entry, rows):
                        threads = variant if rows >= THREADS_MATTER_FROM else ONE
                        turns = [
                            Turn(floor, lowest[threads[0]]),
                            Turn(levcore, threads),
                            Turn(rival, variant),
                        ]
                        spent = take_turns(turns, self.chosen.budget, self.least(rows))
                        agreed = compare(first, outputs(rival, variant, chosen))
                        self.record(book, entry, variant, rival, spent, agreed)

    def floors(self, floor: Worker, book: dict[str, Any]) -> dict[str, str]:
        """Measure all loops of the floor; the fastest for each number of threads."""
        variants = self.variants(FLOOR, book["rows"])
        turns = [Turn(floor, variant) for variant in variants]
        spent = take_turns(turns, self.chosen.budget, self.least(book["rows"]))
        lowest: dict[str, tuple[float, str]] = {}
        for variant, seconds in zip(variants, spent, strict=True):
            self.record(book, FLOOR, variant, floor, [seconds, seconds, seconds], {}, against_levcore=False)
            if "numpy" not in variant:
                best = lowest.get(variant[0], (float("inf"), ""))
                lowest[variant[0]] = min(best, (median(seconds), variant))
        return {threads: variant for threads, (_, variant) in lowest.items()}

    def variants(self, entry: Entry, rows: int) -> tuple[str, ...]:
        """Variants worth their time: a second thread has nothing to do in a small book."""
        alone = tuple(variant for variant in entry.variants if variant[0] == "1")
        return alone if alone and rows < THREADS_MATTER_FROM else entry.variants

    def least(self, rows: int) -> int:
        """Turns to take at least."""
        return LEAST_TURNS_LARGE if rows >= LARGE else LEAST_TURNS

    def record(
        self,
        book: dict[str, Any],
        entry: Entry,
        variant: str,
        worker: Worker,
        spent: list[list[float]],
        agreed: dict[str, Any],
        *,
        against_levcore: bool = True,
    ) -> None:
        """Keep the figures of one variant; `spent` are the seconds of floor, levcore and contender."""
        floor, levcore, own = spent
        rows, peak = book["rows"], worker.ask(do="memory")["megabytes"]
        per_row = 1e9 / rows
        self.records.append(
            book
            | {
                "contender": entry.title,
                "variant": variant,
                "threads": int(variant[0]),
                "turns": len(own),
                "best_ns_per_row": min(own) * per_row,
                "median_ns_per_row": median(own) * per_row,
                "million_rows_per_second": rows / median(own) / 1e6,
                "times_the_floor": ratio(own, floor),
                "times_levcore": ratio(own, levcore) if against_levcore else None,
                "prepare_ns_per_row": worker.ready["prepare"] * per_row,
                "peak_megabytes": peak,
                "peak_bytes_per_row": (peak - worker.ready["bare"]) * 1e6 / rows,
                "agreement": agreed or None,
            }
        )
        shown = self.records[-1]
        print(
            f"{book['mode']:8} {book['order']:6} {rows:>10,} {entry.title:30} {variant:18}"
            f" {shown['median_ns_per_row']:12.2f} ns/row {shown['million_rows_per_second']:8.2f} M/s"
            f" {shown['times_the_floor']:8.2f} x floor  {peak:7.0f} MB"
            + (f"  {agreed['rows_that_differ']} of {agreed['rows_compared']} differ" if agreed else ""),
            flush=True,
        )

    def run(self) -> None:
        """All books."""
        orders = self.chosen.orders.split(",")
        with tempfile.TemporaryDirectory(prefix="levcore-bench-") as directory:
            for rows in (int(float(word)) for word in self.chosen.rows.split(",")):
                for mode in self.chosen.modes.split(","):
                    smallest, largest = SIZES_OF_MODE.get(mode, (rows, rows))
                    if not smallest <= rows <= largest:
                        continue
                    for order in orders if rows >= ORDER_MATTERS_FROM else orders[:1]:
                        self.measure(mode, order, rows, Path(directory))


def whole_accounts(legs: int) -> dict[str, str]:
    """Tables of what is measured by itself, each in its own process."""
    tables = {}
    with tempfile.TemporaryDirectory(prefix="levcore-bench-") as directory:
        for title, script in WHOLE_ACCOUNTS.items() if legs else ():
            target = Path(directory) / "table.md"
            command = [sys.executable, str(BENCHES / script), "--legs", str(legs), "--out", str(target)]
            subprocess.run(command, check=True)
            tables[title] = target.read_text(encoding="utf-8")
    return tables


def main() -> None:
    """Measure, print, write."""
    chosen = options()
    start = perf_counter()
    board = Board(chosen)
    result: dict[str, Any] = {
        "taken": strftime("%Y-%m-%d %H:%M"),
        "machine": describe(),
        "records": board.records,
    }
    board.run()
    result["whole_accounts"] = whole_accounts(chosen.legs)
    result["minutes"] = round((perf_counter() - start) / 60.0, 1)
    target = BENCHES / "results" / chosen.out
    target.parent.mkdir(exist_ok=True)
    target.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    target.with_suffix(".md").write_text(markdown(result))
    print(f"{result['minutes']} minutes; {target}.json, {target}.md")


if __name__ == "__main__":
    main()
