"""Twelve million seeded random rows: the kernel and the reference agree to the bit.

Twelve policies, a million rows each (``LEVCORE_PARITY_ROWS`` says how many), a share of them bad. The
reference, a Python loop, runs once a policy on two processes; the kernel runs with every instruction set on
1, 2 and 7 threads.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore import _levcore
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk
from support.random_books import CONFIGURATIONS, Columns, Configuration, book_of, random_columns

ROWS = int(os.environ.get("LEVCORE_PARITY_ROWS", "1_000_000"))
PART = 25_000
"""Rows of a part that one process evaluates at a time."""
THREADS = (1, 2, 7)

Part = tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8], npt.NDArray[np.float64], npt.NDArray[np.uint8]]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: a fork of a process with threads warns, and warnings are errors here.
    # A collector that walks all positions of a part again and again finds nothing: they hold no circles.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        yield pool


def evaluate_part(columns: Columns, policy: lc.MarginPolicy, marks: npt.NDArray[np.float64]) -> Part:
    """Reference on a part of the rows: results and codes of rows and accounts."""
    risk = lc.reference.evaluate(book_of(columns), policy, marks, measures=MEASURE_NAMES)
    results, codes = risk.buffers
    return results[:, : len(risk)], codes[:, : len(risk)], *risk.accounts.buffers


def parts_of(columns: Columns, rows: int) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Rows of each part, ascending, and places of its accounts; no account is cut."""
    count = -(-rows // PART)
    if "account" not in columns:
        return [(part, np.empty(0, dtype=np.int64)) for part in np.array_split(np.arange(rows), count)]
    account, ids = columns["account"], columns["accounts"]
    edges = np.linspace(0, account.max() + 1, count + 1).astype(np.int64)
    in_order = np.argsort(account, kind="stable")
    cuts = np.searchsorted(account[in_order], edges)
    own = np.searchsorted(ids, edges)
    return [
        (np.sort(in_order[cuts[part] : cuts[part + 1]]), np.arange(own[part], own[part + 1]))
        for part in range(count)
    ]


def reference_by_parts(
    book: lc.PositionBook,
    columns: Columns,
    configuration: Configuration,
    marks: npt.NDArray[np.float64],
    processes: ProcessPoolExecutor,
) -> lc.BookRisk:
    """Reference on the whole book, cut where no account is."""
    expected = lc.BookRisk(book, (configuration.policy,), marks, MEASURE_NAMES)
    parts = parts_of(columns, len(book))
    futures = []
    for rows, accounts in parts:
        part = columns | {
            name: column[rows]
            for name, column in columns.items()
            if name not in ("instrument_names", "accounts", "wallet_balance") and not isinstance(column, str)
        }
        if "accounts" in columns:
            part |= {name: columns[name][accounts] for name in ("accounts", "wallet_balance")}
        futures.append(processes.submit(evaluate_part, part, configuration.policy, marks))
    (results, codes), (account_results, account_codes) = expected.buffers, expected.accounts.buffers
    place_of = {account: place for place, account in enumerate(book.account_ids)}
    for (rows, accounts), future in zip(parts, futures, strict=True):
        row_results, row_codes, part_results, part_codes = future.result()
        results[:, rows], codes[:, rows] = row_results, row_codes
        # After the accounts with a wallet come those without, in the order of their first row.
        known, found = accounts.size, part_results.shape[1]
        places = np.concatenate((accounts, _without_wallet(columns, rows, place_of, accounts, found - known)))
        account_results[:, places], account_codes[:, places] = part_results, part_codes
    return expected


def _without_wallet(
    columns: Columns,
    rows: npt.NDArray[np.int64],
    place_of: dict[Any, int],
    with_wallet: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.int64]:
    if not count:
        return np.empty(0, dtype=np.int64)
    modes = columns["margin_mode"]
    cross = rows if isinstance(modes, str) else rows[modes[rows] == "cross"]
    account = columns["account"][cross]
    ids, first = np.unique(account[~np.isin(account, columns["accounts"][with_wallet])], return_index=True)
    assert ids.size == count
    return np.array([place_of[int(each)] for each in ids[np.argsort(first)]], dtype=np.int64)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_kernel_equals_reference_on_a_million_rows(
    configuration: Configuration, processes: ProcessPoolExecutor
) -> None:
    columns, marks = random_columns(configuration, ROWS, seed=CONFIGURATIONS.index(configuration))
    book = book_of(columns)
    expected = reference_by_parts(book, columns, configuration, marks, processes)
    share_evaluated = float(np.count_nonzero(expected.ok)) / len(book)
    # A book of failures would agree for the wrong reason.
    assert 0.6 < share_evaluated < 0.995
    out: lc.BookRisk | None = None
    for instruction_set in _levcore.instruction_sets():
        engine = lc.Engine(configuration.policy, instruction_set=instruction_set)
        for threads in THREADS:
            out = engine.evaluate(book, marks, threads=threads, out=out, measures=MEASURE_NAMES)
            assert_same_risk(out, expected, (instruction_set, threads))
            for buffer in (*out.buffers, *out.accounts.buffers):
                buffer.fill(77)
