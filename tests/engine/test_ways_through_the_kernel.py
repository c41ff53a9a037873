"""Which rows leave the vectors' way, and that no way moves a bit: odd rows, rounded thresholds, tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore import _levcore
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk

Columns = dict[str, Any]

LINES_OF_A_SCREEN = 16
LONG_TABLES = {"bitmex", "bybit-linear", "okx-linear-swap"}
"""Policies with a bundled table of more lines than are compared at once; they are compared part by part."""
INSTRUMENTS = 40
UNKNOWN = INSTRUMENTS


def test_tables_of_bundled_policies_go_by_vectors_and_these_part_by_part() -> None:
    long, by_unit = set(), set()
    for info in lc.policies():
        policy = lc.policy(info.id)
        for instrument in policy.instruments.values():
            tables = (instrument.tiers, instrument.short_tiers, instrument.initial_tiers)
            for table in tables:
                if table is not None and len(table.rates) > LINES_OF_A_SCREEN:
                    long.add(policy.name)
                if table is not None and table.shape == "per_unit":
                    by_unit.add(policy.name)
    assert long == LONG_TABLES
    # Tables in lines a unit of size are looked up row by row; only instruments that callers bring have them.
    assert by_unit == set()


def policy_and_names() -> tuple[lc.MarginPolicy, list[str]]:
    policy = lc.policy("binance-usdm")
    return policy, [*list(policy.instruments)[:INSTRUMENTS], "NOBODY-KNOWS"]


def random_rows(rows: int, names: list[str], marks: npt.NDArray[np.float64]) -> Columns:
    random = np.random.default_rng(20_261_127)
    codes = random.integers(0, INSTRUMENTS, rows)
    quantity = 10.0 ** random.uniform(1.0, 4.5, rows) / marks[codes] * random.choice([-1.0, 1.0], rows)
    leverage = np.floor(10.0 ** random.uniform(0.0, 2.0, rows))
    return {
        "instrument": codes.astype(np.uint32),
        "quantity": quantity,
        "entry_price": marks[codes] * random.lognormal(0.0, 0.05, rows),
        "leverage": leverage,
        "isolated_margin": np.abs(quantity) * marks[codes] / leverage,
    }


def evaluated(
    columns: Columns, names: list[str], marks: npt.NDArray[np.float64], instruction_set: str, threads: int
) -> dict[str, npt.NDArray[np.float64]]:
    policy, _ = policy_and_names()
    book = lc.PositionBook(margin_mode="isolated", instrument_names=names, **columns)
    engine = lc.Engine(policy, instruction_set=instruction_set)
    risk = engine.evaluate(book, marks, threads=threads, measures=MEASURE_NAMES)
    return {name: risk[name] for name in MEASURE_NAMES} | {"state": risk.state, "status": risk.status}


@pytest.mark.parametrize("order", ["random", "sorted"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
def test_odd_rows_change_no_bit_of_the_others(share: float, order: str) -> None:
    rows = 20_000
    _, names = policy_and_names()
    marks = np.random.default_rng(7).lognormal(3.0, 2.0, len(names))
    columns = random_rows(rows, names, marks)
    if order == "sorted":
        by_instrument = np.argsort(columns["instrument"], kind="stable")
        columns = {name: column[by_instrument] for name, column in columns.items()}
    whole = evaluated(columns, names, marks, "baseline", 1)
    odd = np.random.default_rng(11).permutation(rows)[: int(rows * share)]
    spoiled = {name: column.copy() for name, column in columns.items()}
    spoiled["quantity"][odd[0::5]] = np.nan
    spoiled["quantity"][odd[1::5]] = 0.0
    spoiled["isolated_margin"][odd[2::5]] = np.nan
    spoiled["leverage"][odd[2::5]] = np.nan
    spoiled["entry_price"][odd[3::5]] = np.inf
    spoiled["instrument"][odd[4::5]] = UNKNOWN
    ordinary = np.setdiff1d(np.arange(rows), odd)
    first = evaluated(spoiled, names, marks, "baseline", 1)
    statuses = {lc.Status(code).name for code in np.unique(first["status"][odd])}
    names_of_odd = {"INVALID_QUANTITY", "FLAT", "WITHOUT_MARGIN", "INVALID_ENTRY_PRICE", "UNKNOWN_INSTRUMENT"}
    assert statuses == (names_of_odd if share else set())
    for name, column in whole.items():
        np.testing.assert_array_equal(first[name][ordinary], column[ordinary])
    for instruction_set in _levcore.instruction_sets():
        for threads in (1, 2, 7):
            again = evaluated(spoiled, names, marks, instruction_set, threads)
            for name, column in first.items():
                np.testing.assert_array_equal(again[name], column, f"{name}, {instruction_set}, {threads}")


RULES: dict[str, dict[str, Any]] = {
    "plain": {},
    "fee on the value": {
        "closing_fee_basis": "price",
        "closing_fee_rate": 0.0006,
        "bankruptcy_includes_closing_fee": True,
    },
    "fee at the bankruptcy price": {"closing_fee_basis": "bankruptcy", "closing_fee_rate": 0.0006},
    "frozen at the entry": {
        "requirement_basis_isolated": "entry",
        "requirement_basis_cross": "entry",
        "initial_margin_basis_isolated": "entry",
    },
    "frozen at the mark": {"requirement_basis_isolated": "mark", "requirement_basis_cross": "mark"},
}


@pytest.mark.parametrize("order", ["random", "sorted"])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("rules", RULES)
def test_rows_of_which_much_is_known_and_rows_of_any_kind_have_the_same_bits(
    rules: str, mode: str, order: str
) -> None:
    rows = 5_003
    policy, names = policy_and_names()
    policy = policy.replace(**RULES[rules])
    marks = np.random.default_rng(7).lognormal(3.0, 2.0, len(names))
    columns = random_rows(rows, names, marks)
    random = np.random.default_rng(12)
    columns["quantity"][random.integers(0, rows, 50)] = random.choice([np.nan, 0.0, 1e300], 50)
    if order == "sorted":
        by_instrument = np.argsort(columns["instrument"], kind="stable")
        columns = {name: column[by_instrument] for name, column in columns.items()}
    if mode == "cross":
        columns["isolated_margin"] = np.full(rows, np.nan)
        columns |= {"account": np.arange(rows) // 7, "accounts": np.arange(rows // 7 + 1)}
        columns["wallet_balance"] = random.lognormal(8.0, 3.0, rows // 7 + 1)
    # A column in which no row has anything makes rows of any kind of them.
    of_any_kind = columns | {"risk_limit": np.full(rows, np.nan)}
    for instruction_set in _levcore.instruction_sets():
        engine = lc.Engine(policy, instruction_set=instruction_set)
        found, expected = (
            engine.evaluate(
                lc.PositionBook(margin_mode=mode, instrument_names=names, **given),
                marks,
                measures=MEASURE_NAMES,
            )
            for given in (columns, of_any_kind)
        )
        assert_same_risk(found, expected, f"{rules}, {mode}, {order}, {instruction_set}")


def test_values_at_a_threshold_that_rounds_to_them_are_told_apart() -> None:
    # 2**24 + 1 is no number of single precision: it and its neighbours round to 2**24.
    floors = [0, 1000.1, 2**24 + 1, 1e39]
    tiers = lc.TierTable.marginal(
        [(floors[0], "0.01"), (1000.1, "0.02"), (2**24 + 1, "0.05"), (1e39, "0.1")], unit="quote"
    )
    two = [lc.Instrument(name, "linear", tiers, contract_size=1.0) for name in ("X", "Y")]
    policy = lc.policy("generic").with_instruments(two)
    values = [
        value
        for floor in floors[1:]
        for value in (np.nextafter(floor, 0), floor, np.nextafter(floor, np.inf))
    ]
    values += [2.0**24, 2.0**24 + 2, 1e38, 3.5e38, 1e300]
    quantity = np.array(values * 4)
    columns: Columns = {
        # One instrument for some rows, both in turn for others: tables are searched together and row by row.
        "instrument": np.where(
            np.arange(quantity.size) < quantity.size // 2, 0, np.arange(quantity.size) % 2
        ),
        "quantity": quantity * np.repeat([1.0, -1.0, 1.0, -1.0], len(values)),
        "entry_price": np.ones(quantity.size),
        "isolated_margin": quantity / np.repeat([2.0, 2.0, 50.0, 50.0], len(values)),
    }
    book = lc.PositionBook(margin_mode="isolated", instrument_names=["X", "Y"], **columns)
    marks = {"X": 1.0, "Y": 1.0}
    expected = lc.reference.evaluate(book, policy, marks)
    for instruction_set in _levcore.instruction_sets():
        found = lc.Engine(policy, instruction_set=instruction_set).evaluate(book, marks)
        for name in ("maintenance_margin", "liquidation_price", "margin_ratio"):
            np.testing.assert_array_equal(found[name], expected[name], f"{name}, {instruction_set}")
