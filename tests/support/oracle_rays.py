"""Every zero of an account's surplus as all prices move, each by its beta, in fractions.

`MovingPool` values an account from scratch at any place of a ray; `Ray` finds all places where a part of it
bends, checks that the surplus is straight between them and bends nowhere upwards, and reads its zeros off.

The *place* is 1 where prices are now, and 0 where the price of the largest beta is. What moves by `beta`
moves by its share of the largest: ``P (1 + share (place - 1))``. In the coin of inverse contracts the place
is what prices are divided by. Tables whose rate grows with the value of an inverse contract are no lines and
not supported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

from support.oracle import ONE, ZERO, Number
from support.oracle_pooled import ExactPool, Held, HeldLeg, liability_lines

__all__ = ["MovingPool", "Ray"]

HALF = Fraction(1, 2)
NEAR = Fraction(1, 2**40)
"""Share of its scale below which float64 does not decide whether a surplus is above zero."""
EVERYTHING = "everything"
"""The mover of a ray."""


class MovingPool(ExactPool):
    """One account that can be judged, with the betas of its instruments by row and of its assets by name."""

    def __init__(self, *account: Any, of_rows: Sequence[float], of_assets: Mapping[str, float]) -> None:
        super().__init__(*account)
        self.betas = {id(held): Fraction(of_rows[row]) for row, held in self.legs.items()}
        self.betas |= {id(held): Fraction(of_assets.get(name, 0.0)) for name, held in self.holdings.items()}
        self.largest = max([*self.betas.values(), ZERO], key=abs)
        self.in_coin = self.in_wallet and any(
            held.leg.inverse and self.betas[id(held)] for held in self.legs.values()
        )

    def factor(self, held: Held | HeldLeg, place: Fraction) -> Fraction:
        """What a price is multiplied by at a place."""
        beta = self.betas[id(held)]
        if self.in_coin:
            return 1 / place if beta else ONE
        return 1 + beta / self.largest * (place - 1)

    def price_of(self, held: Held, mover: str, place: Fraction) -> Fraction:
        return held.price * self.factor(held, place) if mover else held.price

    def value_of(self, held: HeldLeg, mover: str, place: Fraction) -> Fraction:
        return held.value(self.factor(held, place) if mover else ONE)

    @property
    def has_common_ray(self) -> bool:
        """Whether the surplus is made of lines: products and quotients of moving prices are none."""
        moving = [held for held in self.legs.values() if self.betas[id(held)]]
        if self.in_coin:
            return all(held.leg.inverse and self.betas[id(held)] == self.largest for held in moving)
        if self.in_wallet:
            return True
        for held in self.legs.values():
            beta, of_settlement = self.betas[id(held)], self.betas[id(self.holdings[held.settlement])]
            if beta != of_settlement if held.leg.inverse else beta and of_settlement:
                return False
        return True


@dataclass(frozen=True)
class Piece:
    """A straight piece of the surplus, ``start + slope * place``, and where it ends; None: nowhere."""

    low: Fraction
    high: Fraction | None
    start: Fraction
    slope: Fraction

    def at(self, place: Fraction) -> Fraction:
        return self.start + self.slope * place


class Ray:
    """The surplus of an account, something of which moves."""

    def __init__(self, pool: MovingPool) -> None:
        self.pool = pool
        falling = [beta / pool.largest for beta in pool.betas.values() if beta / pool.largest < 0]
        self.highest = min((1 - 1 / share for share in falling), default=None)
        self.pieces = list(self._pieces())

    def check_concave(self) -> None:
        """Nothing bends upwards or jumps, but for the rounding of the tables' deductions."""
        for left, right in pairwise(self.pieces):
            place = right.low
            scale = self._scale(place)
            assert abs(left.at(place) - right.at(place)) <= NEAR * scale
            assert right.slope - left.slope <= NEAR * scale / place

    def zeros(self) -> tuple[Number, Number] | None:
        """Moves that liquidate, the lower one first, with natural scales; None if they are too close to call.

        The scale of a zero is that of the surplus, now and there, over its slope.
        """
        if self._is_close():
            return None
        rising = falling = Number(None)
        for piece in self.pieces:
            place = -piece.start / piece.slope if piece.slope else ZERO
            if piece.low < place and (piece.high is None or place <= piece.high):
                found = self._moved(place, self._scale(place) / abs(piece.slope) + place + 1)
                rising, falling = (found, falling) if piece.slope > 0 else (rising, found)
        if self.pool.in_coin:
            rising, falling = falling, rising
        return (rising, falling) if self.pool.largest > 0 else (falling, rising)

    def _moved(self, place: Fraction, scale: Fraction) -> Number:
        largest = self.pool.largest
        if self.pool.in_coin:
            return Number((1 / place - 1) / largest, (scale / place**2 + 1) / abs(largest))
        return Number((place - 1) / largest, scale / abs(largest))

    def _scale(self, place: Fraction) -> Fraction:
        """Scale of the surplus, now and at a place."""
        return self.pool.surplus().scale + self.pool.surplus(EVERYTHING, place).scale

    def _is_close(self) -> bool:
        """Whether the surplus is nearly zero at a bend or an end, or flat at infinity: rounding decides."""
        for piece in self.pieces:
            # An inverse contract has no value at a price of zero, so the scale is taken inside.
            near_by = NEAR * self._scale(inner(piece.low, piece.high)[0])
            ends = [piece.low] if piece.high is None else [piece.low, piece.high]
            if any(abs(piece.at(end)) <= near_by for end in ends):
                return True
        last = self.pieces[-1]
        return last.high is None and 0 < abs(last.slope) < NEAR * self.pool.surplus().scale

    def _pieces(self) -> Iterator[Piece]:
        places = set(self._bends())
        if self.pool.policy.hedge_requirement in ("larger_leg", "larger_side"):
            places |= {place for low, high in self._within(places) for place in self._overtakings(low, high)}
        for low, high in self._within(places):
            one, two, three = inner(low, high)
            values = [self.pool.surplus(EVERYTHING, place).exact for place in (one, two, three)]
            slope = (values[1] - values[0]) / (two - one)
            piece = Piece(low, high, values[0] - slope * one, slope)
            assert piece.at(three) == values[2], "a piece bends between its ends"
            yield piece

    def _within(self, places: set[Fraction]) -> list[tuple[Fraction, Fraction | None]]:
        """Intervals between the places that lie on the ray."""
        on_ray = {place for place in places if place > 0 and (self.highest is None or place < self.highest)}
        ends: list[Any] = [ZERO, *sorted(on_ray), self.highest]
        return list(pairwise(ends))

    def _overtakings(self, low: Fraction, high: Fraction | None) -> Iterator[Fraction]:
        """Where one side of a group overtakes the other, both of them straight in between."""
        one, two, _ = inner(low, high)
        before, after = (self.pool.value_at(EVERYTHING, place).sides for place in (one, two))
        for group in before:
            lead, later = (longs.exact - shorts.exact for longs, shorts in (before[group], after[group]))
            if lead != later:
                yield one - lead * (two - one) / (later - lead)

    def _bends(self) -> Iterator[Fraction]:
        """Places where a part may bend, also beyond the ends: zeros of what is straight on the whole ray."""
        for at_half, at_one in zip(self._decisions(HALF), self._decisions(ONE), strict=True):
            if at_half != at_one:
                yield HALF - at_half * HALF / (at_one - at_half)

    def _decisions(self, place: Fraction) -> Iterator[Fraction]:
        """Amounts in the account's currency that change sign where a part bends."""
        pool, at_price = self.pool, self.pool.policy.requirement_basis_cross == "price"
        for leg in pool.legs.values() if at_price else ():
            # The value of an inverse contract is straight in the account's currency, not in its coin.
            unit = pool.price_of(pool.holdings[leg.settlement], EVERYTHING, place)
            value = leg.share * pool.value_of(leg, EVERYTHING, place)
            for one, other in combinations(leg.leg.lines, 2):
                yield (one.at(value) - other.at(value)) * unit
        for name, held in pool.holdings.items():
            price = pool.price_of(held, EVERYTHING, place)
            worth, owed = pool.equity_of(name, EVERYTHING, place).exact * price, held.owed * price
            unit = price if held.asset.unit == "amount" else ONE
            yield from (worth - Fraction(floor) * unit for floor in held.asset.floors)
            yield worth + owed
            for lines in liability_lines(held.asset.liability_tiers):
                for one, other in combinations(lines, 2):
                    yield from (one.at(amount) - other.at(amount) for amount in (owed, -worth))


def inner(low: Fraction, high: Fraction | None) -> tuple[Fraction, Fraction, Fraction]:
    """Three places inside of an interval."""
    step = ONE if high is None else (high - low) / 4
    return low + step, low + 2 * step, low + 3 * step
