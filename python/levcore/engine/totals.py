"""Totals of a result: the one place in which amounts of positions and accounts are added up.

Summary, reports and comparisons all show these. The margin of an account that nets its legs, or owes, is not
the sum of its rows: it enters as the account's own. Every total is a correctly rounded sum, so that it does
not depend on the order of rows; inside of an account the kernel adds up by rows, in the caller's order.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore._levcore import exact_sums
from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes, settlements
from levcore.engine.compiled import pools_every_account
from levcore.engine.wallet_risk import currencies_of_wallets
from levcore.status import FIRST_FAILURE, AccountStatus

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.book.wallets import Wallets
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["MARGINS", "OF_ACCOUNTS", "currency_of_wallets", "netting_accounts", "totals_by_currency"]

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

MARGINS = ("initial_margin", "maintenance_margin")
OF_ACCOUNTS = "accounts with balances"
"""Key of sums over accounts with balances, in the currency of the asset prices."""


class _Summed(NamedTuple):
    """What is added up: rows and accounts, and the place of each one's currency (-1: it has none)."""

    rows: Flags
    accounts: Flags
    netting: Flags
    in_assets: Flags
    of_row: Places
    of_account: Places
    currencies: int


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
    rows = risk.status < FIRST_FAILURE if rows is None else rows
    # From here on an account is a wallet, of which it may have several.
    of_wallet = risk.wallets.columns.account
    accounts = risk.wallets.status == AccountStatus.OK if accounts is None else accounts[of_wallet]
    if netting is None:
        netting = netting_accounts(risk.book, risk.policies, risk.wallets.columns)
    else:
        netting = netting[of_wallet]
    currencies, place = settlements(risk.book, risk.policies)
    of_row = place[listing_codes(risk.book)]
    in_assets = _accounts_in_assets(risk.book)[of_wallet]
    of_account = currency_of_wallets(risk.book, risk.policies, risk.wallets.columns)
    summed = _Summed(rows, accounts, netting, in_assets, of_row, of_account, len(currencies))
    columns = _sums_of_rows(risk, summed) | _margins(risk, summed)
    if "equity" in risk.measures:
        isolated = rows & ~risk.book.is_cross & ~np.isnan(risk.equity)
        columns["isolated_equity"] = exact_sums(risk.equity[isolated], of_row[isolated], summed.currencies)
    columns["account_equity"] = _account_equity(risk, summed)
    positions = np.bincount(of_row[rows], minlength=summed.currencies)
    held = _held(risk, summed)
    totals: dict[str, dict[str, float]] = {
        currencies[code]: {"positions": int(positions[code])}
        | {name: float(sums[code]) for name, sums in columns.items() if name not in MARGINS or held[code]}
        for code in np.flatnonzero(positions).tolist()
    }
    return totals | _of_balances(risk, in_assets & accounts)


def netting_accounts(
    book: "PositionBook", policies: Sequence["MarginPolicy"], wallets: "Wallets | None" = None
) -> Flags:
    """Accounts whose margin need not be the sum of their rows: balances, hedged legs, netted sides.

    With `wallets` the same of each wallet.
    """
    netting, codes = _accounts_in_assets(book), book.account_codes
    if wallets is not None:
        netting, codes = netting[wallets.account], wallets.of_row
    if codes is None:
        return netting
    legs = np.flatnonzero(book.is_cross)
    of_leg = codes[legs].astype(np.int64)
    pools = np.array([pools_every_account(policy) for policy in policies])
    netting[of_leg[pools[0 if book.policy_codes is None else book.policy_codes[legs]]]] = True
    if book.position_mode == "hedge" and book.has_pooled_accounts:
        pairs = np.sort(of_leg * len(book.instrument_names) + book.instrument_codes[legs])
        netting[pairs[1:][pairs[1:] == pairs[:-1]] // len(book.instrument_names)] = True
    return netting


def _accounts_in_assets(book: "PositionBook") -> Flags:
    held = np.zeros(len(book.account_ids), dtype=np.bool_)
    if book.balance_columns is not None:
        held[book.balance_columns.account] = True
    return held


def currency_of_wallets(
    book: "PositionBook", policies: tuple["MarginPolicy", ...], wallets: "Wallets"
) -> Places:
    """Place of the currency that the legs of each wallet settle in; -1: in several, or it has none.

    `of_row` has the places of the rows. A wallet without positions is in the currency it was given in, else
    in the one that is named, if there is one.
    """
    currencies, place = settlements(book, policies)
    named = [place for place, currency in enumerate(currencies) if currency]
    only = named[0] if len(named) == 1 else -1 if len(currencies) != 1 else 0
    places = np.full(len(wallets), only, dtype=np.int64)
    if book.named_wallets is not None:
        known = {currency: place for place, currency in enumerate(currencies)} | {"": only}
        given = currencies_of_wallets(book, policies, wallets)
        places[:] = [known.get(currency, -1) for currency in given]
    if wallets.of_row is not None:
        legs = np.flatnonzero(book.is_cross)
        of_leg, of_row = wallets.of_row[legs], place[listing_codes(book)][legs]
        places[of_leg] = of_row
        places[of_leg[of_row != places[of_leg]]] = -1
    return places


def _sums_of_rows(risk: "BookRisk", summed: _Summed) -> dict[str, Floats]:
    rows, sums = summed.rows, {}
    if "notional" in risk.measures:
        for name, side in (
            ("long_notional", risk.book.quantity > 0),
            ("short_notional", risk.book.quantity < 0),
        ):
            of_side = rows & side
            sums[name] = exact_sums(risk.notional[of_side], summed.of_row[of_side], summed.currencies)
    if "unrealized_pnl" in risk.measures:
        sums["unrealized_pnl"] = exact_sums(risk.unrealized_pnl[rows], summed.of_row[rows], summed.currencies)
    return sums


def _margins(risk: "BookRisk", summed: _Summed) -> dict[str, Floats]:
    """Margins of rows of accounts that net nothing, and those of the accounts in a wallet that do."""
    rows, own = _alone(risk, summed), _own(summed)
    groups = np.concatenate((summed.of_row[rows], summed.of_account[own]))
    sums = {}
    for name in (name for name in MARGINS if name in risk.measures):
        values = np.concatenate((risk.column(name)[rows], getattr(risk.wallets, name)[own]))
        # Rows without a margin may have no maintenance margin; reports count them as left out.
        known = ~np.isnan(values) if name == "maintenance_margin" else np.full(values.shape, True)
        sums[name] = exact_sums(values[known], groups[known], summed.currencies)
        sums[name][_torn(risk, summed, summed.netting & summed.accounts & ~summed.in_assets)] = np.nan
    return sums


def _alone(risk: "BookRisk", summed: _Summed) -> Flags:
    """Rows whose own margins are added up."""
    alone, of_row = summed.rows.copy(), risk.wallets.columns.of_row
    if of_row is not None:
        legs = np.flatnonzero(risk.book.is_cross)
        alone[legs[summed.netting[of_row[legs]]]] = False
    return alone


def _own(summed: _Summed) -> Flags:
    """Accounts in a wallet whose own margins are added up."""
    return summed.netting & summed.accounts & ~summed.in_assets & (summed.of_account >= 0)


def _held(risk: "BookRisk", summed: _Summed) -> Flags:
    """Currencies with a margin to add up."""
    count = np.bincount(summed.of_row[_alone(risk, summed)], minlength=summed.currencies)
    held: Flags = count + np.bincount(summed.of_account[_own(summed)], minlength=summed.currencies) > 0
    return held


def _torn(risk: "BookRisk", summed: _Summed, accounts: Flags) -> Places:
    """Currencies of accounts whose legs settle in several, so that no amount of theirs belongs to one."""
    of_row = risk.wallets.columns.of_row
    if of_row is None:
        return np.empty(0, dtype=np.int64)
    legs = np.flatnonzero(risk.book.is_cross)
    torn = (accounts & (summed.of_account < 0))[of_row[legs]]
    return summed.of_row[legs[torn]]


def _account_equity(risk: "BookRisk", summed: _Summed) -> Floats:
    if len(risk.balances):
        return np.full(summed.currencies, np.nan)
    with_place = summed.of_account >= 0
    chosen = summed.accounts & with_place
    equity = exact_sums(risk.wallets.equity[chosen], summed.of_account[chosen], summed.currencies)
    every = np.bincount(summed.of_account[with_place], minlength=summed.currencies)
    judged = np.bincount(summed.of_account[chosen], minlength=summed.currencies)
    equity[(every > 0) & (judged == 0)] = np.nan
    equity[_torn(risk, summed, summed.accounts)] = np.nan
    left_out = _torn(risk, summed, ~summed.accounts)
    equity[left_out[judged[left_out] == 0]] = np.nan
    return equity


def _of_balances(risk: "BookRisk", accounts: Flags) -> dict[str, dict[str, float]]:
    if not accounts.any():
        return {}
    names = ("equity", "collateral_value", "liabilities", *MARGINS)
    return {
        OF_ACCOUNTS: {
            name: float(exact_sums(getattr(risk.wallets, name)[accounts], None, 1)[0]) for name in names
        }
    }
