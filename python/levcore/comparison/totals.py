"""Totals of a comparison: of every policy over the same positions and accounts."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.engine.totals import MARGINS, OF_ACCOUNTS, totals_by_currency
from levcore.engine.wallet_places import netting_accounts
from levcore.status import AccountStatus

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["OF_ACCOUNTS", "comparison_totals", "judged_accounts"]

Flags = npt.NDArray[np.bool_]

SHOWN = ("notional", "unrealized_pnl", *MARGINS)


def comparison_totals(comparison: "Comparison") -> dict[str, dict[str, dict[str, float]]]:
    """What `Comparison.totals` returns."""
    netting = np.zeros(len(comparison.book.account_ids), dtype=np.bool_)
    for risk in comparison.answers.values():
        netting |= netting_accounts(risk.book, risk.policies)
    return {
        label: {
            currency: sums if currency == OF_ACCOUNTS else _shown(sums)
            for currency, sums in totals_by_currency(
                risk, rows=comparison.compared, accounts=comparison.judged, netting=netting
            ).items()
        }
        for label, risk in comparison.answers.items()
    }


def _shown(sums: dict[str, float]) -> dict[str, float]:
    """Long and short notional in one; what `Comparison.totals` names."""
    both = sums | {"notional": sums["long_notional"] + sums["short_notional"]}
    return {name: both[name] for name in SHOWN if name in both}


def judged_accounts(comparison: "Comparison") -> Flags:
    """Accounts that every policy which answers could judge, shape (a,)."""
    every = np.full(len(comparison.book.account_ids), bool(comparison.answers))
    for risk in comparison.answers.values():
        every &= np.isin(risk.accounts.status, (AccountStatus.OK, AccountStatus.SEVERAL_WALLETS))
    return every
