"""Closing a loan against collateral: how much debt is repaid, what is seized, and who bears the rest.

The numbers of a market are parameters; none has a default. Amounts are exact: integers of a token's smallest
units where the market counts in them, else integers or fractions of one currency.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import floor
from typing import TypeVar

from levcore.errors import InputError
from support.closing.quantums import whole

__all__ = [
    "absorbed_balance",
    "closable_debt",
    "collateral_for_debt",
    "covering_debt",
    "debt_for_collateral",
    "largest_partial_close",
    "quoted_collateral",
    "seized_value",
]

Amount = TypeVar("Amount", int, Fraction)


def closable_debt(
    debt: Amount,
    collateral: Amount,
    total_debt: Amount,
    health_factor: Fraction,
    *,
    small_below: Amount,
    weak_at: Fraction,
    share: Fraction,
) -> Fraction:
    """Most debt of one reserve that a single liquidation repays.

    Parameters
    ----------
    debt, collateral : int or Fraction
        Value of the reserve's debt and of the collateral reserve that pays for it.
    total_debt : int or Fraction
        Value of all debt of the account.
    health_factor : Fraction
        Weighted collateral over debt, below 1.
    small_below : int or Fraction
        Reserves below this value may be closed whole, so that none is left too small to be worth closing.
    weak_at : Fraction
        Health factor up to which everything may be closed.
    share : Fraction
        Share of `total_debt` that is closed otherwise.

    Returns
    -------
    Fraction
        `debt`, or ``share * total_debt`` where that is less and neither reserve is small nor the account
        weak.

    References
    ----------
    Aave v3.3, "Liquidation logic changes" 2.1 and 2.2:
    https://github.com/aave-dao/aave-v3-origin/blob/main/docs/3.3/Aave-v3.3-features.md
    """
    whole_reserve = Fraction(debt)
    if min(debt, collateral) < small_below or health_factor <= weak_at:
        return whole_reserve
    return min(whole_reserve, share * total_debt)


def largest_partial_close(held: Amount, minimum_left: Amount) -> Amount:
    """Most of a debt or a collateral that may be closed without closing all of it.

    Parameters
    ----------
    held : int or Fraction
        Its value before.
    minimum_left : int or Fraction
        What must be left of it unless nothing is.

    Returns
    -------
    int or Fraction
        ``held - minimum_left``, 0 where it can only be closed whole.

    References
    ----------
    Aave v3.3, "Forced position cleanup", 2.3 of the same text.
    """
    return max(held - minimum_left, type(held)(0))


def covering_debt(
    shortage: Fraction,
    debt_price: Fraction,
    *,
    debt_weight: Fraction,
    collateral_weight: Fraction,
    premium: Fraction,
    relief: Fraction,
    fund_fee: Fraction,
    step: Fraction,
) -> Fraction | None:
    """Debt whose repayment with collateral makes up for missing margin.

    Parameters
    ----------
    shortage : Fraction
        Requirement less collateral, above 0.
    debt_price : Fraction
        Of one unit of the debt, in the same currency.
    debt_weight, collateral_weight : Fraction
        Factors with which the two count: a debt at 1 or more, collateral at 1 or less.
    premium, relief : Fraction
        Factors of the liquidator's reward, as in `debt_for_collateral`.
    fund_fee : Fraction
        Fee of the insurance fund, a fraction of the debt's weighted value.
    step : Fraction
        To whole steps of this the weight of the collateral that goes is rounded down.

    Returns
    -------
    Fraction, units of the debt, or None
        ``shortage / (debt_price * (gain - fund_fee * debt_weight))`` with the gain ``debt_weight -
        collateral_weight * premium / relief``; None where a repayment costs more margin than it frees.

    References
    ----------
    Drift v2: drift-labs/protocol-v2@0ae3e3b programs/drift/src/math/liquidation.rs.
    """
    lost = floor(collateral_weight * premium / relief / step) * step
    gained = debt_price * (debt_weight - lost - fund_fee * debt_weight)
    return shortage / gained if gained > 0 else None


def debt_for_collateral(
    value: Fraction, debt_price: Fraction, *, premium: Fraction, relief: Fraction
) -> Fraction:
    """Debt that a liquidator repays for collateral of a value.

    Parameters
    ----------
    value : Fraction
        Of the collateral, in one currency.
    debt_price : Fraction
        Of one unit of the debt, in the same.
    premium, relief : Fraction
        Factors of the liquidator's reward: collateral is had for its value over the one, debt is repaid at
        the other times its value.

    Returns
    -------
    Fraction, units of the debt
        ``value / debt_price * relief / premium``.
    """
    return value / debt_price * relief / premium


def collateral_for_debt(
    debt: Fraction, debt_price: Fraction, *, premium: Fraction, relief: Fraction
) -> Fraction:
    """Value of the collateral that a liquidator gets for repaying a debt; `debt_for_collateral` undone."""
    return debt * debt_price * premium / relief


def seized_value(amount: int, price: int, unit: int, factor: int, *, one: int) -> int:
    """Value that an account is credited for seized collateral.

    Parameters
    ----------
    amount : int, smallest units of the collateral
    price : int
        Of one whole token, in the units of the price feed.
    unit : int
        Smallest units in one whole token.
    factor : int
        Share of the value that is credited; the rest is the penalty.
    one : int
        What `factor` counts as 1.

    Returns
    -------
    int, units of the price feed
        ``amount * price / unit``, then ``* factor / one``, each rounded down.
    """
    value = whole("amount", amount, 0) * whole("price", price, 1) // whole("unit", unit, 1)
    return value * whole("factor", factor, 0) // whole("one", one, 1)


def absorbed_balance(balance: int, seized: Iterable[int], base_price: int, base_unit: int) -> tuple[int, int]:
    """Base balance of an account after all of its collateral was seized and its debt was taken over.

    Parameters
    ----------
    balance : int, smallest units of the base asset
        Before, negative for a debt.
    seized : iterable of int, units of the price feed
        `seized_value` of each collateral.
    base_price : int
        Of one whole base token, in the units of the price feed.
    base_unit : int
        Smallest units in one whole base token.

    Returns
    -------
    left : int, smallest units of the base asset
        ``balance + seized``, not below 0: what the account keeps.
    shortfall : int, smallest units of the base asset
        What the lender's reserves bear, 0 where the collateral covers the debt.

    References
    ----------
    Compound III, absorption: https://docs.compound.finance/liquidation
    """
    credited = sum(seized) * whole("base_unit", base_unit, 1) // whole("base_price", base_price, 1)
    after = whole("balance", balance) + credited
    return max(after, 0), max(-after, 0)


def quoted_collateral(
    base_amount: int,
    base_price: int,
    base_unit: int,
    price: int,
    unit: int,
    *,
    liquidation_factor: int,
    discount_share: int,
    one: int,
) -> int:
    """Seized collateral that the lender sells for an amount of the base asset.

    Parameters
    ----------
    base_amount : int, smallest units of the base asset
    base_price, price : int
        Of one whole token of the base asset and of the collateral, in the units of the price feed.
    base_unit, unit : int
        Smallest units in one whole token of either.
    liquidation_factor : int
        Share of the collateral's value that its owner was credited.
    discount_share : int
        Share of the penalty, one less that factor, that buyers get as a discount.
    one : int
        What these two count as 1.

    Returns
    -------
    int, smallest units of the collateral
        ``base_amount * base_price / (price * (1 - discount_share * (1 - liquidation_factor)))`` in either's
        units; the discount, the discounted price and both quotients are rounded down.

    References
    ----------
    Compound III, sale of absorbed collateral: https://docs.compound.finance/liquidation
    """
    discount = discount_share * (one - liquidation_factor) // whole("one", one, 1)
    discounted = whole("price", price, 1) * (one - discount) // one
    if discounted == 0:
        raise InputError("discount_share", "must leave a price", "less than the whole price", str(discount))
    paid = whole("base_price", base_price, 1) * whole("base_amount", base_amount, 0)
    return paid * whole("unit", unit, 1) // discounted // whole("base_unit", base_unit, 1)
