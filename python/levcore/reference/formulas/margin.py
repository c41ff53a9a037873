"""Initial and maintenance margin, closing fee, margin ratio and margin call."""

import math

from levcore.reference.arithmetic import divide

__all__ = [
    "bankruptcy_value_of_cash",
    "bankruptcy_value_of_leverage",
    "growing_rate",
    "initial_margin",
    "is_leverage",
    "larger",
    "maintenance_line",
    "margin_call_amount",
    "margin_ratio",
]


def initial_margin(value: float, leverage: float) -> float:
    """Margin to open a position of this value: ``value / leverage``."""
    return divide(value, leverage)


def is_leverage(number: float) -> bool:
    """Whether a number is a leverage: no venue asks for more than the value of a position."""
    return 1.0 <= number < math.inf


def maintenance_line(value: float, rate: float, deduction: float) -> float:
    """One line of the maintenance margin, which is the largest of them: ``rate * value - deduction``."""
    return rate * value - deduction


def growing_rate(rate: float, slope: float, size: float) -> float:
    """Rate of a position whose rate grows with its size: ``rate + slope * size``."""
    return rate + slope * size


def larger(left: float, right: float) -> float:
    """The larger of two; the second on a tie, as the kernel's instructions have it."""
    return left if left > right else right


def bankruptcy_value_of_cash(entry_value: float, direction: float, cash: float, factor: float) -> float:
    """Value with nothing left: ``(direction * entry_value - cash) * factor``, never negative."""
    return larger((direction * entry_value - cash) * factor, 0.0)


def bankruptcy_value_of_leverage(entry_value: float, direction: float, leverage: float) -> float:
    """The same with just the initial margin: ``entry_value - direction * (entry_value / leverage)``."""
    return entry_value - direction * divide(entry_value, leverage)


def reserved_fee(entry_value: float, direction: float, leverage: float, rate: float) -> float:
    """Closing fee that the initial margin reserves: that at the value where it ends."""
    return rate * bankruptcy_value_of_leverage(entry_value, direction, leverage)


def fee_on_entry_and_margin(entry_value: float, held: float, rate: float, inside: bool) -> float:
    """Closing fee on entry value and margin together, not negative: ``rate * (entry_value + margin)``.

    Where the margin held has the fee inside: ``rate * ((entry_value + held) / (1 + rate))``.
    """
    charged = larger(entry_value + held, 0.0)
    return rate * (charged / (1.0 + rate) if inside else charged)


def margin_ratio(requirement: float, equity: float) -> float:
    """Requirement over equity; infinite when there is a requirement or a debt and no equity."""
    if equity > 0.0:
        return divide(requirement, equity)
    return math.inf if equity < 0.0 or requirement > 0.0 else 0.0


def margin_call_amount(requirement: float, level: float, equity: float) -> float:
    """Amount that ends a margin call: ``requirement / level - equity``, zero when there is none."""
    return larger(requirement / level - equity, 0.0)
