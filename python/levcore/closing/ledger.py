"""Double entries in whole quanta: who gave what to whom."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from levcore.closing.money import Wholes

__all__ = ["ACCOUNTS", "Ledger"]

ACCOUNTS = (
    "margin",
    "closed",
    "market",
    "fees",
    "trader",
    "fund",
    "other money",
    "deleveraged",
    "socialised",
    "rounding",
    "owed",
    "claim",
    "written off",
)
"""Accounts of the ledger. ``closed`` is what is being settled and ends at zero; ``rounding`` is what shares
rounded down leave, borne by the venue; ``owed`` and ``claim`` are debts of traders, ``written off`` is
borne by the venue."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries, each an amount that leaves one account and enters another.

    Attributes
    ----------
    source, target : ndarray of uint8, shape (e,)
        Places in `ACCOUNTS`.
    amount : ndarray of int64, shape (e,), quanta
        Negative: the other way.
    row : ndarray of int64, shape (e,)
        First row of the position or account that was closed; for ``deleveraged`` and ``socialised`` entries
        the row of the winner.
    """

    source: npt.NDArray[np.uint8]
    target: npt.NDArray[np.uint8]
    amount: Wholes
    row: Wholes

    @classmethod
    def of(cls, entries: Iterable[tuple[str, str, Wholes, Wholes]]) -> "Ledger":
        """Ledger of columns (from, to, amounts, rows); amounts of zero are left out."""
        parts = []
        for source, target, amount, row in entries:
            kept = amount != 0
            pair = [np.full(int(kept.sum()), ACCOUNTS.index(name), np.uint8) for name in (source, target)]
            parts.append((*pair, amount[kept], row[kept]))
        sources, targets, amounts, rows = zip(*parts, strict=True)
        return cls(*map(np.concatenate, (sources, targets)), *map(np.concatenate, (amounts, rows)))

    def __len__(self) -> int:
        """Number of entries."""
        return self.amount.size

    def total(self, source: str, target: str) -> int:
        """What went from one account to another, quanta."""
        pair = (self.source == ACCOUNTS.index(source)) & (self.target == ACCOUNTS.index(target))
        return sum(self.amount[pair].tolist())

    def balances(self) -> dict[str, int]:
        """What each account received less what it gave, quanta of any size; they add up to zero."""
        return {
            name: sum(self.amount[self.target == code].tolist())
            - sum(self.amount[self.source == code].tolist())
            for code, name in enumerate(ACCOUNTS)
        }
