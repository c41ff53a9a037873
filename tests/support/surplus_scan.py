"""Zeros of a surplus by looking: a dense grid of prices on both sides of the mark, then bisection.

The surplus is the one of the oracle, in fractions; nothing of the kernel's is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import levcore as lc
from support.oracle import ONE, ZERO, Leg, Number, plain, times

__all__ = ["GRID", "ExactIsolated", "found_zeros"]

STEPS = 12 if os.environ.get("LEVCORE_TESTS") == "thorough" else 3
"""Places of the grid for a factor of two."""
OCTAVES = 4


def _grid() -> tuple[Fraction, ...]:
    """Multiples of the mark from 1/16 to 16, short fractions, 1 among them."""
    places = [2.0 ** (step / STEPS) for step in range(-OCTAVES * STEPS, OCTAVES * STEPS + 1)]
    return tuple(Fraction(round(place * 65_536), 65_536) for place in places)


GRID = _grid()
BISECTIONS = 4 * STEPS - 10
"""A price is held to the zero itself where it is told (`moved_prices`), so a narrow bracket finds it."""


class ExactIsolated:
    """Equity and requirement of one isolated row at any price of its instrument, exactly.

    Parameters
    ----------
    book : PositionBook
    policy : MarginPolicy
        With the instrument.
    mark : float
    row : int
    """

    def __init__(self, book: lc.PositionBook, policy: lc.MarginPolicy, mark: float, row: int) -> None:
        leg = self.leg = Leg(book, policy, mark, row)
        self.basis = policy.requirement_basis_isolated
        fee = leg.fee_of_leverage()
        held = leg.margin
        if held is None:
            assert leg.leverage is not None
            held = leg.entry_value / leg.leverage + leg.reserve(fee).exact
        self.cash, self.worth = held + leg.funding, ZERO
        if "bankruptcy" in (leg.fee_basis, self.basis):
            self.worth = max(leg.bankruptcy(plain(self.cash - leg.direction * leg.entry_value)).exact, ZERO)
        if leg.fee_basis == "bankruptcy":
            fee = times(leg.fee_rate, Number(self.worth))
        if leg.fee_basis == "entry_and_margin":
            inside = 1 + leg.fee_rate if policy.closing_fee_in_initial_margin else ONE
            fee = times(leg.fee_rate / inside, Number(max(leg.entry_value + held, ZERO)))
        self.fee = fee.exact

    def surplus(self, place: Fraction) -> Fraction:
        """Equity less the requirement over the liquidation level, at a multiple of the mark."""
        leg, value = self.leg, self.leg.size * self.leg.coordinate(self.leg.mark * place)
        equity = self.cash + leg.direction * (value - leg.entry_value)
        by_basis = {"price": value, "entry": leg.entry_value, "mark": leg.value, "bankruptcy": self.worth}
        charged = by_basis[self.basis]
        requirement = max(line.at(charged) for line in leg.lines) + self.fee + leg.fee_at_price() * value
        return equity - leg.trigger * requirement

    def scale(self, place: Fraction) -> Fraction:
        """Sum of the magnitudes on the way to the surplus."""
        value = self.leg.size * self.leg.coordinate(self.leg.mark * place)
        return abs(self.cash) + value + self.leg.entry_value


def found_zeros(surplus: Callable[[Fraction], Fraction]) -> list[tuple[Fraction, Fraction, bool]]:
    """Neighbouring places of the grid between which a surplus changes its sign, and whether it rises there.

    The ends are drawn together by bisection.
    """
    heights = [surplus(place) for place in GRID]
    found = []
    for (low, below), (high, above) in pairwise(zip(GRID, heights, strict=True)):
        if (below < 0) != (above < 0):
            found.append((*_bisected(surplus, low, high, above >= 0), above >= 0))
    return found


def _bisected(
    surplus: Callable[[Fraction], Fraction], low: Fraction, high: Fraction, rises: bool
) -> tuple[Fraction, Fraction]:
    for _ in range(BISECTIONS):
        middle = Fraction(float((low + high) / 2))
        if (surplus(middle) < 0) == rises:
            low = middle
        else:
            high = middle
    return low, high
