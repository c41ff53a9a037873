"""The closed vocabularies: the same in Python and Rust, and every code is met by some row."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore
from levcore.measures import DEFAULT_MEASURES
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL
from support.random_books import by_contracts, by_risk_limit

TIERS = lc.TierTable.marginal([(0, "0.01"), (1_000, "0.02")], unit="quote", cap=10_000)
POLICY = (
    lc.policy("generic")
    .replace(warning_level=0.5, margin_call_level=0.8, liabilities_count_as="negative_equity")
    .with_assets([lc.Asset("USD")])
    .with_instruments(
        [
            lc.Instrument("X", "linear", TIERS),
            lc.Instrument("IN-USD", "linear", TIERS, settlement="USD"),
            lc.Instrument("LIMIT", "linear", by_risk_limit()),
            lc.Instrument("FLAT", "linear", by_contracts()),
            lc.Instrument("TOP", "linear", lc.TierTable.single_rate("0.01", 4)),
            lc.Instrument("TOP-USD", "linear", lc.TierTable.single_rate("0.01", 4), settlement="USD"),
        ]
    )
)
FEE_AT_BANKRUPTCY = POLICY.replace(
    closing_fee_basis="bankruptcy", closing_fee_rate=0.001, closing_fee_bankruptcy_cross="leverage"
)
FROZEN_AT_ENTRY = POLICY.replace(requirement_basis_isolated="entry", requirement_basis_cross="entry")
BY_INITIAL_TABLE = POLICY.replace(initial_margin_rule="table")
NAN, INFINITE = math.nan, math.inf


@dataclass(frozen=True)
class Row:
    """One position that ends in a status; the defaults are an ordinary one."""

    quantity: float = 1.0
    entry_price: float = 100.0
    mark: float = 100.0
    instrument: str = "X"
    isolated_margin: float = 20.0
    leverage: float = 5.0
    accrued_funding: float = 0.0
    risk_limit: float = NAN
    wallet: float | None = None
    legs: int = 1
    # In USD, instead of a wallet, at this price of USD.
    balance: float | None = None
    price: float = 1.0
    policy: lc.MarginPolicy = field(default=POLICY, repr=False)

    def evaluate(self, by: str = "kernel") -> lc.BookRisk:
        columns: dict[str, Any] = {
            name: [getattr(self, name)]
            for name in ("quantity", "entry_price", "leverage", "accrued_funding", "risk_limit")
        }
        columns = {name: column * self.legs for name, column in columns.items()}
        prices = None
        if self.balance is not None:
            columns |= {"margin_mode": "cross", "balances": lc.Balances(["one"], ["USD"], [self.balance])}
            prices = {"USD": self.price}
        elif self.wallet is None:
            columns["isolated_margin"] = [self.isolated_margin]
        else:
            columns |= {"margin_mode": "cross", "wallet_balance": self.wallet}
        book = lc.PositionBook([self.instrument] * self.legs, **columns)
        marks = {self.instrument: self.mark}
        if by == "reference":
            return lc.reference.evaluate(book, self.policy, marks, asset_prices=prices)
        return lc.Engine(self.policy).evaluate(book, marks, asset_prices=prices)

    @property
    def is_cross(self) -> bool:
        return self.wallet is not None or self.balance is not None


ROWS: dict[lc.Status, list[Row]] = {
    lc.Status.OK: [
        Row(),
        Row(wallet=50.0),
        Row(instrument="IN-USD", balance=50.0),
        Row(instrument="FLAT"),
        Row(instrument="LIMIT", risk_limit=5.0),
    ],
    lc.Status.NO_LIQUIDATION_PRICE: [
        Row(isolated_margin=100.0),
        Row(isolated_margin=500.0),
        Row(wallet=100.0),
    ],
    lc.Status.FLAT: [
        Row(quantity=0.0),
        Row(quantity=-0.0),
        Row(quantity=0.0, wallet=1.0),
        Row(quantity=0.0, mark=NAN),
    ],
    lc.Status.MISSING_LEVERAGE: [Row(leverage=NAN), Row(leverage=NAN, wallet=50.0)],
    lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY: [Row(isolated_margin=0.5, mark=120.0)],
    lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER: [Row(quantity=-1.0, isolated_margin=20_000.0)],
    lc.Status.ALREADY_LIQUIDATABLE: [Row(mark=80.7), Row(mark=50.0), Row(mark=80.0, wallet=20.0)],
    lc.Status.NO_BANKRUPTCY_PRICE: [
        # At 1x the margin is the whole value at entry: the equity ends where the price does.
        Row(isolated_margin=100.0, leverage=1.0, policy=FROZEN_AT_ENTRY),
        Row(wallet=100.0, leverage=1.0, policy=FROZEN_AT_ENTRY),
    ],
    lc.Status.LEVERAGE_ABOVE_TIER: [
        Row(instrument="TOP"),
        Row(instrument="TOP", quantity=-1.0, leverage=4.0 + 2.0**-50),
        Row(instrument="TOP", wallet=50.0),
        Row(instrument="TOP-USD", balance=50.0),
        # Over findings that say no more than that there is no price.
        Row(instrument="TOP", isolated_margin=500.0),
        Row(instrument="TOP", wallet=500.0),
        Row(instrument="TOP-USD", balance=500.0),
        Row(instrument="TOP", isolated_margin=100.0, policy=FROZEN_AT_ENTRY),
    ],
    lc.Status.MISSING_INITIAL_TIERS: [
        Row(policy=BY_INITIAL_TABLE),
        Row(policy=BY_INITIAL_TABLE, wallet=50.0),
        Row(policy=BY_INITIAL_TABLE, instrument="IN-USD", balance=50.0),
    ],
    lc.Status.ACCOUNT_INCOMPLETE: [Row(wallet=NAN), Row(wallet=INFINITE), Row(wallet=-INFINITE)],
    lc.Status.INVALID_QUANTITY: [
        Row(quantity=NAN),
        Row(quantity=INFINITE),
        Row(quantity=-INFINITE, wallet=1.0),
    ],
    lc.Status.INVALID_ENTRY_PRICE: [
        Row(entry_price=value, wallet=wallet)
        for value in (NAN, INFINITE, 0.0, -0.0, -1.0, -INFINITE)
        for wallet in (None, 1.0)
    ],
    lc.Status.UNKNOWN_INSTRUMENT: [Row(instrument="Y"), Row(instrument="Y", wallet=1.0), Row(instrument="x")],
    lc.Status.MISSING_MARK_PRICE: [Row(mark=NAN), Row(mark=NAN, wallet=1.0)],
    lc.Status.INVALID_MARK_PRICE: [
        Row(mark=value, wallet=wallet)
        for value in (0.0, -0.0, -1.0, INFINITE, -INFINITE)
        for wallet in (None, 1.0)
    ],
    lc.Status.WITHOUT_MARGIN: [
        Row(isolated_margin=NAN, leverage=NAN),
        Row(isolated_margin=NAN, leverage=NAN, policy=FEE_AT_BANKRUPTCY),
        Row(quantity=0.0, isolated_margin=NAN, leverage=NAN),
    ],
    lc.Status.INVALID_MARGIN: [
        Row(isolated_margin=INFINITE),
        Row(isolated_margin=-INFINITE),
        Row(isolated_margin=INFINITE, quantity=0.0),
    ],
    lc.Status.INVALID_LEVERAGE: [
        Row(leverage=value, wallet=wallet)
        for value in (1.0 - 2.0**-53, 0.5, 5e-324, 0.0, -0.0, -1.0, INFINITE, -INFINITE)
        for wallet in (None, 1.0)
    ],
    lc.Status.MISSING_REQUIRED_LEVERAGE: [Row(leverage=NAN, wallet=1.0, policy=FEE_AT_BANKRUPTCY)],
    lc.Status.INVALID_FUNDING: [
        Row(accrued_funding=value, wallet=wallet)
        for value in (NAN, INFINITE, -INFINITE)
        for wallet in (None, 1.0)
    ],
    lc.Status.TIER_OVERFLOW: [
        Row(quantity=101.0),
        Row(quantity=-101.0, wallet=1e9),
        Row(instrument="LIMIT", risk_limit=1e8),
        Row(instrument="FLAT", quantity=1e14),
    ],
    lc.Status.MISSING_RISK_LIMIT: [Row(instrument="LIMIT"), Row(instrument="LIMIT", wallet=1.0)],
    lc.Status.INVALID_RISK_LIMIT: [
        Row(instrument="LIMIT", risk_limit=value, wallet=wallet)
        for value in (0.0, -0.0, -1.0, INFINITE, -INFINITE)
        for wallet in (None, 1.0)
    ],
    lc.Status.NUMERIC_OVERFLOW: [
        Row(instrument="LIMIT", risk_limit=5.0, quantity=1e300, mark=1e10),
        Row(instrument="LIMIT", risk_limit=5.0, quantity=1e300, mark=1e10, wallet=1.0),
        Row(instrument="LIMIT", risk_limit=5.0, quantity=1e300, entry_price=1e10),
        Row(isolated_margin=1.7e308, accrued_funding=1.7e308),
        Row(isolated_margin=1.7e308, accrued_funding=1.7e308, quantity=0.0),
    ],
    lc.Status.DUPLICATE_LEG: [Row(wallet=50.0, legs=2)],
    lc.Status.UNKNOWN_SETTLEMENT: [Row(balance=50.0)],
    lc.Status.MISSING_ASSET_PRICE: [Row(instrument="IN-USD", balance=50.0, price=NAN)],
    lc.Status.INVALID_ASSET_PRICE: [
        Row(instrument="IN-USD", balance=50.0, price=value) for value in (0.0, -0.0, -1.0, INFINITE)
    ],
}

BALANCES: dict[lc.Status, dict[str, Any]] = {
    lc.Status.NO_LIQUIDATION_PRICE: {},
    lc.Status.ALREADY_LIQUIDATABLE: {"liability": 11.0},
    lc.Status.UNKNOWN_ASSET: {"asset": "EUR"},
    lc.Status.MISSING_ASSET_PRICE: {"price": NAN},
    lc.Status.INVALID_ASSET_PRICE: {"price": -1.0},
    lc.Status.INVALID_BALANCE: {"balance": NAN},
}
"""Balances that end in a status; the default is 10 USD at 1."""


def test_every_status_is_met() -> None:
    # A row that is not there is met by a what-if alone, one that is refused by a comparison: tests/changes,
    # tests/comparison.
    assert set(ROWS) | set(BALANCES) | {lc.Status.NO_POSITION, lc.Status.REFUSED} == set(lc.Status)


TOP_OF_TWO = lc.TierTable.marginal([(0, "0.01", 0, 4), (50, "0.02", "0.5", 4)], unit="quote", cap=1_000)
PRECEDENCE: list[tuple[lc.Status, Row]] = [
    # What says how to read a price, or that the position is gone, stands before the leverage.
    (lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY, Row(instrument="TOP", isolated_margin=0.5, mark=120.0)),
    (lc.Status.ALREADY_LIQUIDATABLE, Row(instrument="TOP", mark=50.0)),
    (lc.Status.ALREADY_LIQUIDATABLE, Row(instrument="TOP", mark=80.0, wallet=20.0)),
    (lc.Status.ALREADY_LIQUIDATABLE, Row(instrument="TOP-USD", mark=80.0, balance=20.0)),
    (
        lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER,
        Row(
            quantity=-1.0,
            isolated_margin=2_000.0,
            policy=POLICY.with_instruments([lc.Instrument("X", "linear", TOP_OF_TWO)]),
        ),
    ),
    # A row that lacks something stands behind every finding about its prices.
    (lc.Status.NO_LIQUIDATION_PRICE, Row(policy=BY_INITIAL_TABLE, isolated_margin=500.0)),
    (lc.Status.ALREADY_LIQUIDATABLE, Row(policy=BY_INITIAL_TABLE, mark=50.0)),
    (lc.Status.MISSING_LEVERAGE, Row(policy=BY_INITIAL_TABLE, leverage=NAN)),
    (lc.Status.LEVERAGE_ABOVE_TIER, Row(policy=BY_INITIAL_TABLE, instrument="TOP")),
    # No finding hides that a row failed.
    (lc.Status.TIER_OVERFLOW, Row(policy=BY_INITIAL_TABLE, quantity=101.0)),
    (lc.Status.INVALID_FUNDING, Row(instrument="TOP", accrued_funding=NAN)),
    (lc.Status.ACCOUNT_INCOMPLETE, Row(instrument="TOP", wallet=NAN)),
    (lc.Status.DUPLICATE_LEG, Row(instrument="TOP", wallet=50.0, legs=2)),
    (lc.Status.FLAT, Row(instrument="TOP", quantity=0.0)),
]


@pytest.mark.parametrize("by", ["kernel", "reference"])
@pytest.mark.parametrize(("status", "row"), PRECEDENCE)
def test_of_several_findings_one_is_told(status: lc.Status, row: Row, by: str) -> None:
    assert lc.Status(row.evaluate(by).status[0]) is status


def test_findings_about_the_inputs_move_no_number() -> None:
    for row in (Row(instrument="TOP"), Row(instrument="TOP", wallet=50.0)):
        above, below = row.evaluate(), replace(row, leverage=4.0).evaluate()
        assert (above.status[0], below.status[0]) == (lc.Status.LEVERAGE_ABOVE_TIER, lc.Status.OK)
        assert above.state[0] == below.state[0]
        for name in set(DEFAULT_MEASURES) - {"initial_margin", "return_on_equity"}:
            assert above[name].tobytes() == below[name].tobytes(), name


@pytest.mark.parametrize(
    ("status", "change"), BALANCES.items(), ids=lambda value: getattr(value, "name", None)
)
def test_a_balance_ends_in_its_status(status: lc.Status, change: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"asset": "USD", "balance": 10.0, "liability": 0.0, "price": 1.0} | change
    balances = lc.Balances(["one"], [terms["asset"]], [terms["balance"]], liability=[terms["liability"]])
    book = lc.PositionBook([], [], [], balances=balances)
    risk = lc.Engine(POLICY).evaluate(book, {}, asset_prices={terms["asset"]: terms["price"]})
    assert lc.Status(risk.balances.status[0]) is status
    failed = [(0, status)] if status >= FIRST_PARTIAL else []
    found = risk.balances.failures()
    assert [(each.row, each.status) for each in found] == failed
    for each in found:
        assert (each.account, each.words) == ("one", status.describe())
        assert repr(each.value) == repr(terms[each.column])
    assert math.isnan(risk.balances.equity[0]) == bool(failed)
    assert (risk.accounts.status[0] == lc.AccountStatus.OK) != bool(failed)


@pytest.mark.parametrize(
    ("status", "row"),
    [(status, row) for status, rows in ROWS.items() for row in rows],
    ids=lambda value: value.name if isinstance(value, lc.Status) else None,
)
def test_a_row_ends_in_its_status(status: lc.Status, row: Row) -> None:
    risk = row.evaluate()
    assert lc.Status(risk.status[0]) is status
    assert (risk.status == status).all()
    numbers = [float(risk[name][0]) for name in DEFAULT_MEASURES]
    if status >= FIRST_FAILURE:
        assert all(map(math.isnan, numbers))
    if status >= FIRST_PARTIAL:
        assert risk.state[0] == lc.State.INCOMPLETE
        assert [failure.status for failure in risk.failures()] == [status] * row.legs
    else:
        assert risk.state[0] != lc.State.INCOMPLETE
        assert not risk.failures()
        assert math.isfinite(risk.notional[0])
    if row.is_cross and status >= FIRST_PARTIAL:
        assert all(math.isnan(column[0]) for column in risk.accounts.buffers[0])
        assert risk.accounts.state[0] == lc.State.INCOMPLETE
        assert risk.accounts.status[0] != lc.AccountStatus.OK


STATES = {
    lc.State.HEALTHY: 100.0,
    lc.State.WARNING: 81.3,
    lc.State.MARGIN_CALL: 80.9,
    lc.State.LIQUIDATION: 80.5,
    lc.State.BANKRUPT: 80.0,
    lc.State.INCOMPLETE: -1.0,
}


@pytest.mark.parametrize("state", list(lc.State), ids=lambda state: state.name)
def test_every_state_is_met(state: lc.State) -> None:
    assert lc.State(Row(mark=STATES[state]).evaluate().state[0]) is state
    assert lc.State(Row(mark=STATES[state], wallet=20.0).evaluate().accounts.state[0]) is state


def test_every_account_status_is_met() -> None:
    book = lc.PositionBook(
        ["X", "X", "X", "X"],
        [1.0, NAN, 1.0, 1.0],
        [100.0] * 4,
        account=["fine", "leg", "no wallet", "infinite"],
        margin_mode="cross",
        wallet_balance={"fine": 50.0, "leg": 50.0, "infinite": INFINITE},
    )
    accounts = lc.Engine(POLICY).evaluate(book, {"X": 100.0}).accounts
    found = dict(zip(accounts.ids, map(lc.AccountStatus, accounts.status), strict=True))
    assert found == {
        "fine": lc.AccountStatus.OK,
        "leg": lc.AccountStatus.INCOMPLETE,
        "no wallet": lc.AccountStatus.MISSING_WALLET_BALANCE,
        "infinite": lc.AccountStatus.INVALID_WALLET_BALANCE,
    }
    # Those of distances and changes, and of accounts in several currencies: their tests meet them.
    beyond = {lc.AccountStatus.NO_COMMON_RAY, lc.AccountStatus.NO_ACCOUNT, lc.AccountStatus.REFUSED}
    beyond |= {
        lc.AccountStatus.MIXED_SETTLEMENT,
        lc.AccountStatus.MISSING_WALLET_CURRENCY,
        lc.AccountStatus.SEVERAL_WALLETS,
    }
    assert set(found.values()) | beyond == set(lc.AccountStatus)
    assert [each.account for each in accounts.failures()] == ["leg", "infinite", "no wallet"]


def test_a_failed_leg_never_leaves_its_account_healthy() -> None:
    book = lc.PositionBook(
        ["X", "FLAT", "GONE"],
        [1.0, -2.0, 1.0],
        [100.0] * 3,
        leverage=[5.0] * 3,
        margin_mode="cross",
        wallet_balance=1_000_000.0,
    )
    risk = lc.Engine(POLICY).evaluate(book, {"X": 100.0, "FLAT": 100.0, "GONE": 1.0})
    assert risk.status.tolist() == [16, 16, 34]
    # What a leg is worth by itself stays; what depends on the account does not.
    assert risk.notional[:2].tolist() == [100.0, 200.0]
    for name in (
        "equity",
        "margin_ratio",
        "effective_leverage",
        "liquidation_price",
        "distance_to_liquidation",
    ):
        assert np.isnan(risk[name]).all(), name
    assert (risk.state == lc.State.INCOMPLETE).all()


def test_statuses_are_those_of_the_core() -> None:
    assert [(code, name) for code, name, _ in _levcore.statuses()] == [
        (each.value, each.name) for each in lc.Status
    ]
    for code, _, meaning in _levcore.statuses():
        assert lc.Status(code).describe() == meaning


def test_account_statuses_are_those_of_the_core() -> None:
    found = [(code, name) for code, name, _ in _levcore.account_statuses()]
    assert found == [(each.value, each.name) for each in lc.AccountStatus]
    for code, _, meaning in _levcore.account_statuses():
        assert lc.AccountStatus(code).describe() == meaning


def test_states_are_those_of_the_core() -> None:
    assert [(code, name) for code, name, _ in _levcore.states()] == [
        (each.value, each.name) for each in lc.State
    ]
    assert all(meaning for _, _, meaning in _levcore.states())


def test_bounds_between_findings_partial_results_and_failures() -> None:
    for status in lc.Status:
        assert status.is_finding == (0 < status < FIRST_PARTIAL)
        assert status.is_failure == (status >= FIRST_FAILURE)
        # A failure points to a column of the book or to the marks, or is one of a balance; a partial result
        # points to another row.
        of_a_call = (lc.Status.NO_POSITION, lc.Status.REFUSED)
        known = bool(status.column) or (status in BALANCES) or status in of_a_call
        assert known or not status.is_failure
