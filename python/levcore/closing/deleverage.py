"""Who is deleveraged, and by how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore._levcore import allocate, rank_for_deleveraging, to_quanta
from levcore.book.arrays import Floats
from levcore.closing.money import Wholes
from levcore.errors import UnknownRuleError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["Queue", "account_keys", "queue_of"]


@dataclass(frozen=True, slots=True)
class Queue:
    """Winners of one side of an instrument, the first to be deleveraged first.

    Attributes
    ----------
    rows : ndarray of int64, shape (w,)
    lots : ndarray of int64, shape (w,)
        Quantity of each in lots.
    score : ndarray of float64, shape (w,)
    """

    rows: Wholes
    lots: Wholes
    score: Floats

    def take(self, lots: int) -> Wholes:
        """Lots of each that are closed for so many: each in full until it is enough."""
        return allocate(lots, self.lots, self.lots, "queue", False)


def account_keys(book: "PositionBook") -> Wholes:
    """Number of each row's account in the order of labels; -1 without one. Row order is no matter."""
    if book.account is None:
        return np.where(book.is_cross, 0, -1).astype(np.int64)
    labels = np.asarray(book.account)
    if labels.dtype.kind in "iuU":
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)
    named = sorted(
        {label for label in book.account if label is not None}, key=lambda each: (repr(type(each)), each)
    )
    places: Mapping[Any, int] = {label: place for place, label in enumerate(named)}
    return np.array([-1 if label is None else places[label] for label in book.account], dtype=np.int64)


def queue_of(
    risk: "BookRisk", policy: "MarginPolicy", rows: Wholes, keys: Wholes, lots_per_unit: float, seed: int
) -> Queue:
    """Rank the positions `rows`, of one side of an instrument, by the policy's rule.

    Raises
    ------
    UnknownRuleError
        Where the policy's ranking is unknown, is not stated for shorts, or needs a leverage that is missing.
    """
    ranking = policy.known("close_out_ranking")
    book = risk.book
    short = bool(rows.size) and bool(book.quantity[rows[0]] < 0)
    if ranking == "price_ratio_times_leverage" and short:
        remedy = "state another with policy.replace(close_out_ranking=...)"
        reason = "mark over entry is below 1 for a short in profit"
        raise UnknownRuleError(policy.id, "close_out_ranking is not stated for shorts", remedy, reason)
    profit, value, equity = risk.unrealized_pnl[rows], risk.notional[rows], risk.equity[rows]
    maintenance, leverage = risk.maintenance_margin[rows], book.leverage
    cross = book.is_cross[rows]
    if cross.any() and book.account_codes is not None:
        codes = book.account_codes[rows[cross]]
        equity, maintenance = equity.copy(), maintenance.copy()
        equity[cross] = risk.accounts.equity[codes]
        maintenance[cross] = risk.accounts.maintenance_margin[codes]
    wallet = equity - profit
    if cross.any() and book.account_codes is not None:
        wallet[cross] = book.wallet_balance[book.account_codes[rows[cross]]]
    chosen = np.full(rows.size, np.nan) if leverage is None else leverage[rows]
    if ranking == "profit_share_times_leverage" and np.isnan(chosen).any():
        remedy = "give PositionBook(leverage=...)"
        raise UnknownRuleError(policy.id, "its ranking needs leverages", remedy, "a winner has none")
    signed = np.where(book.quantity[rows] < 0, -1.0, 1.0)
    inverse = np.array([policy.instruments[book.name_of(int(row))].payoff == "inverse" for row in rows[:1]])
    entry_value = value - np.where(inverse.any(), -signed, signed) * profit
    lots = to_quanta(np.abs(book.quantity[rows]), lots_per_unit)
    score, order = rank_for_deleveraging(
        ranking, profit, entry_value, value, wallet, equity, maintenance, chosen, keys[rows], lots, seed
    )
    return Queue(rows[order], np.ascontiguousarray(lots[order]), score[order])
