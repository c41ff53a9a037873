"""Closing by a liquidator: how much is taken over, for which reward, and how a loss is spread.

Here a third party takes positions over at the oracle's or mark price, less a reward; `bankruptcy` is
for venues that close in the market. The numbers of a venue are parameters, shares are fractions; none has a
default.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from levcore.errors import InputError
from support.closing.quantums import notional, whole

__all__ = ["TakeOver", "covering_quantity", "insurance_fee", "loss_per_unit", "rising_fee", "take_over"]


@dataclass(frozen=True, slots=True)
class TakeOver:
    """What changed hands when a liquidator took a position over, in the units of its inputs.

    Parameters
    ----------
    quantity : int
        Closed, with the sign of the position.
    value : int
        Signed value of it at the price of the close.
    penalty, to_fund : int
        What the trader paid, and the insurance fund's part of it.
    liquidator_pays : int
        Value less the liquidator's part of the penalty; negative where the liquidator receives.
    profit : int
        Trader's realised profit before the penalty, negative for a loss.
    """

    quantity: int
    value: int
    penalty: int
    to_fund: int
    liquidator_pays: int
    profit: int


def take_over(
    quantity: int,
    open_value: int,
    price: Fraction | int,
    share: Fraction | int,
    *,
    penalty: Fraction,
    fund_share: Fraction,
    one: int,
) -> TakeOver:
    """Position, or a share of it, that a liquidator takes over.

    Parameters
    ----------
    quantity : int, smallest units of the base asset
        Negative for a short.
    open_value : int, smallest units of the quote asset
        Quote that opening brought: negative for a long, which paid it.
    price : Fraction or int
        Smallest quote units a smallest base unit.
    share : Fraction or int
        How much of the position, in (0, 1].
    penalty : Fraction
        Share of the value closed that the trader pays.
    fund_share : Fraction
        Share of the penalty that goes to the insurance fund; the rest is the liquidator's.
    one : int
        Precision of the share that is taken off `open_value`: parts of one, rounded down.

    Returns
    -------
    TakeOver
        Each number rounded toward zero.

    Raises
    ------
    InputError
        Where there is no position, or the share is none.

    References
    ----------
    Perpetual Protocol v2: perpetual-protocol/perp-curie-contract@d520bd8e, ClearingHouse.
    """
    size = abs(whole("quantity", quantity))
    if size == 0 or not 0 < share <= 1:
        raise InputError("share", "must close some or all of a position", "in (0, 1]", repr(share))
    closed = floor(size * share)
    closed_parts = closed * whole("one", one, 1) // size
    signed = closed if quantity > 0 else -closed
    value = notional(signed, price)
    paid = floor(abs(value) * penalty)
    to_fund = floor(paid * fund_share)
    cost = int(Fraction(whole("open_value", open_value) * closed_parts, one))
    return TakeOver(signed, value, paid, to_fund, value - (paid - to_fund), value + cost)


def covering_quantity(
    shortage: Fraction,
    price: Fraction,
    *,
    margin_rate: Fraction,
    liquidator_fee: Fraction,
    fund_fee: Fraction,
    quote_price: Fraction,
) -> Fraction | None:
    """Quantity whose close makes up for missing margin.

    Parameters
    ----------
    shortage : Fraction, account currency
        Requirement less equity, above 0.
    price : Fraction, quote a base unit
        At which the liquidator takes over.
    margin_rate : Fraction
        Requirement that closing releases, as a fraction of value, a buffer included.
    liquidator_fee, fund_fee : Fraction
        Fees of liquidator and insurance fund as fractions of value.
    quote_price : Fraction, account currency a quote unit

    Returns
    -------
    Fraction, base units, or None
        ``shortage / (price * quote_price * (margin_rate - liquidator_fee) - price * fund_fee)``; None where
        closing releases no more than it costs, and everything must go.

    References
    ----------
    Drift v2: drift-labs/protocol-v2@0ae3e3b programs/drift/src/math/liquidation.rs.
    """
    gained = price * quote_price * (margin_rate - liquidator_fee) - price * fund_fee
    return shortage / gained if gained > 0 else None


def insurance_fee(room: Fraction, *, share: Fraction, most: Fraction) -> Fraction:
    """Fee of an insurance fund on a close, no more than the close can bear.

    Parameters
    ----------
    room : Fraction
        What closing releases less the liquidator's fee and the shortage, as a fraction of value.
    share : Fraction
        Share of the room that the fee takes.
    most : Fraction
        Largest fee.

    Returns
    -------
    Fraction
        ``share * room``, kept between 0 and `most`.
    """
    return min(max(share * room, Fraction(0)), most)


def rising_fee(base: Fraction, elapsed: int, *, grace: int, step: Fraction, most: Fraction) -> Fraction:
    """Liquidator's fee that grows while nobody liquidates.

    Parameters
    ----------
    base : Fraction
        Fee at first, as a fraction of value.
    elapsed : int
        Time since the account became liquidatable, in the venue's steps.
    grace : int
        For so long the fee stays at `base`; it then has risen since the beginning.
    step, most : Fraction
        Rise a step, and largest fee.
    """
    return base if elapsed < grace else min(base + step * elapsed, most)


def loss_per_unit(loss: Fraction, units: Fraction, *, step: Fraction) -> Fraction:
    """Loss that each unit of all others bears where nothing else covers it.

    Parameters
    ----------
    loss : Fraction, quote
    units : Fraction
        Open base units of both sides, or deposits.
    step : Fraction
        Smallest step of the venue's cumulative index; the loss is rounded up to it.
    """
    if not units > 0:
        raise InputError("units", "must be there to bear a loss", "> 0", repr(units))
    return ceil(loss / units / step) * step
