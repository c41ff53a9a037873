"""Balances of accounts in several assets: what each account holds and owes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats, factorize, float_column, label_sequence, read_only
from levcore.errors import InputError, ShapeError
from levcore.frozen import Frozen

__all__ = ["BalanceColumns", "Balances", "join_accounts", "policy_codes_of_balances"]


class Balances(Frozen):
    """What accounts hold and owe, one asset of one account a row.

    An asset that an account has no row of is held at 0. The prices of the assets come with the marks of an
    evaluation.

    Parameters
    ----------
    account : sequence of str or int, shape (b,)
        Account of each balance.
    asset : sequence of str, shape (b,)
        Asset of each balance, by its name in the policy.
    balance : array_like, shape (b,), units of the asset
        Amount held, without unrealized PnL. It may be negative where the venue nets what is owed.
    liability : array_like, shape (b,), units of the asset, optional
        Amount borrowed, not negative. Absent: nothing.
    interest : array_like, shape (b,), units of the asset, optional
        Interest accrued on it and not yet added to it, not negative. Absent: nothing.
    policy : sequence of str, shape (b,), optional
        Label of the policy of each balance, for accounts without positions in a book of several policies.

    Raises
    ------
    ShapeError, DTypeError
        For columns of wrong length or type.
    InputError
        Where an account holds one asset twice, or an account is missing.

    Examples
    --------
    >>> from levcore.book.balances import Balances
    >>> balances = Balances(["a", "a"], ["WETH", "USDC"], [10.0, 0.0], liability=[0.0, 15_000.0])
    >>> len(balances), balances.asset_names
    (2, ('WETH', 'USDC'))
    """

    __slots__ = (
        "account",
        "account_codes",
        "account_labels",
        "asset_codes",
        "asset_names",
        "balance",
        "copied",
        "interest",
        "liability",
        "policy",
    )

    _instead = "build new balances, levcore.Balances(...)"

    balance: Floats
    liability: Floats | None
    interest: Floats | None
    account: Sequence[Any] | npt.NDArray[Any]
    account_codes: Codes
    account_labels: tuple[Any, ...]
    asset_codes: Codes
    asset_names: tuple[str, ...]
    policy: Sequence[Any] | npt.NDArray[Any] | None
    copied: tuple[str, ...]

    def __init__(
        self,
        account: Sequence[Any] | npt.NDArray[Any],
        asset: Sequence[str] | npt.NDArray[Any],
        balance: npt.ArrayLike,
        liability: npt.ArrayLike | None = None,
        interest: npt.ArrayLike | None = None,
        policy: Sequence[str] | npt.NDArray[Any] | None = None,
    ) -> None:
        copied: list[str] = []
        held = float_column("balances.balance", balance, None, copied)
        rows = held.size

        def optional(name: str, values: npt.ArrayLike | None) -> Floats | None:
            return None if values is None else float_column(name, values, rows, copied)

        account = label_sequence("balances.account", account)
        account_codes, account_labels = factorize("balances.account", account)
        asset_codes, labels = factorize("balances.asset", asset)
        self._fill(
            balance=held,
            liability=optional("balances.liability", liability),
            interest=optional("balances.interest", interest),
            account=read_only(account),
            account_codes=read_only(account_codes),
            account_labels=tuple(account_labels),
            asset_codes=read_only(asset_codes),
            asset_names=tuple(map(str, labels)),
            policy=None if policy is None else read_only(label_sequence("balances.policy", policy)),
            copied=tuple(copied),
        )
        columns = (("account", self.account), ("asset", self.asset_codes), ("policy", self.policy))
        for name, column in columns:
            if column is not None and len(column) != rows:
                raise ShapeError(f"balances.{name}", "must have one value a row", str(rows), str(len(column)))
        self._refuse_missing_accounts()
        self._refuse_repeated_assets()

    def __len__(self) -> int:
        """Number of balances."""
        return self.balance.size

    def __repr__(self) -> str:
        """Sizes."""
        return (
            f"Balances({len(self):,} balances, {len(self.account_labels):,} accounts, "
            f"{len(self.asset_names):,} assets)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the columns."""
        assets = [self.asset_names[code] for code in self.asset_codes.tolist()]
        return Balances, (self.account, assets, self.balance, self.liability, self.interest, self.policy)

    def _refuse_missing_accounts(self) -> None:
        if "" in self.account_labels:
            row = int(np.argmax(self.account_codes == self.account_labels.index("")))
            raise InputError("balances.account", "must name an account", "an account", "none", row)

    def _refuse_repeated_assets(self) -> None:
        pairs = self.account_codes.astype(np.int64) * max(1, len(self.asset_names)) + self.asset_codes
        _, first = np.unique(pairs, return_index=True)
        if first.size != pairs.size:
            repeated = np.ones(pairs.size, dtype=np.bool_)
            repeated[first] = False
            row = int(np.argmax(repeated))
            raise InputError(
                "balances.asset",
                "must stand once an account",
                "one row an asset of an account",
                f"{self.asset_names[self.asset_codes[row]]} of account {self.account[row]!r} again",
                row,
                int(repeated.sum()),
            )


class BalanceColumns(NamedTuple):
    """Balances with the codes of the book that they belong to, as the kernel takes them."""

    account: Codes
    asset: Codes
    asset_count: int
    policy: Codes | None
    balance: Floats
    liability: Floats | None
    interest: Floats | None


def join_accounts(
    balances: Balances, ids: Sequence[Any], wallet_balance: Floats, has_wallet: npt.NDArray[np.bool_]
) -> tuple[Codes, list[Any], Floats]:
    """Account code of each balance, accounts and wallets of the book with those of the balances.

    Raises
    ------
    InputError
        For an account that has a wallet and balances: which of them would be its equity?
    """
    place = {label: code for code, label in enumerate(ids)}
    joined = list(ids)
    translation = np.empty(len(balances.account_labels), dtype=np.uint32)
    for code, label in enumerate(balances.account_labels):
        known = place.get(label)
        if known is not None and has_wallet[known]:
            rows = np.flatnonzero(balances.account_codes == code)
            raise InputError(
                "balances.account",
                "must not have a wallet_balance besides",
                "a wallet in one currency, or balances in several assets",
                f"both for account {label!r}",
                int(rows[0]),
                int(rows.size),
            )
        translation[code] = len(joined) if known is None else known
        if known is None:
            joined.append(label)
    wallets = np.concatenate((wallet_balance, np.full(len(joined) - len(ids), np.nan)))
    wallets.flags.writeable = False
    return translation[balances.account_codes], joined, wallets


def policy_codes_of_balances(
    balances: Balances,
    accounts: Codes,
    ids: Sequence[Any],
    names: tuple[str, ...],
    of_account: npt.NDArray[np.int64],
) -> tuple[Codes | None, tuple[str, ...]]:
    """Policy code of each balance and the labels that codes point to, with those of the positions first.

    Parameters
    ----------
    balances : Balances
    accounts : ndarray of uint32, shape (b,)
        Account code of each balance.
    ids : list
        Accounts by code.
    names : tuple of str
        Labels that the positions point to.
    of_account : ndarray of int64, shape (a,)
        Policy code of the positions of each account; -1: it has none.

    Raises
    ------
    InputError
        Where a balance names another policy than the positions of its account, or than another of its
        balances; where positions leave the policy open and balances do not.
    """
    if balances.policy is None:
        return None, names
    codes, labels = factorize("balances.policy", balances.policy)
    all_names = list(names)
    for label in labels:
        if label not in all_names:
            all_names.append(str(label))
    translated = np.array([all_names.index(str(label)) for label in labels], dtype=np.int64)[codes]
    expected = of_account.copy()
    # Written backwards, so that the first balance of an account without positions has the last word.
    open_accounts = expected[accounts] < 0
    expected[accounts[open_accounts][::-1]] = translated[open_accounts][::-1]
    differing = translated != expected[accounts]
    if differing.any():
        row = int(np.argmax(differing))
        raise InputError(
            "balances.policy",
            f"must be one for all of account {ids[accounts[row]]!r}",
            repr(all_names[expected[accounts[row]]]),
            repr(all_names[translated[row]]),
            row,
            int(differing.sum()),
        )
    return translated.astype(np.uint32), tuple(all_names)
