"""Memory that is used again: never an input's, and never with another book's labels after a refusal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore.engine.shared_memory import COLUMNS
from levcore.errors import AliasError, InputError

ENGINE = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
MARKS = {"BTCUSDT": 61_000.0}


def columns() -> dict[str, npt.NDArray[np.float64]]:
    """Columns of four positions."""
    return {
        "quantity": np.full(4, 0.5),
        "entry_price": np.full(4, 60_000.0),
        "isolated_margin": np.full(4, 3_000.0),
        "leverage": np.full(4, 10.0),
        "accrued_funding": np.full(4, -1.0),
        "risk_limit": np.full(4, 1e5),
    }


def book_of(given: dict[str, Any]) -> lc.PositionBook:
    return lc.PositionBook(["BTCUSDT"] * 4, **given)


def through_a_buffer(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same memory under another owner, which NumPy does not trace back."""
    view: npt.NDArray[np.float64] = np.frombuffer(column.data, dtype=np.float64)
    return view


@pytest.mark.parametrize("name", sorted(columns()))
def test_a_result_on_the_memory_of_an_input_is_refused(name: str) -> None:
    out = ENGINE.evaluate(book_of(columns()), MARKS)
    before = {
        measure.name: out[measure.name].copy() for measure in lc.MEASURES if measure.name in out.measures
    }
    overlapping = book_of(columns() | {name: through_a_buffer(out.buffers[0][0, :4])})
    with pytest.raises(AliasError, match=name):
        ENGINE.evaluate(overlapping, MARKS, out=out)
    for measure, column in before.items():
        assert np.array_equal(out[measure], column, equal_nan=True)


def test_marks_on_the_memory_of_the_result_are_refused() -> None:
    out = ENGINE.evaluate(book_of(columns()), MARKS)
    with pytest.raises(AliasError, match="marks"):
        ENGINE.evaluate(book_of(columns()), through_a_buffer(out.buffers[0][0, :1]), out=out)


def test_every_column_that_the_core_borrows_is_looked_at() -> None:
    assert set(columns()) <= set(COLUMNS)


def account(name: str, wallet: Any, **more: Any) -> lc.PositionBook:
    return lc.PositionBook(
        ["BTCUSDT"],
        [0.5],
        [60_000.0],
        account=[name],
        margin_mode="cross",
        accounts=[name],
        wallet_balance=wallet,
        leverage=[10.0],
        **more,
    )


def test_a_refused_call_leaves_the_result_with_its_own_book() -> None:
    ann, bob = account("ann", [3_000.0]), account("bob", [500.0])
    out = ENGINE.evaluate(ann, MARKS)
    equity = out.accounts.equity.copy()
    with pytest.raises(InputError):
        ENGINE.evaluate(bob, MARKS, out=out, threads=1_000)
    assert out.book is ann
    assert out.accounts.ids == ("ann",)
    assert np.array_equal(out.accounts.equity, equity)
    assert ENGINE.evaluate(bob, MARKS, out=out) is out
    assert out.accounts.ids == ("bob",)


def test_a_wallet_column_is_borrowed_or_named_as_copied() -> None:
    wallets = np.array([3_000.0])
    book = account("ann", wallets)
    assert "wallet_balance" not in book.copied
    wallets[0] = 4_000.0
    assert ENGINE.evaluate(book, MARKS).accounts.equity[0] == 4_500.0
    two = lc.PositionBook(
        ["BTCUSDT", "BTCUSDT"],
        [0.5, 0.5],
        [60_000.0, 60_000.0],
        account=["ann", "eve"],
        margin_mode="cross",
        accounts=["ann"],
        wallet_balance=wallets,
    )
    assert "wallet_balance" in two.copied
