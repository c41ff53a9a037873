"""Totals of scenarios by numba: one loop over scenarios and positions, with one tier table as constants."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = ["accounts", "isolated"]

EQUITY, REQUIREMENT, SHORTFALL, LIQUIDATED = range(4)


@numba.njit(inline="always")
def _requirement(value: float, floors: Any, rates: Any, deductions: Any) -> float:
    tier = 0
    for line in range(1, floors.size):
        if value > floors[line]:
            tier = line
    return rates[tier] * value - deductions[tier]


@numba.njit(parallel=True)
def isolated(prices: Any, code: Any, quantity: Any, entry: Any, margin: Any, table: Any, out: Any) -> None:
    """Equity, requirement, shortfall, liquidated notional and liquidated positions by scenario."""
    floors, rates, deductions = table
    for scenario in numba.prange(prices.shape[0]):
        equities = requirements = short = gone = 0.0
        count = 0
        for row in range(code.size):
            price = prices[scenario, code[row]]
            value = abs(quantity[row]) * price
            equity = margin[row] + quantity[row] * (price - entry[row])
            requirement = _requirement(value, floors, rates, deductions)
            equities += equity
            requirements += requirement
            if equity < 0.0:
                short -= equity
            if requirement >= equity:
                gone += value
                count += 1
        out[0, scenario], out[1, scenario], out[2, scenario] = equities, requirements, short
        out[3, scenario], out[4, scenario] = gone, count


@numba.njit(parallel=True)
def accounts(
    prices: Any, code: Any, quantity: Any, entry: Any, wallet: Any, legs: int, table: Any, out: Any
) -> None:
    """The same of accounts with so many legs each, and accounts that are liquidated."""
    floors, rates, deductions = table
    for scenario in numba.prange(prices.shape[0]):
        equities = requirements = short = gone = 0.0
        count = 0
        for account in range(wallet.size):
            equity, requirement, held = wallet[account], 0.0, 0.0
            for row in range(account * legs, (account + 1) * legs):
                price = prices[scenario, code[row]]
                value = abs(quantity[row]) * price
                equity += quantity[row] * (price - entry[row])
                requirement += _requirement(value, floors, rates, deductions)
                held += value
            equities += equity
            requirements += requirement
            if equity < 0.0:
                short -= equity
            if requirement >= equity:
                gone += held
                count += 1
        out[0, scenario], out[1, scenario], out[2, scenario] = equities, requirements, short
        out[3, scenario], out[4, scenario] = gone, count


def new_output(scenarios: int) -> Any:
    """Room for what both write."""
    return np.zeros((5, scenarios))
