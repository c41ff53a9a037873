"""Totals of a result: the one place in which amounts of positions and accounts are added up.

Summary, reports and comparisons all show these, and the batches of a larger book add up to them. The margin
of an account that nets its legs, or owes, is not the sum of its rows: it enters as the account's own. Every
total is a correctly rounded sum, so that it does not depend on the order of rows; inside of an account the
kernel adds up by rows, in the caller's order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.listings import listing_codes, settlements
from levcore.engine.exact_total import ExactTotal, exact_totals
from levcore.engine.wallet_places import (
    NONE,
    THE_ONE,
    accounts_in_assets,
    netting_accounts,
    places_of_wallets,
    the_one_currency,
)
from levcore.errors import InputError
from levcore.status import FIRST_FAILURE, AccountStatus

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["MARGINS", "OF_ACCOUNTS", "OF_THE_ONE", "Totals", "totals_by_currency"]

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

MARGINS = ("initial_margin", "maintenance_margin")
OF_ACCOUNTS = "accounts with balances"
"""Key of sums over accounts with balances, in the currency of the asset prices."""
OF_THE_ONE = "the one currency"
"""Key of wallets that belong to the one currency that the book turns out to have, if it has one."""
SHOWN = ("long_notional", "short_notional", "unrealized_pnl", *MARGINS, "isolated_equity", "account_equity")
SHOWN_OF_ACCOUNTS = ("equity", "collateral_value", "liabilities", *MARGINS)


class _Summed(NamedTuple):
    """What is added up: rows and accounts, and the place of each one's currency among `currencies`."""

    rows: Flags
    accounts: Flags
    netting: Flags
    in_assets: Flags
    of_row: Places
    of_account: Places
    currencies: tuple[str, ...]


class Totals:
    """Totals of a result that those of another part of the same book can be added to, without rounding.

    Attributes
    ----------
    measures : frozenset of str
        Measures that were computed.
    sums : dict of (str, str) to ExactTotal
        By currency and name.
    counts : dict of (str, str) to int
        How many positions, accounts and so on are behind the sums.
    """

    __slots__ = ("counts", "measures", "sums")

    measures: frozenset[str]

    def __init__(self, measures: Iterable[str]) -> None:
        self.measures = frozenset(measures)
        self.sums: dict[tuple[str, str], ExactTotal] = defaultdict(ExactTotal)
        self.counts: dict[tuple[str, str], int] = defaultdict(int)

    @classmethod
    def of(
        cls,
        risk: "BookRisk",
        *,
        rows: Flags | None = None,
        accounts: Flags | None = None,
        netting: Flags | None = None,
    ) -> "Totals":
        """Totals of a result; parameters as `totals_by_currency` takes them."""
        summed = _summed(risk, rows, accounts, netting)
        totals = cls(risk.measures)
        totals._add_rows(risk, summed)
        totals._add_margins(risk, summed)
        totals._add_account_equity(risk, summed)
        totals._add_balances(risk, summed.in_assets & summed.accounts)
        return totals

    def add(self, other: "Totals") -> None:
        """Add the totals of another part of the book.

        Raises
        ------
        InputError
            Where other measures were computed.
        """
        if other.measures != self.measures:
            expected, found = (", ".join(sorted(each.measures)) for each in (self, other))
            raise InputError("measures", "must be the same for all parts of a book", expected, found)
        for key, total in other.sums.items():
            self.sums[key] += total
        for key, count in other.counts.items():
            self.counts[key] += count

    def by_currency(self) -> dict[str, dict[str, float]]:
        """What `totals_by_currency` returns."""
        currencies = sorted({currency for currency, name in self.counts if name == "rows"})
        the_one = the_one_currency(currencies)
        shown = {
            currency: self._of_currency(
                currency, (currency, OF_THE_ONE) if currency == the_one else (currency,)
            )
            for currency in currencies
            if self.counts.get((currency, "positions"), 0)
        }
        if self.counts.get((OF_ACCOUNTS, "accounts"), 0):
            shown[OF_ACCOUNTS] = {name: float(self.sums[OF_ACCOUNTS, name]) for name in SHOWN_OF_ACCOUNTS}
        return shown

    def _of_currency(self, currency: str, keys: Sequence[str]) -> dict[str, float]:
        def count(name: str) -> int:
            return sum(self.counts.get((key, name), 0) for key in keys)

        shown: dict[str, float] = {"positions": self.counts.get((currency, "positions"), 0)}
        for name in SHOWN:
            found = [self.sums[key, name] for key in keys if (key, name) in self.sums]
            if found and (name not in MARGINS or count("margins")):
                shown[name] = float(sum(found, ExactTotal()))
        if count("torn margins"):
            shown |= dict.fromkeys((name for name in MARGINS if name in shown), np.nan)
        unjudged = count("judged wallets") == 0 and count("wallets") + count("torn unjudged") > 0
        if unjudged or count("torn judged") or self.counts.get((OF_ACCOUNTS, "balances"), 0):
            shown["account_equity"] = np.nan
        return shown

    def _sum(
        self, currencies: Sequence[str], name: str, values: npt.NDArray[np.float64], places: Places
    ) -> None:
        sums = exact_totals(values, places, len(currencies))
        self.sums |= {(currency, name): total for currency, total in zip(currencies, sums, strict=True)}

    def _count(self, currencies: Sequence[str], name: str, places: Places) -> None:
        counts = np.bincount(places[places >= 0], minlength=len(currencies)).tolist()
        for currency, count in zip(currencies, counts, strict=True):
            if count:
                self.counts[currency, name] += count

    def _add_rows(self, risk: "BookRisk", summed: _Summed) -> None:
        rows, of_row, currencies = summed.rows, summed.of_row, summed.currencies
        # Rows that failed have a currency as well, which tells where wallets without positions belong.
        self._count(currencies, "rows", of_row)
        self._count(currencies, "positions", of_row[rows])
        if "notional" in risk.measures:
            for name, side in (
                ("long_notional", risk.book.quantity > 0),
                ("short_notional", risk.book.quantity < 0),
            ):
                of_side = rows & side
                self._sum(currencies, name, risk.notional[of_side], of_row[of_side])
        if "unrealized_pnl" in risk.measures:
            self._sum(currencies, "unrealized_pnl", risk.unrealized_pnl[rows], of_row[rows])
        if "equity" in risk.measures:
            isolated = rows & ~risk.book.is_cross & ~np.isnan(risk.equity)
            self._sum(currencies, "isolated_equity", risk.equity[isolated], of_row[isolated])

    def _add_margins(self, risk: "BookRisk", summed: _Summed) -> None:
        """Margins of rows of accounts that net nothing, and those of the accounts in a wallet that do."""
        netting = summed.netting & summed.accounts & ~summed.in_assets
        rows, own = _alone(risk, summed), netting & (summed.of_account >= 0)
        groups = np.concatenate((summed.of_row[rows], summed.of_account[own]))
        self._count(summed.currencies, "margins", groups)
        self._count(summed.currencies, "torn margins", _torn(risk, summed, netting))
        for name in (name for name in MARGINS if name in risk.measures):
            values = np.concatenate((risk.column(name)[rows], getattr(risk.wallets, name)[own]))
            # Rows without a margin may have no maintenance margin; reports count them as left out.
            known = ~np.isnan(values) if name == "maintenance_margin" else np.full(values.shape, True)
            self._sum(summed.currencies, name, values[known], groups[known])

    def _add_account_equity(self, risk: "BookRisk", summed: _Summed) -> None:
        currencies, places = summed.currencies, summed.of_account
        chosen = summed.accounts & (places >= 0)
        self._sum(currencies, "account_equity", risk.wallets.equity[chosen], places[chosen])
        self._count(currencies, "wallets", places)
        self._count(currencies, "judged wallets", places[chosen])
        self._count(currencies, "torn judged", _torn(risk, summed, summed.accounts))
        self._count(currencies, "torn unjudged", _torn(risk, summed, ~summed.accounts))

    def _add_balances(self, risk: "BookRisk", accounts: Flags) -> None:
        self.counts[OF_ACCOUNTS, "balances"] += len(risk.balances)
        if not accounts.any():
            return
        self.counts[OF_ACCOUNTS, "accounts"] += int(np.count_nonzero(accounts))
        for name in SHOWN_OF_ACCOUNTS:
            values = getattr(risk.wallets, name)[accounts]
            self._sum((OF_ACCOUNTS,), name, values, np.zeros(len(values), dtype=np.int64))


def totals_by_currency(
    risk: "BookRisk",
    *,
    rows: Flags | None = None,
    accounts: Flags | None = None,
    netting: Flags | None = None,
) -> dict[str, dict[str, float]]:
    """Sums of a result by settlement currency; amounts of two currencies are never added.

    Parameters
    ----------
    risk : BookRisk
    rows : ndarray of bool, shape (n,), optional
        Rows to add up; default: those that hold numbers.
    accounts : ndarray of bool, shape (a,), optional
        Accounts to add up; default: those that could be judged, of several wallets those of them that could.
    netting : ndarray of bool, shape (a,), optional
        Accounts whose own margins are taken instead of those of their rows; default: `netting_accounts`.

    Returns
    -------
    dict
        By currency, of those with a row: ``positions``, how many; ``long_notional``, ``short_notional``,
        ``unrealized_pnl`` over the rows; ``initial_margin`` (NaN where a leverage is missing) and
        ``maintenance_margin`` over the rows of accounts that net nothing, and the own ones of accounts that
        do; ``isolated_equity`` over the isolated rows that have one; ``account_equity`` over the accounts, or
        their wallets, NaN where none could be judged, or accounts hold balances. A
        measure that was not computed is absent, as are the margins where there is nothing to add up. Accounts
        with balances are under `OF_ACCOUNTS`: ``equity``, ``collateral_value``, ``liabilities``, margins.
    """
    return Totals.of(risk, rows=rows, accounts=accounts, netting=netting).by_currency()


def _summed(risk: "BookRisk", rows: Flags | None, accounts: Flags | None, netting: Flags | None) -> _Summed:
    rows = risk.status < FIRST_FAILURE if rows is None else rows
    # From here on an account is a wallet, of which it may have several.
    of_wallet = risk.wallets.columns.account
    settled = risk.wallets.status == AccountStatus.OK if accounts is None else accounts[of_wallet]
    if netting is None:
        netting = netting_accounts(risk.book, risk.policies, risk.wallets.columns)
    else:
        netting = netting[of_wallet]
    of_row = settlements(risk.book, risk.policies)[1][listing_codes(risk.book)]
    in_assets = accounts_in_assets(risk.book)[of_wallet]
    of_account, currencies = places_of_wallets(risk.book, risk.policies, risk.wallets.columns)
    of_account[of_account == THE_ONE] = len(currencies)
    names = (*currencies, OF_THE_ONE)
    return _Summed(rows, settled, netting, in_assets, of_row, of_account, names)


def _alone(risk: "BookRisk", summed: _Summed) -> Flags:
    """Rows whose own margins are added up."""
    alone, of_row = summed.rows.copy(), risk.wallets.columns.of_row
    if of_row is not None:
        legs = np.flatnonzero(risk.book.is_cross)
        alone[legs[summed.netting[of_row[legs]]]] = False
    return alone


def _torn(risk: "BookRisk", summed: _Summed, accounts: Flags) -> Places:
    """Currencies of accounts whose legs settle in several, so that no amount of theirs belongs to one."""
    of_row = risk.wallets.columns.of_row
    if of_row is None:
        return np.empty(0, dtype=np.int64)
    legs = np.flatnonzero(risk.book.is_cross)
    torn = (accounts & (summed.of_account == NONE))[of_row[legs]]
    of_torn: Places = summed.of_row[legs[torn]]
    return of_torn
