"""A process with one contender and one book; the runner tells it, line by line in JSON, what to do.

Run as ``python worker.py DIRECTORY MODE MODULE:CLASS``, or ``python worker.py DIRECTORY MODE ORDER ROWS`` to
make the book.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from contender import Contender
from workload import Workload, bundled_tables, generate


def peak_megabytes() -> float:
    """Largest resident memory that this process has had so far."""
    # Kilobytes of 1,024, on macOS bytes.
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / 1e6 if sys.platform == "darwin" else largest * 1024 / 1e6


def timed(contender: Contender, variant: str, times: int, warm: bool) -> float:
    """Seconds of `times` evaluations, at one and the other set of marks in turn.

    With `warm`, one goes before them, as the others who take turns have emptied the caches.
    """
    if warm:
        contender.run(variant, 1)
    start = perf_counter()
    for turn in range(times):
        contender.run(variant, turn & 1)
    return perf_counter() - start


def answer(contender: Contender, order: dict[str, Any]) -> dict[str, Any]:
    """Do what a line of the runner asks."""
    if order["do"] == "time":
        return {"seconds": timed(contender, order["variant"], order["times"], order["warm"])}
    if order["do"] == "outputs":
        contender.run(order["variant"], 0)
        rows = np.load(order["rows"])
        np.savez(
            order["to"], **{name: np.asarray(column)[rows] for name, column in contender.outputs().items()}
        )
        return {}
    return {"megabytes": peak_megabytes()}


def serve(directory: Path, mode: str, place: str) -> None:
    """Build the contender on the saved book and obey until the input ends."""
    module, name = place.split(":")
    kind = getattr(importlib.import_module(module), name)
    bare = peak_megabytes()
    work = Workload.load(directory)
    start = perf_counter()
    contender: Contender = kind(work, mode)
    print(json.dumps({"prepare": perf_counter() - start, "bare": bare}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(contender, json.loads(line))), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        generate(int(sys.argv[4]), sys.argv[2], sys.argv[3], bundled_tables()).save(Path(sys.argv[1]))
    else:
        serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
