"""What a book becomes in many scenarios."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.frozen import Frozen
from levcore.shown import Shown

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["TOTALS", "Stress", "StressTotals", "Worst", "add_amounts"]

Wholes = npt.NDArray[np.int64]

AGAIN = "stress again, levcore.stress(...)"
TOTALS = ("equity", "maintenance_margin", "shortfall", "liquidated_notional")


class Worst(Frozen):
    """Of each position or account, the scenario that leaves it least.

    Attributes
    ----------
    scenario : ndarray of int64
        Number of the scenario with the lowest equity, the first of equal ones; -1 where none gave an equity.
    equity : ndarray of float64, settlement currency
        That equity; NaN where there is none.
    liquidations : ndarray of int64
        In how many scenarios it is liquidated.
    """

    __slots__ = ("equity", "liquidations", "scenario")

    _instead = AGAIN

    scenario: Wholes
    equity: Floats
    liquidations: Wholes

    def __init__(self, count: int) -> None:
        self._fill(
            scenario=np.full(count, -1, np.int64),
            equity=np.full(count, np.nan),
            liquidations=np.zeros(count, np.int64),
        )

    def take(self, scenario: int, equity: Floats, liquidated: npt.NDArray[np.bool_]) -> None:
        """Compare one more scenario."""
        with np.errstate(invalid="ignore"):
            lower = (equity < self.equity) | (np.isnan(self.equity) & ~np.isnan(equity))
        self.scenario[lower], self.equity[lower] = scenario, equity[lower]
        self.liquidations[:] += liquidated


class StressTotals(Frozen, Shown):
    """What becomes of a book in each scenario, in total.

    Made by `levcore.StressIndex` and by `levcore.cluster.stress`.

    Attributes
    ----------
    scenarios : ndarray, shape (s,)
        Their labels; 0, 1, ... where they have none.
    currencies : tuple of str
        Those that positions settle in; accounts with balances have a key of their own, as in the totals of a
        result.
    totals : dict of str to dict of str to ndarray of float64, shape (s,)
        By currency: ``equity`` and ``maintenance_margin`` of isolated positions and cross accounts,
        ``shortfall``, what those with an equity below zero are short of, and ``liquidated_notional``, the
        value at the scenario's marks of positions that are liquidated there. Sums of what could be judged,
        correctly rounded or as `levcore.stress` says under ``exact``; `not_judged` counts the rest.
    positions_liquidated, accounts_liquidated : ndarray of int64, shape (s,)
        Positions whose state is liquidation or bankrupt, those of accounts included; cross accounts.
    not_judged : ndarray of int64, shape (s,)
        Positions whose state is not known.
    rows : int
        Positions of the book.
    """

    __slots__ = (
        "accounts_liquidated",
        "currencies",
        "not_judged",
        "positions_liquidated",
        "rows",
        "scenarios",
        "totals",
    )

    _instead = AGAIN

    scenarios: npt.NDArray[Any]
    currencies: tuple[str, ...]
    rows: int
    totals: dict[str, dict[str, Floats]]
    positions_liquidated: Wholes
    accounts_liquidated: Wholes
    not_judged: Wholes

    def __init__(self, scenarios: npt.NDArray[Any], currencies: tuple[str, ...], rows: int) -> None:
        count = len(scenarios)
        self._fill(
            scenarios=scenarios,
            currencies=currencies,
            rows=rows,
            totals={each: {name: np.zeros(count) for name in TOTALS} for each in currencies},
            positions_liquidated=np.zeros(count, np.int64),
            accounts_liquidated=np.zeros(count, np.int64),
            not_judged=np.zeros(count, np.int64),
        )

    def __len__(self) -> int:
        """Number of scenarios."""
        return len(self.scenarios)

    def __repr__(self) -> str:
        """Sizes."""
        return f"{type(self).__name__}({len(self)} scenarios of {self.rows:,} positions)"

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Columns by scenario; amounts are named ``equity_USDT`` where there are several currencies."""
        several = len(self.currencies) > 1
        amounts = {
            f"{name}_{currency}" if several else name: values
            for currency in self.currencies
            for name, values in self.totals[currency].items()
        }
        return {
            "scenario": self.scenarios,
            **amounts,
            "positions_liquidated": self.positions_liquidated,
            "accounts_liquidated": self.accounts_liquidated,
            "not_judged": self.not_judged,
        }


class Stress(StressTotals):
    """What becomes of a book in each scenario, in total and by position; made by `levcore.stress`.

    Attributes
    ----------
    scenarios, currencies, totals, positions_liquidated, accounts_liquidated, not_judged, rows
        As `StressTotals` has them.
    worst_of_rows, worst_of_accounts : Worst
        By row (isolated ones; the others have none) and by account (``book.account_ids``); one with wallets
        in several currencies has no equity.
    book : PositionBook
    """

    __slots__ = ("book", "worst_of_accounts", "worst_of_rows")

    book: "PositionBook"
    worst_of_rows: Worst
    worst_of_accounts: Worst

    def __init__(
        self, book: "PositionBook", scenarios: npt.NDArray[Any], currencies: tuple[str, ...]
    ) -> None:
        super().__init__(scenarios, currencies, len(book))
        self._fill(book=book, worst_of_rows=Worst(len(book)), worst_of_accounts=Worst(len(book.account_ids)))

    def include(self, others: "Stress", rows: npt.NDArray[np.intp]) -> None:
        """Add a result for some rows of this one's book, which this one has none for yet."""
        for currency, totals in others.totals.items():
            for name, values in totals.items():
                self.totals[currency][name] += values
        self.positions_liquidated[:] += others.positions_liquidated
        self.not_judged[:] += others.not_judged
        for name in Worst.__slots__:
            getattr(self.worst_of_rows, name)[rows] = getattr(others.worst_of_rows, name)


def add_amounts(result: StressTotals, currencies: Sequence[str], totals: Floats) -> None:
    """Add amounts of shape (currencies, amounts, scenarios), as the core writes them, to a result.

    A currency that the result does not show is none of a position that is judged: its amounts are zero.
    """
    for code, currency in enumerate(currencies):
        if currency in result.totals:
            for place, name in enumerate(TOTALS):
                result.totals[currency][name] += totals[code, place]
