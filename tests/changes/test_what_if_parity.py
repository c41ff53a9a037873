"""What-if equals the evaluation of the changed book, bit by bit: every kind of change, both halves."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.changes.result import WhatIf
from levcore.measures import MEASURE_NAMES
from levcore.reference.what_if.what_if import what_if as what_if_reference
from support.pooled_books import random_book
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns
from support.random_changes import assert_same, random_changes, random_tables

SEEDS = range(40 if os.environ.get("LEVCORE_TESTS") == "thorough" else 1)


def compare(
    engine: lc.Engine,
    book: lc.PositionBook,
    marks: Any,
    changes: lc.Changes,
    **options: Any,
) -> WhatIf:
    """Kernel on the changed accounts, kernel on whole changed books, reference."""
    options["measures"] = MEASURE_NAMES
    found = lc.what_if(engine, book, marks, changes, **options)
    prices = options.get("asset_prices")

    engines: list[lc.Engine] = []

    def by_kernel(changed: lc.PositionBook, policies: Any, at: Any) -> lc.BookRisk:
        if not engines:
            engines.append(lc.Engine(dict(policies)))
        return engines[0].evaluate(changed, at, asset_prices=prices, measures=MEASURE_NAMES)

    assert_same(found, what_if_reference(engine, book, marks, changes, evaluated=by_kernel, **options))
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sequence", [False, True], ids=["alone", "in sequence"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda each: each.name)
def test_wallets_and_isolated_rows(configuration: Configuration, sequence: bool, seed: int) -> None:
    columns, marks = random_columns(configuration, 60, seed, spoiled=seed % 2 == 1)
    names = columns["instrument_names"]
    book = book_of(columns)
    tables = random_tables([configuration.policy], names[:-1], seed)
    changes = random_changes(book, 150, seed, instruments=names[:-1], tables=len(tables))
    labels = np.random.default_rng(seed).integers(0, 30, len(changes)) if sequence else False
    engine = lc.Engine(configuration.policy)
    reducing = "nothing" if seed % 3 == 1 else "share"
    compare(engine, book, marks, changes, sequence=labels, tables=tables, reducing=reducing)


@pytest.mark.parametrize("seed", range(12 * len(SEEDS)))
def test_hedged_legs_and_balances(seed: int) -> None:
    given = random_book(seed)
    book = given.book()
    engine = lc.Engine(given.policies)
    names = sorted(set(book.instrument_names))
    assets = [] if book.balances is None else list(book.balances.asset_names)
    changes = random_changes(book, 60, seed, instruments=names, assets=assets)
    labels = np.random.default_rng(seed).integers(0, 12, len(changes)) if seed % 2 else False
    compare(engine, book, given.marks, changes, sequence=labels, asset_prices=given.asset_prices)


def test_the_reference_alone() -> None:
    """Without the kernel at all, on a few changes of each kind."""
    for configuration in CONFIGURATIONS:
        columns, marks = random_columns(configuration, 12, 3, spoiled=False)
        book, names = book_of(columns), columns["instrument_names"]
        changes = random_changes(book, 30, 3, instruments=names[:-1])
        engine = lc.Engine(configuration.policy)
        expected = what_if_reference(engine, book, marks, changes, measures=MEASURE_NAMES)
        assert_same(lc.what_if(engine, book, marks, changes, measures=MEASURE_NAMES), expected)
