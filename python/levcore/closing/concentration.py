"""How much rests on how few."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from levcore._levcore import exact_sums
from levcore.arguments import is_word, of_kind
from levcore.book.arrays import Floats
from levcore.engine.risk import BookRisk
from levcore.errors import InputError

__all__ = ["Concentration", "concentration"]


@dataclass(frozen=True, slots=True)
class Concentration:
    """Amounts by holder, the largest first.

    Attributes
    ----------
    holders : list
        Instruments, sides or accounts.
    amount : ndarray of float64, shape (h,), settlement currency
    share : ndarray of float64, shape (h,), fraction
        Of the sum; what the first n hold together is ``share[:n].sum()``. NaN where the sum is 0, as are
        `herfindahl` and `gini`.
    herfindahl : float
        Sum of the squared shares: 1 where one holds all, 1 / h where all hold the same.
    gini : float
        ``sum((2 i - h - 1) a_i) / (h sum(a))`` over ascending amounts, i from 1: 0 where all hold the same.
    left_out : int
        Rows that could not be judged.
    """

    holders: list[Any]
    amount: Floats
    share: Floats
    herfindahl: float
    gini: float
    left_out: int

    def top(self, n: int) -> float:
        """Share of the n largest; NaN where nobody holds anything."""
        if math.isnan(self.gini):
            return math.nan
        return float(exact_sums(np.ascontiguousarray(self.share[:n]), None, 1)[0])

    def holders_of(self, share: float) -> int:
        """How few holders have `share` of the whole together; 0 where nobody holds anything."""
        if math.isnan(self.gini):
            return 0
        return min(int(np.searchsorted(np.cumsum(self.share), share) + 1), len(self.holders))


def concentration(
    risk: BookRisk,
    by: Literal["instrument", "side", "account"] = "account",
    of: Literal["notional", "loss"] = "notional",
) -> Concentration:
    """Exposure, or unrealized loss, by instrument, side or account.

    Parameters
    ----------
    risk : BookRisk
        With the measure ``notional`` or ``unrealized_pnl``. Rows settle in one currency.
    by : {"instrument", "side", "account"}
        An isolated position without an account is an account of its own.
    of : {"notional", "loss"}
        Value of positions, or what those that have lost have lost; a gain is no loss of less than zero.

    Raises
    ------
    InputError
        For another word.
    """
    of_kind("risk", risk, BookRisk)
    if not is_word(of, ("notional", "loss")):
        raise InputError("of", "must be a known amount", "'notional' or 'loss'", repr(of))
    book, ok = risk.book, risk.ok
    amounts = risk.notional if of == "notional" else np.maximum(-risk.unrealized_pnl, 0.0)
    rows = np.flatnonzero(ok)
    if by == "instrument":
        holders: list[Any] = list(book.instrument_names)
        codes = book.instrument_codes[rows].astype(np.int64)
    elif by == "side":
        holders, codes = ["long", "short"], (book.quantity[rows] < 0).astype(np.int64)
    elif by == "account":
        labels = [book.account_of(int(row)) for row in rows]
        keys = [
            ("row", int(row)) if label is None else label for row, label in zip(rows, labels, strict=True)
        ]
        places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        holders, codes = list(places), np.array([places[key] for key in keys], dtype=np.int64)
    else:
        raise InputError("by", "must be a known holder", "'instrument', 'side' or 'account'", repr(by))
    summed = exact_sums(np.ascontiguousarray(amounts[rows]), codes, len(holders))
    order = np.lexsort((np.array([str(holder) for holder in holders], dtype=np.str_), -summed))
    amount: Floats = summed[order]
    total = float(exact_sums(amount, None, 1)[0])
    # Of nothing there are no shares, which is another thing than shares of nothing.
    share = amount / total if total else np.full(amount.size, np.nan)
    places_ascending = np.arange(amount.size, 0, -1)
    weighted = exact_sums((2.0 * places_ascending - amount.size - 1.0) * amount, None, 1)[0]
    return Concentration(
        [holders[place] for place in order],
        amount,
        share,
        float(exact_sums(share * share, None, 1)[0]) if total else np.nan,
        float(weighted / (amount.size * total)) if total else np.nan,
        len(risk) - rows.size,
    )
