"""Bad numbers and columns: each raises its own error with column and first bad row, or gets its status.

None panics, none escapes as another library's exception, none comes back as a healthy number. The other
columns of a book and its marks are in ``test_bad_books.py``, calls, policies and the environment in
``test_bad_calls.py``.
"""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL
from support.comparison import assert_same_risk
from support.refusals import ENGINE, GOOD, INFINITE, MARKS, NAN, POLICY, Refused, holds_no_number

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
    if name == "isolated_margin":
        return None
    if name == "quantity":
        return lc.Status.FLAT if number == 0.0 else None
    return None if name in SIGNED else INVALID[name]


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
