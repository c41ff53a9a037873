"""Which leg costs what: each account judged without one of its legs after the other.

A leg that is left out takes its profit, funding and requirement with it, and what it covered is charged in
full. Sums go over the other legs in the order of rows, from 0.0, as those of the account without that row.
"""

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING

from levcore.reference.accounts.distance import measure
from levcore.reference.accounts.reader import AccountReader
from levcore.reference.accounts.verdict import judge

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.policy_labels import Policies
    from levcore.book.positions import PositionBook
    from levcore.engine.leg_costs import LegCosts
    from levcore.reference.evaluate import BookReplay

__all__ = ["leg_costs"]


def leg_costs(
    book: "PositionBook",
    policy: "Policies",
    marks: "Marks",
    *,
    asset_prices: Mapping[str, float] | None = None,
    with_distances: bool = False,
    betas: Mapping[str, float] | None = None,
    others: float | None = None,
) -> "LegCosts":
    """Costs of legs in pure Python: the same result as `levcore.leg_costs`, to the last bit.

    Parameters
    ----------
    book, policy, marks, asset_prices, with_distances, betas, others
        As `levcore.leg_costs` takes them, with policies in the place of the engine.
    """
    from levcore.book.asset_prices import asset_price_columns
    from levcore.book.marks import mark_prices, marks_by_policy
    from levcore.book.policy_labels import labelled_policies, labels_of_book
    from levcore.engine.distances import beta_columns
    from levcore.engine.leg_costs import OF_ROWS, LegCosts
    from levcore.reference.evaluate import BookReplay, evaluate

    labelled = labelled_policies(policy)
    policies = tuple(labelled[label] for label in labels_of_book(book, tuple(labelled)))
    by_policy = marks_by_policy(mark_prices(book, marks), len(policies)).tolist()
    prices = [column.tolist() for column in asset_price_columns(book, policies, asset_prices)]
    replay = BookReplay(book, policies, by_policy, prices, settle_accounts=False)
    risk = evaluate(book, policy, marks, asset_prices=asset_prices, measures=OF_ROWS)
    costs = LegCosts(risk, with_distances=with_distances)
    columns = beta_columns(book, policies, betas, others) if with_distances else []
    results, codes = costs.without.buffers
    for account, rows in enumerate(replay.rows_of_account):
        for row in rows:
            reader = _without(replay, account, row)
            verdict = judge(reader.read().total(), reader.status(), reader.part.policy)
            results[:, row] = verdict.measures
            codes[:, row] = verdict.state, verdict.status
            if costs.distance is not None:
                of_instruments, of_assets = columns[replay.parts.index(reader.part)]
                found = measure(_without(replay, account, row), of_instruments.tolist(), of_assets.tolist())
                distances, statuses = costs.distance.buffers
                distances[0, row], distances[1, row], statuses[0, row] = found
    costs.fill_isolated()
    return costs


def _without(replay: "BookReplay", account: int, row: int) -> AccountReader:
    """An account with all of its legs but one, their numbers as they are before anything covers them."""
    rows = [other for other in replay.rows_of_account[account] if other != row]
    alone = copy(replay)
    alone.legs = {other: (copy(replay.legs[other][0]), replay.legs[other][1]) for other in rows}
    part = replay.part_of_account(account)
    return AccountReader(alone, part, account, rows, replay.balances_of_account[account])
