"""The insurance fund: its limits by date, its balance over a batch, and what others bear instead."""

import numpy as np
import pytest

import levcore as lc
from levcore.errors import InputError
from support.closing_books import closing_policy

LOSERS = lc.PositionBook(
    ["A", "A", "A"], [1.0, 3.0, 10.0], [100.0, 100.0, 100.0], leverage=20.0, account=["a", "b", "c"]
)
"""At 85 they are short of 10, 30 and 100."""


def test_rules_of_binance_changed_on_2019_09_09() -> None:
    """Binance Futures documentation, insurance fund: 20 %, 7.5 % in 8 hours, 0.5 %; since then 100 %."""
    before, after = lc.fund_rules("binance", "2019-09-08"), lc.fund_rules("binance", "2019-09-09")
    assert (before.largest_share, before.largest_fall, before.window_hours) == (0.2, 0.075, 8)
    assert (before.returns_after_hours, before.largest_fee) == (8, 0.005)
    assert (after.largest_share, after.own_funds) == (1.0, ("BTCUSDT", "ETHUSDT"))
    assert after == lc.fund_rules("Binance")
    for rules in (before, after):
        assert rules.evidence.startswith("[R]")
        assert rules.source
        assert rules.dated
    with pytest.raises(InputError, match=r"venue.*Binance"):
        lc.fund_rules("Nowhere")


def test_bybit_pays_until_its_pool_has_fallen_by_30_percent() -> None:
    """Beyond that the loss falls on auto-deleveraging; a page of 2025-11 has 100 % instead."""
    fund = lc.Fund.under(lc.fund_rules("Bybit", "2025-10-10"), 90.0, peak=100.0)
    assert (fund.floor, fund.largest_value) == (70.0, np.inf)
    assert lc.Fund.under(lc.fund_rules("Bybit", "2025-11-10"), 90.0).floor == 0.0
    engine = lc.Engine(closing_policy(close_out_payers=("fund",), trader_owes="no"))
    closed = lc.close_out(engine, LOSERS, {"A": 85.0}, fund=fund)
    assert (closed.fund / 1e8).tolist() == [10.0, 10.0, 0.0]
    assert closed.totals()["written_off"] == 120.0


def test_okx_allows_a_fall_of_30_percent_or_50_000() -> None:
    rules = lc.fund_rules("OKX")
    assert rules.measured_from == "mean"
    assert lc.Fund.under(rules, 1e6, peak=1e6).floor == 700_000.0
    assert lc.Fund.under(rules, 1e5, peak=1e5).floor == 50_000.0
    assert lc.Fund.under(rules, 4e4, peak=4e4).floor == 0.0


def test_the_early_binance_fund_takes_no_position_of_over_a_fifth_of_it() -> None:
    engine = lc.Engine(closing_policy(close_out_payers=("fund",), trader_owes="no"))
    fund = lc.Fund(1_500.0, largest_value=300.0)
    closed = lc.close_out(engine, LOSERS, {"A": 85.0}, fund=fund)
    assert (closed.fund / 1e8).tolist() == [
        10.0,
        30.0,
        0.0,
    ]  # 85 and 255 are closed of those, 850 of the last


def test_its_balance_is_a_series_over_the_claims() -> None:
    policy = closing_policy(close_out_payers=("fund",), close_out_remainder="fund", trader_owes="no")
    columns = ["A"] * 3, [1.0, 3.0, 2.0], [100.0] * 3
    book = lc.PositionBook(*columns, isolated_margin=[5.0, 15.0, 30.4], account=["b", "a", "c"])
    closed = lc.close_out(lc.Engine(policy), book, {"A": 85.0}, fund=20.0)
    assert closed.served.tolist() == [1, 0, 2]
    assert (closed.fund_series / 1e8).round(8).tolist() == [0.0, 0.0, 0.0]
    assert (closed.fund / 1e8).round(8).tolist() == [0.0, 20.4, 0.0]


def test_bad_funds_are_refused() -> None:
    for wrong in (-1.0, np.nan, np.inf, "much"):
        with pytest.raises(InputError, match="fund"):
            lc.Fund(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fund"):
        lc.Fund(1.0, floor=-1.0)


@pytest.mark.parametrize("day", ["yesterday", "2020-13-01", "20200301", "", 20200301])
def test_what_is_no_day_is_not_taken_for_the_newest(day: object) -> None:
    with pytest.raises(InputError, match="on: must be a day"):
        lc.fund_rules("Binance", day)  # type: ignore[arg-type]
