"""Ladders and concentration against counting by hand."""

import time
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore as core
from levcore.errors import DTypeError, InputError
from levcore.reference.closing.ladder import rung
from support.closing_books import MARKS, closing_policy, random_book

ask: Any = rung


def test_a_ladder_is_what_asking_every_position_gives() -> None:
    random = np.random.default_rng(1)
    columns, wallets = random_book(random, 300)
    book = lc.PositionBook(**columns, accounts=wallets, wallet_balance=random.uniform(10, 200, wallets.size))
    engine = lc.Engine(closing_policy())
    risk = engine.evaluate(book, MARKS)
    prices = np.sort(MARKS["A"] * random.uniform(0.3, 2.0, 1_000))
    rungs = lc.ladder(engine, book, "A", prices, marks=MARKS)
    held = (columns["instrument"] == "A") & risk.ok
    trigger = np.where(risk.state >= lc.State.LIQUIDATION, MARKS["A"], risk.liquidation_price)
    for place, price in enumerate(prices.tolist()):
        falls = price <= MARKS["A"]
        rows = held & ((book.quantity > 0) == falls)
        of_side = (np.abs(book.quantity), book.entry_price, trigger, risk.bankruptcy_price)
        expected = ask(*(each[rows].tolist() for each in of_side), falls, 1e8, price)
        found = (rungs.positions[place], rungs.notional[place], rungs.loss[place], rungs.shortfall[place])
        assert found == expected
    assert rungs.shortfall.max() > 0


def test_the_loss_at_a_price_is_that_of_a_close_out_there() -> None:
    """Isolated longs: those the ladder counts are those that are closed, and they are short of as much."""
    random = np.random.default_rng(2)
    book = lc.PositionBook(
        ["A"] * 200, random.uniform(0.1, 5, 200), [100.0] * 200, leverage=random.uniform(3, 50, 200)
    )
    engine = lc.Engine(closing_policy(close_out_remainder="trader", close_out_payers=(), trader_owes="no"))
    for price in (99.0, 96.0, 90.0, 70.0):
        rungs = lc.ladder(engine, book, "A", [price], marks={"A": 100.0})
        closed = lc.close_out(engine, book, {"A": price})
        totals = closed.totals()
        assert rungs.positions[0] == closed.rows.size
        assert rungs.loss[0] == pytest.approx(totals["to_trigger"] + totals["past_trigger"], abs=1e-5)
        assert rungs.shortfall[0] == pytest.approx(totals["missing"], abs=1e-5)


def test_ten_times_the_positions_cost_no_more_to_ask() -> None:
    random = np.random.default_rng(3)
    count = 1_000_000
    entry = random.normal(100, 5, count)
    trigger = entry - random.uniform(0, 40, count)
    ladder = core.Ladder(random.lognormal(0, 1, count), entry, trigger, trigger - 1.0, True, 1e4)
    prices = np.linspace(40, 100, 10_000)
    start = time.perf_counter()
    ladder.at(prices)
    assert (time.perf_counter() - start) / prices.size < 50e-6


def test_bad_ladders_are_refused() -> None:
    book = lc.PositionBook(["A"], [1.0], [100.0], leverage=[10.0])
    engine = lc.Engine(closing_policy())
    with pytest.raises(InputError, match="instrument"):
        lc.ladder(engine, book, "Z", marks=MARKS)
    with pytest.raises(InputError, match=r"prices: must be prices.*first bad row 1"):
        lc.ladder(engine, book, "A", [1.0, 0.0], marks=MARKS)
    with pytest.raises(DTypeError, match="engine"):
        lc.ladder(None, book, "A", marks=MARKS)  # type: ignore[call-overload]


def test_concentration_by_hand() -> None:
    book = lc.PositionBook(
        ["A", "A", "B"], [6.0, -1.0, 15.0], [100.0, 100.0, 20.0], leverage=[10.0] * 3, account=["x", "y", "y"]
    )
    risk = lc.Engine(closing_policy()).evaluate(book, {"A": 100.0, "B": 20.0})
    by_account = lc.concentration(risk)
    assert (by_account.holders, by_account.amount.tolist()) == (["x", "y"], [600.0, 400.0])
    assert by_account.herfindahl == pytest.approx(0.52)
    assert by_account.top(1) == 0.6
    assert by_account.gini == pytest.approx(0.1)
    assert (by_account.holders_of(0.5), by_account.holders_of(0.7)) == (1, 2)
    assert lc.concentration(risk, "side").amount.tolist() == [900.0, 100.0]
    assert lc.concentration(risk, "instrument").holders == ["A", "B"]
    fallen = lc.Engine(closing_policy()).evaluate(book, {"A": 99.0, "B": 20.0})
    assert lc.concentration(fallen, of="loss").share.tolist() == [1.0, 0.0]
    wrong: list[dict[str, Any]] = [{"by": "venue"}, {"of": "profit"}]
    for arguments in wrong:
        with pytest.raises(InputError, match=next(iter(arguments))):
            lc.concentration(risk, **arguments)


def test_gini_is_the_mean_difference() -> None:
    random = np.random.default_rng(4)
    quantity = random.lognormal(0, 1, 60)
    book = lc.PositionBook(["A"] * 60, quantity, [100.0] * 60, leverage=[5.0] * 60)
    found = lc.concentration(lc.Engine(closing_policy()).evaluate(book, {"A": 100.0}))
    differences = np.abs(quantity[:, None] - quantity[None, :]).sum()
    assert found.gini == pytest.approx(differences / (2 * 60 * quantity.sum()))


@pytest.mark.parametrize("of", ["notional", "loss"])
@pytest.mark.parametrize("price", [None, 110.0])
def test_of_nothing_there_are_no_shares(of: Any, price: float | None) -> None:
    rules = lc.policy("generic").with_instruments(
        [lc.Instrument("A", "linear", lc.TierTable.single_rate("0.01"))]
    )
    long = lc.PositionBook(["A", "A"], [1.0, 2.0], [100.0, 100.0], isolated_margin=[50.0, 50.0])
    found = lc.concentration(lc.Engine(rules).evaluate(long, {} if price is None else {"A": price}), of=of)
    if price is None or of == "loss":
        assert np.isnan([found.herfindahl, found.gini, found.top(1), *found.share]).all()
        assert found.holders_of(0.5) == 0
    else:
        assert found.holders_of(0.5) == 1
        assert found.top(2) == 1.0
