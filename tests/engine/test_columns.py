"""One way to be a column: every result declares the measures of its table, and reads them alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore
from levcore.changes.result import ChangedAccounts, ChangedPositions
from levcore.engine.balance_risk import BalanceRisk
from levcore.engine.columns import CodeColumn, Column, Failure, ResultColumns
from levcore.engine.distances import AccountDistance
from levcore.measures import Measure
from levcore.scenarios import ScenarioRisk
from levcore.status import AccountStatus, State, Status

RESULTS: dict[type[ResultColumns], tuple[Measure, ...]] = {
    lc.BookRisk: tuple(Measure(*entry) for entry in _levcore.measures()),
    ChangedPositions: tuple(Measure(*entry) for entry in _levcore.measures()),
    ChangedAccounts: tuple(Measure(*entry) for entry in _levcore.account_measures()),
    lc.AccountRisk: tuple(Measure(*entry) for entry in _levcore.account_measures()),
    BalanceRisk: tuple(Measure(*entry) for entry in _levcore.balance_measures()),
    ScenarioRisk: tuple(Measure(*entry) for entry in _levcore.scenario_measures()),
    AccountDistance: AccountDistance.table,
}
POLICY = lc.policy("binance-usdm@2024-10-24")


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_the_measures_of_a_table_are_the_columns_of_its_result(kind: type[ResultColumns]) -> None:
    assert kind.table == RESULTS[kind]
    # The same columns of another result are declared once, where both take them from.
    every = [each for base in reversed(kind.__mro__) for each in vars(base).items()]
    declared = {name: column for name, column in every if isinstance(column, Column)}
    assert tuple(declared) == tuple(measure.name for measure in kind.table)
    for measure in kind.table:
        assert measure.unit
        column = declared[measure.name]
        assert column.measure == measure
        assert str(column.__doc__).startswith(measure.doc)
        assert f"Unit: {measure.unit}" in str(column.__doc__)
    assert kind.codes[-1] == "status"


def test_codes_know_their_vocabulary() -> None:
    kinds: list[tuple[Any, type]] = [
        (lc.BookRisk.state, State),
        (lc.BookRisk.status, Status),
        (lc.AccountRisk.state, State),
        (lc.AccountRisk.status, AccountStatus),
        (BalanceRisk.status, Status),
    ]
    for column, kind in kinds:
        assert isinstance(column, CodeColumn)
        assert column.kind is kind


def bad_book() -> lc.PositionBook:
    return lc.PositionBook(
        ["BTCUSDT", "BTCUSDT", "NOBODY"],
        [1.0, np.nan, 1.0],
        [60_000.0] * 3,
        account=["a", "b", "a"],
        margin_mode=["cross", "cross", "isolated"],
        isolated_margin=[np.nan, np.nan, 1.0],
        leverage=[10.0] * 3,
        wallet_balance={"b": 5.0},
    )


def test_columns_are_read_by_attribute_name_and_as_a_mapping() -> None:
    risk = lc.Engine(POLICY).evaluate(bad_book(), {"BTCUSDT": 60_000.0})
    for result in (
        risk,
        risk.accounts,
        lc.distance(lc.Engine(POLICY), bad_book(), {"BTCUSDT": 6e4}, others=1.0),
    ):
        columns = result.to_dict()
        assert list(columns) == list(result.keys()) == list(dict(result))
        for name in (*result.measures, *result.codes):
            assert columns[name] is not None
            assert np.shares_memory(columns[name], getattr(result, name))
            assert np.shares_memory(columns[name], result[name])
        with pytest.raises(lc.InputError, match="no_such: was not computed"):
            result["no_such"]
    assert next(iter(risk.accounts))["account"] == "b"
    assert risk.accounts["account"] == ("b", "a")


def test_every_failure_is_of_one_kind() -> None:
    risk = lc.Engine(POLICY).evaluate(bad_book(), {"BTCUSDT": 60_000.0})
    incomplete, quantity, instrument = risk.failures()
    assert incomplete == Failure(0, "a", Status.ACCOUNT_INCOMPLETE, "", None)
    assert (quantity.row, quantity.account, quantity.column, repr(quantity.value)) == (
        1,
        "b",
        "quantity",
        "nan",
    )
    assert instrument == Failure(2, "a", Status.UNKNOWN_INSTRUMENT, "instrument", "NOBODY")
    assert risk.failures(1) == [incomplete]
    first, second = risk.accounts.failures()
    assert first == Failure(None, "b", AccountStatus.INCOMPLETE, "", None)
    assert (second.account, second.status) == ("a", AccountStatus.MISSING_WALLET_BALANCE)
    assert (second.column, repr(second.value)) == ("wallet_balance", "nan")
    for failure in (*risk.failures(), first, second):
        assert failure.words == failure.status.describe()
