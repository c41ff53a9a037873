"""Loans closed in batches: the published cases of Aave v3.3, the twin, the oracle in fractions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore as core
from levcore.errors import LevcoreError, UnknownRuleError
from levcore.reference.closing.loans import Loan, LoanRule, close_loan
from support.closing import loans as exact

AAVE = lc.policy("aave-v3")


@pytest.mark.parametrize(
    ("debt", "collateral", "total", "health", "repaid"),
    [
        (3_000, 9_000, 9_000, 0.96, 3_000),  # half of all debt is more than this reserve's
        (8_000, 9_000, 9_000, 0.96, 4_500),
        (8_000, 9_400, 9_000, 0.95, 8_000),  # weak, at the level itself; 1,000 of collateral are left
        (8_000, 1_999, 9_000, 0.96, 1_999 / 1.05),  # the collateral is small, and goes whole
        (2_000, 3_000, 2_000, 0.96, 1_000),
        (1_999, 9_000, 1_999, 0.96, 1_999),
        (8_000, 9_000, 9_000, 1.0, 0),  # at 1 nothing is closed
    ],
)
def test_aave_closes_half_or_all(
    debt: float, collateral: float, total: float, health: float, repaid: float
) -> None:
    """Aave v3.3, "Liquidation logic changes" 2.1 and 2.2 (aave-dao/aave-v3-origin, docs/3.3)."""
    closed = lc.close_loans(AAVE, [debt], [collateral], [health], [0.05], total_debt=[total])
    assert closed.repaid[0] / closed.per_unit == pytest.approx(repaid, abs=1e-7)
    assert closed.seized[0] / closed.per_unit == pytest.approx(min(repaid * 1.05, collateral), abs=1e-7)


def test_neither_side_is_left_with_less_than_a_thousand() -> None:
    """The same text, 2.3: a close leaves nothing, or 1,000 at least."""
    closed = lc.close_loans(AAVE, [2_500.0], [9_000.0], [0.96], [0.05], total_debt=[4_000.0])
    assert closed.repaid[0] / closed.per_unit == 1_500.0
    thin = lc.close_loans(AAVE, [9_000.0], [2_500.0], [0.96], [0.05])
    assert thin.seized[0] == 2_500 * 10**8
    thin = lc.close_loans(AAVE, [3_000.0], [2_500.0], [0.96], [0.05])
    assert thin.seized[0] / thin.per_unit == pytest.approx(1_500.0)


def test_debt_without_collateral_is_uncovered() -> None:
    closed = lc.close_loans(AAVE, [10_000.0], [8_400.0], [0.7], [0.05], fee=0.1)
    assert closed.repaid.tolist() == [8_000 * 10**8]
    assert closed.uncovered.tolist() == [2_000 * 10**8]
    assert closed.fee.tolist() == [40 * 10**8]
    held = lc.close_loans(AAVE, [10_000.0], [8_400.0], [0.7], [0.05], total_collateral=[9_000.0])
    assert held.uncovered.tolist() == [0]


def test_loans_are_closed_like_their_twin_and_within_the_exact_rules() -> None:
    random = np.random.default_rng(21)
    count = 4_000
    debt, collateral = random.integers(0, 5_000, (2, count))
    columns = {
        "debt": debt,
        "collateral": collateral,
        "total_debt": debt + random.choice([0, 700], count),
        "total_collateral": collateral + random.choice([0, 700], count),
        "health_factor": np.round(random.uniform(0.85, 1.05, count), 2),
        "bonus": random.choice([10_000, 10_500, 11_000], count),
    }
    rule = (0.5, 2_000, 1_000, 0.95, 1_000)
    given: Any = columns
    repaid, seized, fee, uncovered = core.close_loans(**given, rule=rule)
    rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    twin = [close_loan(Loan(*row), LoanRule(*rule)) for row in rows]
    assert list(zip(repaid.tolist(), seized.tolist(), fee.tolist(), uncovered.tolist(), strict=True)) == twin
    assert ((repaid <= debt) & (seized <= collateral) & (fee >= 0) & (fee <= seized - repaid)).all()
    for row, (paid, _, _, _) in zip(rows, twin, strict=True):
        most = exact.closable_debt(
            row[0],
            row[1],
            row[2],
            Fraction(str(row[4])),
            small_below=2_000,
            weak_at=Fraction(19, 20),
            share=Fraction(1, 2),
        )
        assert paid <= most
        assert row[4] < 1 or paid == 0


def test_loans_that_are_none_are_refused() -> None:
    with pytest.raises(UnknownRuleError, match="close_out_share"):
        lc.close_loans(lc.policy("generic"), [1.0], [1.0], [0.9], [0.05])
    with pytest.raises(LevcoreError, match="collateral"):
        lc.close_loans(AAVE, [1.0], [-1.0], [0.9], [0.05])
    with pytest.raises(LevcoreError, match="collateral"):
        lc.close_loans(AAVE, [1.0], [1.0, 2.0], [0.9], [0.05])
    with pytest.raises(LevcoreError, match="bonus"):
        lc.close_loans(AAVE, [1.0], [1.0], [0.9], [-0.05])
