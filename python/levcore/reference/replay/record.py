"""Kinds of events, as the core numbers them, and what is closed of a row."""

from typing import NamedTuple

__all__ = ["DELEVERAGING", "DELISTING", "LIQUIDATION", "NETTING", "SOCIALISATION", "Close"]

LIQUIDATION, DELEVERAGING, SOCIALISATION, DELISTING, NETTING = range(5)


class Close(NamedTuple):
    """Contracts of a row, with the sign of the position; a trigger of NaN is the mark."""

    row: int
    quantity: float
    trigger: float = float("nan")
    taken_over: bool = False
