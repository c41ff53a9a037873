"""Loans closed against their collateral, by the rules of a lending market."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from levcore._levcore import close_loans as close_batch
from levcore.arguments import number_in, of_kind
from levcore.book.arrays import float_column
from levcore.closing.money import Wholes, in_quanta, one_in_quanta, quanta_per_unit
from levcore.errors import InputError
from levcore.rules.policy import MarginPolicy

__all__ = ["ClosedLoans", "close_loans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLoans:
    """Result of `close_loans`, one value a loan; int64 quanta, ``amount / per_unit`` is money.

    Attributes
    ----------
    repaid : ndarray of int64, shape (n,)
        Debt that the liquidator repays.
    seized : ndarray of int64, shape (n,)
        Collateral that goes for it, the venue's fee included.
    fee : ndarray of int64, shape (n,)
        The venue's part of the bonus.
    uncovered : ndarray of int64, shape (n,)
        Debt of the account that no collateral is left for.
    per_unit : float
    """

    repaid: Wholes
    seized: Wholes
    fee: Wholes
    uncovered: Wholes
    per_unit: float


def close_loans(
    policy: MarginPolicy,
    debt: npt.ArrayLike,
    collateral: npt.ArrayLike,
    health_factor: npt.ArrayLike,
    bonus: npt.ArrayLike,
    *,
    total_debt: npt.ArrayLike | None = None,
    total_collateral: npt.ArrayLike | None = None,
    fee: float = 0.0,
    quantum: float = 1e-8,
) -> ClosedLoans:
    """Close loans whose health factor is below 1, one liquidation each.

    Parameters
    ----------
    policy : MarginPolicy
        Whose ``close_out_share`` of an account's debt is repaid, all of it from ``close_out_whole_level`` on
        or where debt or collateral is below ``close_out_whole_up_to``; what is left of either is nothing, or
        ``close_out_least_left`` at least.
    debt, collateral : array_like, shape (n,), account currency
        Value of one debt, and of the collateral that pays for it.
    health_factor : array_like, shape (n,)
        Weighted collateral over debt of the account.
    bonus : array_like, shape (n,), fraction
        What the liquidator gets on top of the debt's value: 0.05 for 5 %; counted in parts of 10,000.
    total_debt, total_collateral : array_like, shape (n,), optional
        Of the whole account; absent: those of the loan.
    fee : float, fraction
        Part of the bonus that the venue keeps.
    quantum : float
        Unit in which values are counted, a whole part of one.

    Returns
    -------
    ClosedLoans

    Raises
    ------
    UnknownRuleError
        Where the policy does not say which share is closed.

    Examples
    --------
    >>> import levcore as lc
    >>> closed = lc.close_loans(lc.policy("aave-v3"), [9_000.0], [10_000.0], [0.97], [0.05])
    >>> (closed.repaid / closed.per_unit).tolist(), (closed.seized / closed.per_unit).tolist()
    ([4500.0], [4725.0])
    """
    of_kind("policy", policy, MarginPolicy)
    number_in("fee", fee, -1e-9, np.nextafter(1.0, 2.0), "must be a part of the bonus", "in [0, 1]")
    per_unit = quanta_per_unit(quantum)
    level = policy.close_out_whole_level
    rule = (
        float(policy.known("close_out_share")),
        one_in_quanta("close_out_whole_up_to", policy.close_out_whole_up_to, per_unit),
        one_in_quanta("close_out_least_left", policy.close_out_least_left, per_unit),
        -math.inf if level is None else 1.0 / level,
        round(fee * 10_000),
    )

    rows: int | None = None

    def quanta(name: str, values: npt.ArrayLike) -> Wholes:
        column = float_column(name, values, rows, [])
        return in_quanta(name, column, per_unit, rows=np.arange(column.size))

    owed = quanta("debt", debt)
    rows = owed.size
    held = quanta("collateral", collateral)
    more = float_column("bonus", bonus, rows, [])
    if not ((more >= 0) & (more <= 10)).all():
        raise InputError("bonus", "must be fractions of the debt", "in [0, 10]", repr(more[:3].tolist()))
    repaid, seized, kept, uncovered = close_batch(
        owed,
        held,
        owed if total_debt is None else quanta("total_debt", total_debt),
        held if total_collateral is None else quanta("total_collateral", total_collateral),
        float_column("health_factor", health_factor, rows, []),
        np.rint(10_000.0 * (1.0 + more)).astype(np.int64),
        rule,
    )
    return ClosedLoans(repaid=repaid, seized=seized, fee=kept, uncovered=uncovered, per_unit=per_unit)
