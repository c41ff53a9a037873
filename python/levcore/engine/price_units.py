"""Instruments with marks and entry prices of different units: cents beside dollars, 1000PEPE beside PEPE."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from levcore.book.marks import marks_by_policy

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["FACTOR", "PriceApart", "PriceUnits"]

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


class _Counted(NamedTuple):
    """Positions of one instrument whose prices are known, those far apart, and the first of these."""

    known: int
    far: int
    first: PriceApart | None


class PriceUnits:
    """Marks beside entry prices by instrument, of one part of a book; those of its other parts are added.

    Parameters
    ----------
    risk : BookRisk
    first_row : int
        Row of the whole book that is the first of this part.
    """

    __slots__ = ("_by_instrument",)

    _by_instrument: dict[str, _Counted]

    def __init__(self, risk: "BookRisk", first_row: int = 0) -> None:
        book = risk.book
        policies = 0 if book.policy_codes is None else book.policy_codes
        marks = marks_by_policy(risk.marks, len(risk.policies))[policies, book.instrument_codes]
        entries = book.entry_price
        # A comparison with NaN is false, so that what is missing counts on neither side.
        known = (marks > 0.0) & (entries > 0.0) & (book.quantity != 0.0)
        # Entries are divided, not multiplied: the highest price times the factor would be infinite.
        rows = np.flatnonzero(known & ((marks / FACTOR > entries) | (entries / FACTOR > marks)))
        kinds = len(book.instrument_names)
        all_known = np.bincount(book.instrument_codes[known], minlength=kinds)
        far = np.bincount(book.instrument_codes[rows], minlength=kinds)
        self._by_instrument = {
            book.instrument_names[code]: _Counted(int(all_known[code]), int(far[code]), None)
            for code in np.flatnonzero(all_known).tolist()
        }
        codes, firsts = np.unique(book.instrument_codes[rows], return_index=True)
        for code, row in zip(codes.tolist(), rows[firsts].tolist(), strict=True):
            name = book.instrument_names[code]
            first = PriceApart(name, first_row + row, float(entries[row]), float(marks[row]), int(far[code]))
            self._by_instrument[name] = self._by_instrument[name]._replace(first=first)

    def add(self, other: "PriceUnits", first_row: int = 0) -> None:
        """Add those of the rows behind, which begin at a row of the book."""
        for name, more in other._by_instrument.items():
            own = self._by_instrument.get(name, _Counted(0, 0, None))
            behind = None if more.first is None else more.first._replace(row=more.first.row + first_row)
            self._by_instrument[name] = _Counted(
                own.known + more.known, own.far + more.far, own.first or behind
            )

    def apart(self) -> list[PriceApart]:
        """Instruments whose mark is over 20 times, or under a twentieth of, most of their entry prices.

        Prices that are missing, zero or negative, and rows without a quantity, say nothing.
        """
        return [
            one.first._replace(positions=one.far)
            for one in self._by_instrument.values()
            if one.first is not None and 2 * one.far > one.known
        ]
