"""Accounts whose parts move together: hedged legs, and balances in several assets.

Everything that one underlying moves, legs and balances, is a *mover*. Along the price of a mover the surplus
of the account is what it is now, less what the mover's parts give to it now, plus what they give there; every
part is a line, or the smaller of a few. The place on the ray is the price over the mark, or the coordinate
over its own where the account is kept in the coin of inverse contracts.
"""

import math
from dataclasses import dataclass, field
from functools import partial

from levcore.reference.accounts.verdict import Totals
from levcore.reference.arithmetic import divide
from levcore.reference.formulas import margin, ray
from levcore.reference.formulas.ray import Line
from levcore.reference.position import Position
from levcore.reference.rules.collateral import Asset, counted_line, liability_line
from levcore.reference.rules.curve import Curve
from levcore.reference.rules.policy import Policy
from levcore.reference.rules.tables import Table
from levcore.reference.words import AT_PRICE

__all__ = ["Holding", "Leg", "Move", "Pool", "Zeros"]

LARGER = ("larger_leg", "larger_side")


@dataclass(slots=True)
class Holding:
    """One asset of an account: what is held and owed, and the profit that legs settle in it, in its units.

    Margins of positions turn into the account's currency at `margin_price`.
    """

    asset: Asset
    price: float
    margin_price: float
    held: float
    owed: float
    profit: float = 0.0
    equity: float = math.nan
    market_value: float = math.nan
    counted: float = math.nan
    maintenance: float = 0.0
    initial: float = 0.0
    # Scaled requirement of the legs that settle in it and do not move with it, in the account's currency; of
    # no meaning where legs are charged in groups.
    settled: float = 0.0


@dataclass(slots=True)
class Leg:
    """A position of the account after its first pass.

    `covered` says that another leg covers it or it another, `charged` is the share of its size that the
    requirement is taken on, `frozen` the part of the scaled requirement that does not move, `reciprocal`
    that its value in the settlement coin falls as the coin's price rises.
    """

    position: Position
    curve: Curve
    initial: Table | None
    holding: int
    group: int
    reciprocal: bool
    released: float
    covered: bool = False
    charged: float = 1.0
    frozen: float = math.nan


@dataclass(slots=True)
class Move:
    """What a ray moves, each with how far it moves as the place goes from 1 to 2."""

    legs: list[tuple[int, float]] = field(default_factory=list)
    holdings: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Zeros:
    """Places where something is zero, NaN where it is nowhere."""

    lower: float
    upper: float


class Pool:
    """One account.

    Parameters
    ----------
    policy : Policy
    holdings : list of Holding
        Assets of the account; of a wallet just the wallet, at the price 1.
    legs : list of Leg
        In the order of rows.
    groups : int
        Number of groups that the legs are charged in; of no meaning where legs are charged one by one.
    """

    policy: Policy
    holdings: list[Holding]
    legs: list[Leg]
    by_groups: bool
    initial_by_groups: bool
    sides: list[list[float]]
    smooth: bool

    def __init__(self, policy: Policy, holdings: list[Holding], legs: list[Leg], groups: int) -> None:
        self.policy, self.holdings, self.legs = policy, holdings, legs
        self.by_groups = policy.rules.hedge_rule in LARGER
        self.initial_by_groups = policy.rules.hedge_rule_initial in LARGER
        # Scaled requirements of the long and the short legs of each group, in the account's currency.
        self.sides = [[0.0, 0.0] for _ in range(groups if self.by_groups or self.initial_by_groups else 0)]
        self.smooth = any(leg.curve.is_smooth for leg in legs)

    def total(self) -> Totals:
        """Sums of the account: holdings in their order, then legs in the order of rows."""
        totals = Totals()
        for leg in self.legs:
            holding = self.holdings[leg.holding]
            holding.profit += leg.position.unrealized_pnl + leg.position.funding
        for holding in self.holdings:
            self._count(holding, totals)
        if self.by_groups or self.initial_by_groups:
            self._charge_groups(totals)
        for leg in self.legs:
            price, p = self.holdings[leg.holding].margin_price, leg.position
            if not self.by_groups:
                totals.requirement += price * p.requirement
                totals.maintenance_margin += price * p.maintenance_margin
            if not self.initial_by_groups:
                totals.initial_margin += price * p.initial_margin
        return totals

    def _count(self, holding: Holding, totals: Totals) -> None:
        h, as_requirement = holding, self.policy.rules.liabilities_as_requirement
        own = h.held if as_requirement else h.held - h.owed
        h.equity = own + h.profit
        h.market_value = h.equity * h.price
        line = counted_line(h.asset, h.equity, h.market_value)
        h.counted = line.weight * h.market_value + (line.offset_value + h.price * line.offset_amount)
        totals.counted += h.counted
        if h.counted > 0.0:
            totals.collateral_value += h.counted
        else:
            totals.liabilities -= h.counted
        if as_requirement:
            debt = h.owed * h.price * h.asset.liability_weight
            totals.debt += debt
            totals.liabilities += debt
            totals.requirement += debt
            totals.initial_margin += debt
        liability = margin.larger(h.owed, -h.equity) * h.price
        if h.asset.maintenance is not None:
            h.maintenance = margin.maintenance_line(
                liability, *liability_line(h.asset.maintenance, liability)
            )
            totals.requirement += h.maintenance
            totals.maintenance_margin += h.maintenance
        if h.asset.initial is not None:
            h.initial = margin.maintenance_line(liability, *liability_line(h.asset.initial, liability))
            totals.initial_margin += h.initial

    def _charge_groups(self, totals: Totals) -> None:
        """Charge the side of each group that asks for more, for each of the three margins by itself."""
        initial, maintenance = [[0.0, 0.0] for _ in self.sides], [[0.0, 0.0] for _ in self.sides]
        required = [[0.0, 0.0] for _ in self.sides]
        for leg in self.legs:
            price, p, side = self.holdings[leg.holding].margin_price, leg.position, _side(leg)
            required[leg.group][side] += price * p.requirement
            initial[leg.group][side] += price * p.initial_margin
            maintenance[leg.group][side] += price * p.maintenance_margin
            self.sides[leg.group][side] += price * (p.requirement * self.policy.trigger)
        for group in range(len(self.sides)):
            if self.by_groups:
                totals.requirement += _larger_side(*required[group])
                totals.maintenance_margin += _larger_side(*maintenance[group])
            if self.initial_by_groups:
                totals.initial_margin += _larger_side(*initial[group])

    def freeze(self) -> None:
        """Settle what of each leg's requirement does not move, and what legs ask for in their holding."""
        for leg in self.legs:
            scaled = leg.position.requirement * self.policy.trigger
            leg.frozen = scaled - leg.released
            if not leg.reciprocal:
                holding = self.holdings[leg.holding]
                holding.settled += holding.margin_price * scaled

    def partner(self, number: int) -> Leg | None:
        """The leg that covers a leg or is covered by it."""
        leg = self.legs[number]
        others = (
            other for other in self.legs if other.covered and other.group == leg.group and other is not leg
        )
        return next(others, None)

    def sides_without(self, number: int) -> tuple[float, float]:
        """Requirements of the sides of a leg's group: its own without the leg, and the other one.

        Zero where legs are charged one by one.
        """
        if not self.by_groups:
            return 0.0, 0.0
        leg, sides = self.legs[number], [0.0, 0.0]
        for other in self.legs:
            if other.group == leg.group and other is not leg:
                sides[_side(other)] += self.holdings[other.holding].margin_price * other.position.requirement
        return sides[_side(leg)], sides[1 - _side(leg)]

    def zeros_of_surplus(self, surplus: float, move: Move, highest: float = math.inf) -> Zeros:
        """Places where the surplus is zero as `move` moves, below the place `highest`."""
        return self._zeros(self.lines_of_surplus(surplus, move), highest, self.smooth)

    def lines_of_surplus(self, surplus: float, move: Move) -> "partial[Line]":
        """Line that touches the surplus at a place as `move` moves."""
        start, slope = self.line(move, True, 1.0)
        return partial(self._shifted, move, True, surplus - (start + slope))

    def zeros_of_equity(self, equity: float, move: Move) -> Zeros:
        """Places where the equity is zero, after closing fees where the policy takes them off."""
        start, slope = self.line(move, False, 1.0)
        fees = self._fee_line(move, 1.0)
        # The equity does not hold the fees that the line has taken off.
        rest = equity - (start + slope) - (fees[0] + fees[1])
        return self._zeros(partial(self._shifted, move, False, rest), math.inf, False)

    def _zeros(self, line_at: "partial[Line]", highest: float, smooth: bool) -> Zeros:
        now = line_at(1.0)
        return Zeros(
            ray.lower_zero(line_at, now, highest, smooth), ray.upper_zero(line_at, now, highest, smooth)
        )

    def _shifted(self, move: Move, required: bool, rest: float, place: float) -> Line:
        start, slope = self.line(move, required, place)
        return rest + start, slope

    def line(self, move: Move, required: bool, place: float) -> Line:
        """Line that touches at `place` what moves: counted equity less the scaled requirement."""
        start, slope = 0.0, 0.0
        gains = [0.0] * len(self.holdings)
        for number, beta in move.legs:
            leg = self.legs[number]
            signed = leg.position.direction * leg.position.value
            gains[leg.holding] += signed if leg.reciprocal else signed * beta
        for number, beta in move.holdings:
            own = self._holding_line(self.holdings[number], gains[number], beta, required, place)
            start += own[0]
            slope += own[1]
            if required and beta != 0.0 and not self.by_groups:
                settled = _on_ray((0.0, self.holdings[number].settled), beta)
                start -= settled[0]
                slope -= settled[1]
        own = self._requirement_line(move, place) if required else self._fee_line(move, place)
        return start - own[0], slope - own[1]

    def _holding_line(self, holding: Holding, gain: float, beta: float, required: bool, place: float) -> Line:
        """Counted equity less scaled liability margin, as legs gain `gain` and the price moves by `beta`."""
        h, trigger = holding, self.policy.trigger
        base = h.equity - gain
        if beta == 0.0:
            equity = base + (gain * place if gain != 0.0 else 0.0)
            market = h.price * equity
            counted = counted_line(h.asset, equity, market)
            factor = h.price * counted.weight
            offset = counted.offset_value + h.price * counted.offset_amount
            line = factor * base + offset, factor * gain
            owed = h.owed * h.price, 0.0
            missing = -(h.price * base), -(h.price * gain)
        else:
            along = _along(beta, place)
            equity = base + (divide(gain, along) if gain != 0.0 else 0.0)
            market = h.price * ((base * along if base != 0.0 else 0.0) + gain)
            counted = counted_line(h.asset, equity, market)
            factor = h.price * counted.weight
            own = factor * gain + counted.offset_value, factor * base + h.price * counted.offset_amount
            line = _on_ray(own, beta)
            owed = _on_ray((0.0, h.owed * h.price), beta)
            missing = _on_ray((-(h.price * gain), -(h.price * base)), beta)
        start, slope = line
        as_requirement = self.policy.rules.liabilities_as_requirement
        if not required:
            if as_requirement:
                start -= owed[0] * h.asset.liability_weight
                slope -= owed[1] * h.asset.liability_weight
            return start, slope
        if as_requirement:
            weight = h.asset.liability_weight * trigger
            start -= owed[0] * weight
            slope -= owed[1] * weight
        if h.asset.maintenance is not None:
            liability = owed if h.owed > -equity else missing
            value = liability[0] + (liability[1] * place if liability[1] != 0.0 else 0.0)
            rate, deduction = liability_line(h.asset.maintenance, value)
            scaled = rate * trigger
            start -= scaled * liability[0] - deduction * trigger
            slope -= scaled * liability[1]
        return start, slope

    def _requirement_line(self, move: Move, place: float) -> Line:
        """Scaled requirement of the moving legs; of a group, that of its larger side there."""
        start, slope = 0.0, 0.0
        if not self.by_groups:
            for number, beta in move.legs:
                own = self._leg_line(self.legs[number], beta, place)
                start += own[0]
                slope += own[1]
            return start, slope
        sides: dict[int, list[list[float]]] = {}

        def replace(leg: Leg, now: float, own: Line) -> None:
            lines = sides.setdefault(leg.group, [[side, 0.0] for side in self.sides[leg.group]])
            line = lines[_side(leg)]
            line[0] -= now
            line[0] += own[0]
            line[1] += own[1]

        for number, beta in move.legs:
            leg = self.legs[number]
            replace(leg, self._scaled_requirement(leg), self._leg_line(leg, beta, place))
        for number, beta in move.holdings:
            for leg in self.legs if beta != 0.0 else ():
                if leg.holding == number and not leg.reciprocal:
                    now = self._scaled_requirement(leg)
                    replace(leg, now, _on_ray((0.0, now), beta))
        for long, short in sides.values():
            longs = long[0] + (long[1] * place if long[1] != 0.0 else 0.0)
            shorts = short[0] + (short[1] * place if short[1] != 0.0 else 0.0)
            larger = long if longs > shorts else short
            start += larger[0]
            slope += larger[1]
        return start, slope

    def _scaled_requirement(self, leg: Leg) -> float:
        """Requirement of a leg now, in the account's currency."""
        return self.holdings[leg.holding].margin_price * (leg.position.requirement * self.policy.trigger)

    def _leg_line(self, leg: Leg, beta: float, place: float) -> Line:
        """Scaled requirement of a leg: ``(rate * charged + fee) * V - deduction``, and what is frozen."""
        p, rules = leg.position, self.policy.rules
        along = _along(beta, place)
        value = divide(p.value, along) if leg.reciprocal else p.value * along
        rate, deduction = 0.0, 0.0
        if rules.requirement_cross == AT_PRICE:
            rate, deduction = leg.curve.touching(leg.charged * value if leg.charged != 0.0 else 0.0)
        fee = self.policy.cross_fees.price_fee
        price = self.holdings[leg.holding].margin_price
        moving = price * ((rate * leg.charged + fee) * self.policy.trigger * p.value)
        still = price * (leg.frozen - deduction * self.policy.trigger)
        return _on_ray((moving, still) if leg.reciprocal else (still, moving), beta)

    def _fee_line(self, move: Move, place: float) -> Line:
        """Closing fees of moving legs that the bankruptcy price leaves room for; NaN where not known."""
        start, slope = 0.0, 0.0
        fee = self.policy.cross_fees.bankruptcy_fee
        for number, beta in move.legs:
            leg = self.legs[number]
            moving = self.holdings[leg.holding].price * (fee * leg.position.value)
            own = _on_ray((moving, 0.0) if leg.reciprocal else (0.0, moving), beta)
            start += own[0]
            slope += own[1]
        return start, slope


def _larger_side(long: float, short: float) -> float:
    """Margin of the side that asks for more; NaN where that of either is not known."""
    return long if math.isnan(long) else margin.larger(long, short)


def _side(leg: Leg) -> int:
    """Place of a leg's side: long 0, short 1."""
    return 0 if leg.position.quantity > 0.0 else 1


def _along(beta: float, place: float) -> float:
    """Where something that moves by `beta` is as the ray is at `place`, 1 being now."""
    return place if beta == 1.0 else (1.0 - beta) + beta * place


def _on_ray(line: Line, beta: float) -> Line:
    """Line in the place of the ray, from one in the place of what moves by `beta` on it."""
    start, slope = line
    return line if beta == 1.0 else (start + slope * (1.0 - beta), slope * beta)
