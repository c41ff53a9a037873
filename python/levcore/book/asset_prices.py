"""Prices of assets as the caller gives them, as one array a policy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from levcore.book.arrays import Floats, real_number
from levcore.errors import DTypeError, InputError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["asset_price_columns"]


def asset_price_columns(
    book: "PositionBook", policies: Sequence["MarginPolicy"], prices: Mapping[str, float] | None
) -> list[Floats]:
    """Prices of each policy's assets in the accounts' currency, NaN where missing; none without balances.

    Raises
    ------
    InputError
        For balances without prices, and prices without balances.
    DTypeError
        For what is no mapping of names to numbers.
    """
    if book.balances is None:
        if prices is not None:
            raise InputError("asset_prices", "belong to a book with balances", "none", "prices")
        return []
    if prices is None:
        raise InputError(
            "asset_prices",
            "are needed for a book with balances",
            "asset to price, such as {'USDT': 1.0}",
            "none",
        )
    if not isinstance(prices, Mapping):
        raise DTypeError("asset_prices", "must be a mapping", "asset to price", type(prices).__name__)
    return [
        np.array([real_number("asset_prices", prices.get(name)) for name in policy.assets], dtype=np.float64)
        for policy in policies
    ]
