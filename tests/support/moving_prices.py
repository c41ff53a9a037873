"""Random betas, what they say of each instrument and asset, and prices moved by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import levcore as lc
from support.oracle_rays import MovingPool
from support.pooled_books import UNDERLYINGS, PooledBook

__all__ = ["Betas", "moving_pool", "random_betas"]

SIZES = (0.0, 1.0, 1.0, -1.0, 0.5, 0.7, 1.3, -0.5, 3.0)


@dataclass(frozen=True)
class Betas:
    """What `levcore.distance` is given, and what it means for each instrument and asset of a policy."""

    given: dict[str, float] | None
    others: float | None

    def of_instruments(self, policy: lc.MarginPolicy, names: tuple[str, ...]) -> dict[str, float]:
        """Its own, else that of its underlying, else `others`; 1 where none are given."""
        if self.given is None:
            return dict.fromkeys(names, 1.0)
        betas = {}
        for name in names:
            keys = [name, policy.instruments[name].underlying if name in policy.instruments else ""]
            betas[name] = next((self.given[key] for key in keys if key and key in self.given), self.others)
        assert None not in betas.values()
        return betas  # type: ignore[return-value]

    def of_assets(self, policy: lc.MarginPolicy, names: tuple[str, ...]) -> dict[str, float]:
        """Its own, else that of what it moves with, else 0; with none given, 1 with an instrument's."""
        moving = {underlying_of(policy, name) for name in names if name in policy.instruments}
        betas = {}
        for name, asset in policy.assets.items():
            if self.given is None:
                betas[name] = 1.0 if asset.moves_with in moving else 0.0
            else:
                betas[name] = self.given.get(name, self.given.get(asset.moves_with, 0.0))
        return betas

    def moved(self, drawn: PooledBook, policy: lc.MarginPolicy, book: lc.PositionBook, by: float) -> Moved:
        """Marks and prices of assets after a move."""

        def along(prices: Mapping[str, float], betas: Mapping[str, float]) -> dict[str, float]:
            return {name: price * (1.0 + betas.get(name, 0.0) * by) for name, price in prices.items()}

        names = book.instrument_names
        prices = drawn.asset_prices
        return Moved(
            along(drawn.marks, self.of_instruments(policy, names)),
            None if prices is None else along(prices, self.of_assets(policy, names)),
        )


@dataclass(frozen=True)
class Moved:
    """Prices after a move."""

    marks: dict[str, float]
    asset_prices: dict[str, float] | None


def random_betas(random: Random, names: list[str]) -> Betas:
    """None, one for everything, one for each underlying, or one for each instrument."""
    kind = random.choice(("none", "one", "underlyings", "instruments"))
    if kind == "none":
        return Betas(None, None)
    if kind == "one":
        size = random.choice(SIZES)
        return Betas(dict.fromkeys((*names, *UNDERLYINGS), size), size)
    if kind == "underlyings":
        return Betas({coin: random.choice(SIZES) for coin in UNDERLYINGS}, random.choice((0.0, 1.0)))
    return Betas({name: random.choice(SIZES) for name in names}, 0.0)


def moving_pool(
    drawn: PooledBook, book: lc.PositionBook, policy: lc.MarginPolicy, code: int, betas: Betas
) -> MovingPool:
    """Account of a book of one policy in fractions, about to move."""
    of_instruments = betas.of_instruments(policy, book.instrument_names)
    return MovingPool(
        book,
        policy,
        drawn.marks,
        drawn.asset_prices,
        code,
        of_rows=[of_instruments[book.name_of(row)] for row in range(len(book))],
        of_assets=betas.of_assets(policy, book.instrument_names),
    )


def underlying_of(policy: lc.MarginPolicy, name: str) -> str:
    """What an instrument moves with: that of its coin for an inverse one that does not say it."""
    instrument = policy.instruments[name]
    if (
        not instrument.underlying
        and instrument.payoff == "inverse"
        and instrument.settlement in policy.assets
    ):
        return policy.assets[instrument.settlement].moves_with
    return instrument.underlying
