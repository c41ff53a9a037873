"""Marks of a call as prices at which the policies' tables hold."""

from typing import TYPE_CHECKING

import numpy as np

from levcore.book.marks import mark_prices, marks_by_policy
from levcore.errors import UnknownRuleError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["known_prices"]


def known_prices(book: "PositionBook", marks: "Marks", policies: "tuple[MarginPolicy, ...]") -> "Floats":
    """Prices as `levcore.book.marks.mark_prices` returns them.

    Raises
    ------
    UnknownRuleError
        For a short position at a price below which its policy has no table (`lowest_short_price`).
    """
    prices = mark_prices(book, marks)
    if any(policy.lowest_short_price for policy in policies):
        _refuse_low_shorts(book, marks_by_policy(prices, len(policies)), policies)
    return prices


def _refuse_low_shorts(book: "PositionBook", prices: "Floats", policies: "tuple[MarginPolicy, ...]") -> None:
    for code, policy in enumerate(policies):
        low = (book.quantity < 0) & (prices[code][book.instrument_codes] < policy.lowest_short_price)
        if book.policy_codes is not None:
            low &= book.policy_codes == code
        rows = np.flatnonzero(low)
        if rows.size:
            row = int(rows[0])
            name = book.instrument_names[book.instrument_codes[row]]
            remedy = "no such rows, or policy.replace(lowest_short_price=0.0) with a table for that price"
            raise UnknownRuleError(
                policy.id,
                f"no table of it holds for short positions below {policy.lowest_short_price:.4f} "
                f"({rows.size} rows, the first is row {row}, {name})",
                remedy,
                policy.unknown.about("short_floor"),
            )
