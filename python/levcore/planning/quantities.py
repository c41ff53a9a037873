"""The quantities of a plan over whole books: one value a row, each from evaluations by the engine.

No formula of a margin or a price stands here. A price at another ratio is the liquidation price under a
policy with that level, and a profit at another price the difference of two profits at one mark.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.marks import Marks
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy import MarginPolicy
from levcore.rules.tiers import TierTable

__all__ = [
    "at_level",
    "loss_at",
    "price_at_ratio",
    "size_for_budget",
    "value_at",
    "with_columns",
]


def with_columns(book: PositionBook, **columns: object) -> PositionBook:
    """Return a book with other columns, which are arguments of `levcore.PositionBook`."""
    build, (arguments,) = book.__reduce__()
    made: PositionBook = build(arguments | columns)
    return made


def at_level(policy: MarginPolicy, level: float) -> MarginPolicy:
    """Policy whose only level is `level`; tiers whose rate reaches it are cut off."""
    bases = {policy.fee_basis_of(mode) for mode in ("isolated", "cross")}
    fee = 0.0 if bases == {"none"} else float(policy.known("closing_fee_rate"))
    table = [
        _cut(policy.instruments[name], level - fee)
        for name in policy.instruments
        if policy.instruments[name].tiers.rates[0] + fee < level
    ]
    stated = {"warning_level": None, "margin_call_level": None, "liquidation_level": level}
    return policy.replace(**stated, instruments=InstrumentTable(table))


def _cut(instrument: Instrument, highest: float) -> Instrument:
    def cut(tiers: TierTable) -> TierTable:
        kept = sum(1 for rate in tiers.rates if rate < highest)
        if kept == len(tiers):
            return tiers
        return replace(
            tiers,
            floors=tiers.floors[:kept],
            rates=tiers.rates[:kept],
            deductions=tiers.deductions[:kept],
            max_leverage=tiers.max_leverage[:kept] if tiers.max_leverage else tiers.max_leverage,
            cap=tiers.floors[kept],
        )

    short = instrument.short_tiers
    return replace(instrument, tiers=cut(instrument.tiers), short_tiers=short and cut(short))


def price_at_ratio(engine: Engine, book: PositionBook, marks: Marks, ratio: float) -> Floats:
    """Price of each row at which its margin ratio is `ratio`, by the tier that applies there.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks : mapping or array_like
        As `levcore.Engine.evaluate` takes them.
    ratio : float
        Requirement over equity; 1 is where most venues liquidate.

    Returns
    -------
    ndarray of float64, shape (n,), quote per base
        NaN where there is no such price, or the row has none of its numbers.

    Raises
    ------
    InputError
        For a ratio that is not positive.

    Examples
    --------
    >>> import levcore as lc
    >>> from levcore.planning.quantities import price_at_ratio
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> price_at_ratio(engine, book, {"BTCUSDT": 60_000.0}, 0.8).round(2).tolist()
    [54271.36]
    """
    if not 0 < ratio < np.inf:
        raise InputError("ratio", "must be positive and finite", "> 0", repr(ratio))
    used = labels_of_book(book, tuple(engine.policies))
    levelled = {label: at_level(_only(engine.policies[label], book), ratio) for label in used}
    other = Engine(levelled, threads=engine.threads, instruction_set=engine.instruction_set)
    found: Floats = other.evaluate(book, marks, measures=("liquidation_price",)).liquidation_price
    return found


def _only(policy: MarginPolicy, book: PositionBook) -> MarginPolicy:
    """Policy with the instruments of the book alone, under the book's names; what it lacks stays lacking."""
    table = policy.instruments
    held = [replace(table[name], name=name) for name in book.instrument_names if name in table]
    return policy.replace(instruments=InstrumentTable(held))


def _profit_from(engine: Engine, book: PositionBook, marks: Marks, entry: Floats) -> BookRisk:
    moved = with_columns(book, entry_price=np.ascontiguousarray(entry))
    return engine.evaluate(moved, marks, measures=("notional", "unrealized_pnl"))


def loss_at(engine: Engine, book: PositionBook, marks: Marks, prices: npt.ArrayLike) -> Floats:
    """Loss since entry if each row is closed at its price, before fees: negative is a profit.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks : mapping or array_like
        Any valid marks: the profit at another price is the difference of two profits at these.
    prices : array_like, shape (n,) or (k, n), quote per base
        Positive; k prices a row.

    Returns
    -------
    ndarray of float64, shape of `prices`, settlement currency

    Examples
    --------
    >>> import levcore as lc
    >>> from levcore.planning.quantities import loss_at
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> loss_at(engine, book, {"BTCUSDT": 61_000.0}, [[57_000.0], [63_000.0]]).tolist()
    [[1500.0], [-1500.0]]
    """
    asked, now = _prices(prices, book), _profit_from(engine, book, marks, book.entry_price).unrealized_pnl
    rows = [_profit_from(engine, book, marks, row).unrealized_pnl - now for row in np.atleast_2d(asked)]
    found: Floats = np.array(rows).reshape(asked.shape)
    return found


def value_at(engine: Engine, book: PositionBook, marks: Marks, prices: npt.ArrayLike) -> Floats:
    """Value of each row at its price, shape (n,), settlement currency; the rest as in `loss_at`."""
    at_mark = _profit_from(engine, book, marks, _prices(prices, book))
    table = [engine.policies[label].instruments for label in labels_of_book(book, tuple(engine.policies))]
    inverse = np.array(
        [
            any(name in one and one[name].payoff == "inverse" for one in table)
            for name in book.instrument_names
        ]
    )
    gains = np.sign(book.quantity) * np.where(inverse[book.instrument_codes], -1.0, 1.0)
    found: Floats = at_mark.notional - gains * at_mark.unrealized_pnl
    return found


def size_for_budget(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    stops: npt.ArrayLike,
    budget: npt.ArrayLike,
    fee_rate: npt.ArrayLike = 0.0,
) -> Floats:
    """Contracts with which a stop costs a budget, fees of opening and closing included.

    Parameters
    ----------
    engine, book, marks
        As in `loss_at`; the sign of a row's quantity is its side, its size does not matter.
    stops : array_like, shape (n,), quote per base
        Where each row is closed.
    budget : array_like, shape (n,) or a number, settlement currency
        What may be lost, positive.
    fee_rate : array_like, fraction of value
        Of opening and of closing.

    Returns
    -------
    ndarray of float64, shape (n,), contracts
        Signed as the quantity; NaN where the stop loses nothing.
    """
    at_stop = _prices(stops, book)
    loss = loss_at(engine, book, marks, at_stop)
    value = value_at(engine, book, marks, book.entry_price) + value_at(engine, book, marks, at_stop)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = loss + np.asarray(fee_rate) * value
        found: Floats = np.where(loss > 0, book.quantity * (np.asarray(budget) / cost), np.nan)
    return found


def _prices(prices: npt.ArrayLike, book: PositionBook) -> Floats:
    found: Floats = np.asarray(prices, dtype=np.float64)
    if found.shape[-1:] != (len(book),) or found.ndim > 2:
        expected = f"({len(book)},) or (k, {len(book)})"
        raise InputError("prices", "must be one a row of the book", expected, str(found.shape))
    return found
