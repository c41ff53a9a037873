"""Forced sales that move the price and force further sales."""

from collections.abc import Sequence

from levcore.reference.closing.impact import Impact
from levcore.reference.closing.loss_parts import to_quanta

__all__ = ["cascade"]


def cascade(
    quantity: Sequence[float],
    trigger: Sequence[float],
    falls: bool,
    start: float,
    impact: Impact,
    lots_per_unit: float,
) -> tuple[list[tuple[int, int, float, float]], list[int]]:
    """Waves (positions, lots of all so far, fill, price after), and the wave of each position, -1: none."""
    sign = -1.0 if falls else 1.0
    wave, waves = [-1] * len(quantity), list[tuple[int, int, float, float]]()
    price, lots, spent = start, 0, 0.0
    while True:
        reached = [
            row
            for row, level in enumerate(trigger)
            if wave[row] < 0 and (price <= level if falls else price >= level)
        ]
        if not reached:
            return waves, wave
        before = lots
        for row in reached:
            wave[row] = len(waves)
            lots += to_quanta(quantity[row], lots_per_unit)
        all_of, closed = lots / lots_per_unit, (lots - before) / lots_per_unit
        cost = impact.cost(all_of)
        fill = start * (1.0 + sign * ((cost - spent) / closed)) if closed > 0.0 else price
        price = start * (1.0 + sign * impact.at(all_of))
        spent = cost
        waves.append((len(reached), lots, fill, price))
