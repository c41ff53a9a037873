"""The engine: a policy compiled once, books evaluated many times."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from levcore import _levcore
from levcore.book import PositionBook
from levcore.columns import Floats, float_column, real_number
from levcore.compiled import CompiledPolicy, check_modes, compile_policy
from levcore.errors import DTypeError, InputError, InvalidRowsError, ShapeError
from levcore.measures import DEFAULT_MEASURES, chosen_measures, measure_mask
from levcore.policy import MarginPolicy
from levcore.risk import BookRisk
from levcore.status import FIRST_PARTIAL, Status

if TYPE_CHECKING:
    from levcore.explain import Explanation

__all__ = ["Engine", "Marks"]

Marks = Mapping[str, float] | npt.ArrayLike
SMALL_BOOK = 32_768
"""Rows up to which one thread is faster than two."""
PLAIN_NUMBERS = frozenset({float})
DEFAULT_MASK = measure_mask(DEFAULT_MEASURES)


class Engine:
    """Evaluates books under one policy.

    Immutable; one engine may serve many threads at once. Pickles as its policy.

    Parameters
    ----------
    policy : MarginPolicy
        Rules and instruments, compiled here.
    threads : int, optional
        Threads of a call, 1 to 256. Default: ``LEVCORE_NUM_THREADS``, else what machine, affinity and quota
        allow; small books are evaluated on the calling thread.
    instruction_set : {"baseline", "avx2", "avx512"}, optional
        Forces one; default: ``LEVCORE_INSTRUCTION_SET``, else the best that the processor has. All give the
        same bits.

    Raises
    ------
    UnknownRuleError
        If a rule that every position needs is unknown in the policy.
    TierError
        If a tier table does not fit its instrument.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10.0])
    >>> risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 61_000.0})
    >>> round(float(risk.liquidation_price[0]), 2)
    54216.87
    """

    __slots__ = ("_compiled", "_kernel", "_used_set", "instruction_set", "policy", "threads")

    def __init__(
        self, policy: MarginPolicy, *, threads: int | None = None, instruction_set: str | None = None
    ) -> None:
        if not isinstance(policy, MarginPolicy):
            raise DTypeError(
                "policy", "must be a policy", "what levcore.policy(name) returns", type(policy).__name__
            )
        if instruction_set is not None and instruction_set not in _levcore.instruction_sets():
            available = ", ".join(_levcore.instruction_sets())
            raise InputError(
                "instruction_set", "must be one that this processor has", available, repr(instruction_set)
            )
        self.policy = policy
        self.threads = None if threads is None else _checked_threads(threads)
        self.instruction_set = instruction_set
        self._used_set: str = instruction_set or _levcore.used_instruction_set()
        self._compiled: CompiledPolicy = compile_policy(policy)
        self._kernel = _levcore.Policy(self._compiled.rules, list(self._compiled.instruments))

    def __repr__(self) -> str:
        """Policy and number of instruments."""
        return f"Engine({self.policy.id}, {len(self._compiled.instruments):,} instruments)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the policy; the other side compiles it again."""
        return _rebuild, (self.policy, self.threads, self.instruction_set)

    def evaluate(
        self,
        book: PositionBook,
        marks: Marks,
        *,
        out: BookRisk | None = None,
        measures: tuple[str, ...] | None = None,
        on_bad_row: Literal["status", "raise"] = "status",
        threads: int | None = None,
    ) -> BookRisk:
        """Evaluate a book at mark prices.

        Parameters
        ----------
        book : PositionBook
            Positions and wallets.
        marks : mapping of instrument name to price, or array_like of shape (len(book.instrument_names),)
            Mark prices, quote per base; NaN or absent: missing.
        out : BookRisk, optional
            Result of an earlier call on a book of the same size with the same measures; its memory is used
            again.
        measures : tuple of str, optional
            Store only these, of `levcore.MEASURES`. Default: all but ``liquidation_price_lower`` and
            ``liquidation_price_upper``.
        on_bad_row : {"status", "raise"}
            Whether a row that fails gets a status and NaN, or the call raises.
        threads : int, optional
            Threads of this call, 1 to 256; any number gives the same bits.

        Returns
        -------
        BookRisk
            In the caller's row order; `out` if it was given.

        Raises
        ------
        ShapeError, DTypeError
            For marks or `out` of the wrong size or type.
        UnknownRuleError
            If the policy does not know a rule that positions of this book need.
        InvalidRowsError
            If `on_bad_row` is ``"raise"`` and a row fails; `out` is then written all the same.
        """
        if out is not None and not isinstance(out, BookRisk):
            raise DTypeError("out", "must be a BookRisk", "BookRisk", type(out).__name__)
        if measures is None:
            names = DEFAULT_MEASURES if out is None else out.measures
        else:
            names = chosen_measures(measures)
        mask = DEFAULT_MASK if names is DEFAULT_MEASURES else measure_mask(names)
        if on_bad_row not in ("status", "raise"):
            raise InputError("on_bad_row", "must be a known choice", "'status' or 'raise'", repr(on_bad_row))
        if not isinstance(book, PositionBook):
            raise DTypeError("book", "must be a PositionBook", "PositionBook", type(book).__name__)
        places = self._bind(book)
        prices = mark_column(book, marks)
        risk = self._result(book, prices, names, out)
        results, codes = risk.buffers
        _levcore.evaluate(
            book.handle,
            self._kernel,
            places,
            prices,
            mask,
            results,
            codes,
            risk.accounts.buffers if book.account_ids else None,
            self._used_set,
            self._threads_of_call(threads, len(book)),
        )
        if on_bad_row == "raise":
            raise_for_bad_rows(risk)
        return risk

    def explain(self, book: PositionBook, marks: Marks, row: int) -> "Explanation":
        """Every step of one row's evaluation: tier, formula, numbers, source; print it.

        Raises
        ------
        InputError
            For a row outside of the book.
        """
        from levcore.explain import explain

        return explain(self.policy, book, marks, row)

    def _bind(self, book: PositionBook) -> npt.NDArray[np.int64]:
        """Place of each instrument of the book in the policy (-1: unknown), found once a book."""
        bound = book.binding
        if bound is not None and bound[0] is self._kernel:
            return bound[1]
        check_modes(self.policy, self._compiled, book.is_cross)
        places = np.array([self._place(name) for name in book.instrument_names], dtype=np.int64)
        book.binding = (self._kernel, places)
        return places

    def _place(self, name: str) -> int:
        place = self._compiled.places.get(name)
        if place is None and name in self.policy.instruments:
            place = self._compiled.places.get(self.policy.instruments[name].name)
        return -1 if place is None else place

    def _result(
        self, book: PositionBook, prices: Floats, names: tuple[str, ...], out: BookRisk | None
    ) -> BookRisk:
        if out is None:
            return BookRisk(book, self.policy, prices, names)
        if out.measures != names:
            raise InputError("out", "must hold the same measures", ", ".join(names), ", ".join(out.measures))
        if len(out) != len(book) or len(out.accounts) != len(book.account_ids):
            expected = f"{len(book)} rows and {len(book.account_ids)} accounts"
            raise ShapeError(
                "out", "must fit the book", expected, f"{len(out)} rows and {len(out.accounts)} accounts"
            )
        out.book, out.policy, out.marks = book, self.policy, prices
        out.accounts.ids = book.account_ids
        return out

    def _threads_of_call(self, threads: int | None, rows: int) -> int:
        if threads is not None:
            return _checked_threads(threads)
        if rows <= SMALL_BOOK:
            return 1
        return self.threads if self.threads is not None else _levcore.default_threads()


def _rebuild(policy: MarginPolicy, threads: int | None, instruction_set: str | None) -> Engine:
    return Engine(policy, threads=threads, instruction_set=instruction_set)


def _checked_threads(threads: int) -> int:
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise DTypeError("threads", "must be a whole number", "int", type(threads).__name__)
    if not 1 <= threads <= 256:
        raise InputError("threads", "must be from 1 to 256", "1 to 256", str(threads))
    return threads


def mark_column(book: PositionBook, marks: Marks) -> Floats:
    """Mark prices by ``book.instrument_names``, NaN where missing.

    Raises
    ------
    DTypeError, ShapeError
        For prices that are no numbers, or an array of the wrong length.
    """
    if isinstance(marks, (dict, Mapping)):  # dict first: asking for the kind takes longer
        prices = [marks.get(name, np.nan) for name in book.instrument_names]
        if not PLAIN_NUMBERS.issuperset(map(type, prices)):
            prices = [real_number("marks", price, place) for place, price in enumerate(prices)]
        column: Floats = np.array(prices, dtype=np.float64)
        return column
    if isinstance(marks, (int, float)):
        # One price for every instrument is nobody's book.
        raise ShapeError(
            "marks", "must name its instrument", "a mapping, or one price an instrument", "a number"
        )
    return float_column("marks", marks, len(book.instrument_names), [])


def raise_for_bad_rows(risk: BookRisk) -> None:
    """Raise `InvalidRowsError` if any row is without some of its numbers."""
    rows = np.flatnonzero(risk.status >= FIRST_PARTIAL)
    if rows.size:
        first = Status(risk.status[rows[0]])
        raise InvalidRowsError(
            "book",
            "holds rows that cannot be evaluated",
            "",
            first.name,
            rows.tolist(),
            risk.status[rows].tolist(),
        )
