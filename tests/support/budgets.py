"""Budgets of error, written once: how far float64 may be from the exact result.

The unit is ``2**-52`` (the spacing of float64 just above 1) times the *natural scale* of the measure: the sum
of the magnitudes that are added and subtracted on the way to it. Where nothing cancels the scale is the
result itself, and the budget a plain relative error; where two nearly equal amounts are subtracted, no
float64 formula can do better than that.

The *condition* of a number is its scale over its magnitude: 1 where nothing cancels, large where the digits
of the inputs are used up. The value at liquidation is the difference of ``entry value``, ``margin +
funding``, fixed fees and the tier's deduction over ``1 - d r``; the scale is the sum of their magnitudes over
the same (cross: the sum over all legs of the account). So a liquidation price near the entry is exact to some
units in the last place, and one near zero is as uncertain as the entry value is wide.

``docs/accuracy.md`` repeats this table; ``tests/test_oracle.py`` measures against it and holds the page to
it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACCOUNT_BUDGETS", "BUDGETS", "POOLED_BUDGETS", "UNIT", "Budget"]

UNIT = 2.0**-52


@dataclass(frozen=True)
class Budget:
    """Budget of one measure.

    Parameters
    ----------
    measure : str
        Its name.
    units : float
        Largest error allowed, in `UNIT` times the scale.
    measured : float
        Largest error seen on the books of ``tests/test_oracle.py`` or ``tests/test_oracle_pooled.py``.
    scale : str
        The natural scale, in words.
    """

    measure: str
    units: float
    measured: float
    scale: str


def _table(*budgets: Budget) -> dict[str, Budget]:
    return {budget.measure: budget for budget in budgets}


BUDGETS = _table(
    Budget("notional", 2, 1.23, "the notional"),
    Budget("unrealized_pnl", 1.5, 0.47, "notional + entry value, which it is the difference of"),
    Budget("return_on_equity", 1.5, 0.51, "(notional + entry value) × leverage / entry value"),
    Budget("initial_margin", 3, 2.53, "the initial margin"),
    Budget("maintenance_margin", 3, 2.52, "rate × value + deduction of the tier that applies, + fee"),
    Budget("equity", 1.5, 0.56, "margin or wallet + funding + notional + entry value (cross: of all legs)"),
    Budget("margin_ratio", 2, 0.97, "the ratio × (conditions of requirement and equity)"),
    Budget("effective_leverage", 2, 0.71, "the leverage × (1 + condition of the equity)"),
    Budget("liquidation_price", 4, 2.42, "the price × condition of the value at liquidation"),
    Budget("bankruptcy_price", 4, 2.1, "the price × condition of the value at bankruptcy"),
    Budget("distance_to_liquidation", 4, 2.05, "1 + scale of the liquidation price / mark"),
    Budget("liquidation_price_lower", 4, 2.42, "that of the liquidation price"),
    Budget("liquidation_price_upper", 4, 2.27, "that of the liquidation price"),
)
"""Measures of a position."""

ACCOUNT_BUDGETS = _table(
    Budget("equity", 1.5, 0.46, "wallet + funding + notional + entry value of all legs"),
    Budget("initial_margin", 4, 1.79, "the initial margin"),
    Budget("maintenance_margin", 4, 2.09, "rate × value + deduction, + fee, of all legs"),
    Budget("free_margin", 1.5, 0.81, "scale of the equity + initial margin"),
    Budget("margin_ratio", 2, 0.97, "the ratio × (conditions of requirement and equity)"),
    Budget("margin_call_amount", 1.5, 0.65, "requirement / level + scale of the equity"),
    Budget("collateral_value", 1.5, 0.46, "that of the equity, whose positive part it is"),
    Budget("liabilities", 1.5, 0.43, "that of the equity, whose negative part they are"),
    Budget("surplus", 1.5, 0.86, "scale of the equity + requirement / level"),
)
"""Measures of an account of up to some eight legs; the error of a sum grows with their number."""

POOLED_BUDGETS = _table(
    Budget("equity", 1.5, 0.52, "what is held and owed + notional + entry value, at prices and weights"),
    Budget(
        "initial_margin", 3, 1.39, "that of positions, as they are and as if uncovered, and of liabilities"
    ),
    Budget(
        "maintenance_margin",
        3,
        1.09,
        "that of positions, as they are and as if uncovered, and of liabilities",
    ),
    Budget("free_margin", 1.5, 0.54, "scale of the equity + initial margin"),
    Budget("margin_ratio", 1.5, 0.41, "the ratio × (conditions of requirement and equity)"),
    Budget("margin_call_amount", 1.5, 0.45, "requirement / level + scale of the equity"),
    Budget("collateral_value", 1.5, 0.56, "that of the equity"),
    Budget("liabilities", 1.5, 0.44, "that of the equity + what is owed"),
    Budget("surplus", 1.5, 0.45, "scale of the equity + requirement / level"),
    Budget(
        "liquidation_price_lower", 1.5, 0.33, "the price + scales of the surplus now and there / its slope"
    ),
    Budget(
        "liquidation_price_upper", 1.5, 0.28, "the price + scales of the surplus now and there / its slope"
    ),
    Budget("bankruptcy_price", 1.5, 0.3, "the price + scales of the equity now and there / its slope"),
)
"""Measures of accounts whose parts move together, and of what they hold (``tests/test_oracle_pooled.py``)."""
