"""Bad accounts in hedge mode and in several assets: each has its error or its status; none looks healthy."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES, MEASURE_NAMES
from support.comparison import assert_same_risk
from support.refusals import INFINITE, NAN, TIERS, Refused, holds_no_number

POLICY = lc.policy("generic").with_instruments(
    [
        lc.Instrument("A", "linear", TIERS, settlement="USDT", underlying="A"),
        lc.Instrument("B", "linear", TIERS, settlement="USDC", underlying="B"),
        lc.Instrument("C", "linear", TIERS, settlement="DAI", underlying="C"),
    ]
)
MULTI = POLICY.replace(liabilities_count_as="negative_equity").with_assets(
    [lc.Asset("USDT"), lc.Asset("USDC"), lc.Asset("BTC", (0.9,))]
)
ENGINE, MULTI_ENGINE = lc.Engine(POLICY), lc.Engine(MULTI)
MARKS = {"A": 100.0, "B": 100.0, "C": 100.0}
PRICES = {"USDT": 1.0, "USDC": 1.0, "BTC": 100.0}
LEGS: dict[str, Any] = {
    "instrument": ["A", "A"],
    "quantity": [2.0, -1.0],
    "entry_price": [100.0, 100.0],
    "account": ["a", "a"],
    "margin_mode": "cross",
    "leverage": [10.0, 10.0],
    "position_mode": "hedge",
}
HELD: dict[str, Any] = {"account": ["a", "a"], "asset": ["USDT", "BTC"], "balance": [100.0, 1.0]}
OK, BY_OTHERS = lc.Status.OK, lc.Status.ACCOUNT_INCOMPLETE


def in_wallet(columns: dict[str, Any] | None = None, wallet: float = 100.0) -> lc.PositionBook:
    return lc.PositionBook(**(LEGS | {"wallet_balance": {"a": wallet}} | (columns or {})))


def in_assets(
    columns: dict[str, Any] | None = None, balances: dict[str, Any] | None = None
) -> lc.PositionBook:
    return lc.PositionBook(**(LEGS | (columns or {})), balances=lc.Balances(**(HELD | (balances or {}))))


def judged(
    book: lc.PositionBook, marks: Mapping[str, Any] = MARKS, prices: Mapping[str, Any] | None = PRICES
) -> lc.BookRisk:
    """Kernel, held to the reference."""
    engine = ENGINE if book.balances is None else MULTI_ENGINE
    asset_prices = None if book.balances is None else prices
    risk = engine.evaluate(book, marks, asset_prices=asset_prices, measures=MEASURE_NAMES)
    expected = lc.reference.evaluate(
        book, engine.policy, marks, asset_prices=asset_prices, measures=MEASURE_NAMES
    )
    assert_same_risk(risk, expected)
    return risk


def assert_incomplete(
    risk: lc.BookRisk, rows: list[lc.Status], balances: list[lc.Status] | None = None
) -> None:
    """Statuses of all, and no verdict on the account nor on anything in it."""
    assert risk.status.tolist() == rows
    assert risk.accounts.status.tolist() == [lc.AccountStatus.INCOMPLETE]
    assert_no_verdict(risk)
    assert risk.balances.status.tolist() == (balances or [])
    for name in BALANCE_MEASURES:
        assert np.isnan(getattr(risk.balances, name)).all(), name
    failed = [row for row, status in enumerate(rows) if status >= lc.Status.INVALID_QUANTITY]
    assert all(holds_no_number(risk, row) for row in failed)


def assert_no_verdict(risk: lc.BookRisk) -> None:
    assert risk.accounts.state.tolist() == [lc.State.INCOMPLETE]
    assert (risk.state == lc.State.INCOMPLETE).all()
    assert not risk.accounts.may_add_risk.any()
    for name in ACCOUNT_MEASURES:
        assert np.isnan(getattr(risk.accounts, name)).all(), name
    for name in MEASURE_NAMES[5:]:
        assert np.isnan(risk[name]).all(), name


def test_the_books_that_are_spoiled_are_good() -> None:
    for risk in (judged(in_wallet()), judged(in_assets())):
        assert risk.accounts.state.tolist() == [lc.State.HEALTHY]
        assert risk.ok.all()


@pytest.mark.parametrize(
    ("name", "status"),
    [("B", lc.Status.MISSING_MARK_PRICE), ("NOBODY-KNOWS", lc.Status.UNKNOWN_INSTRUMENT)],
)
def test_a_leg_without_a_mark_takes_its_account_along(name: str, status: lc.Status) -> None:
    marks = {"A": 100.0}
    assert_incomplete(
        judged(in_assets({"instrument": ["A", name]}), marks), [BY_OTHERS, status], [BY_OTHERS] * 2
    )


def test_a_leg_of_no_instrument_takes_a_hedged_pair_along() -> None:
    three = {"instrument": ["A", "A", "NOBODY-KNOWS"], "quantity": [1.0, -2.0, 1.0]}
    book = in_wallet(three | {"entry_price": [100.0] * 3, "account": ["a"] * 3, "leverage": None})
    assert_incomplete(judged(book), [BY_OTHERS, BY_OTHERS, lc.Status.UNKNOWN_INSTRUMENT])


@pytest.mark.parametrize("mark", [0.0, -1.0, INFINITE])
def test_a_hedged_pair_at_no_price_fails(mark: float) -> None:
    assert_incomplete(judged(in_wallet(), {"A": mark}), [lc.Status.INVALID_MARK_PRICE] * 2)


@pytest.mark.parametrize("wallet", [-1.0, -1e9, -0.0, 0.0])
def test_a_wallet_without_money_is_bankrupt(wallet: float) -> None:
    risk = judged(in_wallet({"quantity": [2.0, -2.0]}, wallet))
    assert risk.accounts.state.tolist() == [lc.State.BANKRUPT]
    assert risk.accounts.margin_ratio.tolist() == [INFINITE]
    assert risk.status.tolist() == [lc.Status.ALREADY_LIQUIDATABLE] * 2
    assert not risk.accounts.may_add_risk.any()


@pytest.mark.parametrize(
    ("wallet", "status"),
    [
        (NAN, lc.AccountStatus.MISSING_WALLET_BALANCE),
        (INFINITE, lc.AccountStatus.INVALID_WALLET_BALANCE),
        (-INFINITE, lc.AccountStatus.INVALID_WALLET_BALANCE),
    ],
)
def test_a_hedged_account_without_a_wallet_has_no_verdict(wallet: float, status: lc.AccountStatus) -> None:
    risk = judged(in_wallet(wallet=wallet))
    assert risk.accounts.status.tolist() == [status]
    assert risk.status.tolist() == [BY_OTHERS] * 2
    assert_no_verdict(risk)


def test_a_balance_below_zero_is_a_debt() -> None:
    risk = judged(in_assets(balances={"balance": [-500.0, 1.0]}))
    assert risk.accounts.state.tolist() == [lc.State.BANKRUPT]
    assert risk.accounts.liabilities.tolist() == [500.0]
    assert risk.balances.status.tolist() == [lc.Status.ALREADY_LIQUIDATABLE] * 2


DUPLICATES: dict[str, tuple[str, list[float], list[lc.Status]]] = {
    "two longs one way": ("one_way", [1.0, 2.0, 0.0], [lc.Status.DUPLICATE_LEG] * 2 + [BY_OTHERS]),
    "a long and a short one way": ("one_way", [1.0, -2.0, 0.0], [lc.Status.DUPLICATE_LEG] * 2 + [BY_OTHERS]),
    "two longs in hedge mode": ("hedge", [1.0, 2.0, 0.0], [lc.Status.DUPLICATE_LEG] * 2 + [BY_OTHERS]),
    "two longs and a short": ("hedge", [1.0, 2.0, -1.0], [lc.Status.DUPLICATE_LEG] * 2 + [BY_OTHERS]),
    "three shorts": ("hedge", [-1.0, -2.0, -1.0], [lc.Status.DUPLICATE_LEG] * 3),
    # A worse fault of its own is told first.
    "no quantity": ("hedge", [1.0, -2.0, NAN], [BY_OTHERS, BY_OTHERS, lc.Status.INVALID_QUANTITY]),
}


@pytest.mark.parametrize("kind", DUPLICATES)
def test_an_instrument_twice_fails_its_legs(kind: str) -> None:
    mode, quantity, statuses = DUPLICATES[kind]
    legs = {name: values * 3 for name, values in (("instrument", ["A"]), ("entry_price", [100.0]))}
    book = in_wallet(
        legs | {"account": ["a"] * 3, "leverage": [10.0] * 3, "quantity": quantity, "position_mode": mode}
    )
    risk = judged(book)
    assert_incomplete(risk, statuses)
    failure = next(each for each in risk.failures() if each.status != BY_OTHERS)
    assert failure.column in ("instrument", "quantity")


@pytest.mark.parametrize("column", ["balance", "liability", "interest"])
@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE, Decimal("1e400")])
def test_a_balance_that_is_no_number_takes_its_account_along(column: str, value: Any) -> None:
    book = in_assets(balances={column: [0.0, value]})
    assert_incomplete(judged(book), [BY_OTHERS] * 2, [BY_OTHERS, lc.Status.INVALID_BALANCE])
    failure = judged(book).balances.failures()[1]
    assert (failure.row, failure.status) == (1, lc.Status.INVALID_BALANCE)


@pytest.mark.parametrize("column", ["liability", "interest"])
def test_nobody_owes_less_than_nothing(column: str) -> None:
    book = in_assets(balances={column: [-1e-9, 0.0]})
    assert_incomplete(judged(book), [BY_OTHERS] * 2, [lc.Status.INVALID_BALANCE, BY_OTHERS])


def test_amounts_beyond_float64_leave_no_verdict() -> None:
    book = in_assets(balances={"balance": [1e308, 1e308]})
    assert_incomplete(judged(book), [BY_OTHERS] * 2, [BY_OTHERS] * 2)


def test_an_asset_that_the_policy_does_not_know_takes_its_account_along() -> None:
    book = in_assets(balances={"asset": ["USDT", "SHELLS"]})
    risk = judged(book, prices=PRICES | {"SHELLS": 1.0})
    assert_incomplete(risk, [BY_OTHERS] * 2, [BY_OTHERS, lc.Status.UNKNOWN_ASSET])


def test_a_leg_that_settles_in_no_asset_takes_its_account_along() -> None:
    risk = judged(in_assets({"instrument": ["A", "C"]}), prices=PRICES | {"DAI": 1.0})
    assert_incomplete(risk, [BY_OTHERS, lc.Status.UNKNOWN_SETTLEMENT], [BY_OTHERS] * 2)


BAD_PRICES: tuple[tuple[Any, lc.Status], ...] = (
    (None, lc.Status.MISSING_ASSET_PRICE),
    (NAN, lc.Status.MISSING_ASSET_PRICE),
    (0.0, lc.Status.INVALID_ASSET_PRICE),
    (-0.0, lc.Status.INVALID_ASSET_PRICE),
    (-1.0, lc.Status.INVALID_ASSET_PRICE),
    (INFINITE, lc.Status.INVALID_ASSET_PRICE),
    (-INFINITE, lc.Status.INVALID_ASSET_PRICE),
)


@pytest.mark.parametrize(("price", "status"), BAD_PRICES)
def test_an_asset_without_a_price_takes_its_account_along(price: Any, status: lc.Status) -> None:
    risk = judged(in_assets(), prices=PRICES | {"BTC": price})
    assert_incomplete(risk, [BY_OTHERS] * 2, [BY_OTHERS, status])


@pytest.mark.parametrize(("price", "status"), BAD_PRICES)
def test_a_leg_that_settles_in_what_has_no_price_fails(price: Any, status: lc.Status) -> None:
    # The account has no balance in it; the profit has no value all the same.
    risk = judged(in_assets({"instrument": ["A", "B"]}), prices=PRICES | {"USDC": price})
    assert_incomplete(risk, [BY_OTHERS, status], [BY_OTHERS] * 2)


def test_an_asset_that_nobody_holds_needs_no_price() -> None:
    assert judged(in_assets(), prices={"USDT": 1.0, "BTC": 100.0}).ok.all()


BAD_BALANCES: dict[str, tuple[dict[str, Any], Refused]] = {
    "one asset twice": ({"asset": ["USDT", "USDT"]}, Refused(errors.InputError, "balances.asset", 1, 1)),
    "no account": ({"account": ["a", None]}, Refused(errors.InputError, "balances.account", 1)),
    "too few accounts": ({"account": ["a"]}, Refused(errors.ShapeError, "balances.account")),
    "too many assets": ({"asset": ["USDT", "BTC", "ETH"]}, Refused(errors.ShapeError, "balances.asset")),
    "too few liabilities": ({"liability": [1.0]}, Refused(errors.ShapeError, "balances.liability")),
    "two policies too few": ({"policy": []}, Refused(errors.ShapeError, "balances.policy")),
    "text": ({"balance": ["1", "2"]}, Refused(errors.DTypeError, "balances.balance")),
    "flags": ({"interest": [True, False]}, Refused(errors.DTypeError, "balances.interest")),
    "one number": ({"balance": 5.0}, Refused(errors.ShapeError, "balances.balance")),
    "an asset that is a number": ({"asset": ["USDT", 5.5]}, Refused(errors.DTypeError, "balances.asset", 1)),
    "accounts in one text": ({"account": "ab"}, Refused(errors.DTypeError, "balances.account")),
}


@pytest.mark.parametrize("kind", BAD_BALANCES)
def test_bad_balances(kind: str) -> None:
    columns, refused = BAD_BALANCES[kind]
    refused.check(lambda: lc.Balances(**(HELD | columns)))


BAD_BOOKS: dict[str, tuple[dict[str, Any], Refused]] = {
    "another position mode": ({"position_mode": "both"}, Refused(errors.InputError, "position_mode")),
    "no position mode": ({"position_mode": None}, Refused(errors.InputError, "position_mode")),
    "a mode a row": ({"position_mode": ["hedge"] * 2}, Refused(errors.InputError, "position_mode")),
    "a mapping for balances": ({"balances": {"USDT": 1.0}}, Refused(errors.DTypeError, "balances")),
    "a wallet and balances": (
        {"balances": lc.Balances(**HELD), "wallet_balance": {"a": 100.0}},
        Refused(errors.InputError, "balances.account", 0, 2),
    ),
    "balances under policies, positions under none": (
        {"balances": lc.Balances(**HELD, policy=["x", "x"])},
        Refused(errors.InputError, "policy"),
    ),
    "balances under another policy than positions": (
        {"balances": lc.Balances(**HELD, policy=["x", "y"]), "policy": ["x", "x"]},
        Refused(errors.InputError, "balances.policy", 1, 1),
    ),
    "balances of one account under two policies": (
        {"balances": lc.Balances(["b", "b"], ["USDT", "BTC"], [1.0, 1.0], policy=["x", "y"]), "policy": "x"},
        Refused(errors.InputError, "balances.policy", 1, 1),
    ),
}


@pytest.mark.parametrize("kind", BAD_BOOKS)
def test_bad_books(kind: str) -> None:
    columns, refused = BAD_BOOKS[kind]
    refused.check(lambda: lc.PositionBook(**(LEGS | columns)))


UNKNOWN_HEDGE = lc.policy("okx-linear-swap").replace(closing_fee_rate=0.0005)
BAD_CALLS: dict[str, tuple[lc.MarginPolicy, lc.PositionBook, Any, type[errors.LevcoreError], str]] = {
    "balances in accounts of one wallet": (POLICY, in_assets(), PRICES, errors.InputError, "balances"),
    "balances, no rule for liabilities": (
        MULTI.replace(liabilities_count_as="unknown"),
        in_assets(),
        PRICES,
        errors.UnknownRuleError,
        "generic",
    ),
    "hedge mode, no rule for hedged legs": (
        UNKNOWN_HEDGE,
        in_wallet(),
        None,
        errors.UnknownRuleError,
        UNKNOWN_HEDGE.id,
    ),
    "balances without prices": (MULTI, in_assets(), None, errors.InputError, "asset_prices"),
    "prices without balances": (MULTI, in_wallet(), PRICES, errors.InputError, "asset_prices"),
    "prices in a list": (MULTI, in_assets(), [1.0, 1.0, 100.0], errors.DTypeError, "asset_prices"),
    "a price of text": (MULTI, in_assets(), PRICES | {"BTC": "100"}, errors.DTypeError, "asset_prices"),
    "a flag for a price": (MULTI, in_assets(), PRICES | {"BTC": True}, errors.DTypeError, "asset_prices"),
}


@pytest.mark.parametrize("kind", BAD_CALLS)
def test_bad_calls(kind: str) -> None:
    policy, book, prices, error, argument = BAD_CALLS[kind]
    refused = Refused(error, argument)
    refused.check(lambda: lc.Engine(policy).evaluate(book, MARKS, asset_prices=prices))
    refused.check(lambda: lc.reference.evaluate(book, policy, MARKS, asset_prices=prices))


def test_balances_under_a_policy_that_the_engine_lacks() -> None:
    book = lc.PositionBook(
        **(LEGS | {"policy": "x"}),
        balances=lc.Balances(["b"], ["USDT"], [1.0], policy=["y"]),
        wallet_balance={"a": 100.0},
    )
    with pytest.raises(errors.InputError) as caught:
        lc.Engine({"x": MULTI}).evaluate(book, MARKS, asset_prices=PRICES)
    assert caught.value.argument == "policy"
    assert "y" in str(caught.value)


def test_out_must_have_as_many_balances() -> None:
    out = judged(in_assets())
    fewer = {"account": ["a"], "asset": ["USDT"], "balance": [100.0]}
    for book in (in_assets(balances=fewer), in_wallet()):
        engine = MULTI_ENGINE if book.balances is not None else ENGINE
        prices = PRICES if book.balances is not None else None
        Refused(errors.ShapeError, "out").check(
            lambda book=book, engine=engine, prices=prices: engine.evaluate(  # type: ignore[misc]
                book, MARKS, asset_prices=prices, out=out
            )
        )


def test_bad_rows_raise_where_the_caller_wants_it() -> None:
    book = in_wallet({"quantity": [1.0, 2.0]})
    with pytest.raises(errors.InvalidRowsError) as caught:
        ENGINE.evaluate(book, MARKS, on_bad_row="raise")
    assert caught.value.rows == (0, 1)
    assert caught.value.status == (lc.Status.DUPLICATE_LEG,) * 2


def test_a_book_with_balances_survives_a_pickle() -> None:
    owed = {"liability": [5.0, 0.0], "interest": [0.1, 0.0]}
    book = in_assets({"accrued_funding": [0.1, -0.2]}, owed)
    again = pickle.loads(pickle.dumps(book))
    assert again.position_mode == "hedge"
    assert again.account_ids == book.account_ids
    assert_same_risk(judged(again), judged(book))
    named = lc.PositionBook(**(LEGS | {"policy": "x"}), balances=lc.Balances(**HELD, policy=["x", "x"]))
    engine = lc.Engine({"x": MULTI})
    copied = pickle.loads(pickle.dumps(named))
    found = engine.evaluate(copied, MARKS, asset_prices=PRICES)
    assert_same_risk(found, engine.evaluate(named, MARKS, asset_prices=PRICES))


def test_empty_balances_leave_the_book_as_it_is() -> None:
    empty = lc.Balances([], [], [])
    book = lc.PositionBook(**(LEGS | {"wallet_balance": {"a": 100.0}}), balances=empty)
    risk = MULTI_ENGINE.evaluate(book, MARKS, asset_prices={})
    assert len(risk.balances) == 0
    plain = ENGINE.evaluate(in_wallet(), MARKS)
    for name in plain.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert np.array_equal(risk[name], plain[name], equal_nan=True), name
    assert risk.balances.failures() == []


def test_an_account_of_balances_alone_is_judged() -> None:
    book = lc.PositionBook([], [], [], balances=lc.Balances(["a", "b"], ["USDT"] * 2, [1.0, -1.0]))
    risk = judged(book)
    assert risk.accounts.state.tolist() == [lc.State.HEALTHY, lc.State.BANKRUPT]
    assert len(risk) == 0


def test_two_balances_of_different_accounts_do_not_fail_each_other() -> None:
    balances = {"account": ["a", "b"], "asset": ["USDT", "USDT"], "balance": [100.0, NAN]}
    risk = judged(in_assets(balances=balances))
    assert risk.accounts.status.tolist() == [lc.AccountStatus.OK, lc.AccountStatus.INCOMPLETE]
    assert risk.ok.all()
    assert math.isnan(risk.accounts.equity[1])
