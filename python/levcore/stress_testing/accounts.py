"""Cross accounts with one wallet each, in all scenarios at once."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore._levcore import stress_accounts as core_stress_accounts
from levcore.book.arrays import Floats
from levcore.book.listings import listing_codes, settlements
from levcore.engine.wallet_places import NONE, THE_ONE, places_of_wallets, the_one_currency
from levcore.stress_testing.result import TOTALS, Stress, StressTotals, add_amounts

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.book.wallets import Wallets
    from levcore.engine.engine import Engine
    from levcore.rules.policy import MarginPolicy

__all__ = ["sum_accounts"]


def sum_accounts(
    engine: "Engine",
    book: "PositionBook",
    moved: Floats,
    result: StressTotals,
    threads: int | None,
) -> bool:
    """Add the cross accounts of a book to a result; whether that could be done, else it is as it was.

    It cannot where any account has several wallets, balances, or legs that move together.
    """
    bound = engine.bind(book)
    if bound.wallets.is_split or book.balances is not None:
        return False
    currencies, places = settlements(book, bound.policies)
    count, wallets = len(moved), len(bound.wallets)
    totals = np.zeros((len(currencies), len(TOTALS), count))
    accounts, liquidated, not_judged = np.zeros((3, count), np.int64)
    worst = np.empty(wallets, np.int64), np.empty(wallets), np.zeros(wallets, np.int64)
    done = core_stress_accounts(
        bound.handle,
        bound.kernel,
        np.ascontiguousarray(moved).reshape(-1),
        count,
        (places.tolist(), _places(book, bound.policies, bound.wallets, currencies, places), len(currencies)),
        totals.reshape(-1),
        (accounts, liquidated, not_judged),
        worst,
        engine.used_instruction_set,
        engine.threads_of_call(threads, len(book) * count),
    )
    if not done:
        return False
    add_amounts(result, currencies, totals)
    result.accounts_liquidated[:] += accounts
    result.positions_liquidated[:] += liquidated
    result.not_judged[:] += not_judged
    if isinstance(result, Stress):
        of_accounts = result.worst_of_accounts
        of_accounts.scenario[:], of_accounts.equity[:], of_accounts.liquidations[:] = worst
    return True


def _places(
    book: "PositionBook",
    policies: tuple["MarginPolicy", ...],
    wallets: "Wallets",
    currencies: list[str],
    of_listing: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Place in `currencies` of each wallet's currency; `NONE` where totals show none."""
    places = places_of_wallets(book, policies, wallets)[0]
    the_one = the_one_currency(
        currencies[code] for code in np.unique(of_listing[listing_codes(book)]).tolist()
    )
    places[places == THE_ONE] = NONE if the_one is None else currencies.index(the_one)
    places[places >= len(currencies)] = NONE
    return places
