"""Accounts in several settlement currencies: a wallet each, or a status of their own, never a wrong sum."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from levcore.changes.status import ChangeStatus
from levcore.engine.distances import distance
from levcore.live_books.index import TriggerIndex
from levcore.reference.accounts.distance import distance as reference_distance
from levcore.reference.what_if.what_if import what_if as reference_what_if
from support.comparison import assert_same_risk, same_bits
from support.refusals import TIERS, Refused

APART = "settlement_currency"
OK, MIXED = lc.AccountStatus.OK, lc.AccountStatus.MIXED_SETTLEMENT
NO_CURRENCY = lc.AccountStatus.MISSING_WALLET_CURRENCY
NO_WALLET, SEVERAL = lc.AccountStatus.MISSING_WALLET_BALANCE, lc.AccountStatus.SEVERAL_WALLETS


def settled(name: str, settlement: str) -> lc.Instrument:
    return lc.Instrument(name, "linear", TIERS, settlement=settlement)


UNKNOWN = lc.policy("generic").with_instruments(
    [settled("A", "USDT"), settled("B", "USDC"), settled("C", "USDT"), settled("N", "")]
)
WALLET_EACH, ONE_POOL = UNKNOWN.replace(cross_wallet=APART), UNKNOWN.replace(cross_wallet="account")
MARKS = dict.fromkeys("ABCN", 100.0) | {"X": 100.0}
BOTH = {"a": {"USDT": 50.0, "USDC": 30.0}, "b": 20.0}


def legs_of(instruments: str, owners: str | list[str], **columns: Any) -> lc.PositionBook:
    count = len(instruments)
    legs: dict[str, Any] = {
        "quantity": np.ones(count),
        "entry_price": np.full(count, 100.0),
        "margin_mode": "cross",
        "leverage": 5.0,
        "wallet_balance": {"a": 500.0, "b": 500.0},
    }
    return lc.PositionBook(list(instruments), account=list(owners), **(legs | columns))


def judged(policy: lc.MarginPolicy | dict[str, lc.MarginPolicy], book: lc.PositionBook) -> lc.BookRisk:
    """The result, after a look that the reference has the same."""
    risk = lc.Engine(policy).evaluate(book, MARKS)
    assert_same_risk(risk, lc.reference.evaluate(book, policy, MARKS))
    return risk


@pytest.mark.parametrize(
    ("policy", "wallets", "status"),
    [
        (UNKNOWN, {"a": 500.0, "b": 500.0}, MIXED),
        (UNKNOWN, BOTH, MIXED),
        (ONE_POOL, {"a": 500.0, "b": 500.0}, MIXED),
        (ONE_POOL, BOTH, MIXED),
        (WALLET_EACH, {"a": 500.0, "b": 500.0}, NO_CURRENCY),
        (WALLET_EACH, {"a": {}, "b": 500.0}, NO_CURRENCY),
    ],
)
def test_an_account_that_cannot_be_judged_fails_alone(
    policy: lc.MarginPolicy, wallets: dict[str, Any], status: lc.AccountStatus
) -> None:
    risk = judged(policy, legs_of("ABCA", "aaab", wallet_balance=wallets))
    assert risk.accounts.status.tolist() == [status, OK]
    assert risk.accounts.state.tolist() == [lc.State.INCOMPLETE, lc.State.HEALTHY]
    assert (risk.status[:3] == lc.Status.ACCOUNT_INCOMPLETE).all()
    assert risk.ok[3]
    for measure in ("equity", "margin_ratio", "liquidation_price", "distance_to_liquidation"):
        assert np.isnan(risk[measure][:3]).all(), measure
    assert (risk.notional == 100.0).all()
    assert all(np.isnan(risk.accounts[m][0]) for m in risk.accounts.measures)
    assert [failure.status for failure in risk.accounts.failures()] == [status]
    assert risk.summary()["account_statuses"] == {"ok": 1, status.word: 1}
    assert risk.wallets.currency == ("", "USDT")
    assert np.isnan(risk.summary()["totals"]["USDC"]["account_equity"])
    assert "cross_wallet" in str(lc.explain(lc.Engine(policy), risk.book, MARKS, 0))


def test_each_wallet_is_a_pool_of_its_own() -> None:
    risk = judged(WALLET_EACH, legs_of("ABCA", "aaab", quantity=[1.0, -2.0, 3.0, 1.0], wallet_balance=BOTH))
    assert risk.ok.all()
    assert risk.equity.tolist() == [50.0, 30.0, 50.0, 20.0]
    assert risk.wallets.ids == ("a", "a", "b")
    assert risk.wallets.currency == ("USDC", "USDT", "USDT")
    assert risk.wallets.equity.tolist() == [30.0, 50.0, 20.0]
    assert risk.accounts.status.tolist() == [SEVERAL, OK]
    assert not risk.accounts.failures()
    assert np.isnan(risk.accounts.equity[0])
    assert risk.accounts.equity[1] == 20.0
    totals = risk.summary()["totals"]
    assert {currency: sums["account_equity"] for currency, sums in totals.items()} == {
        "USDC": 30.0,
        "USDT": 70.0,
    }
    assert risk.summary()["wallets"] == 3
    assert risk.summary()["accounts"] == 2
    short = lc.explain(lc.Engine(WALLET_EACH), risk.book, MARKS, 1)
    assert {"cross_wallet", "wallet_balance"} <= {step.name for step in short.steps}
    assert [step.value for step in short.steps if step.name == "liquidation_price"] == [
        risk.liquidation_price[1]
    ]


def test_an_account_is_as_bad_as_its_worst_wallet() -> None:
    wallets = {"a": {"USDT": 0.5, "USDC": 30.0}, "b": {"USDT": 0.0, "USDC": np.nan}}
    risk = judged(WALLET_EACH, legs_of("ABAB", "aabb", wallet_balance=wallets))
    assert risk.wallets.state.tolist() == [
        lc.State.HEALTHY,
        lc.State.LIQUIDATION,
        lc.State.INCOMPLETE,
        lc.State.BANKRUPT,
    ]
    assert risk.accounts.state.tolist() == [lc.State.LIQUIDATION, lc.State.INCOMPLETE]
    assert risk.accounts.status.tolist() == [SEVERAL, NO_WALLET]
    # What is known to be bankrupt is not hidden behind what is not known.
    assert risk.worst_state() == lc.State.BANKRUPT


def test_a_wallet_of_another_currency_is_not_that_of_the_legs() -> None:
    wallets = {"a": {"USDC": 500.0}, "b": {"USDC": 3.0, "EUR": 2.0, "USDT": 9.0}}
    book = legs_of("AA", "ab", wallet_balance=wallets)
    risk = judged(WALLET_EACH, book)
    assert risk.accounts.status.tolist() == [NO_WALLET, SEVERAL]
    assert risk.wallets.currency == ("USDC", "USDT", "EUR", "USDC", "USDT")
    assert risk.status[0] == lc.Status.ACCOUNT_INCOMPLETE
    assert risk.equity[1] == 9.0
    for policy in (UNKNOWN, ONE_POOL):
        assert judged(policy, book).accounts.status.tolist() == [MIXED, MIXED]
        assert lc.explain(lc.Engine(policy), book, MARKS, 0).status == lc.Status.ACCOUNT_INCOMPLETE


@pytest.mark.parametrize("policy", [UNKNOWN, WALLET_EACH, ONE_POOL])
@pytest.mark.parametrize(
    "book",
    [
        legs_of("AB", "ab"),
        legs_of("AB", "aa", margin_mode=["cross", "isolated"]),
        legs_of("AB", "aa", margin_mode="isolated"),
        legs_of("NANC", "aabb"),
        legs_of("XAC", "baa"),
        legs_of("AC", "aa", wallet_balance={"a": {"USDT": 500.0}}),
        legs_of("AN", "aa", wallet_balance={"a": {"USDT": 500.0}}),
    ],
    ids=[
        "an account each",
        "one isolated",
        "both isolated",
        "unknown beside known",
        "no such instrument",
        "named",
        "named beside unknown",
    ],
)
def test_one_currency_needs_no_rule(book: lc.PositionBook, policy: lc.MarginPolicy) -> None:
    risk = judged(policy, book)
    known = np.array([name != "X" for name in book.instrument_names])[book.instrument_codes]
    assert risk.ok[known].all()
    assert not risk.wallets.columns.is_split


def test_a_leg_whose_currency_nobody_knows_may_be_in_any_wallet() -> None:
    for legs in ("ABN", "ABX"):
        book = legs_of(legs, "aaa", wallet_balance={"a": {"USDT": 50.0, "USDC": 30.0}})
        assert judged(WALLET_EACH, book).accounts.status.tolist() == [MIXED]


def test_settlement_is_that_of_the_instrument_under_the_policy_of_its_row() -> None:
    swapped = lc.policy("generic").with_instruments([settled("A", "USDC"), settled("B", "USDT")])
    policies = {"one": UNKNOWN, "other": swapped, "apart": WALLET_EACH}
    mixed = legs_of("ACB", "aab", policy=["one", "one", "other"])
    assert judged(policies, mixed).ok.all()
    wallets = {"a": 500.0, "b": {"USDT": 5.0, "USDC": 5.0}, "c": {"USDT": 5.0, "USDC": 5.0}}
    policy = ["one", "one", "other", "other", "apart", "apart"]
    bad = legs_of("ACABAB", "aabbcc", policy=policy, wallet_balance=wallets)
    assert judged(policies, bad).accounts.status.tolist() == [OK, MIXED, SEVERAL]


def test_an_account_without_positions_needs_no_rule() -> None:
    risk = judged(UNKNOWN, legs_of("A", "b", wallet_balance=BOTH))
    assert risk.accounts.status.tolist() == [SEVERAL, OK]
    assert risk.wallets.equity.tolist() == [30.0, 50.0, 20.0]


def test_wallets_by_currency_are_given_as_columns_too() -> None:
    columns = {
        "accounts": ["a", "b", "a"],
        "wallet_balance": np.array([50.0, 20.0, 30.0]),
        "wallet_currency": ["USDT", "", "USDC"],
    }
    book = legs_of("ABCA", "aaab", **columns)
    assert "wallet_balance" in book.copied
    expected = judged(WALLET_EACH, legs_of("ABCA", "aaab", wallet_balance=BOTH))
    assert_same_risk(judged(WALLET_EACH, book), expected)
    assert_same_risk(judged(WALLET_EACH, book.replace()), expected)
    other = book.replace(wallet_balance={"a": 1.0, "b": 1.0})
    assert judged(WALLET_EACH, other).accounts.status.tolist() == [NO_CURRENCY, OK]


@pytest.mark.parametrize(
    ("refused", "columns"),
    [
        (Refused(errors.InputError, "wallet_currency"), {"wallet_currency": ["USDT"]}),
        (Refused(errors.InputError, "wallet_currency"), {"wallet_balance": 5.0, "wallet_currency": ["USDT"]}),
        (
            Refused(errors.ShapeError, "wallet_currency"),
            {"accounts": ["a", "b"], "wallet_balance": [1.0, 2.0], "wallet_currency": ["USDT"]},
        ),
        (
            Refused(errors.InputError, "wallet_currency", 1),
            {"accounts": ["a", "a"], "wallet_balance": [1.0, 2.0], "wallet_currency": ["USDT", "USDT"]},
        ),
        (
            Refused(errors.InputError, "wallet_currency", 1),
            {"accounts": ["a", "a"], "wallet_balance": [1.0, 2.0], "wallet_currency": ["USDT", ""]},
        ),
        (
            Refused(errors.DTypeError, "wallet_currency"),
            {"accounts": ["a", "b"], "wallet_balance": [1.0, 2.0], "wallet_currency": [1, 2]},
        ),
        (Refused(errors.InputError, "accounts"), {"accounts": ["a"], "wallet_balance": {"a": {"USDT": 1.0}}}),
        (
            Refused(errors.DTypeError, "wallet_balance"),
            {"wallet_balance": {"a": {"USDT": 1.0, "EUR": "x"}}},
        ),
        (Refused(errors.DTypeError, "wallet_currency"), {"wallet_balance": {"a": {5: 1.0}}}),
        (
            Refused(errors.InputError, "balances.account", 0, 1),
            {"wallet_balance": BOTH, "balances": lc.Balances(["a"], ["USDT"], [1.0])},
        ),
    ],
)
def test_wallets_that_contradict_themselves_are_refused(refused: Refused, columns: dict[str, Any]) -> None:
    refused.check(lambda: legs_of("AB", "ab", **columns))


def test_results_are_written_over_only_by_a_book_with_as_many_wallets() -> None:
    engine = lc.Engine(WALLET_EACH)
    book = legs_of("ABCA", "aaab", wallet_balance=BOTH)
    out = engine.evaluate(book, MARKS)
    other = book.replace(wallet_balance={"a": {"USDT": 5.0, "USDC": 3.0}, "b": 2.0})
    assert engine.evaluate(other, MARKS, out=out) is out
    assert_same_risk(out, engine.evaluate(other, MARKS))
    refused = Refused(errors.ShapeError, "out")
    refused.check(lambda: engine.evaluate(legs_of("ABCA", "aaab"), MARKS, out=out))


def test_an_account_is_as_near_as_its_nearest_wallet() -> None:
    engine, book = lc.Engine(WALLET_EACH), legs_of("ABCA", "aaab", wallet_balance=BOTH)
    found = distance(engine, book, MARKS)
    assert same_bits(found.lower, reference_distance(book, WALLET_EACH, MARKS).lower)
    apart = legs_of(
        "ABCA",
        ["a USDT", "a USDC", "a USDT", "b"],
        wallet_balance={"a USDT": 50.0, "a USDC": 30.0, "b": 20.0},
    )
    each = distance(engine, apart, MARKS).lower
    assert found.lower.tolist() == [max(each[0], each[1]), each[2]]


def test_a_wallet_becomes_an_account_for_what_knows_accounts_alone() -> None:
    engine = lc.Engine(WALLET_EACH)
    wallets = {**BOTH, "c": {"USDT": 7.0}, "d": {"EUR": 2.0}}
    book = legs_of("ABCACAB", "aaabcdd", wallet_balance=wallets)
    apart = engine.by_wallet(book)
    assert apart.account_ids == ("a USDC", "a USDT", "d EUR", "d USDC", "d USDT", "b", "c")
    risk, of_apart = judged(WALLET_EACH, book), judged(WALLET_EACH, apart)
    for name in risk.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(risk[name], of_apart[name]), name
    assert engine.by_wallet(apart) is apart
    close = lc.Changes(["order"], row=[1], quantity=[-1.0], price=[100.0])
    after = lc.what_if(engine, apart, MARKS, close).after
    closed = judged(WALLET_EACH, book.replace(quantity=[1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]))
    assert after.accounts.equity[0] == closed.wallets.equity[0] == 30.0
    with pytest.raises(lc.InputError, match=r"account: must not be called as a wallet is; .* 'a USDT'"):
        engine.by_wallet(legs_of("ABA", ["a", "a", "a USDT"], wallet_balance=BOTH | {"a USDT": 5.0}))


def test_what_knows_accounts_alone_refuses_several_wallets() -> None:
    engine, book = lc.Engine(WALLET_EACH), legs_of("ABCA", "aaab", wallet_balance=BOTH)
    refused = Refused(errors.InputError, "book")
    changes = lc.Changes(["none"], row=[0])
    refused.check(lambda: lc.what_if(engine, book, MARKS, changes))
    refused.check(lambda: reference_what_if(engine, book, MARKS, changes))
    refused.check(lambda: lc.close_out(engine, book, MARKS))
    with_orders = lc.Engine(WALLET_EACH.replace(order_margin="sum", order_loss="counted", order_ratio="none"))
    orders = lc.Orders(["a"], ["A"], [1.0], [100.0])
    refused.check(lambda: lc.order_margin(with_orders, book, MARKS, orders))


def test_what_is_opened_settles_in_the_currency_of_the_wallet() -> None:
    engine = lc.Engine(WALLET_EACH.replace(order_margin="sum", order_loss="counted", order_ratio="none"))
    book = legs_of("AN", "bc", wallet_balance={"a": {"USDC": 500.0}, "b": {"USDT": 50.0}, "c": {"USDC": 9.0}})
    opened = lc.Changes(
        ["order"] * 5 + ["wallet"],
        account=["a", "a", "b", "b", "c", "a"],
        instrument=["A", "B", "B", "C", "C", ""],
        quantity=[1.0] * 5 + [np.nan],
        price=[100.0] * 5 + [np.nan],
        amount=[np.nan] * 5 + [7.0],
        leverage=[5.0] * 5 + [np.nan],
    )
    for what_if in (lc.what_if, reference_what_if):
        result = what_if(engine, book, MARKS, opened)
        assert [ChangeStatus(code).name for code in result.status] == [
            "UNKNOWN_ACCOUNT",
            "APPLIED",
            "MIXED_SETTLEMENT",
            "APPLIED",
            "UNKNOWN_ACCOUNT",
            "APPLIED",
        ]
        assert result.after.accounts.equity[[1, 3, 5]].tolist() == [500.0, 50.0, 507.0]
    refused = Refused(errors.InputError, "orders.instrument", 1)
    orders = lc.Orders(["a", "a"], ["B", "A"], [1.0, 1.0], [100.0, 100.0], leverage=[5.0, 5.0])
    refused.check(lambda: lc.order_margin(engine, book, MARKS, orders))


@pytest.mark.parametrize(
    "wallets", [{"a": 500.0, "b": 500.0}, {"a": {"USDT": 5.0, "USDC": 5.0}, "b": {"EUR": 5.0}}]
)
def test_a_change_in_an_account_that_is_refused_leaves_it_so(wallets: dict[str, Any]) -> None:
    engine, book = lc.Engine(UNKNOWN), legs_of("ABCA", "aaab", wallet_balance=wallets)
    changes = lc.Changes(["none", "leverage"], row=[0, 0], leverage=[np.nan, 3.0])
    if isinstance(wallets["b"], dict):
        changes = lc.Changes(["none", "leverage"], row=[3, 3], leverage=[np.nan, 3.0])
    for what_if in (lc.what_if, reference_what_if):
        result = what_if(engine, book, MARKS, changes)
        assert result.after.accounts.status.tolist() == [MIXED, MIXED]
        assert np.isnan(result.after.positions.equity).all()


def test_later_questions_refuse_several_wallets_or_go_by_wallet() -> None:
    engine, refused = lc.Engine(WALLET_EACH), Refused(errors.InputError, "book")
    book = legs_of("ABCA", "aaab", wallet_balance=BOTH)
    refused.check(lambda: TriggerIndex(engine, book, MARKS))
    elsewhere = legs_of("A", "a", wallet_balance={"a": {"USDC": 5.0}})
    refused.check(lambda: lc.close_out(lc.Engine(UNKNOWN), elsewhere, MARKS))
    for currency in ("USDC", "USDT"):
        whole = lc.reverse_stress(engine, book, MARKS, 1.0, currency=currency)
        apart = lc.reverse_stress(engine, engine.by_wallet(book), MARKS, 1.0, currency=currency)
        assert whole.lower == apart.lower


def test_a_book_with_named_wallets_and_balances_is_built_again() -> None:
    book = legs_of(
        "AA",
        "ab",
        wallet_balance={"a": {"USDT": 500.0}, "d": {}},
        balances=lc.Balances(["b"], ["USDT"], [90.0]),
    )
    again = book.replace(quantity=2 * book.quantity)
    assert again.account_ids == book.account_ids == ("a", "d", "b")
    for each in (book, again, pickle.loads(pickle.dumps(again))):
        assert each.named_wallets is not None
        assert each.named_wallets.account.tolist() == [0]
        assert (each.named_wallets.currency, each.named_wallets.balance.tolist()) == (("USDT",), [500.0])
