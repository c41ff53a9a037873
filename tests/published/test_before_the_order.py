"""Published numbers of orders: what a position becomes, what an order costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import levcore as lc

CASES = json.loads((Path(__file__).parent / "orders" / "before_the_order.json").read_text(encoding="utf-8"))
INCREASES = [case for case in CASES if case["kind"] == "increase"]
ORDERS = [case for case in CASES if case["kind"] == "order"]


def by_id(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", INCREASES, ids=by_id)
def test_an_increase(case: dict[str, Any]) -> None:
    """The equity at the mark with the mark, or the margin with the entry: one price either way."""
    rate, mark = str(case["maintenance_rate"]), case["mark"]
    policy = lc.policy("generic").with_instruments(
        [lc.Instrument("X", "linear", lc.TierTable.single_rate(rate))]
    )
    # Marked to the market: the profit so far is in the margin.
    added = case["added"] * mark / 10.0
    book = lc.PositionBook(
        ["X"], [case["quantity"]], [mark], isolated_margin=[case["equity_at_mark"] - added], leverage=[10.0]
    )
    order = lc.Changes("order", row=0, quantity=[case["added"]], price=[mark])
    after = lc.what_if(lc.Engine(policy), book, {"X": mark}, order).after.positions
    assert after.equity.tolist() == [case["equity_at_mark"]]
    assert after.liquidation_price[0] == pytest.approx(case["liquidation_price"], abs=case["tolerance"])
    # Entry and equity as the wallets joined them count the profit twice.
    size = case["quantity"] + case["added"]
    mixed = (case["entry_after"] * size - case["equity_at_mark"]) / (size * (1.0 - case["maintenance_rate"]))
    assert mixed == pytest.approx(case["from_the_entry"], abs=case["tolerance_from_the_entry"])


@pytest.mark.parametrize("case", ORDERS, ids=by_id)
def test_the_margin_of_an_order(case: dict[str, Any]) -> None:
    held = case.get("held", 0.0)
    rows = 1 if held else 0
    book = lc.PositionBook(
        ["BTCUSDT"] * rows, [held] * rows, [case["mark"]] * rows, ["a"] * rows, "cross",
        leverage=[case["leverage"]] * rows, accounts=["a"], wallet_balance=[1e6],
    )  # fmt: skip
    orders = lc.Orders(["a"], ["BTCUSDT"], [case["quantity"]], [case["price"]], leverage=[case["leverage"]])
    found = lc.order_margin(lc.Engine(lc.policy(case["policy"])), book, {"BTCUSDT": case["mark"]}, orders)
    assert found.order_margin[0] == pytest.approx(case["order_margin"], abs=case["tolerance"])
    assert found.order_loss[0] == pytest.approx(case["order_loss"], abs=case["tolerance"])
