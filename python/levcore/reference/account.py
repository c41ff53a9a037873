"""Cross accounts: sums over their legs and the verdict on the whole."""

import math
from dataclasses import dataclass

from levcore.reference import margin
from levcore.reference.policy import Policy
from levcore.reference.state import state_of
from levcore.status import AccountStatus, State

__all__ = ["Sums", "Verdict", "judge"]


@dataclass(slots=True)
class Sums:
    """Sums over the legs of an account, in the order of rows."""

    profit: float = 0.0
    requirement: float = 0.0
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0

    def add(
        self, profit: float, requirement: float, initial_margin: float, maintenance_margin: float
    ) -> None:
        """Add one leg; NaN says that it failed."""
        self.profit += profit
        self.requirement += requirement
        self.initial_margin += initial_margin
        self.maintenance_margin += maintenance_margin


@dataclass(frozen=True, slots=True)
class Verdict:
    """Measures of an account as `levcore.measures.ACCOUNT_MEASURES` lists them, and its verdict."""

    measures: tuple[float, float, float, float, float, float]
    equity: float
    margin_ratio: float
    surplus: float
    state: int
    status: int


def judge(wallet_balance: float, sums: Sums, policy: Policy) -> Verdict:
    """Verdict on an account from its wallet and the sums over its legs."""
    equity = wallet_balance + sums.profit
    surplus = equity - sums.requirement * policy.trigger
    status = account_status(wallet_balance, surplus)
    if status != AccountStatus.OK:
        none = math.nan
        return Verdict((none, none, none, none, none, none), none, none, none, State.INCOMPLETE, status)
    ratio = margin.margin_ratio(sums.requirement, equity)
    measures = (
        equity,
        sums.initial_margin,
        sums.maintenance_margin,
        equity - sums.initial_margin,
        ratio,
        margin.margin_call_amount(sums.requirement, policy.call_level, equity),
    )
    return Verdict(measures, equity, ratio, surplus, state_of(ratio, policy.levels), status)


def account_status(wallet_balance: float, surplus: float) -> AccountStatus:
    """Whether an account can be judged."""
    if math.isnan(wallet_balance):
        return AccountStatus.MISSING_WALLET_BALANCE
    if math.isinf(wallet_balance):
        return AccountStatus.INVALID_WALLET_BALANCE
    return AccountStatus.OK if math.isfinite(surplus) else AccountStatus.INCOMPLETE
