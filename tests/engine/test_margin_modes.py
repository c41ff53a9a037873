"""Which margin modes a policy answers for: what is known is answered, what is not is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.changes.status import ChangeStatus
from levcore.errors import UnknownRuleError
from levcore.reference.what_if.what_if import what_if as what_if_by_hand
from support.comparison import assert_same_risk

RATES = lc.TierTable.single_rate("0.01")
GENERIC = lc.policy("generic").with_instruments(
    [
        lc.Instrument("X", "linear", RATES, settlement="USD"),
        lc.Instrument("ONLY", "linear", RATES, settlement="USD", isolated_only=True),
    ]
)
WITHOUT_CROSS = GENERIC.replace(requirement_basis_cross="unknown", initial_margin_basis_cross="unknown")
WITHOUT_HEDGES = GENERIC.replace(hedge_requirement="unknown", hedge_requirement_initial="unknown")
MARKS = {"X": 110.0, "ONLY": 110.0}


def isolated(name: str = "X", **more: Any) -> lc.PositionBook:
    legs: dict[str, Any] = {"isolated_margin": [20.0, 20.0], "leverage": 5.0, **more}
    return lc.PositionBook([name, name], [1.0, -1.0], [100.0, 100.0], **legs)


def cross(name: str = "X", **more: Any) -> lc.PositionBook:
    legs: dict[str, Any] = {"account": ["a", "b"], "margin_mode": "cross", "leverage": 5.0}
    return isolated(name, isolated_margin=None, wallet_balance={"a": 50.0, "b": 50.0}, **(legs | more))


@pytest.mark.parametrize("policy", [WITHOUT_CROSS, WITHOUT_HEDGES])
@pytest.mark.parametrize("mode", ["one_way", "hedge"])
def test_isolated_positions_need_no_rule_of_cross_accounts(policy: lc.MarginPolicy, mode: Any) -> None:
    book = isolated(position_mode=mode)
    expected = lc.Engine(GENERIC).evaluate(book, MARKS)
    assert_same_risk(lc.Engine(policy).evaluate(book, MARKS), expected)
    assert_same_risk(lc.reference.evaluate(book, policy, MARKS), expected)
    compared = lc.compare(book, {"known": GENERIC, "unknown": policy}, MARKS)
    assert isinstance(compared.results["unknown"], lc.BookRisk)


def test_legs_of_an_account_in_hedge_mode_do() -> None:
    book = cross(position_mode="hedge")
    for ask in (
        lc.Engine(WITHOUT_HEDGES).evaluate,
        lambda *of: lc.reference.evaluate(of[0], WITHOUT_HEDGES, of[1]),
    ):
        with pytest.raises(UnknownRuleError, match="hedge_requirement is unknown"):
            ask(book, MARKS)


@pytest.mark.parametrize(
    ("policy", "mode", "rule"),
    [
        (WITHOUT_CROSS, "one_way", "requirement_basis_cross is unknown"),
        (WITHOUT_HEDGES, "hedge", "hedge_requirement is unknown"),
    ],
)
def test_what_comes_later_is_asked_too(policy: lc.MarginPolicy, mode: Any, rule: str) -> None:
    engine = lc.Engine(policy)
    book = isolated(position_mode=mode, account=["a", "b"], accounts=["a", "b"], wallet_balance=[50.0, 50.0])
    live = lc.live(engine, book, MARKS)
    with pytest.raises(UnknownRuleError, match=rule):
        live.open(["X"], [1.0], [100.0], ["a"], margin_mode="cross", leverage=[5.0])
    assert len(live.book()) == 2
    live.open(["X"], [1.0], [100.0], isolated_margin=[20.0], leverage=[5.0])
    assert len(live.book()) == 3
    order = lc.Changes("order", account=["a"], instrument=["X"], quantity=[1.0], leverage=[5.0])
    with pytest.raises(UnknownRuleError, match=rule):
        lc.what_if(engine, book, MARKS, order)


WORDS = r"must be isolated in contracts that generic.* lists for isolated margin alone"


def test_a_cross_position_in_a_contract_for_isolated_margin_alone_is_refused() -> None:
    engine, book = lc.Engine(GENERIC), isolated("ONLY")
    assert engine.evaluate(book, MARKS).ok.all()
    mixed = lc.PositionBook(
        ["X", "ONLY", "ONLY", "ONLY"],
        [1.0] * 4,
        [100.0] * 4,
        account=["a", "a", "a", "b"],
        margin_mode=["cross", "isolated", "cross", "cross"],
        wallet_balance={"a": 50.0, "b": 50.0},
        leverage=5.0,
    )
    for ask in (engine.evaluate, lambda *of: lc.reference.evaluate(of[0], GENERIC, of[1])):
        with pytest.raises(lc.InputError, match=WORDS) as caught:
            ask(mixed, MARKS)
        assert (caught.value.argument, caught.value.row, caught.value.count) == ("margin_mode", 2, 2)
    free = GENERIC.with_instruments([lc.Instrument("ONLY", "linear", RATES, settlement="USD")])
    assert lc.Engine(free).evaluate(mixed, MARKS).accounts.status.tolist() == [0, 0]
    # Of several policies the one of the row counts.
    both = lc.Engine({"only": GENERIC, "free": free})
    assert both.evaluate(cross("ONLY", policy=["free", "free"]), MARKS).accounts.status.tolist() == [0, 0]
    with pytest.raises(lc.InputError, match=WORDS):
        both.evaluate(cross("ONLY", policy=["free", "only"]), MARKS)
    policies = {"only": GENERIC, "free": free}
    assert not isinstance(lc.compare(cross("ONLY"), policies, MARKS).results["only"], lc.BookRisk)
    # Of a mixed book, the accounts that hold such a contract.
    compared = lc.compare(mixed, policies, MARKS)
    refused = compared.answers["only"].status == lc.Status.REFUSED
    assert refused.tolist() == [True, False, True, True]
    assert compared.withheld["only"][0].rows.tolist() == [0, 2, 3]


def test_nor_is_one_opened_later() -> None:
    engine, book = lc.Engine(GENERIC), cross()
    held = lc.PositionBook(
        ["X", "ONLY"],
        [1.0, 1.0],
        [100.0, 100.0],
        account=["a", "a"],
        margin_mode=["cross", "isolated"],
        wallet_balance={"a": 50.0},
        leverage=5.0,
    )
    live = lc.live(engine, held, MARKS)
    with pytest.raises(lc.InputError, match=WORDS):
        live.open(["ONLY"], [1.0], [100.0], ["a"], margin_mode="cross", leverage=[5.0])
    order = lc.Changes("order", account=["a"], instrument=["ONLY"], quantity=[1.0], leverage=[5.0])
    with pytest.raises(lc.InputError, match=WORDS):
        lc.what_if(engine, book, MARKS, order)


def test_the_archive_says_which_contracts_are_for_isolated_margin_alone() -> None:
    listed = lc.policy("hyperliquid").instruments
    only = {name for name in listed if listed[name].isolated_only}
    assert "xyz:AAOI" in only
    assert not only & {"BTC", "ETH", "xyz:AAPL"}
    assert len(only) > 50


def test_isolated_margins_of_cross_positions_are_told_and_move_nothing() -> None:
    engine, plain = lc.Engine(GENERIC), cross()
    expected = engine.evaluate(plain, MARKS)
    assert expected.unread_margins().tolist() == []
    for margins, rows in (([0.0, np.nan], []), ([0.0, 7.0], [1]), ([-3.0, 7.0], [0, 1])):
        risk = engine.evaluate(plain.replace(isolated_margin=margins), MARKS)
        assert_same_risk(risk, expected)
        assert risk.unread_margins().tolist() == rows
        shown = lc.report(risk)
        assert ("isolated margin, which is not read" in shown) == bool(rows)
    assert engine.evaluate(isolated(), MARKS).unread_margins().tolist() == []


FREE = GENERIC.with_instruments([lc.Instrument("ONLY", "linear", RATES, settlement="USD")])
TWO = {"only": GENERIC, "free": FREE}


def book_of_two() -> lc.PositionBook:
    """A cross and an isolated position under each policy, and a wallet without any."""
    return lc.PositionBook(
        ["X", "X", "ONLY", "ONLY"],
        [1.0] * 4,
        [100.0] * 4,
        account=["a", "b", "a", "b"],
        margin_mode=["cross", "cross", "isolated", "isolated"],
        leverage=5.0,
        policy=["only", "free", "only", "free"],
        wallet_balance={"a": 50.0, "b": 50.0, "idle": 50.0},
    )


OPENING: dict[str, tuple[dict[str, Any], bool]] = {
    # An account has one policy: that of its legs counts, whatever the order names.
    "order, its account refuses": ({"kind": "order", "account": ["a"], "policy": ["free"]}, True),
    "order, its account takes it": ({"kind": "order", "account": ["b"], "policy": ["only"]}, False),
    "order, an idle account, refused": ({"kind": "order", "account": ["idle"], "policy": ["only"]}, True),
    "order, an idle account": ({"kind": "order", "account": ["idle"], "policy": ["free"]}, False),
    "isolated order": (
        {"kind": "order", "account": ["a"], "policy": ["only"], "margin_mode": "isolated"},
        False,
    ),
    "transfer to one that refuses": ({"kind": "transfer", "account": ["a"], "row": [2]}, True),
    "transfer of the other row": ({"kind": "transfer", "account": ["a"], "row": [3]}, True),
    "transfer to one that takes it": ({"kind": "transfer", "account": ["b"], "row": [3]}, False),
    "transfer to an idle account, refused": ({"kind": "transfer", "account": ["idle"], "row": [2]}, True),
    "transfer to an idle account": ({"kind": "transfer", "account": ["idle"], "row": [3]}, False),
}


@pytest.mark.parametrize("case", OPENING)
def test_changes_under_several_policies_open_no_such_position_either(case: str) -> None:
    given, refused = OPENING[case]
    kind, engine = given["kind"], lc.Engine(TWO)
    order = {"instrument": ["ONLY"], "quantity": [1.0], "leverage": [5.0]} if kind == "order" else {}
    change = lc.Changes(**(given | order))
    for ask in (lc.what_if, what_if_by_hand):
        if refused:
            with pytest.raises(lc.InputError, match=WORDS) as caught:
                ask(engine, book_of_two(), MARKS, change)
            assert (caught.value.argument, caught.value.row) == ("margin_mode", 0)
        else:
            found = ask(engine, book_of_two(), MARKS, change)
            assert found.status.tolist() == [ChangeStatus.APPLIED]


def test_a_transfer_under_one_policy_is_refused_too() -> None:
    held = isolated("ONLY", account=["a", "b"], accounts=["a", "b"], wallet_balance=[50.0, 50.0])
    changes = lc.Changes("transfer", account=["a", "b"], row=[0, 1])
    with pytest.raises(lc.InputError, match=WORDS) as caught:
        lc.what_if(lc.Engine(GENERIC), held, MARKS, changes)
    assert (caught.value.row, caught.value.count) == (0, 2)
    assert lc.what_if(lc.Engine(FREE), held, MARKS, changes).status.tolist() == [ChangeStatus.APPLIED] * 2


def agreed(engine: lc.Engine, book: lc.PositionBook, changes: lc.Changes, **options: Any) -> lc.WhatIf:
    """The result of the core, which the reference gives to the bit."""
    found = lc.what_if(engine, book, MARKS, changes, **options)
    expected = what_if_by_hand(engine, book, MARKS, changes, **options)
    assert found.status.tolist() == expected.status.tolist()
    for name, column in expected.to_dict().items():
        assert np.array_equal(found.to_dict()[name], column, equal_nan=column.dtype.kind == "f"), name
    for name, column in expected.after.positions.to_dict().items():
        assert np.array_equal(found.after.positions[name], column, equal_nan=column.dtype.kind == "f"), name
    return found


OPEN_AND_MOVE: dict[str, Any] = {
    "kind": ["order", "transfer"],
    "row": [-1, 4],
    "account": ["a", "a"],
    "instrument": ["ONLY", ""],
    "quantity": [1.0, np.nan],
    "leverage": [5.0, np.nan],
    "margin_mode": ["isolated", "cross"],
}


@pytest.mark.parametrize(
    ("account", "policy", "status"),
    [
        # The account that it is moved to has its policy, and one without legs takes that of the position.
        ("a", "free", ChangeStatus.ISOLATED_ONLY),
        ("b", "only", ChangeStatus.APPLIED),
        ("idle", "only", ChangeStatus.ISOLATED_ONLY),
        ("idle", "free", ChangeStatus.APPLIED),
    ],
)
def test_a_position_opened_in_a_sequence_is_not_moved_where_it_must_be_isolated(
    account: str, policy: str, status: ChangeStatus
) -> None:
    changes = lc.Changes(**OPEN_AND_MOVE | {"account": ["", account], "policy": [policy, ""]})
    result = agreed(lc.Engine(TWO), book_of_two(), changes, sequence=True)
    assert result.status.tolist() == [ChangeStatus.APPLIED, status]
    if status is ChangeStatus.ISOLATED_ONLY:
        assert "isolated margin alone" in status.describe()
        assert np.isnan(result.after.positions.equity[1])


def test_an_account_that_took_a_policy_in_a_sequence_opens_nothing_that_must_be_isolated() -> None:
    # The order names the policy that takes it; the account has the other one by then.
    changes = lc.Changes(
        "order",
        account=["idle", "idle"],
        instrument=["X", "ONLY"],
        quantity=[0.1, 0.1],
        leverage=5.0,
        policy=["only", "free"],
    )
    result = agreed(lc.Engine(TWO), book_of_two(), changes, sequence=True)
    assert result.status.tolist() == [ChangeStatus.APPLIED, ChangeStatus.ISOLATED_ONLY]
    alone = agreed(lc.Engine(TWO), book_of_two(), changes)
    assert alone.status.tolist() == [ChangeStatus.APPLIED] * 2


def test_a_table_for_isolated_margin_alone_is_not_put_under_a_cross_position() -> None:
    table = lc.Instrument("X", "linear", lc.TierTable.single_rate("0.05"), isolated_only=True)
    changes = lc.Changes("tiers", row=[0, 2], table=[0, 1])
    of_isolated = lc.Instrument("ONLY", "linear", lc.TierTable.single_rate("0.05"), isolated_only=True)
    result = agreed(lc.Engine(TWO), book_of_two(), changes, tables=[table, of_isolated])
    assert result.status.tolist() == [ChangeStatus.ISOLATED_ONLY, ChangeStatus.APPLIED]
    plain = lc.Instrument("X", "linear", lc.TierTable.single_rate("0.05"))
    found = lc.what_if(
        lc.Engine(TWO), book_of_two(), MARKS, lc.Changes("tiers", row=[0], table=0), tables=[plain]
    )
    assert found.status.tolist() == [ChangeStatus.APPLIED]


def test_open_orders_of_a_cross_account_are_in_contracts_that_may_be_cross() -> None:
    policies = {label: policy.replace(order_margin="sum", order_loss="none") for label, policy in TWO.items()}
    engine, book = lc.Engine(policies), book_of_two()

    def orders(account: str, policy: str) -> lc.Orders:
        return lc.Orders(
            ["b", account], ["X", "ONLY"], [1.0, 1.0], [100.0, 100.0], leverage=5.0, policy=["free", policy]
        )

    for account, policy in (("b", "only"), ("idle", "free")):
        assert np.isfinite(lc.order_margin(engine, book, MARKS, orders(account, policy)).order_margin).all()
    none = lc.Changes("none", row=[0])
    for account, policy in (("a", "free"), ("idle", "only")):
        for ask in (
            lambda given: lc.order_margin(engine, book, MARKS, given),
            lambda given: lc.what_if(engine, book, MARKS, none, orders=given),
            lambda given: what_if_by_hand(engine, book, MARKS, none, orders=given),
        ):
            with pytest.raises(lc.InputError, match="lists for cross margin") as caught:
                ask(orders(account, policy))
            assert (caught.value.argument, caught.value.row) == ("orders.instrument", 1)
