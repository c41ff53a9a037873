"""Margin of open orders: by hand, beside the reference, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError, ShapeError, UnknownRuleError
from levcore.reference.what_if.orders import margin_of_orders
from levcore.reference.what_if.what_if import what_if as what_if_reference
from support.random_books import CONFIGURATIONS, book_of, random_columns
from support.random_changes import random_changes

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


def random_orders(book: lc.PositionBook, count: int, seed: int, bad: float = 0.02) -> lc.Orders:
    """Open orders in the instruments that accounts hold, and in others; a share of them bad."""
    random = np.random.default_rng(seed)
    row = random.integers(0, len(book), count)
    return lc.Orders(
        [book.account_ids[code] for code in random.integers(0, len(book.account_ids), count)],
        [book.name_of(each) for each in row.tolist()],
        book.quantity[row]
        * random.choice(
            [-2.0, -0.5, 0.5, 1.0, 0.0, NAN], count, p=[0.3, 0.2, 0.2, 0.3 - bad, bad / 2, bad / 2]
        ),
        book.entry_price[row] * np.exp(random.normal(0.0, 0.05, count)),
        random.random(count) < 0.2,
        np.where(random.random(count) < 25 * bad, NAN, 7.0),
    )


CHARGED = [
    each for each in CONFIGURATIONS if each.mode != "isolated" and each.policy.initial_margin_rule != "table"
]


@pytest.mark.parametrize("rule", ["none", "larger_side", "sum"])
@pytest.mark.parametrize("configuration", CHARGED, ids=lambda each: each.name)
def test_kernel_and_reference_agree(configuration: Any, rule: Any) -> None:
    policy = configuration.policy.replace(**STATED | {"order_margin": rule})
    columns, marks = random_columns(configuration, 80, 5)
    positions = book_of(columns)
    orders = random_orders(positions, 200, 5)
    engine = lc.Engine(policy)
    found = lc.order_margin(engine, positions, marks, orders)
    expected = margin_of_orders(engine, positions, marks, orders)
    assert found.status.tolist() == expected.status.tolist()
    for name in found.measures:
        assert np.array_equal(found[name], expected[name], equal_nan=True), name


@pytest.mark.parametrize("sequence", [False, True], ids=["alone", "in sequence"])
@pytest.mark.parametrize("configuration", CHARGED, ids=lambda each: each.name)
def test_what_if_counts_orders_as_the_reference_does(configuration: Any, sequence: bool) -> None:
    engine = lc.Engine(configuration.policy.replace(**STATED))
    columns, marks = random_columns(configuration, 60, 8, spoiled=False)
    positions, names = book_of(columns), columns["instrument_names"]
    orders = random_orders(positions, 60, 8, bad=0.002)
    changes = random_changes(positions, 100, 8, instruments=names[:-1])
    labels = np.random.default_rng(8).integers(0, 20, len(changes)) if sequence else False
    found = lc.what_if(engine, positions, marks, changes, sequence=labels, orders=orders)
    expected = what_if_reference(
        engine, positions, marks, changes, sequence=labels, orders=orders, evaluated=by_kernel(engine)
    )
    assert np.isfinite(found.order_sums).any()
    assert np.array_equal(found.order_sums, expected.order_sums, equal_nan=True)
    assert np.array_equal(found.free_margin, expected.free_margin, equal_nan=True)


def by_kernel(engine: lc.Engine) -> Any:
    return lambda changed, policies, at: lc.Engine(dict(policies)).evaluate(changed, at)


def test_what_if_counts_orders_as_the_changed_book_would() -> None:
    """Orders on legs of accounts, against `order_margin` of books that hold the changed position."""
    random, engine = np.random.default_rng(9), lc.Engine(POLICY)
    quantity, owner = random.choice([-1.0, 1.0], 12) * random.uniform(1.0, 20.0, 12), np.arange(12) // 2
    names, leverage = ["X", "I"] * 6, random.integers(2, 20, 12).astype(float)
    entry = np.where(np.arange(12) % 2, 50_000.0, 100.0) * random.uniform(0.9, 1.1, 12)
    wallet = random.uniform(50.0, 500.0, 6)

    def held(number: np.ndarray, price: np.ndarray, money: np.ndarray) -> lc.PositionBook:
        return lc.PositionBook(
            names, number, price, owner.tolist(), "cross", leverage=leverage, accounts=range(6),
            wallet_balance=money,
        )  # fmt: skip

    now = held(quantity, entry, wallet)
    orders = random_orders(now, 40, 4)
    row = random.integers(0, 12, 30)
    bought = quantity[row] * random.choice([-2.0, -1.0, -0.5, 1.0], 30)
    changes = lc.Changes("order", row=row, quantity=bought, fee_rate=0.001)
    found = lc.what_if(engine, now, MARKS, changes, orders=orders)
    for change, place in enumerate(row.tolist()):
        after, price, money = quantity.copy(), entry.copy(), wallet.copy()
        after[place], price[place] = found.quantity[change], found.entry_price[change]
        account = int(owner[place])
        money[account] = found.wallet_balance[change]
        expected = lc.order_margin(engine, held(after, price, money), MARKS, orders)
        told = found.order_margin[change], found.order_loss[change], found.free_margin[change]
        wanted = expected.order_margin, expected.order_loss, expected.free_margin
        assert told == tuple(pytest.approx(each[account], abs=0.0, rel=0.0, nan_ok=True) for each in wanted)
        judged = bool(expected.may_open[account]) and not found.liquidated_at_once[change]
        assert found.may_open[change] == judged
    assert {True, False} == {*found.may_open.tolist()}
    plain = lc.what_if(engine, now, MARKS, changes, out=found)
    assert np.array_equal(plain.free_margin, plain.after.accounts.free_margin, equal_nan=True)
    with pytest.raises(InputError, match="orders"):
        _ = plain.order_margin


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
    assert [(each.row, each.status) for each in result.failures()] == [(0, status)]
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
    with pytest.raises(InputError, match="one-way"):
        lc.what_if(engine, hedged, MARKS, lc.Changes("close", row=0), orders=orders)
    with pytest.raises(DTypeError, match="orders"):
        lc.what_if(engine, book(), MARKS, lc.Changes("close", row=0), orders=[1.0])  # type: ignore[arg-type]
