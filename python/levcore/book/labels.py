"""The columns of a book that hold labels: instruments, policies, margin modes, accounts and their wallets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import (
    Codes,
    Floats,
    factorize,
    flat_array,
    float_column,
    integer_codes,
    label_sequence,
    refuse_masked,
)
from levcore.book.coded_labels import CodedLabels
from levcore.book.numbered_labels import number_labels
from levcore.errors import DTypeError, InputError, ShapeError

__all__ = [
    "MODES",
    "NO_ACCOUNT",
    "account_codes",
    "cross_positions",
    "cross_rows",
    "named_codes",
    "refuse_accounts_of_several_policies",
]

NO_ACCOUNT = np.uint32(0xFFFF_FFFF)
"""Account code of isolated rows."""
MODES = ("isolated", "cross")
NAMES = frozenset({str})
IDS = frozenset({str, int})
NO_CODES = np.empty(0, dtype=np.uint32)
NO_WALLETS = np.empty(0)

Labels = Sequence[Any] | npt.NDArray[Any]


def named_codes(
    argument: str, values: Labels, names: Sequence[str] | None, rows: int
) -> tuple[Codes, tuple[str, ...]]:
    """Codes of a column of names, and the names.

    Parameters
    ----------
    argument : str
        The column; the names that codes point to are the argument ``<argument>_names``.
    values : sequence of str, or of int with `names`, shape (rows,)
    names : sequence of str, optional
    rows : int

    Raises
    ------
    DTypeError, ShapeError, InputError
        For what holds no names, or codes that are none.
    """
    if names is None:
        codes, labels = factorize(argument, values)
        is_plain = NAMES.issuperset(map(type, labels))
        odd = None if is_plain else next((label for label in labels if not isinstance(label, str)), None)
        if odd is not None:
            raise DTypeError(argument, f"must hold names, or codes with {argument}_names", "str", repr(odd))
    else:
        codes, labels = _given_codes(argument, values, names)
    if codes.size != rows:
        raise ShapeError(argument, "must have one value a row", str(rows), str(codes.size))
    return codes, tuple(labels)


def _given_codes(argument: str, values: Labels, names: Sequence[str]) -> tuple[Codes, list[Any]]:
    table = f"{argument}_names"
    labels = list(label_sequence(table, names))
    odd = next((place for place, label in enumerate(labels) if not isinstance(label, str)), None)
    if odd is not None:
        raise DTypeError(table, "must hold names", "str", repr(labels[odd]), odd)
    refuse_masked(argument, values)
    array = flat_array(argument, values)
    if array.dtype.kind not in "iu" and array.size:
        raise DTypeError(argument, f"must hold codes of {table}", "integers", str(array.dtype))
    if len(set(labels)) != len(labels):
        raise InputError(table, "must not repeat a name")
    return integer_codes(argument, array, len(labels)), labels


def refuse_accounts_of_several_policies(
    policy_codes: Codes, policy_names: tuple[str, ...], account_codes: Codes, account_ids: list[Any]
) -> None:
    """Refuse a cross account whose legs are under several policies: no venue nets against another.

    Raises
    ------
    InputError
        Naming the account, its policies and the first row that differs.
    """
    legs = np.flatnonzero(account_codes != NO_ACCOUNT)
    accounts, policies = account_codes[legs], policy_codes[legs]
    of_account = np.zeros(len(account_ids), dtype=np.uint32)
    # Written backwards, so that the first leg of each account has the last word.
    of_account[accounts[::-1]] = policies[::-1]
    differing = policies != of_account[accounts]
    if differing.any():
        first = int(np.argmax(differing))
        account = accounts[first]
        raise InputError(
            "policy",
            f"must be one for all cross positions of account {account_ids[account]!r}",
            repr(policy_names[of_account[account]]),
            repr(policy_names[policies[first]]),
            int(legs[first]),
            int(differing.sum()),
        )


def cross_rows(margin_mode: str | Labels, rows: int) -> npt.NDArray[np.bool_]:
    """Which rows are cross positions.

    Raises
    ------
    InputError, ShapeError
        For a word that is no margin mode, or a wrong number of them.
    """
    if isinstance(margin_mode, str):
        if margin_mode not in MODES:
            raise InputError("margin_mode", "must be a margin mode", "isolated or cross", repr(margin_mode))
        return np.ones(rows, np.bool_) if margin_mode == "cross" else np.zeros(rows, np.bool_)
    refuse_masked("margin_mode", margin_mode)
    if margin_mode is None or isinstance(margin_mode, (int, float)):
        raise ShapeError("margin_mode", "must have one value a row", str(rows), repr(margin_mode))
    modes = label_sequence("margin_mode", margin_mode)
    coded = (modes.codes, modes.labels) if isinstance(modes, CodedLabels) else number_labels(modes)
    if coded is None:
        # Of whatever type, none of them is a margin mode unless it is equal to one.
        array = flat_array("margin_mode", modes)
        coded = np.arange(array.size, dtype=np.uint32).reshape(array.shape), array.ravel().tolist()
    codes, words = coded
    if codes.ndim != 1 or codes.size != rows:
        raise ShapeError("margin_mode", "must have one value a row", str(rows), str(codes.shape))
    is_bad = np.array([word not in MODES for word in words], dtype=np.bool_)
    if is_bad.any():
        _refuse_modes(np.flatnonzero(is_bad[codes]), codes, words)
    return np.array([word == "cross" for word in words], dtype=np.bool_)[codes]


def _refuse_modes(rows: npt.NDArray[np.int64], codes: Codes, words: Sequence[Any]) -> None:
    if rows.size:
        rule, expected = "must be a margin mode", "isolated or cross"
        found = repr(words[int(codes[int(rows[0])])])
        raise InputError("margin_mode", rule, expected, found, int(rows[0]), rows.size)


def account_codes(
    account: Labels | None,
    is_cross: npt.NDArray[np.bool_],
    accounts: Labels | None,
    wallet_balance: Mapping[Any, float] | npt.ArrayLike | None,
    copied: list[str],
) -> tuple[Codes | None, list[Any], Floats]:
    """Account code of each row, ids by code, wallet by code (NaN: not given).

    Raises
    ------
    InputError, ShapeError, DTypeError
        For cross positions without account, wallets without owner, ids given twice.
    """
    given, wallets = _wallets(account, accounts, wallet_balance, copied)
    if account is not None and len(account) != is_cross.size:
        raise ShapeError("account", "must have one value a row", str(is_cross.size), str(len(account)))
    if not np.count_nonzero(is_cross):
        return None, _numbered_ids(given, [])[1], wallets
    if account is None:
        ids = _numbered_ids(given, [])[1]
        if len(ids) != 1:
            raise InputError(
                "account",
                "is needed for cross positions, unless wallet_balance is the one number of a single account",
                "one account a row",
                "none",
                int(np.argmax(is_cross)),
                int(is_cross.sum()),
            )
        return np.where(is_cross, np.uint32(0), NO_ACCOUNT), ids, wallets
    every_code, labels = factorize("account", account, given)
    _refuse_missing_accounts(every_code, labels, is_cross)
    codes, joined, of_accounts = _join_accounts(every_code, labels, is_cross, given, wallets)
    if of_accounts is not wallets and wallets.size and "wallet_balance" not in copied:
        # As accounts without a wallet come behind those with one, the book has a column of its own.
        copied.append("wallet_balance")
    return codes, joined, of_accounts


def _refuse_missing_accounts(codes: Codes, labels: list[Any], is_cross: npt.NDArray[np.bool_]) -> None:
    if "" not in labels:
        return
    missing = (codes == labels.index("")) & is_cross
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(
            "account", "is needed for cross positions", "an account", "none", row, int(missing.sum())
        )


def _wallets(
    account: Labels | None,
    accounts: Labels | None,
    wallet_balance: Mapping[Any, float] | npt.ArrayLike | None,
    copied: list[str],
) -> tuple[list[Any], Floats]:
    """Accounts as they were given, and the balance of each."""
    if wallet_balance is None:
        if accounts is not None:
            raise InputError("wallet_balance", "is needed with accounts", "one balance an account", "none")
        return [], NO_WALLETS
    values: npt.ArrayLike
    if isinstance(wallet_balance, Mapping):
        if accounts is not None:
            raise InputError("accounts", "must not be given beside a mapping of balances")
        accounts, values = list(wallet_balance), list(wallet_balance.values())
    elif isinstance(wallet_balance, (int, float, np.generic)) and accounts is None:
        if account is not None:
            raise InputError("wallet_balance", "must be a mapping, or come with accounts", "", "one number")
        accounts, values = [0], np.atleast_1d(wallet_balance)
    elif accounts is None:
        raise InputError("accounts", "is needed to know whose balances these are", "one id a balance", "none")
    else:
        values = wallet_balance
    ids = label_sequence("accounts", accounts)
    if isinstance(ids, np.ndarray) and ids.ndim != 1:
        raise ShapeError("accounts", "must be one-dimensional", "1 dimension", f"{ids.ndim} dimensions")
    ids = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    return ids, float_column("wallet_balance", values, len(ids), copied)


def _numbered_ids(given: list[Any], labels: list[Any]) -> tuple[Codes, list[Any]]:
    """Codes of account ids, each given once, and of labels, which are told apart from them in the same go."""
    if not given and not labels:
        return NO_CODES, []
    codes, joined = factorize("accounts", given + labels)
    own = codes[: len(given)]
    if own.size and int(own.max()) + 1 != own.size:
        repeated = np.flatnonzero(np.bincount(own) > 1)
        row = int(np.flatnonzero(own == repeated[0])[1])
        raise InputError("accounts", "must not repeat an id", "each id once", repr(joined[repeated[0]]), row)
    return codes, joined


def _join_accounts(
    codes: Codes, labels: list[Any], is_cross: npt.NDArray[np.bool_], ids: list[Any], wallets: Floats
) -> tuple[Codes, list[Any], Floats]:
    """Translate codes of the account column into codes of the accounts, those with a wallet first."""
    places: npt.NDArray[np.integer]
    all_cross = bool(is_cross.all())
    if _begin_with(labels, ids):
        # As they were numbered behind the ids, the join is done.
        if all_cross and len(labels) == len(ids):
            return codes, labels, wallets
        joined, places = labels, np.arange(len(labels))
    else:
        numbered, joined = _numbered_ids(ids, labels)
        places = numbered[len(ids) :]
    # Of the accounts without a wallet those with cross positions stay, in the order of their first rows.
    has_leg = np.zeros(len(labels), dtype=np.bool_)
    has_leg[codes if all_cross else codes[is_cross]] = True
    has_cross = np.zeros(len(joined), dtype=np.bool_)
    has_cross[: len(ids)] = True
    has_cross[places[has_leg]] = True
    kept = np.cumsum(has_cross, dtype=np.uint32) - np.uint32(1)
    translation = np.where(has_cross, kept, NO_ACCOUNT)[places]
    if not has_cross.all():
        joined = [joined[place] for place in np.flatnonzero(has_cross).tolist()]
    row_codes = translation[codes]
    if not all_cross:
        row_codes[~is_cross] = NO_ACCOUNT
    return row_codes, joined, _with_unknown(wallets, len(joined))


def _begin_with(labels: list[Any], ids: list[Any]) -> bool:
    """Whether labels begin with ids, all of them text or whole numbers: others may be equal and no ids."""
    return labels[: len(ids)] == ids and IDS.issuperset(map(type, ids))


def _with_unknown(wallets: Floats, accounts: int) -> Floats:
    """Wallets of so many accounts, those behind the given ones unknown."""
    if accounts == wallets.size:
        return wallets
    balances = np.concatenate((wallets, np.full(accounts - wallets.size, np.nan)))
    balances.flags.writeable = False
    return balances


def cross_positions(
    codes: Codes | None, is_cross: npt.NDArray[np.bool_], accounts: int
) -> npt.NDArray[np.int64]:
    """Number of cross positions of each account, failed ones included, shape (accounts,)."""
    return np.zeros(accounts, np.int64) if codes is None else np.bincount(codes[is_cross], minlength=accounts)
