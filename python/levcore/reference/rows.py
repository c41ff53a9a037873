"""What a row is left with that failed, has no margin or no exposure, or whose account is not known."""

import math

from levcore.reference.classify import join_findings
from levcore.reference.codes.state import state_of
from levcore.reference.formulas import margin
from levcore.reference.position import BY_ACCOUNT, ROW_RESULTS, Position
from levcore.reference.rules.policy import Policy
from levcore.reference.words import AT_BANKRUPTCY, NEED_LEVERAGE
from levcore.status import FIRST_FAILURE, State, Status

__all__ = ["fail", "flat_isolated", "flatten", "join", "withdraw", "without_margin"]


def join(position: Position, status: Status) -> Position:
    """Join the findings of the prices with what the row itself is."""
    if status >= FIRST_FAILURE:
        return fail(position, status)
    position.status = join_findings(position.status, status)
    return position


def fail(position: Position, status: Status) -> Position:
    """Take every number from a row that failed."""
    for attribute in ROW_RESULTS:
        setattr(position, attribute, math.nan)
    position.requirement = math.nan
    position.state, position.status = State.INCOMPLETE, status
    return position


def without_margin(position: Position, policy: Policy) -> Position:
    """Leave a row without margin what does not depend on it."""
    withdraw(position)
    if policy.rules.requirement_isolated == AT_BANKRUPTCY:
        position.maintenance_margin = math.nan
    if policy.rules.fee_basis_isolated in NEED_LEVERAGE:
        # How large the margin is, or where it ends, is not known, nor is the fee on it.
        if policy.rules.fee_in_initial:
            position.initial_margin = math.nan
        if policy.rules.fee_in_maintenance:
            position.maintenance_margin = math.nan
    position.state, position.status = State.INCOMPLETE, Status.WITHOUT_MARGIN
    return position


def withdraw(position: Position) -> None:
    """Take back what follows from a margin or an account that is not known."""
    for attribute in BY_ACCOUNT:
        setattr(position, attribute, math.nan)


def flatten(position: Position) -> None:
    """Results of a row without exposure that do not depend on its account."""
    position.value = position.unrealized_pnl = 0.0
    position.initial_margin = position.maintenance_margin = position.effective_leverage = 0.0
    position.return_on_equity = position.liquidation_price = position.bankruptcy_price = math.nan
    position.liquidation_price_lower = position.liquidation_price_upper = math.nan
    position.distance_to_liquidation = math.inf
    position.status = Status.FLAT


def flat_isolated(position: Position, policy: Policy) -> Position:
    """Judge a row without exposure by what it holds; a leverage says that it holds no margin."""
    held = position.isolated_margin
    if math.isnan(held) and margin.is_leverage(position.leverage):
        held = 0.0
    if math.isinf(held):
        return fail(position, Status.INVALID_MARGIN)
    position.isolated_margin = held
    flatten(position)
    position.equity = held + position.funding
    if math.isnan(held):
        return without_margin(position, policy)
    if math.isinf(position.equity):
        return fail(position, Status.NUMERIC_OVERFLOW)
    position.margin_ratio = margin.margin_ratio(0.0, position.equity)
    position.state = state_of(position.margin_ratio, policy.levels)
    return position
