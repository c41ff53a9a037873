"""The kernel equals the reference to the bit on hedged legs and balances, whatever set, threads and order."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from support.comparison import assert_same_risk, same_bits
from support.pooled_books import random_book
from support.pooled_parity import SEEDS, assert_kernel_equals_reference


@given(SEEDS)
def test_kernel_equals_reference(seed: int) -> None:
    drawn = random_book(seed)
    assert_kernel_equals_reference(drawn, drawn.book())


@given(SEEDS, st.randoms(use_true_random=False))
def test_order_of_accounts_does_not_matter(seed: int, random: Random) -> None:
    drawn = random_book(seed, 40)
    rows = accounts_shuffled(drawn.columns["account"], random)
    balances = None if drawn.balances is None else accounts_shuffled(drawn.balances["account"], random)
    straight, shuffled = drawn.evaluate(drawn.book()), drawn.evaluate(drawn.book(rows, balances))
    for name in straight.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(straight[name][rows], shuffled[name]), name
    if balances is not None:
        for name, column in straight.balances.to_dict().items():
            if name not in ("account", "asset"):
                assert same_bits(column[balances], shuffled.balances.to_dict()[name]), name
    places = {label: place for place, label in enumerate(straight.accounts.ids)}
    order = [places[label] for label in shuffled.accounts.ids]
    for name, column in straight.accounts.to_dict().items():
        if name != "account":
            assert same_bits(column[order], shuffled.accounts.to_dict()[name]), name


def accounts_shuffled(accounts: list[int], random: Random) -> npt.NDArray[np.int64]:
    """Order of rows in which accounts are mixed, each in its own order: sums go by the order of rows."""
    order = list(range(len(accounts)))
    random.shuffle(order)
    left: dict[int, list[int]] = {}
    for row in reversed(range(len(accounts))):
        left.setdefault(accounts[row], []).append(row)
    return np.array([left[accounts[row]].pop() for row in order], dtype=np.int64)


@given(SEEDS, st.randoms(use_true_random=False))
def test_order_of_rows_is_no_more_than_rounding(seed: int, random: Random) -> None:
    drawn = random_book(seed, spoiled=False)
    rows = list(range(len(drawn.columns["quantity"])))
    random.shuffle(rows)
    order = np.array(rows, dtype=np.int64)
    straight, shuffled = drawn.evaluate(drawn.book()), drawn.evaluate(drawn.book(order))
    failed = straight.status >= lc.Status.ACCOUNT_INCOMPLETE
    assert np.array_equal(failed[order], shuffled.status >= lc.Status.ACCOUNT_INCOMPLETE)
    for name in ("notional", "unrealized_pnl"):
        assert same_bits(straight[name][order], shuffled[name]), name
    np.testing.assert_allclose(shuffled.equity, straight.equity[order], rtol=1e-9, atol=1e-9)


@given(SEEDS)
def test_out_holds_the_same_as_fresh_memory(seed: int) -> None:
    drawn = random_book(seed)
    book = drawn.book()
    expected, out = drawn.evaluate(book), drawn.evaluate(book)
    for buffer in (*out.buffers, *out.accounts.buffers, *out.balances.buffers):
        buffer.fill(77)
    assert drawn.evaluate(book, out=out) is out
    assert_same_risk(out, expected)


@pytest.mark.parametrize("hedge_requirement", ["sum", "larger_leg", "larger_side", "covered"])
@pytest.mark.parametrize("liabilities_count_as", ["negative_equity", "requirement"])
def test_kernel_equals_reference_across_blocks(hedge_requirement: str, liabilities_count_as: str) -> None:
    drawn = random_book(
        2026,
        3_000,
        policies=2,
        hedge_requirement=hedge_requirement,
        liabilities_count_as=liabilities_count_as,
    )
    assert_kernel_equals_reference(drawn, drawn.book())
