"""Margin in whole quantums: every division rounds once, the way it is stated, at any size."""

from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levcore.errors import InputError
from support.closing import quantums

AMOUNTS = st.integers(-(10**30), 10**30)
SHARES = st.integers(0, quantums.MILLION)


@given(st.integers(0, 10**30), SHARES)
def test_requirements_are_rounded_up_once_a_product(value: int, share: int) -> None:
    initial = quantums.initial_requirement(value, share)
    assert initial == ceil(Fraction(value * share, 10**6)) == quantums.initial_requirement(-value, share)
    maintained = quantums.maintenance_requirement(value, share, 600_000)
    assert maintained == ceil(initial * Fraction(6, 10))


def test_a_requirement_is_not_that_of_the_displayed_fraction() -> None:
    value, base, share = 10**9, 567_243, 289_284
    exact = value * Fraction(base, 10**6) * Fraction(share, 10**6)
    displayed = quantums.maintenance_fraction(base, share)
    assert displayed == floor(base * Fraction(share, 10**6))
    required = quantums.maintenance_requirement(value, base, share)
    assert quantums.initial_requirement(value, displayed) < exact <= required < exact + 2


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_funding_is_what_the_other_side_receives(quantity: int, index: int, entry: int) -> None:
    paid = quantums.funding_settlement(quantity, index, entry)
    assert paid == -quantums.funding_settlement(-quantity, index, entry) == (entry - index) * quantity
    assert 0 <= paid - quantums.settled(paid) * quantums.MILLION < quantums.MILLION


@given(SHARES, st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_the_initial_fraction_rises_from_base_to_one(base: int, low: int, width: int, step: int) -> None:
    high = low + width + 1
    here, next_one = (quantums.initial_fraction(base, low + x, low, high) for x in (step, step + 1))
    assert base <= here <= next_one <= quantums.MILLION
    assert quantums.initial_fraction(base, high, low, high) == quantums.MILLION
    assert quantums.initial_fraction(base, 10**20, low, 0) == base


def test_notional_is_rounded_toward_zero() -> None:
    assert quantums.notional(3, Fraction(5, 2)) == 7
    assert quantums.notional(-3, Fraction(5, 2)) == -7


@pytest.mark.parametrize(("equity", "liquidatable"), [(0, True), (49, True), (50, False), (51, False)])
def test_equity_at_the_requirement_is_safe(equity: int, liquidatable: bool) -> None:
    leg = quantums.Leg(10, 50, 200_000, 500_000)
    account = quantums.Account(equity - 500, [leg])
    assert (account.equity, account.maintenance_requirement) == (equity, 50)
    assert account.is_liquidatable is liquidatable


def test_an_account_without_positions_is_never_liquidatable() -> None:
    assert not quantums.Account(-5, []).is_liquidatable


@pytest.mark.parametrize(
    ("arguments", "at_fault"),
    [
        ((1.0, 500, 1, 1), "quantity"),
        ((True, 500, 1, 1), "quantity"),
        ((1, 500.5, 1, 1), "price"),
        ((1, 0, 1, 1), "price"),
        ((1, 500, -1, 1), "initial_fraction"),
        ((1, 500, 1, "1"), "maintenance_share"),
    ],
)
def test_a_leg_takes_exact_numbers_alone(arguments: Any, at_fault: str) -> None:
    with pytest.raises(InputError) as caught:
        quantums.Leg(*arguments)
    assert caught.value.argument == at_fault
