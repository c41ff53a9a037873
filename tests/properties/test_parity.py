"""The kernel equals the reference to the bit: every measure, instruction set, number of threads and book."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk, same_bits
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns
from support.strategies import Case, cases

THREADS = (1, 2, 7)


@given(cases())
def test_kernel_equals_reference(case: Case) -> None:
    policy, columns, marks = case
    book = book_of(columns)
    expected = lc.reference.evaluate(book, policy, marks, measures=MEASURE_NAMES)
    for instruction_set in _levcore.instruction_sets():
        engine = lc.Engine(policy, instruction_set=instruction_set)
        for threads in THREADS:
            assert_same_risk(
                engine.evaluate(book, marks, threads=threads, measures=MEASURE_NAMES),
                expected,
                (instruction_set, threads),
            )


@given(cases(modes=("isolated",)), st.randoms(use_true_random=False))
def test_order_of_isolated_rows_does_not_matter(case: Case, random: Random) -> None:
    policy, columns, marks = case
    rows = list(range(columns["quantity"].size))
    random.shuffle(rows)
    order = np.array(rows, dtype=np.int64)
    engine = lc.Engine(policy)
    straight = engine.evaluate(book_of(columns), marks)
    shuffled = engine.evaluate(book_of(columns, order), marks)
    for name in straight.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(straight[name][order], shuffled[name]), name


@given(cases(), st.sets(st.sampled_from(MEASURE_NAMES), min_size=1))
def test_a_subset_of_measures_is_a_subset_of_the_columns(case: Case, chosen: set[str]) -> None:
    policy, columns, marks = case
    book, engine = book_of(columns), lc.Engine(policy)
    everything = engine.evaluate(book, marks, measures=MEASURE_NAMES)
    some = engine.evaluate(book, marks, measures=tuple(chosen))
    assert set(some.measures) == chosen
    assert_same_risk(some, everything)
    for name in set(MEASURE_NAMES) - chosen:
        with pytest.raises(lc.InputError, match=f"{name}: was not computed"):
            some.column(name)


@given(cases())
def test_out_holds_the_same_as_fresh_memory(case: Case) -> None:
    policy, columns, marks = case
    book, engine = book_of(columns), lc.Engine(policy)
    expected = engine.evaluate(book, marks)
    out = engine.evaluate(book, np.full_like(marks, 3.0))
    for buffer in (*out.buffers, *out.accounts.buffers):
        buffer.fill(77)
    assert engine.evaluate(book, marks, out=out) is out
    assert_same_risk(out, expected)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_kernel_equals_reference_across_blocks(configuration: Configuration, instruction_set: str) -> None:
    # More than two blocks of rows, unsorted accounts and sorted ones; test_parity_large is the large version.
    columns, marks = random_columns(configuration, 20_000, seed=2026)
    book = book_of(columns)
    expected = lc.reference.evaluate(book, configuration.policy, marks, measures=MEASURE_NAMES)
    engine = lc.Engine(configuration.policy, instruction_set=instruction_set)
    for threads in THREADS:
        found = engine.evaluate(book, marks, threads=threads, measures=MEASURE_NAMES)
        assert_same_risk(found, expected, threads)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_a_book_in_its_own_row_order_gives_the_same_rows(configuration: Configuration) -> None:
    columns, marks = random_columns(configuration, 20_000, seed=7)
    book, engine = book_of(columns), lc.Engine(configuration.policy)
    order = book.row_order()
    straight = engine.evaluate(book, marks)
    sorted_book = book_of(columns, order)
    # Legs of an account keep their order, so even sums stay the same to the bit.
    ordered = engine.evaluate(sorted_book, marks)
    for name in straight.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(straight[name][order], ordered[name]), name
