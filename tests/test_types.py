"""A program that uses the public interface, with the types that its author may count on.

`make lint` checks them: `assert_type` fails there where a public function loses its type. At run time it does
nothing, so that every value is looked at besides.
"""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

MARKS = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0}


def book_of_two() -> lc.PositionBook:
    """A cross account of two positions."""
    return lc.PositionBook(
        instrument=["BTCUSDT", "ETHUSDT"],
        quantity=[0.5, -4.0],
        entry_price=[60_000.0, 3_000.0],
        account=["ann", "ann"],
        margin_mode="cross",
        wallet_balance={"ann": 5_000.0},
        leverage=[10.0, 10.0],
    )


def engine() -> lc.Engine:
    """An engine under a bundled policy."""
    policy = assert_type(lc.policy("binance-usdm@2024-10-24"), lc.MarginPolicy)
    return lc.Engine(policy, threads=1)


def test_an_evaluation_has_types() -> None:
    risk = assert_type(engine().evaluate(book_of_two(), MARKS), lc.BookRisk)
    price = assert_type(risk.liquidation_price, Floats)
    assert assert_type(risk.column("equity"), Floats).shape == price.shape
    assert assert_type(risk.state, Codes).dtype == np.uint8
    assert lc.State(risk.state[0]) is lc.State.HEALTHY
    assert assert_type(risk.ok, npt.NDArray[np.bool_]).all()
    assert [failure.status for failure in risk.failures()] == []
    accounts = assert_type(risk.accounts, lc.AccountRisk)
    assert assert_type(accounts.margin_ratio, Floats).size == 1
    assert assert_type(risk.worst_state(), lc.State) is lc.State.HEALTHY
    assert assert_type(risk.failed, int) == 0
    assert assert_type(risk.policy, lc.MarginPolicy).venue == "Binance"


def test_an_output_can_be_used_again() -> None:
    first = engine().evaluate(book_of_two(), MARKS)
    again = assert_type(engine().evaluate(book_of_two(), MARKS, out=first), lc.BookRisk)
    assert again is first


def test_questions_to_accounts_have_types() -> None:
    far = lc.distance(engine(), book_of_two(), MARKS)
    assert assert_type(far.lower, Floats).size == 1
    assert assert_type(lc.quantities_to_close(engine(), book_of_two(), MARKS), Floats).size == 2
    costs = assert_type(lc.leg_costs(engine(), book_of_two(), MARKS), lc.LegCosts)
    assert len(costs.risk) == 2
    changes = lc.Changes("close", row=[0, 1])
    what = lc.what_if(engine(), book_of_two(), MARKS, changes)
    assert len(what) == 2


def test_a_plan_and_a_report_have_types(tmp_path: Path) -> None:
    plan = lc.plan(
        "BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, policies="binance-usdm", fees="regular"
    )
    text = assert_type(lc.report(plan), str)
    assert "BTCUSDT" in text
    comparison = lc.compare(book_of_two(), {"one": lc.policy("binance-usdm@2024-10-24")}, MARKS)
    assert "one" in lc.report(comparison)


def test_rules_of_your_own_have_types() -> None:
    table = assert_type(lc.TierTable.single_rate("0.01"), lc.TierTable)
    own = assert_type(lc.Instrument("X", "linear", table), lc.Instrument)
    policy = assert_type(lc.policy("binance-usdm@2024-10-24").with_instruments([own]), lc.MarginPolicy)
    assert "X" in policy.instruments
    changed = assert_type(policy.replace(liquidation_level=0.9), lc.MarginPolicy)
    assert assert_type(changed.liquidation_level, float) == 0.9
    assert [assert_type(each.name, str) for each in lc.policies()]


def test_a_read_reply_has_types() -> None:
    position: dict[str, Any] = {
        "symbol": "BTCUSDT", "positionAmt": "0.001", "marginType": "isolated", "leverage": "4",
        "entryPrice": "22185.2", "markPrice": "21123.05052574", "isolatedWallet": "5.5463",
    }  # fmt: skip
    read = lc.venues.read([position], "binance", policy="binance-usdm@2024-10-24")
    assert assert_type(read.book, lc.PositionBook).name_of(0) == "BTCUSDT"
    assert not read.left_out


def test_errors_have_fields() -> None:
    with pytest.raises(lc.InputError) as caught:
        lc.PositionBook(["BTCUSDT", "ETHUSDT"], [0.5, 1.0], [60_000.0])
    assert assert_type(caught.value.argument, str) == "entry_price"
    assert assert_type(caught.value.row, int | None) is None
