"""A loan closed against its collateral."""

import math
from dataclasses import dataclass

__all__ = ["Loan", "LoanRule", "close_loan"]

ONE = 10_000


@dataclass(frozen=True, slots=True)
class LoanRule:
    """How much of a debt one liquidation repays; see the core."""

    share: float
    small_below: int
    least_left: int
    weak_at: float
    fee: int


@dataclass(frozen=True, slots=True)
class Loan:
    """A debt and the collateral that pays for it, in quanta."""

    debt: int
    collateral: int
    total_debt: int
    total_collateral: int
    health_factor: float
    bonus: int


def close_loan(loan: Loan, rule: LoanRule) -> tuple[int, int, int, int]:
    """Debt repaid, collateral seized, fee, and debt that no collateral is left for."""
    repaid, seized = pair(loan, rule) if loan.health_factor < 1.0 else (0, 0)
    fee = -(-(seized - repaid) * rule.fee // ONE) if seized > repaid else 0
    bare = loan.total_collateral == seized
    return repaid, seized, fee, loan.total_debt - repaid if bare else 0


def pair(loan: Loan, rule: LoanRule) -> tuple[int, int]:
    """Debt repaid and collateral seized."""
    small = min(loan.debt, loan.collateral) < rule.small_below
    part = math.floor(rule.share * float(loan.total_debt))
    repaid = loan.debt if small or loan.health_factor <= rule.weak_at else min(part, loan.debt)
    if 0 < loan.debt - repaid < rule.least_left:
        repaid = max(loan.debt - rule.least_left, 0)
    seized = repaid * loan.bonus // ONE
    if seized >= loan.collateral:
        return min(-(-loan.collateral * ONE // loan.bonus), repaid), loan.collateral
    if loan.collateral - seized < rule.least_left:
        seized = max(loan.collateral - rule.least_left, 0)
        repaid = seized * ONE // loan.bonus
    return repaid, seized
