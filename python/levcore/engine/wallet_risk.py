"""Results for the wallets of cross accounts: one value a wallet, and what they say of their accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes, settlements
from levcore.engine.account_risk import AccountRisk
from levcore.engine.columns import Failure
from levcore.status import AccountStatus, Code

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.book.wallets import Wallets
    from levcore.rules.policy import MarginPolicy

__all__ = ["WalletRisk", "currencies_of_wallets", "joined_status", "of_accounts"]

Bytes = npt.NDArray[np.uint8]


class WalletRisk(AccountRisk):
    """Measures of the wallets of cross accounts, as `levcore.AccountRisk` has them, one value a wallet.

    Where no account has several, a wallet is an account.

    Attributes
    ----------
    ids : tuple of str or int
        Account of each wallet, in the order of `levcore.AccountRisk.ids`.
    currency : tuple of str
        Settlement currency of each; empty where it is not known, or not one.
    columns : Wallets
        The wallets that were evaluated.
    """

    __slots__ = ("_currency", "columns", "policies")

    columns: Wallets
    policies: tuple[MarginPolicy, ...]
    _currency: tuple[str, ...] | None

    def __init__(
        self,
        book: PositionBook,
        policies: tuple[MarginPolicy, ...],
        columns: Wallets,
        accounts: tuple[Floats, Bytes],
    ) -> None:
        results, codes = accounts
        if columns.is_split:
            results = np.empty((len(self.table), len(columns)))
            codes = np.empty((2, len(columns)), dtype=np.uint8)
        self._fill(book=book, policies=policies, columns=columns, _results=results, _codes=codes)
        self._fill(_currency=None)

    def __len__(self) -> int:
        """Number of wallets."""
        return len(self.columns)

    @property
    def ids(self) -> tuple[Any, ...]:
        """Account of each wallet."""
        return tuple(self.book.account_ids[code] for code in self.columns.account.tolist())

    @property
    def currency(self) -> tuple[str, ...]:
        """Settlement currency of each wallet; empty where it is not known, or not one."""
        if self._currency is None:
            self._fill(_currency=currencies_of_wallets(self.book, self.policies, self.columns))
        return self._currency or ()

    def label(self, place: int) -> str:
        """Account of a wallet, with its currency where the account has several."""
        code = int(self.columns.account[place])
        account = str(self.book.account_ids[code])
        several = self.columns.is_split and np.count_nonzero(self.columns.account == code) > 1
        return f"{account}, {self.currency[place]}" if several else account

    def _labels(self) -> dict[str, Any]:
        return {"account": self.ids, "currency": self.currency}

    def _failure(self, place: int, status: Code) -> Failure:
        value = float(self.columns.balance[place]) if status.column == "wallet_balance" else None
        return Failure(None, self.ids[place], status, status.column, value)


def currencies_of_wallets(
    book: PositionBook, policies: tuple[MarginPolicy, ...], wallets: Wallets
) -> tuple[str, ...]:
    """Settlement currency of each wallet: as split, as it was given, or that of its legs."""
    if wallets.is_split:
        found = np.array(wallets.currency, dtype=object)
    else:
        found = np.full(len(wallets), "", dtype=object)
    if wallets.of_row is not None:
        currencies, of_listing = settlements(book, policies)
        legs = np.flatnonzero(book.is_cross)
        of_leg = of_listing[listing_codes(book)[legs]]
        named = np.array([bool(currency) for currency in currencies])[of_leg] if legs.size else legs > 0
        open_legs = named & (found[wallets.of_row[legs]] == "")
        found[wallets.of_row[legs[open_legs]]] = np.array(currencies, dtype=object)[of_leg[open_legs]]
    if book.named_wallets is not None and not wallets.is_split:
        named_ones = zip(book.named_wallets.account.tolist(), book.named_wallets.currency, strict=True)
        for account, currency in named_ones:
            found[account] = found[account] or currency
    if wallets.status is not None:
        found[wallets.status == AccountStatus.MIXED_SETTLEMENT] = ""
        found[wallets.status == AccountStatus.MISSING_WALLET_CURRENCY] = ""
    return tuple(found.tolist())


def _starts(wallets: Wallets) -> npt.NDArray[np.int64]:
    """First wallet of each account; every account has one at least."""
    return np.flatnonzero(np.diff(wallets.account, prepend=-1))


def of_accounts(wallets: Wallets, results: Floats, codes: Bytes) -> tuple[Floats, Bytes]:
    """Results of accounts from those of their wallets: measures, and codes of state and status.

    Amounts of several currencies have no sum: an account of several wallets has no measures, the worst of
    their states, and ``SEVERAL_WALLETS`` where all of them are judged.

    Parameters
    ----------
    wallets : Wallets
    results, codes : ndarray, shape (..., measures, w) and (..., 2, w)

    Returns
    -------
    tuple of ndarray, shape (..., measures, a) and (..., 2, a)
        The same arrays where every account has one wallet.
    """
    if not wallets.is_split:
        return results, codes
    starts = _starts(wallets)
    several = np.diff(starts, append=len(wallets)) > 1
    state = np.maximum.reduceat(codes[..., 0, :], starts, axis=-1)
    status = joined_status(wallets, codes[..., 1, :], AccountStatus.SEVERAL_WALLETS)
    return np.where(several, np.nan, results[..., starts]), np.stack((state, status), axis=-2)


def joined_status(wallets: Wallets, status: Bytes, of_several: AccountStatus) -> Bytes:
    """Status of accounts from those of their wallets; `of_several`: where all of several are OK."""
    starts = _starts(wallets)
    several = np.diff(starts, append=len(wallets)) > 1
    worst = np.maximum.reduceat(status, starts, axis=-1)
    found: Bytes = np.where((worst == AccountStatus.OK) & several, np.uint8(of_several), worst)
    return found
