"""The book that a replay opens with, in an order in which the caller's rows stand nowhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.positions import PositionBook
from levcore.closing.deleverage import account_keys
from levcore.closing.money import Wholes, in_quanta
from levcore.errors import InputError

if TYPE_CHECKING:
    from levcore.engine.engine import Engine

__all__ = ["Opening", "open_book"]


@dataclass(frozen=True, slots=True)
class Opening:
    """Positions by account label, instrument, larger quantity, lower entry price, and their money.

    Attributes
    ----------
    order : ndarray of int64, shape (n,)
        Row of the caller's book of each position.
    book : PositionBook
        Instruments by their names, accounts by the order of their labels.
    account : ndarray of uint32, shape (n,)
        Account of each leg; 0 for isolated positions.
    key : ndarray of int64, shape (n,)
        Number of each position's account among the labels, -1 without one.
    account_of : ndarray of int64, shape (a,)
        Place of each account in ``account_ids`` of the caller's book; those without legs are left out.
    margin : ndarray of int64, shape (n,), quanta
        Of isolated positions, funding included.
    wallet : ndarray of int64, shape (a,), quanta
        Of accounts, with the funding of their legs.
    """

    order: Wholes
    book: PositionBook
    account: npt.NDArray[np.uint32]
    key: Wholes
    account_of: Wholes
    margin: Wholes
    wallet: Wholes


def open_book(engine: "Engine", given: PositionBook, marks: dict[str, float], per_unit: float) -> Opening:
    """Order a book and count its money at the first prices.

    Raises
    ------
    InputError
        For a book with balances.
    InvalidRowsError
        For a position that cannot be evaluated: what is not known is neither liquidated nor left out.
    """
    if given.balances is not None:
        raise InputError("book", "must be without balances in several assets", "wallets", "balances")
    engine.bind(given).wallets.refuse_several("a replay", refused=False)
    names = np.array(given.instrument_names, dtype=object)
    by_name = np.argsort(names.astype(str)) if names.size else np.empty(0, dtype=np.int64)
    place_of_name = np.argsort(by_name)
    keys = account_keys(given)
    instrument = place_of_name[given.instrument_codes]
    order = np.lexsort((given.entry_price, -given.quantity, instrument, keys))
    cross = given.is_cross[order]
    account, account_of = _accounts(given, order, keys)
    labels = None
    if cross.any():
        labels = np.where(cross, account, account_of.size + np.arange(order.size)).astype(np.int64)
    wallets = given.wallet_balance[account_of] if account_of.size else np.empty(0)

    def ordered(column: Floats | None) -> Floats | None:
        return None if column is None else column[order]

    book = PositionBook(
        instrument[order].astype(np.uint32),
        given.quantity[order],
        given.entry_price[order],
        account=labels,
        margin_mode=np.where(cross, "cross", "isolated"),
        isolated_margin=ordered(given.isolated_margin),
        leverage=ordered(given.leverage),
        accrued_funding=ordered(given.accrued_funding),
        risk_limit=ordered(given.risk_limit),
        accounts=np.arange(account_of.size) if cross.any() else None,
        wallet_balance=wallets if cross.any() else None,
        instrument_names=[str(names[place]) for place in by_name],
        position_mode=given.position_mode,
    )
    margin, funding = _margins(engine, book, marks, per_unit, order)
    wallet = in_quanta("wallet_balance", wallets, per_unit)
    np.add.at(wallet, account[cross], funding[cross])
    return Opening(
        order, book, account, keys[order], account_of, np.where(cross, 0, margin + funding), wallet
    )


def _accounts(given: PositionBook, order: Wholes, keys: Wholes) -> tuple[npt.NDArray[np.uint32], Wholes]:
    """Account of each ordered leg, accounts by their labels, and their places in the caller's book."""
    account = np.zeros(order.size, dtype=np.uint32)
    cross = given.is_cross[order]
    if given.account_codes is None or not cross.any():
        return account, np.empty(0, dtype=np.int64)
    _, first, place = np.unique(keys[order][cross], return_index=True, return_inverse=True)
    account[cross] = place
    return account, given.account_codes[order][cross][first].astype(np.int64)


def _margins(
    engine: "Engine", book: PositionBook, marks: dict[str, float], per_unit: float, order: Wholes
) -> tuple[Wholes, Wholes]:
    """Margin of each isolated position without funding, funding of each position, in quanta."""
    risk = engine.evaluate(book, marks, on_bad_row="raise")
    funding = np.zeros(len(book)) if book.accrued_funding is None else book.accrued_funding
    own = np.full(len(book), np.nan) if book.isolated_margin is None else np.array(book.isolated_margin)
    of_leverage = np.isnan(own) & ~book.is_cross
    own[of_leverage] = (risk.equity - risk.unrealized_pnl - funding)[of_leverage]
    margin = in_quanta("isolated_margin", np.where(book.is_cross, 0.0, own), per_unit, rows=order)
    return margin, in_quanta("accrued_funding", funding, per_unit, rows=order)
