"""Scenarios that go where verdicts turn, and two stress tests beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.stress_testing.result import Stress, StressTotals
from support.random_books import Configuration, random_columns

__all__ = ["assert_amounts", "assert_same", "columns_of_single_legs", "compare_worlds", "random_world"]

Floats = npt.NDArray[np.float64]

BOUND = 2.0**-50
"""Of the sum of margins, wallets, entry values and values."""


def columns_of_single_legs(
    configuration: Configuration, rows: int, seed: int
) -> tuple[dict[str, Any], Floats]:
    """A random book, spoiled rows included, in which no account has an instrument twice."""
    columns, marks = random_columns(configuration, rows, seed)
    if configuration.mode == "isolated":
        return columns, marks
    modes = np.broadcast_to(columns["margin_mode"], rows)
    seen: set[Any] = set()
    kept = []
    for row, leg in enumerate(zip(columns["account"], columns["instrument"], strict=True)):
        if leg not in seen or modes[row] != "cross":
            kept.append(row)
        seen.add(leg)
    by_row = columns.keys() - {"instrument_names", "accounts", "wallet_balance"}
    few = {name: np.broadcast_to(columns[name], rows)[kept] for name in by_row}
    return columns | few, marks


def scenarios(engine: lc.Engine, book: lc.PositionBook, marks: Floats, seed: int) -> Floats:
    """Moves small and large, repeated, and to the very prices that liquidate positions, and next to them."""
    random = np.random.default_rng(seed)
    moves = np.concatenate(
        [
            random.uniform(-0.02, 0.02, (8, marks.size)),
            random.uniform(-0.6, 0.9, (20, marks.size)),
            10.0 ** random.uniform(-3.0, 3.0, (6, marks.size)) - 1.0,
        ]
    )
    risk = engine.evaluate(book, marks)
    at_triggers = np.zeros((24, marks.size))
    for code in range(marks.size):
        prices = risk.liquidation_price[(book.instrument_codes == code) & np.isfinite(risk.liquidation_price)]
        if prices.size:
            chosen = random.choice(prices, 24) / marks[code] - 1.0
            chosen[8:16] += random.choice([-1e-16, 1e-16, 1e-9], 8)
            at_triggers[:, code] = np.where(chosen > -1.0, chosen, 0.0)
    return np.concatenate([moves, at_triggers, at_triggers[3:6], np.zeros((2, marks.size))])


def magnitudes(configuration: Configuration, book: lc.PositionBook, marks: Floats) -> float:
    """Margins, wallets, entry values and values of what could be judged."""
    risk, table = lc.Engine(configuration.policy).evaluate(book, marks), configuration.policy.instruments
    inverse = np.array([name in table and table[name].payoff == "inverse" for name in book.instrument_names])
    gains = np.where((book.quantity > 0.0) ^ inverse[book.instrument_codes], 1.0, -1.0)
    held = [risk.notional, risk.notional - gains * risk.unrealized_pnl]
    given = [column for column in (book.isolated_margin, book.accrued_funding) if column is not None]
    judged, wallets = ~np.isnan(risk.equity), book.wallet_balance[~np.isnan(risk.accounts.equity)]
    rows = sum(np.nansum(np.abs(each[judged])) for each in [*held, *given])
    return float(rows + np.abs(wallets).sum())


def assert_same(fast: Stress, exact: Stress) -> None:
    """The same numbers, states and worst scenarios; amounts of the worst to the bit."""
    for name in ("positions_liquidated", "accounts_liquidated", "not_judged"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(exact, name), err_msg=name)
    for part in ("worst_of_rows", "worst_of_accounts"):
        for name in ("scenario", "equity", "liquidations"):
            found, expected = (getattr(getattr(each, part), name) for each in (fast, exact))
            np.testing.assert_array_equal(found, expected, err_msg=f"{part}.{name}")


def random_world(
    configuration: Configuration, rows: int, seed: int
) -> tuple[lc.Engine, lc.PositionBook, Floats, Floats]:
    """Engine, random book, marks and moves of a policy."""
    columns, marks = columns_of_single_legs(configuration, rows, seed)
    book, engine = lc.PositionBook(**columns), lc.Engine(configuration.policy)
    return engine, book, marks, scenarios(engine, book, marks, seed)


def assert_amounts(
    configuration: Configuration, marks: Floats, moves: Floats, found: StressTotals, exact: Stress
) -> None:
    """Amounts within the stated bound of correctly rounded sums."""
    sizes = np.array([magnitudes(configuration, exact.book, marks * (1.0 + move)) for move in moves])
    for currency, totals in exact.totals.items():
        for name, expected in totals.items():
            apart = np.abs(found.totals[currency][name] - expected)
            assert (apart <= BOUND * sizes).all(), (currency, name, (apart / sizes).max())


def compare_worlds(configuration: Configuration, rows: int, seed: int) -> tuple[Stress, Stress]:
    """Both ways over a random book of a policy, which must agree.

    Returns
    -------
    fast, exact : Stress
    """
    engine, book, marks, moves = random_world(configuration, rows, seed)
    fast, exact = (lc.stress(engine, book, marks, moves, exact=each) for each in (False, True))
    assert_same(fast, exact)
    assert_amounts(configuration, marks, moves, fast, exact)
    return fast, exact
