"""Margin of open orders: by hand, beside the reference, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError, ShapeError, UnknownRuleError
from levcore.reference.what_if.orders import margin_of_orders
from support.random_books import CONFIGURATIONS, book_of, random_columns

STATED = {"order_margin": "larger_side", "order_loss": "counted", "order_ratio": "frozen"}
TIERS = lc.TierTable.single_rate("0.01")
POLICY = (
    lc.policy("generic")
    .replace(**STATED)
    .with_instruments(
        [lc.Instrument("X", "linear", TIERS), lc.Instrument("I", "inverse", TIERS, contract_size=100.0)]
    )
)
MARKS = {"X": 100.0, "I": 50_000.0}
NAN = math.nan


def book(quantity: float = 10.0, wallet: float = 1_000.0) -> lc.PositionBook:
    return lc.PositionBook(
        ["X"], [quantity], [100.0], ["a"], "cross", leverage=[10.0], wallet_balance={"a": wallet}
    )


@pytest.mark.parametrize(
    ("rule", "quantity", "orders", "margin"),
    [
        # Long 10 at 100, to buy 5 at 90, to sell 30 at 110: 2,300 on the one side, 1,450 on the other.
        ("larger_side", 10.0, {5.0: 90.0, -30.0: 110.0}, 230.0 - 100.0),
        ("larger_side", 10.0, {5.0: 90.0, -15.0: 110.0}, 45.0),
        # A sell order that only reduces asks for nothing.
        ("larger_side", 10.0, {-10.0: 100.0}, 0.0),
        ("larger_side", -10.0, {-5.0: 110.0, 12.0: 90.0}, 55.0),
        ("sum", 10.0, {5.0: 90.0, -15.0: 110.0}, 45.0 + 165.0),
        ("none", 10.0, {5.0: 90.0}, 0.0),
    ],
)
def test_by_hand(rule: Any, quantity: float, orders: dict[float, float], margin: float) -> None:
    engine = lc.Engine(POLICY.replace(order_margin=rule))
    table = lc.Orders(["a"] * len(orders), ["X"] * len(orders), list(orders), list(orders.values()))
    result = lc.order_margin(engine, book(quantity), MARKS, table)
    assert result.order_margin[0] == pytest.approx(margin, abs=1e-12)
    assert result.order_loss.tolist() == [0.0]
    assert result.free_margin[0] == pytest.approx(1_000.0 - 100.0 - margin, abs=1e-12)


def test_the_loss_of_orders_past_the_mark_counts() -> None:
    orders = lc.Orders(["a", "a"], ["X", "X"], [5.0, -1.0], [104.0, 97.0])
    result = lc.order_margin(lc.Engine(POLICY), book(), MARKS, orders)
    assert result.order_loss.tolist() == [5.0 * 4.0 + 3.0]
    assert result.order_margin.tolist() == [52.0]
    assert result.free_margin.tolist() == [1_000.0 - 100.0 - 52.0 - 23.0]
    assert result.margin_ratio.tolist() == [10.0 / (1_000.0 - 75.0)]
    uncounted = lc.order_margin(lc.Engine(POLICY.replace(order_loss="none")), book(), MARKS, orders)
    assert uncounted.order_loss.tolist() == [0.0]


def test_an_inverse_order_that_opens() -> None:
    # 100 contracts of 100 at 40,000 are 0.25; to buy at 60,000 past the mark of 50,000.
    orders = lc.Orders(["a"], ["I"], [-100.0], [40_000.0], leverage=[5.0])
    empty = lc.PositionBook([], [], [], accounts=["a"], wallet_balance=[1.0])
    result = lc.order_margin(lc.Engine(POLICY), empty, MARKS, orders)
    assert result.order_margin.tolist() == [0.25 / 5.0]
    assert result.order_loss[0] == pytest.approx(10_000.0 * (1 / 40_000.0 - 1 / 50_000.0), rel=1e-12)


@pytest.mark.parametrize("rule", ["none", "larger_side", "sum"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda each: each.name)
def test_kernel_and_reference_agree(configuration: Any, rule: Any) -> None:
    if configuration.mode == "isolated" or configuration.policy.initial_margin_rule == "table":
        return
    policy = configuration.policy.replace(**STATED | {"order_margin": rule})
    random = np.random.default_rng(5)
    columns, marks = random_columns(configuration, 80, 5)
    positions, names, count = book_of(columns), columns["instrument_names"], 200
    row = random.integers(0, len(positions), count)
    held = positions.quantity[row]
    orders = lc.Orders(
        [positions.account_ids[code] for code in random.integers(0, len(positions.account_ids), count)],
        [names[code] for code in positions.instrument_codes[row]],
        held * random.choice([-2.0, -0.5, 0.5, 1.0, 0.0, NAN], count, p=[0.3, 0.2, 0.2, 0.28, 0.01, 0.01]),
        positions.entry_price[row] * np.exp(random.normal(0.0, 0.05, count)),
        random.random(count) < 0.2,
        np.where(random.random(count) < 0.5, NAN, 7.0),
    )
    engine = lc.Engine(policy)
    found = lc.order_margin(engine, positions, marks, orders)
    expected = margin_of_orders(engine, positions, marks, orders)
    assert found.status.tolist() == expected.status.tolist()
    for name in found.measures:
        assert np.array_equal(found[name], expected[name], equal_nan=True), name


@pytest.mark.parametrize(
    ("status", "columns"),
    [
        (lc.Status.INVALID_QUANTITY, {"quantity": [0.0]}),
        (lc.Status.INVALID_QUANTITY, {"quantity": [NAN]}),
        (lc.Status.INVALID_ENTRY_PRICE, {"price": [-1.0]}),
        (lc.Status.INVALID_ENTRY_PRICE, {"price": [NAN]}),
        (lc.Status.UNKNOWN_INSTRUMENT, {"instrument": ["NO"]}),
        (lc.Status.MISSING_LEVERAGE, {"instrument": ["I"]}),
        (lc.Status.INVALID_LEVERAGE, {"leverage": [-1.0]}),
    ],
)
def test_a_bad_order_fails_its_account(status: lc.Status, columns: dict[str, Any]) -> None:
    terms: dict[str, Any] = {
        "account": ["a"],
        "instrument": ["X"],
        "quantity": [1.0],
        "price": [100.0],
    } | columns
    result = lc.order_margin(lc.Engine(POLICY), book(), MARKS, lc.Orders(**terms))
    assert result.failures() == [(0, status)]
    assert all(np.isnan(result[name][0]) for name in result.measures)
    assert result.may_open.tolist() == [False]


def test_bad_calls() -> None:
    orders = lc.Orders(["a"], ["X"], [1.0], [100.0])
    engine = lc.Engine(POLICY)
    with pytest.raises(InputError, match=r"orders\.account"):
        lc.order_margin(engine, book(), MARKS, lc.Orders(["b"], ["X"], [1.0], [100.0]))
    with pytest.raises(DTypeError, match="orders"):
        lc.order_margin(engine, book(), MARKS, [1.0])  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="one value an order"):
        lc.Orders(["a", "a"], ["X"], [1.0], [100.0])
    with pytest.raises(DTypeError, match="flags"):
        lc.Orders(["a"], ["X"], [1.0], [100.0], reduce_only=[1])
    with pytest.raises(UnknownRuleError, match="order_margin is unknown"):
        lc.order_margin(lc.Engine(POLICY.replace(order_margin="unknown")), book(), MARKS, orders)
    with pytest.raises(UnknownRuleError, match="order_loss is unknown"):
        lc.order_margin(lc.Engine(POLICY.replace(order_loss="unknown")), book(), MARKS, orders)
    ratio = lc.order_margin(lc.Engine(POLICY.replace(order_ratio="unknown")), book(), MARKS, orders)
    with pytest.raises(UnknownRuleError, match="order_ratio is unknown"):
        _ = ratio.margin_ratio
    with pytest.raises(InputError, match="initial_margin_rule"):
        lc.order_margin(lc.Engine(POLICY.replace(initial_margin_rule="table")), book(), MARKS, orders)
    hedged = lc.PositionBook(
        ["X"], [1.0], [100.0], ["a"], "cross", wallet_balance={"a": 1.0}, position_mode="hedge"
    )
    with pytest.raises(InputError, match="one-way"):
        lc.order_margin(engine, hedged, MARKS, orders)
