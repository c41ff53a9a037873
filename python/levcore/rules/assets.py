"""Collateral assets: how much of a balance counts, what a liability costs, and the tables that carry both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Literal, TypeAlias, get_args

from levcore.arguments import is_word
from levcore.errors import InputError
from levcore.rules.tiers import TierTable

__all__ = ["Asset", "AssetTable", "AssetUnit"]

AssetUnit: TypeAlias = Literal["value", "amount"]


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Asset:
    """Rules of one asset of a multi-asset account.

    The part of a positive equity above ``floors[i]`` counts at ``weights[i]`` up to the next floor; a cap is
    a last weight of 0. A negative equity counts at `liability_weight`. With weights that do not rise, and
    none above the liability weight, the value counted is a minimum of lines in the equity.

    Parameters
    ----------
    name : str
        As balances name it.
    weights : tuple of float, shape (k,)
        Shares of market value that count, one a tier, in [0, 1], not rising: one less the haircut, or the
        discount rate; a bid buffer is part of it.
    floors : tuple of float, shape (k,)
        Lower ends of the tiers, ascending from 0.
    unit : {"value", "amount"}
        Whether floors are in the account's currency or in units of the asset.
    liability_weight : float
        Factor on the value of a negative equity or a liability, at least 1: one plus the ask buffer.
    liability_tiers : TierTable, optional
        Maintenance margin of a liability by its value in the account's currency: marginal, unit ``quote``.
        None: a liability asks for none.
    liability_initial_tiers : TierTable, optional
        The same for its initial margin.
    underlying : str
        What its price moves with; empty: with its own name.

    Raises
    ------
    InputError
        Where a value is of another kind or out of its range.
    """

    name: str
    weights: tuple[float, ...] = (1.0,)
    floors: tuple[float, ...] = (0.0,)
    unit: AssetUnit = "value"
    liability_weight: float = 1.0
    liability_tiers: TierTable | None = None
    liability_initial_tiers: TierTable | None = None
    underlying: str = ""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not isinstance(self.name, str) or not self.name:
            raise InputError("asset", "must have a name", "a non-empty text", repr(self.name))
        if not is_word(self.unit, get_args(AssetUnit)):
            raise self._fault("unit", "must be known", " or ".join(get_args(AssetUnit)), self.unit)
        for field in ("weights", "floors"):
            values = getattr(self, field)
            if not (isinstance(values, tuple) and all(map(_is_real, values))):
                raise self._fault(field, "must be a tuple of numbers", "(0.95,)", values)
        if not _is_real(self.liability_weight):
            raise self._fault("liability_weight", "must be a number", ">= 1", self.liability_weight)
        if not isinstance(self.underlying, str):
            raise self._fault("underlying", "must be a name", "text", self.underlying)
        if not self.weights or len(self.weights) != len(self.floors):
            raise self._fault("floors", "must have one value a weight", str(len(self.weights)), self.floors)
        if self.floors[0] != 0 or any(not low < high < math.inf for low, high in pairwise(self.floors)):
            raise self._fault("floors", "must ascend from 0", "0, then rising finite numbers", self.floors)
        if not 1 <= self.liability_weight < math.inf:
            raise self._fault("liability_weight", "must not be below 1", ">= 1", self.liability_weight)
        falling = all(high >= low for high, low in pairwise(self.weights))
        if not falling or not all(0 <= weight <= 1 for weight in self.weights):
            raise self._fault("weights", "must be shares that do not rise", "1 >= ... >= 0", self.weights)
        for name in ("liability_tiers", "liability_initial_tiers"):
            self._check_tiers(name, getattr(self, name))

    def _check_tiers(self, name: str, tiers: object) -> None:
        if tiers is None:
            return
        if not isinstance(tiers, TierTable) or tiers.shape != "marginal":
            raise self._fault(name, "must be a marginal tier table", "TierTable.marginal(...)", tiers)
        if tiers.rates[0] == 0:
            raise self._fault(
                name, "must not have a minimum: nothing owed asks for nothing", "rates above 0", tiers
            )
        if not tiers.is_single_rate and tiers.unit != "quote":
            raise self._fault(name, "is keyed by value in the account's currency", "quote", tiers.unit)

    @property
    def moves_with(self) -> str:
        """Underlying whose price moves it."""
        return self.underlying or self.name

    def _fault(self, field: str, rule: str, expected: str, found: object) -> InputError:
        return InputError(f"asset {self.name}, {field}", rule, expected, repr(found))


class AssetTable(Mapping[str, Asset]):
    """Assets by name; immutable and hashable.

    Parameters
    ----------
    assets : iterable of Asset

    Raises
    ------
    InputError
        Where two assets have one name.
    """

    __slots__ = ("_assets",)

    def __init__(self, assets: Iterable[Asset] = ()) -> None:
        self._assets: dict[str, Asset] = {}
        for asset in assets:
            if not isinstance(asset, Asset):
                raise InputError("assets", "must be assets", "levcore.Asset(...)", repr(asset))
            if asset.name in self._assets:
                raise InputError("assets", "two have one name", "distinct names", repr(asset.name))
            self._assets[asset.name] = asset

    def with_assets(self, assets: Iterable[Asset]) -> AssetTable:
        """Return a new table with `assets` added; they replace those of the same name."""
        return AssetTable((self._assets | AssetTable(assets)._assets).values())

    def __getitem__(self, name: str) -> Asset:
        """Return the asset of this name."""
        return self._assets[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._assets)

    def __len__(self) -> int:
        """Return the number of assets."""
        return len(self._assets)

    def __hash__(self) -> int:
        """Hash of the contents."""
        return hash(frozenset(self._assets.values()))

    def __repr__(self) -> str:
        """Return the names."""
        return f"<AssetTable: {', '.join(self._assets) or 'no assets'}>"
