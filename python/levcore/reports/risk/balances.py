"""Balances in a report: what accounts hold in several assets, and the prices that liquidate them."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np

from levcore.engine.risk import BookRisk
from levcore.reports.numbers import amount, price, prices
from levcore.status import FIRST_FAILURE, Status

__all__ = ["BALANCE_HEADERS", "BalanceLine", "balance_cells", "balance_lines"]

BALANCE_HEADERS = (
    "account", "asset", "equity", "value", "counted", "maintenance", "liquidation", "status",
)  # fmt: skip


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


def balance_cells(lines: Iterable[BalanceLine], *, html: bool = False) -> list[tuple[str, ...]]:
    """Cells of the lines under `BALANCE_HEADERS`, escaped for HTML if wanted."""
    return [
        (
            escape(line.account) if html else line.account,
            escape(line.asset) if html else line.asset,
            price(line.equity),
            amount(line.market_value),
            amount(line.collateral_value),
            amount(line.maintenance_margin),
            prices(line.liquidation_price_lower, line.liquidation_price_upper),
            line.status.phrase,
        )
        for line in lines
    ]
