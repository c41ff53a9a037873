"""How far prices may move together until an account is liquidated.

Every price moves by its beta, ``P (1 + beta t)``. With the beta of the largest magnitude, ``b``, the place on
the ray is ``s = 1 + b t``, so that its price is zero at the place 0 and everything else moves by
``beta / b``.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from levcore.reference.accounts.pool import Move, Pool
from levcore.reference.accounts.reader import AccountReader
from levcore.reference.accounts.verdict import judge
from levcore.reference.arithmetic import divide
from levcore.reference.formulas import contract
from levcore.status import AccountStatus

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.policy_labels import Policies
    from levcore.book.positions import PositionBook
    from levcore.engine.distances import AccountDistance

__all__ = ["distance", "measure"]


def distance(
    book: "PositionBook",
    policy: "Policies",
    marks: "Marks",
    betas: Mapping[str, float] | None = None,
    *,
    others: float | None = None,
    asset_prices: Mapping[str, float] | None = None,
) -> "AccountDistance":
    """Distance in pure Python: the same result as `levcore.distance`, to the last bit.

    Parameters
    ----------
    book, policy, marks, betas, others, asset_prices
        As `levcore.distance` takes them, with policies in the place of the engine.
    """
    from levcore.book.asset_prices import asset_price_columns
    from levcore.book.marks import mark_prices, marks_by_policy
    from levcore.book.policy_labels import labelled_policies, labels_of_book
    from levcore.engine.distances import AccountDistance, beta_columns
    from levcore.reference.evaluate import BookReplay

    labelled = labelled_policies(policy)
    policies = tuple(labelled[label] for label in labels_of_book(book, tuple(labelled)))
    by_policy = marks_by_policy(mark_prices(book, marks), len(policies)).tolist()
    prices = [column.tolist() for column in asset_price_columns(book, policies, asset_prices)]
    columns = beta_columns(book, policies, betas, others)
    replay = BookReplay(book, policies, by_policy, prices, settle_accounts=False)
    moves, codes = np.empty((2, len(replay.wallets))), np.empty(len(replay.wallets), dtype=np.uint8)
    for account in range(len(replay.wallets)):
        part = replay.part_of_account(account)
        of_instruments, of_assets = columns[replay.parts.index(part)]
        reader = AccountReader(
            replay, part, account, replay.rows_of_account[account], replay.balances_of_account[account]
        )
        lower, upper, status = measure(reader, of_instruments.tolist(), of_assets.tolist())
        moves[0, account], moves[1, account], codes[account] = lower, upper, status
    return AccountDistance.of_wallets(book, replay.wallet_columns, moves, codes[np.newaxis])


def measure(
    reader: AccountReader, of_instruments: list[float], of_assets: list[float]
) -> tuple[float, float, AccountStatus]:
    """Lower and upper move that liquidate an account, and its status."""
    pool = reader.read()
    verdict = judge(pool.total(), reader.status(), reader.part.policy)
    if verdict.status != AccountStatus.OK:
        return math.nan, math.nan, AccountStatus(verdict.status)
    pool.freeze()
    assets = {holding: of_assets[place] for place, holding in reader.holding_of_asset.items()}
    moved = _ray(reader, pool, of_instruments, assets)
    if moved is None:
        return math.nan, math.nan, AccountStatus.NO_COMMON_RAY
    move, scale, in_coin = moved
    if scale == 0.0:
        return math.nan, math.nan, AccountStatus.OK
    return *_zeros(pool, move, verdict.surplus, scale, in_coin), AccountStatus.OK


def _ray(
    reader: AccountReader, pool: Pool, of_instruments: list[float], assets: dict[int, float]
) -> tuple[Move, float, bool] | None:
    """What moves, the beta of the largest magnitude, and whether in the coin of inverse contracts.

    None if the surplus on the ray is not made of lines.
    """
    move, scale, paces, inverse = Move(), 0.0, dict[int, float](), []
    for leg_row in reader.leg_rows:
        if not leg_row.moves or leg_row.leg is None:
            continue
        leg, beta = pool.legs[leg_row.leg], of_instruments[reader.replay.codes[leg_row.row]]
        of_settlement = assets.get(leg.holding, 0.0)
        if beta != of_settlement if leg.reciprocal else beta != 0.0 and of_settlement != 0.0:
            return None
        if beta != 0.0:
            move.legs.append((leg_row.leg, beta))
            paces[leg.holding] = of_settlement
            instrument = reader.replay.marked_of(leg_row.row).instrument
            inverse.append(instrument is not None and contract.is_inverse(instrument))
        scale = _larger_magnitude(scale, beta)
    for holding in range(len(pool.holdings)):
        beta = assets.get(holding, 0.0)
        if beta != 0.0:
            paces[holding] = beta
        scale = _larger_magnitude(scale, beta)
    move.holdings = sorted(paces.items())
    in_coin = not reader.has_balances and any(inverse)
    if in_coin and not (all(inverse) and all(beta == scale for _, beta in move.legs)):
        return None
    return move, scale, in_coin


def _zeros(pool: Pool, move: Move, surplus: float, scale: float, in_coin: bool) -> tuple[float, float]:
    """Moves that liquidate, the lower one first."""
    move.legs = [(number, beta / scale) for number, beta in move.legs]
    move.holdings = [(number, beta / scale) for number, beta in move.holdings]
    highest = math.inf
    for _, beta in move.legs + move.holdings:
        if beta < 0.0:
            highest = min(highest, 1.0 - 1.0 / beta)
    zeros = pool.zeros_of_surplus(surplus, move, highest)
    lower, upper = zeros.lower, zeros.upper
    if in_coin:
        lower, upper = divide(1.0, zeros.upper), divide(1.0, zeros.lower)
    lower, upper = (lower - 1.0) / scale, (upper - 1.0) / scale
    return (upper, lower) if scale < 0.0 else (lower, upper)


def _larger_magnitude(left: float, right: float) -> float:
    """The beta of the larger magnitude; the first one on a tie."""
    return right if abs(right) > abs(left) else left
