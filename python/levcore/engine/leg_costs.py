"""Which leg costs what: each cross account without one of its legs after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore._levcore import leave_one_out as core_leave_one_out
from levcore._levcore import measure_distances_without
from levcore.arguments import of_kind
from levcore.book.arrays import Floats
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import mark_prices
from levcore.engine.account_risk import AccountRisk
from levcore.engine.columns import CodeColumn, Failure, ResultColumns
from levcore.engine.distances import AccountDistance, beta_columns
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.frozen import Frozen
from levcore.measures import ACCOUNT_MEASURES
from levcore.status import FIRST_FAILURE, AccountStatus, Code, State

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["OF_ROWS", "AccountWithout", "DistanceWithout", "LegCosts", "leg_costs"]

OF_ROWS = ("initial_margin", "maintenance_margin", "margin_ratio")
"""Measures of rows that an isolated position, its own account, is charged by."""


class _ByRow(ResultColumns):
    """Columns about the account of each row, without that row."""

    __slots__ = ()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.book)

    def _labels(self) -> dict[str, Any]:
        return {"row": np.arange(len(self))}

    def _failure(self, place: int, status: Code) -> Failure:
        book = self.book
        is_leg = book.account_codes is not None and bool(book.is_cross[place])
        account = book.account_ids[int(book.account_codes[place])] if is_leg else None  # type: ignore[index]
        return Failure(place, account, status, "", None)


class AccountWithout(_ByRow, AccountRisk):
    """Measures of the account of each row without it, as `levcore.AccountRisk` has them, one value a row."""

    __slots__ = ()

    state: CodeColumn[State] = CodeColumn(State)
    status: CodeColumn[AccountStatus] = CodeColumn(AccountStatus)

    def __init__(self, book: PositionBook) -> None:
        results, codes = np.empty((len(self.table), len(book))), np.empty((2, len(book)), dtype=np.uint8)
        self._fill(book=book, _results=results, _codes=codes)


class DistanceWithout(_ByRow, AccountDistance):
    """Distance to liquidation of the account of each row without it, one value a row."""

    __slots__ = ()

    status: CodeColumn[AccountStatus] = CodeColumn(AccountStatus)

    def __init__(self, book: PositionBook) -> None:
        results, codes = np.empty((2, len(book))), np.empty((1, len(book)), dtype=np.uint8)
        self._fill(book=book, _results=results, _codes=codes)


class LegCosts(Frozen):
    """What each position adds to its account, one value a row.

    A position that is left out takes its profit, funding and margins with it; what it covered or netted is
    charged in full. An isolated position is its own account: without it no margin is left, and no ratio.

    Parameters
    ----------
    risk : BookRisk
        The book with all of its positions.

    Attributes
    ----------
    risk : BookRisk
        The book with all of its positions, `OF_ROWS` of its rows.
    without : AccountWithout
        The account of each row without it, by row, with the measures of `levcore.AccountRisk`: to the last
        bit what evaluating the book without that row gives.
    distance : DistanceWithout or None
        Distance to liquidation of the account of each row without it, by row, where it was asked for; NaN for
        isolated positions.
    """

    __slots__ = ("distance", "risk", "without")

    _instead = "find them again, levcore.leg_costs(...)"

    risk: BookRisk
    without: AccountWithout
    distance: DistanceWithout | None

    def __init__(self, risk: BookRisk, *, with_distances: bool = False) -> None:
        distance = DistanceWithout(risk.book) if with_distances else None
        self._fill(risk=risk, without=AccountWithout(risk.book), distance=distance)

    def __len__(self) -> int:
        """Number of positions."""
        return len(self.without)

    @property
    def marginal_initial_margin(self) -> Floats:
        """Initial margin of the account less that without the position, settlement currency.

        Negative: the position hedges more than it is charged.
        """
        return self._marginal("initial_margin")

    @property
    def marginal_maintenance_margin(self) -> Floats:
        """The same of the maintenance margin."""
        return self._marginal("maintenance_margin")

    @property
    def marginal_margin_ratio(self) -> Floats:
        """Margin ratio of the account less that without the position, a fraction.

        Negative: it helps. NaN where there is no equity with it and none without.
        """
        return self._marginal("margin_ratio")

    def to_dict(self) -> dict[str, Any]:
        """Columns by name: what each position adds, then its account without it."""
        measured = self.without.to_dict()
        columns = {
            "row": np.arange(len(self)),
            "marginal_initial_margin": self.marginal_initial_margin,
            "marginal_maintenance_margin": self.marginal_maintenance_margin,
            "marginal_margin_ratio": self.marginal_margin_ratio,
            **{f"{name}_without": measured[name] for name in measured if name != "row"},
        }
        if self.distance is not None:
            columns |= {
                "distance_lower_without": self.distance.lower,
                "distance_upper_without": self.distance.upper,
                "distance_status_without": self.distance.status,
            }
        return columns

    def failures(self, limit: int | None = None) -> list[Failure]:
        """Rows whose account cannot be judged without them; the first `limit` of them."""
        return self.without.failures(limit)

    def _marginal(self, measure: str) -> Floats:
        with_it: Floats = np.array(self.risk[measure])
        cross, wallets = self.risk.book.is_cross, self.risk.wallets
        if wallets.columns.of_row is not None:
            with_it[cross] = getattr(wallets, measure)[wallets.columns.of_row[cross]]
        with np.errstate(invalid="ignore"):  # infinite with and without: no difference is known
            marginal: Floats = with_it - getattr(self.without, measure)
        return marginal

    def fill_isolated(self) -> None:
        """Write the rows that the kernel leaves: isolated positions, which nothing is left without."""
        isolated = ~self.risk.book.is_cross
        if not isolated.any():
            return
        results, codes = self.without.buffers
        failed = self.risk.status >= FIRST_FAILURE
        results[:, isolated] = np.nan
        for measure in ("initial_margin", "maintenance_margin"):
            results[ACCOUNT_MEASURES.index(measure), isolated & ~failed] = 0.0
        codes[0, isolated] = State.INCOMPLETE
        codes[1, isolated] = np.where(failed[isolated], AccountStatus.INCOMPLETE, AccountStatus.OK)
        if self.distance is not None:
            distances, statuses = self.distance.buffers
            distances[:, isolated] = np.nan
            statuses[:, isolated] = codes[1, isolated]


def leg_costs(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    *,
    asset_prices: Mapping[str, float] | None = None,
    with_distances: bool = False,
    betas: Mapping[str, float] | None = None,
    others: float | None = None,
    threads: int | None = None,
) -> LegCosts:
    """Find what each position adds to the margins and the margin ratio of its account.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks, asset_prices
        As `levcore.Engine.evaluate` takes them.
    with_distances : bool
        Whether to measure the distance to liquidation without each position too, which takes longer.
    betas, others
        As `levcore.distance` takes them; of use with distances only.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    LegCosts

    Raises
    ------
    ShapeError, DTypeError, InputError, UnknownRuleError
        As `levcore.Engine.evaluate` and `levcore.distance` do.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(
    ...     ["BTCUSDT", "ETHUSDT"], [0.5, 4.0], [60_000.0, 3_000.0], account=["a", "a"], margin_mode="cross",
    ...     leverage=10.0, wallet_balance={"a": 6_000.0},
    ... )
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> costs = lc.leg_costs(engine, book, {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0})
    >>> costs.marginal_maintenance_margin.tolist(), costs.without.margin_ratio.tolist()
    ([120.0, 48.0], [0.008, 0.02])
    """
    of_kind("engine", engine, Engine)
    bound = engine.bind(book)
    prices = mark_prices(book, marks)
    of_assets = asset_price_columns(book, bound.policies, asset_prices)
    workers = engine.threads_of_call(threads, len(book))
    risk = engine.evaluate(book, prices, asset_prices=asset_prices, measures=OF_ROWS, threads=threads)
    costs = LegCosts(risk, with_distances=with_distances)
    whole, instruction_set = bound.wallets.layout(book, pool_all=True), engine.used_instruction_set
    core_leave_one_out(
        whole, bound.kernel, prices.reshape(-1), of_assets, *costs.without.buffers, instruction_set, workers
    )
    if costs.distance is not None:
        measure_distances_without(
            whole,
            bound.kernel,
            prices.reshape(-1),
            of_assets,
            beta_columns(book, bound.policies, betas, others),
            *costs.distance.buffers,
            instruction_set,
            workers,
        )
    costs.fill_isolated()
    return costs
