"""What ends a margin call: how much of one leg to close, all others left as they are.

Closing at the mark turns unrealized into realized profit and leaves the equity as it is; what falls is the
requirement. The account is restored where its requirement is the margin-call level times its equity. With the
share ``z`` of the leg that stays, the requirement of the leg's group is convex in ``z``, so the largest such
``z`` is found from above.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from levcore.book.arrays import Floats
from levcore.reference.accounts.pool import Leg, Pool
from levcore.reference.accounts.reader import AccountReader
from levcore.reference.accounts.verdict import judge
from levcore.reference.formulas import margin, ray
from levcore.reference.formulas.ray import Line
from levcore.reference.kernel import required_on
from levcore.reference.rules.policy import Policy
from levcore.reference.words import AT_ENTRY
from levcore.status import AccountStatus

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.policy_labels import Policies
    from levcore.book.positions import PositionBook

__all__ = ["quantities_to_close"]


def quantities_to_close(
    book: "PositionBook",
    policy: "Policies",
    marks: "Marks",
    *,
    asset_prices: Mapping[str, float] | None = None,
) -> Floats:
    """Contracts to close in pure Python: the same as `levcore.quantities_to_close`, to the last bit.

    Parameters
    ----------
    book, policy, marks, asset_prices
        As `levcore.quantities_to_close` takes them, with policies in the place of the engine.
    """
    from levcore.book.asset_prices import asset_price_columns
    from levcore.book.marks import mark_prices, marks_by_policy
    from levcore.book.policy_labels import labelled_policies, labels_of_book
    from levcore.reference.evaluate import BookReplay

    labelled = labelled_policies(policy)
    policies = tuple(labelled[label] for label in labels_of_book(book, tuple(labelled)))
    by_policy = marks_by_policy(mark_prices(book, marks), len(policies)).tolist()
    prices = [column.tolist() for column in asset_price_columns(book, policies, asset_prices)]
    replay = BookReplay(book, policies, by_policy, prices, settle_accounts=False)
    quantities = np.full(len(book), math.nan)
    for account, rows in enumerate(replay.rows_of_account):
        part = replay.part_of_account(account)
        _restore(AccountReader(replay, part, account, rows, replay.balances_of_account[account]), quantities)
    return quantities


def _restore(reader: AccountReader, quantities: Floats) -> None:
    pool, policy = reader.read(), reader.part.policy
    totals = pool.total()
    judged = judge(totals, reader.status(), policy).status == AccountStatus.OK
    for leg_row in reader.leg_rows:
        quantities[leg_row.row] = 0.0 if judged else math.nan
    excess = totals.requirement - policy.call_level * totals.counted
    if not judged or not excess > 0.0:
        return
    for leg_row in reader.leg_rows:
        if leg_row.moves and leg_row.leg is not None:
            kept = _kept(pool, policy, leg_row.leg, excess)
            quantities[leg_row.row] = abs(leg_row.position.quantity) * (1.0 - kept)


def _kept(pool: Pool, policy: Policy, number: int, excess: float) -> float:
    """Share of a leg that may stay; NaN where even without it the requirement is too large."""
    leg = pool.legs[number]
    price = pool.holdings[leg.holding].margin_price
    rule = policy.rules.requirement_cross
    if leg.covered:
        other = pool.partner(number)
        # The average entry of a pair changes as one of its legs is closed: no line gives a requirement on it.
        if other is None or rule == AT_ENTRY:
            return math.nan
        target = price * (leg.position.requirement + other.position.requirement) - excess
        covered_share = policy.rules.covered_share
        return _largest_share(target, lambda kept: _times(_pair_line(leg, other, covered_share, kept), price))
    own, opposite = pool.sides_without(number)
    target = margin.larger(own + price * leg.position.requirement, opposite) - excess
    basis = required_on(leg.position, rule)

    def larger_side(kept: float) -> Line:
        start, slope = _times(_leg_line(leg, basis, kept), price)
        start += own
        height = start + (slope * kept if slope != 0.0 else 0.0)
        return (start, slope) if height > opposite else (opposite, 0.0)

    return _largest_share(target, larger_side)


def _largest_share(target: float, line_at: Callable[[float], Line]) -> float:
    """Largest share below 1 at which a requirement, touched by `line_at`, is down to `target`."""

    def room(kept: float) -> Line:
        start, slope = line_at(kept)
        return target - start, -slope

    # Now, with all of the leg, there is no room: the search starts at the highest place.
    return ray.upper_zero(room, room(1.0), 1.0, smooth=False)


def _leg_line(leg: Leg, basis: float, kept: float) -> Line:
    """Requirement of a leg of which this share stays."""
    if leg.curve.table.is_by_unit:
        return 0.0, leg.position.requirement
    rate, deduction = leg.curve.touching(basis * kept)
    fees = leg.position.requirement - leg.curve.at(basis)
    return -deduction, rate * basis + fees


def _pair_line(leg: Leg, other: Leg, covered_share: float, kept: float) -> Line:
    """Requirement of a leg of which this share stays, and of the leg that it covers or is covered by."""
    uncovered, p, o = 1.0 - covered_share, leg.position, other.position
    fees = p.requirement - leg.curve.at(leg.charged * p.value)
    fees_of_other = o.requirement - other.curve.at(other.charged * o.value)
    start, slope = fees_of_other, fees
    if p.size * kept >= o.size:
        # Charged on what stays, less what the other leg covers; that one asks for no more than a minimum.
        start += other.curve.at(0.0)
        covered = uncovered * (o.size / p.size)
        rate, deduction = leg.curve.touching(p.value * (kept - covered))
        start -= rate * (p.value * covered) + deduction
        slope += rate * p.value
    else:
        start += leg.curve.at(0.0)
        covered = uncovered * (p.size / o.size)
        rate, deduction = other.curve.touching(o.value * (1.0 - covered * kept))
        start += rate * o.value - deduction
        slope -= rate * (o.value * covered)
    return start, slope


def _times(line: Line, factor: float) -> Line:
    return factor * line[0], factor * line[1]
