"""Whether the columns of a tier table follow the rules of its shape."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

from levcore.arguments import is_number, is_word
from levcore.errors import TierError
from levcore.rules.tier_rows import UNITS_OF_SHAPE, Shape

if TYPE_CHECKING:
    from levcore.rules.tiers import TierTable

# A given deduction may differ from the continuous one by this share of itself: room for the float64 round-off
# of a caller who computed it, and nothing more. The bundled tables are exact (tests/test_instruments.py).
DEDUCTION_TOLERANCE = 1e-9
# A rate may exceed the initial rate at the highest leverage by what venues round initial rates up: 0.34 at
# 3x, 0.0134 at 75x. More is a percentage where a fraction is due, or another tier's leverage.
RATE_TOLERANCE = 0.05
FRACTION = "must be a fraction of value; 0.5 % is 0.005"


def check_tiers(table: TierTable) -> None:
    """Refuse a table that breaks a rule of `TierTable`.

    Raises
    ------
    TierError
        Which names the tier, what was expected and what was found.
    """
    _check_form(table)
    _check_floors(table)
    _check_rates(table)
    _check_deductions(table)
    _check_leverage(table)
    _check_slope(table)


def _check_form(table: TierTable) -> None:
    units = UNITS_OF_SHAPE.get(table.shape) if isinstance(table.shape, str) else None
    if units is None:
        raise TierError("", None, "must be known", " or ".join(get_args(Shape)), repr(table.shape), "shape")
    if not is_word(table.unit, units):
        flat_by_value = table.shape == "flat" and table.unit in UNITS_OF_SHAPE["marginal"]
        rule = (
            "a flat rate must not be keyed by value, it would jump along the price path"
            if flat_by_value
            else f"must fit a {table.shape} table"
        )
        raise TierError("", None, rule, " or ".join(units), repr(table.unit), "unit")
    columns = {"floor": "floors", "rate": "rates", "deduction": "deductions", "max_leverage": "max_leverage"}
    for column, name in columns.items():
        values = getattr(table, name)
        if not (isinstance(values, tuple) and all(map(is_number, values))):
            raise TierError("", None, "must hold numbers", "a tuple of them", repr(values), column)
    if not is_number(table.cap):
        raise TierError("", None, "must be a number", "a number, infinite for none", repr(table.cap), "cap")
    if not is_number(table.slope):
        raise TierError("", None, "must be a number", "a number", repr(table.slope), "slope")
    if not table.floors:
        raise TierError("", None, "must not be empty", "at least 1 tier", "0")
    _check_length(table, "rate", table.rates)
    _check_length(table, "deduction", table.deductions)


def _check_length(table: TierTable, name: str, column: tuple[float, ...]) -> None:
    if len(column) != len(table.floors):
        raise TierError(
            "", None, "must have one value a tier", str(len(table.floors)), str(len(column)), name
        )


def _check_floors(table: TierTable) -> None:
    if table.floors[0] != 0:
        raise TierError("", 1, "must be 0 in the first tier", "0", repr(table.floors[0]), "floor")
    for number, (below, above) in enumerate(pairwise(table.floors), 2):
        if not below < above < math.inf:
            raise TierError("", number, "must rise and be finite", f"> {below!r}", repr(above), "floor")
    if not table.cap > table.floors[-1]:
        rule = "must lie above the last floor"
        raise TierError("", len(table), rule, f"> {table.floors[-1]!r}", repr(table.cap), "cap")


def _check_rates(table: TierTable) -> None:
    for number, rate in enumerate(table.rates, 1):
        by_unit = table.shape == "per_unit" and 0 <= rate <= 1
        if not (0 < rate < 1 or by_unit or (rate == 0 and _holds_minimum(table, number))):
            raise TierError("", number, FRACTION, "in (0, 1)", repr(rate), "rate")
    if table.shape == "per_unit":
        return
    for number, (below, above) in enumerate(pairwise(table.rates), 2):
        if table.shape == "marginal" and not above > below:
            raise TierError("", number, "must rise", f"> {below!r}", repr(above), "rate")
        if not above >= below:
            raise TierError("", number, "must not fall", f">= {below!r}", repr(above), "rate")


def _holds_minimum(table: TierTable, number: int) -> bool:
    """Whether this tier is the one that holds a minimum, the first."""
    return number == 1 and table.shape == "marginal" and -math.inf < table.deductions[0] < 0


def _check_deductions(table: TierTable) -> None:
    if table.shape == "per_unit":
        _check_amounts(table)
        return
    if table.shape != "marginal":
        for number, deduction in enumerate(table.deductions, 1):
            if deduction != 0:
                rule = f"must be 0 in a {table.shape} table"
                raise TierError("", number, rule, "0", repr(deduction), "deduction")
        return
    minimum = -table.deductions[0] if table.rates[0] == 0 else 0.0
    if table.deductions[0] != -minimum:
        raise TierError("", 1, "must be 0 in the first tier", "0", repr(table.deductions[0]), "deduction")
    # Each deduction is compared with its neighbour, not with the whole chain, so that the first error is
    # the tier at fault.
    for index in range(1, len(table)):
        step = table.floors[index] * (table.rates[index] - table.rates[index - 1])
        expected = table.deductions[index - 1] + step
        found = table.deductions[index]
        # After a minimum the deduction is a difference, and may be 0.
        if not abs(found - expected) <= DEDUCTION_TOLERANCE * max(expected, minimum):
            rule = "must continue the tier below"
            raise TierError("", index + 1, rule, f"{expected:.15g}", f"{found:.15g}", "deduction")


def _check_amounts(table: TierTable) -> None:
    """Lines a unit meet, and ask for something at every price."""
    if table.cap != math.inf:
        raise TierError("", len(table), "must not end in a table a unit", "inf", repr(table.cap), "cap")
    first = table.deductions[0]
    if not -math.inf < first <= 0 or (first == 0 and table.rates[0] == 0):
        rule = "must be minus an amount a unit, or 0 beside a rate"
        raise TierError("", 1, rule, "<= 0", repr(first), "deduction")
    for index in range(1, len(table)):
        floor, below = table.floors[index], table.deductions[index - 1]
        expected = below + floor * (table.rates[index] - table.rates[index - 1])
        found, scale = table.deductions[index], max(abs(below), floor)
        if not abs(found - expected) <= DEDUCTION_TOLERANCE * scale:
            rule = "must continue the tier below"
            raise TierError("", index + 1, rule, f"{expected:.15g}", f"{found:.15g}", "deduction")


def _check_leverage(table: TierTable) -> None:
    if not table.max_leverage:
        return
    _check_length(table, "max_leverage", table.max_leverage)
    for number, leverage in enumerate(table.max_leverage, 1):
        if not 0 < leverage < math.inf:
            rule = "must be positive and finite"
            raise TierError("", number, rule, "> 0", repr(leverage), "max_leverage")
    for number, (below, above) in enumerate(pairwise(table.max_leverage), 2):
        if above > below:
            raise TierError("", number, "must not rise", f"<= {below!r}", repr(above), "max_leverage")
    for number, (rate, leverage) in enumerate(zip(table.rates, table.max_leverage, strict=True), 1):
        if leverage < 1:
            raise TierError("", number, "must be at least 1", ">= 1", repr(leverage), "max_leverage")
        if rate * leverage > 1 + RATE_TOLERANCE and table.shape != "per_unit":
            rule = f"contradicts a leverage of {leverage:g}, whose initial rate is smaller; 0.5 % is 0.005"
            raise TierError("", number, rule, f"<= 1 / {leverage:g}", repr(rate), "rate")


def _check_slope(table: TierTable) -> None:
    if table.shape != "growing":
        if table.slope != 0:
            raise TierError("", None, "belongs to a growing table", "0", repr(table.slope), "slope")
        return
    if len(table) > 1:
        raise TierError("", 2, "a growing table has one row", "1", str(len(table)))
    if not 0 < table.slope < math.inf:
        raise TierError("", 1, "must be positive and finite", "> 0", repr(table.slope), "slope")
