"""Hypothesis strategies for portfolio margins: arrays, add-ons, books with odd and missing values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import levcore as lc
from levcore.scenarios import (
    ContractCharge,
    GroupOffsets,
    ScenarioAddOns,
    ScenarioArrays,
    SpreadCharge,
)

__all__ = ["Case", "cases"]

# Sums of 0.1 and of thirds depend on the order in which they are taken.
PROFITS = (0.0, -0.0, 0.1, -0.1, 1.0 / 3.0, -700.0, 699.9, 1e-3, 1e16, -1e16)
BAD = (math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 5e-324)
QUANTITIES = (1.0, -1.0, 3.0, -3.0, 0.1, -0.3, 0.0, 250.0)
AMOUNTS = (0.0, 0.1, 2.5, 37.5)


@dataclass(frozen=True)
class Case:
    """Arguments of `levcore.scenarios.scenario_margin`."""

    book: lc.PositionBook
    arrays: ScenarioArrays
    add_ons: ScenarioAddOns | None
    data: dict[str, Any]


def _spoiled(values: tuple[float, ...], spoil: bool) -> st.SearchStrategy[float]:
    ordinary = st.sampled_from(values)
    return st.one_of(*[ordinary] * 8, st.sampled_from(BAD)) if spoil else ordinary


@st.composite
def scenario_arrays(draw: st.DrawFn) -> ScenarioArrays:
    """One to five instruments in one to three groups over one to nine scenarios."""
    instruments = draw(st.integers(1, 5))
    scenarios = draw(st.integers(1, 9))
    values = _spoiled(PROFITS, draw(st.sampled_from([False, False, True])))
    row = st.lists(values, min_size=scenarios, max_size=scenarios)
    profits = draw(st.lists(row, min_size=instruments, max_size=instruments))
    groups = [draw(st.sampled_from(["A", "B", "C"])) for _ in range(instruments)]
    names = [f"I{number}" for number in range(instruments)]
    return ScenarioArrays.from_profits(profits, names, groups=draw(st.sampled_from([groups, None])))


def _amounts(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, float] | float | None:
    chosen = draw(st.lists(st.sampled_from(names), unique=True))
    return draw(st.sampled_from([None, 2.5, {name: draw(st.sampled_from(AMOUNTS)) for name in chosen}]))


def _contract_charge(draw: st.DrawFn, arrays: ScenarioArrays) -> ContractCharge | None:
    long, short = _amounts(draw, arrays.instruments), _amounts(draw, arrays.instruments)
    if long is None and short is None:
        return None
    net_by = dict(zip(arrays.instruments, arrays.group_labels(), strict=True))
    uniform = not isinstance(long, dict) and not isinstance(short, dict)
    return ContractCharge(long, short, net_by if uniform and draw(st.booleans()) else None)


@st.composite
def add_ons_of(draw: st.DrawFn, arrays: ScenarioArrays) -> ScenarioAddOns:
    """Any combination of charges, offsets and option values."""
    spread = SpreadCharge(
        {name: draw(st.sampled_from([1.0, 0.5, -0.25])) for name in arrays.instruments[:3]},
        {group: draw(st.sampled_from(AMOUNTS)) for group in arrays.groups[:2]},
        dict.fromkeys(arrays.instruments[:1], "expiry"),
    )
    pooled = arrays.groups[: draw(st.integers(0, len(arrays.groups)))]
    offsets = GroupOffsets(
        {group: draw(st.sampled_from(["P", "Q"])) for group in pooled},
        {group: draw(st.sampled_from([0.0, 0.9, 1.0])) for group in pooled},
    )
    values = _spoiled((0.0, 12.5, 0.1), draw(st.sampled_from([False, False, True])))
    return ScenarioAddOns(
        minimum=_contract_charge(draw, arrays),
        contingency=_contract_charge(draw, arrays),
        spread=draw(st.sampled_from([None, spread])),
        offsets=draw(st.sampled_from([None, offsets])),
        option_value=draw(st.sampled_from([None, {name: draw(values) for name in arrays.instruments[1:]}])),
        initial_ratio=draw(st.sampled_from([None, 1.0, 1.1])),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A book, arrays and everything else of a call."""
    arrays = draw(scenario_arrays())
    names = [*arrays.instruments, *draw(st.sampled_from([[], ["NOBODY-KNOWS"]]))]
    rows = draw(st.integers(0, 14))
    quantity = _spoiled(QUANTITIES, draw(st.sampled_from([False, False, True])))
    accounts = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    book = lc.PositionBook(
        np.array(
            draw(st.lists(st.integers(0, len(names) - 1), min_size=rows, max_size=rows)), dtype=np.uint32
        ),
        np.array(draw(st.lists(quantity, min_size=rows, max_size=rows)), dtype=np.float64),
        np.ones(rows),
        account=np.array(sorted(accounts) if draw(st.booleans()) else accounts, dtype=np.int64),
        margin_mode=draw(
            st.lists(st.sampled_from(["cross", "cross", "isolated"]), min_size=rows, max_size=rows)
        ),
        instrument_names=names,
        accounts=np.array([9, 3]),
        wallet_balance=np.zeros(2),
    )
    add_ons = draw(st.one_of(st.none(), add_ons_of(arrays)))
    held = len(book.account_ids)
    equities = _spoiled((0.0, 1e3, -5.0), draw(st.booleans()))
    adjusted = _spoiled((0.0, 0.0, 7.5, -0.1), draw(st.sampled_from([False, False, True])))
    table = st.lists(adjusted, min_size=held * len(arrays.groups), max_size=held * len(arrays.groups))
    equity = np.array(draw(st.lists(equities, min_size=held, max_size=held)))
    adjustments = np.array(draw(table)).reshape(held, len(arrays.groups))
    data = {"equity": draw(st.sampled_from([None, equity]))}
    data["adjustments"] = draw(st.sampled_from([None, None, adjustments]))
    return Case(book, arrays, add_ons, data)
