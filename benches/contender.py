"""What the runner asks of levcore, of the floor and of each opponent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workload import MEASURES, Floats, Tables

Outputs = Mapping[str, npt.NDArray[Any]]


class Contender(Protocol):
    """One tool with one book, ready to evaluate it again and again."""

    def run(self, variant: str, tick: int) -> None:
        """Evaluate the whole book at marks `tick` (0 or 1); `variant` is a name of `contenders.py`."""

    def outputs(self) -> Outputs:
        """Measures and state of the last run, in the caller's order of rows."""


def empty_outputs(rows: int) -> dict[str, npt.NDArray[Any]]:
    """Output columns to write into again and again, their pages touched."""
    columns: dict[str, npt.NDArray[Any]] = {name: np.ones(rows) for name in MEASURES}
    columns["state"] = np.ones(rows, np.uint8)
    return columns


class LiquidationTables:
    """Per instrument and side, what puts a liquidation price into its tier by counting.

    With ``own = margin - quantity * entry_price`` (equity less value, with the sign of the side) the value of
    the position at its liquidation price is ``scale * (own + deduction)``, where ``scale = -s / (1 - s *
    rate)`` and s is 1 for a long, -1 for a short. Its tier is the number of floors b with ``-s * own > b - s
    * MM(b)``, for then the floor lies below the liquidation price.

    Attributes
    ----------
    borders, scale, deductions : float64, shape (tiers, 2 * instruments)
        Column 2 * code holds the longs, 2 * code + 1 the shorts. Row 0 of `borders` is the first tier's, of
        no use.
    """

    def __init__(self, tables: Tables) -> None:
        side = np.array([1.0, -1.0])
        floors, rates, deductions = (
            table.T[:, :, None] for table in (tables.floors, tables.rates, tables.deductions)
        )
        real = np.isfinite(floors)
        at_floor = np.where(real, floors, 0.0)
        borders = np.where(real, at_floor - side * (rates * at_floor - deductions), np.inf)
        tiers = len(floors)
        self.borders: Floats = np.ascontiguousarray(borders.reshape(tiers, -1))
        self.scale: Floats = (-side / (1.0 - side * rates)).reshape(tiers, -1)
        self.deductions: Floats = np.repeat(tables.deductions.T, 2, axis=1)
