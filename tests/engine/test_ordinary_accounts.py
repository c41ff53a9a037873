"""Ordinary accounts are settled side by side, others alone: each has the bits of a book of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import levcore as lc
from support.comparison import same_bits

POLICY = lc.policy("binance-usdm")
MARKS = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}

Leg = tuple[str, float, float]
ORDINARY: list[Leg] = [("BTCUSDT", 2.0, 61_000.0), ("ETHUSDT", -9.0, 2_900.0), ("BTCUSDT", -0.5, 59_000.0)]
OTHERS: dict[str, list[Leg]] = {
    "flat": [("BTCUSDT", 1.0, 58_000.0), ("BTCUSDT", -1.0, 61_000.0), ("ETHUSDT", 0.0, 3_100.0)],
    "without an entry price": [
        ("BTCUSDT", 1.0, 58_000.0),
        ("BTCUSDT", -1.0, 61_000.0),
        ("ETHUSDT", 3.0, np.nan),
    ],
    "twice on one side": [("ETHUSDT", 1.0, 2_000.0), ("BTCUSDT", 1.0, 58_000.0), ("BTCUSDT", 2.0, 61_000.0)],
    "three in one instrument": [
        ("BTCUSDT", 1.0, 58_000.0),
        ("BTCUSDT", 2.0, 61_000.0),
        ("BTCUSDT", -2.0, 61_000.0),
    ],
    "an instrument nobody knows": [
        ("BTCUSDT", 1.0, 58_000.0),
        ("BTCUSDT", -2.0, 61_000.0),
        ("NONE", 1.0, 10.0),
    ],
}


def evaluated(legs: list[tuple[int, Leg]], wallets: dict[int, float], threads: int = 1) -> lc.BookRisk:
    """Risk of legs, given with their accounts, in hedge mode."""
    columns: dict[str, Any] = {
        "instrument": [name for _, (name, _, _) in legs],
        "quantity": [quantity for _, (_, quantity, _) in legs],
        "entry_price": [entry for _, (_, _, entry) in legs],
        "account": [account for account, _ in legs],
    }
    book = lc.PositionBook(
        **columns,
        leverage=np.full(len(legs), 5.0),
        margin_mode="cross",
        position_mode="hedge",
        accounts=list(wallets),
        wallet_balance=list(wallets.values()),
    )
    return lc.Engine(POLICY).evaluate(book, MARKS, threads=threads)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("by_account", [True, False])
@pytest.mark.parametrize("last", [True, False])
def test_each_account_has_the_bits_of_a_book_of_its_own(kind: str, *, by_account: bool, last: bool) -> None:
    accounts = [ORDINARY] * 11
    accounts.insert(len(accounts) if last else 4, OTHERS[kind])
    wallets = {number: 9_000.0 + 500.0 * number for number in range(len(accounts))}
    # One without a wallet is judged by nobody.
    wallets[2] = np.nan
    legs = [(number, leg) for number, legs in enumerate(accounts) for leg in legs]
    if not by_account:
        legs = [(number, legs[turn]) for turn in range(3) for number, legs in enumerate(accounts)]
    for threads in (1, 2):
        risk = evaluated(legs, wallets, threads)
        for number, own in enumerate(accounts):
            alone = evaluated([(number, leg) for leg in own], {number: wallets[number]})
            rows = [row for row, (account, _) in enumerate(legs) if account == number]
            for name in risk.keys():  # noqa: SIM118 - a BookRisk is no mapping
                assert same_bits(risk[name][rows], alone[name]), (name, number)
            for name, column in alone.accounts.to_dict().items():
                if name != "account":
                    assert same_bits(risk.accounts.to_dict()[name][[number]], column), (name, number)
