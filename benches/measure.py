"""Processes and clocks: how a contender is measured beside the floor and levcore.

A shared machine drifts by tens of per cent. So the three take turns, one batch each, and every ratio is the
median of ratios within a turn; a time is the median over the turns, with the best beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from types import TracebackType
from typing import Any

BENCHES = Path(__file__).parent
SHORTEST_BATCH = 0.01
"""Seconds; shorter evaluations are repeated within a batch."""
LONGEST_WARMED = 0.1
"""Seconds; a longer evaluation goes through more memory than the caches hold, and needs no warming."""


class Worker:
    """A contender in its own process."""

    def __init__(self, directory: Path, mode: str, place: str) -> None:
        command = [sys.executable, str(BENCHES / "worker.py"), str(directory), mode, place]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = place
        self.ready = self._read()
        self.batches: dict[str, int] = {}
        self.warmed: dict[str, bool] = {}

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.place} ended with code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **order: object) -> dict[str, Any]:
        """Send one order and wait for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._read()

    def seconds(self, variant: str) -> float:
        """Seconds of one evaluation, over a batch, whose length the first call of a variant finds."""
        if variant not in self.batches:
            self.ask(do="time", variant=variant, times=1, warm=False)
            times = 1
            while (spent := self._ask_seconds(variant, times, warm=False)) < SHORTEST_BATCH:
                times = max(2 * times, int(times * SHORTEST_BATCH / max(spent, 1e-9)))
            self.batches[variant] = times
            self.warmed[variant] = spent / times < LONGEST_WARMED
        times = self.batches[variant]
        return self._ask_seconds(variant, times, warm=self.warmed[variant]) / times

    def _ask_seconds(self, variant: str, times: int, *, warm: bool) -> float:
        return float(self.ask(do="time", variant=variant, times=times, warm=warm)["seconds"])

    def __enter__(self) -> Worker:
        """Started already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process by ending its input."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@dataclass(frozen=True)
class Turn:
    """What takes turns: a worker and its variant."""

    worker: Worker
    variant: str


def take_turns(turns: list[Turn], budget: float, least: int) -> list[list[float]]:
    """Seconds of an evaluation of each, for at least `least` turns and `budget` seconds."""
    for turn in turns:
        turn.worker.seconds(turn.variant)
    seconds: list[list[float]] = [[] for _ in turns]
    start = perf_counter()
    while len(seconds[0]) < least or perf_counter() - start < budget:
        for turn, spent in zip(turns, seconds, strict=True):
            spent.append(turn.worker.seconds(turn.variant))
    return seconds


def ratio(numerator: list[float], denominator: list[float]) -> float:
    """Median of the ratios within each turn."""
    return median(a / b for a, b in zip(numerator, denominator, strict=True))
