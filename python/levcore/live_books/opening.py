"""Positions to open in a live book, read as a book of their own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from levcore.book.arrays import Codes
from levcore.book.balances import BalanceColumns
from levcore.book.labels import NO_ACCOUNT
from levcore.book.positions import PositionBook
from levcore.engine.answers import check_accounts, check_isolated_only, check_modes
from levcore.errors import InputError
from levcore.files.records import Columns
from levcore.live_books.owners import NUMBERS, Owners
from levcore.live_books.resident import Resident

__all__ = ["opened"]


def opened(
    resident: Resident, instruments: Codes, wallet_balance: Mapping[Any, float] | None, given: dict[str, Any]
) -> tuple[Columns, list[Any]]:
    """Columns of a record with positions, wallets and balances to open, and the ids of accounts that are new.

    Raises
    ------
    InputError
        For a wallet or balances of an account that there is already, an account that would settle in two
        currencies or stand under two policies, a policy or an asset that the book does not have.
    UnknownRuleError
        For positions that need a rule which no source states.
    """
    owners = resident.owners
    book = PositionBook(instruments, instrument_names=resident.names, wallet_balance=wallet_balance, **given)
    if book.named_wallets is not None:
        raise InputError(
            "wallet_balance", "must be one number an account", "{account: balance}", "wallets by currency"
        )
    of_row, of_balance = _policies(resident, book)
    held = [] if book.balances is None else book.balances.account_labels
    _refuse_known("wallet_balance", wallet_balance or (), "live.set_wallets for the others", owners)
    _refuse_known("balances", held, "live.set_balances for the others", owners)
    new = np.array([label not in owners.places for label in book.account_ids], dtype=np.bool_)
    ids = [label for label, is_new in zip(book.account_ids, new, strict=True) if is_new]
    places = owners.places | {label: len(owners.ids) + place for place, label in enumerate(ids)}
    place_of = np.array([places[label] for label in book.account_ids], dtype=np.uint32)
    account = np.full(len(book), NO_ACCOUNT, dtype=np.uint32)
    if book.account_codes is not None:
        account[book.is_cross] = place_of[book.account_codes[book.is_cross]]
    columns: dict[str, Any] = {
        name: column for name in NUMBERS if (column := getattr(book, name)) is not None
    }
    columns |= {"instrument": instruments, "is_cross": book.is_cross, "account": account}
    columns["wallets"] = book.wallet_balance[new]
    if len(owners.labels) > 1:
        columns["policy"] = of_row
    if book.balance_columns is not None and book.balances is not None:
        columns |= _held(resident, book.balance_columns, book.balances.asset_names, place_of)
        if len(owners.labels) > 1:
            columns["balance_policy"] = of_balance
    owners.refuse_second_policy(columns, ids)
    owners.refuse_second_currency(columns, ids)
    return columns, ids


def _policies(resident: Resident, book: PositionBook) -> tuple[Codes, Codes]:
    """Policy of each row and of each balance by the live book's labels, whose rules are asked for."""
    labels, engine = resident.owners.labels, resident.engine
    named = book.policy_names
    if not named and len(labels) > 1 and (len(book) or book.balances is not None):
        raise InputError("policy", "is needed in a book under several policies", ", ".join(labels), "none")
    for label in named:
        if label not in labels:
            raise InputError("policy", "must be a policy of the book", ", ".join(labels), repr(label))
    place = np.array([labels.index(label) for label in named] or [0], dtype=np.uint32)
    of_row = np.zeros(len(book), np.uint32) if book.policy_codes is None else place[book.policy_codes]
    of_balance = np.empty(0, np.uint32)
    if (held := book.balance_columns) is not None:
        of_balance = np.full(held.account.size, place[0], np.uint32)
        if held.policy is not None:
            of_balance = place[held.policy]
    for code in map(int, np.unique(np.concatenate((of_row, of_balance)))):
        compiled = engine.compiled(labels[code])
        own = of_row == code
        check_modes(compiled.policy, compiled.rules, book.is_cross[own], resident.owners.position_mode)
        check_isolated_only(compiled.policy, resident.names, book.instrument_codes, book.is_cross & own)
        check_accounts(compiled.policy, book)
    return of_row, of_balance


def _refuse_known(argument: str, accounts: Any, instead: str, owners: Owners) -> None:
    known = [label for label in accounts if label in owners.places]
    if known:
        raise InputError(argument, "must be of new accounts", instead, repr(known[0]))


def _held(
    resident: Resident, held: BalanceColumns, names: tuple[str, ...], place_of: Codes
) -> dict[str, Any]:
    """Balances with codes of the live book."""
    unknown = [name for name in names if name not in resident.assets]
    if unknown:
        expected = ", ".join(resident.assets[:8])
        raise InputError(
            "balances.asset", "must be an asset of the book's policies", expected, repr(unknown[0])
        )
    assets = np.array([resident.assets.index(name) for name in names], dtype=np.uint32)
    columns: dict[str, Any] = {
        "balance_account": place_of[held.account],
        "balance_asset": assets[held.asset],
        "balance": held.balance,
    }
    amounts = {"liability": held.liability, "interest": held.interest}
    return columns | {name: column for name, column in amounts.items() if column is not None}
