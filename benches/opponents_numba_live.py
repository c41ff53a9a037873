"""What a program without triggers does at a tick: heaps of prices, or a pass over an instrument's legs."""

import time
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Found = tuple[float, set[tuple[int, int]]]


@numba.njit(cache=True)
def _walk_sorted(
    codes: Any, prices: Any, starts: Any, keys: Any, rows: Any, found_tick: Any, found_row: Any
) -> int:
    """Lists by price, from the one that is reached first: nothing is put back, so no heap is quicker."""
    next_of, count = starts[:-1].copy(), 0
    for tick in range(codes.size):
        for side in range(2):
            place = 2 * codes[tick] + side
            key = prices[tick] if side == 0 else -prices[tick]
            while next_of[place] < starts[place + 1] and keys[next_of[place]] >= key:
                found_tick[count], found_row[count] = tick, rows[next_of[place]]
                next_of[place] += 1
                count += 1
    return count


def by_heaps(codes: npt.NDArray[Any], quantity: Any, liquidation: Any, ticks: Any, instruments: int) -> Found:
    """CPU seconds, and tick and row of every first liquidation; the prices are sorted before."""
    place = 2 * codes.astype(np.int64) + (quantity < 0)
    key = np.where(quantity < 0, -liquidation, liquidation)
    known = np.flatnonzero(~np.isnan(key))
    rows = known[np.lexsort((-key[known], place[known]))]
    starts = np.searchsorted(place[rows], np.arange(2 * instruments + 1))
    found = np.empty(rows.size, np.int64), np.empty(rows.size, np.int64)
    _walk_sorted(ticks[0][:1], ticks[1][:1], starts, key[rows], rows, *found)
    start = time.process_time()
    count = _walk_sorted(*ticks, starts, key[rows], rows, *found)
    taken = time.process_time() - start
    return taken, set(zip(found[0][:count].tolist(), found[1][:count].tolist(), strict=True))


@numba.njit(cache=True)
def _margin(value: float, lines: Any) -> float:
    line = 0
    while line + 1 < lines.shape[1] and value > lines[0, line + 1]:
        line += 1
    return value * lines[1, line] - lines[2, line]


@numba.njit(cache=True)
def _pass_legs(
    codes: Any, prices: Any, legs: Any, starts: Any, account: Any, quantity: Any, entry: Any, wallet: Any,
    lines: Any, marks: Any, batch: int, found_tick: Any, found_account: Any,
) -> int:  # fmt: skip
    """Equity and requirement of every account, moved leg by leg of the instrument that ticks."""
    equity, needed = wallet.copy(), np.zeros(wallet.size)
    margin = np.zeros(quantity.size)
    for leg in range(quantity.size):
        mark = 100.0
        margin[leg] = _margin(abs(quantity[leg]) * mark, lines)
        equity[account[leg]] += quantity[leg] * (mark - entry[leg])
        needed[account[leg]] += margin[leg]
    gone, count = np.zeros(wallet.size, np.bool_), 0
    closed = np.zeros(wallet.size, np.bool_)
    for tick in range(codes.size):
        if tick % batch == 0:
            closed[:] = gone
        code, price = codes[tick], prices[tick]
        moved = price - marks[code]
        marks[code] = price
        for at in range(starts[code], starts[code + 1]):
            leg = legs[at]
            owner = account[leg]
            if closed[owner]:
                continue
            now = _margin(abs(quantity[leg]) * price, lines)
            equity[owner] += quantity[leg] * moved
            needed[owner] += now - margin[leg]
            margin[leg] = now
            if needed[owner] >= equity[owner] and not gone[owner]:
                gone[owner] = True
                found_tick[count], found_account[count] = tick, owner
                count += 1
    return count


def by_legs(held: Any, ticks: Any, lines: npt.NDArray[Any], instruments: int, batch: int) -> Found:
    """CPU seconds, and tick and account of every first liquidation."""
    codes = held.instrument_codes.astype(np.int64)
    legs = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[legs], np.arange(instruments + 1))
    account = held.account_codes.astype(np.int64)
    wallet = np.asarray(held.wallet_balance, dtype=float)
    found = np.empty(wallet.size, np.int64), np.empty(wallet.size, np.int64)

    def run(count: int) -> int:
        marks = np.full(instruments, 100.0)
        columns = (legs, starts, account, held.quantity, held.entry_price, wallet, lines, marks, batch)
        done: int = _pass_legs(ticks[0][:count], ticks[1][:count], *columns, *found)
        return done

    run(0)
    start = time.process_time()
    run(0)
    before = time.process_time() - start
    start = time.process_time()
    count = run(len(ticks[0]))
    taken = time.process_time() - start - before
    return taken, set(zip(found[0][:count].tolist(), found[1][:count].tolist(), strict=True))
