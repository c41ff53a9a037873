"""Closing by a liquidator: every unit of the value has one owner, and a close restores what it should."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levcore.errors import InputError
from support.closing import take_over as liquidator

SHARES = st.fractions(0, 1)
POSITIVE = st.fractions(Fraction(1, 100), 10**6)


@given(
    st.integers(-(10**24), 10**24).filter(bool),
    st.integers(-(10**24), 10**24),
    POSITIVE,
    st.fractions(Fraction(1, 1000), 1),
    SHARES,
    SHARES,
)
def test_the_value_taken_over_has_one_owner_a_unit(
    quantity: int, open_value: int, price: Fraction, share: Fraction, penalty: Fraction, fund_share: Fraction
) -> None:
    taken = liquidator.take_over(
        quantity, open_value, price, share, penalty=penalty, fund_share=fund_share, one=10**18
    )
    assert 0 <= taken.to_fund <= taken.penalty <= abs(taken.value)
    assert taken.liquidator_pays + taken.penalty - taken.to_fund == taken.value
    assert abs(quantity) * share - 1 < abs(taken.quantity) <= abs(quantity) * share
    cost = taken.profit - taken.value
    assert abs(cost) <= abs(open_value) * share
    assert (
        abs(cost - open_value * share)
        <= abs(open_value) * (Fraction(1, abs(quantity)) + Fraction(1, 10**18)) + 1
    )


def test_a_whole_position_realises_all_of_its_profit() -> None:
    taken = liquidator.take_over(-3, 300, 90, 1, penalty=Fraction(0), fund_share=Fraction(0), one=7)
    assert taken == liquidator.TakeOver(-3, -270, 0, 0, -270, 30)


@given(POSITIVE, POSITIVE, st.fractions(Fraction(3, 100), Fraction(1, 2)), POSITIVE)
def test_closing_the_covering_quantity_ends_the_shortage(
    shortage: Fraction, price: Fraction, rate: Fraction, quote_price: Fraction
) -> None:
    fees = {"liquidator_fee": Fraction(1, 100), "fund_fee": Fraction(1, 200)}
    quantity = liquidator.covering_quantity(
        shortage, price, margin_rate=rate, quote_price=quote_price, **fees
    )
    released = price * quote_price * (rate - fees["liquidator_fee"]) - price * fees["fund_fee"]
    if quantity is None:
        assert released <= 0
    else:
        assert quantity * released == shortage


@pytest.mark.parametrize(("room", "fee"), [("-1", "0"), ("0.01", "0.005"), ("0.3", "0.05")])
def test_the_funds_fee_is_kept_between_nothing_and_the_most(room: str, fee: str) -> None:
    charged = liquidator.insurance_fee(Fraction(room), share=Fraction(1, 2), most=Fraction("0.05"))
    assert charged == Fraction(fee)


@pytest.mark.parametrize(("elapsed", "fee"), [(0, "0.02"), (9, "0.02"), (10, "0.03"), (99, "0.05")])
def test_a_fee_rises_after_the_grace_from_the_beginning(elapsed: int, fee: str) -> None:
    step = Fraction("0.001")
    charged = liquidator.rising_fee(Fraction("0.02"), elapsed, grace=10, step=step, most=Fraction("0.05"))
    assert charged == Fraction(fee)


@given(st.fractions(0, 10**9), POSITIVE)
def test_all_others_bear_the_loss_and_no_more_than_a_step(loss: Fraction, units: Fraction) -> None:
    step = Fraction(1, 10**6)
    each = liquidator.loss_per_unit(loss, units, step=step)
    assert 0 <= each * units - loss < step * units
    assert (each / step).denominator == 1


WRONG: dict[str, Any] = {
    "share": lambda: liquidator.take_over(1, 1, 1, 0, penalty=Fraction(0), fund_share=Fraction(0), one=1),
    "quantity": lambda: liquidator.take_over(
        Fraction(1, 2),  # type: ignore[arg-type]
        1,
        1,
        1,
        penalty=Fraction(0),
        fund_share=Fraction(0),
        one=1,
    ),
    "units": lambda: liquidator.loss_per_unit(Fraction(1), Fraction(0), step=Fraction(1)),
}


@pytest.mark.parametrize("argument", WRONG)
def test_what_cannot_be_is_refused_by_name(argument: str) -> None:
    with pytest.raises(InputError) as caught:
        WRONG[argument]()
    assert caught.value.argument == argument
