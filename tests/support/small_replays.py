"""Three positions in one instrument over six bars, and their replay."""

from typing import Any

import numpy as np

import levcore as lc
from support.closing_books import closing_policy

__all__ = ["RULES", "TIMES", "bars", "book", "run"]

TIMES = 6
RULES: dict[str, Any] = {
    "close_out_remainder": "trader",
    "close_out_payers": ("fund",),
    "trader_owes": "yes",
}


def bars(**changed: Any) -> dict[str, Any]:
    close = np.array([100.0, 99.0, 95.0, 91.0, 90.0, 92.0])
    before = np.r_[100.0, close[:-1]]
    table = {
        "time": np.arange(TIMES),
        "open": before,
        "high": np.maximum(before, close),
        "low": np.minimum(before, close) - 1.0,
        "close": close,
    }
    return table | changed


def book(**changed: Any) -> lc.PositionBook:
    columns: dict[str, Any] = {
        "instrument": ["A", "A", "A"],
        "quantity": [1.0, 2.0, -1.0],
        "entry_price": [100.0, 100.0, 100.0],
        "leverage": [10.0, 20.0, 4.0],
    }
    return lc.PositionBook(**(columns | changed))


def run(prices: Any = None, **arguments: Any) -> Any:
    return lc.replay(
        lc.Engine(closing_policy(**RULES)), book(), bars() if prices is None else prices, **arguments
    )
