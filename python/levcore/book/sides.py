"""Signed quantities of a table that tells the side in a column of its own."""

import numpy as np
from numpy.typing import NDArray

from levcore.book.columns import Columns

__all__ = ["signed_quantity"]

SIGNS = {
    **dict.fromkeys(("long", "buy", "bid", "b", "l"), 1.0),
    **dict.fromkeys(("short", "sell", "ask", "s"), -1.0),
    # What the venues of netted positions write: the quantity has its sign.
    **dict.fromkeys(("both", "net"), np.nan),
}
WORDS = "long or short, buy or sell, or net where the quantity has its sign"


def signed_quantity(columns: Columns) -> NDArray[np.float64]:
    """Quantity of each row, negative where the row's side is short.

    Quantities beside a side count contracts without a sign; one that has the sign of its side says the same
    and is kept, one that contradicts it is refused.

    Raises
    ------
    InputError
        For a word that is no side, a position without one, and a negative quantity on the long side.
    """
    quantity, side = columns.numbers["quantity"], columns.texts.get("side")
    if side is None or not len(columns):
        return quantity
    signs = np.array([SIGNS.get(str(word).casefold(), 0.0) for word in side.labels])[side.codes]
    # A flat position has no side.
    unknown = (signs == 0) & (quantity != 0)
    if unknown.any():
        row = int(np.argmax(unknown))
        found = repr(side[row]) if side[row] != "" else "nothing"
        raise columns.error(row, "side", "must be a side", WORDS, found)
    contradicting = (signs > 0) & (quantity < 0)
    if contradicting.any():
        row = int(np.argmax(contradicting))
        found = f"{float(quantity[row])!r} and {side[row]!r}"
        raise columns.error(row, "quantity", "contradicts the side", "a quantity without a sign", found)
    return np.where(signs < 0, -np.abs(quantity), quantity)
