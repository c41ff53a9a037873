"""Size, direction and value of a position."""

import math

from levcore.reference.arithmetic import divide

__all__ = ["direction", "effective_leverage", "size", "value"]


def size(quantity: float, contract_size: float) -> float:
    """Size in the coordinate's units: ``|quantity| * contract_size``."""
    return abs(quantity) * contract_size


def direction(quantity: float, long_direction: float) -> float:
    """``+1`` if the position gains as the coordinate rises, else ``-1``."""
    return long_direction if quantity > 0.0 else -long_direction


def value(size: float, coordinate: float) -> float:
    """Value in settlement currency: ``size * coordinate``."""
    return size * coordinate


def effective_leverage(value: float, equity: float) -> float:
    """Value over equity; infinite when a position has no equity left."""
    if equity > 0.0:
        return divide(value, equity)
    return math.inf if value > 0.0 else 0.0
