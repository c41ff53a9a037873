"""Kernel and reference on accounts that are settled as a whole."""

from __future__ import annotations

from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore
from support.comparison import assert_same_risk
from support.pooled_books import PooledBook

__all__ = ["SEEDS", "THREADS", "assert_kernel_equals_reference"]

THREADS = (1, 2, 7)


SEEDS = st.integers(0, 2**32)


def assert_kernel_equals_reference(drawn: PooledBook, book: lc.PositionBook) -> lc.BookRisk:
    expected = drawn.reference(book)
    for instruction_set in _levcore.instruction_sets():
        for threads in THREADS:
            found = drawn.evaluate(book, instruction_set=instruction_set, threads=threads)
            assert_same_risk(found, expected, (instruction_set, threads))
    return expected
