"""Closing a position for its trader: how much, at which price, and who pays the difference.

The numbers of a venue are parameters; none has a default. `quantums` holds the account in integers.

Sources: dYdX v4, dydxprotocol/v4-chain@84d4664 x/clob/keeper/liquidations.go; of `returned_collateral`
GMX v2, gmx-io/gmx-synthetics@a5c0c88 contracts/position.
"""

from fractions import Fraction
from math import ceil, floor

from levcore.errors import InputError
from support.closing.quantums import Account, share_down, share_exactly, whole

__all__ = [
    "bankruptcy_proceeds",
    "closing_bounds",
    "fillable_price",
    "insurance_payment",
    "price_on_tick",
    "returned_collateral",
]


def closing_bounds(value: int, minimum: int, portion: int) -> tuple[int, int]:
    """Least and largest notional that one step of a liquidation closes.

    Parameters
    ----------
    value : int, quote quantums
        Notional of the position; its magnitude counts.
    minimum : int, quote quantums
        What a step closes at least, where there is so much.
    portion : int, parts per million
        Share of the position that a step closes at most.

    Returns
    -------
    least, most : int, quote quantums
        ``min(minimum, value)`` and ``max(least, portion * value)``, the portion rounded down.
    """
    size = abs(whole("value", value))
    least = min(whole("minimum", minimum, 0), size)
    return least, max(least, share_down(size, whole("portion", portion, 0)))


def bankruptcy_proceeds(account: Account, leg: int, change: int) -> int:
    """Quote amount for which closing part of a leg uses up that part's share of the equity.

    Each part of the account owns equity in proportion to its maintenance margin. Less than this amount, and
    others pay.

    Parameters
    ----------
    account : Account
        Before the close, with a requirement above 0.
    leg : int
        Which leg of it is closed.
    change : int, base quantums
        Negative where a long is sold, positive where a short is bought back.

    Returns
    -------
    int, quote quantums
        ``-(change of notional) - equity * |change of requirement| / requirement``, the quotient rounded down:
        the account never ends below zero. Positive: to be received; negative: to be paid at most.

    Raises
    ------
    InputError
        Where `change` does not close some of the leg, or the account has no requirement.
    """
    before = account.legs[leg]
    after = before.changed_by(change)
    released = before.maintenance_requirement - after.maintenance_requirement
    equity_share = account.equity * released // _requirement(account)
    return before.notional - after.notional - equity_share


def fillable_price(account: Account, leg: int, adjustment: int, spread: int) -> Fraction:
    """Worst price at which a leg is offered to the market.

    It leaves the oracle's price as the account weakens: by nothing where equity equals the requirement, by
    `spread` times the maintenance margin of the leg where the account is bankrupt.

    Parameters
    ----------
    account : Account
        With a requirement above 0.
    leg : int
        Which leg of it is closed.
    adjustment : int, parts per million
        How fast it gets there; a million is linear.
    spread : int, parts per million
        Largest distance to the oracle's price as a share of the leg's maintenance margin.

    Returns
    -------
    Fraction, quote quantums a base quantum
        ``(notional - rating * spread * requirement of the leg) / quantity`` with the rating
        ``adjustment * (1 - equity / requirement)`` kept between 0 and 1. See `price_on_tick`.

    Raises
    ------
    InputError
        Where the leg is flat or the account has no requirement.
    """
    closing = account.legs[leg]
    if closing.quantity == 0:
        raise InputError("leg", "must have a quantity", "other than 0", "0")
    health = Fraction(account.equity, _requirement(account))
    rating = min(max(share_exactly(1 - health, whole("adjustment", adjustment, 0)), Fraction(0)), Fraction(1))
    distance = rating * share_exactly(closing.maintenance_requirement, whole("spread", spread, 0))
    return (closing.notional - distance) / closing.quantity


def price_on_tick(price: Fraction, tick: Fraction, *, sells: bool) -> Fraction:
    """Limit price on the venue's grid, never worse for the trader than `price`.

    Parameters
    ----------
    price, tick : Fraction, quote a base unit
        The tick is positive.
    sells : bool
        Whether the order sells, and is rounded up; a buying one is rounded down, to one tick at least.
    """
    if not tick > 0:
        raise InputError("tick", "must be positive", "> 0", repr(tick))
    steps = price / tick
    return tick * max(1, ceil(steps) if sells else floor(steps))


def insurance_payment(proceeds: int, bankruptcy: int, fee: int) -> int:
    """What the insurance fund receives from a close; what it pays where negative.

    Parameters
    ----------
    proceeds : int, quote quantums
        What the close brought: positive for a sale, negative for a purchase.
    bankruptcy : int, quote quantums
        `bankruptcy_proceeds` of the same close.
    fee : int, parts per million
        Largest liquidation fee as a share of `proceeds`.

    Returns
    -------
    int, quote quantums
        ``proceeds - bankruptcy`` where that is not positive, else that or the fee, whichever is less; the fee
        is rounded down.
    """
    left = whole("proceeds", proceeds) - whole("bankruptcy", bankruptcy)
    return left if left <= 0 else min(left, share_down(abs(proceeds), whole("fee", fee, 0)))


def returned_collateral(
    collateral: Fraction, price: Fraction, profit: Fraction, fees: Fraction
) -> tuple[Fraction, Fraction]:
    """Collateral that a trader gets back from a full close, and the loss that others bear.

    For venues that settle profits, losses and fees in the collateral itself and keep nothing else of it.

    Parameters
    ----------
    collateral : Fraction, units of the collateral
    price : Fraction, quote a unit of the collateral
    profit, fees : Fraction, quote
        Realised profit, negative for a loss, and all that is charged.

    Returns
    -------
    returned : Fraction, units of the collateral
        ``collateral + (profit - fees) / price``, not below 0.
    shortfall : Fraction, quote
        Loss and fees beyond the collateral; 0 where it suffices.
    """
    if not price > 0:
        raise InputError("price", "must be positive", "> 0", repr(price))
    left = collateral * price + profit - fees
    return max(left, Fraction(0)) / price, max(-left, Fraction(0))


def _requirement(account: Account) -> int:
    requirement = account.maintenance_requirement
    if requirement == 0:
        raise InputError("account", "must have a maintenance requirement", "> 0", "0")
    return requirement
