"""Bad inputs: each raises its own error with the argument and the first bad row, or gets its own status.

None panics, none escapes as another library's exception, none comes back as a healthy number.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import levcore as lc
from comparison import assert_same_risk
from levcore import errors
from levcore.measures import MEASURE_NAMES
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL
from random_books import by_risk_limit

NAN, INFINITE = math.nan, math.inf
TIERS = lc.TierTable.marginal([(0, "0.01"), (1_000, "0.02")], unit="quote", cap=100_000)
POLICY = lc.policy("generic").with_instruments(
    [
        lc.Instrument("A", "linear", TIERS),
        lc.Instrument("B", "linear", TIERS),
        lc.Instrument("LIMIT", "linear", by_risk_limit()),
    ]
)
ENGINE = lc.Engine(POLICY)
MARKS = {"A": 100.0, "B": 200.0, "LIMIT": 100.0}
GOOD: dict[str, Any] = {
    "instrument": ["A", "B"],
    "quantity": [1.0, -2.0],
    "entry_price": [100.0, 200.0],
    "isolated_margin": [20.0, 90.0],
    "leverage": [5.0, 5.0],
    "accrued_funding": [0.0, 0.0],
    "risk_limit": [1_000.0, 1_000.0],
}
BOOK = lc.PositionBook(**GOOD)


@dataclass(frozen=True)
class Refused:
    """A call that must raise: which class, about what, since which row, how often."""

    error: type[errors.LevcoreError]
    argument: str
    row: int | None = None
    count: int | None = None

    def check(self, call: Callable[[], object]) -> None:
        with pytest.raises(errors.LevcoreError) as caught:
            call()
        error = caught.value
        assert type(error) is self.error, error
        assert (error.argument, error.row, error.count) == (self.argument, self.row, self.count), error
        assert error.rule
        assert self.argument in str(error)


FLOAT_COLUMNS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")

# Values of a column of two numbers, and what is wrong with them.
BAD_COLUMNS: dict[str, tuple[Any, type[errors.LevcoreError], int | None]] = {
    "text": (["1", "2"], errors.DTypeError, None),
    "one text": ("12", errors.DTypeError, None),
    "bytes": (b"12", errors.DTypeError, None),
    "text among numbers": (np.array([1.0, "2"], dtype=object), errors.DTypeError, 1),
    "booleans": ([True, False], errors.DTypeError, None),
    "boolean among objects": (np.array([1.0, True], dtype=object), errors.DTypeError, 1),
    "numpy boolean among objects": (np.array([1.0, np.True_], dtype=object), errors.DTypeError, 1),
    "complex": ([1j, 2.0], errors.DTypeError, None),
    "complex among objects": (np.array([1.0, 2j], dtype=object), errors.DTypeError, 1),
    "dates": (np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]"), errors.DTypeError, None),
    "durations": (np.array([1, 2], dtype="timedelta64[s]"), errors.DTypeError, None),
    "python dates": ([datetime.date(2026, 1, 1)] * 2, errors.DTypeError, 0),
    "date among objects": (np.array([1.0, np.datetime64(3, "D")], dtype=object), errors.DTypeError, 1),
    "duration among objects": (np.array([np.timedelta64(3, "s"), 1.0], dtype=object), errors.DTypeError, 0),
    "objects": ([object(), object()], errors.DTypeError, 0),
    "mapping": ({0: 1.0, 1: 2.0}, errors.DTypeError, 0),
    "set": ({1.0, 2.0}, errors.DTypeError, 0),
    "records": (np.zeros(2, dtype=[("a", float)]), errors.DTypeError, None),
    "void": (np.zeros(2, dtype="V8"), errors.DTypeError, None),
    "long double": (np.ones(2, dtype=np.longdouble), errors.DTypeError, None),
    "signalling NaN": ([1.0, Decimal("sNaN")], errors.DTypeError, 1),
    "whole number beyond float64": ([1.0, 10**400], errors.DTypeError, 1),
    "masked text": (np.ma.array(["a", "b"]), errors.DTypeError, None),
    "masked booleans": (np.ma.array([True, False]), errors.DTypeError, None),
    "masked complex": (np.ma.array([1j, 2j]), errors.DTypeError, None),
    "masked dates": (np.ma.array(np.array([1, 2], dtype="datetime64[D]")), errors.DTypeError, None),
    "masked objects": (np.ma.array(np.array([1.0, "x"], dtype=object)), errors.DTypeError, 1),
    "two dimensions": ([[1.0, 2.0]], errors.ShapeError, None),
    "two dimensions of objects": (np.array([[1.0, Decimal(2)]], dtype=object), errors.ShapeError, None),
    "masked two dimensions": (np.ma.array([[1.0, 2.0]]), errors.ShapeError, None),
    "no dimension": (np.array(1.0), errors.ShapeError, None),
    "ragged": ([[1.0], [1.0, 2.0]], errors.ShapeError, None),
}


@pytest.mark.parametrize("kind", BAD_COLUMNS)
@pytest.mark.parametrize("name", FLOAT_COLUMNS)
def test_a_column_of_the_wrong_type_or_shape(name: str, kind: str) -> None:
    values, error, row = BAD_COLUMNS[kind]
    Refused(error, name, row).check(lambda: lc.PositionBook(**(GOOD | {name: values})))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0], np.empty(0), range(9)], ids=repr)
@pytest.mark.parametrize("name", FLOAT_COLUMNS)
def test_a_column_of_the_wrong_length(name: str, values: Any) -> None:
    # The length of the book is that of quantity, so that a wrong quantity shows in the column after it.
    argument = "entry_price" if name == "quantity" else name
    Refused(errors.ShapeError, argument).check(lambda: lc.PositionBook(**(GOOD | {name: values})))


def test_a_book_has_no_number_for_every_quantity() -> None:
    Refused(errors.ShapeError, "quantity").check(lambda: lc.PositionBook(**(GOOD | {"quantity": 1.0})))


INVALID = {
    "quantity": lc.Status.INVALID_QUANTITY,
    "entry_price": lc.Status.INVALID_ENTRY_PRICE,
    "isolated_margin": lc.Status.INVALID_MARGIN,
    "leverage": lc.Status.INVALID_LEVERAGE,
    "accrued_funding": lc.Status.INVALID_FUNDING,
    "risk_limit": lc.Status.INVALID_RISK_LIMIT,
}
MISSING = INVALID | {
    "isolated_margin": lc.Status.OK,
    "leverage": lc.Status.MISSING_LEVERAGE,
    "risk_limit": lc.Status.MISSING_RISK_LIMIT,
}
SIGNED = ("quantity", "accrued_funding")

# Second row of a column whose first one is good.
BAD_NUMBERS: dict[str, Any] = {
    "nan": NAN,
    "infinity": INFINITE,
    "negative infinity": -INFINITE,
    "none": None,
    "zero": 0.0,
    "negative zero": -0.0,
    "negative": -1.0,
    "decimal infinity": Decimal("Infinity"),
    "decimal nan": Decimal("NaN"),
    "decimal beyond float64": Decimal("1e400"),
}


def status_of(name: str, value: Any) -> lc.Status | None:
    """Status that a number in a column must end in; None where it is a good one."""
    number = NAN if value is None else float(value)
    if math.isnan(number):
        return MISSING[name]
    if math.isinf(number):
        return INVALID[name]
    if name == "quantity":
        return lc.Status.FLAT if number == 0.0 else None
    return None if name in SIGNED else INVALID[name]


def holds_no_number(risk: lc.BookRisk, row: int) -> bool:
    return all(math.isnan(risk[name][row]) for name in MEASURE_NAMES) and bool(
        risk.state[row] == lc.State.INCOMPLETE
    )


@pytest.mark.parametrize("kind", BAD_NUMBERS)
@pytest.mark.parametrize("name", FLOAT_COLUMNS)
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_bad_number_gets_its_status(mode: str, name: str, kind: str) -> None:
    value = BAD_NUMBERS[kind]
    columns = GOOD | {"instrument": ["A", "LIMIT"], "margin_mode": mode, name: [GOOD[name][0], value]}
    if mode == "cross":
        columns |= {"wallet_balance": 500.0}
    if name == "isolated_margin" and mode == "cross":
        # Cross positions have no margin of their own; what stands there does not matter.
        expected: lc.Status | None = lc.Status.OK
    else:
        expected = status_of(name, value)
    risk = ENGINE.evaluate(lc.PositionBook(**columns), MARKS)
    found = lc.Status(risk.status[1])
    if expected is not None:
        assert found is expected
    else:
        assert found < FIRST_PARTIAL
    if found >= FIRST_FAILURE:
        assert holds_no_number(risk, 1)
        assert [(failure.row, failure.status, failure.column) for failure in risk.failures()][-1] == (
            1,
            found,
            name,
        )
        with pytest.raises(errors.InvalidRowsError) as caught:
            ENGINE.evaluate(lc.PositionBook(**columns), MARKS, on_bad_row="raise")
        assert caught.value.rows == ((0, 1) if mode == "cross" else (1,))
        assert caught.value.status[-1] == found
        # One bad leg, and nobody is told that the account is well.
        assert (risk.status[0] == lc.Status.ACCOUNT_INCOMPLETE) == (mode == "cross")
        assert (risk.accounts.status == lc.AccountStatus.INCOMPLETE).all()
        assert np.isnan(risk.accounts.buffers[0]).all()
        assert (risk.accounts.state == lc.State.INCOMPLETE).all()
    assert_same_risk(risk, lc.reference.evaluate(lc.PositionBook(**columns), POLICY, MARKS))


def test_masked_values_are_missing_and_not_what_lies_below_the_mask() -> None:
    columns = GOOD | {"entry_price": np.ma.array([100.0, 200.0], mask=[False, True])}
    risk = ENGINE.evaluate(lc.PositionBook(**columns), MARKS)
    assert risk.status.tolist() == [lc.Status.OK, lc.Status.INVALID_ENTRY_PRICE]
    assert holds_no_number(risk, 1)


EXTREMES = (5e-324, 2.2e-308, 1e-300, 1e-160, 1e160, 1e300, 1.7976931348623157e308)


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize("name", [*FLOAT_COLUMNS, "mark"])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_extreme_magnitudes_overflow_into_a_status_or_stay_true(mode: str, name: str, value: float) -> None:
    for sign in (1.0, -1.0) if name in SIGNED else (1.0,):
        columns = GOOD | {"instrument": ["A", "LIMIT"], "margin_mode": mode}
        marks = dict(MARKS)
        if name == "mark":
            marks |= {"A": value, "LIMIT": value}
        else:
            columns |= {name: [sign * value] * 2}
        if mode == "cross":
            columns |= {"wallet_balance": 500.0}
        book = lc.PositionBook(**columns)
        risk = ENGINE.evaluate(book, marks)
        assert_same_risk(risk, lc.reference.evaluate(book, POLICY, marks))
        for row in range(2):
            if risk.status[row] >= FIRST_FAILURE:
                assert holds_no_number(risk, row)
            else:
                assert math.isfinite(risk.notional[row])
                assert math.isfinite(risk.unrealized_pnl[row])
            if risk.state[row] < lc.State.LIQUIDATION:
                assert risk.equity[row] > 0.0


BAD_INSTRUMENTS: dict[str, tuple[dict[str, Any], Refused]] = {
    "nothing": ({"instrument": None}, Refused(errors.DTypeError, "instrument")),
    "a number": ({"instrument": 5}, Refused(errors.DTypeError, "instrument")),
    "one text": ({"instrument": "AB"}, Refused(errors.DTypeError, "instrument")),
    "a set": ({"instrument": {"A", "B"}}, Refused(errors.DTypeError, "instrument")),
    "a mapping": ({"instrument": {"A": 1, "B": 2}}, Refused(errors.DTypeError, "instrument")),
    "bytes": ({"instrument": [b"A", b"B"]}, Refused(errors.DTypeError, "instrument", 0)),
    "fractions": ({"instrument": ["A", 2.5]}, Refused(errors.DTypeError, "instrument", 1)),
    "booleans": ({"instrument": ["A", True]}, Refused(errors.DTypeError, "instrument", 1)),
    "lists": ({"instrument": ["A", ["B"]]}, Refused(errors.DTypeError, "instrument", 1)),
    "tuples": ({"instrument": [("A",), "B"]}, Refused(errors.DTypeError, "instrument", 0)),
    "dates": (
        {"instrument": np.array([1, 2], dtype="datetime64[D]")},
        Refused(errors.DTypeError, "instrument", 0),
    ),
    "two dimensions": ({"instrument": np.array([["A", "B"]])}, Refused(errors.ShapeError, "instrument")),
    "too short": ({"instrument": ["A"]}, Refused(errors.ShapeError, "instrument")),
    "too long": ({"instrument": ["A", "B", "A"]}, Refused(errors.ShapeError, "instrument")),
    "codes without names": ({"instrument": [0, 1]}, Refused(errors.DTypeError, "instrument")),
    "codes below": (
        {"instrument": [0, -1], "instrument_names": ["A"]},
        Refused(errors.InputError, "instrument", 1, 1),
    ),
    "codes above": (
        {"instrument": [7, 1], "instrument_names": ["A"]},
        Refused(errors.InputError, "instrument", 0, 2),
    ),
    "codes of fractions": (
        {"instrument": [0.0, 1.0], "instrument_names": ["A", "B"]},
        Refused(errors.DTypeError, "instrument"),
    ),
    "codes of booleans": (
        {"instrument": [True, False], "instrument_names": ["A", "B"]},
        Refused(errors.DTypeError, "instrument"),
    ),
    "codes beyond 64 bits": (
        {"instrument": [2**70, 0], "instrument_names": ["A", "B"]},
        Refused(errors.DTypeError, "instrument"),
    ),
    "masked codes": (
        {"instrument": np.ma.array([0, 1], mask=[False, True]), "instrument_names": ["A", "B"]},
        Refused(errors.InputError, "instrument", 1, 1),
    ),
    "ragged codes": (
        {"instrument": [[0], [0, 1]], "instrument_names": ["A", "B"]},
        Refused(errors.ShapeError, "instrument"),
    ),
    "codes in two dimensions": (
        {"instrument": [[0, 1]], "instrument_names": ["A", "B"]},
        Refused(errors.ShapeError, "instrument"),
    ),
    "names twice": (
        {"instrument": [0, 1], "instrument_names": ["A", "A"]},
        Refused(errors.InputError, "instrument_names"),
    ),
    "names that are numbers": (
        {"instrument": [0, 1], "instrument_names": ["A", 1]},
        Refused(errors.DTypeError, "instrument_names", 1),
    ),
    "names that are lists": (
        {"instrument": [0, 1], "instrument_names": [["A"], "B"]},
        Refused(errors.DTypeError, "instrument_names", 0),
    ),
    "names in one text": (
        {"instrument": [0, 1], "instrument_names": "AB"},
        Refused(errors.DTypeError, "instrument_names"),
    ),
    "a number of names": (
        {"instrument": [0, 1], "instrument_names": 2},
        Refused(errors.DTypeError, "instrument_names"),
    ),
}


@pytest.mark.parametrize("kind", BAD_INSTRUMENTS)
def test_bad_instruments(kind: str) -> None:
    columns, refused = BAD_INSTRUMENTS[kind]
    refused.check(lambda: lc.PositionBook(**(GOOD | columns)))


@pytest.mark.parametrize(
    "instrument",
    [["A", "C"], ["A", "b"], ["A", ""], ["A", None], ["A", NAN], np.ma.array(["A", "B"], mask=[False, True])],
    ids=repr,
)
def test_an_instrument_that_nobody_knows_fails_its_row(instrument: Any) -> None:
    risk = ENGINE.evaluate(
        lc.PositionBook(**(GOOD | {"instrument": instrument})), MARKS | {"C": 1.0, "b": 1.0}
    )
    assert risk.status.tolist() == [lc.Status.OK, lc.Status.UNKNOWN_INSTRUMENT]
    assert holds_no_number(risk, 1)


CROSS = {"margin_mode": "cross"}
BAD_ACCOUNTS: dict[str, tuple[dict[str, Any], Refused]] = {
    "none": ({}, Refused(errors.InputError, "account", 0, 2)),
    "some missing": (
        {"account": ["a", None], "wallet_balance": {"a": 1.0}},
        Refused(errors.InputError, "account", 1, 1),
    ),
    "masked": (
        {"account": np.ma.array([1, 2], mask=[True, False]), "wallet_balance": {1: 1.0}},
        Refused(errors.InputError, "account", 0, 1),
    ),
    "a number": ({"account": 5, "wallet_balance": {5: 1.0}}, Refused(errors.DTypeError, "account")),
    "one text": ({"account": "ab", "wallet_balance": {"a": 1.0}}, Refused(errors.DTypeError, "account")),
    "a set": ({"account": {1, 2}, "wallet_balance": {1: 1.0}}, Refused(errors.DTypeError, "account")),
    "too short": ({"account": ["a"], "wallet_balance": {"a": 1.0}}, Refused(errors.ShapeError, "account")),
    "fractions": (
        {"account": [1.5, 2.5], "wallet_balance": {1: 1.0}},
        Refused(errors.DTypeError, "account", 0),
    ),
    "booleans": (
        {"account": [3, True], "wallet_balance": {3: 1.0}},
        Refused(errors.DTypeError, "account", 1),
    ),
    "lists": ({"account": [[1], [2]], "wallet_balance": {1: 1.0}}, Refused(errors.DTypeError, "account", 0)),
    "two dimensions": (
        {"account": np.array([[1], [2]]), "wallet_balance": {1: 1.0}},
        Refused(errors.ShapeError, "account"),
    ),
    "ids twice": (
        {"account": [1, 2], "accounts": [1, 2, 1], "wallet_balance": [1.0, 2.0, 3.0]},
        Refused(errors.InputError, "accounts", 2),
    ),
    "ids without balances": (
        {"account": [1, 2], "accounts": [1, 2]},
        Refused(errors.InputError, "wallet_balance"),
    ),
    "one id": (
        {"account": [1, 1], "accounts": 1, "wallet_balance": [1.0]},
        Refused(errors.DTypeError, "accounts"),
    ),
    "ids in one text": (
        {"account": ["a", "b"], "accounts": "ab", "wallet_balance": [1.0, 1.0]},
        Refused(errors.DTypeError, "accounts"),
    ),
    "ids in two dimensions": (
        {"account": [1, 1], "accounts": np.array([[1]]), "wallet_balance": [1.0]},
        Refused(errors.ShapeError, "accounts"),
    ),
    "ids that are fractions": (
        {"account": [1, 1], "wallet_balance": {1.5: 1.0}},
        Refused(errors.DTypeError, "accounts", 0),
    ),
    "ids beside a mapping": (
        {"account": [1, 1], "accounts": [1], "wallet_balance": {1: 1.0}},
        Refused(errors.InputError, "accounts"),
    ),
    "balances without ids": (
        {"account": [1, 1], "wallet_balance": [1.0]},
        Refused(errors.InputError, "accounts"),
    ),
    "one balance for many": (
        {"account": [1, 2], "wallet_balance": 5.0},
        Refused(errors.InputError, "wallet_balance"),
    ),
    "too few balances": (
        {"account": [1, 2], "accounts": [1, 2], "wallet_balance": [1.0]},
        Refused(errors.ShapeError, "wallet_balance"),
    ),
    "balance of text": (
        {"account": [1, 1], "wallet_balance": {1: "5"}},
        Refused(errors.DTypeError, "wallet_balance"),
    ),
    "balance of booleans": (
        {"account": [1, 1], "wallet_balance": {1: True}},
        Refused(errors.DTypeError, "wallet_balance"),
    ),
    "balance beyond float64": (
        {"account": [1, 1], "wallet_balance": {1: 10**400}},
        Refused(errors.DTypeError, "wallet_balance", 0),
    ),
    "complex balance": (
        {"account": [1, 1], "wallet_balance": {1: 1j}},
        Refused(errors.DTypeError, "wallet_balance"),
    ),
    "balances in two dimensions": (
        {"account": [1, 1], "accounts": [1], "wallet_balance": [[5.0]]},
        Refused(errors.ShapeError, "wallet_balance"),
    ),
    "mode of another case": ({"margin_mode": "Cross"}, Refused(errors.InputError, "margin_mode")),
    "empty mode": ({"margin_mode": ""}, Refused(errors.InputError, "margin_mode")),
    "no mode": ({"margin_mode": None}, Refused(errors.ShapeError, "margin_mode")),
    "mode misspelt in a row": (
        {"margin_mode": ["isolated", "corss"]},
        Refused(errors.InputError, "margin_mode", 1, 1),
    ),
    "mode missing in a row": (
        {"margin_mode": ["isolated", None]},
        Refused(errors.InputError, "margin_mode", 1, 1),
    ),
    "modes as booleans": ({"margin_mode": [True, False]}, Refused(errors.InputError, "margin_mode", 0, 2)),
    "modes as numbers": ({"margin_mode": [0, 1]}, Refused(errors.InputError, "margin_mode", 0, 2)),
    "modes as bytes": (
        {"margin_mode": [b"cross", b"cross"]},
        Refused(errors.InputError, "margin_mode", 0, 2),
    ),
    "too few modes": ({"margin_mode": ["isolated"]}, Refused(errors.ShapeError, "margin_mode")),
    "modes in two dimensions": (
        {"margin_mode": [["isolated", "cross"]]},
        Refused(errors.ShapeError, "margin_mode"),
    ),
    "ragged modes": ({"margin_mode": [["isolated"], ["a", "b"]]}, Refused(errors.ShapeError, "margin_mode")),
    "masked modes": (
        {"margin_mode": np.ma.array(["isolated", "isolated"], mask=[False, True])},
        Refused(errors.InputError, "margin_mode", 1, 1),
    ),
}


@pytest.mark.parametrize("kind", BAD_ACCOUNTS)
def test_bad_accounts_wallets_and_modes(kind: str) -> None:
    columns, refused = BAD_ACCOUNTS[kind]
    refused.check(lambda: lc.PositionBook(**(GOOD | CROSS | columns)))


@pytest.mark.parametrize(
    "balance", [None, NAN, INFINITE, -INFINITE, Decimal("NaN"), Decimal("1e400")], ids=repr
)
def test_a_wallet_that_is_no_number_makes_its_account_incomplete(balance: Any) -> None:
    columns = GOOD | CROSS | {"account": ["a", "b"], "wallet_balance": {"a": balance, "b": 500.0}}
    risk = ENGINE.evaluate(lc.PositionBook(**columns), MARKS)
    missing = balance is None or math.isnan(balance)
    expected = lc.AccountStatus.MISSING_WALLET_BALANCE if missing else lc.AccountStatus.INVALID_WALLET_BALANCE
    assert risk.accounts.status.tolist() == [expected, lc.AccountStatus.OK]
    assert risk.status.tolist() == [lc.Status.ACCOUNT_INCOMPLETE, lc.Status.OK]
    assert np.isnan(risk.accounts.buffers[0][:, 0]).all()
    assert risk.accounts.state[0] == risk.state[0] == lc.State.INCOMPLETE
    for name in ("equity", "margin_ratio", "effective_leverage", "liquidation_price", "bankruptcy_price"):
        assert math.isnan(risk[name][0]), name


BAD_MARKS: dict[str, tuple[Any, Refused]] = {
    "nothing": (None, Refused(errors.ShapeError, "marks")),
    "one number": (5.0, Refused(errors.ShapeError, "marks")),
    "one whole number": (5, Refused(errors.ShapeError, "marks")),
    "text": ("AB", Refused(errors.DTypeError, "marks")),
    "texts": (["1", "2"], Refused(errors.DTypeError, "marks")),
    "pairs": ([("A", 1.0), ("B", 2.0)], Refused(errors.DTypeError, "marks")),
    "a set": ({1.0, 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "an object": (object(), Refused(errors.DTypeError, "marks", 0)),
    "booleans": ([True, False], Refused(errors.DTypeError, "marks")),
    "too few": ([1.0], Refused(errors.ShapeError, "marks")),
    "too many": ([1.0, 2.0, 3.0], Refused(errors.ShapeError, "marks")),
    "two dimensions": ([[1.0, 2.0]], Refused(errors.ShapeError, "marks")),
    "text by name": ({"A": 1.0, "B": "2"}, Refused(errors.DTypeError, "marks", 1)),
    "boolean by name": ({"A": True, "B": 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "numpy boolean by name": ({"A": np.True_, "B": 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "complex by name": ({"A": 1j, "B": 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "numpy complex by name": ({"A": np.complex128(1), "B": 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "date by name": ({"A": 1.0, "B": np.datetime64(1, "D")}, Refused(errors.DTypeError, "marks", 1)),
    "list by name": ({"A": [1.0], "B": 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "array by name": ({"A": np.array([1.0]), "B": 2.0}, Refused(errors.DTypeError, "marks", 0)),
    "beyond float64 by name": ({"A": 1.0, "B": 10**400}, Refused(errors.DTypeError, "marks", 1)),
    "signalling NaN by name": ({"A": Decimal("sNaN"), "B": 1.0}, Refused(errors.DTypeError, "marks", 0)),
}


@pytest.mark.parametrize("kind", BAD_MARKS)
def test_bad_marks(kind: str) -> None:
    marks, refused = BAD_MARKS[kind]
    refused.check(lambda: ENGINE.evaluate(BOOK, marks))
    refused.check(lambda: lc.reference.evaluate(BOOK, POLICY, marks))


@pytest.mark.parametrize(
    ("mark", "status"),
    [
        (None, lc.Status.MISSING_MARK_PRICE),
        (NAN, lc.Status.MISSING_MARK_PRICE),
        (0.0, lc.Status.INVALID_MARK_PRICE),
        (-0.0, lc.Status.INVALID_MARK_PRICE),
        (-100.0, lc.Status.INVALID_MARK_PRICE),
        (INFINITE, lc.Status.INVALID_MARK_PRICE),
        (-INFINITE, lc.Status.INVALID_MARK_PRICE),
        (Decimal("1e400"), lc.Status.INVALID_MARK_PRICE),
    ],
)
def test_a_mark_that_is_no_price_fails_its_rows(mark: Any, status: lc.Status) -> None:
    for marks in ({"A": 100.0, "B": mark}, [100.0, mark]):
        risk = ENGINE.evaluate(BOOK, marks)
        assert risk.status.tolist() == [lc.Status.OK, status]
        assert holds_no_number(risk, 1)
        assert risk.failures()[0].column == "mark_price"
    absent = ENGINE.evaluate(BOOK, {"A": 100.0})
    assert absent.status.tolist() == [lc.Status.OK, lc.Status.MISSING_MARK_PRICE]


def other_out(**columns: Any) -> lc.BookRisk:
    return ENGINE.evaluate(lc.PositionBook(**(GOOD | columns)), MARKS)


ONE_ROW = {name: values[:1] for name, values in GOOD.items()}
BAD_CALLS: dict[str, tuple[Callable[[], object], Refused]] = {
    "policy by name": (lambda: lc.Engine("generic"), Refused(errors.DTypeError, "policy")),  # type: ignore[arg-type]
    "no policy": (lambda: lc.Engine(None), Refused(errors.DTypeError, "policy")),  # type: ignore[arg-type]
    "reference, policy by name": (
        lambda: lc.reference.evaluate(BOOK, "generic", MARKS),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "policy"),
    ),
    "no book": (lambda: ENGINE.evaluate(None, MARKS), Refused(errors.DTypeError, "book")),  # type: ignore[arg-type]
    "columns as book": (lambda: ENGINE.evaluate(GOOD, MARKS), Refused(errors.DTypeError, "book")),  # type: ignore[arg-type]
    "reference, no book": (
        lambda: lc.reference.evaluate(None, POLICY, MARKS),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "book"),
    ),
    "set of another case": (
        lambda: lc.Engine(POLICY, instruction_set="AVX2"),
        Refused(errors.InputError, "instruction_set"),
    ),
    "set that no processor has": (
        lambda: lc.Engine(POLICY, instruction_set="avx1024"),
        Refused(errors.InputError, "instruction_set"),
    ),
    "empty set": (
        lambda: lc.Engine(POLICY, instruction_set=""),
        Refused(errors.InputError, "instruction_set"),
    ),
    "measures in one text": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures="equity"),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "measures"),
    ),
    "a number of measures": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=5),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "measures"),
    ),
    "unknown measure": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=("equity", "margin")),
        Refused(errors.InputError, "measures"),
    ),
    "measures by place": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=(1, 2)),  # type: ignore[arg-type]
        Refused(errors.InputError, "measures"),
    ),
    "nested measures": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=[["equity"]]),  # type: ignore[arg-type]
        Refused(errors.InputError, "measures"),
    ),
    "no measures": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=()),
        Refused(errors.InputError, "measures"),
    ),
    "measure not computed": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=("equity",)).notional,
        Refused(errors.InputError, "notional"),
    ),
    "unknown choice": (
        lambda: ENGINE.evaluate(BOOK, MARKS, on_bad_row="ignore"),  # type: ignore[arg-type]
        Refused(errors.InputError, "on_bad_row"),
    ),
    "no choice": (
        lambda: ENGINE.evaluate(BOOK, MARKS, on_bad_row=None),  # type: ignore[arg-type]
        Refused(errors.InputError, "on_bad_row"),
    ),
    "array as out": (
        lambda: ENGINE.evaluate(BOOK, MARKS, out=np.empty((11, 2))),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "out"),
    ),
    "out of fewer rows": (
        lambda: ENGINE.evaluate(BOOK, MARKS, out=ENGINE.evaluate(lc.PositionBook(**ONE_ROW), MARKS)),
        Refused(errors.ShapeError, "out"),
    ),
    "out of other accounts": (
        lambda: ENGINE.evaluate(BOOK, MARKS, out=other_out(margin_mode="cross", wallet_balance=5.0)),
        Refused(errors.ShapeError, "out"),
    ),
    "out of other measures": (
        lambda: ENGINE.evaluate(
            BOOK, MARKS, measures=("equity",), out=ENGINE.evaluate(BOOK, MARKS, measures=("notional",))
        ),
        Refused(errors.InputError, "out"),
    ),
    "row below": (lambda: ENGINE.explain(BOOK, MARKS, row=-1), Refused(errors.InputError, "row")),
    "row above": (lambda: ENGINE.explain(BOOK, MARKS, row=2), Refused(errors.InputError, "row")),
    "bad rows as an exception": (
        lambda: ENGINE.evaluate(
            lc.PositionBook(**(GOOD | {"quantity": [1.0, NAN]})), MARKS, on_bad_row="raise"
        ),
        Refused(errors.InvalidRowsError, "book", 1, 1),
    ),
    "policy that nobody has": (
        lambda: lc.policy("nobody"),
        Refused(errors.UnknownPolicyError, "policy"),
    ),
    "policy of no such date": (
        lambda: lc.policy("binance-usdm@1999-01-01"),
        Refused(errors.UnknownPolicyError, "policy"),
    ),
    "instrument that nobody has": (
        lambda: POLICY.instruments["Z"],
        Refused(errors.UnknownInstrumentError, "instrument"),
    ),
}
for name, threads, error in (
    ("zero", 0, errors.InputError),
    ("negative", -1, errors.InputError),
    ("too many", 257, errors.InputError),
    ("far too many", 10**30, errors.InputError),
    ("a fraction of", 2.0, errors.DTypeError),
    ("text for", "2", errors.DTypeError),
    ("a boolean for", True, errors.DTypeError),
):
    BAD_CALLS[f"{name} threads of an engine"] = (
        lambda threads=threads: lc.Engine(POLICY, threads=threads),  # type: ignore[misc]
        Refused(error, "threads"),
    )
    BAD_CALLS[f"{name} threads of a call"] = (
        lambda threads=threads: ENGINE.evaluate(BOOK, MARKS, threads=threads),  # type: ignore[misc]
        Refused(error, "threads"),
    )


@pytest.mark.parametrize("kind", BAD_CALLS)
def test_bad_calls(kind: str) -> None:
    call, refused = BAD_CALLS[kind]
    refused.check(call)


BAD_RULES: dict[str, dict[str, Any]] = {
    "level of zero": {"liquidation_level": 0.0},
    "negative level": {"liquidation_level": -1.0},
    "level that is no number": {"liquidation_level": NAN},
    "infinite level": {"liquidation_level": INFINITE},
    "warning above liquidation": {"warning_level": 2.0},
    "call below warning": {"warning_level": 0.9, "margin_call_level": 0.8},
    "fee without a basis": {"closing_fee_rate": 0.1},
    "fee of everything": {"closing_fee_basis": "price", "closing_fee_rate": 1.0},
    "negative fee": {"closing_fee_basis": "price", "closing_fee_rate": -0.1},
    "fee that is no number": {"closing_fee_basis": "price", "closing_fee_rate": NAN},
    "fee in text": {"closing_fee_basis": "price", "closing_fee_rate": "0.1"},
    "unknown basis": {"requirement_basis_isolated": "index"},
    "no basis": {"requirement_basis_cross": None},
    "flag as a number": {"closing_fee_in_initial_margin": 1},
    "unknown rounding": {"price_rounding_long": "sideways"},
    "unknown unit": {"table_units": ("stones",)},
}


@pytest.mark.parametrize("kind", BAD_RULES)
def test_bad_rules_of_a_policy(kind: str) -> None:
    rules = BAD_RULES[kind]
    with pytest.raises(errors.PolicyError) as caught:
        POLICY.replace(**rules)
    # A level is compared with the next one, so either may be the one named.
    assert any(rule in caught.value.argument or rule.endswith("_level") for rule in rules)
    assert caught.value.expected
    assert caught.value.found


def test_a_rule_that_does_not_exist() -> None:
    with pytest.raises(errors.PolicyError, match="is no rule of a policy"):
        POLICY.replace(maintenance_margin=0.1)


@pytest.mark.parametrize(
    "rules",
    [
        {"liquidation_level": 0.02},
        {"liquidation_level": 0.01},
        {"closing_fee_basis": "price", "closing_fee_rate": 0.99},
    ],
    ids=repr,
)
def test_rates_that_no_price_restores(rules: dict[str, Any]) -> None:
    policy = POLICY.replace(**rules)
    refused = Refused(errors.PolicyError, "rate")
    refused.check(lambda: lc.Engine(policy))
    refused.check(lambda: lc.reference.evaluate(BOOK, policy, MARKS))


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_rule_that_nobody_states_refuses_the_positions_that_need_it(mode: str) -> None:
    rule = f"requirement_basis_{mode}"
    engine = lc.Engine(POLICY.replace(**{rule: "unknown"}))
    for each in ("isolated", "cross"):
        book = lc.PositionBook(**(GOOD | {"margin_mode": each, "wallet_balance": 500.0}))
        if each == mode:
            with pytest.raises(errors.UnknownRuleError, match=rule):
                engine.evaluate(book, MARKS)
        else:
            assert engine.evaluate(book, MARKS).ok.all()


BAD_TABLES: dict[str, Callable[[], object]] = {
    "no tier": lambda: lc.TierTable.marginal([], unit="quote"),
    "a floor above zero": lambda: lc.TierTable.marginal([(1, "0.01")], unit="quote"),
    "floors that fall": lambda: lc.TierTable.marginal([(0, "0.01"), (9, "0.02"), (5, "0.03")], unit="quote"),
    "rates that fall": lambda: lc.TierTable.marginal([(0, "0.02"), (9, "0.01")], unit="quote"),
    "a rate of zero": lambda: lc.TierTable.single_rate(0),
    "a rate of one": lambda: lc.TierTable.single_rate(1),
    "a negative rate": lambda: lc.TierTable.single_rate("-0.1"),
    "a rate that is no number": lambda: lc.TierTable.single_rate(NAN),
    "a jump": lambda: lc.TierTable.marginal([(0, "0.01", 0), (100, "0.02", 5)], unit="quote"),
    "a cap below the last floor": lambda: lc.TierTable.marginal(
        [(0, "0.01"), (9, "0.02")], unit="quote", cap=5
    ),
    "a flat rate by value": lambda: lc.TierTable.flat([(0, "0.01")], unit="quote"),
    "a marginal rate by contracts": lambda: lc.TierTable.marginal([(0, "0.01")], unit="contracts"),
    "a table in another currency": lambda: lc.Engine(
        POLICY.with_instruments([lc.Instrument("I", "inverse", TIERS)])
    ),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_bad_tier_tables(kind: str) -> None:
    with pytest.raises(errors.TierError) as caught:
        BAD_TABLES[kind]()
    assert caught.value.rule


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("instrument", {"name": ""}),
        ("payoff", {"payoff": "option"}),
        ("contract_size", {"contract_size": 0.0}),
        ("contract_size", {"contract_size": NAN}),
        ("contract_size", {"contract_size": INFINITE}),
        ("multiplier", {"payoff": "quanto", "multiplier": -1.0}),
        ("multiplier", {"multiplier": 2.0}),
        ("tick_size", {"tick_size": 0.0}),
    ],
)
def test_bad_instrument_terms(argument: str, values: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"name": "X", "payoff": "linear", "tiers": TIERS} | values
    Refused(errors.InputError, argument).check(lambda: lc.Instrument(**terms))


LARGE = 40_000
"""Rows from which on the number of threads is asked of the environment."""


@pytest.mark.parametrize("text", ["0", "-1", "257", "two", "2.0", "", " ", "1e1", "9" * 40, "²"])
def test_bad_number_of_threads_in_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVCORE_NUM_THREADS", text)
    ones = np.ones(LARGE)
    book = lc.PositionBook(
        np.zeros(LARGE, dtype=np.uint32), ones, ones, leverage=ones, instrument_names=["A"]
    )
    Refused(errors.InputError, "LEVCORE_NUM_THREADS").check(lambda: ENGINE.evaluate(book, [1.0]))
    # A caller who says how many does not meet it.
    assert ENGINE.evaluate(book, [1.0], threads=2).ok.all()


@pytest.mark.parametrize("text", ["AVX2", "avx1024", "", "none", "baseline,avx2", "²"])
def test_bad_instruction_set_in_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVCORE_INSTRUCTION_SET", text)
    Refused(errors.InputError, "instruction_set").check(lambda: lc.Engine(POLICY))
    assert lc.Engine(POLICY, instruction_set="baseline").evaluate(BOOK, MARKS).ok.all()


@pytest.mark.parametrize("text", ["1", " 2 ", "256"])
def test_good_number_of_threads_in_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ENGINE.evaluate(BOOK, MARKS)
    monkeypatch.setenv("LEVCORE_NUM_THREADS", text)
    monkeypatch.setenv("LEVCORE_INSTRUCTION_SET", "baseline")
    assert_same_risk(lc.Engine(POLICY).evaluate(BOOK, MARKS), expected)
