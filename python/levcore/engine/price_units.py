"""Instruments with marks and entry prices of different units: cents beside dollars, 1000PEPE beside PEPE."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from levcore.book.marks import marks_by_policy

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["FACTOR", "PriceApart", "prices_apart"]

FACTOR = 20.0
"""Prices further apart than this factor are told; contracts of other units are apart by 100 or 1,000."""


class PriceApart(NamedTuple):
    """An instrument with most entry prices far from the mark, and the first such row."""

    instrument: str
    row: int
    entry_price: float
    mark_price: float
    positions: int

    @property
    def said(self) -> str:
        """The finding in words."""
        return (
            f"{self.instrument}: mark {self.mark_price:g}, entry price {self.entry_price:g} in row {self.row}"
            f" ({self.positions:,} so far apart), check units"
        )


def prices_apart(risk: "BookRisk") -> list[PriceApart]:
    """Instruments whose mark is more than 20 times, or less than a twentieth of, most of their entry prices.

    Prices that are missing, zero or negative, and rows without a quantity, say nothing.
    """
    book = risk.book
    policies = 0 if book.policy_codes is None else book.policy_codes
    marks = marks_by_policy(risk.marks, len(risk.policies))[policies, book.instrument_codes]
    entries = book.entry_price
    # A comparison with NaN is false, so that what is missing counts on neither side.
    known = (marks > 0.0) & (entries > 0.0) & (book.quantity != 0.0)
    # Entries are divided, not multiplied: the highest price times the factor would be infinite.
    apart = known & ((marks / FACTOR > entries) | (entries / FACTOR > marks))
    if not apart.any():
        return []
    kinds = len(book.instrument_names)
    far = np.bincount(book.instrument_codes[apart], minlength=kinds)
    all_known = np.bincount(book.instrument_codes[known], minlength=kinds)
    rows = np.flatnonzero(apart)
    codes, firsts = np.unique(book.instrument_codes[rows], return_index=True)
    return [
        PriceApart(book.instrument_names[code], row, float(entries[row]), float(marks[row]), int(far[code]))
        for code, row in zip(codes.tolist(), rows[firsts].tolist(), strict=True)
        if 2 * far[code] > all_known[code]
    ]
