"""Which wallets a total holds: of which currency they are, and whose margin is their own."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.book.listings import listing_codes, settlements
from levcore.engine.compiled import pools_every_account
from levcore.engine.wallet_risk import currencies_of_wallets

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.book.wallets import Wallets
    from levcore.rules.policy import MarginPolicy

__all__ = [
    "NONE",
    "THE_ONE",
    "accounts_in_assets",
    "netting_accounts",
    "places_of_wallets",
    "the_one_currency",
]

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

THE_ONE = -2
NONE = -1
"""Instead of a place: the only currency of the book, whichever it is; no currency."""


def netting_accounts(
    book: "PositionBook", policies: Sequence["MarginPolicy"], wallets: "Wallets | None" = None
) -> Flags:
    """Accounts whose margin need not be the sum of their rows: balances, hedged legs, netted sides.

    With `wallets` the same of each wallet.
    """
    netting, codes = accounts_in_assets(book), book.account_codes
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


def accounts_in_assets(book: "PositionBook") -> Flags:
    """Accounts that hold balances."""
    held = np.zeros(len(book.account_ids), dtype=np.bool_)
    if book.balance_columns is not None:
        held[book.balance_columns.account] = True
    return held


def the_one_currency(currencies: Iterable[str]) -> str | None:
    """Currency of wallets that do not say theirs: the only one of a book's positions, named if any is."""
    found = sorted(set(currencies))
    named = [currency for currency in found if currency]
    return named[0] if len(named) == 1 else found[0] if len(found) == 1 else None


def places_of_wallets(
    book: "PositionBook", policies: tuple["MarginPolicy", ...], wallets: "Wallets"
) -> tuple[Places, list[str]]:
    """Place of the currency of each wallet, `NONE`, or `THE_ONE` that the whole book settles in.

    And the currencies: those of `settlements`, then those that wallets alone are in.
    """
    currencies, place = settlements(book, policies)
    places = np.full(len(wallets), THE_ONE, dtype=np.int64)
    if book.named_wallets is not None:
        given = currencies_of_wallets(book, policies, wallets)
        currencies += sorted({currency for currency in given if currency} - set(currencies))
        known = {name: place for place, name in enumerate(currencies)} | {"": THE_ONE}
        places[:] = [known[currency] for currency in given]
    if wallets.of_row is not None:
        legs = np.flatnonzero(book.is_cross)
        of_leg, of_row = wallets.of_row[legs], place[listing_codes(book)][legs]
        places[of_leg] = of_row
        places[of_leg[of_row != places[of_leg]]] = NONE
    return places, currencies
