"""Changes that have not happened: numbers by hand, what is refused, bad calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore
from levcore.changes.status import ChangeKind, ChangeStatus
from levcore.errors import DTypeError, InputError, ReadOnlyError, ShapeError, UnknownRuleError
from levcore.measures import ACCOUNT_MEASURES

TIERS = lc.TierTable.marginal([(0, "0.01", None, 50), (100_000, "0.02", None, 20)], unit="quote", cap=1e6)
POLICY = lc.policy("generic").with_instruments(
    [lc.Instrument(name, "linear", TIERS) for name in ("BTC", "ETH")]
    + [lc.Instrument("BTCUSD", "inverse", lc.TierTable.single_rate("0.01"), contract_size=100.0)]
)
ENGINE = lc.Engine(POLICY)
MARKS = {"BTC": 60_000.0, "ETH": 2_500.0, "BTCUSD": 50_000.0}
NAN = math.nan


def isolated(**columns: Any) -> lc.PositionBook:
    terms: dict[str, Any] = {"isolated_margin": [6_000.0], "leverage": [10.0]} | columns
    return lc.PositionBook(["BTC"], [1.0], [60_000.0], **terms)


def cross() -> lc.PositionBook:
    return lc.PositionBook(
        ["BTC", "ETH"],
        [1.0, -10.0],
        [60_000.0, 2_500.0],
        ["ann", "bob"],
        "cross",
        leverage=[10.0, 10.0],
        wallet_balance={"ann": 8_000.0, "bob": 4_000.0},
    )


def one(book: lc.PositionBook, kind: str, *, marks: Any = None, **columns: Any) -> Any:
    """Result of a single change."""
    options = {name: columns.pop(name) for name in ("tables", "reducing", "sequence") if name in columns}
    return lc.what_if(ENGINE, book, MARKS if marks is None else marks, lc.Changes(kind, **columns), **options)


def test_an_increase_on_isolated_margin_by_hand() -> None:
    result = one(isolated(), "order", row=0, quantity=[1.0], price=[66_000.0], fee_rate=0.001)
    assert result.entry_price.tolist() == [63_000.0]
    assert result.isolated_margin.tolist() == [6_000.0 + 6_600.0]
    assert result.fee.tolist() == [66.0]
    assert result.cash_flow.tolist() == [-6_666.0]
    # Marginal: 2 % of the value at the price less 1,000.
    price = (126_000.0 - 12_600.0 - 1_000.0) / (2.0 * 0.98)
    assert result.after.positions.liquidation_price[0] == pytest.approx(price, rel=1e-14)
    assert result.max_leverage.tolist() == [20.0]


def test_the_risk_limit_of_the_row_is_that_of_the_change_unless_it_states_one() -> None:
    tiers = lc.TierTable.flat(
        [(0, "0.005", None, 100), (10, "0.01", None, 50), (20, "0.02", None, 25)], unit="risk_limit"
    )
    rules = lc.policy("generic").with_instruments([lc.Instrument("X", "linear", tiers)])
    book = lc.PositionBook(["X"], [1.0], [100.0], isolated_margin=[50.0], leverage=[2.0], risk_limit=[15.0])
    none = np.nan
    changes = lc.Changes(
        ["none", "leverage", "leverage"], row=0, leverage=[none, 60.0, 60.0], risk_limit=[none, none, 5.0]
    )
    result = lc.what_if(lc.Engine(rules), book, {"X": 100.0}, changes)
    assert result.max_leverage.tolist() == [50.0, 50.0, 100.0]
    assert result.may_open.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("reducing", "margin", "cash_flow"),
    [("share", 3_000.0, 3_000.0 + 1_000.0 - 31.0), ("nothing", 6_969.0, 0.0)],
)
def test_a_reduction_releases_margin_or_not(reducing: str, margin: float, cash_flow: float) -> None:
    order = {"row": 0, "quantity": [-0.5], "price": [62_000.0], "fee_rate": 0.001}
    result = one(isolated(), "order", reducing=reducing, **order)
    assert (result.quantity[0], result.entry_price[0]) == (0.5, 60_000.0)
    assert (result.realized_pnl[0], result.fee[0]) == (1_000.0, 31.0)
    assert (result.isolated_margin[0], result.cash_flow[0]) == (margin, cash_flow)


def test_proportional_release_leaves_the_liquidation_price() -> None:
    result = one(isolated(), "order", row=0, quantity=[-0.25, -0.5, -0.75])
    before, after = result.before.positions.liquidation_price, result.after.positions.liquidation_price
    assert after == pytest.approx(before, rel=1e-14)


def test_a_flip_opens_the_other_side_at_the_price() -> None:
    result = one(isolated(), "flip", row=0, price=[63_000.0])
    assert (result.quantity[0], result.entry_price[0], result.realized_pnl[0]) == (-1.0, 63_000.0, 3_000.0)
    assert result.isolated_margin[0] == 6_300.0
    assert result.cash_flow[0] == (6_000.0 - 6_300.0) + 3_000.0


def test_inverse_contracts_average_by_value() -> None:
    book = lc.PositionBook(["BTCUSD"], [100.0], [50_000.0], isolated_margin=[0.05], leverage=[5.0])
    result = one(book, "order", row=0, quantity=[100.0, -50.0], price=[25_000.0, 100_000.0])
    assert result.entry_price.tolist() == [200.0 / (100.0 / 50_000.0 + 100.0 / 25_000.0), 50_000.0]
    assert result.realized_pnl[1] == pytest.approx(5_000.0 * (1 / 50_000.0 - 1 / 100_000.0), rel=1e-15)


def test_an_isolated_position_is_paid_from_the_wallet_of_its_account() -> None:
    book = lc.PositionBook(
        ["BTC", "ETH"], [1.0, 10.0], [60_000.0, 2_500.0], ["ann", "ann"], ["isolated", "cross"],
        isolated_margin=[6_000.0, NAN], leverage=[10.0, 10.0], wallet_balance={"ann": 3_000.0},
    )  # fmt: skip
    result = one(book, "margin", row=0, amount=[400.0, 600.0, -1_000.0])
    assert result.wallet_balance.tolist() == [2_600.0, 2_400.0, 4_000.0]
    assert result.after.accounts.free_margin.tolist() == [100.0, -100.0, 1_500.0]
    # Withdrawn, the position no longer holds its initial margin of 6,000.
    assert result.may_open.tolist() == [True, False, False]


def test_a_transfer_conserves_money() -> None:
    book = cross()
    result = one(book, "transfer", row=[0, 0], account=["bob", "bob"], price=[NAN, 61_000.0])
    assert result.realized_pnl.tolist() == [0.0, 1_000.0]
    assert result.source is not None
    total = result.after.accounts.equity + result.source.accounts.equity
    # Sold at 61,000 while the mark is 60,000: what one gains the other loses.
    assert total.tolist() == [12_000.0, 12_000.0]
    assert result.source.accounts.equity.tolist() == [8_000.0, 9_000.0]


def test_a_position_opened_by_a_sequence_is_the_next_row() -> None:
    book = cross()
    changes = lc.Changes(
        ["order", "close", "order"],
        row=[-1, 2, -1],
        account=["ann", None, "ann"],
        instrument=["ETH", None, "ETH"],
        quantity=[2.0, NAN, 1.0],
        price=[2_500.0, 2_600.0, 2_500.0],
        leverage=10.0,
    )
    result = lc.what_if(ENGINE, book, MARKS, changes, sequence=True)
    assert result.quantity.tolist() == [2.0, 0.0, 1.0]
    assert result.wallet_balance.tolist() == [8_000.0, 8_200.0, 8_200.0]
    alone = lc.what_if(ENGINE, book, MARKS, changes)
    assert [(each.row, each.status) for each in alone.failures()] == [(1, ChangeStatus.UNKNOWN_ROW)]


def test_a_long_sequence_is_its_last_state() -> None:
    """More changed rows than are looked through one by one, and more evaluations than fit at once."""
    rows = 300
    book = lc.PositionBook(
        ["BTC"] * rows, [1.0] * rows, [60_000.0] * rows, leverage=10.0, isolated_margin=[6e3] * rows
    )
    row = np.tile(np.arange(rows), 60)
    changes = lc.Changes("margin", row=row, amount=np.ones(row.size))
    result = lc.what_if(ENGINE, book, MARKS, changes, sequence=True, threads=2)
    assert (result.isolated_margin == 6_000.0 + np.arange(row.size) // rows + 1).all()
    labelled = lc.what_if(ENGINE, book, MARKS, changes, sequence=row, threads=2)
    assert labelled.isolated_margin.tolist() == result.isolated_margin.tolist()


def test_a_flip_beyond_the_last_tier_says_so() -> None:
    result = one(isolated(), "order", row=0, quantity=[-18.0], price=[60_000.0])
    assert lc.Status(result.after.positions.status[0]) is lc.Status.TIER_OVERFLOW
    assert not result.may_open[0]


def test_instruments_that_only_changes_name() -> None:
    book = lc.PositionBook(["ETH"], [1.0], [2_500.0], ["ann"], "cross", wallet_balance={"ann": 9_000.0})
    order = {
        "account": ["ann"],
        "instrument": ["BTC"],
        "quantity": [1.0],
        "leverage": 10.0,
        "price": [60_000.0],
    }
    assert one(book, "order", **order).after.accounts.maintenance_margin[0] == 625.0
    missing = one(book, "order", marks=[2_500.0], **order)
    assert lc.Status(missing.after.positions.status[0]) is lc.Status.MISSING_MARK_PRICE


ORDER = {"account": ["ann"], "quantity": [1.0]}
REFUSED: list[tuple[ChangeStatus, str, dict[str, Any]]] = [
    (ChangeStatus.UNKNOWN_ROW, "close", {"row": 7}),
    (ChangeStatus.UNKNOWN_ROW, "close", {}),
    (ChangeStatus.UNKNOWN_ROW, "none", {}),
    (ChangeStatus.UNKNOWN_ACCOUNT, "wallet", {"amount": [1.0]}),
    (ChangeStatus.UNKNOWN_ACCOUNT, "wallet", {"account": ["eve"], "amount": [1.0]}),
    (ChangeStatus.UNKNOWN_ACCOUNT, "close", {"row": 0, "account": ["bob"]}),
    (ChangeStatus.UNKNOWN_ACCOUNT, "transfer", {"row": 0, "account": ["ann"]}),
    (ChangeStatus.UNKNOWN_ACCOUNT, "transfer", {"row": 0}),
    (ChangeStatus.UNKNOWN_INSTRUMENT, "order", ORDER),
    (ChangeStatus.UNKNOWN_INSTRUMENT, "order", ORDER | {"instrument": ["DOGE"]}),
    (ChangeStatus.UNKNOWN_INSTRUMENT, "close", {"row": 0, "instrument": ["ETH"]}),
    (ChangeStatus.UNKNOWN_ASSET, "collateral", {"account": ["ann"], "asset": ["USDT"], "amount": [1.0]}),
    (ChangeStatus.UNKNOWN_TABLE, "tiers", {"row": 0}),
    (ChangeStatus.UNKNOWN_TABLE, "tiers", {"row": 0, "table": 5}),
    (ChangeStatus.UNKNOWN_TABLE, "tiers", {"row": 1, "table": 0}),
    *((ChangeStatus.INVALID_QUANTITY, "order", {"row": 0, "quantity": [x]}) for x in (NAN, math.inf, 0.0)),
    *((ChangeStatus.INVALID_PRICE, "close", {"row": 0, "price": [bad]}) for bad in (0.0, -1.0, math.inf)),
    *((ChangeStatus.INVALID_FEE, "close", {"row": 0, "fee_rate": [x]}) for x in (NAN, 1.0, -1.0, math.inf)),
    *((ChangeStatus.INVALID_LEVERAGE, "leverage", {"row": 0, "leverage": [x]}) for x in (NAN, 0.0, math.inf)),
    *((ChangeStatus.INVALID_AMOUNT, "wallet", {"account": ["ann"], "amount": [x]}) for x in (NAN, math.inf)),
    (ChangeStatus.NO_POSITION, "close", {"account": ["ann"], "instrument": ["ETH"]}),
    (ChangeStatus.NO_POSITION, "flip", {"row": 2}),
    (ChangeStatus.NOT_ISOLATED, "margin", {"row": 0, "amount": [1.0]}),
    (ChangeStatus.ISOLATED_ONLY, "tiers", {"row": 0, "table": 1}),
    (ChangeStatus.MISSING_MARGIN, "order",
     {"instrument": ["BTC"], "margin_mode": "isolated", "quantity": [1.0], "price": [60_000.0]}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "kind", "columns"), REFUSED)
def test_a_change_is_refused_with_its_status(
    status: ChangeStatus, kind: str, columns: dict[str, Any]
) -> None:
    book = lc.PositionBook(
        ["BTC", "ETH", "BTC"], [1.0, -10.0, 0.0], [60_000.0, 2_500.0, NAN], ["ann", "bob", "cid"], "cross",
        leverage=[10.0] * 3, wallet_balance={"ann": 8_000.0, "bob": 4_000.0, "cid": 0.0},
    )  # fmt: skip
    tables = [lc.Instrument("BTC", "linear", TIERS, isolated_only=only) for only in (False, True)]
    result = one(book, kind, tables=tables, **columns)
    assert ChangeStatus(result.status[0]) is status
    assert [(each.row, each.status) for each in result.failures()] == [(0, status)]
    assert np.isnan(result.column("quantity")).all()
    assert not result.may_open[0]
    assert not result.liquidated_at_once[0]
    for side in (result.after.positions, result.after.accounts):
        assert side.state[0] == lc.State.INCOMPLETE
        assert all(np.isnan(side[name][0]) for name in side.measures)
    assert result.after.positions.status[0] == lc.Status.NO_POSITION
    assert result.after.accounts.status[0] == lc.AccountStatus.NO_ACCOUNT


def test_every_refusal_is_met() -> None:
    elsewhere = {ChangeStatus.APPLIED, ChangeStatus.MIXED_SETTLEMENT}
    assert {status for status, _, _ in REFUSED} | elsewhere == set(ChangeStatus)


def test_a_wallet_holds_one_currency() -> None:
    policy = POLICY.with_instruments(
        [
            lc.Instrument("U", "linear", TIERS, settlement="USDT"),
            lc.Instrument("C", "linear", TIERS, settlement="USDC"),
        ]
    )
    book = lc.PositionBook(
        ["U"], [1.0], [100.0], ["ann"], "cross", wallet_balance={"ann": 50.0}, leverage=[5.0]
    )
    changes = lc.Changes(
        "order", account=["ann", "ann"], instrument=["C", "C"], quantity=[1.0, 1.0], leverage=5.0,
        margin_mode=["cross", "isolated"],
    )  # fmt: skip
    result = lc.what_if(lc.Engine(policy), book, {"U": 100.0, "C": 100.0}, changes)
    assert [each.status for each in result.failures()] == [ChangeStatus.MIXED_SETTLEMENT] * 2


def test_a_refused_change_leaves_its_sequence_as_it_was() -> None:
    changes = lc.Changes("wallet", account=["ann"] * 3, amount=[100.0, NAN, 1.0])
    result = lc.what_if(ENGINE, cross(), MARKS, changes, sequence=True)
    assert result.wallet_balance.tolist()[::2] == [8_100.0, 8_101.0]
    assert result.before is not None
    assert result.before.accounts.equity.tolist() == [8_000.0, 8_100.0, 8_100.0]


def test_a_margin_mode_whose_rules_are_unknown_is_refused() -> None:
    engine = lc.Engine(lc.policy("mexc-linear").replace(closing_fee_rate=0.0006).with_instruments(
        [lc.Instrument("X", "linear", lc.TierTable.single_rate("0.01"))]
    ))  # fmt: skip
    book = lc.PositionBook(
        ["X"], [1.0], [100.0], ["ann"], isolated_margin=[20.0], accounts=["ann"], wallet_balance=[50.0]
    )
    order = lc.Changes("order", account=["ann"], instrument=["X"], quantity=[1.0], leverage=5.0)
    with pytest.raises(UnknownRuleError, match="requirement_basis_cross"):
        lc.what_if(engine, book, {"X": 100.0}, order)


def test_memory_is_used_again() -> None:
    changes = lc.Changes(["close", "none"], row=[0, 1])
    first = lc.what_if(ENGINE, cross(), MARKS, changes)
    results = first.after.positions.buffers[0]
    again = lc.what_if(ENGINE, cross(), MARKS, changes, out=first)
    assert again is first
    assert again.after.positions.buffers[0] is results
    with pytest.raises(ShapeError, match="fit the changes"):
        lc.what_if(ENGINE, cross(), MARKS, lc.Changes("close", row=[0]), out=first)
    with pytest.raises(ShapeError, match="before: False"):
        lc.what_if(ENGINE, cross(), MARKS, changes, before=False, out=first)
    with pytest.raises(InputError, match="same measures"):
        lc.what_if(ENGINE, cross(), MARKS, changes, measures=("equity",), out=first)


@pytest.mark.parametrize("kind", ["close", "flip"])
def test_part_of_what_is_closed_or_flipped_is_an_order(kind: str) -> None:
    lc.Changes([kind, "order"], row=0, quantity=[NAN, -0.1])
    with pytest.raises(InputError, match=f"quantity: must be absent of a {kind}.*found 0.1; first bad row 1"):
        lc.Changes(["order", kind], row=0, quantity=[-0.1, 0.1])


@pytest.mark.parametrize(
    "other",
    [
        lc.Instrument("BTC", "inverse", TIERS, settlement="BTC"),
        lc.Instrument("BTC", "linear", TIERS, contract_size=0.1),
    ],
    ids=["payoff", "size"],
)
def test_a_table_of_another_contract_is_refused(other: lc.Instrument) -> None:
    change = lc.Changes("tiers", row=0, table=0)
    with pytest.raises(InputError, match="tables: must be of the contract BTC of generic"):
        lc.what_if(ENGINE, cross(), MARKS, change, tables=[other])


def test_bad_calls() -> None:
    book, changes = cross(), lc.Changes("close", row=[0])
    with pytest.raises(InputError, match="kind of change"):
        lc.Changes(["buy"])
    with pytest.raises(InputError, match="kind of change"):
        lc.Changes(np.array([99]))
    with pytest.raises(ShapeError, match="one value a row"):
        lc.Changes(["close", "close"], quantity=[1.0])
    with pytest.raises(ShapeError, match="one value a change"):
        lc.Changes(["close", "close"], row=[0])
    with pytest.raises(DTypeError, match="whole numbers"):
        lc.Changes("close", row=[0.5])
    with pytest.raises(InputError, match="margin mode"):
        lc.Changes("order", row=[0], margin_mode="both")
    with pytest.raises(DTypeError, match="engine"):
        lc.what_if(POLICY, book, MARKS, changes)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="changes"):
        lc.what_if(ENGINE, book, MARKS, [("close", 0)])  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="out"):
        lc.what_if(ENGINE, book, MARKS, changes, out=ENGINE.evaluate(book, MARKS))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="reducing"):
        lc.what_if(ENGINE, book, MARKS, changes, reducing="all")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="sequence"):
        lc.what_if(ENGINE, book, MARKS, changes, sequence=[1, 2])
    with pytest.raises(DTypeError, match="tables"):
        lc.what_if(ENGINE, book, MARKS, changes, tables=[TIERS])  # type: ignore[list-item]
    with pytest.raises(InputError, match="was not computed"):
        lc.what_if(ENGINE, book, MARKS, changes, measures=("equity",)).after.positions.column("notional")


def test_no_changes_and_no_rows() -> None:
    none = lc.what_if(ENGINE, cross(), MARKS, lc.Changes([], row=[]))
    assert len(none) == 0
    assert none.may_open.size == none.max_leverage.size == 0
    empty = lc.PositionBook([], [], [])
    opened = lc.Changes("order", instrument=["BTC"], quantity=[1.0], leverage=10.0, margin_mode="isolated")
    assert lc.what_if(ENGINE, empty, MARKS, opened).after.positions.equity.tolist() == [6_000.0]


def test_results_are_columns() -> None:
    result = one(cross(), "close", row=[0, 1])
    assert result.keys() == ("change", *result.measures, "status")
    assert result.after.accounts.keys() == ("change", *ACCOUNT_MEASURES, "state", "status")
    assert result.after.positions.to_dict().keys() == {
        "change",
        *result.after.positions.measures,
        "state",
        "status",
    }
    assert result.frame().names[0] == "change"
    with pytest.raises(ReadOnlyError, match="cannot be set"):
        result.after.positions.book = cross()
    assert all(len(column) == 2 for column in result.to_dict().values())
    assert repr(result) == "WhatIf(2 changes, 0 refused)"
    assert repr(result.changes) == "Changes(2 close)"


def test_the_words_of_changes_are_those_of_the_core() -> None:
    for kind, table in ((ChangeKind, _levcore.change_kinds()), (ChangeStatus, _levcore.change_statuses())):
        assert [(each.value, each.name.lower()) for each in kind] == [
            (code, name.lower()) for code, name, _ in table
        ]
        assert [each.describe() for each in kind] == [meaning for _, _, meaning in table]
