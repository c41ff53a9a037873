"""What a live book refuses, and that nothing has changed then; events with known numbers."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import DTypeError, ShapeError

ENGINE = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
START = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}


def mixed() -> lc.PositionBook:
    return lc.PositionBook(
        ["BTCUSDT", "BTCUSDT", "ETHUSDT"],
        [1.0, 2.0, -10.0],
        [60_000.0, 60_000.0, 3_000.0],
        ["a", "b", "b"],
        ["isolated", "cross", "cross"],
        leverage=[10.0, 20.0, 20.0],
        wallet_balance={"b": 6_000.0, "idle": 5.0},
    )


def test_an_event_has_its_tick_and_the_numbers_of_an_evaluation() -> None:
    live = lc.live(ENGINE, mixed(), START)
    assert live.levels == ("liquidation", "warning", "bankruptcy")
    # The account holds 6,000 + 2 * (P - 60,000): bankrupt below 57,000.
    events = live.ticks(["BTCUSDT", "ETHUSDT", "BTCUSDT"], [58_000.0, 3_000.0, 56_999.0], times=[10, 20, 30])
    told = [lc.State(state).name for state in events.state.tolist()]
    assert events.number.tolist() == [2]
    assert told == ["BANKRUPT"]
    assert events.time is not None
    assert events.time.tolist() == [30]
    assert events.price.tolist() == [56_999.0]
    assert events.instrument.tolist() == [0]
    assert events.subject.is_account.tolist() == [True]
    assert events.equity.tolist() == [-2.0]
    assert events.margin_ratio.tolist() == [np.inf]
    back = live.transfer(["b"], [10_000.0])
    assert [lc.State(state).name for state in back.state.tolist()] == ["HEALTHY"]
    assert back.equity.tolist() == [9_998.0]
    assert (back.number.tolist(), back.instrument.tolist()) == ([3], [-1])


def test_one_tick_and_batches_have_the_same_hash() -> None:
    random = np.random.default_rng(1)
    codes = random.integers(0, 2, 400)
    prices = np.array([60_000.0, 3_000.0])[codes] * np.exp(random.normal(0, 0.05, 400))
    one, other = (lc.live(ENGINE, mixed(), START) for _ in range(2))
    events = one.ticks(codes, prices)
    told = [other.tick(int(code), float(price)) for code, price in zip(codes, prices, strict=True)]
    assert len(events) == sum(map(len, told)) > 20
    assert one.hash == other.hash != bytes(32)
    assert one.number == other.number == 400


def test_fewer_levels_tell_fewer_states() -> None:
    live = lc.live(ENGINE, mixed(), START, levels=["liquidation"])
    events = live.ticks(["BTCUSDT"] * 2, [56_000.0, 60_000.0])
    told = [lc.State(state).name for state in events.state.tolist()]
    assert told == ["LIQUIDATION", "HEALTHY"]
    assert np.isinf(events.margin_ratio[0])


def test_a_mark_that_is_missing_keeps_what_there_is() -> None:
    live = lc.live(ENGINE, mixed(), START)
    assert len(live.remark(START)) == 0
    assert live.number == 0
    live.remark({"ETHUSDT": 2_900.0})
    live.remark([np.nan, 2_800.0])
    assert live.number == 2
    assert live.marks().tolist() == [60_000.0, 2_800.0]


def test_a_look_that_finds_the_verdict_that_was_there_takes_no_evaluation() -> None:
    live = lc.live(ENGINE, mixed(), START, levels=["liquidation"])
    # It is liquidated near 57,300. Its legs share what is left: the nearer, the more often it is looked at.
    prices = np.linspace(59_990.0, 57_310.0, 200)
    events = live.ticks(["BTCUSDT"] * prices.size, prices)
    risk = live.engine.evaluate_over(live.book(), np.column_stack([prices, np.full(prices.size, 3_000.0)]))
    liquidatable = risk.account_states[:, live.account_ids.index("b")] >= lc.State.LIQUIDATION
    assert events.number.tolist() == np.flatnonzero(np.diff(liquidatable, prepend=False)).tolist()
    assert len(events) == 1
    assert live.examined == 1
    assert live.followed >= 3
    # Whose position has changed is evaluated.
    live.change([1], quantity=1.5)
    assert live.examined == 2


def test_another_table_is_an_event_to_who_holds_the_instrument() -> None:
    live = lc.live(ENGINE, mixed(), START)
    before = live.examined
    # The account holds 6,000 against a requirement of 0.4 % of 120,000 and 0.5 % of 30,000, less deductions.
    events = live.replace_tiers("BTCUSDT", lc.TierTable.single_rate("0.05"))
    assert events.subject.is_account.tolist() == [True]
    assert [lc.State(state).name for state in events.state.tolist()] == ["LIQUIDATION"]
    assert 6_000.0 < events.maintenance_margin[0] < 6_200.0
    assert live.examined > before
    risk = live.engine.evaluate(live.book(), live.marks())
    assert risk.accounts.maintenance_margin[events.subject.place[0]] == events.maintenance_margin[0]
    assert risk.maintenance_margin[0] == 0.05 * 60_000.0
    # Who does not hold it is not looked at.
    before = live.examined
    assert len(live.replace_tiers(0, lc.TierTable.single_rate("0.004"))) == 1
    assert live.examined - before == 2 * len(live.levels)
    assert live.number == 2


def test_totals_by_side_follow_what_changes() -> None:
    live = lc.live(ENGINE, mixed(), START)
    live.change([0], quantity=-3.0)
    live.close([2])
    totals = live.totals_by_side()
    assert totals.instrument_names == ("BTCUSDT", "ETHUSDT")
    assert totals.positions.tolist() == [[1, 1], [0, 0]]
    assert totals.quantity.tolist() == [[2.0, 3.0], [0.0, 0.0]]
    assert totals.equity.tolist() == [[0.0, 18_000.0], [0.0, 0.0]]
    price: Any = np.array(59_000.0)
    live.tick("BTCUSDT", price)
    assert live.totals_by_side().equity.tolist() == [[0.0, 21_000.0], [0.0, 0.0]]


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("ticks", (["BTCUSDT"], [0.0]), {}, "prices: must be prices"),
    ("ticks", (["BTCUSDT"], [np.nan]), {}, "prices: must be prices"),
    ("ticks", (["BTCUSDT"], [1e200]), {}, "price"),
    ("ticks", (["XYZ"], [1.0]), {}, "instruments: must be some of the book"),
    ("ticks", ([7], [1.0]), {}, "instruments: must be some of the book"),
    ("ticks", (["BTCUSDT"], [1.0, 2.0]), {}, "instruments: must have one a price"),
    (
        "tick",
        ("XYZ", 1.0),
        {},
        "^instrument: must be one of the book; expected BTCUSDT, ETHUSDT, found 'XYZ'$",
    ),
    ("tick", (7, 1.0), {}, "^instrument: must be one of the book"),
    ("tick", (True, 1.0), {}, "^instrument: must be a name or a place"),
    ("tick", (["BTCUSDT"], 1.0), {}, "^instrument: must be a name or a place"),
    ("tick", ("BTCUSDT", 0.0), {}, "^price: must be a price; .* found 0.0$"),
    ("tick", ("BTCUSDT", np.nan), {}, "^price: must be a price"),
    ("tick", ("BTCUSDT", None), {}, "^price: must be a price"),
    ("tick", ("BTCUSDT", "59000"), {}, "^price: must hold real numbers"),
    ("tick", ("BTCUSDT", [1.0, 2.0]), {}, "^price: must hold real numbers"),
    ("ticks", (["BTCUSDT"], [1.0]), {"times": [1, 2]}, "times: must have one a price"),
    ("remark", ({"XYZ": 1.0},), {}, "marks: must be of instruments of the book"),
    ("remark", ([-1.0, 2.0],), {}, "^marks: must be prices; .* found -1.0 for 'BTCUSDT'"),
    ("change", ([0],), {}, "columns: must be columns that may change"),
    ("change", ([0],), {"account": ["b"]}, "columns: must be columns that may change"),
    ("change", ([3],), {"quantity": 1.0}, "rows: must be rows of the book"),
    ("change", ([-1],), {"quantity": 1.0}, "rows: must be rows of the book"),
    ("change", ([0.5],), {"quantity": 1.0}, "rows: must be rows"),
    ("change", ([0, 1],), {"quantity": [1.0]}, "quantity: must have one value a row"),
    ("replace_tiers", ("XYZ", lc.TierTable.single_rate("0.01")), {}, "^instrument: must be one of the book"),
    ("replace_tiers", (7, lc.TierTable.single_rate("0.01")), {}, "^instrument: must be one of the book"),
    ("transfer", (["nobody"], [1.0]), {}, "accounts: must be accounts of the book"),
    ("set_wallets", (["b"], [1.0, 2.0]), {}, "balances: must have one value a row"),
    ("open", (["XYZ"], [1.0], [1.0]), {}, "^instrument: must be some of the book"),
    ("open", (["BTCUSDT"], [1.0], [1.0], None, "cross"), {}, "account: is needed for cross positions"),
    (
        "open",
        (["BTCUSDT"], [1.0], [1.0], ["b"], "cross"),
        {"wallet_balance": {"b": 1.0}},
        "wallet_balance: must be of new accounts",
    ),
]


@pytest.mark.parametrize(("verb", "arguments", "words", "expected"), CALLS)
def test_a_bad_call_changes_nothing(
    verb: str, arguments: tuple[Any, ...], words: dict[str, Any], expected: str
) -> None:
    live = lc.live(ENGINE, mixed(), START)
    before = live.totals(), live.marks().tolist(), len(live), live.account_ids
    with pytest.raises(lc.LevcoreError, match=expected):
        getattr(live, verb)(*arguments, **words)
    assert (live.totals(), live.marks().tolist(), len(live), live.account_ids) == before
    assert live.number == 0


def test_a_leg_in_another_currency_would_need_another_wallet() -> None:
    policy = lc.policy("binance-usdm")
    book = lc.PositionBook(
        ["BTCUSDT", "BTCUSDC"],
        [1.0, 1.0],
        [60_000.0] * 2,
        ["a", "c"],
        "cross",
        wallet_balance={"a": 1e4, "c": 1e4},
    )
    live = lc.live(lc.Engine(policy), book, {"BTCUSDT": 60_000.0, "BTCUSDC": 60_000.0})
    with pytest.raises(lc.InputError, match="must settle in the currency of their account"):
        live.open(["BTCUSDC"], [1.0], [60_000.0], ["a"], "cross")
    live.open(["BTCUSDC"], [1.0], [60_000.0], ["new"], "cross", wallet_balance={"new": 1e4})
    assert live.account_ids == ("a", "c", "new")
    with pytest.raises(lc.InputError, match="must settle in the currency of their account"):
        live.open(["BTCUSDT"], [1.0], [60_000.0], ["new"], "cross")


@pytest.mark.parametrize("levels", ["warning", ["margin_call"], ["x"], [1]])
def test_levels_that_the_policy_does_not_state(levels: Any) -> None:
    with pytest.raises(lc.InputError, match="levels"):
        lc.live(ENGINE, mixed(), START, levels=levels)


def test_a_level_at_which_no_price_restores_a_position_is_refused_by_name() -> None:
    tiers = lc.TierTable.single_rate("0.6")
    policy = lc.policy("generic").replace(warning_level=0.5, warning_level_inclusive=True)
    engine = lc.Engine(policy.with_instruments([lc.Instrument("X", "linear", tiers)]))
    book = lc.PositionBook(["X"], [1.0], [100.0], isolated_margin=[90.0])
    with pytest.raises(lc.InputError, match="levels: cannot be watched") as caught:
        lc.live(engine, book, {"X": 100.0})
    assert not isinstance(caught.value, ShapeError)
    events = lc.live(engine, book, {"X": 100.0}, levels=["liquidation"]).tick("X", 20.0)
    assert len(events) == 1


def test_a_live_book_is_neither_copied_nor_written_to_what_is_no_path() -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], leverage=[10.0])
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    live = lc.live(engine, book, {"BTCUSDT": 60_000.0})
    wrong: Any = 5
    for call in (
        lambda: pickle.dumps(live),
        lambda: copy.copy(live),
        lambda: live.snapshot(wrong),
        lambda: live.record(wrong),
        lambda: lc.LiveBook.restore(engine, wrong),
        lambda: lc.LiveBook.restore(engine, "snapshot", wrong),
        lambda: lc.report(engine.evaluate(book, {"BTCUSDT": 60_000.0}), wrong),
    ):
        with pytest.raises(DTypeError):
            call()
