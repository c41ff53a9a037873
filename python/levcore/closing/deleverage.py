"""Who is deleveraged, by how much, and at which price."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import deleverage
from levcore.closing.money import Wholes, coordinates, instruments_of, lots_of, prices_of, sizes
from levcore.errors import UnknownRuleError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = [
    "Winners",
    "account_keys",
    "held_lots",
    "lots_by_pool",
    "winner_prices",
    "winners_of",
    "winning_rows",
]


@dataclass(frozen=True, slots=True)
class Winners:
    """Positions that are deleveraged, the first of each side of an instrument first.

    Attributes
    ----------
    rows : ndarray of int64, shape (w,)
    lots : ndarray of int64, shape (w,)
        How much of each is closed.
    amount : ndarray of int64, shape (w,), quanta
        What each gives; nothing where it is closed at the mark.
    score : ndarray of float64, shape (w,)
    """

    rows: Wholes
    lots: Wholes
    amount: Wholes
    score: "Floats"

    @classmethod
    def none(cls) -> "Winners":
        """Nobody."""
        nothing: Wholes = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, np.empty(0))


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


def winning_rows(after: "BookRisk", closed: Wholes) -> Wholes:
    """Rows in profit that were not closed."""
    winning = after.ok & (after.unrealized_pnl > 0)
    winning[closed] = False
    return np.flatnonzero(winning)


def pools_of(book: "PositionBook", rows: Wholes) -> npt.NDArray[np.uint32]:
    """Pool of winners: those who gain where a position of the other side of their instrument loses."""
    return (2 * book.instrument_codes[rows] + (book.quantity[rows] > 0)).astype(np.uint32)


def held_lots(book: "PositionBook", rows: Wholes, lots_per_unit: float) -> Wholes:
    """Lots that each of `rows` holds."""
    return lots_of(book.quantity[rows], rows, lots_per_unit)


def lots_by_pool(book: "PositionBook", rows: Wholes, lots_per_unit: float) -> Wholes:
    """Lots of the winners `rows`, a value a pool."""
    lots = np.zeros(2 * len(book.instrument_names), dtype=np.int64)
    np.add.at(lots, pools_of(book, rows), held_lots(book, rows, lots_per_unit))
    return lots


def winners_of(
    after: "BookRisk",
    policy: "MarginPolicy",
    rows: Wholes,
    keys: Wholes,
    wanted: tuple[Wholes, Wholes],
    lots_per_unit: float,
    per_unit: float,
    seed: int,
) -> Winners:
    """Of the winners `rows`, those who close `wanted` lots of each pool and give the amounts.

    Raises
    ------
    UnknownRuleError
        Where the policy's ranking is unknown, is not stated for shorts, or needs a leverage that is missing.
    """
    lots, amount = wanted
    rows = rows[lots[pools_of(after.book, rows)] > 0]
    if rows.size == 0:
        return Winners.none()
    book, sharing = after.book, policy.close_out_sharing
    # Without a queue no rank counts; an order that a seed settles is then as good as any.
    ranking = policy.known("close_out_ranking") if sharing == "queue" else "random"
    if ranking == "price_ratio_times_leverage" and (book.quantity[rows] < 0).any():
        remedy = "state another with policy.replace(close_out_ranking=...)"
        reason = "mark over entry is below 1 for a short in profit"
        raise UnknownRuleError(policy.id, "close_out_ranking is not stated for shorts", remedy, reason)
    standing = map(np.ascontiguousarray, _standing(after, rows))
    profit, entry_value, value, wallet, equity, maintenance, leverage = standing
    if ranking == "profit_share_times_leverage" and np.isnan(leverage).any():
        remedy = "give PositionBook(leverage=...)"
        raise UnknownRuleError(policy.id, "its ranking needs leverages", remedy, "a winner has none")
    winner, taken, given, score = deleverage(
        ranking,
        sharing,
        profit,
        entry_value,
        value,
        wallet,
        equity,
        maintenance,
        leverage,
        keys[rows],
        held_lots(book, rows, lots_per_unit),
        pools_of(book, rows),
        lots,
        amount,
        per_unit,
        seed,
    )
    return Winners(rows[winner], taken, given, score)


def winner_prices(
    risk: "BookRisk", winners: Winners, prices: "Floats", lots_per_unit: float, per_unit: float
) -> "Floats":
    """Price at which each winner is closed: the mark, or the price of the fill less what it gives."""
    book, policy = risk.book, risk.policy
    instruments = instruments_of(policy, book.instrument_names)
    codes = book.instrument_codes[winners.rows]
    own = np.asarray(risk.marks).reshape(-1) if policy.close_out_price == "mark" else prices
    held = np.maximum(held_lots(book, winners.rows, lots_per_unit), 1)
    gain = sizes(book, instruments)[1][winners.rows] * (winners.lots / held)
    given = winners.amount / per_unit / gain
    return prices_of(instruments, codes, coordinates(instruments, codes, own[codes]) - given)


def _standing(after: "BookRisk", rows: Wholes) -> tuple["Floats", ...]:
    """Profit, values at entry and mark, wallet, equity, requirement and leverage of each row."""
    book = after.book
    profit, value, equity = after.unrealized_pnl[rows], after.notional[rows], after.equity[rows].copy()
    maintenance, cross = after.maintenance_margin[rows].copy(), book.is_cross[rows]
    wallet = equity - profit
    if cross.any() and book.account_codes is not None:
        codes = book.account_codes[rows[cross]]
        equity[cross] = after.accounts.equity[codes]
        maintenance[cross] = after.accounts.maintenance_margin[codes]
        wallet[cross] = book.wallet_balance[codes]
    leverage = np.full(rows.size, np.nan) if book.leverage is None else book.leverage[rows]
    instruments = instruments_of(after.policy, book.instrument_names)
    inverse = np.array([each is not None and each.payoff == "inverse" for each in instruments])
    rises = np.where(book.quantity[rows] < 0, -1.0, 1.0) * np.where(
        inverse[book.instrument_codes[rows]], -1.0, 1.0
    )
    return profit, value - rises * profit, value, wallet, equity, maintenance, leverage
