"""What the tests of bad inputs share: a good book to spoil, and what a refusal must say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import levcore as lc
from levcore import errors
from levcore.measures import DEFAULT_MEASURES
from support.random_books import by_risk_limit

__all__ = [
    "BOOK",
    "ENGINE",
    "GOOD",
    "INFINITE",
    "MARKS",
    "NAN",
    "POLICY",
    "TIERS",
    "Refused",
    "holds_no_number",
]

NAN, INFINITE = math.nan, math.inf
TIERS = lc.TierTable.marginal([(0, "0.01"), (1_000, "0.02")], unit="quote", cap=100_000)
POLICY = lc.policy("generic").with_instruments(
    [
        lc.Instrument("A", "linear", TIERS),
        lc.Instrument("B", "linear", TIERS),
        lc.Instrument("LIMIT", "linear", by_risk_limit()),
    ]
)
ENGINE = lc.Engine(POLICY)
MARKS = {"A": 100.0, "B": 200.0, "LIMIT": 100.0}
GOOD: dict[str, Any] = {
    "instrument": ["A", "B"],
    "quantity": [1.0, -2.0],
    "entry_price": [100.0, 200.0],
    "isolated_margin": [20.0, 90.0],
    "leverage": [5.0, 5.0],
    "accrued_funding": [0.0, 0.0],
    "risk_limit": [1_000.0, 1_000.0],
}
BOOK = lc.PositionBook(**GOOD)


@dataclass(frozen=True)
class Refused:
    """A call that must raise: which class, about what, since which row, how often."""

    error: type[errors.LevcoreError]
    argument: str
    row: int | None = None
    count: int | None = None

    def check(self, call: Callable[[], object]) -> None:
        with pytest.raises(errors.LevcoreError) as caught:
            call()
        error = caught.value
        assert type(error) is self.error, error
        assert (error.argument, error.row, error.count) == (self.argument, self.row, self.count), error
        assert error.rule
        assert self.argument in str(error)


def holds_no_number(risk: lc.BookRisk, row: int) -> bool:
    """Whether every measure of a row is NaN and its state says so."""
    return all(math.isnan(risk[name][row]) for name in DEFAULT_MEASURES) and bool(
        risk.state[row] == lc.State.INCOMPLETE
    )
