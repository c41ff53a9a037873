"""No object that levcore hands out or takes can be set anew: a result says what was asked, and stays so."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.book.coded_labels import CodedLabels
from levcore.rules.fees import Fees
from levcore.stress_testing.result import Worst
from support.good_calls import CROSS as BOOK
from support.good_calls import ENGINE, MARKS, POLICY

MOVES = {"BTCUSDT": [-0.1], "ETHUSDT": [0.1]}
CHANGES = lc.Changes("order", row=[0, 1], quantity=[2.0, -1.0], instrument=["BTCUSDT", "ETHUSDT"])
ORDERS = lc.Orders(["ann"], ["BTCUSDT"], [1.0], [6e4], reduce_only=[False])
RISK = ENGINE.evaluate(BOOK, MARKS)
INDEX = lc.StressIndex(ENGINE, BOOK, MARKS)
STRESS = lc.stress(ENGINE, BOOK, MARKS, MOVES)
FILLS = lc.positions_from_fills(
    POLICY, instrument=["BTCUSDT"], quantity=[1.0], price=[6e4], fee=[1.0], time=[1], account=["ann"]
)

INPUTS: dict[str, Any] = {
    "Asset": lc.Asset("USD", (1.0,)),
    "AssetTable": POLICY.with_assets([lc.Asset("USD", (1.0,))]).assets,
    "Balances": lc.Balances(["ann"], ["USD"], [1.0]),
    "Changes": CHANGES,
    "Engine": ENGINE,
    "Fund": lc.Fund(1.0),
    "FundRules": lc.fund_rules("Bybit"),
    "Guard": lc.Guard(means=MARKS, halted=["BTCUSDT"]),
    "Impact": lc.Impact.linear(0.1, 1.0),
    "Instrument": POLICY.instruments["BTCUSDT"],
    "InstrumentTable": POLICY.instruments,
    "MarginPolicy": POLICY,
    "Orders": ORDERS,
    "PositionBook": BOOK,
    "TierTable": POLICY.instruments["BTCUSDT"].tiers,
}
RESULTS: dict[str, Any] = {
    "AccountRisk": RISK.accounts,
    "BookRisk": RISK,
    "LegCosts": lc.leg_costs(ENGINE, BOOK, MARKS),
    "StressIndex": INDEX,
    "TriggerIndex": lc.TriggerIndex(ENGINE, BOOK, MARKS),
    "WalletRisk": RISK.wallets,
}
BY_FUNCTION: dict[str, Any] = {
    "cascade": lc.cascade(ENGINE, BOOK, "BTCUSDT", 5e4, lc.Impact.linear(0.1, 1e3), marks=MARKS),
    "close_loans": lc.close_loans(lc.policy("aave-v3"), [9e3], [1e4], [0.9], [0.05]),
    "compare": lc.compare(BOOK, {"one": POLICY}, MARKS),
    "concentration": lc.concentration(RISK),
    "distance": lc.distance(ENGINE, BOOK, MARKS),
    "evaluate_over": ENGINE.evaluate_over(BOOK, np.array([[6e4, 3e3]])),
    "explain": lc.explain(ENGINE, BOOK, MARKS, 0),
    "ladder": lc.ladder(ENGINE, BOOK, "BTCUSDT", [5e4], marks=MARKS),
    "order_margin": lc.order_margin(ENGINE, BOOK, MARKS, ORDERS),
    "plan": lc.plan("BTCUSDT", "long", 0.5, entry=6e4, leverage=10.0, policies="binance-usdm"),
    "policies": lc.policies()[0],
    "positions_from_fills": FILLS,
    "reverse_stress": lc.reverse_stress(ENGINE, BOOK, MARKS, share=0.1, others=1.0),
    "stress": STRESS,
    "StressIndex.stress": INDEX.stress(MOVES),
    "variants": lc.variants(BOOK, POLICY)[0],
    "what_if": lc.what_if(ENGINE, BOOK, MARKS, CHANGES),
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


@pytest.mark.parametrize("name", INPUTS)
def test_no_column_of_an_input_can_be_written(name: str) -> None:
    for each in public(INPUTS[name]):
        value = getattr(INPUTS[name], each)
        arrays = value if isinstance(value, tuple) else (value,)
        for array in arrays:
            assert not (isinstance(array, np.ndarray) and array.flags.writeable), each


def test_the_callers_arrays_stay_theirs() -> None:
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
