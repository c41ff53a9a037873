"""Numbers as a venue prints them: their digits, and whether a number of ours agrees with those digits.

A venue's number is text; the last printed digit says how much of it is known. All comparisons are on
decimals, so that nothing is lost by reading the text as a float64 first.
"""

import math
import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Literal, TypeAlias

__all__ = [
    "Agreement",
    "PrintedNumber",
    "agreement",
    "gap_and_share",
    "inferred_tick",
    "printed_number",
    "shortest_decimal",
    "tick_direction",
]

Agreement: TypeAlias = Literal["nearest", "cut", "away"]

FLOAT64_DIGITS = 17
"""Significant digits that name a float64 and no other: a number printed with so many is one."""
DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
LONGEST = 400
"""Characters of the longest number that a venue may print: those of the largest float64 and then some."""
SMALLEST, LARGEST = -308, 308
"""Powers of ten between which a float64 keeps its digits."""
EXACT = Context(prec=60)
"""Wide enough for every product and sum of the decimals that venues print."""
MOST_TICKS = 50
"""Power of ten of the most ticks that a price may be: EXACT divides no larger ones."""
TICK_DIGITS = (1, 2, 5)
TICK_SHARE = Decimal("1e-3")
"""Largest share of a price that a tick which nobody stated is taken to be."""


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as printed.

    Parameters
    ----------
    text : str
        As it stands in the reply.
    value : Decimal
        What it says. A number printed with 17 digits or more is a float64 written out; its value is the
        shortest decimal that names the same float64, without the noise of a binary sum.
    unit : Decimal
        One unit of the last digit that says something.
    """

    text: str
    value: Decimal
    unit: Decimal


def printed_number(text: str) -> PrintedNumber:
    """Read a number of a venue.

    Raises
    ------
    ValueError
        Where the text is no decimal number, or none that a float64 holds to its last digit: what is
        smaller than the smallest is not 0.
    """
    text = text.strip()
    if len(text) > LONGEST or not DECIMAL.fullmatch(text):
        raise ValueError(text)
    value = Decimal(text)
    if not SMALLEST <= (value.adjusted() if value else _exponent(value)) < LARGEST:
        raise ValueError(text)
    if len(value.as_tuple().digits) >= FLOAT64_DIGITS and _exponent(value) < 0:
        value = Decimal(repr(float(value)))
    return PrintedNumber(text, value, Decimal(1).scaleb(min(_exponent(value), 0)))


def agreement(ours: float, printed: PrintedNumber, slack: float) -> Agreement | None:
    """How `ours` becomes the printed number, None where no rounding to its last digit does it.

    Parameters
    ----------
    ours : float
        Finite.
    printed : PrintedNumber
    slack : float
        Round-off of `ours`, not negative.

    Returns
    -------
    {"nearest", "cut", "away"} or None
        Rounded to the nearest, toward zero, or away from zero.
    """
    difference = EXACT.subtract(Decimal(ours), printed.value)
    room = Decimal(slack)
    if abs(difference) <= max(printed.unit / 2, room):
        return "nearest"
    if abs(difference) >= printed.unit + room:
        return None
    beyond = EXACT.subtract(abs(Decimal(ours)), abs(printed.value))
    return "cut" if beyond > 0 else "away"


def tick_direction(ours: float, printed: PrintedNumber, tick: Decimal) -> Literal["up", "down"] | None:
    """Which way `ours` was moved to its tick to become the printed price; None where that does not do it."""
    if printed.value.adjusted() - tick.adjusted() > MOST_TICKS or EXACT.remainder(printed.value, tick) != 0:
        return None
    difference = EXACT.subtract(printed.value, Decimal(ours))
    if abs(difference) >= tick:
        return None
    return "up" if difference > 0 else "down"


def inferred_tick(ours: float, printed: PrintedNumber) -> Decimal | None:
    """Smallest tick of 1, 2 or 5 units of some decimal place to which `ours` may have been moved."""
    unit = printed.unit
    # Of a price of hundreds of digits no smaller one says anything.
    unit = max(unit, Decimal(1).scaleb(printed.value.adjusted() - MOST_TICKS))
    while unit <= abs(printed.value) * TICK_SHARE:
        for digit in TICK_DIGITS:
            tick = digit * unit
            if tick <= abs(printed.value) * TICK_SHARE and tick_direction(ours, printed, tick):
                return tick
        unit = unit.scaleb(1)
    return None


def shortest_decimal(low: Decimal, high: Decimal) -> Decimal:
    """Decimal with the fewest digits in ``[low, high]``; of several, the one nearest the middle.

    Examples
    --------
    >>> shortest_decimal(Decimal("0.00059999998"), Decimal("0.00060000003"))
    Decimal('0.0006')
    """
    middle = (low + high) / 2
    largest = max(abs(low), abs(high))
    exponent = largest.adjusted() if largest else 0
    while True:
        first = low.scaleb(-exponent).to_integral_value(ROUND_CEILING)
        last = high.scaleb(-exponent).to_integral_value("ROUND_FLOOR")
        if first <= last:
            nearest = min(max(middle.scaleb(-exponent).to_integral_value(), first), last)
            return plain(nearest.scaleb(exponent))
        exponent -= 1


def plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent above 0."""
    trimmed = number.normalize(EXACT)
    return Decimal(int(trimmed)) if _exponent(trimmed) > 0 else trimmed


def gap_and_share(ours: float, printed: PrintedNumber) -> tuple[float | None, float | None]:
    """Ours less theirs, and the same over theirs; None where a float64 does not hold it."""
    gap = float(EXACT.subtract(Decimal(ours), printed.value))
    share = gap / float(printed.value) if printed.value else math.nan
    return (gap if math.isfinite(gap) else None), (share if math.isfinite(share) else None)


def round_off(*magnitudes: float, units: int = 8) -> float:
    """Some units in the last place of the largest of `magnitudes`; those that are not finite are left out."""
    largest = max((abs(each) for each in magnitudes if math.isfinite(each)), default=0.0)
    return units * math.ulp(largest)


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # finite numbers have one
    return exponent
