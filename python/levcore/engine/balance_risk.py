"""Results for the balances of accounts: one value a balance, in the caller's row order."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table
from levcore.book.arrays import Floats
from levcore.engine.frames import ExportsFrame, balance_table
from levcore.measures import BALANCE_MEASURES
from levcore.status import FIRST_PARTIAL, Status

if TYPE_CHECKING:
    from levcore.book.balances import Balances

__all__ = ["BalanceRisk"]

Bytes = npt.NDArray[np.uint8]


class BalanceRisk(ExportsFrame):
    """Measures of balances; every one is NaN where `status` is 16 or more.

    Attributes
    ----------
    equity : ndarray of float64, shape (b,), units of the asset
        Balance plus the profit of positions that settle in it, less what is owed unless liabilities count as
        a requirement.
    market_value : ndarray of float64, shape (b,), the account's currency
        Equity at the asset's price.
    collateral_value : ndarray of float64, shape (b,), the account's currency
        What of it counts, by the policy's weights; negative for a negative equity.
    maintenance_margin, initial_margin : ndarray of float64, shape (b,), the account's currency
        What the liability asks for.
    liquidation_price_lower, liquidation_price_upper : ndarray of float64, shape (b,), the account's currency
        Prices of the asset at which the account is liquidated, everything on its underlying moving with it;
        NaN where there is none.
    status : ndarray of uint8, shape (b,)
        Codes of `Status`.
    """

    __slots__ = ("_codes", "_results", "balances")

    def __init__(self, balances: "Balances | None") -> None:
        self.balances = balances
        rows = 0 if balances is None else len(balances)
        self._results = np.empty((len(BALANCE_MEASURES), rows))
        self._codes = np.empty((1, rows), dtype=np.uint8)

    def __len__(self) -> int:
        """Number of balances."""
        return self._codes.shape[1]

    @property
    def buffers(self) -> tuple[npt.NDArray[np.float64], Bytes]:
        """Where the kernel and the reference write."""
        return self._results, self._codes

    @property
    def equity(self) -> Floats:
        """Equity, units of the asset."""
        return self._measure("equity")

    @property
    def market_value(self) -> Floats:
        """Equity at the asset's price, the account's currency."""
        return self._measure("market_value")

    @property
    def collateral_value(self) -> Floats:
        """What counts of the equity, the account's currency."""
        return self._measure("collateral_value")

    @property
    def maintenance_margin(self) -> Floats:
        """Maintenance margin of the liability, the account's currency."""
        return self._measure("maintenance_margin")

    @property
    def initial_margin(self) -> Floats:
        """Initial margin of the liability, the account's currency."""
        return self._measure("initial_margin")

    @property
    def liquidation_price_lower(self) -> Floats:
        """Lower price of the asset that liquidates, the account's currency."""
        return self._measure("liquidation_price_lower")

    @property
    def liquidation_price_upper(self) -> Floats:
        """Upper price of the asset that liquidates, the account's currency."""
        return self._measure("liquidation_price_upper")

    @property
    def status(self) -> Bytes:
        """Codes of `Status`."""
        codes: Bytes = self._codes[0]
        return codes

    def _measure(self, name: str) -> Floats:
        column: Floats = self._results[BALANCE_MEASURES.index(name)]
        return column

    def _table(self) -> Table:
        return balance_table(self)

    def to_dict(self) -> dict[str, Any]:
        """Columns by name, ``account`` and ``asset`` first; views of the results, not copies."""
        columns: dict[str, Any] = {}
        if self.balances is not None:
            names = self.balances.asset_names
            columns = {
                "account": list(self.balances.account),
                "asset": [names[code] for code in self.balances.asset_codes.tolist()],
            }
        columns.update(zip(BALANCE_MEASURES, self._results, strict=True))
        return columns | {"status": self.status}

    def failures(self) -> list[tuple[int, Status]]:
        """Rows of balances without numbers, with the reason."""
        return [(int(row), Status(self.status[row])) for row in np.flatnonzero(self.status >= FIRST_PARTIAL)]
