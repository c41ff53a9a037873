"""Accounts of a book that comes in parts: none is ever judged by some of its positions."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np

from levcore.book.column_names import ColumnFault, name_columns
from levcore.book.frames import NUMBER_COLUMNS, REQUIRED_COLUMNS, RESULTS, TEXT_COLUMNS, Positions
from levcore.errors import InputError

__all__ = ["Accounts", "NotInputs", "Owners", "SortedAccounts", "UnsortedAccounts", "judged_accounts"]


class NotInputs(NamedTuple):
    """Columns that are no inputs: left out, or passed through."""

    ignored: Collection[str] = ()
    passed: Collection[str] = ()


class Accounts(ABC):
    """What is known of the accounts of a book whose parts come one after the other."""

    @abstractmethod
    def cut(self, frame: Any, not_inputs: NotInputs) -> int:
        """Number of rows of a frame that can be evaluated before the next one is known."""

    @abstractmethod
    def take(self, positions: Positions, first_row: int) -> None:
        """Take a part that is evaluated, whose first row has this number in the book.

        Raises
        ------
        InputError
            Where an account of it, with cross positions or a wallet, is in an earlier part as well.
        """


class SortedAccounts(Accounts):
    """Rows sorted by account: the last account of a part stays open, and nothing else is remembered."""

    def __init__(self) -> None:
        self._last: Any = None

    def cut(self, frame: Any, not_inputs: NotInputs) -> int:
        """Rows before those of the last account."""
        name = account_column(frame.columns, not_inputs)
        rows: int = frame.height
        last = None if name is None or not rows else frame.get_column(name)[-1]
        if last is None:
            return rows
        others = (frame.get_column(name) != last).fill_null(True).arg_true()
        return int(others[-1]) + 1 if len(others) else 0

    def take(self, positions: Positions, first_row: int) -> None:
        """Refuse accounts that do not come after those of earlier parts."""
        found = judged_accounts(positions)
        if not found:
            return
        first = min(found)
        if self._last is not None and not first > self._last:
            raise_for(
                positions,
                first_row,
                first,
                "must not come back once another account has followed",
                "rows sorted by account (or parts of whole accounts, and accounts='whole')",
            )
        self._last = max(found)


class UnsortedAccounts(Accounts):
    """Parts of whole accounts in any order: all accounts are remembered, to refuse one that comes twice."""

    def __init__(self) -> None:
        self._seen: set[Any] = set()

    def cut(self, frame: Any, not_inputs: NotInputs) -> int:
        """All rows."""
        rows: int = frame.height
        return rows

    def take(self, positions: Positions, first_row: int) -> None:
        """Refuse accounts that an earlier part holds."""
        found = judged_accounts(positions)
        again = next((account for account in found if account in self._seen), None)
        if again is not None:
            expected = "whole accounts in every part (or rows sorted by account, and accounts='sorted')"
            raise_for(positions, first_row, again, "must not be split between parts of the book", expected)
        self._seen.update(found)


class Owners:
    """Partition of each account, to refuse one that two partitions hold."""

    def __init__(self) -> None:
        self._owner: dict[Any, int] = {}

    def take(self, place: int, accounts: Iterable[Any]) -> None:
        """Take the accounts of a partition.

        Raises
        ------
        InputError
            Where another one has an account of it.
        """
        for account in accounts:
            other = self._owner.setdefault(account, place)
            if other != place:
                rule = "must not be split between partitions"
                expected = "all positions of an account in one, as by hash(account) % n"
                found = f"{account!r} in {min(other, place)} and in {max(other, place)}"
                raise InputError("partitions", rule, expected, found)


def account_column(names: list[str], not_inputs: NotInputs) -> str | None:
    """Column of the accounts; None where there is none, or the header is refused as soon as it is read."""
    try:
        named = name_columns(
            names,
            (*TEXT_COLUMNS, *NUMBER_COLUMNS),
            REQUIRED_COLUMNS,
            ignored=not_inputs.ignored,
            passed=not_inputs.passed,
            results=RESULTS,
        )
    except ColumnFault:
        return None
    return named.names.get("account")


def judged_accounts(positions: Positions) -> list[Any]:
    """Accounts with cross positions or a wallet, in the order of their first rows."""
    accounts = positions.columns.texts.get("account")
    if accounts is None:
        return []
    cross = np.bincount(accounts.codes[positions.is_cross], minlength=len(accounts.labels)).tolist()
    wallets = positions.wallet_balance
    return [label for label, legs in zip(accounts.labels, cross, strict=True) if legs or label in wallets]


def raise_for(positions: Positions, first_row: int, account: Any, rule: str, expected: str) -> None:
    """Refuse an account, naming it and its first row in the book."""
    row = first_row + int(positions.columns.texts["account"].rows_of(account)[0])
    raise InputError(positions.columns.column_of("account"), rule, expected, f"{account!r} again", row)
