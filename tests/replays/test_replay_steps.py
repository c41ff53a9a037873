"""Replays that close step by step: by hand, and beside `levcore.close_out` of the same instant."""

from typing import Any

import numpy as np
import pytest

import levcore as lc
from support.closing_books import closing_policy
from support.replays import STEPS

RULES: dict[str, Any] = {
    "close_out_before": ("net",),
    "close_out_next": "whole",
    "close_out_remainder": "trader",
    "close_out_payers": ("fund",),
    "close_out_ranking": "none",
    "close_out_price": "none",
    "trader_owes": "no",
}
TIERS = lc.TierTable.marginal([(0, "0.01"), (300, "0.02"), (2_000, "0.05")], unit="quote")
FIFTHS = RULES | {
    "close_out_step": "share",
    "close_out_share": 0.2,
    "close_out_whole_up_to": 100_000.0,
    "close_out_cooldown": 30.0,
}


def closed(rules: dict[str, Any], book: lc.PositionBook, prices: dict[int, float]) -> list[tuple[int, float]]:
    """Second and contracts of each close, A at these prices at these seconds."""
    times = np.datetime64("2025-10-10T21:00:00") + np.array(list(prices)).astype("timedelta64[s]")
    bars = {"time": times, "instrument": ["A"] * len(prices), "price": list(prices.values())}
    found = lc.replay(lc.Engine(closing_policy(**rules)), book, bars, gaps="hold")
    assert sum(found.ledger().values()) == 0
    seconds = (found.events.time - times[0]).astype("timedelta64[s]").astype(int).tolist()
    return list(zip(seconds, found.events.quantity.tolist(), strict=True))


def test_a_fifth_at_a_time_and_all_within_the_cooldown() -> None:
    # 10,000 long from 100 with 100,000: at 90.3 the equity is 3,000, the requirement 0.004 * 903,000 = 3,612.
    # A fifth closed leaves 3,000 against 2,890, which is safe. At 90.25 the equity of the 8,000 is 2,600 and
    # their requirement 2,888.
    book = lc.PositionBook(["A"], [10_000.0], [100.0], isolated_margin=[100_000.0])
    assert closed(FIFTHS, book, {0: 100.0, 60: 90.3}) == [(60, 2_000.0)]
    assert closed(FIFTHS, book, {0: 100.0, 60: 90.3, 89: 90.25}) == [(60, 2_000.0), (89, 8_000.0)]
    later = closed(FIFTHS, book, {0: 100.0, 60: 90.3, 90: 90.25})
    assert later == [(60, 2_000.0), (90, 1_600.0)]


def test_a_small_or_a_bankrupt_position_is_closed_whole() -> None:
    small = lc.PositionBook(["A"], [1_000.0], [100.0], isolated_margin=[10_000.0])
    assert closed(FIFTHS, small, {0: 100.0, 60: 90.3}) == [(60, 1_000.0)]
    large = lc.PositionBook(["A"], [10_000.0], [100.0], isolated_margin=[100_000.0])
    assert closed(FIFTHS, large, {0: 100.0, 60: 89.0}) == [(60, 10_000.0)]


def test_whom_the_fund_takes_over_leaves_it_what_is_left() -> None:
    # At 90.2 the equity is 2,000 and the requirement 3,608, more than 1.5 times of it.
    book = lc.PositionBook(["A"], [10_000.0], [100.0], isolated_margin=[100_000.0])
    rules = FIFTHS | {"close_out_take_over_level": 1.5}
    bars = {"time": [0, 60], "instrument": ["A", "A"], "price": [100.0, 90.2]}
    found = lc.replay(lc.Engine(closing_policy(**rules)), book, bars)
    assert found.events.quantity.tolist() == [10_000.0]
    assert (found.events.left / 1e8).tolist() == (found.events.kept_by_fund / 1e8).tolist() == [2_000.0]
    assert found.fund == 2_000 * 10**8
    assert found.ledger()["traders"] == 0


def test_legs_that_cover_each_other_are_closed_first() -> None:
    book = lc.PositionBook(
        ["A", "A"], [100.0, -60.0], [100.0, 100.0], account=["a", "a"], margin_mode="cross",
        wallet_balance={"a": 450.0}, position_mode="hedge",
    )  # fmt: skip
    # At 89 the net 40 long have lost 440 of 450, and the larger leg requires 0.004 * 100 * 89 = 35.6.
    rules = RULES | {"close_out_step": "whole", "hedge_requirement": "larger_leg"}
    bars = {"time": [0, 60], "instrument": ["A", "A"], "price": [100.0, 89.0]}
    found = lc.replay(lc.Engine(closing_policy(**rules)), book, bars)
    words = [found.events.to_dict()["kind"], found.events.quantity.tolist()]
    assert words == [["netting", "netting", "liquidation"], [60.0, -60.0, 40.0]]
    assert found.totals()["liquidated"] == 2


@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: ", ".join(map(str, steps.values())))
def test_an_instant_is_closed_as_a_close_out_of_it(steps: dict[str, Any]) -> None:
    """One account or position in liquidation: what is closed, lost and left is what `close_out` says.

    Between steps a replay counts money in whole quanta, `close_out` at the end: they part by a few quanta.
    """
    random = np.random.default_rng(7)
    in_part = False
    for _ in range(40):
        policy = closing_policy(**(RULES | {"trader_owes": "yes"} | steps))
        policy = policy.with_instruments([lc.Instrument("A", "linear", tiers=TIERS)])
        columns: dict[str, Any] = {
            "instrument": ["A", "B"],
            "quantity": [float(random.uniform(5, 60)), float(random.uniform(-9, 9))],
            "entry_price": [100.0, 20.0],
        }
        value = 100.0 * columns["quantity"][0]
        if random.random() < 0.5:
            columns |= {"account": ["a", "a"], "margin_mode": "cross", "wallet_balance": {"a": 0.1 * value}}
        else:
            columns |= {"isolated_margin": [0.1 * value, 1_000.0]}
        book = lc.PositionBook(**columns)
        engine = lc.Engine(policy)
        trigger = float(engine.evaluate(book, {"A": 100.0, "B": 20.0}).liquidation_price[0])
        price = trigger * float(1.0 - random.uniform(0.0, 0.01))
        expected = lc.close_out(engine, book, {"A": price, "B": 20.0}, slippage=10.0)
        bars = {"time": [0, 0, 1, 1], "instrument": ["A", "B"] * 2, "price": [100.0, 20.0, price, 20.0]}
        found = lc.replay(engine, book, bars, slippage=10.0)
        in_part |= expected.rows.size > 0 and bool(expected.open_quantity[expected.rows].any())
        closes = ((found.events.row, found.events.quantity), (expected.rows, expected.quantity))
        here, there = (np.bincount(rows, quantity, 2) for rows, quantity in closes)
        np.testing.assert_allclose(here, there, rtol=1e-9)
        loss = expected.to_trigger + expected.past_trigger
        own = found.events.to_trigger + found.events.past_trigger
        assert abs(int(own.sum()) - int(loss.sum())) <= 4 * expected.rows.size
    assert in_part or steps["close_out_step"] == "whole"
