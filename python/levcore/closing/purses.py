"""Purses that losses fall on first: the margin of an isolated position, the wallet of a cross account."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.closing.money import Wholes, coordinates, in_quanta, instruments_of, sizes

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.engine.risk import BookRisk

__all__ = ["Purses", "order_of_claims", "purses_of", "stated_margins"]


@dataclass(frozen=True, slots=True)
class Purses:
    """Purses of what is closed, in quanta.

    Attributes
    ----------
    of_row : ndarray of uint32, shape (c,)
        Purse of each closing.
    first_row : ndarray of int64, shape (g,)
        Its first row in the book.
    margin : ndarray of int64, shape (g,)
    ends, to_fund : ndarray of bool, shape (g,)
        Whether every position of it is closed; whether the fund then gets what is left.
    owner : ndarray of uint32, shape (g,)
        Place of its trader in `other_money`.
    other_money : ndarray of int64
    """

    of_row: npt.NDArray[np.uint32]
    first_row: Wholes
    margin: Wholes
    ends: npt.NDArray[np.bool_]
    to_fund: npt.NDArray[np.bool_]
    owner: npt.NDArray[np.uint32]
    other_money: Wholes


def purses_of(
    risk: "BookRisk",
    rows: Wholes,
    open_rows: npt.NDArray[np.bool_],
    to_fund: npt.NDArray[np.bool_],
    other: dict[Any, int],
    per_unit: float,
) -> Purses:
    """Purses of the closings `rows`, with funding where they end.

    `open_rows` says which rows of the book stay open, `to_fund` whose remainder goes to the fund.
    """
    book = risk.book
    name = names_of_purses(risk)
    _, first, of_row = np.unique(name[rows], return_index=True, return_inverse=True)
    first_row = rows[first]
    names = name[first_row]
    ends = ~np.isin(names, name[open_rows])
    margin = in_quanta("isolated_margin", stated_margins(risk)[first_row], per_unit, rows=first_row)
    cross = book.is_cross[first_row]
    if book.account_codes is not None:
        wallets = book.wallet_balance[book.account_codes[first_row[cross]]]
        margin[cross] = in_quanta("wallet_balance", wallets, per_unit)
    if book.accrued_funding is not None:
        closed, place = np.unique(rows, return_index=True)
        funding = np.where(np.isnan(book.accrued_funding[closed]), 0.0, book.accrued_funding[closed])
        due = np.where(ends[of_row[place]], in_quanta("accrued_funding", funding, per_unit, rows=closed), 0)
        np.add.at(margin, of_row[place], due)
    labels = [book.account_of(int(row)) for row in first_row] if other else []
    owners = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    money = [other.get(label, 0) for label in owners] or [0]
    owner = [owners[label] for label in labels] or [0] * first_row.size
    return Purses(
        of_row.astype(np.uint32),
        first_row,
        margin,
        ends,
        to_fund[first_row],
        np.array(owner, dtype=np.uint32),
        np.array(money, dtype=np.int64),
    )


def names_of_purses(risk: "BookRisk") -> Wholes:
    """Name of each row's purse: the account of a cross position, the row itself of an isolated one."""
    book = risk.book
    name = -1 - np.arange(len(book), dtype=np.int64)
    if book.account_codes is not None:
        name = np.where(book.is_cross, book.account_codes.astype(np.int64), name)
    return name


def stated_margins(risk: "BookRisk") -> "Floats":
    """Margin of each isolated row, that of its leverage where the book states none; 0 for cross rows."""
    book = risk.book
    own = np.full(len(book), np.nan) if book.isolated_margin is None else np.array(book.isolated_margin)
    if np.isnan(own).any() and book.leverage is not None:
        instruments = instruments_of(risk.policy, book.instrument_names)
        size, _ = sizes(book, instruments)
        entry = coordinates(instruments, book.instrument_codes, book.entry_price)
        own = np.where(np.isnan(own), size * entry / book.leverage, own)
    return np.where(book.is_cross, 0.0, own)


def order_of_claims(risk: "BookRisk", rows: Wholes, keys: Wholes) -> npt.NDArray[np.uint32]:
    """By account label, then instrument, larger quantity, lower entry price: rows stand nowhere in it."""
    book = risk.book
    names = np.array(book.instrument_names, dtype=object)
    place = np.argsort(np.argsort(names.astype(str))) if names.size else np.empty(0, dtype=np.int64)
    instrument = place[book.instrument_codes[rows]]
    order = np.lexsort((book.entry_price[rows], -book.quantity[rows], instrument, keys[rows]))
    return order.astype(np.uint32)
