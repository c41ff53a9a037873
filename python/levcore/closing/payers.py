"""What those have who pay for a shortfall."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Payers"]


@dataclass(frozen=True, slots=True)
class Payers:
    """Purses of a close-out, in quanta, and how winners are drawn."""

    fund: int
    fund_floor: int
    largest_value: int
    other: dict[Any, int]
    lots_per_unit: float
    seed: int
