"""Reading of the columns of a book: each reader checks what belongs together, and returns it as one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore._levcore import columns_of_numbers
from levcore.book.arrays import Codes, Floats, float_column, label_sequence
from levcore.book.balances import BalanceColumns, Balances, join_accounts, policy_codes_of_balances
from levcore.book.labels import NO_ACCOUNT, account_codes, named_codes, refuse_accounts_of_several_policies
from levcore.book.named_wallets import NamedWallets, ids_of_wallets, read_wallets
from levcore.errors import InputError

__all__ = [
    "Accounts",
    "Numbers",
    "Policies",
    "join_balances",
    "read_accounts",
    "read_numbers",
    "read_policies",
]


class Numbers(NamedTuple):
    """Columns of numbers, one value a row; absent ones are None."""

    quantity: Floats
    entry_price: Floats
    isolated_margin: Floats | None
    leverage: Floats | None
    accrued_funding: Floats | None
    risk_limit: Floats | None


class Policies(NamedTuple):
    """Policy code of each row, None for a book that leaves the policy open, and the labels of the codes."""

    policy_codes: Codes | None
    policy_names: tuple[str, ...]


class Accounts(NamedTuple):
    """Account of each row as it was given, its code, by code the ids and wallets, and wallets by currency."""

    account: Sequence[Any] | npt.NDArray[Any] | None
    account_codes: Codes | None
    account_ids: tuple[Any, ...]
    wallet_balance: Floats
    named_wallets: NamedWallets | None


NO_ACCOUNTS = Accounts(None, None, (), np.empty(0), None)
"""Of a book that has nothing to do with any account."""


def read_numbers(
    quantity: npt.ArrayLike,
    entry_price: npt.ArrayLike,
    isolated_margin: npt.ArrayLike | None,
    leverage: npt.ArrayLike | None,
    accrued_funding: npt.ArrayLike | None,
    risk_limit: npt.ArrayLike | None,
    copied: list[str],
) -> Numbers:
    """Columns of numbers, all of one length; names of those that had to be copied are added to `copied`."""
    given = (quantity, entry_price, isolated_margin, leverage, accrued_funding, risk_limit)
    plain = None if entry_price is None else columns_of_numbers(given)
    if plain is not None:
        numbers = Numbers(*plain)
        copied += [name for name, column in zip(Numbers._fields, plain, strict=True) if column is not None]
        return numbers
    quantities = float_column("quantity", quantity, None, copied)
    rows = quantities.size
    optional = (
        ("isolated_margin", isolated_margin),
        ("leverage", leverage),
        ("accrued_funding", accrued_funding),
        ("risk_limit", risk_limit),
    )
    return Numbers(
        quantities,
        float_column("entry_price", entry_price, rows, copied),
        *[None if values is None else float_column(name, values, rows, copied) for name, values in optional],
    )


def read_policies(
    policy: str | Sequence[str] | npt.NDArray[Any] | None, names: Sequence[str] | None, rows: int
) -> Policies:
    """Policy of each row, from one label for all, or labels or codes by row."""
    if isinstance(policy, str) and names is None:
        return Policies(np.zeros(rows, dtype=np.uint32), (policy,))
    if policy is not None:
        return Policies(*named_codes("policy", policy, names, rows))
    if names is not None:
        raise InputError("policy", "is needed with policy_names", "one policy a row", "none")
    return Policies(None, ())


def read_accounts(
    account: Sequence[Any] | npt.NDArray[Any] | None,
    is_cross: npt.NDArray[np.bool_],
    accounts: Sequence[Any] | npt.NDArray[Any] | None,
    wallet_balance: Mapping[Any, Any] | npt.ArrayLike | None,
    wallet_currency: Sequence[str] | npt.NDArray[Any] | None,
    balances: Balances | None,
    policies: Policies,
    copied: list[str],
) -> Accounts:
    """Accounts of the rows and their wallets; legs of one account have one policy."""
    has_wallets = wallet_balance is not None or wallet_currency is not None or balances is not None
    if not has_wallets and account is None and accounts is None and not np.count_nonzero(is_cross):
        return NO_ACCOUNTS
    if account is None and wallet_balance is None and balances is not None:
        # The one account of the balances is that of the positions, too.
        account = balances.account_labels * is_cross.size if len(balances.account_labels) == 1 else None
    if account is not None:
        account = label_sequence("account", account, ids_of_wallets(accounts, wallet_balance))
    given = read_wallets(accounts, wallet_balance, wallet_currency, copied)
    codes, ids, wallets = account_codes(account, is_cross, given.accounts, given.balance, copied)
    if policies.policy_codes is not None and codes is not None:
        refuse_accounts_of_several_policies(policies.policy_codes, policies.policy_names, codes, ids)
    return Accounts(account, codes, tuple(ids), wallets, given.named)


def join_balances(
    balances: Balances | None, accounts: Accounts, policies: Policies, rows: int
) -> tuple[BalanceColumns | None, Accounts, Policies]:
    """Balances by the codes of the book, with the accounts and policies that they add to it."""
    if balances is None:
        return None, accounts, policies
    has_wallet = ~np.isnan(accounts.wallet_balance)
    if accounts.named_wallets is not None:
        has_wallet[accounts.named_wallets.account] = True
    of_balance, ids, wallets = join_accounts(
        balances, accounts.account_ids, accounts.wallet_balance, has_wallet
    )
    of_account = np.full(len(ids), -1, dtype=np.int64)
    if accounts.account_codes is not None:
        legs = accounts.account_codes != NO_ACCOUNT
        codes = policies.policy_codes
        of_account[accounts.account_codes[legs]] = 0 if codes is None else codes[legs]
    if balances.policy is not None and policies.policy_codes is None and rows:
        raise InputError("policy", "is needed where balances name theirs", "one policy a row", "none")
    policy_codes, names = policy_codes_of_balances(
        balances, of_balance, ids, policies.policy_names, of_account
    )
    columns = BalanceColumns(
        of_balance,
        balances.asset_codes,
        len(balances.asset_names),
        policy_codes,
        balances.balance,
        balances.liability,
        balances.interest,
    )
    of_rows = (
        np.empty(0, dtype=np.uint32) if names and policies.policy_codes is None else policies.policy_codes
    )
    return (
        columns,
        accounts._replace(account_ids=tuple(ids), wallet_balance=wallets),
        Policies(of_rows, names),
    )
