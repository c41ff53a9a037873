"""What does a call cost before the first row? One position, evaluated, built and explained."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import levcore as lc

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


def test_evaluate_fresh(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """A mark arrives, a new result is made."""
    benchmark(engine.evaluate, position(), MARKS)


def test_build_book(benchmark: BenchmarkFixture) -> None:
    """A book of one position from Python lists."""
    benchmark(position)


def test_build_and_evaluate(benchmark: BenchmarkFixture, engine: lc.Engine) -> None:
    """What a caller pays who has one position and no book."""
    benchmark(lambda: engine.evaluate(position(), MARKS))


def test_compile_engine(benchmark: BenchmarkFixture) -> None:
    """A policy with several hundred tables compiled."""
    policy = lc.policy("binance-usdm")
    benchmark(lc.Engine, policy)
