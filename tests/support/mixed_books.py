"""Books of several policies, joined from random books of one policy each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from support.random_books import Columns, book_of
from support.strategies import Case

__all__ = ["MixedBook", "join"]

ABSENT = {"isolated_margin": np.nan, "leverage": np.nan, "accrued_funding": 0.0, "risk_limit": np.nan}


@dataclass(frozen=True)
class MixedBook:
    """Columns of a book of several policies.

    Parameters
    ----------
    policies : dict of str to MarginPolicy
        By label.
    columns : dict
        Arguments of `levcore.PositionBook`.
    marks : ndarray of float64, shape (policies, instruments)
        NaN for an instrument that another policy alone has.
    """

    policies: dict[str, lc.MarginPolicy]
    columns: Columns
    marks: npt.NDArray[np.float64]

    def book(self, order: npt.NDArray[Any] | None = None) -> lc.PositionBook:
        """Book of all rows, in the order of the columns or in another."""
        return book_of(self.columns, order)

    def part(self, code: int) -> tuple[npt.NDArray[np.int64], lc.PositionBook]:
        """Rows of one policy, and a book of them alone that names no policy."""
        rows = np.flatnonzero(self.columns["policy"] == code)
        alone = {name: column for name, column in self.columns.items() if not name.startswith("policy")}
        own = self.columns["accounts"] % len(self.policies) == code
        alone |= {name: alone[name][own] for name in ("accounts", "wallet_balance")}
        return rows, book_of(alone, rows)


def join(cases: Sequence[Case], seed: int = 0) -> MixedBook:
    """One book of several, its rows at random; the accounts of a book stay its own.

    Account ids of the case at place `p` of `k` become ``id * k + p``.
    """
    count = len(cases)
    names = list(dict.fromkeys(name for _, columns, _ in cases for name in columns["instrument_names"]))
    marks = np.full((count, len(names)), np.nan)
    pieces: list[Columns] = []
    for code, (_, columns, prices) in enumerate(cases):
        own = np.array([names.index(name) for name in columns["instrument_names"]])
        marks[code, own] = prices
        pieces.append(_piece(columns, own, code, count))
    whole: Columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    order = np.random.default_rng(seed).permutation(whole["quantity"].size)
    for name in whole.keys() - {"accounts", "wallet_balance"}:
        whole[name] = whole[name][order]
    for name, filler in ABSENT.items():
        if np.array_equal(whole[name], np.full_like(whole[name], filler), equal_nan=True):
            del whole[name]
    labels = [f"policy {code}" for code in range(count)]
    whole |= {"instrument_names": names, "policy_names": labels}
    return MixedBook(dict(zip(labels, (policy for policy, _, _ in cases), strict=True)), whole, marks)


def _piece(columns: Columns, instruments: npt.NDArray[np.int64], code: int, count: int) -> Columns:
    """The columns of one case, every optional one there, codes and accounts as the joined book has them."""
    rows = columns["quantity"].size
    mode = columns.get("margin_mode", "isolated")
    account = columns.get("account", np.zeros(rows, dtype=np.int64))
    balances = np.atleast_1d(columns.get("wallet_balance", np.empty(0)))
    accounts = columns.get("accounts", np.arange(balances.size))
    return {
        "instrument": instruments[columns["instrument"]],
        "policy": np.full(rows, code),
        "quantity": columns["quantity"],
        "entry_price": columns["entry_price"],
        **{name: columns.get(name, np.full(rows, filler)) for name, filler in ABSENT.items()},
        "margin_mode": np.full(rows, mode) if isinstance(mode, str) else mode,
        "account": account * count + code,
        "accounts": accounts * count + code,
        "wallet_balance": balances,
    }
