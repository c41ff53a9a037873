"""Seeded random books of accounts whose parts move together: hedged legs, and balances in several assets.

Every rule for hedged legs and liabilities, tables of every kind, wallets and balances, one policy or several;
some accounts are bad. All numbers are near 100, so that tiers, caps and haircuts are met.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.measures import MEASURE_NAMES
from levcore.rules.instruments import Payoff
from levcore.rules.tiers import TierTable
from support.random_books import Columns

__all__ = ["PooledBook", "random_assets", "random_book", "random_policy"]

UNDERLYINGS = ("BTC", "ETH", "SOL")
CURRENCIES = ("USDT", "USDC", *UNDERLYINGS)
ASSETS = (*CURRENCIES, "stETH", "UNPRICED", "WORTHLESS")
NAN, INFINITE = math.nan, math.inf
FEES: tuple[dict[str, Any], ...] = (
    {"closing_fee_basis": "none"},
    {"closing_fee_basis": "price", "closing_fee_rate": 0.001},
    {"closing_fee_basis": "entry", "closing_fee_rate": 0.001},
    {"closing_fee_basis": "none", "closing_fee_basis_cross": "mark", "closing_fee_rate": 0.001},
    {"closing_fee_basis": "entry_and_margin", "closing_fee_rate": 0.001},
    {"closing_fee_basis": "contract", "closing_fee_rate": 0.02, "bankruptcy_includes_closing_fee": False},
    {
        "closing_fee_basis": "bankruptcy",
        "closing_fee_rate": 0.0005,
        "closing_fee_bankruptcy_cross": "leverage",
    },
)


@dataclass(frozen=True)
class PooledBook:
    """Columns of a book, the policies it is evaluated under, and prices.

    Parameters
    ----------
    policies : dict of str to MarginPolicy
        By label; a book of one names none.
    columns, balances : dict
        Arguments of `levcore.PositionBook` and `levcore.Balances`; no balances: None.
    marks, asset_prices : dict of str to float
    """

    policies: dict[str, lc.MarginPolicy]
    columns: Columns
    balances: Columns | None
    marks: dict[str, float]
    asset_prices: dict[str, float] | None

    def book(
        self, rows: npt.NDArray[np.int64] | None = None, balances: npt.NDArray[np.int64] | None = None
    ) -> lc.PositionBook:
        """Book of all rows, in the order of the columns or in another."""
        held = None if self.balances is None else lc.Balances(**_taken(self.balances, balances))
        return lc.PositionBook(**_taken(self.columns, rows), balances=held)

    def evaluate(self, book: lc.PositionBook, **options: Any) -> lc.BookRisk:
        """Kernel on the book, every measure; `options` of the engine or of the call."""
        instruction_set = options.pop("instruction_set", None)
        engine = lc.Engine(self.policies, instruction_set=instruction_set)
        prices = {"asset_prices": self.asset_prices}
        return engine.evaluate(book, self.marks, measures=MEASURE_NAMES, **(prices | options))

    def reference(self, book: lc.PositionBook) -> lc.BookRisk:
        """Reference on the book, every measure."""
        return lc.reference.evaluate(
            book, self.policies, self.marks, asset_prices=self.asset_prices, measures=MEASURE_NAMES
        )


def _taken(columns: Columns, rows: npt.NDArray[np.int64] | None) -> Columns:
    """Columns in another order; what is no list is the same for all rows."""
    if rows is None:
        return columns
    return {
        name: [column[row] for row in rows.tolist()] if isinstance(column, list) else column
        for name, column in columns.items()
    }


@dataclass
class _Rows:
    """Rows being drawn, as lists by column."""

    columns: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, **values: Any) -> None:
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)


def random_table(random: Random, payoff: str, *, any_shape: bool = True) -> TierTable:
    """Marginal with a minimum or a cap or without, flat, growing or a single rate."""
    shape = random.choice(("marginal", "marginal", "minimum", "growing", "contracts", "risk_limit", "single"))
    if shape == "growing" and payoff != "quanto" and any_shape:
        return TierTable.growing("0.01", random.choice(("0.0005", "0.01")))
    rates = [f"{rate / 1000:.3f}" for rate in sorted(random.sample(range(2, 250), random.randint(1, 4)))]
    scale = 0.01 if payoff == "inverse" else 1.0
    floors = [0, *sorted(random.sample(range(1, 2_000), len(rates) - 1))]
    if shape in ("contracts", "risk_limit") and any_shape:
        rows = [(floor * 0.02, rate) for floor, rate in zip(floors, rates, strict=True)]
        return TierTable.flat(rows, unit="contracts" if shape == "contracts" else "risk_limit")
    if shape == "single":
        return TierTable.single_rate(rates[0])
    by_value = [(f"{floor * scale:.2f}", rate) for floor, rate in zip(floors, rates, strict=True)]
    cap = random.choice((None, None, None, 6_000 * scale))
    table = TierTable.marginal(by_value, unit="base" if payoff == "inverse" else "quote", cap=cap)
    return table.with_minimum(f"{2 * scale:.2f}") if shape == "minimum" else table


def random_instruments(random: Random) -> list[lc.Instrument]:
    """Linear, inverse and quanto contracts on every underlying, some that move alone."""

    def instrument(name: str, payoff: Payoff, settlement: str, underlying: str, **more: Any) -> lc.Instrument:
        short = random_table(random, payoff) if random.random() < 0.3 else None
        return lc.Instrument(
            name,
            payoff,
            random_table(random, payoff),
            settlement=settlement,
            underlying=underlying,
            short_tiers=short,
            initial_tiers=random_table(random, payoff) if random.random() < 0.8 else None,
            funding_rate=random.choice((0.0, 0.001, 0.002)),
            **more,
        )

    drawn = []
    for coin in UNDERLYINGS:
        drawn += [
            instrument(f"{coin}USDT", "linear", "USDT", coin),
            instrument(f"{coin}USDC", "linear", "USDC", random.choice((coin, ""))),
            instrument(f"{coin}USD", "inverse", coin, random.choice((coin, "")), contract_size=10.0),
        ]
    drawn.append(instrument("BTCQ", "quanto", "USDT", "BTC", multiplier=0.5))
    # Settles in what is no asset of any policy.
    return [*drawn, instrument("DOGEDAI", "linear", "DAI", "DOGE")]


def random_liability_tiers(random: Random) -> TierTable | None:
    """No tiers, one rate, or a marginal table, which has no minimum: nothing owed asks for nothing."""
    single = TierTable.single_rate("0.05")
    table = random_table(random, "linear", any_shape=False)
    return random.choice((None, single, single if table.rates[0] == 0 else table))


def random_assets(random: Random) -> list[lc.Asset]:
    """Assets with discounts by value or by amount; a last weight of 0 is a cap."""

    def asset(name: str) -> lc.Asset:
        weights = sorted((random.choice((0.0, 0.95 * random.random())) for _ in range(3)), reverse=True)
        count = random.randint(1, 3)
        scale = random.choice((300.0, 3.0))
        floors = (0.0, *sorted(scale * random.uniform(0.1, 1.0) for _ in range(count - 1)))
        first = (random.choice((1.0, 0.95)), *weights)[:count]
        return lc.Asset(
            name,
            first,
            floors,
            "value" if scale > 100.0 else "amount",
            random.choice((1.0, 1.01)),
            random_liability_tiers(random),
            random_liability_tiers(random),
            "ETH" if name == "stETH" else "",
        )

    return [asset(name) for name in ASSETS]


def random_policy(random: Random, *, multi_asset: bool, **rules: Any) -> lc.MarginPolicy:
    """Policy of any rules but those that are given."""
    hedge = random.choice(("sum", "larger_leg", "larger_side", "covered"))
    drawn = {
        "hedge_requirement": hedge,
        "requirement_basis_cross": random.choice(("price", "price", "entry", "mark", "bankruptcy")),
        "initial_margin_basis_cross": random.choice(("mark", "entry")),
        "initial_margin_rule": random.choice(("leverage", "table")),
        "funding_in_requirement": random.choice(("none", "rate_times_value", "rate_times_value_of_payer")),
        "closing_fee_in_maintenance_margin": random.random() < 0.5,
        "closing_fee_in_initial_margin": random.random() < 0.5,
        "closing_fee_reserved": random.choice(("same", "same", "bankruptcy")),
        "bankruptcy_includes_closing_fee": random.choice((True, False, "unknown")),
        "liquidation_level": random.choice((1.0, 0.9, 0.8)),
        "warning_level": random.choice((None, 0.4)),
        "liabilities_count_as": random.choice(("negative_equity", "requirement")) if multi_asset else "none",
        "margins_convert_at": random.choice(("price", "price", "liability_weight")),
        **random.choice(FEES),
    }
    drawn |= rules
    hedge = drawn["hedge_requirement"]
    apart = ("sum", "larger_leg", "larger_side") if hedge == "sum" else ("same", "same", "sum")
    drawn.setdefault("hedge_requirement_initial", random.choice(apart))
    if drawn["requirement_basis_cross"] == "bankruptcy":
        if hedge == "covered":
            drawn["requirement_basis_cross"] = "mark"
        drawn["closing_fee_bankruptcy_cross"] = "leverage"
        if drawn["bankruptcy_includes_closing_fee"] == "unknown":
            drawn["bankruptcy_includes_closing_fee"] = False
    if drawn["closing_fee_basis"] == "bankruptcy" and drawn["bankruptcy_includes_closing_fee"] == "unknown":
        drawn["bankruptcy_includes_closing_fee"] = False
    if drawn["hedge_requirement"] == "covered":
        drawn.setdefault("covered_share", random.choice((0.0, 0.25, 0.5, 1.0)))
    policy = lc.policy("generic").replace(**drawn).with_instruments(random_instruments(random))
    return policy.with_assets(random_assets(random)) if multi_asset else policy


def random_book(
    seed: int, rows: int = 16, *, spoiled: bool = True, policies: int | None = None, **rules: Any
) -> PooledBook:
    """Book of about so many rows.

    Parameters
    ----------
    seed, rows : int
    spoiled : bool
        Whether an account in ten is bad.
    policies : int, optional
        How many; drawn by default.
    **rules
        Rules of all policies.
    """
    random = Random(seed)
    multi_asset = random.random() < 0.7 if "liabilities_count_as" not in rules else True
    count = random.choice((1, 1, 2, 3)) if policies is None else policies
    labels = [f"policy {number}" for number in range(count)]
    held = {label: random_policy(random, multi_asset=multi_asset, **rules) for label in labels}
    hedge = random.random() < 0.75
    legs, balances = _Rows(), _Rows()
    wallets: dict[int, float] = {}
    account = 0
    while len(legs.columns.get("quantity", [])) < rows:
        label = random.choice(labels)
        drawn = _draw_account(random, held[label], hedge=hedge, multi_asset=multi_asset)
        if spoiled and random.random() < 0.1:
            _spoil(random, drawn)
        for leg in drawn.legs:
            legs.add(account=account, policy=label, **leg)
        for balance in drawn.balances:
            balances.add(account=account, policy=label, **balance)
        if drawn.wallet is not None:
            wallets[account] = drawn.wallet
        account += 1
    columns: Columns = dict(legs.columns)
    columns |= {"wallet_balance": wallets or None, "position_mode": "hedge" if hedge else "one_way"}
    if count == 1:
        del columns["policy"]
        balances.columns.pop("policy", None)
    marks = {name: 100.0 * math.exp(random.gauss(0.0, 0.3)) for name in held[labels[0]].instruments}
    prices = {asset: 100.0 * math.exp(random.gauss(0.0, 0.1)) for asset in ASSETS}
    prices |= {"USDT": 0.999, "USDC": 1.001, "WORTHLESS": 0.0}
    del prices["UNPRICED"]
    if spoiled and random.random() < 0.1:
        marks[random.choice(list(marks))] = NAN
    own = dict(balances.columns) or None
    return PooledBook(held, columns, own, marks, prices if own else None)


@dataclass
class _Account:
    """One account being drawn: its legs and balances by column."""

    legs: list[dict[str, Any]]
    balances: list[dict[str, Any]]
    wallet: float | None


def _draw_account(random: Random, policy: lc.MarginPolicy, *, hedge: bool, multi_asset: bool) -> _Account:
    """Account of up to eight legs, none of them twice, in a wallet or in balances; it may have no leg."""
    in_assets = multi_asset and random.random() < 0.7
    currency = random.choice(CURRENCIES)
    names = [
        name
        for name, instrument in policy.instruments.items()
        if (in_assets or instrument.settlement == currency) and instrument.settlement != "DAI"
    ]
    sides = [(name, side) for name in names for side in (1.0, -1.0)]
    if not hedge:
        sides = [(name, random.choice((1.0, -1.0))) for name in names]
    chosen = random.sample(sides, random.randint(0 if in_assets else 1, min(8, len(sides))))
    legs = [_leg(random, name, side) for name, side in chosen]
    gross = sum(abs(leg["quantity"]) for leg in legs) * 100.0
    if not in_assets:
        # A contract of a coin's currency is worth a tenth of a coin.
        unit = 0.001 if currency in UNDERLYINGS else 1.0
        wallet = random.choice((0.05, 0.2, 0.5, 1.0, 3.0, -0.05)) * gross * unit
        return _Account(legs, [], wallet)
    return _Account(legs, _balances(random, gross or 300.0), None)


def _leg(random: Random, name: str, side: float) -> dict[str, Any]:
    quantity = side * random.choice((0.5, 1.0, 3.0, 10.0, random.lognormvariate(1.0, 1.0)))
    flat = random.random() < 0.04
    return {
        "instrument": name,
        "quantity": 0.0 if flat else quantity,
        "entry_price": 100.0 * math.exp(random.gauss(0.0, 0.2)),
        "leverage": random.choice((2.0, 10.0, 50.0)),
        "accrued_funding": random.choice((0.0, 0.0, 0.01, -0.01)),
        "risk_limit": random.choice((10.0, 30.0)),
        "margin_mode": "cross" if random.random() < 0.95 else "isolated",
        "isolated_margin": abs(quantity) * 20.0,
    }


def _balances(random: Random, gross: float) -> list[dict[str, Any]]:
    """Amounts of some assets; of each debt a part is covered by a balance in it, or nothing."""
    drawn = []
    names: Iterable[str] = random.sample(ASSETS[:-2], random.randint(1, len(ASSETS) - 2))
    for name in names:
        worth = 1.0 if name.startswith("USD") else 100.0
        held = random.choice((0.0, 0.05, 0.2, 0.5, 1.0, 3.0, -0.05)) * gross / worth
        owed = random.choice((0.0, 0.0, 0.02, 0.1)) * gross / worth
        drawn.append(
            {
                "asset": name,
                "balance": held,
                "liability": owed,
                "interest": random.choice((0.0, 0.001 * owed)),
            }
        )
    return drawn


BAD_LEGS: tuple[tuple[str, Any], ...] = (
    ("quantity", NAN),
    ("quantity", 1e300),
    ("entry_price", 0.0),
    ("leverage", NAN),
    ("leverage", -1.0),
    ("accrued_funding", INFINITE),
    ("risk_limit", NAN),
    ("instrument", "NOBODY-KNOWS"),
)
UNSETTLED = ("instrument", "DOGEDAI")
BAD_BALANCES: tuple[tuple[str, Any], ...] = (
    ("balance", NAN),
    ("balance", INFINITE),
    ("balance", 1e300),
    ("liability", -1.0),
    ("interest", NAN),
    ("asset", "NOBODY-KNOWS"),
    ("asset", "UNPRICED"),
    ("asset", "WORTHLESS"),
)


def _spoil(random: Random, account: _Account) -> None:
    """Make one thing of an account bad."""
    faults: Sequence[str] = ("leg", "twice", "balance" if account.balances else "wallet")
    fault = random.choice(faults)
    if fault == "wallet":
        account.wallet = random.choice((None, NAN, INFINITE, -1e-3))
    elif fault == "balance":
        name, value = random.choice(BAD_BALANCES)
        random.choice(account.balances)[name] = value
    elif account.legs and fault == "twice":
        account.legs.append(dict(random.choice(account.legs)))
    elif account.legs:
        name, value = random.choice((*BAD_LEGS, UNSETTLED) if account.balances else BAD_LEGS)
        random.choice(account.legs)[name] = value
