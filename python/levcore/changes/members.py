"""Who belongs to which account in a book, found once a book."""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from levcore._levcore import Book, Members
from levcore.book.arrays import Codes, factorize
from levcore.book.positions import PositionBook
from levcore.changes.changes import NONE

__all__ = ["BookMembers", "members_of"]

_FOUND: "WeakKeyDictionary[PositionBook, BookMembers]" = WeakKeyDictionary()


class BookMembers(NamedTuple):
    """Rows by account as the core takes them, and which account pays for each isolated row."""

    handle: Members
    payer: Codes | None


def members_of(book: PositionBook, handle: Book) -> BookMembers:
    """Members of the accounts of a book, whose columns `handle` holds."""
    found = _FOUND.get(book)
    if found is None:
        has_accounts = book.account_codes is not None
        members = Members(
            handle,
            len(book.instrument_names),
            len(book.account_ids),
            book.is_cross if has_accounts else None,
            book.account_codes,
            book.policy_codes if len(book.policy_names) > 1 else None,
            book.position_mode == "hedge",
        )
        found = _FOUND[book] = BookMembers(members, _payers(book))
    return found


def _payers(book: PositionBook) -> Codes | None:
    """Account code of each row that has an account in the book; None: there are no such isolated rows."""
    if not book.account_ids or book.account is None or book.is_cross.all():
        return None
    codes, labels = factorize("account", book.account)
    place = {label: code for code, label in enumerate(book.account_ids)}
    return np.array([place.get(label, NONE) for label in labels], dtype=np.uint32)[codes]
