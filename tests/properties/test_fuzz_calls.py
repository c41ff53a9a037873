"""Arguments of public entry points, replaced by what nobody should pass: only levcore's exceptions."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import ShapeError, TierError
from levcore.scenarios import ContractCharge, GroupOffsets, ScenarioAddOns, SpreadCharge
from support.good_calls import BOOK, GOOD, GUARD, POLICY, RISK

THOROUGH = os.environ.get("LEVCORE_TESTS") == "thorough"
DRAWS = 400 if THOROUGH else 60
"""Junk values tried for each argument."""
MOST_SECONDS = 2.0

ODD: list[Any] = [
    None,
    math.nan,
    math.inf,
    -1,
    0,
    1e308,
    10**400,
    True,
    "",
    "NaN",
    "x" * 5_000,
    "\x00\u202e",
    b"bytes",
    [],
    [None],
    [[1.0], [2.0]],
    {},
    {"a": {"b": 1}},
    {1: 2.0},
    object(),
    Decimal("sNaN"),
    date(2026, 1, 1),
    1 + 2j,
    np.array(["2026-01-01"], "datetime64[D]"),
    np.array([1 + 1j]),
    np.empty((0, 3)),
    np.array([object()]),
    np.float16(1),
    np.ma.masked_array([1.0, 2.0], [True, False]),
    set("ab"),
    lambda: None,
    lc.Status.OK,
    BOOK,
    RISK,
    POLICY,
    range(3),
    iter([1.0, 2.0]),
    ["BTCUSDT", 3],
    [1.0, "2"],
    [10**400, 1],
    ["\ud800", "B"],
]


def junk(name: str, random: Random) -> Iterator[Any]:
    """What is tried for an argument: odd values, and the good one with a part replaced."""
    yield from random.sample(ODD, min(DRAWS, len(ODD)))
    good = next(arguments[name] for _, arguments in GOOD.values() if name in arguments)
    for _ in range(max(0, DRAWS - 4)):
        odd = random.choice(ODD)
        if isinstance(good, list) and good:
            yield [odd if place == 0 else each for place, each in enumerate(good)]
            yield good * random.choice((0, 2, 3))
        elif isinstance(good, dict) and good:
            key = random.choice(list(good))
            yield {**good, key: odd}
            yield {each: value for each, value in good.items() if each != key}


@pytest.mark.parametrize("entry", sorted(GOOD))
def test_only_exceptions_of_levcore(entry: str) -> None:
    call, good = GOOD[entry]
    random, tried = Random(entry), 0
    call(**{name: value for name, value in good.items() if entry != "PositionBook" or name != "policy"})
    for name in good:
        for value in junk(name, random):
            tried += 1
            start = time.perf_counter()
            try:
                result = call(**{**good, name: value})
            except (lc.LevcoreError, MemoryError, OSError):
                # OSError: a text may name a file, which is not there.
                result = None
            except Exception as error:  # noqa: BLE001 - it is what is looked for
                shown = f"{type(value).__name__} {str(value)[:60]!r}"
                pytest.fail(f"{entry}({name}={shown}): {type(error).__name__}: {error}")
            assert time.perf_counter() - start < MOST_SECONDS, (entry, name, type(value))
            if isinstance(result, lc.BookRisk):
                healthy = result.state == lc.State.HEALTHY
                assert np.isfinite(result["equity"][healthy]).all(), (entry, name, value)
    assert tried >= len(good)


EXTREME: list[Any] = [
    1e30,
    1e300,
    -1.0,
    0.0,
    5e-324,
    math.inf,
    math.nan,
    2**63,
    10**30,
    [1e30],
    [1e300, 1e300],
    [-1.0, -1.0],
    [math.nan],
    {"BTCUSDT": 1e300},
    {"BTCUSDT": -1.0},
    {"ann": 1e300},
    {"ann": -1.0},
    "nonsense",
]
ALSO_CALLED = {
    "positions": ("reply",),
    "name": ("instrument", "policy"),
    "policies": ("policy",),
    "rows": ("tiers",),
    "means": ("mean",),
    "batches": ("nonsense", "BTCUSDT", "ann"),  # the file of this name
    "frame": ("columns",),  # which it has not
    "wallet_balance": ("accounts",),  # which a mapping says already
}
"""What an argument is called in an error, where that is not its name."""


def refused(call: Callable[..., Any], arguments: dict[str, Any]) -> lc.LevcoreError | None:
    """What a call raises of ours."""
    try:
        call(**arguments)
    except lc.LevcoreError as error:
        return error
    except (MemoryError, OSError):
        pass
    return None


@pytest.mark.parametrize("entry", sorted(GOOD))
def test_an_error_names_what_the_caller_gave(entry: str) -> None:
    call, good = GOOD[entry]
    for name in good:
        for value in EXTREME:
            error = refused(call, {**good, name: value})
            # Of two columns that differ in length, and of the cells of a table, another one may be named.
            if error is not None and not isinstance(error, (ShapeError, TierError)):
                known = (name, *ALSO_CALLED.get(name, ()))
                words = re.split("[^A-Za-z_]+", f"{error.argument} {error.rule}")
                assert set(words) & set(known), (entry, name, value, str(error))


OF_NUMPY: list[Any] = [
    np.str_("it's"),
    np.float64(-1.0),
    np.float32(math.nan),
    np.int64(-3),
    np.bool_(True),
    np.datetime64("2026-01-01"),
    np.array(["XX"]),
    np.array([-1.0, -1.0]),
    [np.str_("XX")],
    [np.float64(-1.0)],
    [np.int64(-7), np.int64(-7)],
    {np.str_("XX"): np.float64(-1.0)},
    {"BTCUSDT": np.float64(-1.0), "ETHUSDT": np.float64(-1.0)},
    {"ann": np.float64(-1.0)},
    (np.str_("XX"),),
    [(np.float64(5.0), np.float64(-1.0))],
    [np.bool_(True)],
    {np.str_("XX")},
]


@pytest.mark.parametrize("entry", sorted(GOOD))
def test_messages_show_values_as_the_caller_would_write_them(entry: str) -> None:
    call, good = GOOD[entry]
    for name in good:
        for value in OF_NUMPY:
            error = refused(call, {**good, name: value})
            assert "np." not in f"{error} {error and error.args}", (entry, name, value)


RATES = lc.TierTable.single_rate("0.01", 50)


def fields_of(thing: object) -> dict[str, Any]:
    """Values of what a dataclass is built of."""
    return {each.name: getattr(thing, each.name) for each in dataclasses.fields(thing) if each.init}  # type: ignore[arg-type]


BUILT_OF_FIELDS: list[Any] = [
    lc.Asset("USD", (1.0,)),
    lc.Fund(1.0),
    lc.fund_rules("Bybit"),
    GUARD,
    lc.Impact.linear(0.1, 1.0),
    lc.Instrument("X", "linear", RATES, short_tiers=RATES, initial_tiers=RATES),
    POLICY,
    POLICY.with_fees("regular").fees,
    POLICY.sources[0],
    RATES,
    ContractCharge(long=1.0, net_by={"A": "B"}),
    SpreadCharge({"A": 1.0}, {"G": 1.0}, {"A": "B"}),
    GroupOffsets({"G": "P"}, {"G": 0.5}),
    ScenarioAddOns(initial_ratio=1.1),
]
THING = object()
OF_NO_FIELD: list[Any] = [THING, 1 + 2j, [THING], {THING: THING}, (THING,), b"bytes", {1.5}]


def test_inputs_that_are_dataclasses_are_all_tried() -> None:
    public = {each for name in lc.__all__ if dataclasses.is_dataclass(each := getattr(lc, name))}
    assert public <= {type(each) for each in BUILT_OF_FIELDS}


@pytest.mark.parametrize("thing", BUILT_OF_FIELDS, ids=lambda thing: type(thing).__name__)
def test_a_field_of_the_wrong_type_is_refused(thing: Any) -> None:
    good = fields_of(thing)
    assert type(thing)(**good) == thing
    for name in good:
        for value in OF_NO_FIELD:
            assert refused(type(thing), {**good, name: value}) is not None, (name, value)
        for value in ODD:
            refused(type(thing), {**good, name: value})
