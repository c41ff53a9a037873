"""Every policy at every date, each unknown rule at each of its values, and books over tables of every shape.

Each row or account of such a book has instruments and assets of its own, so that each can be marked at a
price of its own in one evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import levcore as lc
from levcore.rules.policy_files import policy_names, read_policies
from levcore.rules.terms import CHOICES, UNKNOWN
from levcore.rules.tiers import TierTable, Unit

__all__ = ["MODES", "RULED", "Drawn", "drawn_book", "variants"]

MODES = ("isolated", "one_way", "hedge", "balances")
MARK = 100.0
FEE = 0.0005
FIRST: dict[str, Any] = {
    "requirement_basis_isolated": "price",
    "requirement_basis_cross": "price",
    "initial_margin_basis_isolated": "mark",
    "initial_margin_basis_cross": "mark",
    "closing_fee_bankruptcy_cross": "leverage",
    "hedge_requirement": "sum",
    "liabilities_count_as": "none",
    "initial_margin_rule": "leverage",
}
"""What an unknown rule is while another one is tried; the others begin with the first of their values."""
PAIRED: dict[tuple[str, str], dict[str, Any]] = {
    # A fee that moves in one margin mode alone: the requirement of the other one is frozen.
    ("closing_fee_basis_cross", "price"): {"requirement_basis_isolated": "entry"},
    ("hedge_requirement_initial", "covered"): {"hedge_requirement": "covered", "covered_share": 0.5},
    ("closing_fee_reserved", "bankruptcy"): {
        "closing_fee_in_initial_margin": True,
        "closing_fee_basis": "price",
        "closing_fee_rate": FEE,
    },
}
"""Values of rules that need others with them."""
RULED = tuple(
    rule
    for rule in CHOICES
    if not rule.startswith(("price_rounding", "bankruptcy_rounding", "table_", "trader_", "close_out_"))
    and rule != "maintenance_rate_rule"
)
"""Rules that numbers follow from."""


def variants(policy: lc.MarginPolicy) -> Iterator[tuple[str, lc.MarginPolicy]]:
    """The policy with each of its unknown rules at each value; the generic one with every rule at each."""
    plain = stated(policy)
    yield "as it is", plain
    tried = (
        RULED if policy.name == "generic" else [rule for rule in RULED if getattr(policy, rule) == UNKNOWN]
    )
    for rule in tried:
        for value in CHOICES[rule]:
            if value in (UNKNOWN, getattr(plain, rule)) and not isinstance(value, bool):
                continue
            changed: dict[str, Any] = {rule: value}
            if rule.startswith("closing_fee_basis"):
                changed["closing_fee_rate"] = 0.0 if value in ("none", "same") else FEE
            if value == "bankruptcy" or (value == "leverage" and rule == "closing_fee_bankruptcy_cross"):
                changed["closing_fee_bankruptcy_cross"] = "leverage"
            elif rule == "closing_fee_basis":
                changed["closing_fee_bankruptcy_cross"] = "none"
            changed |= PAIRED.get((rule, str(value)), {})
            if value == "covered" and plain.requirement_basis_cross == "bankruptcy":
                changed["requirement_basis_cross"] = "price"  # not computed where legs cover each other
            yield f"{rule}={value}", plain.replace(**changed)


def stated(policy: lc.MarginPolicy) -> lc.MarginPolicy:
    """The policy without unknown rules, for tables of every shape."""
    rules: dict[str, Any] = {
        "table_units": ("quote", "base", "contracts", "risk_limit"),
        "table_shape": "any",
        "short_minimum": (),
    }
    rules["maintenance_rate_rule"] = "table"
    for rule in RULED:
        if getattr(policy, rule) == UNKNOWN:
            rules[rule] = FIRST.get(rule, CHOICES[rule][0])
    if policy.closing_fee_rate == UNKNOWN:
        rules["closing_fee_rate"] = FEE
    return policy.replace(**rules)


def every_version() -> list[lc.MarginPolicy]:
    """Every bundled policy at each of its dates."""
    return [policy for name in policy_names() for policy in read_policies(name)]


Tables = Callable[[Random, str], TierTable]


def many_tiers(random: Random, payoff: str) -> TierTable:
    floors = [0, *sorted(random.sample(range(100, 9_000), 11))]
    rates = [f"{rate / 1000:.3f}" for rate in sorted(random.sample(range(5, 180), 12))]
    return TierTable.marginal(list(zip(floors, rates, strict=True)), unit=unit_of(payoff), cap=50_000)


def few_tiers(random: Random, payoff: str) -> TierTable:
    rows = [(0, "0.02"), (random.choice((400, 900, 1_500)), "0.05"), (4_000, "0.1")]
    table = TierTable.marginal(rows, unit=unit_of(payoff))
    return table.with_minimum(random.choice((10, 40))) if random.random() < 0.3 else table


def flat(random: Random, payoff: str) -> TierTable:
    unit: Unit = random.choice(("contracts", "risk_limit"))
    return TierTable.flat([(0, "0.01"), (500, "0.04"), (2_000, "0.09")], unit=unit, cap=1_000_000)


def growing(random: Random, payoff: str) -> TierTable:
    if payoff == "quanto":
        return few_tiers(random, payoff)
    # A linear contract is of some ten units of base currency, an inverse one of a thousand.
    slope = "0.00004" if payoff == "inverse" else "0.002"
    return TierTable.growing(random.choice(("0.005", "0.02")), slope)


def single(random: Random, payoff: str) -> TierTable:
    return TierTable.single_rate(random.choice(("0.005", "0.04", "0.1")))


SHAPES: tuple[Tables, ...] = (single, growing, few_tiers, flat, many_tiers)
PAYOFFS = ("linear", "inverse", "quanto")
EXTRAS = ("", "initial", "short", "both")


def unit_of(payoff: str) -> Unit:
    return "base" if payoff == "inverse" else "quote"


def instrument_of(random: Random, name: str, place: int, settlement: str, underlying: str) -> lc.Instrument:
    """Instrument whose table, payoff and further tables go by its place: all combinations in turn."""
    shape, payoff = SHAPES[place % len(SHAPES)], PAYOFFS[place % len(PAYOFFS)]
    extra = EXTRAS[place // 15 % len(EXTRAS)]
    initial = random.choice(SHAPES)(random, payoff)
    return lc.Instrument(
        name,
        payoff,  # type: ignore[arg-type]
        shape(random, payoff),
        contract_size=100.0 if payoff == "inverse" else 0.5,
        multiplier=0.0625 if payoff == "quanto" else 1.0,
        settlement=settlement,
        underlying=underlying,
        initial_tiers=initial,
        short_tiers=random.choice(SHAPES)(random, payoff) if extra in ("short", "both") else None,
        funding_rate=random.choice((0.0, 0.0001)),
    )


@dataclass
class Drawn:
    """A book, its policy, its marks, prices of its assets; `accounts` in the order of the account ids."""

    policy: lc.MarginPolicy
    columns: dict[str, list[Any]] = field(default_factory=dict)
    balances: dict[str, list[Any]] = field(default_factory=dict)
    wallets: dict[str, float] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    instruments: list[lc.Instrument] = field(default_factory=list)
    assets: list[lc.Asset] = field(default_factory=list)
    mode: str = "isolated"

    def book(self) -> lc.PositionBook:
        """The book, built anew."""
        more: dict[str, Any] = {"margin_mode": "isolated" if self.mode == "isolated" else "cross"}
        if self.wallets:
            more["wallet_balance"] = self.wallets
        if self.balances:
            more["balances"] = lc.Balances(**self.balances)
        if self.mode in ("hedge", "balances"):
            more["position_mode"] = "hedge"
        return lc.PositionBook(**(more | self.columns))

    def with_rules(self) -> lc.MarginPolicy:
        """The policy with all instruments and assets of the book."""
        return self.policy.with_instruments(self.instruments).with_assets(self.assets)

    def hold(self, random: Random, name: str, scale: float = 1.0, **more: Any) -> float:
        """Add a position in an instrument; returns its value at the mark."""
        instrument = next(each for each in self.instruments if each.name == name)
        quantity = random.choice((7.0, 20.0, 33.0)) * scale
        if instrument.payoff != "linear":
            # About as much in settlement currency: values of 350 to 1,650 all in all.
            quantity *= 50.0 if instrument.payoff == "inverse" else 16.0
        quantity *= random.choice((-1.0, 1.0))
        limit = random.choice((300.0, 700.0, 3_000.0))
        row: dict[str, Any] = {
            "instrument": name,
            "quantity": quantity,
            "entry_price": MARK * random.choice((0.875, 0.96875, 1.03125, 1.125)),
            "leverage": random.choice((1.0, 2.0, 5.0, 20.0)),
            "risk_limit": limit,
            "accrued_funding": random.choice((0.0, -3.5, 2.25)),
        }
        row |= more
        for column, value in row.items():
            self.columns.setdefault(column, []).append(value)
        size = abs(float(row["quantity"])) * instrument.contract_size
        return size / MARK if instrument.payoff == "inverse" else size * instrument.multiplier * MARK

    def list_instrument(
        self, random: Random, name: str, place: int, settlement: str, moves: str = ""
    ) -> None:
        """Add an instrument at its mark."""
        self.instruments.append(instrument_of(random, name, place, settlement, moves))
        self.marks[name] = MARK


SHARES = (0.03125, 0.125, 0.375, 1.5)
"""Margins and wallets as shares of the value."""


def drawn_book(policy: lc.MarginPolicy, mode: str, first: int, count: int, seed: str) -> Drawn:
    """Book of so many rows or accounts of a mode; tables and payoffs go round from the place `first` on."""
    random, drawn = Random(seed), Drawn(policy, mode=mode)
    for number in range(count):
        place = first + number
        add = {"isolated": _add_isolated, "one_way": _add_wallet, "hedge": _add_wallet}.get(
            mode, _add_balances
        )
        add(drawn, random, place)
    return drawn


def _add_isolated(drawn: Drawn, random: Random, place: int) -> None:
    name = f"I{place}"
    drawn.list_instrument(random, name, place, "CASH")
    margins = drawn.columns.setdefault("isolated_margin", [])
    value = drawn.hold(random, name)
    margins.append(value * random.choice(SHARES) if random.random() < 0.8 else math.nan)


def _add_wallet(drawn: Drawn, random: Random, place: int) -> None:
    account, settlement = f"A{place}", f"C{place}"
    drawn.list_instrument(random, f"M{place}", place, settlement, f"U{place}")
    drawn.list_instrument(random, f"N{place}", place + random.randrange(15), settlement, f"V{place}")
    legs = [f"M{place}", f"N{place}"]
    value = sum(drawn.hold(random, name, account=account) for name in legs)
    if drawn.mode == "hedge":
        quantity = drawn.columns["quantity"][-2]
        other = -quantity * random.choice((0.25, 0.75, 1.0, 1.5))
        value += drawn.hold(random, legs[0], account=account, quantity=other)
    drawn.wallets[account] = value * random.choice(SHARES)


def _add_balances(drawn: Drawn, random: Random, place: int) -> None:
    """An account with a currency and a coin; the coin moves with the first instrument."""
    account, cash, coin = f"A{place}", f"C{place}", f"X{place}"
    liability = TierTable.marginal([(0, "0.03"), (500, "0.08")], unit="quote")
    charged = None if random.random() < 0.5 else liability
    drawn.assets.append(lc.Asset(cash, liability_weight=1.0, liability_tiers=charged))
    drawn.assets.append(
        lc.Asset(coin, (0.9375, 0.5), (0.0, 800.0), liability_weight=1.0625, liability_tiers=charged)
    )
    drawn.prices |= {cash: 1.0, coin: MARK}
    for name, number, moves in ((f"M{place}", place, coin), (f"N{place}", place + 7, f"V{place}")):
        drawn.list_instrument(random, name, number, cash, moves)
        if drawn.instruments[-1].payoff == "inverse":
            drawn.instruments[-1] = replace(drawn.instruments[-1], settlement=coin, underlying=coin)
    value = 0.0
    for name in (f"M{place}", f"N{place}"):
        inverse = next(each for each in drawn.instruments if each.name == name).payoff == "inverse"
        # An inverse contract is worth coins, each of which is worth its price.
        value += drawn.hold(random, name, 1 / 64 if inverse else 1.0, account=account) * (
            MARK if inverse else 1
        )
    columns = {"account": account, "liability": 0.0}
    share = random.choice(SHARES)
    coins = value * share / MARK * random.choice((-0.5, 0.5, 1.0))
    owed = abs(coins) * random.choice((0.0, 0.5))
    for asset, balance, debt in (
        (cash, value * share * random.choice((0.25, 1.0)), 0.0),
        (coin, coins, owed),
    ):
        for column, item in (columns | {"asset": asset, "balance": balance, "liability": debt}).items():
            drawn.balances.setdefault(column, []).append(item)
