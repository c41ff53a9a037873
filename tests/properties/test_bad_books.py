"""Bad instruments, accounts, wallets, margin modes and marks; see ``test_bad_inputs.py``."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from support.refusals import BOOK, ENGINE, GOOD, INFINITE, MARKS, NAN, POLICY, Refused, holds_no_number

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
