"""Liquidations in steps: how much each closes, when they stop, and what they leave."""

from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore as core
from levcore.errors import InputError, PolicyError, UnknownRuleError
from levcore.reference.closing.steps import StepRule, step_quantity
from support.closing_books import ONE_RATE

STATED: dict[str, Any] = {
    "close_out_fee_rate": 0.0,
    "close_out_remainder": "trader",
    "close_out_payers": ("fund",),
    "trader_owes": "no",
    "close_out_before": (),
}
STEPS = [name for name, _ in core.closing_words()[4]]


def stated(instruments: list[lc.Instrument], **rules: Any) -> lc.Engine:
    policy = lc.policy("generic").replace(**(ONE_RATE | STATED | rules))
    return lc.Engine(policy.with_instruments(instruments))


def one_rate(name: str, rate: float) -> lc.Instrument:
    return lc.Instrument(name, "linear", tiers=lc.TierTable.single_rate(rate))


@pytest.mark.parametrize(("penalty", "share", "left"), [(0.005, 0.4, 614.24), (0.007, 0.6, 410.704)])
def test_paradex_closes_a_fifth_at_a_time(penalty: float, share: float, left: float) -> None:
    """docs.paradex.trade/risk-system/liquidations: 40 % with the penalty of its table, 60 % with its text's.

    Its table: 0.1 BTC from 60,000 and -1 ETH from 3,000 at 54,800 and 3,400, 1,000 of collateral, 1 %; steps
    of 20 % until the requirement is under 90 % of the equity. The penalty is 50 % (text: 70 %) of it.
    """
    policy = lc.policy("paradex")
    with pytest.raises(UnknownRuleError, match=r"close_out_fee_rate is unknown.*70 %.*50 %"):
        policy.known("close_out_fee_rate")
    stated_fee = policy.replace(close_out_fee_rate=penalty, closing_fee_basis="none", closing_fee_rate=0.0)
    engine = lc.Engine(stated_fee.with_instruments([one_rate("BTC", 0.01), one_rate("ETH", 0.01)]))
    book = lc.PositionBook(
        ["BTC", "ETH"], [0.1, -1.0], [60_000.0, 3_000.0], margin_mode="cross", wallet_balance=1_000.0
    )
    closed = lc.close_out(engine, book, {"BTC": 54_800.0, "ETH": 3_400.0})
    assert closed.step.tolist() == [1, 1, 2, 2, 3, 3][: closed.step.size]
    np.testing.assert_allclose(closed.open_quantity, [0.1 * (1 - share), -(1 - share)], rtol=1e-12)
    assert closed.ends.tolist() == [False]
    assert closed.left[0] / closed.per_unit == pytest.approx(left, abs=1e-6)
    assert closed.ledger.balances()["closed"] == 0
    assert round(float(closed.to_trigger.sum() + closed.past_trigger.sum()) / 1e8, 6) == round(920 * share, 6)


def hyperliquid(
    value: float, equity_over_requirement: float, **rules: Any
) -> tuple[lc.Engine, lc.PositionBook]:
    """A long of a value at a mark of 50 under the venue's rules, a little or far below its requirement."""
    policy = lc.policy("hyperliquid").replace(
        close_out_before=(), close_out_remainder="trader", hedge_requirement="sum", **rules
    )
    engine = lc.Engine(policy.with_instruments([one_rate("X", 0.02)]))
    quantity = value / 50.0
    margin = quantity * 10.0 + equity_over_requirement * 0.02 * value
    book = lc.PositionBook(["X"], [quantity], [60.0], isolated_margin=[margin])
    return engine, book


@pytest.mark.parametrize(
    ("value", "health", "cooling", "left"),
    [
        (200_000.0, 0.9, False, 0.8),  # a fifth is enough: 0.9 > 0.8
        (200_000.0, 0.7, False, 0.0),  # it is not; further orders are for all
        (200_000.0, 0.9, True, 0.0),  # within the 30 seconds of an earlier one
        (100_000.0, 0.9, False, 0.0),  # up to 100,000 at once
    ],
)
def test_hyperliquid_closes_a_fifth_of_a_large_position(
    value: float, health: float, cooling: bool, left: float
) -> None:
    engine, book = hyperliquid(value, health)
    closed = lc.close_out(engine, book, {"X": 50.0}, cooling=[cooling])
    assert closed.open_quantity[0] == pytest.approx(book.quantity[0] * left, rel=1e-12)
    assert sum(closed.ledger.balances().values()) == 0
    assert closed.ledger.total("closed", "fund") == 0


def test_hyperliquid_takes_everything_over_below_two_thirds() -> None:
    engine, book = hyperliquid(200_000.0, 0.6)
    closed = lc.close_out(engine, book, {"X": 50.0})
    assert closed.step.tolist() == [1]
    assert closed.open_quantity.tolist() == [0.0]
    left = 0.6 * 0.02 * 200_000.0
    assert closed.ledger.total("closed", "fund") == round(left * 1e8)


TABLE = lc.TierTable.marginal([(0.0, 0.01), (1_000.0, 0.02), (5_000.0, 0.05)], unit="quote")


@pytest.mark.parametrize(
    ("tiers", "margin", "kept"),
    [(1, 300.0, 5_000.0), (2, 300.0, 1_000.0), (0, 300.0, 1_000.0), (1, 130.0, 5_000.0), (1, 30.0, 1_000.0)],
)
def test_steps_go_down_in_tiers(tiers: int, margin: float, kept: float) -> None:
    """Of 80 at 100 it is 5,000 that stay in the second tier, and 1,000 in the first."""
    engine = stated(
        [lc.Instrument("X", "linear", tiers=TABLE)], close_out_step="tiers", close_out_tiers=tiers
    )
    requirement = 0.05 * 8_000 - (5_000 * 0.03 + 1_000 * 0.01)
    assert margin > requirement or margin < requirement
    book = lc.PositionBook(["X"], [80.0], [100.0 + 1e-9], isolated_margin=[min(margin, requirement - 1e-3)])
    closed = lc.close_out(engine, book, {"X": 100.0})
    assert closed.open_quantity[0] * 100.0 == pytest.approx(kept, rel=1e-12)
    assert closed.open_quantity[0] * 100.0 <= kept


def test_of_the_lowest_tier_all_is_closed() -> None:
    engine = stated([lc.Instrument("X", "linear", tiers=TABLE)], close_out_step="tiers", close_out_tiers=1)
    book = lc.PositionBook(["X", "X"], [80.0, 8.0], [100.0, 100.0], isolated_margin=[5.0, 5.0])
    closed = lc.close_out(engine, book, {"X": 100.0})
    assert closed.open_quantity.tolist() == [0.0, 0.0]
    assert closed.step.tolist() == [1, 1, 2, 3]
    assert closed.ends.all()


def test_legs_are_closed_against_each_other_first() -> None:
    engine = stated([one_rate("X", 0.01)], close_out_step="whole", close_out_before=("cancel", "net"))
    book = lc.PositionBook(
        ["X", "X"],
        [10.0, -7.0],
        [100.0, 100.0],
        margin_mode="cross",
        position_mode="hedge",
        wallet_balance=15.0,
    )
    closed = lc.close_out(engine, book, {"X": 100.0}, slippage=100.0)
    assert closed.step.tolist() == [0, 0]
    assert closed.open_quantity.tolist() == [3.0, 0.0]
    assert (closed.fill.tolist(), closed.fees.tolist()) == ([100.0, 100.0], [0, 0])
    unknown = lc.Engine(engine.policy.replace(close_out_before=("unknown",)))
    with pytest.raises(UnknownRuleError, match="close_out_before is unknown"):
        lc.close_out(unknown, book, {"X": 100.0})
    alone = book.replace(quantity=[10.0, 0.0], wallet_balance={0: 5.0})
    assert lc.close_out(unknown, alone, {"X": 100.0}).open_quantity.tolist() == [0.0, 0.0]


def test_the_largest_loss_goes_first() -> None:
    engine = stated([one_rate(name, 0.05) for name in "AB"], close_out_step="largest_loss")
    book = lc.PositionBook(
        ["A", "B"], [10.0, 10.0], [110.0, 130.0], margin_mode="cross", wallet_balance=490.0
    )
    closed = lc.close_out(engine, book, {"A": 100.0, "B": 100.0})
    assert closed.open_quantity.tolist() == [10.0, 0.0]
    worse = lc.close_out(engine, book.replace(wallet_balance={0: 430.0}), {"A": 100.0, "B": 100.0})
    assert worse.rows.tolist() == [1, 0]
    assert worse.step.tolist() == [1, 2]


def test_an_account_that_goes_on_keeps_what_is_left_even_below_zero() -> None:
    """A wallet below zero is no debt while the profit of what is open covers it."""
    engine = stated([one_rate(name, 0.05) for name in "AB"], close_out_step="largest_loss")
    book = lc.PositionBook(["A", "B"], [10.0, 10.0], [50.0, 160.0], margin_mode="cross", wallet_balance=170.0)
    closed = lc.close_out(engine, book, {"A": 100.0, "B": 100.0})
    assert closed.open_quantity.tolist() == [10.0, 0.0]
    assert closed.left.tolist() == [-430 * 10**8]
    assert closed.totals()["missing"] == 0.0
    assert closed.ledger.balances()["closed"] == 0


def test_wherever_a_price_is_guarded_nobody_is_liquidated() -> None:
    """Drift v2: not while price and 5-minute mean differ by over half; that spared accounts on 2025-10-10."""
    engine = stated([one_rate("X", 0.01), one_rate("Y", 0.01)], close_out_step="whole")
    book = lc.PositionBook(
        ["X", "X", "Y"],
        [1.0, 1.0, 1.0],
        [100.0, 100.0, 10.0],
        account=["a", "b", "b"],
        margin_mode=["isolated", "cross", "cross"],
        isolated_margin=[10.0, np.nan, np.nan],
        wallet_balance={"b": 5.0},
    )
    marks = {"X": 49.0, "Y": 5.0}

    def rows(which: lc.Engine, guard: lc.Guard | None) -> list[int]:
        rows: list[int] = lc.close_out(which, book, marks, guard=guard).rows.tolist()
        return rows

    assert rows(engine, None) == [0, 1, 2]
    banded = lc.Engine(engine.policy.replace(close_out_guard_band=0.5))
    assert rows(banded, lc.Guard(means={"X": 98.0, "Y": 5.0})) == [0, 1, 2]  # half is not more than half
    assert rows(banded, lc.Guard(means={"X": 98.1, "Y": 5.0})) == []
    assert rows(banded, lc.Guard(means={"X": 49.0, "Y": 11.0})) == [0]
    assert rows(engine, lc.Guard(halted=["Y"])) == [0]
    assert rows(engine, lc.Guard(ages={"X": 61.0}, oldest=60.0)) == []
    with pytest.raises(InputError, match=r"guard: must hold the mean"):
        rows(banded, None)
    with pytest.raises(InputError, match=r"guard: must hold the mean.*Y"):
        rows(banded, lc.Guard(means={"X": 98.0}))


def test_the_price_that_liquidates_is_named() -> None:
    engine, book = hyperliquid(200_000.0, 0.9)
    assert lc.close_out(engine, book, {"X": 50.0}, priced_by="mark").rows.size == 1
    with pytest.raises(InputError, match="priced_by"):
        lc.close_out(engine, book, {"X": 50.0}, priced_by="last")
    silent = lc.Engine(engine.policy.replace(close_out_trigger_price="unknown"))
    with pytest.raises(UnknownRuleError, match="close_out_trigger_price"):
        lc.close_out(silent, book, {"X": 50.0}, priced_by="last")


@pytest.mark.parametrize("step", STEPS)
def test_steps_are_the_same_bits_as_their_twin(step: str) -> None:
    random = np.random.default_rng(8)
    quantity, value = random.lognormal(0, 2, (2, 500))
    keep = quantity * random.choice([0.0, 0.3, 0.9, 1.0], 500)
    whole = random.random(500) < 0.2
    for share, up_to, least in ((0.2, 1.0, 0.0), (0.1, 0.0, 2.0), (1.0, 0.0, 0.0)):
        closed = core.step_quantities(step, (share, up_to, least), quantity, value, keep, whole)
        rule = StepRule(step, share, up_to, least)
        rows = zip(quantity.tolist(), value.tolist(), keep.tolist(), whole.tolist(), strict=True)
        assert closed.tolist() == [step_quantity(rule, *row) for row in rows]
        assert ((closed > 0) & (closed <= quantity)).all()


def test_rules_of_steps_are_checked() -> None:
    policy = lc.policy("generic")
    for rule, value in (
        ("close_out_share", 0.001),
        ("close_out_tiers", -1),
        ("close_out_tiers", 1.5),
        ("close_out_before", ("sell",)),
        ("close_out_exit_level", -0.5),
        ("close_out_guard_band", np.nan),
        ("close_out_next", "never"),
    ):
        with pytest.raises(PolicyError, match=rule):
            policy.replace(**{rule: value})
    engine, book = hyperliquid(200_000.0, 0.7, close_out_next="unknown")
    with pytest.raises(UnknownRuleError, match="close_out_next is unknown"):
        lc.close_out(engine, book, {"X": 50.0})
