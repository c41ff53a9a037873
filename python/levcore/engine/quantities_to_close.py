"""What ends a margin call by closing: how many contracts of one leg."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from levcore._levcore import quantities_to_close as core_quantities_to_close
from levcore.arguments import of_kind
from levcore.book.arrays import Floats
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import mark_prices
from levcore.engine.engine import Engine

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["quantities_to_close"]


def quantities_to_close(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    *,
    asset_prices: Mapping[str, float] | None = None,
    threads: int | None = None,
) -> Floats:
    """Find how much of each cross position, it alone, to close so that its account's margin call ends.

    Closing at the mark leaves the equity as it is and lowers the requirement; fees for closing are not taken
    off. What a deposit would do instead says `levcore.BookRisk.accounts.margin_call_amount`.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks, asset_prices
        As `levcore.Engine.evaluate` takes them.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    ndarray of float64, shape (n,), contracts
        Not negative. 0 where there is no margin call (level: the policy's margin-call level, else its
        liquidation level). NaN where closing the whole position is not enough, where its account cannot be
        judged, and for isolated positions. Rates of tables keyed by contracts or size are taken as those of
        the whole position: closing may end the call sooner. NaN also for covered pairs whose requirement is
        taken at entry, and where nothing but the minimum of a table, which falls with the last contract, is
        too much.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(
    ...     ["BTCUSDT", "ETHUSDT"], [0.5, 4.0], [60_000.0, 3_000.0], account=["a", "a"], margin_mode="cross",
    ...     wallet_balance={"a": 3_000.0},
    ... )
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> lc.quantities_to_close(engine, book, {"BTCUSDT": 54_500.0, "ETHUSDT": 3_000.0}).round(3).tolist()
    [0.0, 0.0]
    """
    of_kind("engine", engine, Engine)
    bound = engine.bind(book)
    prices = mark_prices(book, marks)
    results = np.empty((1, len(book)))
    core_quantities_to_close(
        bound.wallets.layout(book, pool_all=True),
        bound.kernel,
        prices.reshape(-1),
        asset_price_columns(book, bound.policies, asset_prices),
        results,
        engine.used_instruction_set,
        engine.threads_of_call(threads, len(book)),
    )
    quantities: Floats = results[0]
    return quantities
