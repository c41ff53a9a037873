"""Balances in a report: what accounts hold in several assets, and the prices that liquidate them."""

from dataclasses import dataclass

import numpy as np

from levcore.engine.risk import BookRisk
from levcore.status import FIRST_FAILURE, Status

__all__ = ["BalanceLine", "balance_lines"]


@dataclass(frozen=True)
class BalanceLine:
    """One balance of a list: equity in units of the asset, all else in the account's currency."""

    account: str
    asset: str
    equity: float
    market_value: float
    collateral_value: float
    maintenance_margin: float
    liquidation_price_lower: float
    liquidation_price_upper: float
    status: Status


def balance_lines(risk: BookRisk, top: int) -> tuple[BalanceLine, ...]:
    """Balances that failed, then the largest by value."""
    held, balances = risk.balances, risk.book.balances
    if balances is None:
        return ()
    failed = held.status >= FIRST_FAILURE
    order = np.lexsort((-np.abs(np.nan_to_num(held.market_value)), ~failed))[:top]
    return tuple(
        BalanceLine(
            account=str(balances.account[row]),
            asset=balances.asset_names[int(balances.asset_codes[row])],
            equity=float(held.equity[row]),
            market_value=float(held.market_value[row]),
            collateral_value=float(held.collateral_value[row]),
            maintenance_margin=float(held.maintenance_margin[row]),
            liquidation_price_lower=float(held.liquidation_price_lower[row]),
            liquidation_price_upper=float(held.liquidation_price_upper[row]),
            status=Status(int(held.status[row])),
        )
        for row in order.tolist()
    )
