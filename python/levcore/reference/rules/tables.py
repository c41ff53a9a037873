"""Tier tables ready for the formulas: constants by line, nothing that depends on a position."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from levcore.engine.compiled import CompiledInstrument, CompiledTable
from levcore.errors import PolicyError
from levcore.reference.arithmetic import divide
from levcore.reference.formulas import liquidation, margin

__all__ = ["Factors", "Growing", "Line", "Scale", "Table", "Tiers", "factors_of", "prepare_tiers"]

BY_VALUE, BY_SIZE, BY_UNIT = "value", "size", "unit_value"


@dataclass(frozen=True, slots=True)
class Factors:
    """``d / (1 - d r)`` for both directions d."""

    gaining: float
    losing: float

    def along(self, direction: float) -> float:
        """Factor of a direction."""
        return self.gaining if direction > 0.0 else self.losing


def factors_of(rate: float) -> Factors:
    """Factors of a rate."""
    return Factors(divide(1.0, 1.0 - rate), -1.0 / (1.0 + rate))


@dataclass(frozen=True, slots=True)
class Scale:
    """How the rate that triggers liquidation follows from a rate of a table."""

    price_fee: float
    trigger: float

    def scaled(self, rate: float) -> float:
        """Rate with the closing fee that moves with the price, at the liquidation level."""
        return (rate + self.price_fee) * self.trigger

    def rate(self, rate: float) -> float:
        """Rate with the closing fee that moves with the price, at the liquidation level.

        Raises
        ------
        PolicyError
            Where it reaches 1: no price restores such a position.
        """
        scaled = self.scaled(rate)
        if not scaled < 1.0:
            expected = "rate plus closing fee below the liquidation level"
            raise PolicyError("rate", "is outside of its domain", expected, str(rate))
        return scaled


UNSCALED = Scale(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a marginal table, or one tier of a flat one, with what does not depend on the position.

    A line applies above its thresholds: `floor` for the value, `gaining` and `losing` for what a position of
    that direction needs (a losing one with the sign turned).
    """

    floor: float
    gaining: float
    losing: float
    rate: float
    deduction: float
    trigger_deduction: float
    factors: Factors

    def times(self, size: float) -> "Line":
        """Line of a position of this size, from one a unit."""
        return Line(
            self.floor * size,
            self.gaining * size,
            self.losing * size,
            self.rate,
            self.deduction * size,
            self.trigger_deduction * size,
            self.factors,
        )


@dataclass(frozen=True, slots=True)
class Growing:
    """A rate that grows with the size in base currency: the value of an inverse position, else its size."""

    by_value: bool
    rate: float
    slope: float
    scaled_rate: float
    scaled_slope: float

    @property
    def limit(self) -> float:
        """Size at which the rate that triggers liquidation is 1: beyond it no price restores a position."""
        return (1.0 - self.scaled_rate) / self.scaled_slope

    def base(self, size: float, value: float) -> float:
        """Size in base currency."""
        return value if self.by_value else size

    def rate_of(self, size: float, value: float) -> float:
        """Rate of a position."""
        return margin.growing_rate(self.rate, self.slope, self.base(size, value))

    def value_at_zero(self, needed: float, direction: float, size: float) -> float:
        """Value without surplus: along the price, the rate of an inverse position moves with its value."""
        if self.by_value:
            return liquidation.value_at_zero_of_growing(
                needed, direction, self.scaled_rate, self.scaled_slope
            )
        rate = margin.growing_rate(self.scaled_rate, self.scaled_slope, size)
        return liquidation.value_at_zero(needed, 0.0, divide(direction, 1.0 - direction * rate))

    def far_value_at_zero(self, needed: float, direction: float) -> float:
        """The value beyond which the rate outgrows a position that gains with its value; NaN for others."""
        if not self.by_value or direction < 0.0:
            return math.nan
        return liquidation.far_value_at_zero_of_growing(needed, self.scaled_rate, self.scaled_slope)


@dataclass(frozen=True)
class Table:
    """A table of an instrument; ``key`` says what selects the tier.

    `lines` are empty where the rate is `growing`, which is None elsewhere; those of a table a unit are those
    of one unit of size.
    """

    key: str
    lines: tuple[Line, ...]
    cap: float
    growing: Growing | None
    floors: tuple[float, ...] = ()
    max_leverage: tuple[float, ...] = ()

    @cached_property
    def is_marginal(self) -> bool:
        """Whether the margin is the largest line in the value of the position."""
        return self.key == BY_VALUE

    @cached_property
    def is_by_unit(self) -> bool:
        """Whether a share of a position asks for that share of its margin."""
        return self.key == BY_UNIT

    @cached_property
    def is_of_lines(self) -> bool:
        """Whether a line of rate and deduction gives the margin."""
        return self.is_marginal or self.is_by_unit

    @property
    def falls(self) -> bool:
        """Whether the margin is no convex function of the value: a rate a unit falls."""
        return self.is_by_unit and any(above.rate < below.rate for below, above in pairwise(self.lines))

    def highest_leverage(self, key: float) -> float:
        """Highest leverage in the tier of a key; infinite where none is stated."""
        if not self.max_leverage:
            return math.inf
        # The floors ascend: as many of them as lie below the key; none lies below NaN.
        return self.max_leverage[max(bisect_left(self.floors, key) - 1, 0)]

    def lines_of(self, size: float) -> tuple[Line, ...]:
        """Lines of a position of this size."""
        return tuple(line.times(size) for line in self.lines) if self.is_by_unit else self.lines

    @cached_property
    def cap_of_value(self) -> float:
        """Upper bound of the value of a position, if the table is keyed by value; else infinite."""
        by_value = self.is_marginal or (self.growing is not None and self.growing.by_value)
        return self.cap if by_value else math.inf


@dataclass(frozen=True, slots=True)
class Tiers:
    """Tables of an instrument: maintenance tiers by side, and those of the initial margin if it has any."""

    long: Table
    short: Table
    initial: Table | None

    def of(self, quantity: float) -> Table:
        """Maintenance tiers of a position of this quantity."""
        return self.short if quantity < 0.0 else self.long


def prepare_tiers(instrument: CompiledInstrument, scale: Scale, initial_from_table: bool) -> Tiers:
    """Constants of an instrument's tables.

    Raises
    ------
    PolicyError
        As `Scale.rate`.
    """
    inverse = instrument.payoff == "inverse"
    long_loses = inverse and instrument.short is not None
    long, initial = _table(instrument.long, inverse, long_loses, scale), None
    if initial_from_table and instrument.initial is not None:
        initial = _table(instrument.initial, inverse, True, UNSCALED)
    short = long if instrument.short is None else _table(instrument.short, inverse, not inverse, scale)
    return Tiers(long, short, initial)


def _table(table: CompiledTable, inverse: bool, of_losing: bool, scale: Scale) -> Table:
    if table.key == BY_SIZE:
        rate = table.rates[0]
        growing = Growing(inverse, rate, table.slope, scale.rate(rate), table.slope * scale.trigger)
        cap = growing.limit if growing.limit < table.cap else table.cap
        return Table(table.key, (), cap, growing, table.floors, table.max_leverage)
    lines = []
    for floor, rate, deduction in zip(table.floors, table.rates, table.deductions, strict=True):
        # A rate of 1 a unit does not keep a position that loses from being restored.
        unchecked = of_losing and table.key == BY_UNIT
        scaled = scale.scaled(rate) if unchecked else scale.rate(rate)
        trigger_deduction = deduction * scale.trigger
        gaining = floor * (1.0 - scaled) + trigger_deduction
        losing = floor * (1.0 + scaled) - trigger_deduction
        lines.append(Line(floor, gaining, losing, rate, deduction, trigger_deduction, factors_of(scaled)))
    return Table(table.key, tuple(lines), table.cap, None, table.floors, table.max_leverage)
