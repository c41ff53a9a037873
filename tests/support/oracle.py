"""An exact oracle: the definitions of the measures in fractions, without rounding and without short cuts.

Written from the definitions, not from the kernel: the maintenance margin is the largest of all lines, and a
liquidation price is found by solving every line and keeping the solution at which that very line is the
largest. Each result carries its natural scale, the sum of the magnitudes that are added and subtracted on the
way to it, so that an error can be judged by it.

Inputs are the float64 numbers of the book, the marks and the tables, taken as exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import levcore as lc
from levcore.measures import MEASURE_NAMES

__all__ = ["ExactAccount", "ExactRow", "Number", "exact_accounts", "exact_isolated"]

ZERO, ONE = Fraction(0), Fraction(1)
UNDECIDED = Fraction(1, 2**40)
"""Share of its terms below which the sign of a discriminant is not decided by float64."""


@dataclass(frozen=True)
class Number:
    """An exact result (None: none exists; an infinity: that) and its natural scale."""

    value: Fraction | float | None
    scale: Fraction = ZERO

    @property
    def exact(self) -> Fraction:
        assert isinstance(self.value, Fraction)
        return self.value


@dataclass
class ExactRow:
    """Measures of one row by name, and what its status and state follow from."""

    row: int
    measures: dict[str, Number]
    liquidation_value: Number
    bankruptcy_value: Number
    cap: Fraction | None


@dataclass
class ExactAccount:
    """Measures of one cross account by name, and its legs."""

    code: int
    measures: dict[str, Number]
    legs: list[ExactRow]


@dataclass(frozen=True)
class Line:
    """A requirement ``(rate + slope * V) * V - deduction``.

    `size` is the magnitude of the deduction's parts, `grown` that of a rate that is itself computed and not
    read from a table.
    """

    rate: Fraction
    deduction: Fraction
    size: Fraction
    slope: Fraction = ZERO
    grown: Fraction = ZERO

    def at(self, value: Fraction) -> Fraction:
        return (self.rate + self.slope * value) * value - self.deduction

    def scale_at(self, value: Fraction) -> Fraction:
        """Sum of the magnitudes on the way to `at`."""
        return (self.rate + self.slope * value) * value + self.size

    def triggering(self, fee: Fraction, trigger: Fraction) -> Line:
        """The same with a fee on the value, at the liquidation level."""
        return Line(
            (self.rate + fee) * trigger,
            self.deduction * trigger,
            self.size * trigger,
            self.slope * trigger,
            self.grown * trigger,
        )


class Leg:
    """One position: everything about it that does not depend on its margin."""

    def __init__(self, book: lc.PositionBook, policy: lc.MarginPolicy, mark: float, row: int) -> None:
        self.row, self.policy = row, policy
        instrument = policy.instruments[book.name_of(row)]
        self.inverse = instrument.payoff == "inverse"
        self.multiplier = Fraction(instrument.multiplier)
        quantity = Fraction(float(book.quantity[row]))
        self.side = 1 if quantity > 0 else -1
        self.direction = -self.side if self.inverse else self.side
        self.size = abs(quantity) * Fraction(instrument.contract_size)
        self.mark, self.entry_price = Fraction(mark), Fraction(float(book.entry_price[row]))
        self.value = self.size * self.coordinate(self.mark)
        self.entry_value = self.size * self.coordinate(self.entry_price)
        self.leverage = _optional(book.leverage, row)
        self.margin = _optional(book.isolated_margin, row)
        self.funding = _optional(book.accrued_funding, row) or ZERO
        self.quantity, self.limit = quantity, _optional(book.risk_limit, row)
        short = instrument.short_tiers
        tiers = instrument.tiers if short is None or self.side > 0 else short
        self.fee_basis = policy.fee_basis_of("cross" if book.is_cross[row] else "isolated")
        self.fee_rate = Fraction(float(policy.closing_fee_rate))
        self.trigger = 1 / Fraction(policy.liquidation_level)
        self.lines = self._lines(tiers, self._funding(Fraction(instrument.funding_rate)))
        self.cap = self._cap(tiers)
        initial = instrument.initial_tiers
        self.initial_lines = None if initial is None else self._lines(initial, ZERO)
        self.pnl = Number(self.direction * (self.value - self.entry_value), self.value + self.entry_value)

    def _funding(self, rate: Fraction) -> Fraction:
        """What the rates of the requirement hold of the next funding; a positive rate is paid by longs."""
        rule = self.policy.funding_in_requirement
        if rule == "rate_times_value_of_payer":
            return max(self.side * rate, ZERO)
        return rate if rule == "rate_times_value" else ZERO

    def coordinate(self, price: Fraction) -> Fraction:
        return 1 / price if self.inverse else price * self.multiplier

    def _lines(self, tiers: lc.TierTable, funding_rate: Fraction) -> list[Line]:
        """Every line of a marginal table; the one line of a flat or growing one that holds for the row."""
        columns = [
            (Fraction(rate) + funding_rate, Fraction(deduction))
            for rate, deduction in zip(tiers.rates, tiers.deductions, strict=True)
        ]
        if tiers.shape == "marginal":
            return [Line(rate, deduction, abs(deduction)) for rate, deduction in columns]
        if tiers.shape == "growing":
            rate, slope = columns[0][0], Fraction(tiers.slope)
            if self.inverse:
                return [Line(rate, ZERO, ZERO, slope)]
            grown = rate + slope * self.size
            return [Line(grown, ZERO, ZERO, grown=grown)]
        key = self.limit if tiers.unit == "risk_limit" else abs(self.quantity)
        assert key is not None
        held = [place for place, floor in enumerate(tiers.floors) if key > Fraction(floor)]
        return [Line(columns[max(held)][0], ZERO, ZERO)]

    def _cap(self, tiers: lc.TierTable) -> Fraction | None:
        """Largest value of a table that is keyed by value."""
        cap = None if math.isinf(tiers.cap) else Fraction(tiers.cap)
        if tiers.shape == "growing" and self.inverse:
            # One table serves both margin modes: its fee is that of the mode whose requirement moves.
            mode = "isolated" if self.policy.requirement_basis_isolated == "price" else "cross"
            fee = self.fee_rate if self.policy.fee_basis_of(mode) == "price" else ZERO
            line = self.lines[0].triggering(fee, self.trigger)
            limit = (1 - line.rate) / line.slope
            return limit if cap is None else min(cap, limit)
        return cap if tiers.shape == "marginal" else None

    def maintenance(self, basis: str, worth: Number | None = None) -> Number:
        """Maintenance margin at the value that the rule names; `worth` is that at bankruptcy."""
        if basis == "bankruptcy":
            worth = self.worth_of_leverage() if worth is None else worth
            own = charged(self.lines, worth.exact)
            return Number(own.exact, own.scale + worth.scale)
        return charged(self.lines, self.entry_value if basis == "entry" else self.value)

    def worth_of_leverage(self) -> Number:
        """Value at which a position that holds just its initial margin has nothing left."""
        assert self.leverage is not None
        share = self.entry_value / self.leverage
        return Number(self.entry_value - self.direction * share, self.entry_value + share)

    def fee_of_leverage(self) -> Number:
        """Closing fee fixed in advance, of a position that holds just its initial margin."""
        held_alone = {"entry": self.entry_value, "mark": self.value, "contract": abs(self.quantity)}
        if self.fee_basis in held_alone:
            return plain(self.fee_rate * held_alone[self.fee_basis])
        if self.fee_basis not in ("bankruptcy", "entry_and_margin") or self.leverage is None:
            return Number(ZERO)
        if self.fee_basis == "bankruptcy":
            return times(self.fee_rate, self.worth_of_leverage())
        return plain(self.fee_rate * (self.entry_value + self.entry_value / self.leverage))

    def fee_at_price(self) -> Fraction:
        """Rate of a closing fee that moves with the price."""
        return self.fee_rate if self.fee_basis == "price" else ZERO

    def initial_margin(self, basis: str, fee: Number) -> Number:
        value = self.entry_value if basis == "entry" else self.value
        by_table = self.policy.initial_margin_rule == "table"
        if self.initial_lines is None if by_table else self.leverage is None:
            return Number(None)
        reserved = (
            self.policy.closing_fee_reserved == "bankruptcy" and self.policy.closing_fee_in_initial_margin
        )
        if self.leverage is None and reserved:
            return Number(None)
        if by_table:
            opening = charged(self.initial_lines or [], value)
        else:
            opening = plain(value / (self.leverage or ONE))
        return total(opening, self.reserve(fee))

    def reserve(self, fee: Number) -> Number:
        """Closing fee that the initial margin holds, where that of the requirement is `fee`."""
        if not self.policy.closing_fee_in_initial_margin:
            return Number(ZERO)
        if self.policy.closing_fee_reserved == "bankruptcy":
            return times(self.fee_rate, self.worth_of_leverage())
        return fee

    def requirement(self, maintenance: Number, fee: Number) -> Number:
        moving = self.fee_at_price() * self.value
        return Number(maintenance.exact + fee.exact + moving, maintenance.scale + fee.scale + moving)

    def zero(self, constant: Number, lines: Sequence[Line]) -> Number:
        """Value V at which ``constant + direction * V`` equals the largest of the lines."""
        for line in lines:
            if line.slope:
                return self.zero_of_parabola(constant, line)
            slope = line.rate - self.direction
            value = (constant.exact + line.deduction) / slope
            if line.at(value) == max(other.at(value) for other in lines):
                scale = constant.scale + line.size + line.grown * abs(value)
                return Number(value, scale / abs(slope))
        raise AssertionError("a concave function with such slopes has a zero")

    def zero_of_parabola(self, constant: Number, line: Line) -> Number:
        """The same where the rate grows with the value: the zero on the side where the position loses.

        The sensitivity of a root to the constant is one over the root of the discriminant, and the
        discriminant itself is a difference.
        """
        linear = line.rate - self.direction
        square, size = linear * linear, 4 * line.slope * abs(constant.exact)
        discriminant = square + 4 * line.slope * constant.exact
        if abs(discriminant) < (square + size) * UNDECIDED:
            # Whether there is a zero at all is below what the inputs say; as uncertain as a value can be.
            return Number(ZERO, ONE)
        if discriminant < 0:
            return Number(None)
        root = square_root(discriminant)
        # Of s V^2 + linear V - constant = 0, the smaller for a rising value, the positive one for a falling.
        value = (-linear - self.direction * root) / (2 * line.slope)
        spread = (square + size) / (2 * root * (abs(linear) + root))
        return Number(value, constant.scale / root + abs(value) * (1 + spread))

    def liquidation(self, constant: Number, basis: str, maintenance: Number) -> Number:
        """Value at liquidation, from the surplus without the value and its requirement."""
        fee, trigger = self.fee_at_price(), self.trigger
        if basis == "price":
            lines = [line.triggering(fee, trigger) for line in self.lines]
        else:
            lines = [Line(fee * trigger, -maintenance.exact * trigger, maintenance.scale * trigger)]
        return self.zero(constant, lines)

    def far_liquidation(self, constant: Number, basis: str) -> Number:
        """The value at which a rate that grows with it outgrows the profit of what gains with it."""
        grows = self.direction > 0 and any(line.slope for line in self.lines)
        if basis != "price" or not grows:
            return Number(None)
        line = self.lines[0].triggering(self.fee_at_price(), self.trigger)
        gap = 1 - line.rate
        square, size = gap * gap, 4 * line.slope * abs(constant.exact)
        discriminant = square + 4 * line.slope * constant.exact
        if abs(discriminant) < (square + size) * UNDECIDED:
            return Number(ZERO, ONE)
        if discriminant < 0:
            return Number(None)
        root = square_root(discriminant)
        value = (gap + root) / (2 * line.slope)
        spread = (square + size) / (2 * root * (abs(gap) + root))
        return Number(value, constant.scale / root + abs(value) * (1 + spread))

    def bankruptcy(self, constant: Number) -> Number:
        includes_fee = self.policy.bankruptcy_includes_closing_fee
        if self.fee_basis == "none":
            includes_fee = False
        if includes_fee == "unknown":
            return Number(None)
        return self.zero(constant, [Line(self.fee_rate if includes_fee is True else ZERO, ZERO, ZERO)])

    def price(self, value: Number) -> Number:
        """Price at a value; its scale is the price times the condition of the value."""
        if value.value is None or value.exact <= 0:
            return Number(None)
        price = self.size / value.exact if self.inverse else value.exact / (self.size * self.multiplier)
        return Number(price, price * value.scale / value.exact)

    def describe(
        self, equity: Number, requirement: Number, liquidation: Number, far: Number, bankruptcy: Number
    ) -> dict[str, Number]:
        """Measures that follow from equity, requirement and the values at which something ends."""
        own, below = self.price(liquidation), self.price(far)
        is_below = self.tells_far(liquidation, far)
        price, toward = (below, 1) if is_below else (own, self.side)
        room: Number = Number(math.inf)
        if price.value is not None:
            room = Number(toward * (self.mark - price.exact) / self.mark, 1 + price.scale / self.mark)
        returned_on = self.value if self.policy.return_basis == "mark" else self.entry_value
        made = times(self.leverage / returned_on, self.pnl) if self.leverage else Number(None)
        return {
            "notional": Number(self.value, self.value),
            "unrealized_pnl": self.pnl,
            "return_on_equity": made,
            "equity": equity,
            "margin_ratio": quotient(requirement, equity),
            "effective_leverage": quotient(Number(self.value, self.value), equity),
            "liquidation_price": price,
            "bankruptcy_price": self.price(bankruptcy),
            "distance_to_liquidation": room,
            "liquidation_price_lower": own if self.side > 0 else below,
            "liquidation_price_upper": Number(None) if self.side > 0 else own,
        }

    def tells_far(self, liquidation: Number, far: Number) -> bool:
        """Whether of a price below and one above the mark the one below is met first."""
        own, below = self.price(liquidation), self.price(far)
        if below.value is None or own.value is None:
            return below.value is not None
        return abs(self.mark - below.exact) <= abs(own.exact - self.mark)


def charged(lines: Sequence[Line], value: Fraction) -> Number:
    """Margin that the largest of the lines asks for."""
    line = max(lines, key=lambda line: line.at(value))
    return Number(line.at(value), line.scale_at(value))


def square_root(number: Fraction) -> Fraction:
    """Square root of a positive number, to some 2**-200 of itself."""
    shift = max(0, 400 - number.numerator.bit_length())
    scaled = (number.numerator << (2 * shift)) * number.denominator
    return Fraction(math.isqrt(scaled), number.denominator << shift)


def _optional(column: object, row: int) -> Fraction | None:
    if column is None:
        return None
    number = float(column[row])  # type: ignore[index]
    return None if math.isnan(number) else Fraction(number)


def quotient(dividend: Number, equity: Number) -> Number:
    """Something over equity: infinite without equity; relative errors add."""
    if equity.exact <= 0:
        return Number(math.inf)
    result = dividend.exact / equity.exact
    condition = dividend.scale / dividend.exact if dividend.exact else ONE
    return Number(result, result * (condition + equity.scale / equity.exact))


def total(*terms: Number) -> Number:
    """Sum with the sum of the scales."""
    return Number(sum((term.exact for term in terms), ZERO), sum((term.scale for term in terms), ZERO))


def times(factor: Fraction | int, number: Number) -> Number:
    """Product with an exact factor."""
    magnitude: Fraction = abs(Fraction(factor))
    return Number(factor * number.exact, magnitude * number.scale)


def plain(value: Fraction) -> Number:
    """An input, or a product of inputs: its scale is its magnitude."""
    return Number(value, abs(value))


def exact_isolated(book: lc.PositionBook, policy: lc.MarginPolicy, mark: float, row: int) -> ExactRow:
    """Exact measures of an isolated row that can be evaluated."""
    leg = Leg(book, policy, mark, row)
    basis = policy.requirement_basis_isolated
    opening_fee = leg.fee_of_leverage()
    if leg.margin is not None:
        held = plain(leg.margin)
    else:
        assert leg.leverage is not None
        held = total(plain(leg.entry_value / leg.leverage), leg.reserve(opening_fee))
    cash = total(held, plain(leg.funding))
    # What stays of the equity when the value is taken out.
    constant = total(cash, plain(-leg.direction * leg.entry_value))
    bankruptcy = leg.bankruptcy(constant)
    fee, worth = opening_fee, None
    if "bankruptcy" in (leg.fee_basis, basis):
        worth = bankruptcy if bankruptcy.exact > 0 else Number(ZERO, bankruptcy.scale)
    if worth is not None and leg.fee_basis == "bankruptcy":
        fee = times(leg.fee_rate, worth)
    if leg.fee_basis == "entry_and_margin":
        inside = 1 + leg.fee_rate if policy.closing_fee_in_initial_margin else ONE
        together = total(plain(leg.entry_value), held)
        fee = times(leg.fee_rate / inside, Number(max(together.exact, ZERO), together.scale))
    maintenance = leg.maintenance(basis, worth)
    requirement = leg.requirement(maintenance, fee)
    equity = total(cash, leg.pnl)
    without_value = total(constant, times(-leg.trigger, fee))
    liquidation = leg.liquidation(without_value, basis, maintenance)
    far = leg.far_liquidation(without_value, basis)
    measures = leg.describe(equity, requirement, liquidation, far, bankruptcy)
    liquidation = far if leg.tells_far(liquidation, far) else liquidation
    measures["initial_margin"] = leg.initial_margin(policy.initial_margin_basis_isolated, fee)
    measures["maintenance_margin"] = requirement if policy.closing_fee_in_maintenance_margin else maintenance
    assert measures.keys() == set(MEASURE_NAMES)
    return ExactRow(row, measures, liquidation, bankruptcy, leg.cap if basis == "price" else None)


def exact_accounts(
    book: lc.PositionBook, policy: lc.MarginPolicy, marks: Sequence[float], codes: Sequence[int]
) -> Iterator[ExactAccount]:
    """Exact measures of the cross accounts with these codes, all of whose legs can be evaluated."""
    legs: dict[int, list[int]] = {code: [] for code in codes}
    assert book.account_codes is not None
    for row, code in enumerate(book.account_codes.tolist()):
        if book.is_cross[row] and code in legs:
            legs[code].append(row)
    for code, rows in legs.items():
        yield _exact_account(book, policy, marks, code, rows)


def _exact_account(
    book: lc.PositionBook, policy: lc.MarginPolicy, marks: Sequence[float], code: int, rows: list[int]
) -> ExactAccount:
    legs = [Leg(book, policy, marks[book.instrument_codes[row]], row) for row in rows]
    basis = policy.requirement_basis_cross
    fees = [leg.fee_of_leverage() for leg in legs]
    maintenance = [leg.maintenance(basis) for leg in legs]
    required = [leg.requirement(*pair) for leg, *pair in zip(legs, maintenance, fees, strict=True)]
    initial = [
        leg.initial_margin(policy.initial_margin_basis_cross, fee)
        for leg, fee in zip(legs, fees, strict=True)
    ]
    reported = required if policy.closing_fee_in_maintenance_margin else maintenance
    equity = total(
        plain(Fraction(float(book.wallet_balance[code]))),
        *(total(leg.pnl, plain(leg.funding)) for leg in legs),
    )
    requirement = total(*required)
    surplus = total(equity, times(-ONE / Fraction(policy.liquidation_level), requirement))
    described = []
    for place, leg in enumerate(legs):
        # The leg's own value and everything of its requirement that is not frozen are taken out again.
        signed = plain(-leg.direction * leg.value)
        constant = total(
            surplus, signed, times(leg.trigger, required[place]), times(-leg.trigger, fees[place])
        )
        liquidation = leg.liquidation(constant, basis, maintenance[place])
        bankruptcy = leg.bankruptcy(total(equity, signed))
        far = leg.far_liquidation(constant, basis)
        measures = leg.describe(equity, requirement, liquidation, far, bankruptcy)
        liquidation = far if leg.tells_far(liquidation, far) else liquidation
        measures["initial_margin"], measures["maintenance_margin"] = initial[place], reported[place]
        cap = leg.cap if basis == "price" else None
        described.append(ExactRow(leg.row, measures, liquidation, bankruptcy, cap))
    return ExactAccount(code, _of_account(policy, equity, requirement, surplus, initial, reported), described)


def _of_account(
    policy: lc.MarginPolicy,
    equity: Number,
    requirement: Number,
    surplus: Number,
    initial: list[Number],
    reported: list[Number],
) -> dict[str, Number]:
    level = policy.liquidation_level if policy.margin_call_level is None else policy.margin_call_level
    missing = any(margin.value is None for margin in initial)
    opening = Number(None) if missing else total(*initial)
    call = total(times(1 / Fraction(level), requirement), times(-1, equity))
    return {
        "equity": equity,
        "initial_margin": opening,
        "maintenance_margin": total(*reported),
        "free_margin": Number(None) if missing else total(equity, times(-1, opening)),
        "margin_ratio": quotient(requirement, equity),
        "margin_call_amount": Number(max(call.exact, ZERO), call.scale),
        "collateral_value": Number(max(equity.exact, ZERO), equity.scale),
        "liabilities": Number(max(-equity.exact, ZERO), equity.scale),
        "surplus": surplus,
    }
