"""Tier tables: how the maintenance rate rises with the size of a position.

Two shapes exist, and the unit of the bounds says which one a table has:

* *marginal*, keyed by the position's value in settlement currency (``quote`` for linear and quanto contracts,
  ``base`` for inverse ones): ``MM(V) = max_k(rate_k * V - deduction_k)``, made continuous by its deductions;
* *flat*, keyed by ``contracts`` or by the ``risk_limit`` the trader chose: one rate for the whole position.

A flat rate keyed by value would make the requirement jump along the price path, so that a position could have
no liquidation price or several; such a table is refused.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

from levcore.errors import TierError
from levcore.tier_rows import Number, Row, Shape, Tier, Unit, half_of_initial_rate, read_tiers

__all__ = ["Number", "Shape", "Tier", "TierTable", "Unit"]

UNITS_OF_SHAPE: dict[str, tuple[str, ...]] = {
    "marginal": ("quote", "base"),
    "flat": ("contracts", "risk_limit"),
}

# A given deduction may differ from the continuous one by this share of itself: room for the float64 round-off
# of a caller who computed it, and nothing more. The bundled tables are exact (tests/test_instruments.py).
DEDUCTION_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class TierTable:
    """Maintenance tiers of one instrument, checked.

    Build it with `marginal`, `flat`, `single_rate` or `half_of_initial_rate`; the constructor takes finished
    columns and checks them all the same.

    Parameters
    ----------
    shape : {"marginal", "flat"}
        Whether a rate holds for the part above its floor or for the whole position.
    unit : {"quote", "base", "contracts", "risk_limit"}
        Unit of `floors` and `cap`; ``quote`` and ``base`` belong to marginal tables, the others to flat ones.
    floors : tuple of float, shape (k,)
        Lower ends, ascending from 0. Tier i holds ``floors[i] < key <= floors[i + 1]``.
    rates : tuple of float, shape (k,)
        Maintenance rates, fractions of value in (0, 1). They rise strictly in a marginal table and do not
        fall in a flat one.
    deductions : tuple of float, shape (k,), settlement currency
        The "maintenance amount" or ``cum``; all 0 in a flat table.
    cap : float
        Upper end of the last tier in `unit`, ``inf`` where there is none.
    max_leverage : tuple of float, shape (k,) or (0,)
        Highest leverage a tier allows, not rising; empty where the source does not state it.

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

    def __post_init__(self) -> None:
        """Check every rule of the class documentation."""
        self._check_form()
        self._check_floors()
        self._check_rates()
        self._check_deductions()
        self._check_leverage()

    @classmethod
    def marginal(
        cls, rows: Iterable[Row], *, unit: Unit, cap: Number | None = None, instrument: str = ""
    ) -> "TierTable":
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
        >>> TierTable.marginal([(0, "0.004"), (50_000, "0.005")], unit="quote").deductions
        (0.0, 50.0)
        """
        return cls.of_shape("marginal", rows, unit=unit, cap=cap, instrument=instrument)

    @classmethod
    def flat(
        cls, rows: Iterable[Row], *, unit: Unit, cap: Number | None = None, instrument: str = ""
    ) -> "TierTable":
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
    ) -> "TierTable":
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
    ) -> "TierTable":
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
    ) -> "TierTable":
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

    @property
    def is_single_rate(self) -> bool:
        """Whether one rate holds at every size, so that `unit` is immaterial."""
        return len(self.rates) == 1 and self.cap == math.inf

    def __len__(self) -> int:
        """Return the number of tiers."""
        return len(self.rates)

    def _check_form(self) -> None:
        units = UNITS_OF_SHAPE.get(self.shape)
        if units is None:
            raise TierError(
                "", None, "must be known", " or ".join(get_args(Shape)), repr(self.shape), "shape"
            )
        if self.unit not in units:
            flat_by_value = self.shape == "flat" and self.unit in UNITS_OF_SHAPE["marginal"]
            rule = (
                "a flat rate must not be keyed by value, it would jump along the price path"
                if flat_by_value
                else f"must fit a {self.shape} table"
            )
            raise TierError("", None, rule, " or ".join(units), repr(self.unit), "unit")
        if not self.floors:
            raise TierError("", None, "must not be empty", "at least 1 tier", "0")
        self._check_length("rate", self.rates)
        self._check_length("deduction", self.deductions)

    def _check_length(self, name: str, column: tuple[float, ...]) -> None:
        if len(column) != len(self.floors):
            raise TierError(
                "", None, "must have one value a tier", str(len(self.floors)), str(len(column)), name
            )

    def _check_floors(self) -> None:
        if self.floors[0] != 0:
            raise TierError("", 1, "must be 0 in the first tier", "0", repr(self.floors[0]), "floor")
        for number, (below, above) in enumerate(pairwise(self.floors), 2):
            if not below < above < math.inf:
                raise TierError("", number, "must rise and be finite", f"> {below!r}", repr(above), "floor")
        if not self.cap > self.floors[-1]:
            rule = "must lie above the last floor"
            raise TierError("", len(self), rule, f"> {self.floors[-1]!r}", repr(self.cap), "cap")

    def _check_rates(self) -> None:
        for number, rate in enumerate(self.rates, 1):
            if not 0 < rate < 1:
                raise TierError("", number, "must be a fraction of value", "in (0, 1)", repr(rate), "rate")
        for number, (below, above) in enumerate(pairwise(self.rates), 2):
            if self.shape == "marginal" and not above > below:
                raise TierError("", number, "must rise", f"> {below!r}", repr(above), "rate")
            if not above >= below:
                raise TierError("", number, "must not fall", f">= {below!r}", repr(above), "rate")

    def _check_deductions(self) -> None:
        if self.shape == "flat":
            for number, deduction in enumerate(self.deductions, 1):
                if deduction != 0:
                    raise TierError(
                        "", number, "must be 0 in a flat table", "0", repr(deduction), "deduction"
                    )
            return
        if self.deductions[0] != 0:
            raise TierError("", 1, "must be 0 in the first tier", "0", repr(self.deductions[0]), "deduction")
        # Each deduction is compared with its neighbour, not with the whole chain, so that the first error is
        # the tier at fault.
        for index in range(1, len(self)):
            step = self.floors[index] * (self.rates[index] - self.rates[index - 1])
            expected = self.deductions[index - 1] + step
            found = self.deductions[index]
            if not abs(found - expected) <= DEDUCTION_TOLERANCE * expected:
                rule = "must continue the tier below"
                raise TierError("", index + 1, rule, f"{expected:.15g}", f"{found:.15g}", "deduction")

    def _check_leverage(self) -> None:
        if not self.max_leverage:
            return
        self._check_length("max_leverage", self.max_leverage)
        for number, leverage in enumerate(self.max_leverage, 1):
            if not 0 < leverage < math.inf:
                rule = "must be positive and finite"
                raise TierError("", number, rule, "> 0", repr(leverage), "max_leverage")
        for number, (below, above) in enumerate(pairwise(self.max_leverage), 2):
            if above > below:
                raise TierError("", number, "must not rise", f"<= {below!r}", repr(above), "max_leverage")
