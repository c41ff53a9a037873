"""What a call costs before the first row, and whether threads or new memory make it cost more."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import levcore as lc
from levcore._levcore import release_memory

MARKS = {"BTCUSDT": 61_000.0}


@pytest.fixture(scope="module")
def engine() -> lc.Engine:
    """Binance's rules."""
    return lc.Engine(lc.policy("binance-usdm"))


def position() -> lc.PositionBook:
    """One long position."""
    return lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10.0])


def test_evaluate_reused(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """A mark arrives, the result is written again."""
    book = position()
    risk = engine.evaluate(book, MARKS)
    benchmark(engine.evaluate, book, MARKS, out=risk)


def test_evaluate_reused_with_an_array(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """The same with the marks as an array."""
    book = position()
    marks = np.array([61_000.0])
    benchmark(engine.evaluate, book, marks, out=engine.evaluate(book, marks))


def test_evaluate_fresh(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """A mark arrives, a new result is made."""
    benchmark(engine.evaluate, position(), MARKS)


def test_build_book(benchmark: BenchmarkFixture) -> None:
    """A book of one position from Python lists."""
    benchmark(position)


def test_build_and_evaluate(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """What a caller pays who has one position and no book."""
    benchmark(lambda: engine.evaluate(position(), MARKS))


def test_three_into_fifty_names(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """Three positions by their codes: nothing is made of the names that no row has."""
    names = list(engine.policy.instruments)[:50]
    marks, codes = dict.fromkeys(names, 100.0), np.array([3, 20, 40], np.uint32)

    def call() -> lc.BookRisk:
        book = lc.PositionBook(codes, [1.0, 2.0, -1.0], [99.0] * 3, leverage=5.0, instrument_names=names)
        return engine.evaluate(book, marks)

    benchmark(call)


def test_two_accounts(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """Three cross positions of two accounts with their wallets."""
    names = ["BTCUSDT", "ETHUSDT", "BTCUSDT"]
    marks, wallets = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_000.0}, {"a": 1_000.0, "b": 500.0}

    def call() -> lc.BookRisk:
        book = lc.PositionBook(
            names,
            [0.01, 0.2, -0.01],
            [6e4, 3e3, 6e4],
            ["a", "a", "b"],
            "cross",
            leverage=5.0,
            wallet_balance=wallets,
        )
        return engine.evaluate(book, marks)

    benchmark(call)


def large(engine: lc.Engine, rows: int) -> lc.PositionBook:
    """Isolated positions in random order of instruments."""
    random = np.random.default_rng(1)
    names = list(engine.policy.instruments)[:320]
    return lc.PositionBook(
        random.integers(0, len(names), rows, dtype=np.uint32),
        random.normal(size=rows),
        random.uniform(90.0, 110.0, rows),
        isolated_margin=random.uniform(1.0, 10.0, rows),
        leverage=np.full(rows, 10.0),
        instrument_names=names,
    )


@pytest.mark.parametrize("threads", [1, 2, None])
@pytest.mark.parametrize("rows", [1, 100, 10_000, 30_000, 40_000, 100_000])
def test_threads(benchmark: BenchmarkFixture, engine: lc.Engine, rows: int, threads: int | None) -> None:
    """Sizes around the one from which a call takes several threads by itself."""
    book, marks = large(engine, rows), np.full(320, 100.0)
    benchmark(engine.evaluate, book, marks, out=engine.evaluate(book, marks), threads=threads)


@pytest.mark.parametrize("memory", ["reused", "fresh", "fresh, nothing kept"])
def test_memory_of_a_million_rows(benchmark: BenchmarkFixture, engine: lc.Engine, memory: str) -> None:
    """What new memory costs, with that of the last result kept or not."""
    book, marks = large(engine, 1_000_000), np.full(320, 100.0)
    risk = engine.evaluate(book, marks)
    if memory == "reused":
        benchmark(engine.evaluate, book, marks, out=risk, threads=1)
    elif memory == "fresh":
        benchmark(engine.evaluate, book, marks, threads=1)
    else:
        benchmark.pedantic(
            engine.evaluate,
            setup=lambda: (release_memory(), ((book, marks), {"threads": 1}))[1],
            rounds=20,
        )


def test_compile_engine(benchmark: BenchmarkFixture) -> None:
    """A policy with several hundred tables compiled."""
    policy = lc.policy("binance-usdm")
    benchmark(lc.Engine, policy)
