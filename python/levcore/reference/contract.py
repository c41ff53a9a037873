"""Contracts in one coordinate: ``x = price * multiplier`` (linear, quanto) or ``1 / price`` (inverse)."""

from levcore.compiled import PAYOFFS, CompiledInstrument
from levcore.reference.arithmetic import divide

__all__ = ["coordinate", "is_inverse", "long_direction", "price_at_value"]

INVERSE = PAYOFFS["inverse"]


def is_inverse(instrument: CompiledInstrument) -> bool:
    """Whether the coordinate is the reciprocal of the price."""
    return instrument.payoff == INVERSE


def coordinate(instrument: CompiledInstrument, price: float) -> float:
    """Coordinate of a price."""
    return divide(1.0, price) if instrument.payoff == INVERSE else price * instrument.multiplier


def price_at_value(instrument: CompiledInstrument, value: float, size: float) -> float:
    """Price at which a position of `size` is worth `value`."""
    if instrument.payoff == INVERSE:
        return divide(size, value)
    return divide(value, size * instrument.multiplier)


def long_direction(instrument: CompiledInstrument) -> float:
    """``+1`` if a long position gains as the coordinate rises, else ``-1``."""
    return -1.0 if instrument.payoff == INVERSE else 1.0
