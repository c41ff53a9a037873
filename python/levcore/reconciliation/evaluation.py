"""The result of a case, and readings of it by name."""

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from levcore.engine.risk import BookRisk
from levcore.venues.printed_number import EXACT, round_off

if TYPE_CHECKING:
    from levcore.reconciliation.case import Case

__all__ = ["READINGS", "Evaluation"]

CUT_DECIMALS = Decimal("1e-6")
ROUNDED_DECIMALS = Decimal("1e-9")
LARGEST_CUT = Decimal("1e30")


class Evaluation:
    """Result of a case; readings are made when asked for."""

    def __init__(self, case: "Case", risk: BookRisk) -> None:
        self.case = case
        self.risk = risk

    @cached_property
    def by_mark(self) -> BookRisk:
        """Result with margins at the mark."""
        return self.case.risk_by_mark()

    def read(self, reading: str, row: int) -> float:
        """Number of a reading for a row; NaN where there is none."""
        return READINGS[reading](self, row)

    def slack(self, reading: str, row: int) -> float:
        """Round-off that a reading may carry: units in the last place of what it was made of."""
        position = self.case.positions[row] if self.case.positions else None
        number = self.read(reading, row)
        if position is None or reading.startswith(("account", "cross")):
            return round_off(number, self.case.wallet() or 0.0)
        notional = self.read("notional", row)
        if reading in ("unrealized_pnl", "equity"):
            return round_off(number, notional, self.read("notional_at_entry", row))
        if reading.startswith("return_on_equity"):
            return round_off(number, float(position.leverage or 1))
        if reading.endswith("price"):
            return round_off(number, float(position.mark_price or 0))
        return round_off(number)

    def cut_sum(self, measure: str) -> Decimal:
        """Sum over the cross positions of a measure cut to 6 decimals each, as Hyperliquid adds up.

        NaN where one of them is none, or so large that a float64 has no such decimals.
        """
        rows = [row for row, position in enumerate(self.case.positions) if position.margin_mode == "cross"]
        # Rounded first, so that round-off does not cost a number of 6 decimals its last one.
        numbers = [Decimal(float(self.risk[measure][row])) for row in rows]
        if not all(number.is_finite() and abs(number) < LARGEST_CUT for number in numbers):
            return Decimal("NaN")
        rounded = [number.quantize(ROUNDED_DECIMALS, context=EXACT) for number in numbers]
        return sum((each.quantize(CUT_DECIMALS, ROUND_DOWN, EXACT) for each in rounded), Decimal(0))


def _measure(name: str) -> Callable[[Evaluation, int], float]:
    return lambda evaluation, row: float(evaluation.risk[name][row])


def _inverse_ratio(evaluation: Evaluation, row: int) -> float:
    ratio = float(evaluation.risk.margin_ratio[row])
    return 1.0 / ratio if ratio else math.inf


def _account(name: str) -> Callable[[Evaluation, int], float]:
    return lambda evaluation, _: float(getattr(evaluation.risk.accounts, name)[0])


def _cross_notional(evaluation: Evaluation, _: int) -> float:
    risk = evaluation.risk
    return float(risk.notional[risk.book.is_cross].sum())


READINGS: dict[str, Callable[[Evaluation, int], float]] = {
    **{
        name: _measure(name)
        for name in (
            "notional",
            "unrealized_pnl",
            "return_on_equity",
            "initial_margin",
            "maintenance_margin",
            "equity",
            "liquidation_price",
            "bankruptcy_price",
        )
    },
    "return_on_equity_percent": lambda evaluation, row: 100.0 * float(evaluation.risk.return_on_equity[row]),
    "inverse_margin_ratio": _inverse_ratio,
    "notional_at_entry": lambda evaluation, row: float(evaluation.case.risk_at_entry(row).notional[row]),
    "initial_margin_at_mark": lambda evaluation, row: float(evaluation.by_mark.initial_margin[row]),
    "maintenance_margin_at_mark": lambda evaluation, row: float(evaluation.by_mark.maintenance_margin[row]),
    "account_equity": _account("equity"),
    "account_initial_margin": _account("initial_margin"),
    "account_maintenance_margin": _account("maintenance_margin"),
    "cross_notional": _cross_notional,
}
"""How a number of a venue is read from a result; a row does not matter to those of an account."""
