"""Contracts in one coordinate: ``x = price * multiplier`` (linear, quanto) or ``1 / price`` (inverse)."""

from levcore.engine.compiled import CompiledInstrument
from levcore.reference.arithmetic import divide

__all__ = [
    "coordinate",
    "is_inverse",
    "long_direction",
    "price_at_coordinate",
    "price_at_value",
    "price_per_value",
]

INVERSE = "inverse"


def is_inverse(instrument: CompiledInstrument) -> bool:
    """Whether the coordinate is the reciprocal of the price."""
    return instrument.payoff == INVERSE


def coordinate(instrument: CompiledInstrument, price: float) -> float:
    """Coordinate of a price."""
    return divide(1.0, price) if instrument.payoff == INVERSE else price * instrument.multiplier


def price_at_coordinate(instrument: CompiledInstrument, coordinate: float) -> float:
    """Price of a coordinate."""
    return divide(1.0, coordinate) if instrument.payoff == INVERSE else coordinate / instrument.multiplier


def price_per_value(instrument: CompiledInstrument, size: float) -> float:
    """Price of a unit of value of a position of `size`; price is proportional to value, unless inverse."""
    return divide(1.0, size * instrument.multiplier)


def price_at_value(instrument: CompiledInstrument, value: float, size: float, per_value: float) -> float:
    """Price at which a position of `size` is worth `value`; `per_value` is its `price_per_value`."""
    return divide(size, value) if instrument.payoff == INVERSE else value * per_value


def long_direction(instrument: CompiledInstrument) -> float:
    """``+1`` if a long position gains as the coordinate rises, else ``-1``."""
    return -1.0 if instrument.payoff == INVERSE else 1.0
