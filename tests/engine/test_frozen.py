"""What is documented as unchanging refuses to change, and says what to do instead."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import ReadOnlyError
from levcore.scenarios import ScenarioArrays, scenario_margin
from support.comparison import assert_same_risk

POLICY = lc.policy("generic").replace(liabilities_count_as="requirement", trader_owes="yes")
POLICY = POLICY.with_instruments(
    [lc.Instrument("X", "linear", lc.TierTable.single_rate("0.01"), settlement="USD")]
).with_assets([lc.Asset("USD", (1.0,))])
MARKS = {"X": 110.0}
PRICES = {"USD": 1.0}
ENGINE = lc.Engine(POLICY)


def make_balances() -> lc.Balances:
    return lc.Balances(["a"], ["USD"], [500.0], liability=[1.0], interest=[0.0])


def make_book(**columns: Any) -> lc.PositionBook:
    held: dict[str, Any] = {
        "instrument": np.array([0, 0], dtype=np.uint32),
        "instrument_names": ["X"],
        "quantity": np.array([1.0, -2.0]),
        "entry_price": [100.0, 100.0],
        "account": ["a", "b"],
        "margin_mode": ["cross", "isolated"],
        "isolated_margin": [np.nan, 50.0],
        "leverage": [10.0, 10.0],
        "balances": make_balances(),
    }
    return lc.PositionBook(**(held | columns))


def make_risk() -> lc.BookRisk:
    return ENGINE.evaluate(make_book(), MARKS, asset_prices=PRICES)


def make_scenarios() -> Any:
    return scenario_margin(make_book(), make_arrays(), equity=[1_000.0])


def make_arrays() -> ScenarioArrays:
    return ScenarioArrays.from_profits([[1.0, -1.0]], ["X"])


def make_comparison() -> Any:
    return lc.compare(make_book(), {"one": POLICY}, MARKS, asset_prices=PRICES)


MAKERS: dict[str, tuple[Callable[[], Any], str]] = {
    "PositionBook": (make_book, "build a new book"),
    "Balances": (make_balances, "build new balances"),
    "Engine": (lambda: lc.Engine(POLICY), "build a new engine"),
    "BookRisk": (make_risk, "evaluate again"),
    "AccountRisk": (lambda: make_risk().accounts, "evaluate again"),
    "BalanceRisk": (lambda: make_risk().balances, "evaluate again"),
    "AccountDistance": (
        lambda: lc.distance(ENGINE, make_book(), MARKS, asset_prices=PRICES),
        "evaluate again",
    ),
    "ScenarioRisk": (make_scenarios, "evaluate again"),
    "ScenarioArrays": (make_arrays, "make new arrays"),
    "Comparison": (make_comparison, "compare again"),
}


def attributes(thing: object) -> list[str]:
    """Every attribute that an object or its class has, but methods of `object`."""
    return [name for name in dir(thing) if not name.startswith("__")]


@pytest.mark.parametrize("kind", MAKERS)
def test_no_attribute_is_set_or_deleted(kind: str) -> None:
    make, remedy = MAKERS[kind]
    thing = make()
    assert type(thing).__name__ == kind
    names = attributes(thing)
    assert len(names) > 5
    for name in [*names, "something_new"]:
        for change in (partial(setattr, thing, name, 1), partial(delattr, thing, name)):
            with pytest.raises(ReadOnlyError) as caught:
                change()
            assert caught.value.argument == f"{kind}.{name}"
            assert remedy in str(caught.value)
            assert isinstance(caught.value, AttributeError)
            assert isinstance(caught.value, lc.LevcoreError)


@pytest.mark.parametrize("kind", MAKERS)
def test_copies_and_pickles_are_whole(kind: str) -> None:
    thing = MAKERS[kind][0]()
    again = [copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))]
    for one in again:
        assert repr(one) == repr(thing) or kind in (
            "AccountRisk",
            "BalanceRisk",
            "AccountDistance",
            "ScenarioArrays",
        )
        if hasattr(thing, "to_dict") and kind != "Comparison":
            assert repr(one.to_dict()) == repr(thing.to_dict())
        with pytest.raises(ReadOnlyError):
            one.book = None


def test_columns_of_a_book_cannot_be_written_through_it() -> None:
    book = make_book(policy=["one", "one"])
    columns = {name: getattr(one, name) for one in (book, book.balances) for name in attributes(one)}
    arrays = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
    assert {"quantity", "instrument_codes", "policy_codes", "account_codes", "is_cross"} < arrays.keys()
    for name, array in arrays.items():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        assert not array.flags.writeable, name
    assert isinstance(book.account_ids, tuple)


def test_the_callers_array_stays_theirs() -> None:
    quantity, codes = np.array([1.0, -2.0]), np.array([0, 0], dtype=np.uint32)
    book = make_book(quantity=quantity, instrument=codes)
    assert quantity.flags.writeable
    assert codes.flags.writeable
    quantity[1] = -3.0
    assert book.quantity.tolist() == [1.0, -3.0]
    kernel = ENGINE.evaluate(book, MARKS, asset_prices=PRICES)
    assert_same_risk(kernel, lc.reference.evaluate(book, POLICY, MARKS, asset_prices=PRICES))


def test_replace_builds_another_book() -> None:
    book = make_book()
    other = book.replace(quantity=[-5.0, 2.0])
    assert (book.quantity.tolist(), other.quantity.tolist()) == ([1.0, -2.0], [-5.0, 2.0])
    expected = ENGINE.evaluate(make_book(quantity=[-5.0, 2.0]), MARKS, asset_prices=PRICES)
    assert_same_risk(ENGINE.evaluate(other, MARKS, asset_prices=PRICES), expected)
    renamed = book.replace(instrument=["Y", "X"])
    assert renamed.instrument_names == ("Y", "X")
    labelled = book.replace(policy=["p", "p"]).replace(policy="q")
    assert labelled.policy_names == ("q",)
    wallets = book.replace(balances=None, wallet_balance={"a": 7.0})
    assert (wallets.account_ids, wallets.wallet_balance.tolist()) == (("a",), [7.0])
    with pytest.raises(TypeError, match="nothing"):
        book.replace(nothing=1)


# What an engine remembers of a book


def test_an_engine_finds_the_policies_of_a_book_once_and_forgets_it_with_the_book() -> None:
    engine, book = lc.Engine(POLICY), make_book()
    assert engine.bind(book) is engine.bind(book)
    other = lc.Engine(POLICY.replace(liquidation_level=0.5))
    assert other.bind(book) is not engine.bind(book)
    gone = weakref.ref(book)
    del book
    gc.collect()
    assert gone() is None


def test_one_book_under_two_engines_by_turns_gives_each_its_own() -> None:
    book = make_book()
    engines = [ENGINE, lc.Engine(POLICY.replace(liquidation_level=0.5, hedge_requirement="larger_side"))]
    expected = [engine.evaluate(make_book(), MARKS, asset_prices=PRICES) for engine in engines]
    for _ in range(3):
        for engine, one in zip(engines, expected, strict=True):
            assert_same_risk(engine.evaluate(book, MARKS, asset_prices=PRICES), one)


def test_threads_bind_one_book_at_once() -> None:
    engine = lc.Engine(POLICY)
    books = [make_book() for _ in range(50)]
    expected = ENGINE.evaluate(make_book(), MARKS, asset_prices=PRICES)
    start = threading.Barrier(4)

    def work() -> list[lc.BookRisk]:
        start.wait()
        return [engine.evaluate(book, MARKS, asset_prices=PRICES) for book in books]

    with ThreadPoolExecutor(4) as pool:
        for found in [pool.submit(work) for _ in range(4)]:
            for risk in found.result():
                assert_same_risk(risk, expected)


def test_a_result_that_is_used_again_belongs_to_the_new_book() -> None:
    risk = make_risk()
    book = make_book(quantity=[2.0, -1.0])
    again = ENGINE.evaluate(book, MARKS, asset_prices=PRICES, out=risk)
    assert again is risk
    assert risk.book is risk.accounts.book is risk.balances.book is book
