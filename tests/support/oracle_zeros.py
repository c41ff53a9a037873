"""Every zero of an account's surplus along the price of what moves, by a scan in fractions.

Between two neighbouring places where a tier, a sign or a side changes, the surplus is a line, a hyperbola or
a parabola. It is fitted exactly there, checked at one more place and solved, so that no zero is missed,
wherever it lies and however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise

from support.oracle import ZERO, Line, square_root
from support.oracle_pooled import ExactPool, Held, HeldLeg, liability_lines

__all__ = ["Zero", "zeros_of"]

Amount = Callable[[Fraction], Fraction]
"""An amount as a function of the place: what the mover's price is multiplied by."""
NEAR_ZERO = Fraction(1, 2**30)
"""Share of its terms below which the sign of a discriminant is not decided by float64."""


@dataclass(frozen=True)
class Zero:
    """A place where something is zero, how fast it rises there, and the scale of the place."""

    place: Fraction
    slope: Fraction
    scale: Fraction
    is_sure: bool


@dataclass(frozen=True)
class Curve:
    """``a + b t + c / t``, or ``a + c / t + d / t^2`` for an account in the coin of its inverse contracts."""

    a: Fraction
    b: Fraction
    c: Fraction
    in_coin: bool

    @classmethod
    def through(cls, amount: Amount, places: tuple[Fraction, ...], in_coin: bool) -> Curve:
        """Fit at three places; the fourth must lie on it."""
        heights = [amount(place) for place in places]
        xs = [1 / place if in_coin else place for place in places]
        ys = heights if in_coin else [height * x for height, x in zip(heights, xs, strict=True)]
        # Newton's divided differences of the parabola y(x): of heights by coin, of heights times place else.
        first = (ys[1] - ys[0]) / (xs[1] - xs[0])
        second = ((ys[2] - ys[0]) / (xs[2] - xs[0]) - first) / (xs[2] - xs[1])
        curve = cls(
            ys[0] - first * xs[0] + second * xs[0] * xs[1], first - second * (xs[0] + xs[1]), second, in_coin
        )
        assert curve.a + xs[3] * (curve.b + xs[3] * curve.c) == ys[3], "a piece bends between its ends"
        return curve

    def zeros(self) -> list[tuple[Fraction, Fraction, bool]]:
        """Places, slopes in them, and whether rounding leaves them there."""
        roots = [(x, True) for x in [-self.a / self.b] if x > 0] if not self.c and self.b else []
        if self.c:
            square, product = self.b * self.b, 4 * self.a * self.c
            gap = square - product
            if gap > 0:
                root, sure = square_root(gap), gap > NEAR_ZERO * (square + abs(product))
                roots = [((-self.b + sign * root) / (2 * self.c), sure) for sign in (-1, 1)]
        found = []
        for x, sure in roots:
            if x > 0:
                slope = self.b + 2 * self.c * x
                found.append((1 / x, -slope * x * x, sure) if self.in_coin else (x, slope / x, sure))
        return found


def zeros_of(pool: ExactPool, mover: str, *, of_equity: bool = False) -> list[Zero]:
    """Every zero of the surplus, or of the equity after fees, along the price of a mover, ascending."""
    measured = pool.equity_after_fees if of_equity else pool.surplus
    in_coin = pool.in_wallet and any(held.leg.inverse for held in pool.legs.values() if held.mover == mover)
    breaks = {ZERO}
    for decision in decisions(pool, mover):
        breaks |= {place for place, _, _ in Curve.through(decision, inside(ZERO, None), in_coin).zeros()}
    if pool.policy.hedge_requirement in ("larger_leg", "larger_side"):
        breaks |= {
            place
            for group in pool.value_at().sides
            for place, _, _ in zeros_by_pieces(lead_of_longs(pool, mover, group), breaks, in_coin)
        }

    def height(place: Fraction) -> Fraction:
        return measured(mover, place).exact

    found, now = [], measured("", Fraction(1)).scale
    for place, slope, is_sure in zeros_by_pieces(height, breaks, in_coin):
        scale = (now + measured(mover, place).scale) / abs(slope)
        found.append(Zero(place, slope, scale + place, is_sure))
    return sorted(found, key=lambda zero: zero.place)


def zeros_by_pieces(
    amount: Amount, breaks: Iterable[Fraction], in_coin: bool
) -> Iterator[tuple[Fraction, Fraction, bool]]:
    """Zeros of an amount that bends at none but these places; one at a border counts once."""
    for low, high in segments(breaks):
        for zero in Curve.through(amount, inside(low, high), in_coin).zeros():
            if low < zero[0] and (high is None or zero[0] <= high):
                yield zero


def decisions(pool: ExactPool, mover: str) -> Iterator[Amount]:
    """Amounts that change sign where the account changes from one piece to another; none has a kink."""
    for leg in pool.legs.values():
        if leg.mover == mover and pool.policy.requirement_basis_cross == "price":
            yield from crossings(leg.leg.lines, charged_value(leg))
    for name, held in pool.holdings.items():
        equity = equity_in(pool, name, mover)
        worth, owed = at_price(pool, held, mover, equity), at_price(pool, held, mover, fixed(held.owed))
        key = equity if held.asset.unit == "amount" else worth
        for floor in held.asset.floors:
            yield total(key, fixed(-Fraction(floor)))
        yield total(equity, fixed(held.owed))
        for lines in liability_lines(held.asset.liability_tiers):
            yield from crossings(lines, owed)
            yield from crossings(lines, negative(worth))


def lead_of_longs(pool: ExactPool, mover: str, group: str) -> Amount:
    """By how much the longs of a group ask for more than its shorts."""

    def lead(place: Fraction) -> Fraction:
        longs, shorts = pool.value_at(mover, place).sides[group]
        return longs.exact - shorts.exact

    return lead


def crossings(lines: list[Line], amount: Amount) -> Iterator[Amount]:
    """Differences of every two lines at an amount."""
    for one, other in combinations(lines, 2):
        yield difference(one, other, amount)


def difference(one: Line, other: Line, amount: Amount) -> Amount:
    return lambda place: one.at(amount(place)) - other.at(amount(place))


def charged_value(leg: HeldLeg) -> Amount:
    return lambda place: leg.share * leg.value(place)


def equity_in(pool: ExactPool, name: str, mover: str) -> Amount:
    return lambda place: pool.equity_of(name, mover, place).exact


def at_price(pool: ExactPool, held: Held, mover: str, amount: Amount) -> Amount:
    return lambda place: amount(place) * pool.price_of(held, mover, place)


def fixed(amount: Fraction) -> Amount:
    return lambda place: amount


def negative(amount: Amount) -> Amount:
    return lambda place: -amount(place)


def total(one: Amount, other: Amount) -> Amount:
    return lambda place: one(place) + other(place)


def segments(breaks: Iterable[Fraction]) -> Iterator[tuple[Fraction, Fraction | None]]:
    """Neighbouring places, the last one without an end."""
    ascending = sorted(breaks)
    yield from pairwise(ascending)
    yield ascending[-1], None


def inside(low: Fraction, high: Fraction | None) -> tuple[Fraction, ...]:
    """Four places in a segment."""
    places = [low + step for step in range(1, 5)] if high is None else []
    if high is not None:
        places = [low + (high - low) * step / 5 for step in range(1, 5)]
    # Short fractions where they stay inside, in order.
    short = [Fraction(float(place)) for place in places]
    ordered = [low, *short] if high is None else [low, *short, high]
    return tuple(short if all(left < right for left, right in pairwise(ordered)) else places)
