"""Isolated margins that are negative, zero, missing or too large, and leverage below 1; numbers by hand."""

from __future__ import annotations

import math

import pytest

import levcore as lc
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk


def evaluated(policy: lc.MarginPolicy, book: lc.PositionBook, marks: dict[str, float]) -> lc.BookRisk:
    """Kernel, held to the reference."""
    risk = lc.Engine(policy).evaluate(book, marks, measures=MEASURE_NAMES)
    assert_same_risk(risk, lc.reference.evaluate(book, policy, marks, measures=MEASURE_NAMES))
    return risk


TWO_PERCENT = lc.Instrument("E", "linear", lc.TierTable.single_rate("0.02"))


def test_profit_counts_as_margin_where_more_than_the_margin_was_taken_out() -> None:
    policy = lc.policy("hyperliquid").with_instruments([TWO_PERCENT])
    book = lc.PositionBook(["E"], [1.5], [2_500.0], isolated_margin=[-375.0], leverage=[20.0])
    risk = evaluated(policy, book, {"E": 3_000.0})
    assert risk.equity[0] == 375.0
    # 1.5 P - 3,750 - 375 ... the equity -375 + 1.5 (P - 2,500) is 2 % of 1.5 P.
    assert risk.liquidation_price[0] == pytest.approx(4_125 / (1.5 * 0.98), rel=1e-14)
    assert risk.state[0] == lc.State.HEALTHY


@pytest.mark.parametrize(
    ("margin", "mark", "state"),
    [
        (0.0, 2_600.0, lc.State.HEALTHY),
        (-0.0, 2_500.0, lc.State.BANKRUPT),
        (-375.0, 2_700.0, lc.State.BANKRUPT),
        (-375.0, 2_800.0, lc.State.LIQUIDATION),
    ],
)
def test_what_is_left_decides_and_not_the_sign_of_the_margin(
    margin: float, mark: float, state: lc.State
) -> None:
    policy = lc.policy("generic").with_instruments([TWO_PERCENT])
    book = lc.PositionBook(["E"], [1.5], [2_500.0], isolated_margin=[margin], leverage=[20.0])
    assert evaluated(policy, book, {"E": mark}).state[0] == state


def test_a_row_without_margin_keeps_what_does_not_need_it() -> None:
    policy = lc.policy("generic").with_instruments([TWO_PERCENT])
    book = lc.PositionBook(["E", "E"], [2.0, 0.0], [100.0, 100.0], leverage=[math.nan] * 2)
    risk = evaluated(policy, book, {"E": 110.0})
    assert risk.status.tolist() == [lc.Status.WITHOUT_MARGIN] * 2
    assert risk.state.tolist() == [lc.State.INCOMPLETE] * 2
    assert risk.notional.tolist() == [220.0, 0.0]
    assert risk.unrealized_pnl.tolist() == [20.0, 0.0]
    assert risk.maintenance_margin.tolist() == [4.4, 0.0]
    for name in ("equity", "margin_ratio", "liquidation_price", "distance_to_liquidation"):
        assert all(math.isnan(each) for each in risk[name]), name
    assert [failure.column for failure in risk.failures()] == ["isolated_margin"] * 2


def test_a_fee_where_the_margin_ends_is_not_known_without_it() -> None:
    policy = lc.policy("generic").with_instruments([TWO_PERCENT])
    policy = policy.replace(
        closing_fee_basis="bankruptcy",
        closing_fee_rate=0.001,
        closing_fee_bankruptcy_cross="leverage",
        closing_fee_in_maintenance_margin=True,
    )
    risk = evaluated(policy, lc.PositionBook(["E"], [2.0], [100.0]), {"E": 110.0})
    assert math.isnan(risk.maintenance_margin[0])
    assert risk.notional[0] == 220.0


@pytest.mark.parametrize(
    ("margin", "leverage", "funding", "equity", "state"),
    [
        (5.0, math.nan, 0.0, 5.0, lc.State.HEALTHY),
        (5.0, math.nan, -8.0, -3.0, lc.State.BANKRUPT),
        (math.nan, 5.0, 0.0, 0.0, lc.State.HEALTHY),
        (math.nan, 5.0, -1.0, -1.0, lc.State.BANKRUPT),
    ],
)
def test_a_row_without_exposure_is_judged_by_what_it_holds(
    margin: float, leverage: float, funding: float, equity: float, state: lc.State
) -> None:
    policy = lc.policy("generic").with_instruments([TWO_PERCENT])
    book = lc.PositionBook(
        ["E"], [0.0], [100.0], isolated_margin=[margin], leverage=[leverage], accrued_funding=[funding]
    )
    risk = evaluated(policy, book, {"E": 110.0})
    assert (risk.equity[0], risk.state[0], risk.status[0]) == (equity, state, lc.Status.FLAT)


@pytest.mark.parametrize("name", ["bybit-linear", "bybit-inverse"])
def test_leverage_below_one_takes_its_account_along(name: str) -> None:
    """The fee at the bankruptcy of 0.05x is negative: one such leg made a liquidatable account look well."""
    policy = lc.policy(name).replace(
        closing_fee_rate=0.0006, closing_fee_bankruptcy_cross="leverage", requirement_basis_cross="price"
    )
    terms = [lc.Instrument(each, "linear", lc.TierTable.single_rate("0.05")) for each in ("A", "B")]
    policy = policy.with_instruments(terms)

    def book(leverage: float) -> lc.PositionBook:
        return lc.PositionBook(
            ["A", "B"],
            [100.0, 100.0],
            [100.0, 100.0],
            leverage=[leverage, 10.0],
            margin_mode="cross",
            wallet_balance=600.0,
        )

    marks = {"A": 100.0, "B": 100.0}
    assert evaluated(policy, book(10.0), marks).state.tolist() == [lc.State.LIQUIDATION] * 2
    for leverage in (0.05, 0.999, 5e-324):
        risk = evaluated(policy, book(leverage), marks)
        assert risk.status.tolist() == [lc.Status.INVALID_LEVERAGE, lc.Status.ACCOUNT_INCOMPLETE]
        assert risk.accounts.state.tolist() == [lc.State.INCOMPLETE]
