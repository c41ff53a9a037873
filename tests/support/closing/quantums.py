"""Margin in whole quantums, for venues that settle in integers.

A quantum is the smallest step of a quantity or an amount; shares are whole parts per million. Every division
is rounded once, the way the venue does it, so that a result equals the venue's to the last quantum. Numbers
are Python integers of any size, prices fractions; nothing here passes through float64.

The engine computes the same margins in float64, for any venue; these are for settling and for checking.

Source of the rules and roundings: dYdX v4, dydxprotocol/v4-chain@84d4664 protocol/x/perpetuals.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from levcore.errors import InputError

__all__ = [
    "MILLION",
    "Account",
    "Leg",
    "funding_rate_cap",
    "funding_settlement",
    "initial_fraction",
    "initial_requirement",
    "maintenance_fraction",
    "maintenance_requirement",
    "notional",
    "settled",
    "share_down",
    "share_exactly",
    "share_up",
    "whole",
]

MILLION = 1_000_000


def whole(argument: str, number: object, least: int | None = None) -> int:
    """`number` as an integer.

    Raises
    ------
    InputError
        Where it is none, or below `least`; a float is none, even one without decimals.
    """
    expected = "an integer" if least is None else f"an integer >= {least}"
    try:
        value = operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(argument, "must be a whole number", expected, repr(number)) from None
    if isinstance(number, bool) or (least is not None and value < least):
        raise InputError(argument, "must be a whole number", expected, repr(number))
    return value


def share_up(amount: int, parts: int) -> int:
    """`parts` per million of an amount, rounded up."""
    return -(-amount * parts // MILLION)


def share_down(amount: int, parts: int) -> int:
    """`parts` per million of an amount, rounded down."""
    return amount * parts // MILLION


def share_exactly(amount: Fraction | int, parts: int) -> Fraction:
    """`parts` per million of an amount, not rounded."""
    return Fraction(amount) * parts / MILLION


def notional(quantity: int, price: Fraction | int) -> int:
    """Signed value of a quantity.

    Parameters
    ----------
    quantity : int, base quantums
        Negative for a short.
    price : Fraction or int, quote quantums a base quantum

    Returns
    -------
    int, quote quantums
        Rounded toward zero.
    """
    value = whole("quantity", quantity) * Fraction(price)
    return int(value)


def initial_fraction(base: int, open_notional: int, lower_cap: int, upper_cap: int) -> int:
    """Initial margin fraction of a market, raised as its open interest grows.

    Parameters
    ----------
    base : int, parts per million
        Fraction while the open interest is small.
    open_notional : int, quote quantums
        Value of all open positions of one side.
    lower_cap, upper_cap : int, quote quantums
        From where to where the fraction rises from `base` to one; an upper cap of 0 never raises it.

    Returns
    -------
    int, parts per million
        ``base + (1 - base) * (open_notional - lower_cap) / (upper_cap - lower_cap)``, the rise rounded down.
    """
    base = whole("base", base, 0)
    if upper_cap == 0 or open_notional <= lower_cap:
        return base
    if open_notional >= upper_cap:
        return MILLION
    return base + (MILLION - base) * (open_notional - lower_cap) // (upper_cap - lower_cap)


def maintenance_fraction(initial: int, share: int) -> int:
    """Maintenance fraction that a venue displays: a share of the initial one, rounded down.

    Both in parts per million. Requirements are not computed from it, see `maintenance_requirement`.
    """
    return share_down(whole("initial", initial, 0), whole("share", share, 0))


def initial_requirement(value: int, fraction: int) -> int:
    """Initial margin of a position of this value, rounded up.

    Parameters
    ----------
    value : int, quote quantums
        Signed or not; its magnitude counts.
    fraction : int, parts per million
    """
    return share_up(abs(whole("value", value)), whole("fraction", fraction, 0))


def maintenance_requirement(value: int, base: int, share: int) -> int:
    """Maintenance margin of a position of this value.

    Parameters
    ----------
    value : int, quote quantums
        Signed or not; its magnitude counts.
    base : int, parts per million
        Initial fraction of the market, not raised by open interest.
    share : int, parts per million
        Share of the initial margin that must be maintained.

    Returns
    -------
    int, quote quantums
        Rounded up twice: the initial margin, and the share of it.
    """
    return share_up(initial_requirement(value, base), whole("share", share, 0))


def funding_settlement(quantity: int, index: int, entry_index: int) -> int:
    """Funding that a position receives since its entry, in millionths of a quote quantum.

    Parameters
    ----------
    quantity : int, base quantums
        Negative for a short.
    index, entry_index : int, millionths of a quote quantum a base quantum
        Cumulative funding now and where the position was last settled.

    Returns
    -------
    int
        ``-(index - entry_index) * quantity``: a long pays where the index has risen.
    """
    rise = whole("index", index) - whole("entry_index", entry_index)
    return -rise * whole("quantity", quantity)


def settled(millionths: int) -> int:
    """Whole quantums of an amount in millionths, rounded down: never less is paid than is owed."""
    return whole("millionths", millionths) // MILLION


def funding_rate_cap(initial: int, maintenance: int, factor: int) -> int:
    """Largest magnitude of a funding rate: a factor of the room between two margin fractions, rounded down.

    All in parts per million; `factor` may exceed a million.
    """
    room = whole("initial", initial, 0) - whole("maintenance", maintenance, 0)
    return share_down(whole("factor", factor, 0), room)


@dataclass(frozen=True, slots=True)
class Leg:
    """One position of an account that settles in quantums.

    Parameters
    ----------
    quantity : int, base quantums
        Negative for a short.
    price : Fraction or int, quote quantums a base quantum
        Oracle or mark price.
    initial_fraction : int, parts per million
        Of its market, not raised by open interest.
    maintenance_share : int, parts per million
        Share of the initial margin that must be maintained.

    Raises
    ------
    InputError
        Where a number is not whole, or the price is not positive.
    """

    quantity: int
    price: Fraction | int
    initial_fraction: int
    maintenance_share: int

    def __post_init__(self) -> None:
        """Check the numbers."""
        whole("quantity", self.quantity)
        whole("initial_fraction", self.initial_fraction, 0)
        whole("maintenance_share", self.maintenance_share, 0)
        if not isinstance(self.price, (int, Fraction)) or not self.price > 0:
            raise InputError("price", "must be positive and exact", "a Fraction > 0", repr(self.price))

    @property
    def notional(self) -> int:
        """Signed value in quote quantums."""
        return notional(self.quantity, self.price)

    @property
    def maintenance_requirement(self) -> int:
        """Maintenance margin in quote quantums."""
        return maintenance_requirement(self.notional, self.initial_fraction, self.maintenance_share)

    def changed_by(self, change: int) -> "Leg":
        """Leg of another quantity.

        Raises
        ------
        InputError
            Where `change` does not close some of the leg, or closes more than there is.
        """
        change = whole("change", change)
        if change * self.quantity >= 0 or abs(change) > abs(self.quantity):
            expected = f"of the sign of {-self.quantity} and not beyond it"
            raise InputError("change", "must close some or all of the leg", expected, repr(change))
        return replace(self, quantity=self.quantity + change)


@dataclass(frozen=True, slots=True)
class Account:
    """Account that settles in quantums: a quote balance and legs that share it.

    Parameters
    ----------
    balance : int, quote quantums
        Quote balance after funding is settled; what was paid for longs is not in it, so it may be negative.
    legs : sequence of Leg
    """

    balance: int
    legs: Sequence[Leg]

    @property
    def equity(self) -> int:
        """Balance and the signed values of all legs."""
        return whole("balance", self.balance) + sum(leg.notional for leg in self.legs)

    @property
    def maintenance_requirement(self) -> int:
        """Maintenance margin of all legs."""
        return sum(leg.maintenance_requirement for leg in self.legs)

    @property
    def is_liquidatable(self) -> bool:
        """Whether there is a requirement and the equity is below it; equity at the requirement is safe."""
        return 0 < self.maintenance_requirement > self.equity
