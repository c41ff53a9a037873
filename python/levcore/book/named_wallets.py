"""Wallets that are given by account and settlement currency."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats, factorize, float_column, frozen
from levcore.errors import DTypeError, InputError, ShapeError

__all__ = ["GivenWallets", "NamedWallets", "ids_of_wallets", "read_wallets"]

Labels = Sequence[Any] | npt.NDArray[Any]
Places = npt.NDArray[np.int64]


class NamedWallets(NamedTuple):
    """Wallets as they were given: account code, settlement currency (empty: not said) and balance of each."""

    account: Places
    currency: tuple[str, ...]
    balance: Floats


class GivenWallets(NamedTuple):
    """The one wallet of each account, and the wallets by currency where any has a currency.

    `balance` is NaN for an account with several wallets.
    """

    accounts: Labels | None
    balance: Mapping[Any, float] | npt.ArrayLike | None
    named: NamedWallets | None


def ids_of_wallets(
    accounts: Labels | None, wallet_balance: Mapping[Any, Any] | npt.ArrayLike | None
) -> list[Any] | None:
    """Accounts that have wallets, where they are at hand: numbered first, rows find them at once."""
    if isinstance(wallet_balance, Mapping):
        return list(wallet_balance)
    return accounts if isinstance(accounts, list) else None


def read_wallets(
    accounts: Labels | None,
    wallet_balance: Mapping[Any, Any] | npt.ArrayLike | None,
    wallet_currency: Labels | None,
    copied: list[str],
) -> GivenWallets:
    """Tell wallets that are given by currency from those that are not, which pass as they came.

    Raises
    ------
    InputError, ShapeError, DTypeError
        For a wallet that is given twice, or without currency beside others of its account; for currencies
        without one id and one balance each.
    """
    if isinstance(wallet_balance, Mapping):
        if wallet_currency is not None:
            rule = "must not be given beside a mapping of balances"
            raise InputError("wallet_currency", rule, "{account: {currency: balance}}")
        if not any(issubclass(kind, Mapping) for kind in set(map(type, wallet_balance.values()))):
            return GivenWallets(accounts, wallet_balance, None)
        if accounts is not None:
            raise InputError("accounts", "must not be given beside a mapping of balances")
        accounts, wallet_currency, wallet_balance = _columns(wallet_balance)
    if wallet_currency is None:
        return GivenWallets(accounts, wallet_balance, None)
    if accounts is None or wallet_balance is None:
        expected = "accounts, wallet_balance and wallet_currency, one a wallet"
        raise InputError("wallet_currency", "needs the accounts and balances of the wallets", expected)
    codes, labels = factorize("accounts", accounts)
    # A copy: which wallet is whose is found once, as with every label, and the balances stand with it.
    balances = np.array(float_column("wallet_balance", wallet_balance, codes.size, []))
    balances.flags.writeable = False
    copied.append("wallet_balance")
    currencies = _currencies(wallet_currency, codes.size)
    named = NamedWallets(codes.astype(np.int64), currencies, balances)
    _refuse_repeated(named, labels)
    alone = np.bincount(named.account, minlength=len(labels))[named.account] == 1
    of_account = np.full(len(labels), np.nan)
    of_account[named.account[alone]] = balances[alone]
    return GivenWallets(labels, of_account, _given_ones(named))


def _given_ones(named: NamedWallets) -> NamedWallets | None:
    """Wallets that say anything: one without currency and balance only says that there is its account."""
    has_currency = np.array([bool(currency) for currency in named.currency], dtype=np.bool_)
    rows = np.flatnonzero(has_currency | ~np.isnan(named.balance))
    if rows.size in (0, len(named.currency)):
        return named if rows.size else None
    balance = frozen(named.balance[rows])
    return NamedWallets(named.account[rows], tuple(named.currency[row] for row in rows.tolist()), balance)


def _columns(wallets: Mapping[Any, Any]) -> tuple[list[Any], list[str], list[Any]]:
    """Columns of a mapping whose values are balances, or balances by currency."""
    rows: list[tuple[Any, str, Any]] = []
    for account, held in wallets.items():
        of_account = held if isinstance(held, Mapping) else {"": held}
        # An account without any wallet is one all the same.
        rows += [(account, currency, balance) for currency, balance in of_account.items()] or [
            (account, "", np.nan)
        ]
    accounts, currencies, balances = zip(*rows, strict=True)
    return list(accounts), list(currencies), list(balances)


def _currencies(given: Labels, count: int) -> tuple[str, ...]:
    codes, labels = factorize("wallet_currency", given)
    odd = next((label for label in labels if not isinstance(label, str)), None)
    if odd is not None:
        raise DTypeError("wallet_currency", "must hold names of currencies", "str", repr(odd))
    if codes.size != count:
        raise ShapeError("wallet_currency", "must have one value a wallet", str(count), str(codes.size))
    return tuple(labels[code] for code in codes.tolist())


def _refuse_repeated(named: NamedWallets, labels: Sequence[Any]) -> None:
    seen: dict[int, set[str]] = {}
    for row, (account, currency) in enumerate(zip(named.account.tolist(), named.currency, strict=True)):
        of_account = seen.setdefault(account, set())
        if currency in of_account:
            found = f"{currency or 'one without currency'} of account {labels[account]!r} again"
            raise InputError("wallet_currency", "must be another for each wallet", "each once", found, row)
        of_account.add(currency)
        if len(of_account) > 1 and "" in of_account:
            rule = f"is needed for each of the wallets of account {labels[account]!r}"
            raise InputError("wallet_currency", rule, "a currency", "none", row)
