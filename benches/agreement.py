"""Do the contenders compute the same? Largest relative difference from levcore, and how many rows differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from measure import Worker
from workload import MEASURES

SAMPLE = 100_000
TOLERANCE = 1e-9
"""Relative; a row that differs by more in any measure counts as different."""


def sample(rows: int, directory: Path) -> Path:
    """File with the numbers of the rows to compare: all of a small book, a random part of a large one."""
    chosen = np.arange(rows) if rows <= SAMPLE else np.random.default_rng(0).integers(0, rows, SAMPLE)
    path = directory / "sample.npy"
    np.save(path, chosen)
    return path


def outputs(worker: Worker, variant: str, rows: Path) -> dict[str, npt.NDArray[Any]]:
    """Measures and state of the sampled rows."""
    path = rows.with_name("outputs.npz")
    worker.ask(do="outputs", variant=variant, rows=str(rows), to=str(path))
    with np.load(path) as columns:
        return {name: columns[name] for name in columns.files}


def compare(ours: dict[str, npt.NDArray[Any]], theirs: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Largest relative difference and the measure it is in, rows that differ, states that differ."""
    differs = np.zeros(len(ours["state"]), np.bool_)
    largest, where = 0.0, ""
    for name in (name for name in MEASURES if name in theirs):
        a, b = ours[name], theirs[name]
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        finite = np.isfinite(a) & np.isfinite(b) & ~same
        relative = np.abs(a[finite] - b[finite]) / np.maximum(np.abs(a[finite]), np.abs(b[finite]))
        if relative.size and relative.max() > largest:
            largest, where = float(relative.max()), name
        differs |= ~(same | finite)
        differs[np.flatnonzero(finite)[relative > TOLERANCE]] = True
    states = ours["state"] != theirs["state"]
    return {
        "largest_relative_difference": largest,
        "in_measure": where,
        "rows_that_differ": int((differs | states).sum()),
        "states_that_differ": int(states.sum()),
        "rows_compared": len(differs),
    }
