"""The kernel of the scenarios and its reference agree to the last bit, for any number of threads."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore
from levcore.engine.compiled import compile_policy
from levcore.reference.scenarios import arrays as scenario_arrays
from levcore.reference.scenarios import scenario_margin as reference
from levcore.scenarios import (
    ContractCharge,
    GroupOffsets,
    ScenarioAddOns,
    ScenarioArrays,
    ScenarioRisk,
    SpreadCharge,
    scenario_margin,
)
from support.comparison import same_bits
from support.scenario_books import Case, cases

THREADS = (1, 2, 7)


def columns(risk: ScenarioRisk) -> dict[str, npt.NDArray[np.generic]]:
    """Everything that a result holds but its failures."""
    groups = {name: getattr(risk.groups, name) for name in risk.groups.__slots__}
    measures = {name: risk[name] for name in risk.measures}
    return {**measures, "status": risk.status, "profits": risk.profits, **groups}


def assert_same(found: ScenarioRisk, expected: ScenarioRisk) -> None:
    assert found.measures == expected.measures
    assert repr(found.failures()) == repr(expected.failures())
    for (name, left), right in zip(columns(found).items(), columns(expected).values(), strict=True):
        assert same_bits(left, right), (name, left, right)


def assert_kernel_and_reference_agree(case: Case) -> None:
    arguments = (case.book, case.arrays, case.add_ons)
    expected = reference.scenario_margin(*arguments, keep_profits=True, **case.data)
    for threads in THREADS:
        assert_same(scenario_margin(*arguments, keep_profits=True, threads=threads, **case.data), expected)


@given(cases())
def test_kernel_and_reference_agree(case: Case) -> None:
    assert_kernel_and_reference_agree(case)


def large_case(order: str) -> Case:
    """Enough legs for several blocks of accounts."""
    random = np.random.default_rng(7)
    rows, accounts = 20_000, 2_500
    names = [f"I{number}" for number in range(40)]
    arrays = ScenarioArrays.from_profits(
        random.normal(size=(40, 16)), names, groups=[f"G{number % 7}" for number in range(40)]
    )
    account = random.integers(0, accounts, rows)
    book = lc.PositionBook(
        random.integers(0, 40, rows).astype(np.uint32),
        random.normal(size=rows),
        np.ones(rows),
        account=np.sort(account) if order == "sorted" else account,
        margin_mode="cross",
        instrument_names=names,
    )
    add_ons = ScenarioAddOns(
        minimum=ContractCharge(short=0.25),
        contingency=ContractCharge(long=0.01, short=0.02),
        spread=SpreadCharge(dict.fromkeys(names, 1.0), {"G0": 0.1, "G3": 0.2}),
        offsets=GroupOffsets({"G1": "P", "G5": "P"}, {"G1": 0.9, "G5": 0.8}),
        option_value={"I3": 2.0},
        initial_ratio=1.1,
    )
    held = len(book.account_ids)
    adjustments = random.normal(size=(held, 7)) * (random.random((held, 7)) < 0.3)
    return Case(book, arrays, add_ons, {"adjustments": adjustments, "equity": random.normal(size=held)})


@pytest.mark.parametrize("order", ["sorted", "random"])
def test_many_blocks_agree(order: str) -> None:
    assert_kernel_and_reference_agree(large_case(order))


@pytest.mark.parametrize("order", ["by group", "sorted", "random"])
@pytest.mark.parametrize("scenarios", [5, 16, 20])
def test_many_accounts_without_add_ons_agree(order: str, scenarios: int) -> None:
    """Long stretches of legs that are as they should be, and a few in between that are not."""
    random = np.random.default_rng(scenarios)
    rows, names = 9_000, [f"I{number}" for number in range(40)]
    profits = random.normal(size=(40, scenarios)).round(1)
    profits[39, 1] = math.nan
    arrays = ScenarioArrays.from_profits(profits, names, groups=[f"G{number // 6}" for number in range(40)])
    account, instrument = np.sort(random.integers(0, 900, rows)), random.integers(0, 39, rows)
    quantity = random.integers(1, 9, rows) * random.choice([-1.0, 1.0], rows)
    odd = random.integers(rows // 2, rows, 12)
    quantity[odd[:8]] = [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1e308, 0.0]
    instrument[odd[8:]] = 39
    by = {"by group": np.lexsort((instrument, account)), "sorted": np.arange(rows)}
    chosen = by.get(order, random.permutation(rows))
    book = lc.PositionBook(
        instrument[chosen].astype(np.uint32),
        quantity[chosen],
        np.ones(rows),
        account=account[chosen],
        margin_mode="cross",
        instrument_names=names,
    )
    case = Case(book, arrays, None, {})
    assert_kernel_and_reference_agree(case)
    alone = scenario_margin(book, arrays, keep_groups=False, threads=2)
    assert all(same_bits(alone[name], scenario_margin(book, arrays)[name]) for name in alone.measures)


MARKS = (0.1, 75.0, 61_000.0, math.nan, 0.0, -1.0, math.inf, 1e-310)


@given(
    st.sampled_from(["linear", "inverse", "quanto"]),
    st.sampled_from([1.0, 0.1, 100.0]),
    st.sampled_from(MARKS),
    st.lists(st.sampled_from([-0.66, -0.15, -1e-9, 0.0, 0.07, 5.0]), min_size=1, max_size=5),
    st.sampled_from([1.0, 0.33, 2.0]),
)
def test_price_grids_agree(payoff: str, size: float, mark: float, moves: list[float], cover: float) -> None:
    multiplier = 1e-6 if payoff == "quanto" else 1.0
    tiers = lc.TierTable.single_rate("0.01")
    held = lc.Instrument("X", payoff, tiers, contract_size=size, multiplier=multiplier)  # type: ignore[arg-type]
    labels = [str(number) for number in range(len(moves))]
    found = ScenarioArrays.price_grid([held], {"X": mark}, moves, covers=cover, scenarios=labels).profits[0]
    compiled = compile_policy(lc.policy("generic").with_instruments([held])).instruments[0]
    expected = [scenario_arrays.price_profit(compiled, mark, move, cover) for move in moves]
    assert same_bits(found, np.array(expected))


@given(
    st.sampled_from([1.0, 10_000.0, 333.3, math.nan]), st.sampled_from([0.7, 2.0, 3.0]), st.floats(0.01, 1.0)
)
def test_span_futures_agree(price_scan_range: float, multiple: float, cover: float) -> None:
    found = ScenarioArrays.span_futures(
        {"X": price_scan_range}, extreme_multiple=multiple, extreme_cover=cover
    ).profits[0]
    assert same_bits(found, np.array(scenario_arrays.span_profits(price_scan_range, multiple, cover)))


def test_measures_are_those_of_the_reference() -> None:
    book = lc.PositionBook(["X"], [1.0], [1.0], account=[1], margin_mode="cross")
    arrays = ScenarioArrays.from_profits([[1.0]], ["X"])
    add_ons = ScenarioAddOns(option_value={"X": 1.0}, initial_ratio=1.0)
    for evaluate in (scenario_margin, reference.scenario_margin):
        assert list(evaluate(book, arrays, add_ons, equity=[1.0]).measures) == [
            name for name, _, _ in _levcore.scenario_measures()
        ]
