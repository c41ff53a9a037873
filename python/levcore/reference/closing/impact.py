"""How far a price moves while a quantity is traded."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from levcore.errors import PolicyError
from levcore.reference.arithmetic import divide

__all__ = ["Impact"]


@dataclass(frozen=True, slots=True)
class Impact:
    """Kind, and coefficient and depth, or distances and sizes of levels; see the core."""

    kind: str
    first: Sequence[float]
    second: Sequence[float]

    def at(self, quantity: float) -> float:
        """Distance of the price after a quantity, a fraction."""
        if self.kind == "levels":
            return self.walked(quantity)[0]
        part = divide(quantity, self.second[0])
        return self.first[0] * (part if self.kind == "linear" else math.sqrt(part))

    def cost(self, quantity: float) -> float:
        """Sum of the distance over all that is traded."""
        if self.kind == "linear":
            return quantity * self.at(quantity) / 2.0
        if self.kind == "square_root":
            return quantity * self.at(quantity) * 2.0 / 3.0
        return self.walked(quantity)[1]

    def walked(self, quantity: float) -> tuple[float, float]:
        """Distance of the last level that is reached, and the cost."""
        left, last, cost = quantity, 0.0, 0.0
        for away, there in zip(self.first, self.second, strict=True):
            if not left > 0.0:
                break
            taken = left if left < there else there
            cost += taken * away
            left -= taken
            last = away
        if left > 0.0:
            raise PolicyError("levels", "must hold all that is traded", "more levels", repr(quantity))
        return last, cost
