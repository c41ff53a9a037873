"""What is settled at the first call on a book and a result gives the numbers and the refusals of any call."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.errors import AliasError
from support.comparison import assert_same_risk

POLICIES = [lc.policy("binance-usdm@2024-10-24"), lc.policy("binance-usdm@2023-12-12")]
ENGINES = [lc.Engine(policy, threads=1) for policy in POLICIES]
NAMES = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
# Around the lengths up to which columns are read instead of borrowed.
SIZES = (0, 1, 7, 8, 9, 63, 64, 65, 200)


def book(rows: int, seed: int, mode: str = "cross") -> lc.PositionBook:
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "instrument": random.integers(0, 3, rows).astype(np.uint32),
        "quantity": random.normal(size=rows),
        "entry_price": random.uniform(50.0, 60_000.0, rows),
        "leverage": random.uniform(1.0, 20.0, rows),
        "instrument_names": NAMES,
    }
    if mode == "cross":
        accounts = max(1, rows // 3)
        owners = np.arange(rows) % accounts
        columns |= {"account": owners, "accounts": np.arange(accounts), "margin_mode": "cross"}
        columns["wallet_balance"] = random.uniform(1.0, 1e5, accounts)
    return lc.PositionBook(**columns)


def marks(seed: int) -> dict[str, float]:
    return dict(zip(NAMES, np.random.default_rng(seed).uniform(50.0, 60_000.0, 3).tolist(), strict=True))


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("rows", SIZES)
def test_a_result_is_used_again_by_other_marks_books_and_engines(rows: int, mode: str) -> None:
    books = [book(rows, seed, mode) for seed in (1, 2)]
    out = ENGINES[0].evaluate(books[0], marks(0))
    random = np.random.default_rng(rows)
    for turn in range(12):
        engine, held = ENGINES[random.integers(2)], books[random.integers(2)]
        prices: Any = marks(turn)
        if turn % 3 == 0:
            prices = np.array([prices[name] for name in NAMES])
        assert engine.evaluate(held, prices, out=out) is out
        assert out.book is held
        assert out.accounts.book is held
        assert out.policies == engine.evaluate(held, prices).policies
        assert_same_risk(out, engine.evaluate(held, prices))


@pytest.mark.parametrize("rows", [3, 200])
def test_marks_on_the_memory_of_the_result_are_refused_at_every_call(rows: int) -> None:
    held = book(rows, 1)
    out = ENGINES[0].evaluate(held, marks(0))
    ENGINES[0].evaluate(held, marks(1), out=out)
    before = pickle.loads(pickle.dumps(out))
    for part in (out, out.accounts):
        for buffer in part.buffers[0]:
            shared = np.frombuffer(buffer.data, dtype=np.float64)[:3]
            if shared.size == 3:
                with pytest.raises(AliasError, match="shares memory with marks"):
                    ENGINES[0].evaluate(held, shared, out=out)
    assert_same_risk(out, before)


def test_wallets_apart_are_looked_at_too() -> None:
    split = lc.PositionBook(
        ["BTCUSDT", "BTCUSDC"],
        [0.5, -0.5],
        [60_000.0, 60_000.0],
        ["a", "a"],
        "cross",
        wallet_balance={"a": {"USDT": 4_000.0, "USDC": 5_000.0}, "b": {"USDT": 1.0}},
    )
    engine = lc.Engine(lc.policy("binance-usdm"))
    out = engine.evaluate(split, {"BTCUSDT": 61_000.0, "BTCUSDC": 61_000.0})
    assert out.wallet_columns.is_split
    for buffer in (out.accounts.buffers[0], out.wallets.buffers[0]):
        with pytest.raises(AliasError, match="shares memory with marks"):
            engine.evaluate(split, np.frombuffer(buffer.data, dtype=np.float64)[:2], out=out)


def test_a_copy_of_a_result_has_memory_of_its_own() -> None:
    held = book(9, 4)
    first = ENGINES[0].evaluate(held, marks(0))
    notional = first.notional.copy()
    for made in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        ENGINES[0].evaluate(held, marks(1), out=made)
        assert np.array_equal(first.notional, notional, equal_nan=True)
        assert_same_risk(made, ENGINES[0].evaluate(held, marks(1)))
