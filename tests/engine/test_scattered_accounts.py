"""Accounts whose legs lie apart have the bits of those whose legs are kept together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore import _levcore
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk, same_bits

THREADS = (1, 2, 7)
RANGE_LEGS, RANGE_ACCOUNTS = 8_192, 16_384
"""Legs and accounts of a range, in books of less than half a million legs."""
ROWS = 3 * RANGE_ACCOUNTS
GIANT = 2 * RANGE_LEGS + 5
Codes = npt.NDArray[np.int64]


def of_equal_size(random: np.random.Generator) -> tuple[Codes, int]:
    """Ten legs an account."""
    return random.permutation(np.arange(ROWS) // 10), ROWS // 10 + 1


def a_leg_each(random: np.random.Generator) -> tuple[Codes, int]:
    """As many accounts as rows less one, so that ranges end by the number of accounts."""
    codes = random.permutation(ROWS)
    codes[-1] = codes[1]
    return codes, ROWS


def one_with_almost_all(random: np.random.Generator) -> tuple[Codes, int]:
    """A giant in the middle, with a leg of each other account among its own."""
    codes = np.full(GIANT + 4_000, 2_000)
    codes[random.choice(len(codes), 4_000, replace=False)] = np.arange(4_000)
    return codes, 4_000


def at_the_borders(random: np.random.Generator) -> tuple[Codes, int]:
    """Accounts that fill a range to the last leg, by one more, by one less, and small ones between."""
    sizes = [RANGE_LEGS, 1, RANGE_LEGS + 1, 1, RANGE_LEGS - 1, 1, 1, RANGE_LEGS - 2, 3]
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return random.permutation(codes), len(sizes)


def mostly_empty(random: np.random.Generator) -> tuple[Codes, int]:
    """Every ninth account has legs; whole ranges have none."""
    codes = random.permutation(np.arange(ROWS) // 30) * 9 + 40_000
    return codes, 90_000


SHAPES = (of_equal_size, a_leg_each, one_with_almost_all, at_the_borders, mostly_empty)


def places_in(account: Codes) -> npt.NDArray[np.uint32]:
    """How many rows of its account stand before each: no account holds an instrument twice."""
    order = np.argsort(account, kind="stable")
    first = np.searchsorted(account[order], account[order])
    places = np.empty(len(account), np.uint32)
    places[order] = np.arange(len(account)) - first
    return places


def columns_of(account: Codes, accounts: int, random: np.random.Generator, policies: int) -> dict[str, Any]:
    """Positions of such accounts, some bad or flat; under several policies every fifth one is isolated."""
    rows = len(account)
    quantity = random.normal(size=rows)
    quantity[random.choice(rows, 40, replace=False)] = np.nan
    quantity[random.choice(rows, 400, replace=False)] = 0.0
    entry = random.uniform(50, 150, rows)
    entry[random.choice(rows, 20, replace=False)] = -1.0
    columns: dict[str, Any] = {
        "instrument": places_in(account),
        "quantity": quantity,
        "entry_price": entry,
        "leverage": random.uniform(1, 30, rows),
        "accrued_funding": random.normal(size=rows),
        "account": account,
        "margin_mode": np.full(rows, "cross"),
    }
    if policies > 1:
        columns["policy"] = (account % policies).astype(np.uint32)
        columns["margin_mode"] = np.where(np.arange(rows) % 5 == 0, "isolated", "cross")
        columns["isolated_margin"] = np.where(columns["margin_mode"] == "isolated", 7.0, np.nan)
    return columns


def book_of(
    columns: dict[str, Any], accounts: int, policies: int, rows: Codes | None = None
) -> lc.PositionBook:
    random = np.random.default_rng(5)
    wallet = random.uniform(10, 400, accounts)
    wallet[random.choice(accounts, min(accounts // 3, 9), replace=False)] = np.nan
    some = {name: column if rows is None else column[rows] for name, column in columns.items()}
    names: dict[str, Any] = {"policy_names": [str(code) for code in range(policies)]} if policies > 1 else {}
    return lc.PositionBook(
        **some,
        **names,
        instrument_names=NAMES,
        accounts=np.arange(accounts),
        wallet_balance=wallet,
    )


NAMES = [f"I{number}" for number in range(GIANT + 1)]


@cache
def policies_of(count: int) -> lc.MarginPolicy | dict[str, lc.MarginPolicy]:
    tiers = lc.TierTable.marginal([(0, "0.01"), (200, "0.02"), (900, "0.05")], unit="quote")
    table = [lc.Instrument(name, "linear", tiers, contract_size=1.0) for name in NAMES]
    bybit = lc.policy("bybit-linear").replace(closing_fee_rate=0.0005)
    venues = lc.policy("binance-usdm"), lc.policy("hyperliquid"), bybit
    bases = [venue.with_instruments(table) for venue in venues]
    return bases[0] if count == 1 else {str(code): bases[code] for code in range(count)}


MARKS = np.random.default_rng(4).uniform(95, 120, len(NAMES))


@pytest.mark.parametrize("policies", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_scattered_legs_have_the_bits_of_legs_kept_together(
    shape: Callable[[np.random.Generator], tuple[Codes, int]], policies: int
) -> None:
    random = np.random.default_rng(11)
    account, accounts = shape(random)
    columns = columns_of(account, accounts, random, policies)
    scattered = book_of(columns, accounts, policies)
    order = scattered.row_order().astype(np.int64)
    together = book_of(columns, accounts, policies, order)
    assert not scattered.keeps_accounts_together
    assert together.keeps_accounts_together
    for instruction_set in _levcore.instruction_sets():
        engine = lc.Engine(policies_of(policies), instruction_set=instruction_set)
        expected = engine.evaluate(together, MARKS, measures=MEASURE_NAMES, threads=1)
        for threads in THREADS:
            found = engine.evaluate(scattered, MARKS, measures=MEASURE_NAMES, threads=threads)
            for name in found.keys():  # noqa: SIM118 - a BookRisk is no mapping
                assert same_bits(found[name][order], expected[name]), (name, threads)
            for name, column in found.accounts.to_dict().items():
                if name != "account":
                    assert same_bits(column, expected.accounts.to_dict()[name]), (name, threads)


def test_the_memory_of_a_book_keeps_nothing_of_the_call_before() -> None:
    random = np.random.default_rng(12)
    account, accounts = of_equal_size(random)
    columns = columns_of(account, accounts, random, 1)
    engine = lc.Engine(policies_of(1))
    used = book_of(columns, accounts, 1)
    # Nothing can be judged at the first marks: all that is kept is NaN.
    engine.evaluate(used, np.full_like(MARKS, np.nan))
    assert_same_risk(
        engine.evaluate(used, MARKS), engine.evaluate(book_of(columns, accounts, 1), MARKS), "used memory"
    )


def test_calls_side_by_side_on_one_book_do_not_meet() -> None:
    random = np.random.default_rng(13)
    account, accounts = of_equal_size(random)
    book = book_of(columns_of(account, accounts, random, 1), accounts, 1)
    engine = lc.Engine(policies_of(1))
    marks = [MARKS * factor for factor in (0.9, 1.0, 1.1, 1.2)]
    expected = [engine.evaluate(book, each, threads=1) for each in marks]
    with ThreadPoolExecutor(len(marks)) as pool:
        calls = [pool.submit(engine.evaluate, book, each, threads=2) for _ in range(3) for each in marks]
        for place, call in enumerate(calls):
            assert_same_risk(call.result(), expected[place % len(marks)], f"call {place}")


def test_an_account_of_several_ranges_cannot_fail_its_neighbours() -> None:
    random = np.random.default_rng(14)
    account, accounts = at_the_borders(random)
    columns = columns_of(account, accounts, random, 1)
    columns["quantity"] = np.where(account == 2, np.nan, random.normal(size=len(account)))
    columns["entry_price"] = np.full(len(account), 100.0)
    wallet = np.full(accounts, 1e6)
    book = lc.PositionBook(
        **columns, instrument_names=NAMES, accounts=np.arange(accounts), wallet_balance=wallet
    )
    risk = lc.Engine(policies_of(1)).evaluate(book, MARKS)
    assert np.isnan(risk.accounts["equity"]).tolist() == [code == 2 for code in range(accounts)]
    assert np.array_equal(np.isnan(risk.equity), account == 2)
