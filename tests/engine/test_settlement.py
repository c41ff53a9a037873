"""A cross account adds amounts of one currency; books that would add those of several are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from support.refusals import TIERS, Refused


def settled(name: str, settlement: str) -> lc.Instrument:
    return lc.Instrument(name, "linear", TIERS, settlement=settlement)


CURRENCIES = lc.policy("generic").with_instruments(
    [settled("A", "USDT"), settled("B", "USDC"), settled("C", "USDT"), settled("N", "")]
)
ONE_MARK = dict.fromkeys("ABCN", 100.0) | {"X": 100.0}


def legs_of(instruments: str, accounts: list[str], **columns: Any) -> lc.PositionBook:
    count = len(instruments)
    legs: dict[str, Any] = {
        "quantity": np.ones(count),
        "entry_price": np.full(count, 100.0),
        "margin_mode": "cross",
    }
    wallets = {"wallet_balance": {"a": 500.0, "b": 500.0}}
    return lc.PositionBook(list(instruments), account=accounts, **(legs | wallets | columns))


def test_a_cross_account_that_settles_in_several_currencies_is_refused() -> None:
    book = legs_of("ACNBCB", ["a", "a", "b", "b", "b", "a"])
    refused = Refused(errors.InputError, "instrument", 4, 2)
    refused.check(lambda: lc.Engine(CURRENCIES).evaluate(book, ONE_MARK))
    refused.check(lambda: lc.reference.evaluate(book, CURRENCIES, ONE_MARK))
    with pytest.raises(lc.InputError, match=r"account 'b'; expected USDC, found USDT \(C\); first bad row 4"):
        lc.Engine(CURRENCIES).evaluate(book, ONE_MARK)


@pytest.mark.parametrize(
    "book",
    [
        legs_of("AB", ["a", "b"]),
        legs_of("AB", ["a", "a"], margin_mode=["cross", "isolated"], leverage=5.0),
        legs_of("AB", ["a", "a"], margin_mode="isolated", leverage=5.0),
        legs_of("NANC", ["a", "a", "b", "b"]),
        legs_of("XAC", ["b", "a", "a"]),
    ],
    ids=["an account each", "one isolated", "both isolated", "unknown beside known", "no such instrument"],
)
def test_currencies_that_no_account_adds_up_are_not_refused(book: lc.PositionBook) -> None:
    risk = lc.Engine(CURRENCIES).evaluate(book, ONE_MARK)
    known = np.array([name != "X" for name in book.instrument_names])[book.instrument_codes]
    assert (risk.status[known] < lc.Status.INVALID_QUANTITY).all()
    assert not np.isnan(risk.unrealized_pnl[known]).any()


def test_settlement_is_that_of_the_instrument_under_the_policy_of_its_row() -> None:
    swapped = lc.policy("generic").with_instruments([settled("A", "USDC"), settled("B", "USDT")])
    engine = lc.Engine({"one": CURRENCIES, "other": swapped})
    mixed = legs_of("ACB", ["a", "a", "b"], policy=["one", "one", "other"])
    assert engine.evaluate(mixed, ONE_MARK).ok.all()
    bad = legs_of("ACAB", ["a", "a", "b", "b"], policy=["one", "one", "other", "other"])
    refused = Refused(errors.InputError, "instrument", 3, 1)
    refused.check(lambda: engine.evaluate(bad, ONE_MARK))
    refused.check(lambda: lc.reference.evaluate(bad, engine.policies, ONE_MARK))
