"""Results for the balances of accounts: one value a balance, in the caller's row order."""

from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.engine.columns import CodeColumn, Column, Failure, ResultColumns
from levcore.measures import BALANCE_TABLE
from levcore.status import Code, Status

if TYPE_CHECKING:
    from levcore.book.balances import Balances
    from levcore.book.positions import PositionBook

__all__ = ["BalanceRisk"]


class BalanceRisk(ResultColumns):
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

    __slots__ = ()

    table = BALANCE_TABLE
    equity: Column = Column()
    market_value: Column = Column()
    collateral_value: Column = Column()
    maintenance_margin: Column = Column()
    initial_margin: Column = Column()
    liquidation_price_lower: Column = Column()
    liquidation_price_upper: Column = Column()
    status: CodeColumn[Status] = CodeColumn(Status)

    def __init__(self, book: "PositionBook") -> None:
        rows = 0 if book.balances is None else len(book.balances)
        results, codes = np.empty((len(self.table), rows)), np.empty((1, rows), dtype=np.uint8)
        self._fill(book=book, _results=results, _codes=codes)

    @property
    def balances(self) -> "Balances | None":
        """The balances of the book."""
        return self.book.balances

    def _labels(self) -> dict[str, Any]:
        """Account and asset of each balance."""
        if self.balances is None:
            return {"account": [], "asset": []}
        names = self.balances.asset_names
        return {
            "account": list(self.balances.account),
            "asset": [names[code] for code in self.balances.asset_codes.tolist()],
        }

    def _failure(self, place: int, status: Code) -> Failure:
        balances = self.balances
        assert balances is not None, "a balance failed, so there are balances"
        asset = balances.asset_names[balances.asset_codes[place]]
        of_asset = status in (Status.UNKNOWN_ASSET, Status.MISSING_ASSET_PRICE, Status.INVALID_ASSET_PRICE)
        if of_asset:
            return Failure(place, balances.account[place], status, "asset", asset)
        if status is Status.INVALID_BALANCE:
            return Failure(place, balances.account[place], status, "balance", float(balances.balance[place]))
        return Failure(place, balances.account[place], status, "", None)
