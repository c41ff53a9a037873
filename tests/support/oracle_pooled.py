"""An exact oracle for accounts whose parts move together: hedged legs, and balances in several assets.

Written from the definitions, not from the code. An account is valued from scratch at any prices: a margin is
the largest of its lines, what counts of an asset is added up tier by tier, a group of legs is charged on its
larger side. `oracle_zeros` finds liquidation prices by it. Each result carries its natural scale, as in
`oracle`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise

import levcore as lc
from support.oracle import ONE, ZERO, Leg, Line, Number, charged, plain, quotient, times, total

__all__ = ["ExactPool", "Held", "HeldLeg", "liability_lines"]


@dataclass
class Held:
    """An asset that an account holds, owes or has positions settled in."""

    asset: lc.Asset
    held: Fraction
    owed: Fraction
    price: Fraction
    mover: str
    funding: Number


@dataclass
class HeldLeg:
    """A position: what it settles in, moves with, is grouped in, and is charged on."""

    leg: Leg
    settlement: str
    mover: str
    group: str
    share: Fraction = ONE
    charged_at_entry: Fraction = ZERO

    def value(self, factor: Fraction) -> Fraction:
        return self.leg.size * self.leg.coordinate(self.leg.mark * factor)

    def basis(self, value: Fraction, rule: str) -> Fraction:
        """Value that a margin is taken on."""
        return {
            "entry": self.charged_at_entry,
            "mark": self.share * self.leg.value,
            "price": self.share * value,
        }[rule]

    def maintenance(self, value: Fraction) -> Number:
        rule = self.leg.policy.requirement_basis_cross
        if rule == "bankruptcy":
            return self.leg.maintenance(rule)
        own = charged(self.leg.lines, self.basis(value, rule))
        return Number(own.exact, own.scale + self.covered_scale(self.leg.lines))

    def fees(self, value: Fraction) -> Number:
        """Closing fees, on the whole position."""
        return total(self.leg.fee_of_leverage(), plain(self.leg.fee_at_price() * value))

    def initial_margin(self) -> Number:
        leg = self.leg
        at_entry = leg.policy.initial_margin_basis_cross == "entry"
        value = self.basis(leg.value, "entry" if at_entry else "mark")
        if leg.policy.hedge_rule_of_initial == "sum":
            value = leg.entry_value if at_entry else leg.value
        if leg.policy.initial_margin_rule == "table":
            if leg.initial_lines is None:
                return Number(None)
            own = charged(leg.initial_lines, value)
            opening = Number(own.exact, own.scale + self.covered_scale(leg.initial_lines))
        elif leg.leverage is None:
            return Number(None)
        else:
            opening = Number(value / leg.leverage, (leg.value + leg.entry_value + value) / leg.leverage)
        reserved = (
            leg.policy.closing_fee_reserved == "bankruptcy" and leg.policy.closing_fee_in_initial_margin
        )
        if reserved and leg.leverage is None:
            return Number(None)
        return total(opening, leg.reserve(leg.fee_of_leverage()))

    def covered_scale(self, lines: list[Line]) -> Fraction:
        """What the whole position would be charged, where a part of it is covered."""
        if self.leg.policy.hedge_requirement != "covered":
            return ZERO
        return charged(lines, self.leg.value).scale + charged(lines, self.leg.entry_value).scale


@dataclass(frozen=True)
class Valuation:
    """What an account is worth and asks for, at some prices."""

    counted: list[Number]
    debt: Number
    liability_margins: Number
    sides: dict[str, tuple[Number, Number]]
    requirement: Number

    @property
    def counted_value(self) -> Number:
        return total(*self.counted)


class ExactPool:
    """One account that can be judged.

    Parameters
    ----------
    book : PositionBook
    policy : MarginPolicy
        That of the account.
    marks : dict of str to float
    asset_prices : dict of str to float or None
    code : int
        Of the account.
    """

    def __init__(
        self,
        book: lc.PositionBook,
        policy: lc.MarginPolicy,
        marks: dict[str, float],
        asset_prices: dict[str, float] | None,
        code: int,
    ) -> None:
        self.policy, self.prices, self.code = policy, asset_prices or {}, code
        self.trigger = 1 / Fraction(policy.liquidation_level)
        self.holdings: dict[str, Held] = {}
        self.rows_of_balances: dict[int, str] = {}
        self._read_balances(book, code)
        self.in_wallet = not self.rows_of_balances
        if self.in_wallet:
            wallet = Fraction(float(book.wallet_balance[code]))
            self.holdings[""] = Held(lc.Asset("wallet"), wallet, ZERO, ONE, "", Number(ZERO))
        self.legs: dict[int, HeldLeg] = {}
        assert book.account_codes is not None
        for row, owner in enumerate(book.account_codes.tolist()):
            if owner == code and book.is_cross[row]:
                self._read_leg(book, marks, row)
        if policy.hedge_requirement == "covered":
            self._cover()

    def _read_balances(self, book: lc.PositionBook, code: int) -> None:
        if book.balances is None:
            return
        columns = book.balances
        for row, account in enumerate(columns.account):
            if account != book.account_ids[code]:
                continue
            name = columns.asset_names[columns.asset_codes[row]]
            self.rows_of_balances[row] = name
            owed = (
                ZERO if column is None else Fraction(float(column[row]))
                for column in (columns.liability, columns.interest)
            )
            self._hold(name, Fraction(float(columns.balance[row])), sum(owed, ZERO))

    def _hold(self, name: str, held: Fraction = ZERO, owed: Fraction = ZERO) -> None:
        asset = self.policy.assets[name]
        self.holdings[name] = Held(
            asset, held, owed, Fraction(self.prices[name]), asset.moves_with, Number(ZERO)
        )

    def _read_leg(self, book: lc.PositionBook, marks: dict[str, float], row: int) -> None:
        name, funding = book.name_of(row), ZERO
        if book.accrued_funding is not None:
            funding = Fraction(float(book.accrued_funding[row]))
        flat = book.quantity[row] == 0.0
        if flat and not funding:
            return
        instrument = self.policy.instruments[name]
        settlement = "" if self.in_wallet else instrument.settlement
        if settlement not in self.holdings:
            self._hold(settlement)
        settled = self.holdings[settlement]
        settled.funding = total(settled.funding, plain(funding))
        if flat:
            return
        underlying = instrument.underlying
        if instrument.payoff == "inverse" and instrument.settlement in self.policy.assets:
            underlying = underlying or self.policy.assets[instrument.settlement].moves_with
        underlying = underlying or f"{name} alone"
        mover = name if self.in_wallet else underlying
        rules = (self.policy.hedge_requirement, self.policy.hedge_rule_of_initial)
        group = underlying if "larger_side" in rules else name
        leg = Leg(book, self.policy, marks[name], row)
        self.legs[row] = HeldLeg(leg, settlement, mover, group, charged_at_entry=leg.entry_value)

    def _cover(self) -> None:
        """Charge the larger leg of a pair on what is not covered and the share of what is, the other on 0."""
        for pair in combinations(self.legs.values(), 2):
            if pair[0].group != pair[1].group:
                continue
            # The first of two of one size.
            larger, smaller = sorted(pair, key=lambda held: -held.leg.size)
            sizes = larger.leg.size, smaller.leg.size
            left = sizes[0] - sizes[1] + Fraction(self.policy.covered_share) * sizes[1]
            entry = (larger.leg.entry_value + smaller.leg.entry_value) / sum(sizes)
            larger.share, smaller.share = left / sizes[0], ZERO
            larger.charged_at_entry, smaller.charged_at_entry = left * entry, ZERO

    @property
    def movers(self) -> set[str]:
        """Everything that has a liquidation price."""
        moved = {leg.mover for leg in self.legs.values()}
        return moved | {held.mover for held in self.holdings.values()} - {""}

    def price_of(self, held: Held, mover: str, place: Fraction) -> Fraction:
        return held.price * place if held.mover == mover else held.price

    def margin_price(self, held: Held, price: Fraction) -> Fraction:
        """Price at which margins of positions turn into the account's currency; that of a wallet is 1."""
        at_ask = self.policy.margins_convert_at == "liability_weight"
        return price * Fraction(held.asset.liability_weight) if at_ask else price

    def value_of(self, held: HeldLeg, mover: str, place: Fraction) -> Fraction:
        return held.value(place if held.mover == mover else ONE)

    @property
    def charges_debts(self) -> bool:
        """Whether liabilities are part of the requirement."""
        return self.policy.liabilities_count_as == "requirement"

    def equity_of(self, name: str, mover: str, place: Fraction) -> Number:
        """Units of an asset: held, with profit, and net of what is owed unless that is charged."""
        held = self.holdings[name]
        terms = [plain(held.held), held.funding]
        terms += [] if self.charges_debts else [plain(-held.owed)]
        for leg in self.legs.values():
            if leg.settlement == name:
                value = self.value_of(leg, mover, place)
                terms += [plain(leg.leg.direction * value), plain(-leg.leg.direction * leg.leg.entry_value)]
        return total(*terms)

    def value_at(self, mover: str = "", place: Fraction = ONE) -> Valuation:
        """Everything, with all that one mover moves at a multiple of its price."""
        counted, liabilities, debt = [], [Number(ZERO)], [Number(ZERO)]
        margin_prices = {}
        for name, held in self.holdings.items():
            price, equity = self.price_of(held, mover, place), self.equity_of(name, mover, place)
            counted.append(counted_value(held.asset, equity, price))
            weight = Fraction(held.asset.liability_weight)
            if self.charges_debts:
                debt.append(plain(held.owed * price * weight))
            liability = max(held.owed, -equity.exact) * price
            for lines in liability_lines(held.asset.liability_tiers):
                own = charged(lines, liability)
                liabilities.append(Number(own.exact, own.scale + own.exact + equity.scale * price))
            margin_prices[name] = self.margin_price(held, price)
        sides: dict[str, tuple[Number, Number]] = {}
        for leg in self.legs.values():
            value = self.value_of(leg, mover, place)
            own = times(margin_prices[leg.settlement], total(leg.maintenance(value), leg.fees(value)))
            longs, shorts = sides.get(leg.group, (Number(ZERO), Number(ZERO)))
            larger = (total(longs, own), shorts), (longs, total(shorts, own))
            sides[leg.group] = larger[0 if leg.leg.side > 0 else 1]
        rule = self.policy.hedge_requirement
        margins = [self.of_sides(longs, shorts, rule) for longs, shorts in sides.values()]
        owed, needed = total(*debt), total(*liabilities)
        return Valuation(counted, owed, needed, sides, total(owed, needed, *margins))

    def of_sides(self, longs: Number, shorts: Number, rule: str) -> Number:
        """What a group asks for under a rule for hedged legs."""
        if rule in ("larger_leg", "larger_side"):
            larger = max(longs, shorts, key=lambda side: side.exact)
            return Number(larger.exact, longs.scale + shorts.scale)
        return total(longs, shorts)

    def surplus(self, mover: str = "", place: Fraction = ONE) -> Number:
        """What is left above the liquidation level."""
        value = self.value_at(mover, place)
        return total(value.counted_value, times(-self.trigger, value.requirement))

    def equity_after_fees(self, mover: str, place: Fraction) -> Number:
        """Equity less closing fees of what moves, where the bankruptcy price leaves room for them."""
        value, fees = self.value_at(mover, place), [Number(ZERO)]
        if (
            self.policy.bankruptcy_includes_closing_fee is True
            and self.policy.fee_basis_of("cross") != "none"
        ):
            for leg in self.legs.values():
                if leg.mover == mover:
                    price = self.price_of(self.holdings[leg.settlement], mover, place)
                    fees.append(plain(-leg.leg.fee_rate * price * self.value_of(leg, mover, place)))
        return total(value.counted_value, times(-1, value.debt), *fees)

    def measures(self) -> dict[str, Number]:
        """Measures of the account, by name."""
        policy, now = self.policy, self.value_at()
        counted, requirement = now.counted_value, now.requirement
        level = policy.liquidation_level if policy.margin_call_level is None else policy.margin_call_level
        call = total(times(1 / Fraction(level), requirement), times(-1, counted))
        opening, maintenance = self._margins()
        negative = [times(-1, one) for one in now.counted if one.exact < 0]
        return {
            "equity": total(counted, times(-1, now.debt)),
            "initial_margin": opening,
            "maintenance_margin": maintenance,
            "free_margin": Number(None) if opening.value is None else total(counted, times(-1, opening)),
            "margin_ratio": quotient(requirement, counted),
            "margin_call_amount": Number(max(call.exact, ZERO), call.scale),
            "collateral_value": Number(
                sum((one.exact for one in now.counted if one.exact > 0), ZERO), counted.scale
            ),
            "liabilities": Number(total(*negative, now.debt).exact, counted.scale + now.debt.scale),
            "surplus": self.surplus(),
        }

    def _margins(self) -> tuple[Number, Number]:
        """Initial and maintenance margin, each on the side that asks for more of it."""
        initial: dict[str, list[list[Number]]] = {}
        maintenance: dict[str, list[list[Number]]] = {}
        known = True
        for leg in self.legs.values():
            held = self.holdings[leg.settlement]
            price, side = self.margin_price(held, held.price), 0 if leg.leg.side > 0 else 1
            own = leg.maintenance(leg.leg.value)
            if self.policy.closing_fee_in_maintenance_margin:
                own = total(own, leg.fees(leg.leg.value))
            maintenance.setdefault(leg.group, [[], []])[side].append(times(price, own))
            opening = leg.initial_margin()
            known = known and opening.value is not None
            if known:
                initial.setdefault(leg.group, [[], []])[side].append(times(price, opening))
        now = self.value_at()
        needed = total(now.liability_margins, self._sum_of_groups(maintenance, self.policy.hedge_requirement))
        if not known:
            return Number(None), needed
        opened = self._sum_of_groups(initial, self.policy.hedge_rule_of_initial)
        return total(now.debt, self._liability_initial(), opened), needed

    def _sum_of_groups(self, groups: dict[str, list[list[Number]]], rule: str) -> Number:
        zero = Number(ZERO)
        sides = [(total(zero, *longs), total(zero, *shorts)) for longs, shorts in groups.values()]
        return total(zero, *(self.of_sides(*pair, rule) for pair in sides))

    def _liability_initial(self) -> Number:
        """Initial margin of the liabilities."""
        openings = [Number(ZERO)]
        for name, held in self.holdings.items():
            equity = self.equity_of(name, "", ONE)
            for lines in liability_lines(held.asset.liability_initial_tiers):
                own = charged(lines, max(held.owed, -equity.exact) * held.price)
                openings.append(Number(own.exact, own.scale + own.exact + equity.scale * held.price))
        return total(*openings)


def counted_value(asset: lc.Asset, equity: Number, price: Fraction) -> Number:
    """What counts of so many units of an asset, added up tier by tier."""
    value = equity.exact * price
    if value <= 0:
        return times(Fraction(asset.liability_weight) * price, equity)
    unit = price if asset.unit == "amount" else ONE
    borders = [Fraction(floor) * unit for floor in asset.floors]
    borders.append(max(value, borders[-1]))
    counts = ZERO
    for weight, (low, high) in zip(asset.weights, pairwise(borders), strict=True):
        counts += Fraction(weight) * max(ZERO, min(value, high) - low)
    return Number(counts, Fraction(asset.weights[0]) * (equity.scale * price + value))


def liability_lines(tiers: lc.TierTable | None) -> Iterator[list[Line]]:
    """The lines of a table, if there is one."""
    if tiers is not None:
        rows = zip(tiers.rates, tiers.deductions, strict=True)
        yield [Line(Fraction(rate), Fraction(less), abs(Fraction(less))) for rate, less in rows]
