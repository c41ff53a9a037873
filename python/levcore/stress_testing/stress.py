"""A book in many scenarios: what is left, required, liquidated and missing, and the worst of each account."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import exact_sums
from levcore.arguments import of_kind
from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes, settlements
from levcore.book.marks import mark_prices
from levcore.engine.engine import Engine
from levcore.engine.over_time import Both, evaluations
from levcore.engine.totals import OF_ACCOUNTS, currency_of_wallets
from levcore.engine.wallet_risk import of_accounts
from levcore.measures import ACCOUNT_MEASURES
from levcore.status import State
from levcore.stress_testing.accounts import sum_accounts
from levcore.stress_testing.assets import asset_prices_of_scenarios
from levcore.stress_testing.isolated import isolated_rows, sum_isolated
from levcore.stress_testing.result import Stress
from levcore.stress_testing.shocks import Betas, moves_of_instruments

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["stress"]

MEASURES = ("notional", "maintenance_margin", "equity")
EQUITY, REQUIREMENT = (ACCOUNT_MEASURES.index(name) for name in ("equity", "maintenance_margin"))


def stress(
    engine: Engine,
    book: "PositionBook",
    marks: "Marks",
    shocks: Any,
    *,
    betas: Betas | None = None,
    others: float | None = None,
    asset_prices: Mapping[str, float] | None = None,
    exact: bool = False,
    threads: int | None = None,
) -> Stress:
    """Evaluate a book in many scenarios, each a move of every price at once.

    In each, every position and account becomes what `levcore.Engine.evaluate` says at the moved marks;
    nothing of the size of positions times scenarios is kept.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks, asset_prices
        As `levcore.Engine.evaluate` takes them: where the moves start.
    shocks : table of columns, or array_like of shape (s, instruments)
        Moves as fractions of the mark, -0.2 is a fall by 20 %; one column an instrument (a mapping, pandas or
        polars), in a column ``scenario`` their names; or an array in the order of ``book.instrument_names``.
        With `betas`, one column a factor. Windows of history are such a table of returns.
    betas : mapping of instrument to a mapping of factor to number, optional
        An instrument moves by the sum of its betas times the factors' moves, added in their order.
    others : float, optional
        Move of instruments that `shocks`, or `betas`, does not name.
    exact : bool
        Whether to evaluate every position in every scenario, so that totals are correctly rounded sums of
        what each evaluation gives. Else isolated positions are followed by the lines between their tiers,
        and cross accounts with one wallet side by side in many scenarios, at a fraction of the time: totals
        differ by at most 2^-50 of the sum of margins, wallets, entry values and values there. Numbers,
        states and worst scenarios are the same.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    Stress

    Raises
    ------
    ShapeError, DTypeError, InputError
        For moves that are no numbers above -1, of another shape, of strangers, or missing for an instrument.
    UnknownRuleError
        As `levcore.Engine.evaluate`.

    Notes
    -----
    Assets of balances that are the underlying of one of the book's instruments move as that does; others
    stand still.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(
    ...     ["BTCUSDT", "ETHUSDT"], [0.5, 4.0], [60_000.0, 3_000.0], isolated_margin=[3_000.0, 1_200.0],
    ... )
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> marks = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}
    >>> worlds = lc.stress(engine, book, marks, {"BTCUSDT": [0.0, -0.1, -0.2], "ETHUSDT": [0.0, -0.05, -0.3]})
    >>> worlds.positions_liquidated.tolist(), worlds.totals["USDT"]["shortfall"].round(2).tolist()
    ([0, 1, 2], [0.0, 0.0, 5400.0])
    """
    of_kind("engine", engine, Engine)
    prices = np.asarray(mark_prices(book, marks))
    moves, labels = moves_of_instruments(book, shocks, betas, others)
    moved = prices[np.newaxis] * (1.0 + moves).reshape(len(moves), *(1,) * (prices.ndim - 1), -1)
    result = Stress(book, labels, _currencies(engine, book))
    if exact or not len(moved) or not sum_accounts(engine, book, moved, result, threads):
        _evaluate_each(engine, result, moves, moved, asset_prices, threads)
        return result
    apart = ~np.asarray(book.is_cross)
    if apart.any():
        rows = np.flatnonzero(apart & ~sum_isolated(engine, book, moved, result, threads))
        rest = Stress(isolated_rows(book, rows), labels, result.currencies)
        if rows.size:
            _evaluate_each(engine, rest, moves, moved, asset_prices, threads)
            result.include(rest, rows)
    return result


def _evaluate_each(
    engine: Engine,
    result: Stress,
    moves: Floats,
    moved: Floats,
    asset_prices: Mapping[str, float] | None,
    threads: int | None,
) -> None:
    """Fill a result by an evaluation of its book a scenario."""
    sums = _Sums(engine, result.book)
    for first, of_rows, of_wallets in _evaluated(engine, result.book, moves, moved, asset_prices, threads):
        sums.take(result, first, of_rows, of_wallets)


def _evaluated(
    engine: Engine,
    book: "PositionBook",
    moves: Floats,
    moved: Floats,
    asset_prices: Mapping[str, float] | None,
    threads: int | None,
) -> Iterator[tuple[int, Both, Both]]:
    if book.balances is None:
        yield from evaluations(engine, book, moved, MEASURES, asset_prices, threads)
        return
    policies = engine.bind(book).policies
    for scenario, prices in enumerate(asset_prices_of_scenarios(book, policies, asset_prices, moves)):
        one = moved[scenario : scenario + 1]
        for _, of_rows, of_wallets in evaluations(engine, book, one, MEASURES, prices, threads):
            yield scenario, of_rows, of_wallets


def _currencies(engine: Engine, book: "PositionBook") -> tuple[str, ...]:
    named = tuple(settlements(book, engine.bind(book).policies)[0])
    return named if book.balances is None else (*named, OF_ACCOUNTS)


class _Sums:
    """Where each isolated row and each wallet is added up."""

    def __init__(self, engine: Engine, book: "PositionBook") -> None:
        bound = engine.bind(book)
        currencies, place = settlements(book, bound.policies)
        self.cross, self.wallets = np.asarray(book.is_cross), bound.wallets
        self.of_row = place[listing_codes(book)]
        self.of_wallet = currency_of_wallets(book, bound.policies, bound.wallets)
        if book.balance_columns is not None:
            self.of_wallet[bound.wallets.first_of(book.balance_columns.account)] = len(currencies)

    def take(self, result: Stress, first: int, of_rows: Both, of_wallets: Both) -> None:
        """Add the scenarios from `first` on to a result."""
        for step in range(len(of_rows[0])):
            rows, codes = of_rows[0][step], of_rows[1][step, 0]
            wallets, wallet_codes = of_wallets[0][step], of_wallets[1][step]
            accounts, account_codes = of_accounts(self.wallets, wallets, wallet_codes)
            result.accounts_liquidated[first + step] = _liquidated(account_codes[0]).sum()
            self._totals(result, first + step, (rows, codes), wallets)
            isolated = np.where(self.cross, np.nan, rows[2])
            result.worst_of_rows.take(first + step, isolated, _liquidated(codes) & ~self.cross)
            result.worst_of_accounts.take(first + step, accounts[EQUITY], _liquidated(account_codes[0]))

    def _totals(
        self,
        result: Stress,
        scenario: int,
        of_rows: tuple[Floats, npt.NDArray[np.uint8]],
        wallets: Floats,
    ) -> None:
        (notional, required, equity), codes = of_rows
        apart = ~self.cross
        place = np.concatenate([self.of_row[apart], self.of_wallet])
        own = np.concatenate([equity[apart], wallets[EQUITY]])
        needed = np.concatenate([required[apart], wallets[REQUIREMENT]])
        lost = _liquidated(codes)
        count = len(result.currencies)
        totals = {
            "equity": _sums(own, place, count),
            "maintenance_margin": _sums(needed, place, count),
            "shortfall": _sums(np.where(own < 0.0, -own, 0.0), place, count),
            "liquidated_notional": _sums(notional[lost], self.of_row[lost], count),
        }
        for code, currency in enumerate(result.currencies):
            for name, values in totals.items():
                result.totals[currency][name][scenario] = values[code]
        result.positions_liquidated[scenario] = lost.sum()
        result.not_judged[scenario] = (codes == State.INCOMPLETE).sum()


def _liquidated(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    reached: npt.NDArray[np.bool_] = (codes >= State.LIQUIDATION) & (codes != State.INCOMPLETE)
    return reached


def _sums(values: Floats, place: npt.NDArray[np.int64], count: int) -> Floats:
    """Correctly rounded sums of the values that there are, by place; -1 is none."""
    return exact_sums(np.ascontiguousarray(values), np.where(np.isnan(values), -1, place), count)
