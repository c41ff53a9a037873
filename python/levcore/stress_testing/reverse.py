"""The smallest move along a direction that liquidates a given share of a book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_word, number_in, of_kind
from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes, settlements
from levcore.book.marks import marks_by_policy
from levcore.book.positions import PositionBook
from levcore.engine.distances import beta_columns, distance
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.status import State

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.rules.policy import MarginPolicy

__all__ = ["ReverseStress", "reverse_stress"]

MEASURES = ("notional", "liquidation_price_lower", "liquidation_price_upper")


@dataclass(frozen=True, slots=True)
class ReverseStress:
    """Moves ``t`` that liquidate the share asked for, as every price becomes ``P * (1 + beta * t)``.

    Attributes
    ----------
    lower, upper : float, fraction
        The move nearest to 0 below and above it; NaN where none in the range of positive prices does.
    share_now : float
        Share of the book's value that is liquidated at the marks.
    moves_lower, moves_upper : ndarray of float64, shape (n,)
        Of each position, the move that liquidates it, by itself or by its account; 0 where it is liquidated
        now, NaN where no move does or it could not be judged.
    left_out : int
        Positions that could not be judged; their value is in no share.
    """

    lower: float
    upper: float
    share_now: float
    moves_lower: Floats
    moves_upper: Floats
    left_out: int


def reverse_stress(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    share: float,
    betas: Mapping[str, float] | None = None,
    *,
    others: float | None = None,
    asset_prices: Mapping[str, float] | None = None,
    currency: str | None = None,
    threads: int | None = None,
) -> ReverseStress:
    """Find how far prices must move together until a share of the book's value is liquidated.

    The move of each position is exact: an isolated one has its prices of liquidation, an account its distance
    (`levcore.distance`). They are sorted once, and values added up until the share is reached.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks, asset_prices, betas, others
        As `levcore.distance` takes them: a ray of prices.
    share : float
        Of the value at the marks of all positions that could be judged, above 0 and up to 1.
    currency : str, optional
        Whose positions the share is of; needed where they settle in several, whose values are never added up.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    ReverseStress

    Raises
    ------
    InputError, DTypeError
        For a share outside of its range, positions in several currencies without `currency`, and one that
        none settles in; for betas as `levcore.distance` says.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"] * 2, [0.5] * 2, [60_000.0] * 2, isolated_margin=[3_000.0, 1_500.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> found = lc.reverse_stress(engine, book, {"BTCUSDT": 60_000.0}, 0.6)
    >>> round(found.lower, 4), found.upper
    (-0.0964, nan)
    """
    of_kind("engine", engine, Engine)
    number_in("share", share, 0.0, np.nextafter(1.0, 2.0), "must be a share", "above 0, up to 1")
    of_kind("book", book, PositionBook)
    # An account with several wallets is liquidated wallet by wallet.
    book = engine.by_wallet(book)
    policies = engine.bind(book).policies
    counted = _rows_in(book, policies, currency)
    risk = engine.evaluate(book, marks, measures=MEASURES, asset_prices=asset_prices, threads=threads)
    prices = marks_by_policy(np.asarray(risk.marks), len(policies))
    columns = np.stack([of_names for of_names, _ in beta_columns(book, policies, betas, others)])
    policy = 0 if book.policy_codes is None else book.policy_codes
    with np.errstate(invalid="ignore", divide="ignore"):
        mark, beta = (each[policy, book.instrument_codes] for each in (prices, columns))
        ends = [
            (end / mark - 1.0) / beta for end in (risk.liquidation_price_lower, risk.liquidation_price_upper)
        ]
    ends = [np.where(np.isfinite(end), end, np.nan) for end in ends]
    lower = np.fmax.reduce([np.where(end <= 0.0, end, np.nan) for end in ends])
    upper = np.fmin.reduce([np.where(end >= 0.0, end, np.nan) for end in ends])
    if book.account_codes is not None:
        legs = np.flatnonzero(book.is_cross)
        far = distance(engine, book, marks, betas, others=others, asset_prices=asset_prices, threads=threads)
        lower[legs], upper[legs] = (end[book.account_codes[legs]] for end in (far.lower, far.upper))
    judged = risk.state != State.INCOMPLETE
    gone = judged & (risk.state >= State.LIQUIDATION)
    lower, upper = (np.where(gone, 0.0, np.where(judged, end, np.nan)) for end in (lower, upper))
    value = np.where(judged & counted, risk.notional, 0.0)
    total = float(value.sum())
    return ReverseStress(
        -_reached(-lower, value, share * total),
        _reached(upper, value, share * total),
        float(value[gone].sum()) / total if total else np.nan,
        lower,
        upper,
        int(np.count_nonzero(~judged)),
    )


def _rows_in(
    book: PositionBook, policies: tuple[MarginPolicy, ...], currency: str | None
) -> npt.NDArray[np.bool_]:
    """Rows that settle in a currency, or in the only one."""
    currencies, of_listing = settlements(book, policies)
    of_row = of_listing[listing_codes(book)]
    held = [currencies[code] for code in np.unique(of_row).tolist()]
    found = ", ".join(map(repr, held[:5]))
    if currency is None:
        if len(held) > 1:
            rule = "is needed where positions settle in several: values of two are never added up"
            raise InputError("currency", rule, "one of them", found)
        return np.ones(len(book), np.bool_)
    if not is_word(currency, held):
        raise InputError("currency", "must be one that positions settle in", found, repr(currency))
    settled: npt.NDArray[np.bool_] = of_row == currencies.index(currency)
    return settled


def _reached(moves: Floats, value: Floats, needed: float) -> float:
    """Smallest move by which values of `needed` are reached; NaN where they never are."""
    order: npt.NDArray[np.intp] = np.argsort(moves, kind="stable")  # NaN comes last
    order = order[~np.isnan(moves[order]) & (value[order] > 0.0)]
    place = int(np.searchsorted(np.cumsum(value[order]), needed))
    return float(moves[order[place]]) if place < order.size else np.nan
