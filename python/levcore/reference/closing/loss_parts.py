"""What closing a position costs, in three parts that add up exactly."""

__all__ = ["loss_parts", "to_quanta"]


def to_quanta(amount: float, per_unit: float) -> int:
    """Amount in quanta: the nearest whole number, a tie to the even one."""
    return round(amount * per_unit)


def loss_parts(
    gain: float, entry: float, trigger: float, fill: float, fee_rate: float, per_unit: float
) -> tuple[int, int, int]:
    """Loss to the trigger, past it, and fees, in quanta; prices are coordinates of the contract.

    The whole loss ``gain * (entry - fill)`` is rounded once, so is its first part; the second is the rest.
    """
    to_trigger = to_quanta(gain * (entry - trigger), per_unit)
    past_trigger = to_quanta(gain * (entry - fill), per_unit) - to_trigger
    return to_trigger, past_trigger, to_quanta(abs(gain) * fill * fee_rate, per_unit)
