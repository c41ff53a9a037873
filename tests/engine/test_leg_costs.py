"""Which leg costs what: the kernel, the reference and the book without the row, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore, errors
from levcore.engine.leg_costs import OF_ROWS
from levcore.measures import ACCOUNT_MEASURES
from levcore.reference.accounts.leave import leg_costs as reference_costs
from support.comparison import same_bits
from support.pooled_books import PooledBook, random_book

NAMES = (*ACCOUNT_MEASURES, "state", "status")


def costs_of(drawn: PooledBook, book: lc.PositionBook, **options: Any) -> lc.LegCosts:
    engine = lc.Engine(drawn.policies, instruction_set=options.pop("instruction_set", None))
    return lc.leg_costs(engine, book, drawn.marks, asset_prices=drawn.asset_prices, **options)


def assert_same(found: lc.LegCosts, expected: lc.LegCosts) -> None:
    others = expected.to_dict()
    for name, column in found.to_dict().items():
        assert same_bits(column, others[name]), (name, column, others[name])


@given(st.integers(0, 2**32))
def test_kernel_equals_reference(seed: int) -> None:
    drawn = random_book(seed)
    book = drawn.book()
    expected = reference_costs(
        book, drawn.policies, drawn.marks, asset_prices=drawn.asset_prices, with_distances=True
    )
    for instruction_set in _levcore.instruction_sets():
        for threads in (1, 2):
            found = costs_of(
                drawn, book, with_distances=True, instruction_set=instruction_set, threads=threads
            )
            assert_same(found, expected)


@given(st.integers(0, 2**32))
def test_it_is_the_account_of_the_book_without_the_row(seed: int) -> None:
    drawn = random_book(seed)
    book = drawn.book()
    costs = costs_of(drawn, book, with_distances=True)
    assert costs.distance is not None
    engine = lc.Engine(drawn.policies)
    compared = 0
    codes = np.zeros(0, np.uint32) if book.account_codes is None else book.account_codes
    for row in np.flatnonzero(book.is_cross).tolist():
        rest = drawn.book(np.delete(np.arange(len(book)), row))
        account = book.account_ids[int(codes[row])]
        if account not in rest.account_ids or not len(rest):
            continue
        place = rest.account_ids.index(account)
        alone = engine.evaluate(rest, drawn.marks, asset_prices=drawn.asset_prices).accounts
        for name in NAMES:
            found, expected = getattr(costs.without, name)[row], getattr(alone, name)[place]
            assert same_bits(found.reshape(1), expected.reshape(1)), (row, name, found, expected)
        far = lc.distance(engine, rest, drawn.marks, asset_prices=drawn.asset_prices)
        if _moves_alike(rest, book):
            for name in ("lower", "upper", "status"):
                found, expected = getattr(costs.distance, name)[row], getattr(far, name)[place]
                assert same_bits(found.reshape(1), expected.reshape(1)), (row, name, found, expected)
        compared += 1
    assert compared or not book.is_cross.any() or len(book) < 3


def _moves_alike(rest: lc.PositionBook, book: lc.PositionBook) -> bool:
    """Whether assets move by default in one book as in the other: those of the instruments that it names."""
    return set(rest.instrument_names) == set(book.instrument_names)


def plain_book(accounts: int, legs: int, seed: int, *, together: bool = True) -> tuple[Any, Any, Any]:
    """Accounts of one wallet with one leg an instrument each, its engine and marks."""
    random = np.random.default_rng(seed)
    names = [name for name in lc.policy("binance-usdm").instruments if name.endswith("USDT")][:legs]
    rows = accounts * legs
    account = np.repeat(np.arange(accounts), legs)
    order = np.arange(rows) if together else random.permutation(rows)
    quantity = random.normal(size=rows) * 0.01
    book = lc.PositionBook(
        np.tile(np.arange(legs), accounts)[order],
        quantity,
        np.full(rows, 100.0),
        account=account[order],
        margin_mode="cross",
        leverage=5.0,
        accounts=np.arange(accounts),
        wallet_balance=random.uniform(0.1, 2.0, accounts),
        instrument_names=names,
    )
    return book, lc.Engine(lc.policy("binance-usdm")), np.full(legs, 101.0)


@pytest.mark.parametrize("together", [True, False])
def test_plain_accounts_of_ten(together: bool) -> None:
    book, engine, marks = plain_book(30, 10, 7, together=together)
    costs = lc.leg_costs(engine, book, marks)
    all_of_it = engine.evaluate(book, marks)
    for row in range(0, len(book), 7):
        keep = np.arange(len(book)) != row
        rest = lc.PositionBook(
            book.instrument_codes[keep],
            book.quantity[keep],
            book.entry_price[keep],
            account=book.account_codes[keep],
            margin_mode="cross",
            leverage=5.0,
            accounts=np.arange(30),
            wallet_balance=book.wallet_balance,
            instrument_names=book.instrument_names,
        )
        account = int(book.account_codes[row])
        alone = engine.evaluate(rest, marks).accounts
        for name in NAMES:
            assert getattr(costs.without, name)[row] == getattr(alone, name)[account]
        added = all_of_it.accounts.maintenance_margin[account] - alone.maintenance_margin[account]
        assert costs.marginal_maintenance_margin[row] == added


def test_a_hedge_costs_less_than_nothing_by_hand() -> None:
    policy = (
        lc.policy("generic")
        .replace(hedge_requirement="larger_leg")
        .with_instruments([lc.Instrument("X", "linear", lc.TierTable.single_rate("0.01"))])
    )
    book = lc.PositionBook(
        ["X", "X"],
        [2.0, -1.0],
        [100.0, 100.0],
        account=["a", "a"],
        margin_mode="cross",
        wallet_balance={"a": 50.0},
        position_mode="hedge",
        leverage=10.0,
    )
    costs = lc.leg_costs(lc.Engine(policy), book, {"X": 100.0})
    # 2 of maintenance margin with both legs; 1 without the long one, still 2 without the short one.
    assert costs.without.maintenance_margin.tolist() == [1.0, 2.0]
    assert costs.marginal_maintenance_margin.tolist() == [1.0, 0.0]
    assert costs.without.margin_ratio.tolist() == [0.02, 0.04]


def test_isolated_rows_have_their_own_numbers() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT", "BTCUSDT", "NOSUCH"],
        [0.5, 4.0, 1.0, 1.0],
        [60_000.0, 3_000.0, 60_000.0, 1.0],
        account=["a", "a", "a", "a"],
        margin_mode=["cross", "cross", "isolated", "isolated"],
        leverage=10.0,
        wallet_balance={"a": 6_000.0},
    )
    marks = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    costs = lc.leg_costs(engine, book, marks, with_distances=True)
    own = engine.evaluate(book, marks)
    for measure in ("initial_margin", "maintenance_margin"):
        marginal = getattr(costs, f"marginal_{measure}")
        assert marginal[2] == own[measure][2]
        assert np.isnan(marginal[3])
    assert np.isnan(costs.without.margin_ratio[2:]).all()
    assert [(each.row, each.status) for each in costs.failures()] == [(3, lc.AccountStatus.INCOMPLETE)]
    assert costs.distance is not None
    assert np.isnan(costs.distance.lower[2:]).all()
    assert costs.risk.measures == OF_ROWS


def test_an_account_is_judged_without_the_leg_that_fails() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "NOSUCH"],
        [0.5, 4.0],
        [60_000.0, 3_000.0],
        account=["a", "a"],
        margin_mode="cross",
        wallet_balance={"a": 6_000.0},
    )
    costs = lc.leg_costs(lc.Engine(lc.policy("binance-usdm@2024-10-24")), book, {"BTCUSDT": 60_000.0})
    assert [(each.row, each.account) for each in costs.failures()] == [(0, "a")]
    assert costs.without.maintenance_margin[1] == 120.0
    assert np.isnan(costs.marginal_maintenance_margin).all()


def test_bad_calls_name_what_is_wrong() -> None:
    book, engine, marks = plain_book(1, 2, 0)
    with pytest.raises(errors.DTypeError, match="book"):
        lc.leg_costs(engine, "book", marks)  # type: ignore[arg-type]
    with pytest.raises(errors.InputError, match="betas"):
        lc.leg_costs(engine, book, marks, with_distances=True, betas={"NOSUCH": 1.0})
