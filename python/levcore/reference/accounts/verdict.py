"""Cross accounts: sums over their legs and the verdict on the whole."""

import math
from dataclasses import dataclass

from levcore.reference.codes.state import state_of
from levcore.reference.formulas import margin
from levcore.reference.rules.policy import Policy
from levcore.status import AccountStatus, State

__all__ = ["Sums", "Totals", "Verdict", "judge", "judge_wallet", "wallet_status"]

MEASURES = 9
"""Number of measures of an account."""


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


@dataclass(slots=True)
class Totals:
    """Sums over everything that an account holds, in its currency.

    `counted` is the value of its assets with profit, `debt` what is owed where liabilities count as a
    requirement, `requirement` holds the debt then.
    """

    counted: float = 0.0
    collateral_value: float = 0.0
    liabilities: float = 0.0
    debt: float = 0.0
    requirement: float = 0.0
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Measures of an account as `levcore.measures.ACCOUNT_MEASURES` lists them, and its verdict."""

    measures: tuple[float, ...]
    equity: float
    margin_ratio: float
    surplus: float
    state: int
    status: int


def judge_wallet(wallet_balance: float, status: AccountStatus, sums: Sums, policy: Policy) -> Verdict:
    """Verdict on an account from its wallet and the sums over its legs, `status` as in `judge`."""
    counted = wallet_balance + sums.profit
    totals = Totals(
        counted,
        margin.larger(counted, 0.0),
        margin.larger(-counted, 0.0),
        0.0,
        sums.requirement,
        sums.initial_margin,
        sums.maintenance_margin,
    )
    return judge(totals, status, policy)


def judge(totals: Totals, status: AccountStatus, policy: Policy) -> Verdict:
    """Verdict on an account from its sums; `status` says what is known to be wrong with it."""
    t = totals
    surplus = t.counted - t.requirement * policy.trigger
    equity = t.counted - t.debt
    if status == AccountStatus.OK and not (math.isfinite(surplus) and math.isfinite(equity)):
        status = AccountStatus.INCOMPLETE
    if status != AccountStatus.OK:
        none = math.nan
        return Verdict((none,) * MEASURES, none, none, none, State.INCOMPLETE, status)
    ratio = margin.margin_ratio(t.requirement, t.counted)
    measures = (
        equity,
        t.initial_margin,
        t.maintenance_margin,
        t.counted - t.initial_margin,
        ratio,
        margin.margin_call_amount(t.requirement, policy.call_level, t.counted),
        t.collateral_value,
        t.liabilities,
        surplus,
    )
    return Verdict(measures, equity, ratio, surplus, state_of(ratio, policy.levels), status)


def wallet_status(wallet_balance: float) -> AccountStatus:
    """Whether there is a wallet."""
    if math.isnan(wallet_balance):
        return AccountStatus.MISSING_WALLET_BALANCE
    return AccountStatus.INVALID_WALLET_BALANCE if math.isinf(wallet_balance) else AccountStatus.OK
