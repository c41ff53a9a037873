"""Rows of tier tables as they are given, and reading them exactly.

Text and floats are read as the decimal they show, so that sums on them are exact: a deduction is a sum of
products, and round-off must neither refuse a table copied from a venue nor move it silently.
"""

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, SupportsIndex, TypeAlias, cast

from levcore.arguments import rows_of
from levcore.errors import TierError

__all__ = [
    "UNITS_OF_SHAPE",
    "Number",
    "Row",
    "Shape",
    "Tier",
    "TierColumns",
    "Unit",
    "exact_number",
    "larger_lines",
    "read_tiers",
]

Shape: TypeAlias = Literal["marginal", "flat", "growing", "per_unit"]
Unit: TypeAlias = Literal["quote", "base", "contracts", "risk_limit", "price"]
Number: TypeAlias = int | float | str | Decimal | Fraction | SupportsIndex

UNITS_OF_SHAPE: dict[str, tuple[str, ...]] = {
    "marginal": ("quote", "base"),
    "flat": ("contracts", "risk_limit"),
    "growing": ("base",),
    "per_unit": ("price",),
}

# Venues write "no upper end" as the largest int64, and copies of their tables as its float64 neighbour.
UNBOUNDED_FROM = 2**63 - 1
# Powers of ten of the smallest and the largest float64.
MIN_EXPONENT, MAX_EXPONENT = -324, 308


class Tier(NamedTuple):
    """One row of a tier table as it is given; see `levcore.rules.tiers.TierTable.marginal`."""

    floor: Number
    rate: Number
    deduction: Number | None = None
    max_leverage: Number | None = None
    cap: Number | None = None


Row: TypeAlias = Tier | Sequence[Number | None] | Mapping[str, Number | None]


class TierColumns(NamedTuple):
    """The columns of a `levcore.rules.tiers.TierTable`, read but not yet checked against its rules."""

    floors: tuple[float, ...]
    rates: tuple[float, ...]
    deductions: tuple[float, ...]
    cap: float
    max_leverage: tuple[float, ...]


def read_tiers(rows: Iterable[Row], shape: Shape, unit: Unit, cap: Number | None) -> TierColumns:
    """Columns of `rows`, with missing deductions derived exactly.

    Raises
    ------
    TierError
        Where a row is no tier, a value is no finite number, or a cap is not the next floor.
    """
    tiers = [_tier(row, number) for number, row in enumerate(rows_of("tiers", rows), 1)]
    floors = [_exact(tier.floor, number, "floor") for number, tier in enumerate(tiers, 1)]
    rates = [_exact(tier.rate, number, "rate") for number, tier in enumerate(tiers, 1)]
    last_cap = _join_bounds(tiers, floors, unit, cap)
    return TierColumns(
        tuple(map(float, floors)),
        tuple(map(float, rates)),
        _deductions(tiers, floors, rates, shape),
        last_cap,
        _leverages(tiers),
    )


def exact_number(value: Number, column: str) -> Fraction:
    """Number as the decimal it shows, for what belongs to a table and to no tier of it."""
    return _exact(value, None, column)


def half_of_initial_rate(max_leverage: Number, number: int) -> Fraction:
    """``1 / (2 * max_leverage)``, exactly; `number` is the tier's, for the error."""
    exact = _exact(max_leverage, number, "max_leverage")
    if exact <= 0:
        raise TierError("", number, "must be positive", "> 0", str(max_leverage), "max_leverage")
    return 1 / (2 * exact)


Line: TypeAlias = tuple[Fraction, Fraction, Fraction]


def larger_lines(one: list[Line], other: list[Line]) -> list[Line]:
    """Lines (floor, rate, deduction) of the larger of two margins a unit, at every price."""
    floors = sorted({line[0] for line in one} | {line[0] for line in other})
    result: list[Line] = []
    for floor, end in zip(floors, [*floors[1:], None], strict=True):
        # At a floor the lines that begin there hold: neighbours meet, so it is all one.
        first, second = (next(line for line in reversed(lines) if line[0] <= floor) for lines in (one, other))
        left, right = [line[1] * floor - line[2] for line in (first, second)]
        larger, smaller = (first, second) if (left, first[1]) >= (right, second[1]) else (second, first)
        parts = [(floor, larger[1], larger[2])]
        if smaller[1] > larger[1]:
            crossing = (smaller[2] - larger[2]) / (smaller[1] - larger[1])
            if end is None or crossing < end:
                parts.append((crossing, smaller[1], smaller[2]))
        for part in parts:
            if not result or result[-1][1:] != part[1:]:
                result.append(part)
    return result


def _tier(row: Row, number: int) -> Tier:
    """Read a row in any of its three spellings."""
    try:
        if isinstance(row, Mapping):
            return Tier(**cast(Mapping[str, Number], row))
        return Tier(*cast(Sequence[Number], row))
    except TypeError:
        raise TierError("", number, "must be a tier", ", ".join(Tier._fields), repr(row)) from None


def _exact(value: Number | None, number: int | None, column: str) -> Fraction:
    """Read a number as the decimal it shows; float64 0.1 is 1/10 here, as its author meant."""
    try:
        if isinstance(value, str) and "/" not in value:
            value = Decimal(
                value.replace("_", "-")
            )  # an underscore is a slip here, not a thousands separator
        if isinstance(value, Decimal):
            return _exact_decimal(value)
        if isinstance(value, str | Fraction):
            return Fraction(value)
        if isinstance(value, float):
            return Fraction(float.__repr__(value))  # numpy's floats print their type, too
        whole = operator.index(cast(int, value))  # raises on None and whatever else is no number
        float(whole)  # and on what float64 does not hold
        return Fraction(whole)
    except (TypeError, ValueError, ArithmeticError):
        raise TierError("", number, "must be a number", "a finite number", repr(value), column) from None


def _exact_decimal(value: Decimal) -> Fraction:
    """Exact value of a decimal near float64; the digits of 1e300000000 would fill the memory."""
    if not value:
        return Fraction(0)
    if not MIN_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise OverflowError("beyond float64")
    return Fraction(value)


def _cap(value: Number, number: int) -> float:
    """Read an upper end: ``inf`` and the int64 sentinels of venues mean that there is none."""
    if isinstance(value, (float, str)) and value in (math.inf, "inf"):
        return math.inf
    exact = _exact(value, number, "cap")
    return math.inf if exact >= UNBOUNDED_FROM else float(exact)


def _join_bounds(tiers: list[Tier], floors: list[Fraction], unit: Unit, cap: Number | None) -> float:
    """Check that caps meet the next floors, close one-contract gaps in `floors`, return the last cap."""
    for index, tier in enumerate(tiers[:-1]):
        if tier.cap is None:
            continue
        upper = _exact(tier.cap, index + 1, "cap")
        gap = floors[index + 1] - upper
        if gap == 1 and unit == "contracts":
            floors[index + 1] = upper
        elif gap != 0:
            rule = "must be the cap of the tier below"
            raise TierError("", index + 2, rule, str(tier.cap), str(tiers[index + 1].floor), "floor")
    given = [value for value in (tiers[-1].cap if tiers else None, cap) if value is not None]
    ends = [_cap(value, len(tiers)) for value in given]
    if len(set(ends)) > 1:
        raise TierError("", len(tiers), "is given twice", str(given[0]), str(given[1]), "cap")
    return ends[0] if ends else math.inf


def _deductions(
    tiers: list[Tier], floors: list[Fraction], rates: list[Fraction], shape: Shape
) -> tuple[float, ...]:
    """Given deductions as they are, missing ones by continuity from floor to floor."""
    continued = [Fraction(0)] * len(tiers)
    # Most tables come with their deductions; the exact sums are the slow part of reading them.
    if shape in ("marginal", "per_unit") and any(tier.deduction is None for tier in tiers):
        if tiers[0].deduction is not None:
            continued[0] = _exact(tiers[0].deduction, 1, "deduction")
        for index in range(1, len(tiers)):
            step = floors[index] * (rates[index] - rates[index - 1])
            continued[index] = continued[index - 1] + step
    return tuple(
        float(exact if tier.deduction is None else _exact(tier.deduction, number, "deduction"))
        for number, (tier, exact) in enumerate(zip(tiers, continued, strict=True), 1)
    )


def _leverages(tiers: list[Tier]) -> tuple[float, ...]:
    """Return the leverage column; it is there for every tier or for none."""
    missing = [number for number, tier in enumerate(tiers, 1) if tier.max_leverage is None]
    if len(missing) == len(tiers):
        return ()
    if missing:
        rule = "must be given for every tier or for none"
        raise TierError("", missing[0], rule, "a number", "nothing", "max_leverage")
    return tuple(
        float(_exact(tier.max_leverage, number, "max_leverage")) for number, tier in enumerate(tiers, 1)
    )
