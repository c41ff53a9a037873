"""How much of one instrument is liquidated at a price, by asking every position."""

from collections.abc import Sequence

from levcore.reference.closing.loss_parts import to_quanta

__all__ = ["rung"]


def rung(
    size: Sequence[float],
    entry: Sequence[float],
    trigger: Sequence[float],
    bankruptcy: Sequence[float],
    falls: bool,
    per_unit: float,
    x: float,
) -> tuple[int, float, float, float]:
    """Positions, notional, loss and shortfall once the coordinate is `x`; sums are of whole quanta."""
    direction = 1.0 if falls else -1.0
    sums: list[tuple[int, float, float]] = []
    for levels, values in ((trigger, entry), (bankruptcy, bankruptcy)):
        passed = [row for row, level in enumerate(levels) if (x <= level if falls else x >= level)]
        closed = sum(to_quanta(size[row], per_unit) for row in passed)
        value = sum(to_quanta(size[row] * values[row], per_unit) for row in passed)
        sums.append((len(passed), closed / per_unit, value / per_unit))
    (positions, closed_size, closed_value), (_, short_size, short_value) = sums
    notional = x * closed_size
    loss = direction * (closed_value - notional)
    return positions, notional, loss, direction * (short_value - x * short_size)
