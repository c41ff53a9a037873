"""What is documented as unchanging refuses to change, and says what to do instead."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.book.coded_labels import CodedLabels
from levcore.errors import ReadOnlyError
from levcore.rules.fees import Fees
from levcore.scenarios import ScenarioArrays, scenario_margin
from levcore.stress_testing.result import Worst
from support.comparison import assert_same_risk
from support.good_calls import CROSS as CALL_BOOK
from support.good_calls import ENGINE as CALL_ENGINE
from support.good_calls import MARKS as CALL_MARKS
from support.good_calls import POLICY as CALL_POLICY

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


# Every public object, and what it holds

MOVES = {"BTCUSDT": [-0.1], "ETHUSDT": [0.1]}
CHANGES = lc.Changes("order", row=[0, 1], quantity=[2.0, -1.0], instrument=["BTCUSDT", "ETHUSDT"])
ORDERS = lc.Orders(["ann"], ["BTCUSDT"], [1.0], [6e4], reduce_only=[False])
RISK = CALL_ENGINE.evaluate(CALL_BOOK, CALL_MARKS)
INDEX = lc.StressIndex(CALL_ENGINE, CALL_BOOK, CALL_MARKS)
STRESS = lc.stress(CALL_ENGINE, CALL_BOOK, CALL_MARKS, MOVES)
FILLS = lc.positions_from_fills(
    CALL_POLICY, instrument=["BTCUSDT"], quantity=[1.0], price=[6e4], fee=[1.0], time=[1], account=["ann"]
)

INPUTS: dict[str, Any] = {
    "Asset": lc.Asset("USD", (1.0,)),
    "AssetTable": CALL_POLICY.with_assets([lc.Asset("USD", (1.0,))]).assets,
    "Balances": lc.Balances(["ann"], ["USD"], [1.0]),
    "Changes": CHANGES,
    "Engine": CALL_ENGINE,
    "Fund": lc.Fund(1.0),
    "FundRules": lc.fund_rules("Bybit"),
    "Guard": lc.Guard(means=CALL_MARKS, halted=["BTCUSDT"]),
    "Impact": lc.Impact.linear(0.1, 1.0),
    "Instrument": CALL_POLICY.instruments["BTCUSDT"],
    "InstrumentTable": CALL_POLICY.instruments,
    "MarginPolicy": CALL_POLICY,
    "Orders": ORDERS,
    "PositionBook": CALL_BOOK,
    "TierTable": CALL_POLICY.instruments["BTCUSDT"].tiers,
}
RESULTS: dict[str, Any] = {
    "AccountRisk": RISK.accounts,
    "BookRisk": RISK,
    "LegCosts": lc.leg_costs(CALL_ENGINE, CALL_BOOK, CALL_MARKS),
    "StressIndex": INDEX,
    "TriggerIndex": lc.TriggerIndex(CALL_ENGINE, CALL_BOOK, CALL_MARKS),
    "WalletRisk": RISK.wallets,
}
BY_FUNCTION: dict[str, Any] = {
    "cascade": lc.cascade(
        CALL_ENGINE, CALL_BOOK, "BTCUSDT", 5e4, lc.Impact.linear(0.1, 1e3), marks=CALL_MARKS
    ),
    "close_loans": lc.close_loans(lc.policy("aave-v3"), [9e3], [1e4], [0.9], [0.05]),
    "compare": lc.compare(CALL_BOOK, {"one": CALL_POLICY}, CALL_MARKS),
    "concentration": lc.concentration(RISK),
    "distance": lc.distance(CALL_ENGINE, CALL_BOOK, CALL_MARKS),
    "evaluate_over": CALL_ENGINE.evaluate_over(CALL_BOOK, np.array([[6e4, 3e3]])),
    "explain": lc.explain(CALL_ENGINE, CALL_BOOK, CALL_MARKS, 0),
    "ladder": lc.ladder(CALL_ENGINE, CALL_BOOK, "BTCUSDT", [5e4], marks=CALL_MARKS),
    "order_margin": lc.order_margin(CALL_ENGINE, CALL_BOOK, CALL_MARKS, ORDERS),
    "plan": lc.plan("BTCUSDT", "long", 0.5, entry=6e4, leverage=10.0, policies="binance-usdm"),
    "policies": lc.policies()[0],
    "positions_from_fills": FILLS,
    "reverse_stress": lc.reverse_stress(CALL_ENGINE, CALL_BOOK, CALL_MARKS, share=0.1, others=1.0),
    "stress": STRESS,
    "StressIndex.stress": INDEX.stress(MOVES),
    "variants": lc.variants(CALL_BOOK, CALL_POLICY)[0],
    "what_if": lc.what_if(CALL_ENGINE, CALL_BOOK, CALL_MARKS, CHANGES),
}
CHANGED_BY_ITS_METHODS = {"LiveBook"}
OBJECTS = INPUTS | RESULTS | BY_FUNCTION
NO_STATE = (str, bytes, int, float, bool, type(None), Enum, np.generic, np.ndarray)


def parts_of(thing: object, path: str, seen: set[type]) -> Iterator[tuple[str, object]]:
    """An object of ours and those that it holds, one of each class."""
    if isinstance(thing, NO_STATE) or type(thing) in seen:
        return
    if isinstance(thing, (tuple, list, dict)):
        for each in list(thing.values() if isinstance(thing, dict) else thing)[:3]:
            yield from parts_of(each, path, seen)
        return
    if not type(thing).__module__.startswith("levcore.") or isinstance(thing, CodedLabels):
        return
    seen.add(type(thing))
    yield path, thing
    for name in public(thing):
        yield from parts_of(getattr(thing, name), f"{path}.{name}", seen)


def public(thing: object) -> list[str]:
    """Names of what an object tells without being called."""
    names = [name for name in dir(type(thing)) if not name.startswith("_")]
    held = [name for name in names if not inspect.isroutine(getattr(type(thing), name))]
    found = []
    for name in held:
        try:
            getattr(thing, name)
        except (lc.LevcoreError, AttributeError):
            continue  # a measure that was not asked for
        found.append(name)
    return found


def can_be_set(thing: object, name: str) -> bool:
    """Whether an attribute takes the value that it has."""
    try:
        setattr(thing, name, getattr(thing, name, None))
    except (AttributeError, TypeError):
        return False  # a frozen dataclass with slots refuses what is no field of it by a TypeError
    return True


def test_every_public_class_is_looked_at() -> None:
    classes = {name for name in lc.__all__ if inspect.isclass(getattr(lc, name))}
    plain = {name for name in classes if issubclass(getattr(lc, name), (Exception, Enum))}
    assert classes - plain - CHANGED_BY_ITS_METHODS == INPUTS.keys() | RESULTS.keys()
    for name, thing in (INPUTS | RESULTS).items():
        assert isinstance(thing, getattr(lc, name)), name


@pytest.mark.parametrize("name", OBJECTS)
def test_no_attribute_can_be_set(name: str) -> None:
    seen: set[type] = set()
    for path, part in parts_of(OBJECTS[name], name, seen):
        for each in [*public(part), "something_new"]:
            assert not can_be_set(part, each), f"{path}.{each}"
    assert seen


REFUSES_COPIES = {"TriggerIndex"}
EVERYTHING = {**OBJECTS, **{f"made {kind}": make() for kind, (make, _) in MAKERS.items()}}


@pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - REFUSES_COPIES))
def test_copies_and_pickles_are_whole(name: str) -> None:
    thing = EVERYTHING[name]
    pickled = [pickle.loads(pickle.dumps(thing, protocol)) for protocol in (2, pickle.HIGHEST_PROTOCOL)]
    for one in (copy.copy(thing), copy.deepcopy(thing), *pickled):
        assert type(one) is type(thing)
        assert repr(one) == repr(thing) or f" at {id(one):#x}" in repr(one)
        if hasattr(thing, "to_dict"):
            assert repr(one.to_dict()) == repr(thing.to_dict())
        assert not can_be_set(one, "something_new")


def test_an_index_of_scenarios_is_built_again_and_one_of_ticks_is_not_copied() -> None:
    again = pickle.loads(pickle.dumps(lc.StressIndex(CALL_ENGINE, CALL_BOOK, CALL_MARKS, lowest=-0.5)))
    assert (again.lowest, again.highest) == (-0.5, 2.0)
    expected = INDEX.stress(MOVES)
    assert repr(again.stress(MOVES).to_dict()) == repr(expected.to_dict())
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(lc.errors.DTypeError, match="TriggerIndex: cannot be copied or pickled"):
            copied(RESULTS["TriggerIndex"])


@pytest.mark.parametrize("name", INPUTS)
def test_no_column_of_an_input_can_be_written(name: str) -> None:
    for each in public(INPUTS[name]):
        value = getattr(INPUTS[name], each)
        arrays = value if isinstance(value, tuple) else (value,)
        for array in arrays:
            assert not (isinstance(array, np.ndarray) and array.flags.writeable), each


def test_the_callers_arrays_of_changes_and_orders_stay_theirs() -> None:
    kinds, flags, rows = np.zeros(2, np.uint8), np.zeros(2, np.bool_), np.zeros(2, np.uint32)
    lc.Changes(kinds, row=rows)
    lc.Orders(["ann"] * 2, ["BTCUSDT"] * 2, [1.0, 2.0], [6e4, 6e4], reduce_only=flags)
    assert [each.flags.writeable for each in (kinds, flags, rows)] == [True] * 3


MADE: dict[str, Callable[[], object]] = {
    "Worst": lambda: Worst(2),
    "Fees": lambda: Fees("s", "2026", "VIP 0", 0.0, 0.0, None, False, "somewhere"),
}


@pytest.mark.parametrize("name", MADE)
def test_parts_are_read_only_too(name: str) -> None:
    thing = MADE[name]()
    for each in public(thing):
        assert not can_be_set(thing, each), each


# A book and its columns


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
