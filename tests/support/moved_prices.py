"""The prices of a book that can move by themselves, each with the exact surplus along it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import levcore as lc
from levcore.measures import MEASURE_NAMES
from support.every_policy import Drawn
from support.oracle_pooled import ExactPool
from support.surplus_scan import GRID, ExactIsolated, found_zeros

__all__ = ["Moved", "Ruled"]


@dataclass
class Moved:
    """One price: what moves with it, the rows and balances that are told of it, and the surplus.

    `wave` numbers the prices of one account: those of one wave can be moved in one evaluation.
    """

    exact: ExactIsolated | ExactPool
    mover: str
    wave: int
    account: int
    basis: str
    rows: list[int]
    instruments: list[str]
    balances: list[int] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    known: dict[Fraction, tuple[Fraction, Fraction]] = field(default_factory=dict)

    def surplus(self, place: Fraction) -> Fraction:
        """Surplus at a multiple of the price."""
        return self._at(place)[0]

    def scale(self, place: Fraction) -> Fraction:
        """Sum of the magnitudes on the way to it."""
        return self._at(place)[1]

    def _at(self, place: Fraction) -> tuple[Fraction, Fraction]:
        """Both, once for each place."""
        if place not in self.known:
            if isinstance(self.exact, ExactIsolated):
                self.known[place] = self.exact.surplus(place), self.exact.scale(place)
            else:
                number = self.exact.surplus(self.mover, place)
                self.known[place] = number.exact, number.scale
        return self.known[place]

    @cached_property
    def zeros(self) -> list[tuple[Fraction, Fraction, bool]]:
        """Pairs of places between which a scan finds the surplus zero, and whether it rises there."""
        return found_zeros(self.surplus)


class Ruled:
    """A drawn book under its policy, evaluated, and all that moves in it."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn, self.policy, self.book = drawn, drawn.with_rules(), drawn.book()
        self.engine = lc.Engine(self.policy)
        self.risk = self.at({})

    def at(self, places: dict[str, float]) -> lc.BookRisk:
        """Evaluation with these instruments and assets at a multiple of their price."""
        marks = {name: mark * places.get(name, 1.0) for name, mark in self.drawn.marks.items()}
        prices = {name: price * places.get(name, 1.0) for name, price in self.drawn.prices.items()}
        return self.engine.evaluate(self.book, marks, asset_prices=prices or None, measures=MEASURE_NAMES)

    def movers(self) -> Iterator[Moved]:
        """Prices of what can be evaluated."""
        if self.drawn.mode == "isolated":
            for row in range(len(self.book)):
                if not lc.Status(self.risk.status[row]).is_failure:
                    name = self.book.name_of(row)
                    exact = ExactIsolated(self.book, self.policy, self.drawn.marks[name], row)
                    basis = self.frozen_or("isolated")
                    yield Moved(exact, name, 0, row, basis, [row], [name])
            return
        for code, status in enumerate(self.risk.accounts.status.tolist()):
            if status == lc.AccountStatus.OK:
                yield from self._of_account(code)

    def _of_account(self, code: int) -> Iterator[Moved]:
        exact = ExactPool(self.book, self.policy, self.drawn.marks, self.drawn.prices, code)
        for wave, mover in enumerate(sorted(exact.movers)):
            rows = [row for row, leg in exact.legs.items() if leg.mover == mover]
            assets = [name for name, held in exact.holdings.items() if held.mover == mover]
            balances = [row for row, name in exact.rows_of_balances.items() if name in assets]
            names = sorted({self.book.name_of(row) for row in rows})
            basis = self.frozen_or("cross")
            yield Moved(exact, mover, wave, code, basis, rows, names, balances, assets)

    def frozen_or(self, mode: str) -> str:
        """Basis of a mode's requirement; "mark" where only its fee is frozen there."""
        basis: str = getattr(self.policy, f"requirement_basis_{mode}")
        return "mark" if self.policy.fee_basis_of(mode) == "mark" else basis

    def state_of(self, risk: lc.BookRisk, moved: Moved) -> int:
        """State of the row or the account that a price belongs to."""
        states = risk.state if self.drawn.mode == "isolated" else risk.accounts.state
        return int(states[moved.account])


def grid_of(moved: Iterable[Moved], every: int) -> Iterator[tuple[Fraction, list[Moved]]]:
    """Waves of what can be moved at once, to each of some places."""
    waves: dict[int, list[Moved]] = {}
    for each in moved:
        waves.setdefault(each.wave, []).append(each)
    for wave in waves.values():
        for place in GRID[::every]:
            yield place, wave
