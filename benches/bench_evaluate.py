"""How long does one evaluation take? Books of 100 to 1,000,000 positions, engine and reference.

`table.py` compares with other tools; this one is for comparing two commits (``pytest --benchmark-autosave``,
``--benchmark-compare``).
"""

from __future__ import annotations

from functools import cache

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from contender_levcore import Reference, Reordered, Reused
from workload import Tables, Workload, bundled_tables, generate

SIZES = (100, 10_000, 1_000_000)
REFERENCE_SIZES = (100, 1_000)


@cache
def tables() -> Tables:
    """Tier tables of the books."""
    return bundled_tables()


@cache
def workload(rows: int, mode: str, order: str) -> Workload:
    """Book of a size, the same in every run."""
    return generate(rows, mode, order, tables())


@pytest.mark.parametrize("threads", ["1 thread", "2 threads"])
@pytest.mark.parametrize("order", ["sorted", "random"])
@pytest.mark.parametrize("mode", ["isolated", "cross", "hedge", "assets", "mixed"])
@pytest.mark.parametrize("rows", SIZES)
def test_evaluate(benchmark: BenchmarkFixture, rows: int, mode: str, order: str, threads: str) -> None:
    """Every measure, outputs reused."""
    contender = Reused(workload(rows, mode, order), mode)
    benchmark.extra_info["rows"] = rows
    benchmark(contender.run, threads, 0)


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_evaluate_in_row_order(benchmark: BenchmarkFixture, mode: str) -> None:
    """A random book of 1,000,000 rows, put into the order that the book itself recommends."""
    contender = Reordered(workload(SIZES[-1], mode, "random"), mode)
    benchmark(contender.run, "1 thread", 0)


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("rows", REFERENCE_SIZES)
def test_reference(benchmark: BenchmarkFixture, rows: int, mode: str) -> None:
    """The same in pure Python."""
    contender = Reference(workload(rows, mode, "sorted"), mode)
    benchmark(contender.run, "1 thread", 0)
