"""Closing steps: an account is closed for what it owns, never below zero, and every quantum has a payer."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levcore.errors import InputError
from support.closing import bankruptcy as close_out
from support.closing.quantums import Account, Leg

LEGS = st.lists(
    st.builds(
        Leg,
        quantity=st.integers(-(10**9), 10**9).filter(bool),
        price=st.fractions(Fraction(1, 100), 10**4),
        initial_fraction=st.integers(1, 10**6),
        maintenance_share=st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=4,
)
ACCOUNTS = st.builds(Account, balance=st.integers(-(10**12), 10**12), legs=LEGS).filter(
    lambda account: account.maintenance_requirement > 0
)


@given(ACCOUNTS)
def test_closing_every_leg_at_bankruptcy_leaves_nothing_or_dust(account: Account) -> None:
    proceeds = 0
    for place, leg in enumerate(account.legs):
        proceeds += close_out.bankruptcy_proceeds(account, place, -leg.quantity)
    # One quantum a leg: each share of the equity is rounded down, so that no close costs more than there is.
    assert 0 <= account.balance + proceeds <= len(account.legs)


@given(ACCOUNTS, st.integers(1, 10**9))
def test_a_part_closed_at_bankruptcy_keeps_the_rest_as_healthy(account: Account, size: int) -> None:
    leg = account.legs[0]
    change = min(size, abs(leg.quantity)) * (-1 if leg.quantity > 0 else 1)
    proceeds = close_out.bankruptcy_proceeds(account, 0, change)
    after = Account(account.balance + proceeds, [leg.changed_by(change), *account.legs[1:]])
    # equity / requirement may only rise, and by the rounding of one quantum at most.
    before = Fraction(account.equity, account.maintenance_requirement)
    assert 0 <= after.equity - before * after.maintenance_requirement < 1


@given(ACCOUNTS, st.integers(0, 3 * 10**6), st.integers(0, 3 * 10**6))
def test_the_fillable_price_stays_between_oracle_and_largest_spread(
    account: Account, adjustment: int, spread: int
) -> None:
    leg = account.legs[0]
    price = close_out.fillable_price(account, 0, adjustment, spread)
    oracle = Fraction(leg.notional, leg.quantity)
    largest = leg.maintenance_requirement * Fraction(spread, 10**6) / leg.quantity
    assert min(oracle, oracle - largest) <= price <= max(oracle, oracle - largest)
    if account.equity >= account.maintenance_requirement:
        assert price == oracle


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.integers(0, 10**6))
def test_the_fund_takes_no_more_than_is_left_and_pays_all_that_is_missing(
    proceeds: int, bankruptcy: int, fee: int
) -> None:
    paid = close_out.insurance_payment(proceeds, bankruptcy, fee)
    left = proceeds - bankruptcy
    if left <= 0:
        assert paid == left
    else:
        assert 0 <= paid <= left
        assert paid <= abs(proceeds) * Fraction(fee, 10**6)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**12), st.integers(0, 10**6))
def test_bounds_of_a_step_hold_each_other(value: int, minimum: int, portion: int) -> None:
    least, most = close_out.closing_bounds(value, minimum, portion)
    assert 0 <= least <= most <= abs(value)
    assert close_out.closing_bounds(value, minimum, 10**6)[1] == abs(value)


@pytest.mark.parametrize(
    ("price", "sells", "shown"),
    [("10.01", True, "10.5"), ("10.01", False, "10"), ("10.5", True, "10.5"), ("0.2", False, "0.5")],
)
def test_limit_prices_favour_the_trader_and_are_never_zero(price: str, sells: bool, shown: str) -> None:
    on_tick = close_out.price_on_tick(Fraction(price), Fraction(1, 2), sells=sells)
    assert on_tick == Fraction(shown)


@given(st.fractions(0, 10**6), st.fractions(Fraction(1, 100), 10**4), st.fractions(-(10**6), 10**6))
def test_collateral_pays_losses_and_others_the_rest(
    collateral: Fraction, price: Fraction, profit: Fraction
) -> None:
    fees = Fraction(3)
    returned, shortfall = close_out.returned_collateral(collateral, price, profit, fees)
    assert returned * shortfall == 0
    assert returned * price - shortfall == collateral * price + profit - fees


FLOAT: Any = -1.0
LEG = Leg(10, 50, 200_000, 500_000)
WRONG: dict[str, tuple[Any, str]] = {
    "opens": (lambda: close_out.bankruptcy_proceeds(Account(0, [LEG]), 0, 1), "change"),
    "more than there is": (lambda: close_out.bankruptcy_proceeds(Account(0, [LEG]), 0, -11), "change"),
    "a float": (lambda: close_out.bankruptcy_proceeds(Account(0, [LEG]), 0, FLOAT), "change"),
    "nothing required": (lambda: close_out.fillable_price(Account(0, [Leg(1, 1, 0, 0)]), 0, 1, 1), "account"),
    "a flat leg": (lambda: close_out.fillable_price(Account(0, [Leg(0, 1, 1, 1), LEG]), 0, 1, 1), "leg"),
    "no tick": (lambda: close_out.price_on_tick(Fraction(1), Fraction(0), sells=True), "tick"),
    "no price": (lambda: close_out.returned_collateral(*map(Fraction, (1, 0, 0, 0))), "price"),
    "a negative minimum": (lambda: close_out.closing_bounds(1, -1, 1), "minimum"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_closed_is_refused_by_name(case: str) -> None:
    call, argument = WRONG[case]
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument
