"""Scenario arrays that have a closed form."""

import math

from levcore.engine.compiled import CompiledInstrument
from levcore.reference.formulas.contract import coordinate, long_direction
from levcore.reference.formulas.mark_to_market import unrealized_pnl

__all__ = ["price_profit", "span_profits"]

SPAN_THIRDS = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0)
"""Price moves of the first fourteen SPAN scenarios in thirds of the scan range; each comes twice."""


def price_profit(instrument: CompiledInstrument, mark: float, price_move: float, cover: float) -> float:
    """Profit of one long contract as its price moves by a fraction of the mark, of which `cover` counts."""
    if not 0.0 < mark < math.inf:
        return math.nan
    moved = coordinate(instrument, mark * (1.0 + price_move))
    profit = unrealized_pnl(
        long_direction(instrument), instrument.contract_size, moved, coordinate(instrument, mark)
    )
    return profit * cover


def span_profits(price_scan_range: float, extreme_multiple: float, extreme_cover: float) -> list[float]:
    """Profit of one long future in the sixteen SPAN scenarios."""
    extreme = (price_scan_range * extreme_multiple) * extreme_cover
    scanned = [price_scan_range * thirds / 3.0 for thirds in SPAN_THIRDS for _ in ("up", "down")]
    return [*scanned, extreme, -extreme]
