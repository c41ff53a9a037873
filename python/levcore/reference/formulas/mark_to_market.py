"""Profit at the mark."""

from levcore.reference.arithmetic import divide

__all__ = ["return_on_equity", "unrealized_pnl"]


def unrealized_pnl(direction: float, size: float, mark: float, entry: float) -> float:
    """Profit since entry: ``(direction * size) * (x_mark - x_entry)``."""
    return (direction * size) * (mark - entry)


def return_on_equity(unrealized_pnl: float, leverage: float, entry_value: float) -> float:
    """Profit over the margin that opened the position: ``pnl * leverage / entry_value``."""
    return divide(unrealized_pnl * leverage, entry_value)
