"""One contract under two names is one position of an account: it is refused where it would become two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import levcore as lc
from levcore.reference.what_if.what_if import what_if as what_if_by_hand
from support.comparison import assert_same_risk

POLICY = lc.policy("binance-usdm@2024-10-24")
ENGINE = lc.Engine(POLICY)
NAMES = ("BTCUSDT", "btc-usdt", "BTC/USDT:USDT", "ETHUSDT")
MARKS = dict.fromkeys(NAMES, 61_000.0) | {"ETHUSDT": 3_050.0}
WORDS = "must be spelled one way"


def held(
    names: list[str], owners: list[str], mode: str | list[str] = "cross", **more: Any
) -> lc.PositionBook:
    count = len(names)
    wallets: dict[str, Any] = {"wallet_balance": dict.fromkeys(owners, 9_000.0)} if mode != "isolated" else {}
    quantity = [1.0, -0.4, 0.3, 2.0][:count]
    return lc.PositionBook(
        names,
        quantity,
        [60_000.0] * count,
        account=owners,
        margin_mode=mode,
        leverage=10.0,
        **wallets,
        **more,
    )


ASKED: dict[str, Callable[[lc.PositionBook], object]] = {
    "evaluate": lambda book: ENGINE.evaluate(book, MARKS),
    "reference": lambda book: lc.reference.evaluate(book, POLICY, MARKS),
    "compare": lambda book: lc.compare(book, {"one": POLICY}, MARKS),
    "live": lambda book: lc.live(ENGINE, book, MARKS),
    "distance": lambda book: lc.distance(ENGINE, book, MARKS),
    "stress": lambda book: lc.stress(ENGINE, book, MARKS, [[0.1] * len(book.instrument_names)]),
    "what_if": lambda book: lc.what_if(ENGINE, book, MARKS, lc.Changes("none", row=0)),
}


@pytest.mark.parametrize("mode", ["one_way", "hedge"])
@pytest.mark.parametrize("ask", ASKED)
def test_an_account_with_one_contract_under_two_names_is_refused(ask: str, mode: Any) -> None:
    book = held(["ETHUSDT", "BTCUSDT", "btc-usdt"], ["a", "a", "a"], position_mode=mode)
    with pytest.raises(lc.InputError, match=WORDS) as caught:
        ASKED[ask](book)
    error = caught.value
    assert (error.argument, error.row, error.count) == ("instrument", 2, 1)
    assert (error.expected, error.found) == ("'BTCUSDT'", "'btc-usdt'")
    assert "account 'a'" in error.rule


def test_of_several_policies_that_of_the_account_counts() -> None:
    # A contract of its own under each name: another policy may list it so.
    tiers = lc.TierTable.single_rate("0.01")
    apart = lc.policy("generic").with_instruments(
        [lc.Instrument(name, "linear", tiers, settlement="USDT") for name in NAMES[:2]]
    )
    engine = lc.Engine({"one": POLICY, "apart": apart})
    names, owners = ["BTCUSDT", "btc-usdt"] * 2, ["a", "a", "b", "b"]
    fine = held(names[:2], owners[2:], policy=["apart"] * 2)
    assert engine.evaluate(fine, MARKS).ok.all()
    with pytest.raises(lc.InputError, match=WORDS) as caught:
        engine.evaluate(held(names, owners, policy=["one", "one", "apart", "apart"]), MARKS)
    assert (caught.value.row, caught.value.count) == (1, 1)


@pytest.mark.parametrize(
    ("names", "owners", "mode"),
    [
        (["BTCUSDT", "btc-usdt"], ["a", "b"], "cross"),
        (["BTCUSDT", "btc-usdt"], ["a", "a"], "isolated"),
        (["BTCUSDT", "btc-usdt"], ["a", "a"], ["cross", "isolated"]),
        (["X1", "x1"], ["a", "a"], "cross"),  # nobody knows that these are one
    ],
)
def test_other_positions_may_be_named_in_any_way(names: list[str], owners: list[str], mode: Any) -> None:
    book = held(names, owners, mode)
    risk = ENGINE.evaluate(book, MARKS)
    assert_same_risk(risk, lc.reference.evaluate(book, POLICY, MARKS))
    assert risk.ok.all() == (names[0] != "X1")


def test_a_change_names_a_contract_as_the_book_does() -> None:
    book = held(["BTCUSDT"], ["a"])
    orders: dict[str, Any] = {"kind": "order", "account": ["a"] * 2, "quantity": [-1.0] * 2, "leverage": 10.0}
    for names in (["BTCUSDT", "btc-usdt"], ["ETHUSDT", "eth-usdt"]):
        changes = lc.Changes(instrument=names, **orders)
        for ask in (lc.what_if, what_if_by_hand):
            with pytest.raises(lc.InputError, match=WORDS) as caught:
                ask(ENGINE, book, MARKS | {"eth-usdt": 3_050.0}, changes)
            assert caught.value.found == repr(names[1])
    closed = lc.what_if(ENGINE, book, MARKS, lc.Changes(instrument=["BTCUSDT"] * 2, **orders))
    assert closed.quantity.tolist() == [0.0, 0.0]
    engine = lc.Engine(POLICY.replace(order_margin="sum", order_loss="none"))
    with pytest.raises(lc.InputError, match=WORDS):
        lc.order_margin(engine, book, MARKS, lc.Orders(["a"], ["btc-usdt"], [1.0], [6e4], leverage=10.0))


def test_fills_of_an_account_are_one_position_under_one_name() -> None:
    fills: dict[str, Any] = {"quantity": [1.0, -0.4], "price": [6e4, 6.1e4], "fee": 0.0, "time": [1, 2]}
    for owners in (None, ["a", "a"]):
        with pytest.raises(lc.InputError, match=WORDS) as caught:
            lc.positions_from_fills(POLICY, instrument=["BTCUSDT", "btc-usdt"], account=owners, **fills)
        assert (caught.value.argument, caught.value.row) == ("instrument", 1)
    apart = lc.positions_from_fills(POLICY, instrument=["BTCUSDT", "btc-usdt"], account=["a", "b"], **fills)
    assert apart.quantity.tolist() == [1.0, -0.4]
