"""Closing loans: limits of a liquidation, and what an absorption leaves to whom."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levcore.errors import InputError
from support.closing import loans as loan_close_out

VALUES = st.integers(0, 10**12)
RULES: dict[str, Any] = {"small_below": 2_000, "weak_at": Fraction("0.95"), "share": Fraction(1, 2)}


@pytest.mark.parametrize(
    ("debt", "collateral", "total", "health", "closable"),
    [
        (3_000, 9_000, 9_000, "0.96", 3_000),  # half of all debt is more than this reserve's
        (8_000, 9_000, 9_000, "0.96", 4_500),
        (8_000, 9_000, 9_000, "0.95", 8_000),  # weak, at the level itself
        (8_000, 1_999, 9_000, "0.96", 8_000),  # the collateral is small
        (2_000, 2_000, 2_000, "0.96", 1_000),  # neither is below the size that counts as small
        (1_999, 9_000, 1_999, "0.96", 1_999),
    ],
)
def test_how_much_debt_one_liquidation_repays(
    debt: int, collateral: int, total: int, health: str, closable: int
) -> None:
    assert loan_close_out.closable_debt(debt, collateral, total, Fraction(health), **RULES) == closable


def test_a_partial_close_leaves_enough_or_is_none() -> None:
    assert loan_close_out.largest_partial_close(900, 500) == 400
    assert loan_close_out.largest_partial_close(400, 500) == 0
    assert loan_close_out.largest_partial_close(Fraction(3, 2), Fraction(1)) == Fraction(1, 2)


@given(st.integers(-(10**12), 10**12), st.lists(VALUES, max_size=3), st.integers(1, 10**9))
def test_an_absorbed_account_keeps_the_rest_or_the_lender_bears_it(
    balance: int, seized: list[int], base_price: int
) -> None:
    left, shortfall = loan_close_out.absorbed_balance(balance, seized, base_price, 10**6)
    assert left * shortfall == 0
    credited = left - shortfall - balance
    assert 0 <= sum(seized) * 10**6 - credited * base_price < base_price


@given(st.integers(0, 10**24), st.integers(1, 10**12), st.integers(0, 10**18))
def test_the_credit_of_seized_collateral_never_exceeds_its_share(
    amount: int, price: int, factor: int
) -> None:
    value = loan_close_out.seized_value(amount, price, 10**18, factor, one=10**18)
    exact = Fraction(amount * price, 10**18) * Fraction(factor, 10**18)
    assert exact - 2 < value <= exact


def quote(discount_share: int, liquidation_factor: int) -> int:
    return loan_close_out.quoted_collateral(
        10**9,
        10**8,
        10**6,
        200 * 10**8,
        10**18,
        liquidation_factor=liquidation_factor,
        discount_share=discount_share,
        one=100,
    )


def test_a_sale_shares_the_penalty_with_the_buyer() -> None:
    assert quote(0, 60) == quote(50, 100) == 5 * 10**18
    assert quote(50, 60) == 5 * 10**18 * 100 // 80
    with pytest.raises(InputError, match="must leave a price"):
        quote(100, 0)


def test_amounts_are_whole() -> None:
    with pytest.raises(InputError) as caught:
        loan_close_out.seized_value(1.5, 1, 1, 1, one=1)  # type: ignore[arg-type]
    assert caught.value.argument == "amount"


LOAN: dict[str, Any] = {"premium": Fraction("1.1"), "relief": Fraction("0.9")}


def test_swapping_debt_and_collateral_are_each_others_inverse() -> None:
    debt = loan_close_out.debt_for_collateral(Fraction(10), Fraction(100), **LOAN)
    assert debt < Fraction(10, 100)
    assert loan_close_out.collateral_for_debt(debt, Fraction(100), **LOAN) == 10


def test_the_covering_debt_frees_the_margin_that_is_missing_or_is_none() -> None:
    terms: dict[str, Any] = {**LOAN, "debt_weight": Fraction("1.2"), "collateral_weight": Fraction("0.8")}
    debt = loan_close_out.covering_debt(
        Fraction(10), Fraction(100), fund_fee=Fraction(0), step=Fraction(1, 10**12), **terms
    )
    assert debt is not None
    collateral = loan_close_out.collateral_for_debt(debt, Fraction(100), **LOAN)
    freed = debt * 100 * terms["debt_weight"] - collateral * terms["collateral_weight"]
    assert 0 <= 10 - freed < Fraction(1, 10**9)
    costly = loan_close_out.covering_debt(
        Fraction(10), Fraction(100), fund_fee=Fraction(1, 2), step=Fraction(1, 10**12), **terms
    )
    assert costly is None
