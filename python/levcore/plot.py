"""Figures of results for notebooks and papers, drawn by matplotlib: the extra ``plot``.

They are the figures of the HTML reports. Each function returns a ``matplotlib.figure.Figure`` with one set of
axes: no window is opened and no state of pyplot is touched; ``.savefig(path)`` writes it.

>>> import levcore as lc
>>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
>>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
>>> marks = {"BTCUSDT": 61_000.0}
>>> shocks = {"scenario": ["fall", "crash"], "BTCUSDT": [-0.1, -0.3]}
>>> lc.plot.scenarios(lc.stress(engine, book, marks, shocks)).axes[0].get_title(loc="left")
'Equity by scenario'
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from levcore.arguments import of_kind
from levcore.book.arrays import float_column
from levcore.closing.ladder import Ladder
from levcore.comparison.comparison import Comparison
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.planning.plan import Plan
from levcore.replays.result import Replay
from levcore.reports.charts.model import Figure
from levcore.reports.charts.plot import plot
from levcore.reports.comparison.figures import liquidation_figures, margin_figures
from levcore.reports.comparison.lists import by_notional
from levcore.reports.ladder import ladder_figure
from levcore.reports.plan.figure import plan_figure
from levcore.reports.replay.figures import replay_figures
from levcore.reports.risk.account_figure import account_figure
from levcore.reports.risk.figures import distance_figures
from levcore.reports.risk.gather import gather
from levcore.reports.stress import factor_figure, scenario_figure
from levcore.stress_testing.result import StressTotals

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

__all__ = ["account", "comparison", "distances", "factors", "ladder", "payoff", "replay", "scenarios"]

DISTANCES = {"positions": 0, "notional": 1, "moves": 2}
COMPARED = ("liquidation", "margin")
REPLAYED = {
    "prices": "Prices, and how many are liquidated",
    "book": "The book",
    "fund": "The fund, and what nobody has paid",
    "loss": "Loss by part",
    "payers": "Who paid what was missing",
}


def distances(risk: BookRisk, what: Literal["positions", "notional", "moves"] = "notional") -> Plot:
    """Draw how far from liquidation a book is.

    Parameters
    ----------
    risk : BookRisk
        With every measure.
    what : {"notional", "positions", "moves"}
        Value or number of positions by distance; or the share of all value that a move of prices reaches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Where no position has a liquidation price, for another word, or where matplotlib is not installed.
    """
    of_kind("risk", risk, BookRisk)
    place = DISTANCES[_word(what, DISTANCES)]
    figures = distance_figures(gather(risk, top=0))
    return _drawn(figures[place : place + 1], "risk", "a position with a liquidation price")


def account(risk: BookRisk, account: Any, currency: str | None = None) -> Plot:
    """Draw a cross account as a waterfall: wallet, profit of each leg, equity, and what is required.

    Parameters
    ----------
    risk : BookRisk
        With every measure.
    account : str or int
        One of ``risk.accounts.ids``.
    currency : str, optional
        Settlement currency of the wallet, where the account has several.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        For an account that the book does not hold or that could not be judged, for one of several wallets
        without a currency, or where matplotlib is not installed.
    """
    of_kind("risk", risk, BookRisk)
    return plot(account_figure(risk, account, currency))


def ladder(ladder: Ladder, prices: npt.ArrayLike | None = None) -> Plot:
    """Draw what of a market is liquidated by the time a price is there.

    Parameters
    ----------
    ladder : Ladder
        What `levcore.ladder` returns where it is given no prices.
    prices : array_like, shape (p,), quote per base, optional
        Ascending; the first and the last are the ends of the axis. Half the mark and twice it where they are
        not given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        For prices that are not positive and ascending, or where matplotlib is not installed.
    """
    of_kind("ladder", ladder, Ladder)
    ends = (0.5 * ladder.mark, 2.0 * ladder.mark) if prices is None else prices
    over = float_column("prices", ends, None, [])
    if over.size < 2 or not 0.0 < over[0] < over[-1] < np.inf:
        raise InputError("prices", "must ascend", "two positive prices or more", repr(over.tolist()[:4]))
    return plot(ladder_figure(ladder, over))


def payoff(plan: Plan) -> Plot:
    """Draw profit and equity of a plan over the price, with liquidation and every other price that matters.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Where no policy could evaluate the position, or matplotlib is not installed.
    """
    of_kind("plan", plan, Plan)
    return plot(plan_figure(plan))


def comparison(
    comparison: Comparison, what: Literal["liquidation", "margin"] = "liquidation", *, top: int = 10
) -> Plot:
    """Draw where each policy liquidates the largest positions, or the margin that each asks for.

    Parameters
    ----------
    comparison : Comparison
    what : {"liquidation", "margin"}
        Margins are those of the first settlement currency.
    top : int
        How many positions.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Where no policy answers, for another word, or where matplotlib is not installed.
    """
    of_kind("comparison", comparison, Comparison)
    is_margin = _word(what, COMPARED) == "margin"
    figures = (
        margin_figures(comparison)
        if is_margin
        else liquidation_figures(comparison, by_notional(comparison, top))
    )
    return _drawn(figures[:1], "comparison", "an answer of a policy")


def scenarios(stress: StressTotals, currency: str | None = None, *, top: int = 20) -> Plot:
    """Draw the equity that each scenario leaves, from the one that leaves least.

    Parameters
    ----------
    stress : StressTotals
        What `levcore.stress`, a `levcore.StressIndex` or `levcore.cluster.stress` answers.
    currency : str, optional
        One of ``stress.currencies``, the first where it is not given.
    top : int
        How many scenarios.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        For a currency of no position, no scenarios, or where matplotlib is not installed.
    """
    of_kind("stress", stress, StressTotals)
    return plot(scenario_figure(stress, _currency(stress, currency), top=top))


def factors(
    stress: StressTotals,
    shocks: Any,
    across: str,
    down: str,
    *,
    measure: str = "liquidated_notional",
    currency: str | None = None,
) -> Plot:
    """Draw a heat map of what becomes of a book over the moves of two factors, or of two instruments.

    Parameters
    ----------
    stress : StressTotals
        What `levcore.stress`, a `levcore.StressIndex` or `levcore.cluster.stress` answers.
    shocks : table of columns
        What `levcore.stress` was given: a scenario each pair of moves.
    across, down : str
        Columns of `shocks`.
    measure : str
        ``liquidated_notional``, ``shortfall``, ``positions_liquidated``, ``accounts_liquidated`` or
        ``not_judged`` of `levcore.stress`.
    currency : str, optional
        One of ``stress.currencies``, the first where it is not given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        For another measure or currency, a column that is not there, two scenarios of one pair of moves, more
        than thirty moves of a factor, or where matplotlib is not installed.
    ShapeError
        For shocks of another number of scenarios.
    """
    of_kind("stress", stress, StressTotals)
    return plot(factor_figure(stress, shocks, across, down, measure, _currency(stress, currency)))


def replay(replay: Replay, what: Literal["prices", "book", "fund", "loss", "payers"] = "prices") -> Plot:
    """Draw what a replay says over time, or of what its losses are made.

    Parameters
    ----------
    replay : Replay
    what : {"prices", "book", "fund", "loss", "payers"}
        Prices with the share of positions liquidated; equity and open interest; the fund; the parts of the
        loss; who paid what was missing.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Where there is nothing to draw, for another word, or where matplotlib is not installed.
    """
    of_kind("replay", replay, Replay)
    title = REPLAYED[_word(what, REPLAYED)]
    found = [figure for figure in replay_figures(replay) if figure.title == title]
    return _drawn(found, "replay", f"something to draw of its {what}")


def _drawn(figures: list[Figure], argument: str, expected: str) -> Plot:
    if not figures:
        raise InputError(argument, "must have something to draw", expected, "none")
    return plot(figures[0])


def _word(what: str, known: Collection[str]) -> str:
    if what not in known:
        raise InputError("what", "must be a figure of this result", ", ".join(known), repr(what))
    return what


def _currency(stress: StressTotals, currency: str | None) -> str:
    if currency is None:
        return stress.currencies[0]
    if currency not in stress.currencies:
        raise InputError(
            "currency", "must be one of the result", ", ".join(stress.currencies), repr(currency)
        )
    return currency
