"""Sums of a comparison: over the positions that every policy evaluates, and over accounts that net theirs."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.book.listings import settlements
from levcore.engine.compiled import pools_every_account
from levcore.status import AccountStatus

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.comparison.comparison import Comparison
    from levcore.engine.risk import BookRisk

__all__ = ["OF_ACCOUNTS", "comparison_totals", "judged_accounts"]

Flags = npt.NDArray[np.bool_]

SUMS = ("notional", "unrealized_pnl")
MARGINS = ("initial_margin", "maintenance_margin")
ACCOUNT_SUMS = ("equity", "collateral_value", "liabilities", *MARGINS)
OF_ACCOUNTS = "accounts with balances"
"""Key of sums over accounts with balances, in the currency of the asset prices."""


def comparison_totals(comparison: "Comparison") -> dict[str, dict[str, dict[str, float]]]:
    """What `Comparison.totals` returns."""
    book, rows, accounts = comparison.book, comparison.compared, comparison.judged
    pooled = _pooled_accounts(comparison)
    in_assets = np.zeros_like(pooled)
    if book.balance_columns is not None:
        in_assets[book.balance_columns.account] = True
    alone = rows & ~_rows_of(book, pooled)
    return {
        label: _of_rows(risk, rows, alone, pooled & accounts & ~in_assets)
        | _of_balances(risk, in_assets & accounts)
        for label, risk in comparison.answers.items()
    }


def _pooled_accounts(comparison: "Comparison") -> Flags:
    """Accounts whose margin need not be the sum of their rows: balances, hedged legs, netted sides."""
    book = comparison.book
    pooled = np.zeros(len(book.account_ids), dtype=np.bool_)
    if any(pools_every_account(risk.policies[0]) for risk in comparison.answers.values()):
        pooled[:] = True
    if book.balance_columns is not None:
        pooled[book.balance_columns.account] = True
    if book.position_mode == "hedge" and book.account_codes is not None:
        legs = np.flatnonzero(book.is_cross)
        pairs = np.stack((book.account_codes[legs], book.instrument_codes[legs]))
        held, count = np.unique(pairs, axis=1, return_counts=True)
        pooled[held[0, count > 1]] = True
    return pooled


def _rows_of(book: "PositionBook", accounts: Flags) -> Flags:
    """Cross rows of some accounts, shape (n,)."""
    rows = book.is_cross.copy()
    if book.account_codes is not None:
        rows[rows] = accounts[book.account_codes[rows]]
    return rows


def _of_rows(risk: "BookRisk", rows: Flags, alone: Flags, netted: Flags) -> dict[str, dict[str, float]]:
    """Sums by settlement currency; margins of `netted` accounts, those of a wallet, are the accounts' own."""
    currencies, place = settlements(risk.book, risk.policies)
    of_row = place[risk.book.instrument_codes]
    number = len(currencies)
    totals: dict[str, dict[str, float]] = {
        currencies[code]: {
            name: float(np.bincount(of_row[rows], risk.column(name)[rows], number)[code]) for name in SUMS
        }
        for code in np.flatnonzero(np.bincount(of_row[rows], minlength=number)).tolist()
    }
    of_account = np.zeros(len(risk.accounts), dtype=np.int64)
    if risk.book.account_codes is not None:
        cross = risk.book.is_cross
        of_account[risk.book.account_codes[cross]] = of_row[cross]
    held = np.bincount(of_row[alone], minlength=number) + np.bincount(of_account[netted], minlength=number)
    for name in MARGINS:
        margin = np.bincount(of_row[alone], risk.column(name)[alone], number)
        margin += np.bincount(of_account[netted], getattr(risk.accounts, name)[netted], number)
        for code in np.flatnonzero(held).tolist():
            totals[currencies[code]][name] = float(margin[code])
    return totals


def _of_balances(risk: "BookRisk", accounts: Flags) -> dict[str, dict[str, float]]:
    if not accounts.any():
        return {}
    return {OF_ACCOUNTS: {name: float(getattr(risk.accounts, name)[accounts].sum()) for name in ACCOUNT_SUMS}}


def judged_accounts(comparison: "Comparison") -> Flags:
    """Accounts that every policy which answers could judge, shape (a,)."""
    every = np.full(len(comparison.book.account_ids), bool(comparison.answers))
    for risk in comparison.answers.values():
        every &= risk.accounts.status == AccountStatus.OK
    return every
