"""What open orders ask for beside a position: margin of the worst side, loss of orders past the mark."""

from levcore.reference.arithmetic import divide
from levcore.reference.formulas.margin import larger
from levcore.reference.formulas.mark_to_market import unrealized_pnl

__all__ = ["both_sides", "order_loss", "order_margin", "worst_side"]


def worst_side(signed_value: float, buys: float, sells: float) -> float:
    """Value of a position with the orders of its worst side filled."""
    return larger(abs(signed_value + buys), abs(signed_value - sells))


def both_sides(signed_value: float, buys: float, sells: float) -> float:
    """Value of a position and all of its orders, none netted."""
    return (abs(signed_value) + buys) + sells


def order_margin(whole: float, signed_value: float, leverage: float) -> float:
    """Margin that orders ask for beside their position: ``whole / leverage - |signed value| / leverage``."""
    return divide(whole, leverage) - divide(abs(signed_value), leverage)


def order_loss(direction: float, size: float, mark: float, price: float) -> float:
    """Loss at the mark that an order would open with, never negative."""
    return larger(-unrealized_pnl(direction, size, mark, price), 0.0)
