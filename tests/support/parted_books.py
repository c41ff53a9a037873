"""Books as frames whose rows are sorted by account, to be cut into parts and compared with the whole."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

import levcore as lc
from support.comparison import same_bits

ENGINE = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
MARKS = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0, "BTCUSDC": 61_010.0, "nowhere": 2.0}


def parted_frame(seed: int, count: int, *, priced: bool) -> pl.DataFrame:
    """Positions of all kinds, some of them bad, sorted by account; with marks in a column or without.

    Accounts have one margin mode or both, wallets or none; isolated positions may have no account.
    """
    random = np.random.default_rng(seed)
    names = np.array(sorted(MARKS))[random.choice(4, count, p=[0.1, 0.55, 0.3, 0.05])]
    number = np.sort(random.integers(0, max(1, count // 4), count))
    balance = np.where(random.random(count) < 0.8, random.uniform(0.0, 9e4, count), np.nan)[number]
    cross = random.random(count) < 0.7
    mark = np.array([MARKS[name] for name in names])
    quantity = random.normal(0.0, 2e4, count) / mark
    quantity[random.random(count) < 0.03] = np.nan
    frame = pl.DataFrame(
        {
            "account": pl.Series([f"account {each:04}" for each in number], dtype=pl.String),
            "instrument": pl.Series(names.tolist(), dtype=pl.String),
            "margin_mode": pl.Series(np.where(cross, "cross", "isolated").tolist(), dtype=pl.String),
            "quantity": quantity,
            "entry_price": mark * random.uniform(0.9, 1.1, count),
            "isolated_margin": np.where(cross, np.nan, random.uniform(10.0, 9e3, count)),
            "leverage": np.where(random.random(count) < 0.98, 10.0, np.nan),
            "wallet_balance": pl.Series(balance).fill_nan(None),
            "note": np.arange(count),
        }
    )
    return frame.with_columns(mark_price=pl.Series(mark, dtype=pl.Float64)) if priced else frame


def cut(frame: pl.DataFrame, cuts: Iterable[int]) -> list[pl.DataFrame]:
    """The frame in parts that end at these rows."""
    ends = [0, *sorted(min(end, len(frame)) for end in cuts), len(frame)]
    return [frame[start:end] for start, end in pairwise(ends)]


def same_summary(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compare two summaries, amounts to the last bit."""
    assert found.keys() == expected.keys()
    assert found["totals"].keys() == expected["totals"].keys()
    for currency, sums in expected["totals"].items():
        assert found["totals"][currency].keys() == sums.keys()
        of_parts = np.array([found["totals"][currency][name] for name in sums])
        assert same_bits(of_parts, np.array(list(sums.values()))), (currency, found["totals"][currency], sums)
    assert found | {"totals": None} == expected | {"totals": None}
