"""A book sorted by what becomes of its positions, for scenarios that come again and again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore._levcore import StressIndex as CoreIndex
from levcore.arguments import number_in, of_kind
from levcore.book.arrays import Floats
from levcore.book.listings import settlements
from levcore.book.marks import mark_prices
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.frozen import Frozen
from levcore.stress_testing.accounts import sum_accounts
from levcore.stress_testing.isolated import isolated_rows
from levcore.stress_testing.result import TOTALS, Stress, StressTotals, add_amounts
from levcore.stress_testing.shocks import Betas, moves_of_instruments
from levcore.stress_testing.stress import COUNTS, Sums, evaluate_each, moved_prices

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["StressIndex"]


class StressIndex(Frozen):
    """A book prepared for many calls of scenarios, of which totals and counts are wanted.

    Isolated positions are sorted once by where their lines begin and end; a scenario then costs a search in
    each instrument, whatever the number of positions. What is liquidated, short or not judged is that of
    `levcore.Engine.evaluate` in every scenario; amounts differ as `levcore.stress` says. Cross accounts, and
    positions that no lines give, cost in each call what they cost there.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
        Without balances; its accounts have one wallet each and no legs that move together.
    marks
        Where the moves start, as `levcore.Engine.evaluate` takes them.
    lowest, highest : float
        Moves of any instrument between which scenarios lie, as fractions of its mark.
    threads : int, optional
        Threads that sort.

    Raises
    ------
    InputError
        For a range that is none, and for accounts that cannot be valued side by side: `levcore.stress` takes
        those.
    UnknownRuleError
        As `levcore.Engine.evaluate`.

    Notes
    -----
    Each position takes some 150 to 250 bytes, by the tiers that it passes through in the range.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(
    ...     ["BTCUSDT", "ETHUSDT"], [0.5, 4.0], [60_000.0, 3_000.0], isolated_margin=[3_000.0, 1_200.0],
    ... )
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> index = lc.StressIndex(engine, book, {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0})
    >>> worlds = index.stress({"BTCUSDT": [0.0, -0.1, -0.2], "ETHUSDT": [0.0, -0.05, -0.3]})
    >>> worlds.positions_liquidated.tolist(), worlds.totals["USDT"]["shortfall"].round(2).tolist()
    ([0, 1, 2], [0.0, 0.0, 5400.0])
    """

    __slots__ = (
        "_core",
        "_currencies",
        "_has_cross",
        "_rest",
        "_shown",
        "_start",
        "book",
        "engine",
        "highest",
        "lowest",
    )

    _instead = "build a new index, levcore.StressIndex(...)"

    engine: Engine
    book: PositionBook
    lowest: float
    highest: float
    _core: CoreIndex
    _currencies: list[str]
    _has_cross: bool
    _rest: PositionBook | None
    _shown: tuple[str, ...]
    _start: Floats

    def __init__(
        self,
        engine: Engine,
        book: PositionBook,
        marks: Marks,
        *,
        lowest: float = -0.9,
        highest: float = 2.0,
        threads: int | None = None,
    ) -> None:
        of_kind("engine", engine, Engine)
        number_in("lowest", lowest, -1.0, 0.0, "must be a fall that leaves a price", "above -1, below 0")
        number_in("highest", highest, 0.0, np.inf, "must be a rise", "above 0")
        bound = engine.bind(book)
        start = np.asarray(mark_prices(book, marks))
        # What every row must be asked for is asked once.
        shown, (currencies, of_listings) = Sums(engine, book).shown, settlements(book, bound.policies)
        probe = StressTotals(np.zeros(1), shown, len(book))
        if not sum_accounts(engine, book, start[np.newaxis], probe, threads):
            rule = "must have accounts with one wallet each, whose legs move by themselves"
            raise InputError("book", rule, "levcore.stress for the others", "others")
        ends = moved_prices(start, np.array([[lowest], [highest]]) + np.zeros(start.shape[-1]))
        done = np.zeros(len(book), np.bool_)
        core = CoreIndex(
            bound.handle,
            bound.kernel,
            np.ascontiguousarray(ends).reshape(-1),
            of_listings.tolist(),
            done,
            engine.used_instruction_set,
            engine.threads_of_call(threads, 64 * len(book)),
        )
        rows = np.flatnonzero(~np.asarray(book.is_cross) & ~done)
        self._fill(
            engine=engine,
            book=book,
            lowest=lowest,
            highest=highest,
            _core=core,
            _currencies=currencies,
            _has_cross=bool(book.is_cross.any()),
            _rest=isolated_rows(book, rows) if rows.size else None,
            _shown=shown,
            _start=start,
        )

    def __reduce__(self) -> Any:
        """Pickle and copy what the index is built of; it is built again."""
        build = partial(StressIndex, lowest=self.lowest, highest=self.highest)
        return build, (self.engine, self.book, self._start)

    def stress(
        self,
        shocks: Any,
        *,
        betas: Betas | None = None,
        others: float | None = None,
        threads: int | None = None,
    ) -> StressTotals:
        """Totals and counts of the book in each scenario.

        Parameters
        ----------
        shocks, betas, others, threads
            As `levcore.stress` takes them; moves lie between `lowest` and `highest`.

        Returns
        -------
        StressTotals

        Raises
        ------
        ShapeError, DTypeError, InputError
            As `levcore.stress`, and for a move outside of the range.
        """
        moves, labels = moves_of_instruments(self.book, shocks, betas, others)
        self._refuse_outside(moves)
        engine, book, moved = self.engine, self.book, moved_prices(self._start, moves)
        result = StressTotals(labels, self._shown, len(book))
        if not len(moved):
            return result
        self._add_isolated(result, moved, threads)
        if self._has_cross:
            sum_accounts(engine, book, moved, result, threads)
        if self._rest is not None:
            rest = Stress(self._rest, labels, result.currencies)
            evaluate_each(engine, rest, moves, moved, None, threads)
            _add(result, rest)
        return result

    def _add_isolated(self, result: StressTotals, moved: Floats, threads: int | None) -> None:
        count, names = len(moved), self._currencies
        totals = np.zeros((len(names), len(TOTALS), count))
        self._core.sums(
            np.ascontiguousarray(moved).reshape(-1),
            count,
            totals.reshape(-1),
            (result.positions_liquidated, result.not_judged),
            self.engine.threads_of_call(threads, moved.size * 64),
        )
        add_amounts(result, names, totals)

    def _refuse_outside(self, moves: Floats) -> None:
        bad = (moves < self.lowest) | (moves > self.highest)
        if bad.any():
            scenario, code = (int(each[0]) for each in np.nonzero(bad))
            expected = f"{self.lowest!r} to {self.highest!r}, or an index with another lowest= or highest="
            argument, found = f"shocks[{self.book.instrument_names[code]!r}]", float(moves[scenario, code])
            rule = "must be a move within the range of the index"
            raise InputError(argument, rule, expected, repr(found), scenario, int(bad.sum()))


def _add(result: StressTotals, other: Stress) -> None:
    """Add what becomes of other positions in the same scenarios."""
    for currency, amounts in other.totals.items():
        for name, values in amounts.items():
            result.totals[currency][name] += values
    for name in COUNTS:
        getattr(result, name)[:] += getattr(other, name)
