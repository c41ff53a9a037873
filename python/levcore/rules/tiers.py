"""Tier tables: how the maintenance rate rises with the size of a position.

Four shapes exist:

* *marginal*, keyed by the position's value in settlement currency (``quote`` for linear and quanto contracts,
  ``base`` for inverse ones): ``MM(V) = max_k(rate_k * V - deduction_k)``, made continuous by its deductions;
* *flat*, keyed by ``contracts`` or by the ``risk_limit`` the trader chose: one rate for the whole position;
* *growing*, without tiers: the rate of the whole position is ``rate + slope * S``, S its size in ``base``
  currency, which for an inverse contract is its value;
* *per unit*, keyed by the ``price`` of one unit of size: ``MM(V, S) = rate_k * V - deduction_k * S``, so that
  a deduction below 0 is an amount a share or a contract. Rates may fall from line to line.

A flat rate keyed by value would make the requirement jump along the price path, so that a position could have
no liquidation price or several; such a table is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from levcore.errors import TierError
from levcore.rules.tier_checks import check_tiers
from levcore.rules.tier_rows import (
    Number,
    Row,
    Shape,
    Tier,
    Unit,
    exact_number,
    half_of_initial_rate,
    larger_lines,
    read_tiers,
)

__all__ = ["Number", "Shape", "Tier", "TierTable", "Unit"]


@dataclass(frozen=True, slots=True)
class TierTable:
    """Maintenance or initial tiers of one instrument, checked.

    Build it with `marginal`, `flat`, `growing`, `single_rate` or `half_of_initial_rate`; the constructor
    takes finished columns and checks them all the same.

    Parameters
    ----------
    shape : {"marginal", "flat", "growing", "per_unit"}
        Whether a rate holds for the part above its floor or for the whole position, grows with its size, or
        belongs to a line a unit of size.
    unit : {"quote", "base", "contracts", "risk_limit", "price"}
        Unit of `floors` and `cap`; ``quote`` and ``base`` belong to marginal tables, ``base`` to growing
        ones, ``price`` (times the multiplier of a quanto contract) to those a unit, the others to flat ones.
    floors : tuple of float, shape (k,)
        Lower ends, ascending from 0. Tier i holds ``floors[i] < key <= floors[i + 1]``.
    rates : tuple of float, shape (k,)
        Rates, fractions of value in (0, 1). They rise strictly in a marginal table and do not fall in a flat
        one. A first tier of rate 0 holds the minimum of a marginal table (`with_minimum`). Those a unit lie
        in [0, 1] and may fall.
    deductions : tuple of float, shape (k,), settlement currency
        The "maintenance amount" or ``cum``; all 0 in a flat table, the first one minus the minimum where a
        marginal table has one. Of a table a unit: settlement currency a unit of size, contract size included.
    cap : float
        Upper end of the last tier in `unit`, ``inf`` where there is none, as always in a table a unit.
    max_leverage : tuple of float, shape (k,) or (0,)
        Highest leverage a tier allows, at least 1, not rising; empty where the source does not state it. No
        rate is above its reciprocal, but for what venues round up.
    slope : float, fraction of value a unit of base currency
        What a unit of size adds to the rate of a growing table, above 0; 0 for the other shapes.

    Raises
    ------
    TierError
        Where a rule above is broken, naming the tier, what was expected and what was found.
    """

    shape: Shape
    unit: Unit
    floors: tuple[float, ...]
    rates: tuple[float, ...]
    deductions: tuple[float, ...]
    cap: float = math.inf
    max_leverage: tuple[float, ...] = ()
    slope: float = 0.0

    def __post_init__(self) -> None:
        """Check every rule of the class documentation."""
        check_tiers(self)

    @classmethod
    def marginal(
        cls, rows: Iterable[Row], *, unit: Unit, cap: Number | None = None, instrument: str = ""
    ) -> TierTable:
        """Marginal table keyed by value.

        Parameters
        ----------
        rows : iterable of Tier, of (floor, rate[, deduction[, max_leverage[, cap]]]) or of mappings
            Ascending; numbers or their text. A missing deduction is derived exactly from the tiers below; a
            given one must agree with it within 1e-9 of its size, and is kept as the venue's number.
        unit : {"quote", "base"}
            Unit of floors and caps.
        cap : number, optional
            Upper end of the last tier, if the rows do not give it; unbounded where neither does.
        instrument : str
            Named in errors.

        Raises
        ------
        TierError
            Where a row breaks a rule of `TierTable`.

        Examples
        --------
        >>> from levcore import TierTable
        >>> TierTable.marginal([(0, "0.004"), (50_000, "0.005")], unit="quote").deductions
        (0.0, 50.0)
        """
        return cls.of_shape("marginal", rows, unit=unit, cap=cap, instrument=instrument)

    @classmethod
    def flat(
        cls, rows: Iterable[Row], *, unit: Unit, cap: Number | None = None, instrument: str = ""
    ) -> TierTable:
        """Flat table keyed by contracts or by the chosen risk limit.

        Parameters
        ----------
        rows, cap, instrument
            As in `marginal`. Rows of contracts may leave the usual gap of one contract between a cap and the
            next floor (20000 | 20001); the cap is then the border.
        unit : {"contracts", "risk_limit"}
            Unit of floors and caps.

        Raises
        ------
        TierError
            Where a row breaks a rule of `TierTable`, or carries a deduction other than 0.
        """
        return cls.of_shape("flat", rows, unit=unit, cap=cap, instrument=instrument)

    @classmethod
    def of_shape(
        cls, shape: Shape, rows: Iterable[Row], *, unit: Unit, cap: Number | None = None, instrument: str = ""
    ) -> TierTable:
        """Table of the shape that `marginal` or `flat` makes, for those who read the shape from data."""
        try:
            return cls(shape, unit, *read_tiers(rows, shape, unit, cap))
        except TierError as error:
            if error.instrument or not instrument:
                raise
            raise TierError(instrument, *error.args[1:]) from None

    @classmethod
    def single_rate(
        cls, rate: Number, max_leverage: Number | None = None, *, unit: Unit = "quote"
    ) -> TierTable:
        """One rate at every size; without bounds the unit does not matter (see `is_single_rate`)."""
        return cls.marginal([Tier(0, rate, None, max_leverage)], unit=unit)

    @classmethod
    def half_of_initial_rate(
        cls,
        rows: Iterable[tuple[Number, Number]],
        *,
        unit: Unit = "quote",
        cap: Number | None = None,
        instrument: str = "",
    ) -> TierTable:
        """Marginal table of (floor, max_leverage) rows with rate ``1 / (2 * max_leverage)``.

        The rule "half of the initial rate at the highest leverage" of venues that publish leverages only.

        Raises
        ------
        TierError
            Where a row breaks a rule of `TierTable`.
        """
        tiers = [
            Tier(floor, half_of_initial_rate(leverage, number), None, leverage)
            for number, (floor, leverage) in enumerate(rows, 1)
        ]
        return cls.marginal(tiers, unit=unit, cap=cap, instrument=instrument)

    @classmethod
    def growing(
        cls,
        rate: Number,
        slope: Number,
        *,
        unit: Unit = "base",
        cap: Number | None = None,
        max_leverage: Number | None = None,
        instrument: str = "",
    ) -> TierTable:
        """Table whose rate grows with the size: ``rate + slope * S`` on the whole position.

        Parameters
        ----------
        rate : number
            Rate of the smallest position, a fraction of value in (0, 1).
        slope : number
            What each unit of base currency adds to it, above 0.
        unit : {"base"}
            Unit of S: the size in base currency; of an inverse contract, the value in its coin, which moves
            with the price.
        cap : number, optional
            Largest size; none by default. Sizes whose rate would reach 1 are refused all the same.
        max_leverage : number, optional
            Highest leverage of the smallest position.
        instrument : str
            Named in errors.

        Raises
        ------
        TierError
            Where a value is out of its range.

        Examples
        --------
        A rate of 2 % that rises by 0.0005 percentage points a coin:

        >>> from levcore import TierTable
        >>> TierTable.growing("0.02", "0.000005").slope
        5e-06
        """
        try:
            columns = read_tiers([Tier(0, rate, None, max_leverage)], "growing", unit, cap)
            return cls("growing", unit, *columns, slope=float(exact_number(slope, "slope")))
        except TierError as error:
            raise TierError(instrument or error.instrument, *error.args[1:]) from None

    @classmethod
    def per_unit(cls, rows: Iterable[Row], *, instrument: str = "") -> TierTable:
        """Table of lines a unit of size: each a rate of the value, and an amount, from a price on.

        Parameters
        ----------
        rows : iterable of Tier, of (floor, rate[, deduction]) or of mappings
            `floor` is the price of a unit above which the line holds, ascending from 0; a deduction below 0
            is an amount a unit, a missing one continues the line below. Neighbours meet at the floor.
        instrument : str
            Named in errors.

        Raises
        ------
        TierError
            Where a row breaks a rule of `TierTable`.

        Notes
        -----
        The margin does not fall as the price rises. Where a rate falls it is not convex, and accounts whose
        parts move together (hedge mode, balances, distances) refuse such positions. An amount a contract is
        that amount over the contract size.

        Examples
        --------
        The larger of 30 % and 5 USD a share:

        >>> from fractions import Fraction
        >>> from levcore import TierTable
        >>> TierTable.per_unit([(0, 0, -5), (Fraction(50, 3), "0.3")]).deductions
        (-5.0, 0.0)
        """
        return cls.of_shape("per_unit", rows, unit="price", instrument=instrument)

    def with_least_per_unit(self, lines: Iterable[tuple[float, float, float]]) -> TierTable:
        """Return the table a unit that asks for the larger of this one and of some lines, at every price.

        Parameters
        ----------
        lines : iterable of (floor, rate, amount)
            Price above which a line holds, rate of the value, amount a unit of size.

        Raises
        ------
        TierError
            Where this table is neither a single rate nor one a unit, or the lines are not those of one.

        Examples
        --------
        >>> from levcore import TierTable
        >>> least = [(0, 0, "2.5"), ("2.5", 1, 0), (5, 0, 5)]
        >>> table = TierTable.single_rate("0.3").with_least_per_unit(least)
        >>> table.floors, table.rates, table.deductions
        ((0.0, 2.5, 5.0, 16.666666666666668), (0.0, 1.0, 0.0, 0.3), (-2.5, 0.0, -5.0, 0.0))
        """
        if not (self.is_single_rate or self.shape == "per_unit"):
            rule = "least amounts a unit are those of a single rate, or of a table a unit"
            raise TierError("", None, rule, "a single rate", f"{self.shape}, {len(self)} tiers", "shape")
        least = TierTable.per_unit(
            [(floor, rate, -exact_number(amount, "amount")) for floor, rate, amount in lines]
        )
        return TierTable.per_unit(larger_lines(_lines(self), _lines(least)))

    def with_minimum(self, amount: Number) -> TierTable:
        """Return the table with a margin of at least `amount` a position, whatever its size.

        The result begins with a tier of rate 0 and deduction ``-amount``, up to the value at which this table
        asks for the amount.

        Parameters
        ----------
        amount : number, settlement currency
            Above 0.

        Raises
        ------
        TierError
            Where the table is not marginal, has a minimum already, or asks for less than that at its cap.

        Examples
        --------
        >>> from levcore import TierTable
        >>> table = TierTable.single_rate("0.005").with_minimum(10)
        >>> table.floors, table.rates, table.deductions
        ((0.0, 2000.0), (0.0, 0.005), (-10.0, 0.0))
        """
        least = exact_number(amount, "minimum")
        if self.shape != "marginal" or self.rates[0] == 0:
            rule = "a minimum belongs to a marginal table without one"
            raise TierError("", None, rule, "marginal", self.shape, "minimum")
        if not least > 0:
            raise TierError("", None, "must be positive", "> 0", str(amount), "minimum")
        first, floor = self._tier_that_asks_for(least)
        return replace(
            self,
            floors=(0.0, float(floor), *self.floors[first + 1 :]),
            rates=(0.0, *self.rates[first:]),
            deductions=(-float(least), *self.deductions[first:]),
            max_leverage=self.max_leverage and (self.max_leverage[first], *self.max_leverage[first:]),
        )

    def _tier_that_asks_for(self, amount: Fraction) -> tuple[int, Fraction]:
        """Place of the tier in which the margin is `amount`, and the value there."""
        for place, (rate, deduction) in enumerate(zip(self.rates, self.deductions, strict=True)):
            value = (amount + exact_number(deduction, "deduction")) / exact_number(rate, "rate")
            if value < (self.floors[place + 1] if place + 1 < len(self) else self.cap):
                return place, value
        rule = "must be asked for below the cap"
        highest = self.rates[-1] * self.cap - self.deductions[-1]
        raise TierError("", len(self), rule, f"< {highest!r}", str(float(amount)), "minimum")

    @property
    def is_single_rate(self) -> bool:
        """Whether one rate holds at every size, so that `unit` is immaterial."""
        return len(self.rates) == 1 and self.cap == math.inf and self.shape not in ("growing", "per_unit")

    def __len__(self) -> int:
        """Return the number of tiers."""
        return len(self.rates)


def _lines(tiers: TierTable) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Floor, rate and deduction of each tier, as the decimals they show."""
    columns = zip(tiers.floors, tiers.rates, tiers.deductions, strict=True)
    return [
        (exact_number(f, "floor"), exact_number(r, "rate"), exact_number(d, "deduction"))
        for f, r, d in columns
    ]
