"""Who is liquidatable in a book whose prices move, without looking at everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import TriggerIndex as CoreIndex
from levcore.arguments import of_kind
from levcore.book.arrays import Floats, float_column
from levcore.book.marks import mark_prices
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.frozen import Frozen
from levcore.live_books.arguments import codes_of

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["Subjects", "TriggerIndex", "VerdictChanges"]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Isolated positions and cross accounts, positions first.

    Attributes
    ----------
    is_account : ndarray of bool, shape (s,)
    place : ndarray of int64, shape (s,)
        Row of the position, or place of the account in ``book.account_ids``.
    """

    is_account: npt.NDArray[np.bool_]
    place: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class VerdictChanges:
    """Verdicts that ticks have changed: to liquidatable and back, and to or from not being known.

    Attributes
    ----------
    instant : ndarray of int64, shape (c,)
        Place of the instant among those of the call.
    subject : Subjects
        Whose verdict; of one instant in the order of `Subjects`.
    before, state : ndarray of uint8, shape (c,)
        Codes of `levcore.State`: what was last seen, what an evaluation of the whole book gives now.
    liquidation_price : ndarray of float64, shape (c,), quote per base
        Of isolated positions; NaN of accounts.
    """

    instant: npt.NDArray[np.int64]
    subject: Subjects
    before: npt.NDArray[np.uint8]
    state: npt.NDArray[np.uint8]
    liquidation_price: Floats

    def __len__(self) -> int:
        """Number of changes."""
        return self.instant.size


class TriggerIndex(Frozen):
    """The trigger index of a book: which tick makes whom liquidatable.

    Every isolated position waits at its liquidation price, every leg of an account where its own part of the
    account's surplus would be used up. A tick evaluates those whose price it reaches, by the formulas of
    `levcore.Engine.evaluate`; one that reaches none costs two comparisons.

    Parameters
    ----------
    engine : Engine
        With one policy.
    book : PositionBook
        Without `levcore.Balances`. Its columns are copied.
    marks
        Prices at the beginning, as `levcore.Engine.evaluate` takes them.

    Raises
    ------
    InputError
        For a book with balances or several policies.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"] * 2, [1.0, 2.0], [60_000.0, 60_000.0], leverage=[10.0, 20.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> index = lc.TriggerIndex(engine, book, {"BTCUSDT": 60_000.0})
    >>> changes = index.ticks(["BTCUSDT"] * 3, [57_500.0, 57_000.0, 57_400.0])
    >>> changes.instant.tolist(), changes.subject.place.tolist()
    ([1, 2], [1, 1])
    """

    __slots__ = ("_core", "book")

    _instead = "build a new index, levcore.TriggerIndex(...)"

    book: PositionBook
    _core: CoreIndex

    def __init__(self, engine: Engine, book: PositionBook, marks: Marks) -> None:
        of_kind("engine", engine, Engine)
        bound = engine.bind(book)
        bound.wallets.refuse_several("an index of triggers")
        if book.balances is not None:
            raise InputError("book", "must be without balances in several assets", "wallets", "balances")
        if len(bound.policies) != 1:
            raise InputError("book", "must stand under one policy", "one", str(len(bound.policies)))
        prices = np.ascontiguousarray(np.asarray(mark_prices(book, marks)).reshape(-1))
        core = CoreIndex(bound.handle, bound.kernel, prices, engine.used_instruction_set)
        self._fill(book=book, _core=core)

    def __reduce__(self) -> Any:
        """Refuse to be copied or pickled: the prices that have passed are in the index alone.

        Raises
        ------
        DTypeError
            Always.
        """
        instead = "levcore.TriggerIndex(engine, book, marks) at the prices of now"
        raise DTypeError("TriggerIndex", "cannot be copied or pickled", instead, "a copy")

    def ticks(
        self, instruments: Any, prices: npt.ArrayLike, instants: npt.ArrayLike | None = None
    ) -> VerdictChanges:
        """Let prices pass.

        Parameters
        ----------
        instruments : array_like of str, or ndarray of integers, shape (t,)
            Names, or places in ``book.instrument_names``.
        prices : array_like, shape (t,), quote per base
        instants : array_like of integers, shape (t,), optional
            Ticks that follow one another with the same number hold at one instant and are looked at together.
            Absent: each by itself.

        Returns
        -------
        VerdictChanges
        """
        price = float_column("prices", prices, None, [])
        bad = np.flatnonzero(~((price > 0) & np.isfinite(price)))
        if bad.size:
            row = int(bad[0])
            raise InputError("prices", "must be prices", "positive numbers", repr(float(price[row])), row)
        codes = codes_of(
            "instruments", np.atleast_1d(np.asarray(instruments)), self.book.instrument_names, price.size
        )
        starts = np.arange(price.size + 1, dtype=np.uint64)
        if instants is not None:
            of_tick = np.asarray(instants)
            if of_tick.shape != price.shape:
                raise ShapeError(
                    "instants", "must have one number a tick", str(price.shape), str(of_tick.shape)
                )
            first = np.flatnonzero(np.r_[True, of_tick[1:] != of_tick[:-1]][: price.size])
            starts = np.r_[first, price.size].astype(np.uint64)
        instant, is_account, place, (before, state), liquidation_price = self._core.ticks(
            starts, codes, price
        )
        subject = Subjects(is_account, place.astype(np.int64))
        return VerdictChanges(instant.astype(np.int64), subject, before, state, liquidation_price)

    def liquidatable(self) -> Subjects:
        """Everybody who is liquidatable at the prices that hold now."""
        is_account, place = self._core.liquidatable()
        return Subjects(is_account, place.astype(np.int64))
