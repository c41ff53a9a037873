"""A replay of a week of minutes beside a NumPy program that asks every open position at every bar.

Both replay the same random walk over the same isolated positions at one rate, with one fund. The program
closes at the extreme of the bar what its own closed form says is liquidated there, adds up losses and charges
the fund; it keeps no events, deleverages nobody and counts in float64. Both must liquidate the same rows.
"""

import argparse
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc

MINUTES = 10_080
RATE, FEE = 0.01, 0.0006
Floats = npt.NDArray[np.float64]


def policy() -> lc.MarginPolicy:
    """One rate, whole positions, a fund, then winners."""
    stated: dict[str, Any] = {
        "close_out_fee_rate": FEE,
        "close_out_payers": ("fund", "deleveraging"),
        "close_out_ranking": "profit_share_times_margin_ratio",
        "close_out_price": "bankruptcy",
    }
    return (
        lc.policy("unprotected")
        .replace(**stated)
        .with_instruments([lc.Instrument("X", "linear", tiers=lc.TierTable.single_rate(RATE))])
    )


def walk(seed: int) -> dict[str, Any]:
    """Bars of a random walk that falls by nine tenths."""
    random = np.random.default_rng(seed)
    close = 80.0 * np.exp(np.cumsum(random.normal(-0.00022, 0.004, MINUTES)))
    before = np.r_[80.0, close[:-1]]
    high, low = np.maximum(before, close) * 1.002, np.minimum(before, close) * 0.998
    return {"time": np.arange(MINUTES), "open": before, "high": high, "low": low, "close": close}


def columns(rows: int, seed: int) -> dict[str, Any]:
    """Columns of a book of isolated positions."""
    random = np.random.default_rng(seed)
    return {
        "instrument": ["X"] * rows,
        "quantity": random.choice([-1.0, 1.0], rows) * random.lognormal(0.0, 1.0, rows),
        "entry_price": 80.0 * np.exp(random.normal(0.0, 0.02, rows)),
        "leverage": random.integers(2, 20, rows).astype(float),
    }


def by_numpy(book: lc.PositionBook, bars: dict[str, Any], fund: float) -> tuple[npt.NDArray[np.bool_], float]:
    """Rows that are liquidated, and what the fund has at the end."""
    assert book.leverage is not None
    quantity, entry = np.array(book.quantity), np.array(book.entry_price)
    margin = np.abs(quantity) * entry / book.leverage
    side = np.sign(quantity)
    trigger = (quantity * entry - margin) / (quantity - np.abs(quantity) * RATE)
    rows, gone = np.arange(quantity.size), np.zeros(quantity.size, dtype=bool)
    for low, high in zip(bars["low"], bars["high"], strict=True):
        for price, of in ((low, 1.0), (high, -1.0)):
            reached = (side == of) & (of * price <= of * trigger)
            if not reached.any():
                continue
            loss = quantity[reached] * (entry[reached] - price) + np.abs(quantity[reached]) * price * FEE
            fund -= min(float(np.maximum(loss - margin[reached], 0.0).sum()), fund)
            gone[rows[reached]] = True
            kept = ~reached
            rows, quantity, entry, margin = rows[kept], quantity[kept], entry[kept], margin[kept]
            side, trigger = side[kept], trigger[kept]
    return gone, fund


def main() -> None:
    """Time both, in turns, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, nargs="+", default=[1e5, 1e6])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    bars, engine = walk(1), lc.Engine(policy())
    for rows in map(int, options.rows):
        book = lc.PositionBook(**columns(rows, 2))
        fund = 1e8
        taken: dict[str, list[float]] = {"levcore": [], "numpy": []}
        for _ in range(options.repeat):
            begun = time.process_time()
            found = lc.replay(engine, book, bars, fund=fund)
            taken["levcore"].append(time.process_time() - begun)
            begun = time.process_time()
            gone, _ = by_numpy(book, bars, fund)
            taken["numpy"].append(time.process_time() - begun)
        ours = np.zeros(rows, dtype=bool)
        ours[found.events.row[found.events.kind == 0]] = True
        differing = int((ours != gone).sum())
        best = {name: min(seconds) for name, seconds in taken.items()}
        print(
            f"{rows:>9,} positions, {MINUTES:,} minutes: levcore {best['levcore']:.2f} s, "
            f"numpy {best['numpy']:.2f} s of processor, {best['numpy'] / best['levcore']:.1f} times; "
            f"{ours.mean():.1%} liquidated, {differing} differ"
        )


if __name__ == "__main__":
    main()
