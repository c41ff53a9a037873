"""Prices of collateral in every scenario: what is an instrument's underlying moves with it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from levcore.book.arrays import Floats, real_number
from levcore.errors import DTypeError, InputError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["asset_prices_of_scenarios"]


def asset_prices_of_scenarios(
    book: "PositionBook",
    policies: Sequence["MarginPolicy"],
    prices: Mapping[str, float] | None,
    moves: Floats,
) -> Iterator[dict[str, float]]:
    """Prices of the assets in one scenario after the other.

    Raises
    ------
    InputError
        Where two instruments on one underlying move apart, so that the asset's own move is not known.
    DTypeError
        For prices that are no mapping.
    """
    if prices is not None and not isinstance(prices, Mapping):
        raise DTypeError("asset_prices", "must be a mapping", "asset to price", type(prices).__name__)
    given = {name: real_number("asset_prices", price) for name, price in (prices or {}).items()}
    movers = {name: codes for name in given if (codes := _movers(book, policies, name))}
    for scenario, of_instruments in enumerate(moves):
        moved = dict(given)
        for name, codes in movers.items():
            found = np.unique(of_instruments[codes])
            if found.size > 1:
                raise InputError(
                    "shocks",
                    "must move all instruments on one underlying alike where it is collateral",
                    f"one move of {name}",
                    f"{found[0]} and {found[1]}",
                    scenario,
                )
            moved[name] = given[name] * (1.0 + float(found[0]))
        yield moved


def _movers(book: "PositionBook", policies: Sequence["MarginPolicy"], asset: str) -> list[int]:
    """Instruments of the book that an asset moves with."""
    codes = set()
    for policy in policies:
        if asset not in policy.assets:
            continue
        underlying = policy.assets[asset].moves_with
        for code, name in enumerate(book.instrument_names):
            if name in policy.instruments and policy.instruments[name].underlying == underlying:
                codes.add(code)
    return sorted(codes)
