"""Prices as a venue displays them: liquidation and bankruptcy prices rounded to the tick.

The engine's prices are the formula's. What a venue shows may be that price moved to its tick, and which way
is a rule of the policy (`MarginPolicy.price_rounding_long`, `MarginPolicy.price_rounding_short`, and for
bankruptcy prices `MarginPolicy.bankruptcy_rounding_long`, `MarginPolicy.bankruptcy_rounding_short`).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from levcore.errors import InputError, ShapeError

if TYPE_CHECKING:
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy

__all__ = ["displayed_price"]

Kind: TypeAlias = Literal["liquidation", "bankruptcy"]
Prices: TypeAlias = npt.NDArray[Any] | Sequence[float]

ON_TICK = 1e-12
"""Share of itself by which a price may miss a tick and still stand on it: the round-off of a few float64
operations, which must not move what is displayed by a whole tick."""

RULES = ("price_rounding_long", "price_rounding_short")


@overload
def displayed_price(
    policy: "MarginPolicy", instrument: "Instrument", price: float, quantity: float, kind: Kind = ...
) -> float: ...


@overload
def displayed_price(
    policy: "MarginPolicy",
    instrument: "Instrument",
    price: Prices,
    quantity: float | Prices,
    kind: Kind = ...,
) -> npt.NDArray[np.float64]: ...


def displayed_price(
    policy: "MarginPolicy",
    instrument: "Instrument",
    price: float | Prices,
    quantity: float | Prices,
    kind: Kind = "liquidation",
) -> float | npt.NDArray[np.float64]:
    """Liquidation or bankruptcy price as the venue displays it.

    Parameters
    ----------
    policy : MarginPolicy
        Says how prices of long and of short positions are rounded.
    instrument : Instrument
        Its tick size; read as the decimal it shows, so that a tick of 0.1 is one tenth.
    price : float or array_like of shape (n,), quote per base
        What the engine returns; NaN where there is no price.
    quantity : float or array_like of shape (n,)
        Signed quantities of the positions; 0 has no displayed price.
    kind : {"liquidation", "bankruptcy"}
        Which price it is: some venues round their bankruptcy prices by a rule of their own.

    Returns
    -------
    float or ndarray of float64, shape (n,), quote per base
        The float64 nearest to the decimal displayed; NaN where `price` is NaN or `quantity` is 0 or NaN.
        Where the rule is "none", the price itself. A price on its tick stays there; "nearest" takes one
        halfway between two up.

    Raises
    ------
    UnknownRuleError
        Where no source states the rounding of a side that `quantity` holds; state it with ``policy.replace``.
    InputError
        Where a price must be rounded and the instrument's tick size is unknown.
    ShapeError
        Where `price` and `quantity` do not have one shape.

    Examples
    --------
    >>> import levcore as lc
    >>> from levcore.engine.displayed_prices import displayed_price
    >>> tiers = lc.TierTable.single_rate("0.005", unit="base")
    >>> instrument = lc.Instrument("BTCUSD", "inverse", tiers, tick_size=0.5)
    >>> displayed_price(lc.policy("bybit-inverse@2024-09-10"), instrument, 5739.0838, 10_000.0)
    5739.5
    """
    prices = np.asarray(price, dtype=np.float64)
    quantities = np.asarray(quantity, dtype=np.float64)
    if prices.shape != quantities.shape:
        raise ShapeError("quantity", "must have one value a price", str(prices.shape), str(quantities.shape))
    shown = np.full(prices.shape, np.nan)
    for rule, side in zip(RULES, (quantities > 0.0, quantities < 0.0), strict=True):
        if side.any():
            shown[side] = _rounded(prices[side], instrument, _rounding(policy, rule, kind))
    return float(shown) if shown.ndim == 0 else shown


def _rounding(policy: "MarginPolicy", rule: str, kind: Kind) -> str:
    """Rounding of a side's prices of a kind."""
    own = rule.replace("price", "bankruptcy", 1)
    if kind == "bankruptcy" and getattr(policy, own) != "same":
        rule = own
    rounding: str = policy.known(rule)
    return rounding


def _rounded(prices: npt.NDArray[np.float64], instrument: "Instrument", rule: str) -> npt.NDArray[np.float64]:
    if rule == "none":
        return prices
    if instrument.tick_size is None:
        raise InputError(
            "tick_size", f"is needed to round the prices of {instrument.name}", "a price step", "None"
        )
    tick = Fraction(repr(float(instrument.tick_size)))
    ratio = prices / float(instrument.tick_size)
    nearest = np.floor(ratio * (1.0 + ON_TICK) + 0.5)
    if rule == "nearest":
        steps = nearest
    else:
        # The quotient is off by less than 1e-15 of itself: beyond ON_TICK its floor and ceiling are exact.
        on_tick = np.abs(ratio - nearest) <= ON_TICK * np.abs(ratio)
        steps = np.where(on_tick, nearest, np.ceil(ratio) if rule == "up" else np.floor(ratio))
    # Whole numbers below 2**53 multiply exactly; the one division then gives the float64 nearest the decimal.
    displayed: npt.NDArray[np.float64] = (steps * tick.numerator) / tick.denominator
    return displayed
