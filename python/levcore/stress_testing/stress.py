"""A book in many scenarios: what is left, required, liquidated and missing, and the worst of each account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import of_kind
from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes, settlements
from levcore.book.marks import mark_prices
from levcore.book.positions import PositionBook
from levcore.book.wallets import Wallets
from levcore.engine.engine import Engine
from levcore.engine.exact_total import ExactTotal, exact_totals
from levcore.engine.over_time import Both, evaluations
from levcore.engine.totals import OF_ACCOUNTS, OF_THE_ONE
from levcore.engine.wallet_places import THE_ONE, places_of_wallets, the_one_currency
from levcore.engine.wallet_risk import of_accounts
from levcore.measures import ACCOUNT_MEASURES
from levcore.status import State
from levcore.stress_testing.accounts import sum_accounts
from levcore.stress_testing.assets import asset_prices_of_scenarios
from levcore.stress_testing.isolated import isolated_rows, sum_isolated
from levcore.stress_testing.result import TOTALS, Stress
from levcore.stress_testing.shocks import Betas, moves_of_instruments

if TYPE_CHECKING:
    from levcore.book.marks import Marks

__all__ = [
    "COUNTS",
    "MEASURES",
    "Sums",
    "each_scenario",
    "evaluate_each",
    "moved_prices",
    "resolved",
    "stress",
]

MEASURES = ("notional", "maintenance_margin", "equity")
COUNTS = ("positions_liquidated", "accounts_liquidated", "not_judged")
EQUITY, REQUIREMENT = (ACCOUNT_MEASURES.index(name) for name in ("equity", "maintenance_margin"))


def stress(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
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
    of_kind("book", book, PositionBook)
    of_kind("exact", exact, bool)
    prices = np.asarray(mark_prices(book, marks))
    moves, labels = moves_of_instruments(book, shocks, betas, others)
    moved = moved_prices(prices, moves)
    result = Stress(book, labels, Sums(engine, book).shown)
    if exact or not len(moved) or not sum_accounts(engine, book, moved, result, threads):
        evaluate_each(engine, result, moves, moved, asset_prices, threads)
        return result
    apart = ~np.asarray(book.is_cross)
    if apart.any():
        rows = np.flatnonzero(apart & ~sum_isolated(engine, book, moved, result, threads))
        rest = Stress(isolated_rows(book, rows), labels, result.currencies)
        if rows.size:
            evaluate_each(engine, rest, moves, moved, asset_prices, threads)
            result.include(rest, rows)
    return result


def moved_prices(prices: Floats, moves: Floats) -> Floats:
    """Prices of each scenario, in the shape of `prices` behind the scenarios."""
    with np.errstate(over="ignore"):
        # A price beyond the numbers fails its rows.
        moved: Floats = prices[np.newaxis] * (1.0 + moves).reshape(
            len(moves), *(1,) * (prices.ndim - 1), moves.shape[1]
        )
    return moved


def evaluate_each(
    engine: Engine,
    result: Stress,
    moves: Floats,
    moved: Floats,
    asset_prices: Mapping[str, float] | None,
    threads: int | None,
) -> None:
    """Fill a result by an evaluation of its book a scenario."""
    book, sums = result.book, Sums(engine, result.book)
    for scenario, of_rows, of_wallets in each_scenario(engine, book, moves, moved, asset_prices, threads):
        sums.take(result, scenario, of_rows, of_wallets)
        for currency, amounts in resolved(sums.totals(of_rows, of_wallets), sums.used, sums.shown).items():
            for name, value in amounts.items():
                result.totals[currency][name][scenario] = value


def each_scenario(
    engine: Engine,
    book: PositionBook,
    moves: Floats,
    moved: Floats,
    asset_prices: Mapping[str, float] | None,
    threads: int | None,
) -> Iterator[tuple[int, Both, Both]]:
    """Number of each scenario, measures and codes of its rows, and of its wallets."""
    for first, of_rows, of_wallets in _evaluated(engine, book, moves, moved, asset_prices, threads):
        for step in range(len(of_rows[0])):
            rows, wallets = ((values[step], codes[step]) for values, codes in (of_rows, of_wallets))
            yield first + step, rows, wallets


def _evaluated(
    engine: Engine,
    book: PositionBook,
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


class Sums:
    """Where each isolated row and each wallet is added up.

    Attributes
    ----------
    shown : tuple of str
        Currencies that totals are shown of: those that listed positions settle in.
    used : set of str
        Those that rows settle in.
    """

    cross: npt.NDArray[np.bool_]
    wallets: Wallets
    of_row: npt.NDArray[np.int64]
    of_wallet: npt.NDArray[np.int64]
    names: tuple[str, ...]
    shown: tuple[str, ...]
    used: set[str]

    def __init__(self, engine: Engine, book: PositionBook) -> None:
        bound = engine.bind(book)
        currencies, place = settlements(book, bound.policies)
        self.cross, self.wallets = np.asarray(book.is_cross), bound.wallets
        self.of_row = place[listing_codes(book)]
        self.of_wallet, names = places_of_wallets(book, bound.policies, bound.wallets)
        self.names = (*names, OF_THE_ONE, OF_ACCOUNTS)
        self.of_wallet[self.of_wallet == THE_ONE] = len(names)
        if book.balance_columns is not None:
            self.of_wallet[bound.wallets.first_of(book.balance_columns.account)] = len(names) + 1
        held = np.unique(listing_codes(book)).tolist()
        self.used = {currencies[place[code]] for code in held}
        listed = [name in policy.instruments for policy in bound.policies for name in book.instrument_names]
        # What no policy of a row lists has no currency, and no position that is judged.
        known = sorted({currencies[place[code]] for code in held if listed[code]})
        self.shown = tuple(known) if book.balances is None else (*known, OF_ACCOUNTS)

    def take(self, result: Stress, scenario: int, of_rows: Both, of_wallets: Both) -> None:
        """Compare a scenario with those before, and count in it."""
        rows, codes = of_rows[0], of_rows[1][0]
        accounts, account_codes = of_accounts(self.wallets, *of_wallets)
        for name, count in self.counts(of_rows, of_wallets).items():
            getattr(result, name)[scenario] = count
        isolated = np.where(self.cross, np.nan, rows[2])
        result.worst_of_rows.take(scenario, isolated, _liquidated(codes) & ~self.cross)
        result.worst_of_accounts.take(scenario, accounts[EQUITY], _liquidated(account_codes[0]))

    def counts(self, of_rows: Both, of_wallets: Both) -> dict[str, int]:
        """Positions and accounts that are liquidated, and positions that are not judged."""
        codes, account_codes = of_rows[1][0], of_accounts(self.wallets, *of_wallets)[1]
        counted = _liquidated(codes), _liquidated(account_codes[0]), codes == State.INCOMPLETE
        return {name: int(np.count_nonzero(each)) for name, each in zip(COUNTS, counted, strict=True)}

    def totals(self, of_rows: Both, of_wallets: Both) -> dict[tuple[str, str], ExactTotal]:
        """Exact totals of a scenario, by currency and name."""
        (notional, required, equity), codes, wallets = of_rows[0], of_rows[1][0], of_wallets[0]
        apart = ~self.cross
        place = np.concatenate([self.of_row[apart], self.of_wallet])
        own = np.concatenate([equity[apart], wallets[EQUITY]])
        needed = np.concatenate([required[apart], wallets[REQUIREMENT]])
        lost = _liquidated(codes)
        values = {
            "equity": (own, place),
            "maintenance_margin": (needed, place),
            "shortfall": (np.where(own < 0.0, -own, 0.0), place),
            "liquidated_notional": (notional[lost], self.of_row[lost]),
        }
        return {
            (currency, name): total
            for name, (amounts, places) in values.items()
            for currency, total in zip(self.names, _sums(amounts, places, len(self.names)), strict=True)
        }


def resolved(
    totals: Mapping[tuple[str, str], ExactTotal], used: Iterable[str], shown: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Rounded totals of the currencies shown; `used` are those that rows settle in."""
    the_one, nothing = the_one_currency(used), ExactTotal()
    return {
        currency: {
            name: float(
                totals.get((currency, name), nothing)
                + (totals.get((OF_THE_ONE, name), nothing) if currency == the_one else nothing)
            )
            for name in TOTALS
        }
        for currency in shown
    }


def _liquidated(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    reached: npt.NDArray[np.bool_] = (codes >= State.LIQUIDATION) & (codes != State.INCOMPLETE)
    return reached


def _sums(values: Floats, place: npt.NDArray[np.int64], count: int) -> list[ExactTotal]:
    """Exact sums of the values that there are, by place; -1 is none."""
    return exact_totals(np.ascontiguousarray(values), np.where(np.isnan(values), -1, place), count)
