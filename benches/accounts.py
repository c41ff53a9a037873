"""Legs a second of whole accounts: cross, hedged, in several assets, of several venues, distances; and numba.

python benches/accounts.py [--legs 1000000] [--turns 5] [--out FILE.md]

Accounts of ten legs, all measures into reused outputs. Everybody takes turns in one process, one call each,
and the median is shown: a shared machine drifts. What numba computes must agree before it is timed: it gets
the pairs found, checks nothing, and gives equity, maintenance margin and both prices of each pair, four
columns of levcore's thirteen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import levcore as lc
from levcore import generate
from machine import describe

Run = Callable[[], Any]
POLICY = "binance-usdm@2024-10-24"
INSTRUMENTS, LEGS = 320, 10
NEVER = np.inf


def instruments() -> dict[str, lc.Instrument]:
    """The first contracts of the table that settle in USDT."""
    table = lc.policy(POLICY).instruments
    names = [name for name in table if table[name].settlement == "USDT"][:INSTRUMENTS]
    return {name: table[name] for name in names}


def on_threads(engine: lc.Engine, book: lc.PositionBook, marks: Any, **more: Any) -> dict[str, Run]:
    """Evaluations of a book on one thread and on two."""
    out = engine.evaluate(book, marks, **more)

    def run(threads: int) -> Run:
        return lambda: engine.evaluate(book, marks, out=out, threads=threads, **more)

    return {f"{threads} threads": run(threads) for threads in (1, 2)}


def cross(legs: int) -> dict[str, Run]:
    """Ten legs of ten instruments in one wallet."""
    book, marks = generate.book(legs, instruments(), seed=1, margin_mode="cross", order="by_account")
    engine = lc.Engine(lc.policy(POLICY))
    runs = {f"cross, {name}": run for name, run in on_threads(engine, book, marks).items()}
    book.whole()
    return runs | {"distance of all prices, 2 threads": lambda: lc.distance(engine, book, marks, threads=2)}


def hedged(legs: int) -> dict[str, Run]:
    """Every leg beside an opposite one of the same instrument."""
    book, marks = generate.book(
        legs, instruments(), seed=2, margin_mode="cross", order="by_account", hedged=1.0
    )
    engine = lc.Engine(lc.policy(POLICY))
    runs = {f"hedged, {name}": run for name, run in on_threads(engine, book, marks).items()}
    return runs | numba_pairs(book, marks, engine)


def in_assets(legs: int) -> dict[str, Run]:
    """Ten legs secured by three assets, one of which moves with some of the legs."""
    book, marks = generate.book(legs, instruments(), seed=3, margin_mode="cross", order="by_account")
    accounts = len(book.account_ids)
    wallets = book.wallet_balance
    held = np.stack([0.5 * wallets, 0.3 * wallets, 0.2 * wallets / marks["BTCUSDT"]], axis=1).ravel()
    balances = lc.Balances(np.repeat(book.account_ids, 3), ["USDT", "USDC", "BTC"] * accounts, held)
    secured = lc.PositionBook(
        book.instrument_codes,
        book.quantity,
        book.entry_price,
        account=book.account,
        margin_mode="cross",
        leverage=book.leverage,
        instrument_names=book.instrument_names,
        balances=balances,
    )
    policy = (
        lc.policy(POLICY)
        .replace(liabilities_count_as="negative_equity")
        .with_assets([lc.Asset("USDT"), lc.Asset("USDC", (0.99,)), lc.Asset("BTC", (0.95, 0.9), (0.0, 1e6))])
    )
    prices = {"USDT": 1.0, "USDC": 1.0, "BTC": marks["BTCUSDT"]}
    runs = on_threads(lc.Engine(policy), secured, marks, asset_prices=prices)
    return {f"three assets, {name}": run for name, run in runs.items()}


def venues(legs: int) -> dict[str, Run]:
    """Accounts of three policies, a third of the book each."""
    book, marks = generate.book(legs, instruments(), seed=4, margin_mode="cross", order="by_account")
    base = lc.policy(POLICY)
    labelled = {
        "price": base,
        "entry": base.replace(requirement_basis_cross="entry"),
        "fee": base.replace(closing_fee_basis="price", closing_fee_rate=0.0005),
    }
    assert book.account_codes is not None
    code = (book.account_codes * np.int64(3) // max(1, len(book.account_ids))).astype(np.uint32)
    mixed = lc.PositionBook(
        book.instrument_codes,
        book.quantity,
        book.entry_price,
        account=book.account,
        margin_mode="cross",
        leverage=book.leverage,
        instrument_names=book.instrument_names,
        accounts=book.account_ids,
        wallet_balance=book.wallet_balance,
        policy=code,
        policy_names=list(labelled),
    )
    runs = on_threads(lc.Engine(labelled), mixed, marks)
    return {f"three policies, {name}": run for name, run in runs.items()}


def tier_arrays(book: lc.PositionBook) -> tuple[Any, Any, Any]:
    """Floors (infinite beyond the last tier), rates and deductions by instrument, one row each."""
    table = lc.policy(POLICY).instruments
    tiers = [table[name].tiers for name in book.instrument_names]
    width = max(map(len, tiers)) + 1
    arrays = [np.full((len(tiers), width), fill) for fill in (NEVER, 0.0, 0.0)]
    for row, tier in enumerate(tiers):
        for array, column in zip(arrays, (tier.floors, tier.rates, tier.deductions), strict=True):
            array[row, : len(column)] = column
    return arrays[0], arrays[1], arrays[2]


def numba_pairs(book: lc.PositionBook, marks: dict[str, float], engine: lc.Engine) -> dict[str, Run]:
    """A loop over accounts, pairs solved by the same steps to the deciding lines; nothing without numba."""
    try:
        from numba import njit, prange, set_num_threads
    except ImportError:
        return {}

    @njit
    def line(floors, rates, deductions, value):  # type: ignore[no-untyped-def]
        tier = 0
        while value > floors[tier + 1]:
            tier += 1
        return rates[tier], deductions[tier]

    @njit(parallel=True)
    def pairs(  # type: ignore[no-untyped-def]
        borders, instrument, quantity, entry, mark, other, wallet, floors, rates, deductions, out
    ):
        for account in prange(wallet.size):
            first, end = borders[account], borders[account + 1]
            equity, required = wallet[account], 0.0
            for leg in range(first, end):
                code = instrument[leg]
                price = mark[code]
                value = abs(quantity[leg]) * price
                equity += quantity[leg] * (price - entry[leg])
                rate, deduction = line(floors[code], rates[code], deductions[code], value)
                out[1, leg] = rate * value - deduction
                required += out[1, leg]
            surplus = equity - required
            for leg in range(first, end):
                partner = other[leg]
                out[0, leg] = equity
                if partner < leg:
                    continue
                code = instrument[leg]
                price = mark[code]
                one, two = abs(quantity[leg]) * price, abs(quantity[partner]) * price
                net = (quantity[leg] + quantity[partner]) * price
                rest = surplus + out[1, leg] + out[1, partner] - net
                for side in range(2):
                    place = 0.0 if side == 0 else np.inf
                    found = np.nan
                    for _ in range(100):
                        rate, deduction = line(floors[code], rates[code], deductions[code], one * place)
                        start, slope = rest + deduction, net - rate * one
                        rate, deduction = line(floors[code], rates[code], deductions[code], two * place)
                        start += deduction
                        slope -= rate * two
                        if (side == 0 and (slope <= 0.0 or (place == 0.0 and start >= 0.0))) or (
                            side == 1 and slope >= 0.0
                        ):
                            break
                        following = -start / slope
                        if following <= 0.0:
                            break
                        if (side == 0 and following <= place) or (side == 1 and following >= place):
                            found = place * price
                            break
                        place = following
                    out[2 + side, leg] = found
                    out[2 + side, partner] = found

    assert book.account_codes is not None
    borders = np.searchsorted(book.account_codes, np.arange(len(book.account_ids) + 1))
    other, seen = np.empty(len(book), dtype=np.int64), {}
    for row, key in enumerate(zip(book.account_codes.tolist(), book.instrument_codes.tolist(), strict=True)):
        if key in seen:
            other[row], other[seen[key]] = seen[key], row
        seen[key] = row
    mark = np.array([marks[name] for name in book.instrument_names])
    out = np.empty((4, len(book)))
    arguments = (
        borders,
        book.instrument_codes,
        book.quantity,
        book.entry_price,
        mark,
        other,
        book.wallet_balance,
        *tier_arrays(book),
        out,
    )

    def run(threads: int) -> Run:
        def call() -> None:
            set_num_threads(threads)
            pairs(*arguments)

        return call

    run(2)()
    ours = engine.evaluate(book, marks)
    columns = ("equity", "maintenance_margin", "liquidation_price_lower", "liquidation_price_upper")
    for name, column in zip(columns, out, strict=True):
        np.testing.assert_allclose(column, ours.column(name), rtol=1e-6, err_msg=name)
    return {f"hedged, numba, {threads} threads": run(threads) for threads in (1, 2)}


def measured(legs: int, turns: int) -> Iterator[tuple[str, float]]:
    """Millions of legs a second, the median over turns."""
    for make in (cross, hedged, in_assets, venues):
        runs = make(legs)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(turns):
            for name, run in runs.items():
                started = perf_counter()
                run()
                seconds[name].append(perf_counter() - started)
        for name, spent in seconds.items():
            yield name, legs / median(spent) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--legs", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    machine = describe()
    lines = [f"{machine['processor']}, {chosen.legs:,} legs, median of {chosen.turns} turns.", ""]
    lines += ["| account | M legs/s |", "| --- | --: |"]
    for name, speed in measured(chosen.legs, chosen.turns):
        lines.append(f"| {name} | {speed:.1f} |")
        print(lines[-1], flush=True)
    if chosen.out is not None:
        chosen.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
