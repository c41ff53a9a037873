"""Wallets: what the cross positions of an account share, or those of it that settle in one currency.

Which of the two is a rule of the policy (``cross_wallet``) and shows only where an account settles in several
currencies: it is then evaluated as so many accounts. Where the policy or the wallets do not say how, that
account has a status, and the rest of the book is evaluated.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats, frozen
from levcore.book.labels import NO_ACCOUNT
from levcore.book.listings import listing_codes, settlements
from levcore.errors import InputError
from levcore.frozen import Frozen
from levcore.status import AccountStatus

if TYPE_CHECKING:
    from levcore._levcore import Book
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["Wallets", "idle_wallets", "wallets_of"]

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
NO_PLACES = np.empty(0, dtype=np.int64)


class Wallets(Frozen):
    """Wallets of a book under its policies, as the kernel and the reference evaluate them: each an account.

    Attributes
    ----------
    of_row : ndarray of uint32, shape (n,), or None
        Wallet of each row, as ``book.account_codes`` has accounts; None where no row is cross.
    balance : ndarray of float64, shape (w,)
        NaN where none is given.
    account : ndarray of int64, shape (w,)
        Account of each, ascending.
    currency : tuple of str, shape (w,)
        Currency of each, empty where it is not known; for a book without `is_split` see `currencies`.
    status : ndarray of uint8, shape (w,), or None
        Codes of `AccountStatus` that are known before anything is summed; None where all are OK.
    is_split : bool
        Whether any account has several; if not, each account is one wallet.
    """

    __slots__ = ("_layouts", "account", "balance", "currency", "is_split", "of_row", "status")

    _instead = "build a new book, levcore.PositionBook(...)"

    of_row: Codes | None
    balance: Floats
    account: Places
    currency: tuple[str, ...]
    status: Bytes | None
    is_split: bool
    _layouts: "dict[bool, Book]"

    def __init__(
        self,
        of_row: Codes | None,
        balance: Floats,
        account: Places,
        status: Bytes | None,
        currency: tuple[str, ...] | None = None,
    ) -> None:
        self._fill(
            of_row=of_row,
            balance=balance,
            account=account,
            status=status,
            is_split=currency is not None,
            currency=currency or (),
            _layouts={},
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the columns; the order of evaluation is found again."""
        currency = self.currency if self.is_split else None
        return Wallets, (self.of_row, self.balance, self.account, self.status, currency)

    def __len__(self) -> int:
        """Number of wallets."""
        return self.balance.size

    def layout(self, book: "PositionBook", *, pool_all: bool = False) -> "Book":
        """Order of evaluation of the book by wallet, found once."""
        if not self.is_split and self.status is None:
            return book.layout(pool_all=pool_all)
        if pool_all not in self._layouts:
            self._layouts[pool_all] = book.lay_out(pool_all, self)
        return self._layouts[pool_all]

    def first_of(self, accounts: npt.NDArray[np.integer]) -> Codes:
        """First wallet of each account, which is its only one where it has balances."""
        return np.searchsorted(self.account, accounts).astype(np.uint32)

    def refuse_several(self, what: str, *, refused: bool = True) -> None:
        """Refuse a call that knows an account by its id alone, where some have several wallets.

        Parameters
        ----------
        what : str
            The call, for the message.
        refused : bool
            Whether accounts that are refused for their currencies may be in the book, as an evaluation has
            them; not where the call makes books of its own of rows and wallets.

        Raises
        ------
        InputError
            Naming the way to have an account for each wallet.
        """
        if self.is_split:
            rule = f"must have one wallet an account for {what}"
            raise InputError("book", rule, "engine.by_wallet(book)", "accounts with several wallets")
        if self.status is not None and not refused:
            rule = f"must have accounts in one currency for {what}"
            raise InputError("book", rule, "one settlement currency", "accounts in several")

    def apart(self, book: "PositionBook") -> "PositionBook":
        """The book with an account for each wallet; see `levcore.Engine.by_wallet`."""
        named = book.named_wallets
        if not self.is_split or named is None:
            return book
        several = np.bincount(self.account, minlength=len(book.account_ids)) > 1
        labels = [
            f"{book.account_ids[code]} {currency}" if several[code] else book.account_ids[code]
            for code, currency in zip(self.account.tolist(), self.currency, strict=True)
        ]
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise InputError("account", "must not be called as a wallet is", "another name", repr(twice))
        every = zip(labels, self.currency, self.balance.tolist(), self.account.tolist(), strict=True)
        wallets = [wallet[:3] for wallet in every if several[wallet[3]]]
        # The others keep theirs as they were given.
        given = zip(named.account.tolist(), named.currency, named.balance.tolist(), strict=True)
        wallets += [(book.account_ids[code], *held) for code, *held in given if not several[code]]
        owners = [book.account_of(row) for row in range(len(book))]
        if self.of_row is not None:
            for row in np.flatnonzero(book.is_cross).tolist():
                owners[row] = labels[self.of_row[row]]
        accounts, currencies, balances = zip(*wallets, strict=True)
        return book.replace(
            account=owners, accounts=accounts, wallet_balance=balances, wallet_currency=currencies
        )


WITHOUT_ACCOUNTS = Wallets(None, frozen(np.empty(0)), NO_PLACES, None)
"""Of every book without accounts."""


class _Legs:
    """Legs of accounts in a wallet, and what they settle in."""

    def __init__(self, book: "PositionBook", of_listing: Places) -> None:
        self.rows = np.flatnonzero(book.is_cross) if book.account_codes is not None else np.empty(0, np.int64)
        codes = book.account_codes
        self.account = (codes[self.rows] if codes is not None else self.rows).astype(np.int64)
        self.currency = of_listing[listing_codes(book)[self.rows]] if self.rows.size else self.rows
        if book.balance_columns is not None:
            # Balances are what an account in several currencies is given by.
            in_assets = np.zeros(len(book.account_ids), dtype=np.bool_)
            in_assets[book.balance_columns.account] = True
            kept = ~in_assets[self.account]
            self.rows, self.account, self.currency = self.rows[kept], self.account[kept], self.currency[kept]


def wallets_of(book: "PositionBook", policies: Sequence["MarginPolicy"]) -> Wallets:
    """Wallets of a book; `policies` are those of the book, by its policy codes."""
    named = book.named_wallets
    if named is None and book.account_codes is None:
        return _one_each(book, None)
    currencies, of_listing = settlements(book, policies)
    if named is None and len(currencies) - currencies.count("") < 2:
        return _one_each(book, None)
    names = sorted(set(currencies) | set(named.currency if named is not None else ()) | {""})
    place = {currency: number for number, currency in enumerate(names)}  # the one that is not known is 0
    legs = _Legs(book, np.array([place[currency] for currency in currencies], dtype=np.int64)[of_listing])
    held = named.account if named is not None else np.empty(0, np.int64)
    held_in = np.array([place[currency] for currency in named.currency] if named else [], dtype=np.int64)
    pairs = np.unique(
        np.concatenate((legs.account, held)) * len(names) + np.concatenate((legs.currency, held_in))
    )
    pairs = pairs[pairs % len(names) > 0]
    count = len(book.account_ids)
    several = np.bincount(pairs // len(names), minlength=count) > 1
    if not several.any():
        return _one_each(book, None)
    status = _refused(book, policies, legs, several)
    split = several & (status == AccountStatus.OK)
    known = status if status.any() else None
    return _one_each(book, known) if not split.any() else _split(book, names, pairs, split, status, legs)


def idle_wallets(book: "PositionBook", policies: Sequence["MarginPolicy"]) -> dict[int, str]:
    """Currency of the one wallet of each account, by code, that has no position in a known currency."""
    named = book.named_wallets
    if named is None:
        return {}
    currencies, of_listing = settlements(book, policies)
    legs = _Legs(book, np.array([bool(currency) for currency in currencies], dtype=np.int64)[of_listing])
    active = set(legs.account[legs.currency > 0].tolist())
    given = zip(named.account.tolist(), named.currency, strict=True)
    return {code: currency for code, currency in given if currency and code not in active}


def _one_each(book: "PositionBook", status: Bytes | None) -> Wallets:
    if not book.account_ids:
        return WITHOUT_ACCOUNTS
    accounts = np.arange(len(book.account_ids))
    return Wallets(book.account_codes, book.wallet_balance, accounts, status)


def _refused(book: "PositionBook", policies: Sequence["MarginPolicy"], legs: _Legs, several: Flags) -> Bytes:
    """Why accounts in several currencies cannot be evaluated, by account; those that can are OK."""
    apart = np.array([policy.cross_wallet == "settlement_currency" for policy in policies])
    codes = 0 if book.policy_codes is None else book.policy_codes[legs.rows]
    # Without a leg there is nothing that a rule would ask of the account.
    mixed, without_currency = np.zeros((2, several.size), dtype=np.bool_)
    mixed[legs.account[~np.broadcast_to(apart[codes], legs.rows.shape)]] = True
    # Which wallet a leg is in whose currency is not known, nobody knows.
    mixed[legs.account[legs.currency == 0]] = True
    without_currency[legs.account] = True
    if book.named_wallets is not None:
        has_currency = np.array([bool(currency) for currency in book.named_wallets.currency], dtype=np.bool_)
        without_currency[book.named_wallets.account[has_currency]] = False
    status = np.zeros(several.size, dtype=np.uint8)
    status[several & without_currency] = AccountStatus.MISSING_WALLET_CURRENCY
    status[several & mixed] = AccountStatus.MIXED_SETTLEMENT
    return status


def _split(
    book: "PositionBook", names: list[str], pairs: Places, split: Flags, status: Bytes, legs: _Legs
) -> Wallets:
    """A wallet for each currency of an account that is split, and one for each of the others."""
    width = len(names)
    own = pairs[split[pairs // width]]
    every = np.union1d(own, np.flatnonzero(~split) * width)
    account = every // width
    balance = np.where(split[account], np.nan, book.wallet_balance[account])
    named = book.named_wallets
    if named is not None:
        place = {currency: number for number, currency in enumerate(names)}
        of_named = np.array([place[currency] for currency in named.currency], dtype=np.int64)
        chosen = split[named.account]
        wallets = np.searchsorted(every, named.account[chosen] * width + of_named[chosen])
        balance[wallets] = named.balance[chosen]
    balance.flags.writeable = False
    of_row = None
    if book.account_codes is not None:
        of_row = np.full(len(book), NO_ACCOUNT, dtype=np.uint32)
        rows = np.flatnonzero(book.is_cross)
        of_row[rows] = np.searchsorted(account, book.account_codes[rows])
        of_leg = np.where(split[legs.account], legs.currency, 0)
        of_row[legs.rows] = np.searchsorted(every, legs.account * width + of_leg)
    known = status[account]
    currency = tuple(names[number] for number in (every % width).tolist())
    return Wallets(of_row, balance, account, known if known.any() else None, currency)
