"""Memory that is used again: never an input's, and never with another book's labels after a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore.engine.shared_memory import COLUMNS
from levcore.errors import AliasError, InputError, LevcoreError

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


NUMBERS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")
LAYOUTS: dict[str, Callable[[npt.NDArray[np.float64]], Any]] = {
    "contiguous float64": lambda column: column,
    "float32": lambda column: column.astype(np.float32),
    "every second one": lambda column: np.repeat(column, 2)[::2],
    "other byte order": lambda column: column.astype(">f8"),
    "a list": lambda column: column.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_column_of_numbers_is_borrowed_or_named_as_copied(name: str, layout: str) -> None:
    """The one rule: contiguous float64 is seen as it changes, everything else is copied and listed."""
    given = LAYOUTS[layout](columns()[name])
    book = book_of(columns() | {name: given})
    is_borrowed = layout == "contiguous float64"
    assert (name in book.copied) != is_borrowed
    before = getattr(book, name).copy()
    given[0] = 7.0
    assert getattr(book, name)[0] == (7.0 if is_borrowed else before[0])
    assert not getattr(book, name).flags.writeable


@pytest.mark.parametrize("name", ["balance", "liability", "interest"])
def test_columns_of_balances_follow_the_same_rule(name: str) -> None:
    for layout, made in LAYOUTS.items():
        amounts = {each: np.full(2, 5.0) for each in ("balance", "liability", "interest")}
        given = made(amounts[name])
        balances = lc.Balances(["a", "b"], ["USD", "USD"], **(amounts | {name: given}))
        given[0] = 7.0
        seen = getattr(balances, name)[0] == 7.0
        assert seen == (layout == "contiguous float64") == (f"balances.{name}" not in balances.copied)


def test_decisions_of_a_book_do_not_change_with_the_arrays_that_gave_them() -> None:
    policies = {"new": lc.policy("binance-usdm@2024-10-24"), "old": lc.policy("binance-usdm@2023-12-12")}
    engine, marks = lc.Engine(policies), {"BTCUSDT": 61_000.0, "ETHUSDT": 3_000.0}
    for kind in (np.uint32, np.int64, np.uint8):
        decisions: dict[str, Any] = {
            "instrument": np.zeros(4, kind),
            "policy": np.zeros(4, kind),
            "account": np.array([0, 1, 2, 3], kind),
            "margin_mode": np.array(["cross"] * 4),
        }
        book = lc.PositionBook(
            quantity=np.full(4, 0.5),
            entry_price=np.full(4, 60_000.0),
            instrument_names=["BTCUSDT", "ETHUSDT"],
            policy_names=["new", "old"],
            accounts=np.arange(4),
            wallet_balance=np.full(4, 9e4),
            **decisions,
        )
        before = engine.evaluate(book, marks)
        for name, column in decisions.items():
            column[:] = "isolated" if name == "margin_mode" else 1
            after = engine.evaluate(book, marks)
            for measure in before.measures:
                assert before[measure].tobytes() == after[measure].tobytes(), (kind, name, measure)
        # Out of its table, too.
        decisions["instrument"][:] = 200
        assert engine.evaluate(book, marks).notional.tobytes() == before.notional.tobytes()


CHANGES = ("quantity", "price", "fee_rate", "leverage", "amount", "risk_limit")


def changes_of(**given: Any) -> lc.Changes:
    plain = {name: np.full(4, 1.0) for name in CHANGES}
    return lc.Changes("order", row=np.arange(4), **(plain | given))


@pytest.mark.parametrize("side", ["after", "before"])
def test_a_what_if_on_the_memory_of_an_input_is_refused(side: str) -> None:
    book = book_of(columns())
    out = lc.what_if(ENGINE, book, MARKS, changes_of())
    written = getattr(out, side).positions.buffers[0]
    kept, own_changes = written.copy(), out.changes
    for name in columns():
        overlapping = book_of(columns() | {name: through_a_buffer(written[0, :4])})
        with pytest.raises(AliasError, match=name):
            lc.what_if(ENGINE, overlapping, MARKS, changes_of(), out=out)
    with pytest.raises(AliasError, match="marks"):
        lc.what_if(ENGINE, book, through_a_buffer(written[0, :1]), changes_of(), out=out)
    for name in CHANGES:
        given = changes_of(**{name: through_a_buffer(written[0, :4])})
        if np.may_share_memory(getattr(given, name), written):
            with pytest.raises(AliasError, match=f"changes.{name}"):
                lc.what_if(ENGINE, book, MARKS, given, out=out)
    assert np.array_equal(written, kept, equal_nan=True)
    assert out.changes is own_changes


def test_a_refused_what_if_leaves_the_result_with_its_own_changes() -> None:
    book = book_of(columns())
    out = lc.what_if(ENGINE, book, MARKS, changes_of())
    kept, own = out.after.positions.buffers[0].copy(), out.changes
    for wrong in ({"threads": 1_000}, {"measures": ("notional",)}, {"before": False}, {"reducing": "half"}):
        with pytest.raises(LevcoreError):
            lc.what_if(ENGINE, book, MARKS, changes_of(quantity=np.full(4, 9.0)), out=out, **wrong)
        assert out.changes is own
        assert np.array_equal(out.after.positions.buffers[0], kept, equal_nan=True)
