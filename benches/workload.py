"""The book that every contender evaluates: the same columns, marks and tier tables, saved once.

Real Binance USD-M tier tables, one mark an instrument, half the positions short. It is harder than a real
book and than those of `levcore.generate`: every instrument and every tier of it is as likely as the next, so
that nobody gains by popular instruments or by guessing the first tier. A cross account holds no instrument
twice, but for the long and the short legs of the hedged ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

MEASURES = (
    "notional",
    "unrealized_pnl",
    "return_on_equity",
    "initial_margin",
    "maintenance_margin",
    "equity",
    "margin_ratio",
    "effective_leverage",
    "liquidation_price",
    "bankruptcy_price",
    "distance_to_liquidation",
)
"""What every contender writes for every row, float64 each, and besides them `state`, one byte."""

HEALTHY, WARNING, LIQUIDATION, BANKRUPT = 0, 1, 3, 4
WARNING_LEVEL = 0.8
"""Binance's, as in levcore's policy; liquidation is at 1 and there is no margin-call level."""

INSTRUMENTS = 320
LEGS_PER_ACCOUNT = 10
HEDGED_LEGS = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 5])
"""Which of its instruments each leg of a hedged account is in: four pairs and two lone legs."""
POLICIES = 3
"""Policies of a mixed book, by account."""

ASSETS = ("USDT", "BTC", "ETH")
"""What an account of several assets holds; its positions settle in the first."""
WEIGHTS = np.array([0.999, 0.95, 0.95])
LIABILITY_WEIGHTS = np.array([1.001, 1.05, 1.05])
"""Shares that count of what is held and of what is owed; requirements count at that of the first."""


@dataclass(frozen=True)
class Tables:
    """Tier tables padded to one width, as arrays of shape (instruments, tiers).

    A table with fewer tiers repeats its last line, at a floor of infinity: neither a maximum over the lines
    nor a count of the floors below a value notices the padding.
    """

    names: npt.NDArray[np.str_]
    floors: Floats
    rates: Floats
    deductions: Floats
    caps: Floats
    max_leverage: Floats
    coins: Codes
    """Place in `ASSETS` of what the price of an instrument moves as well; 0: none."""


@dataclass(frozen=True)
class Workload:
    """Columns of a book, in the caller's order, with what is needed to evaluate it.

    `marks` has two rows, a tick apart: contenders alternate between them, so that nobody gains by remembering
    the answer to the last call.
    """

    codes: Codes
    quantity: Floats
    entry_price: Floats
    isolated_margin: Floats
    leverage: Floats
    accounts: npt.NDArray[np.int64]
    wallet_balance: Floats
    balances: Floats
    """Balances by account and asset; without accounts but in books of several assets."""
    policies: Codes
    marks: Floats
    tables: Tables

    def asset_prices(self, tick: int) -> Floats:
        """Prices of `ASSETS`: 1, and the marks of the coins' own contracts."""
        coins = [self.marks[tick][self.tables.coins == place].mean() for place in range(1, len(ASSETS))]
        return np.array([1.0, *coins])

    def save(self, directory: Path) -> None:
        """Write every array to `directory`, from where each contender's process reads it."""
        for holder in (self, self.tables):
            for field in fields(holder):
                value = getattr(holder, field.name)
                if isinstance(value, np.ndarray):
                    np.save(directory / f"{field.name}.npy", value)

    @classmethod
    def load(cls, directory: Path) -> Workload:
        """Read what `save` wrote."""

        def read(kind: type) -> dict[str, npt.NDArray[Any]]:
            names = [field.name for field in fields(kind) if field.name != "tables"]
            return {name: np.load(directory / f"{name}.npy") for name in names}

        return cls(**read(cls), tables=Tables(**read(Tables)))


def bundled_tables(count: int = INSTRUMENTS) -> Tables:
    """Tier tables of `count` instruments of levcore's Binance table, spread over its alphabet.

    All settle in USDT, since a cross account adds amounts of one currency. Of those that move with an asset
    of `ASSETS` there is one each.
    """
    import levcore as lc

    table = lc.policy("binance-usdm").instruments
    coins = {f"{coin}USDT": place for place, coin in enumerate(ASSETS) if place}
    every = sorted(
        name for name in table if table[name].settlement == "USDT" and table[name].underlying not in ASSETS
    )
    spread = np.linspace(0, len(every) - 1, count - len(coins)).astype(int)
    names = sorted([*coins, *(every[i] for i in np.unique(spread))])
    tiers = [table[name].tiers for name in names]
    width = max(len(tier.rates) for tier in tiers)

    def padded(rows: list[tuple[float, ...]], fill: float | None = None) -> Floats:
        return np.array([[*row, *[row[-1] if fill is None else fill] * (width - len(row))] for row in rows])

    return Tables(
        names=np.array(names),
        floors=padded([tier.floors for tier in tiers], np.inf),
        rates=padded([tier.rates for tier in tiers]),
        deductions=padded([tier.deductions for tier in tiers]),
        caps=np.array([tier.cap for tier in tiers]),
        max_leverage=padded([tier.max_leverage for tier in tiers]),
        coins=np.array([coins.get(name, 0) for name in names], dtype=np.int32),
    )


def generate(rows: int, mode: str, order: str, tables: Tables, seed: int = 20_261) -> Workload:
    """Random book, the same for the same arguments.

    Parameters
    ----------
    rows : int
    mode : {"isolated", "cross", "hedge", "assets", "mixed"}
        All but isolated ones are cross accounts of ten legs, the last account what is left over: in ten
        different instruments, or hedged as `HEDGED_LEGS` says, or with balances in three assets, or under
        one of three policies an account.
    order : {"sorted", "random"}
        By instrument (isolated) or by account (cross), or a random permutation of the same rows.
    tables : Tables
    seed : int
    """
    random = np.random.default_rng(seed)
    count = len(tables.names)
    accounts = np.arange(rows) // LEGS_PER_ACCOUNT
    if mode == "isolated":
        codes = np.sort(random.integers(0, count, rows, dtype=np.int32))
    else:
        # A stride of 7 visits ten different instruments.
        first = random.integers(0, count, rows // LEGS_PER_ACCOUNT + 1, dtype=np.int32)
        leg = np.arange(rows, dtype=np.int32) % LEGS_PER_ACCOUNT
        place = HEDGED_LEGS[leg] if mode == "hedge" else leg
        codes = ((first[accounts] + 7 * place) % count).astype(np.int32)
    marks = 10.0 ** random.uniform(-3, 5, count)
    value, tier = _values(codes, tables, random)
    leverage = np.maximum(1.0, np.rint(tables.max_leverage[codes, tier] * random.uniform(0.2, 1.0, rows)))
    entry = marks[codes] * (1.0 + random.normal(0.0, 0.25, rows).clip(-0.9, 3.0) / leverage)
    side = np.where(random.random(rows) < 0.5, -1.0, 1.0)
    if mode == "hedge":
        second = np.flatnonzero((codes[1:] == codes[:-1]) & (accounts[1:] == accounts[:-1])) + 1
        side[second] = -side[second - 1]
    quantity = value / marks[codes] * side
    margin = np.abs(quantity) * entry / leverage * random.uniform(0.9, 2.0, rows)
    wallet = np.bincount(accounts, weights=margin).astype(np.float64)
    ticks = np.stack([marks, marks * (1.0 + random.normal(0.0, 1e-4, count))])
    shuffle = random.permutation(rows) if order == "random" else slice(None)
    return Workload(
        codes=codes[shuffle],
        quantity=quantity[shuffle],
        entry_price=entry[shuffle],
        isolated_margin=margin[shuffle],
        leverage=leverage[shuffle],
        accounts=accounts[shuffle],
        wallet_balance=wallet,
        balances=_balances(wallet, marks, tables, random) if mode == "assets" else np.empty((0, len(ASSETS))),
        policies=random.integers(0, POLICIES, len(wallet), dtype=np.int32)[accounts][shuffle],
        marks=ticks,
        tables=tables,
    )


def _balances(wallet: Floats, marks: Floats, tables: Tables, random: np.random.Generator) -> Floats:
    """The worth of each wallet spread over the assets; every eighth account owes some of the first."""
    shares = random.dirichlet(np.ones(len(ASSETS)), len(wallet)) * 1.2
    shares[::8, 0] *= -0.1
    prices = [1.0, *(marks[tables.coins == place].mean() for place in range(1, len(ASSETS)))]
    return wallet[:, None] * shares / np.array(prices)


def _values(codes: Codes, tables: Tables, random: np.random.Generator) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Position values with every tier of an instrument as likely as the next, and the tier of each."""
    tiers = np.isfinite(tables.floors).sum(axis=1)
    tier = (random.random(len(codes)) * tiers[codes]).astype(np.intp)
    upper = np.column_stack([tables.floors[:, 1:], np.full(len(tiers), np.inf)])
    last = np.arange(len(tiers)), tiers - 1
    # An uncapped last tier is filled to four times its floor.
    upper[last] = np.where(np.isfinite(tables.caps), tables.caps, 4.0 * tables.floors[last] + 1e6)
    lower = np.maximum(tables.floors[codes, tier], 0.01 * upper[codes, tier])
    # 0.98 keeps the second set of marks, and a move of 2 %, below the cap of the last tier.
    return lower + (0.98 * upper[codes, tier] - lower) * random.random(len(codes)), tier
