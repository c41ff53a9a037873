"""Counterfactuals of a book and what a close-out does to each."""

from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import InputError, LevcoreError
from support.closing_books import MARKS, closing_policy, random_book

POLICY = closing_policy(
    close_out_payers=("fund",), close_out_remainder="trader", close_out_before=(), trader_owes="no"
)


def named(book: lc.PositionBook, **which: Any) -> dict[str, Any]:
    return {each.name: each for each in lc.variants(book, POLICY, **which)}


def test_the_same_money_stands_behind_each_variant() -> None:
    book = lc.PositionBook(
        ["A", "A", "B", "B"],
        [1.0, -2.0, 10.0, 5.0],
        [100.0, 100.0, 20.0, 20.0],
        account=["i", "j", "x", "x"],
        margin_mode=["isolated", "isolated", "cross", "cross"],
        isolated_margin=[5.0, np.nan, np.nan, np.nan],
        leverage=[20.0, 4.0, 3.0, 3.0],
        wallet_balance={"x": 30.0},
    )
    made = named(book, widest=(0.5,), stops=(0.1,))
    assert made["at most 5x"].book.quantity.tolist() == [0.25, -2.0, 5.0, 2.5]
    assert made["at most 2x"].book.quantity.tolist() == [0.1, -1.0, 2.0, 1.0]
    assert made["size x 0.5"].book.quantity.tolist() == [0.5, -1.0, 5.0, 2.5]
    for name in ("at most 5x", "at most 2x", "size x 0.5", "no instrument over 0.5"):
        assert made[name].book.isolated_margin[:2].tolist() == [5.0, 50.0]
    apart = made["isolated"].book
    assert apart.is_cross.tolist() == [False] * 4
    assert apart.isolated_margin is not None
    assert apart.isolated_margin.tolist() == [5.0, 50.0, 20.0, 10.0]
    assert apart.wallet_balance.tolist() == [0.0]
    assert made["stop at 0.1"].stop.tolist() == [90.0, pytest.approx(110.0), 18.0, 18.0]
    assert made["no instrument over 0.5"].book.quantity.tolist() == [0.5, -1.0, 5.0, 2.5]
    assert made["as it is"].book is book


def test_less_leverage_never_liquidates_more() -> None:
    random = np.random.default_rng(12)
    columns, wallets = random_book(random, 300)
    book = lc.PositionBook(
        **columns, accounts=wallets, wallet_balance=np.round(random.lognormal(4, 1, wallets.size), 2)
    )
    marks = {name: mark * 0.85 for name, mark in MARKS.items()}
    lines = lc.outcomes(
        lc.Engine(POLICY), lc.variants(book, POLICY, at_most=(10.0, 5.0, 2.0)), marks, fund=20.0
    )
    table = {line.name: line for line in lines}
    shares = [table[name].share for name in ("as it is", "at most 10x", "at most 5x", "at most 2x")]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]
    for line in lines:
        assert line.missing == pytest.approx(line.fund + line.debt)
        assert 0 <= line.share_of_value <= 1
        assert line.liquidated == round(line.share * line.positions)


def test_a_stop_is_filled_at_the_next_price_and_saves_what_is_not_gone_by_then() -> None:
    book = lc.PositionBook(
        ["A", "A", "A"], [1.0, 1.0, -1.0], [100.0, 100.0, 100.0], isolated_margin=[20.0, 5.0, 20.0]
    )
    lines = lc.outcomes(
        lc.Engine(POLICY), lc.variants(book, POLICY, at_most=(), sizes_of=(), stops=(0.1,)), {"A": 85.0}
    )
    plain, stopped = lines
    assert (plain.liquidated, plain.stopped, plain.missing) == (1, 0, 10.0)
    assert (stopped.liquidated, stopped.stopped) == (1, 1)  # 5 of margin are gone at 85: too late
    assert stopped.loss == pytest.approx(plain.loss + 15.0)


def test_variants_refuse_what_is_none() -> None:
    book = lc.PositionBook(["A"], [1.0], [100.0], leverage=[5.0])
    for which in ({"at_most": (0.0,)}, {"sizes_of": (2.0,)}, {"stops": (np.nan,)}, {"widest": ("x",)}):
        with pytest.raises(LevcoreError, match=next(iter(which))):
            named(book, **which)
    balances = lc.Balances(["x"], ["USDT"], [5.0])
    with pytest.raises(InputError, match="balances"):
        lc.variants(lc.PositionBook([], [], [], balances=balances), POLICY)
