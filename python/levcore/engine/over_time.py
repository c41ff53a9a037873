"""A book at the marks of many times, evaluated by the core without a step of Python a time or row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import evaluate_over as core_evaluate_over
from levcore._levcore import exact_sums
from levcore.book.arrays import Floats
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks_over_time import marks_over_time
from levcore.engine.wallet_risk import of_accounts
from levcore.errors import InputError
from levcore.frozen import Frozen
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES, chosen_measures, measure_mask
from levcore.status import FIRST_FAILURE, State

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.engine import Engine

__all__ = ["RiskOverTime", "evaluate_over", "evaluations"]

VALUES_AT_ONCE = 1 << 22
"""Results of rows that are held at a time."""
DEFAULT = ("unrealized_pnl", "initial_margin", "maintenance_margin")


class RiskOverTime(Frozen):
    """What becomes of a book from time to time.

    Attributes
    ----------
    times : ndarray, shape (t,)
        As they were given; 0, 1, ... where they were not.
    measures : tuple of str
        Measures of rows that were asked for.
    totals : dict of str to ndarray of float64, shape (t,)
        Of each measure, the correctly rounded sum over the rows that have it; NaN where none has.
    states : ndarray of int64, shape (t, 6)
        Rows by `State`.
    failed : ndarray of int64, shape (t,)
        Rows without any number.
    accounts : dict of str to ndarray of float64, shape (t, a)
        Measures of the cross accounts, as `levcore.AccountRisk` has them.
    account_states, account_statuses : ndarray of uint8, shape (t, a)
        Codes of `State` and `AccountStatus`.
    account_ids : sequence
    rows : dict of str to ndarray of float64, shape (t, n)
        Of each measure, all rows; empty unless it was asked for.
    """

    __slots__ = (
        "account_ids",
        "account_states",
        "account_statuses",
        "accounts",
        "failed",
        "measures",
        "rows",
        "states",
        "times",
        "totals",
    )

    _instead = "evaluate again, engine.evaluate_over(...)"

    times: npt.NDArray[Any]
    measures: tuple[str, ...]
    account_ids: Sequence[Any]
    totals: dict[str, Floats]
    states: npt.NDArray[np.int64]
    failed: npt.NDArray[np.int64]
    accounts: dict[str, Floats]
    account_states: npt.NDArray[np.uint8]
    account_statuses: npt.NDArray[np.uint8]
    rows: dict[str, Floats]

    def __init__(
        self, book: "PositionBook", times: npt.NDArray[Any], measures: tuple[str, ...], keep: bool
    ) -> None:
        count, accounts = len(times), len(book.account_ids)
        self._fill(
            times=times,
            measures=measures,
            account_ids=book.account_ids,
            totals={name: np.zeros(count) for name in measures},
            states=np.zeros((count, len(State)), np.int64),
            failed=np.zeros(count, np.int64),
            accounts={name: np.empty((count, accounts)) for name in ACCOUNT_MEASURES},
            account_states=np.empty((count, accounts), np.uint8),
            account_statuses=np.empty((count, accounts), np.uint8),
            rows={name: np.empty((count, len(book))) for name in measures} if keep else {},
        )

    def __len__(self) -> int:
        """Number of times."""
        return len(self.times)

    def first(self, state: State) -> npt.NDArray[np.int64]:
        """Place of the first time at which each account is in this state or a worse one; -1: never.

        An account that could not be judged is in none.
        """
        reached = (self.account_states >= state) & (self.account_states != State.INCOMPLETE)
        if not len(self):
            return np.full(len(self.account_ids), -1, np.int64)
        return np.where(reached.any(axis=0), reached.argmax(axis=0), -1)

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Columns by time: totals, then the numbers of rows by state, then those that failed."""
        states = {state.name.lower(): self.states[:, state] for state in State}
        return {"time": self.times, **self.totals, **states, "failed": self.failed}

    def take(self, first: int, of_rows: "Both", accounts: "Both") -> None:
        """Write the times from `first` on: results of shape (t, k, n), codes (t, 2, n), and of accounts."""
        results, codes = of_rows
        count, rows = results.shape[0], results.shape[2]
        here = slice(first, first + count)
        groups = np.repeat(np.arange(count), rows)
        for place, name in enumerate(self.measures):
            values = np.ascontiguousarray(results[:, place, :])
            flat, missing = values.reshape(-1), np.isnan(values)
            sums = exact_sums(flat, np.where(missing.reshape(-1), -1, groups), count)
            # Nothing that is known is no amount of 0.
            sums[missing.all(axis=1) & (rows > 0)] = np.nan
            self.totals[name][here] = sums
            if self.rows:
                self.rows[name][here] = values
        keys = groups * len(State) + codes[:, 0, :].reshape(-1)
        self.states[here] = np.bincount(keys, minlength=count * len(State)).reshape(count, len(State))
        self.failed[here] = (codes[:, 1, :] >= FIRST_FAILURE).sum(axis=1)
        measures, account_codes = accounts
        for place, name in enumerate(ACCOUNT_MEASURES):
            self.accounts[name][here] = measures[:, place, :]
        self.account_states[here], self.account_statuses[here] = (
            account_codes[:, 0, :],
            account_codes[:, 1, :],
        )


def evaluate_over(
    engine: "Engine",
    book: "PositionBook",
    marks: Any,
    *,
    times: Any = None,
    measures: tuple[str, ...] = DEFAULT,
    keep_rows: bool = False,
    asset_prices: Mapping[str, float] | None = None,
    threads: int | None = None,
) -> RiskOverTime:
    """Evaluate a book at the marks of many times.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
        Positions, wallets and balances, which stay as they are over time.
    marks : array_like of shape (t, instruments) or (t, policies, instruments), or a frame
        Prices by time and ``book.instrument_names``. A frame (mapping of columns, pandas or polars) has one
        column an instrument; an instrument without a column has no mark.
    times : sequence, shape (t,), optional
        Labels of the times. A frame's column ``time``, or its index, where they are not given.
    measures : tuple of str
        Measures of rows to add up, of `levcore.MEASURES`.
    keep_rows : bool
        Whether to keep them by row, too: 8 bytes a time, measure and row.
    asset_prices : mapping of asset name to price, optional
        As `levcore.Engine.evaluate` takes them, the same at every time.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    RiskOverTime

    Raises
    ------
    ShapeError, DTypeError
        For marks or times of another shape or type.
    InputError
        For no measures, and a frame without any instrument of the book.
    UnknownRuleError
        As `levcore.Engine.evaluate`.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> path = engine.evaluate_over(book, {"time": [1, 2], "BTCUSDT": [61_000.0, 54_000.0]})
    >>> path.totals["unrealized_pnl"].tolist(), path.states[:, lc.State.LIQUIDATION].tolist()
    ([500.0, -3000.0], [0, 0])
    """
    names = chosen_measures(measures)
    if not names:
        raise InputError("measures", "must name one at least", "a measure", "none")
    prices, labels = marks_over_time(book, marks, times)
    risk = RiskOverTime(book, labels, names, keep_rows)
    wallets = engine.bind(book).wallets
    for first, of_rows, of_wallets in evaluations(engine, book, prices, names, asset_prices, threads):
        risk.take(first, of_rows, of_accounts(wallets, *of_wallets))
    return risk


def evaluations(
    engine: "Engine",
    book: "PositionBook",
    prices: Floats,
    names: tuple[str, ...],
    asset_prices: Mapping[str, float] | None,
    threads: int | None,
) -> Iterator[tuple[int, "Both", "Both"]]:
    """Evaluate at `prices`, some times at once, so that no result of all times and rows is held.

    Yields
    ------
    first : int
        Number of the first time.
    of_rows : tuple
        Results of shape (t, k, n) of the measures `names`, and codes of shape (t, 2, n): state and status.
    of_wallets : tuple
        Results of shape (t, `ACCOUNT_MEASURES`, w) and codes of shape (t, 2, w), by wallet.
    """
    bound, count = engine.bind(book), len(prices)
    if not count:
        return
    of_assets = asset_price_columns(book, bound.policies, asset_prices)
    balances = 0 if book.balances is None else len(book.balances)
    at_once = max(1, min(count, VALUES_AT_ONCE // max(1, len(book) * len(names))))
    sizes = len(book), len(bound.wallets), balances
    for first in range(0, count, at_once):
        some = np.ascontiguousarray(prices[first : first + at_once])
        results, of_wallets, of_balances = _buffers(len(some), len(names), *sizes)
        core_evaluate_over(
            bound.handle,
            bound.kernel,
            some.reshape(-1),
            len(some),
            measure_mask(names),
            *results,
            of_wallets,
            of_assets,
            of_balances,
            engine.used_instruction_set,
            engine.threads_of_call(threads, len(book)),
        )
        yield first, _by_time(len(some), results), _by_time(len(some), of_wallets)


Both = tuple[Floats, npt.NDArray[np.uint8]]


def _buffers(times: int, measures: int, rows: int, accounts: int, balances: int) -> tuple[Both, Both, Both]:
    """Results and codes of rows, accounts and balances, the rows of one time after those of the other."""

    def both(of_time: int, codes: int, width: int) -> Both:
        return np.empty((times * of_time, width)), np.empty((times * codes, width), np.uint8)

    return (
        both(measures, 2, rows),
        both(len(ACCOUNT_MEASURES), 2, accounts),
        both(len(BALANCE_MEASURES), 1, balances),
    )


def _by_time(times: int, arrays: Both) -> Both:
    results, codes = arrays
    return (
        results.reshape(times, results.shape[0] // times, results.shape[1]),
        codes.reshape(times, codes.shape[0] // times, codes.shape[1]),
    )
