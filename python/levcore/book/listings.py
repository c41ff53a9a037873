"""Listings: an instrument under a policy. Two venues may list one name with other contracts and currencies.

The listings of a book are numbered policy by policy; with one policy their codes are those of the
instruments.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.marks import marks_by_policy

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["listing_codes", "listing_marks", "listing_names", "settlements"]

Places = npt.NDArray[np.int64]


def listing_codes(book: "PositionBook") -> npt.NDArray[np.integer]:
    """Listing of each row, shape (n,)."""
    if len(book.policy_names) < 2 or book.policy_codes is None:
        return book.instrument_codes
    return book.policy_codes.astype(np.int64) * len(book.instrument_names) + book.instrument_codes


def listing_names(book: "PositionBook") -> list[str]:
    """Names of the listings: of the instrument, and of the policy where there are several."""
    if len(book.policy_names) < 2:
        return list(book.instrument_names)
    return [f"{name} ({label})" for label in book.policy_names for name in book.instrument_names]


def listing_marks(book: "PositionBook", marks: Floats) -> Floats:
    """Mark prices of the listings, from those of a result."""
    return marks_by_policy(marks, max(1, len(book.policy_names))).ravel()


def settlements(book: "PositionBook", policies: Sequence["MarginPolicy"]) -> tuple[list[str], Places]:
    """Settlement currencies, and for each listing the place of its own; the empty one is not known.

    `policies` are those of the book, by its policy codes.
    """
    of_listing = [
        settlement_of(name)
        for settlement_of in [policy.instruments.settlement_of for policy in policies]
        for name in book.instrument_names
    ]
    currencies = sorted(set(of_listing))
    place = {currency: number for number, currency in enumerate(currencies)}
    return currencies, np.array([place[currency] for currency in of_listing], dtype=np.int64)
