"""The border between Python and Rust: copies, borrowing, threads, signals, forks, pickles, panics."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
import threading
import time
from array import array
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore import _levcore, errors
from levcore.book.arrays import float_column
from support.comparison import assert_same_risk
from support.random_books import CONFIGURATIONS, Columns, book_of, random_columns

CONFIGURATION = CONFIGURATIONS[2]
POLICY = lc.policy("generic").with_instruments(
    [lc.Instrument("X", "linear", lc.TierTable.single_rate("0.01"))]
)
FLOAT_COLUMNS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")


def plain_columns(rows: int) -> dict[str, npt.NDArray[np.float64]]:
    random = np.random.default_rng(1)
    return {name: random.uniform(1.0, 9.0, rows) for name in FLOAT_COLUMNS}


def plain_book(rows: int, **columns: Any) -> lc.PositionBook:
    codes = np.zeros(rows, dtype=np.uint32)
    return lc.PositionBook(codes, instrument_names=["X"], **(plain_columns(rows) | columns))


@pytest.mark.parametrize("name", FLOAT_COLUMNS)
def test_contiguous_float64_is_not_copied(name: str) -> None:
    columns = plain_columns(100)
    book = plain_book(100, **columns)
    assert np.shares_memory(getattr(book, name), columns[name])
    assert book.copied == ()
    # A view of the caller's memory that cannot be written through.
    assert columns[name].flags.writeable
    assert not getattr(book, name).flags.writeable
    columns[name][0] = 77.0
    assert getattr(book, name)[0] == 77.0


def test_a_wallet_is_not_copied_and_codes_are() -> None:
    """Which instrument a row is in was decided when the book was built; what it holds may change."""
    codes, wallet = np.zeros(3, dtype=np.uint32), np.array([5.0, 6.0])
    book = lc.PositionBook(
        codes,
        [1.0] * 3,
        [2.0] * 3,
        account=[7, 8, 7],
        margin_mode="cross",
        accounts=[7, 8],
        wallet_balance=wallet,
        instrument_names=["X"],
    )
    assert not np.shares_memory(book.instrument_codes, codes)
    assert np.shares_memory(book.wallet_balance, wallet)
    assert book.copied == ("quantity", "entry_price")
    assert book.wallet_balance.tolist() == wallet.tolist()


COPIES: dict[str, Any] = {
    "list": [1.0, 2.0, 3.0],
    "tuple": (1.0, 2.0, 3.0),
    "range": range(1, 4),
    "float32": np.array([1, 2, 3], dtype=np.float32),
    "float16": np.array([1, 2, 3], dtype=np.float16),
    "int64": np.array([1, 2, 3]),
    "uint8": np.array([1, 2, 3], dtype=np.uint8),
    "big endian": np.array([1, 2, 3], dtype=">f8"),
    "strided": np.array([1.0, 0.0, 2.0, 0.0, 3.0, 0.0])[::2],
    "reversed": np.array([3.0, 2.0, 1.0])[::-1],
    "unaligned": np.frombuffer(b"\0" + np.array([1.0, 2.0, 3.0]).tobytes(), dtype=np.uint8)[1:].view(
        np.float64
    ),
    "column of a table": np.array([[1.0, 9.0], [2.0, 9.0], [3.0, 9.0]])[:, 0],
    "object": np.array([1.0, 2, 3.0], dtype=object),
    "masked": np.ma.array([1.0, 2.0, 3.0], mask=[False, False, False]),
    "memoryview of int": memoryview(array("q", [1, 2, 3])),
}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("name", FLOAT_COLUMNS)
def test_everything_else_is_copied_once_and_named(name: str, kind: str) -> None:
    book = plain_book(3, **{name: COPIES[kind]})
    assert book.copied == (name,)
    assert getattr(book, name).tolist() == [1.0, 2.0, 3.0]
    expected = plain_book(3, **{name: np.array([1.0, 2.0, 3.0])})
    assert_same_risk(lc.Engine(POLICY).evaluate(book, [5.0]), lc.Engine(POLICY).evaluate(expected, [5.0]))


NOT_COPIED: dict[str, Any] = {
    "slice": np.arange(6.0)[2:5],
    "fortran column": np.asfortranarray(np.arange(6.0).reshape(3, 2))[:, 1],
    "row of a table": np.arange(6.0).reshape(2, 3)[1],
    "memoryview": memoryview(array("d", [0.0, 1.0, 2.0])),
}


@pytest.mark.parametrize("kind", NOT_COPIED)
def test_memory_of_the_right_layout_is_borrowed_whoever_owns_it(kind: str) -> None:
    values = NOT_COPIED[kind]
    column = float_column("quantity", values, None, [])
    assert np.shares_memory(column, np.asarray(values))


def test_read_only_columns_are_accepted_and_not_copied() -> None:
    columns = plain_columns(10)
    for column in columns.values():
        column.flags.writeable = False
    book = plain_book(10, **columns)
    assert book.copied == ()
    assert lc.Engine(POLICY).evaluate(book, [5.0]).ok.all()


def spoil(columns: Columns) -> dict[str, bytes]:
    return {name: value.tobytes() for name, value in columns.items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_inputs_are_never_written(configuration: Any) -> None:
    columns, marks = random_columns(configuration, 3_000, 4)
    before, marks_before = spoil(columns), marks.tobytes()
    book = book_of(columns)
    for threads in (1, 2):
        lc.Engine(configuration.policy).evaluate(book, marks, threads=threads)
    lc.reference.evaluate(book, configuration.policy, marks)
    assert spoil(columns) == before
    assert marks.tobytes() == marks_before


def test_an_empty_book() -> None:
    for mode in ("isolated", "cross"):
        book = lc.PositionBook([], [], [], margin_mode=mode)
        for threads in (1, 7):
            risk = lc.Engine(POLICY).evaluate(book, {"X": 1.0}, threads=threads)
            assert len(risk) == len(risk.accounts) == 0
            assert risk.failures() == []
            assert risk.worst_state() == lc.State.HEALTHY
            assert_same_risk(risk, lc.reference.evaluate(book, POLICY, {}))


def test_an_account_without_positions() -> None:
    book = lc.PositionBook([], [], [], margin_mode="cross", accounts=["a"], wallet_balance=[5.0], account=[])
    risk = lc.Engine(POLICY).evaluate(book, {})
    assert risk.accounts.equity.tolist() == [5.0]
    assert risk.accounts.margin_ratio.tolist() == [0.0]
    assert_same_risk(risk, lc.reference.evaluate(book, POLICY, {}))


@pytest.mark.parametrize("rows", [1, 2, 23, 24, 25, 63, 64, 65, 127, 128, 129, 8_191, 8_192, 8_193])
def test_sizes_around_those_of_tiles_and_blocks(rows: int, instruction_set: str) -> None:
    columns, marks = random_columns(CONFIGURATION, rows, rows)
    book = book_of(columns)
    expected = lc.reference.evaluate(book, CONFIGURATION.policy, marks)
    engine = lc.Engine(CONFIGURATION.policy, instruction_set=instruction_set)
    assert_same_risk(engine.evaluate(book, marks, threads=2), expected)


def slow_case(rows: int) -> tuple[lc.PositionBook, npt.NDArray[np.float64], lc.Engine]:
    """A book that takes its time: cross legs in no order, many instruments, the slowest instruction set."""
    columns, marks = random_columns(CONFIGURATION, rows, 1, spoiled=False)
    return book_of(columns), marks, lc.Engine(CONFIGURATION.policy, instruction_set="baseline")


def test_the_interpreter_is_free_during_a_call() -> None:
    book, marks, engine = slow_case(400_000)
    out = engine.evaluate(book, marks, threads=1)
    # A thread that holds the interpreter would see no other one run for longer than the switch interval.
    stop, ticks = threading.Event(), []

    def tick() -> None:
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    clock = threading.Thread(target=tick)
    clock.start()
    try:
        calls = []
        for _ in range(10):
            start = time.perf_counter()
            engine.evaluate(book, marks, threads=1, out=out)
            calls.append((start, time.perf_counter()))
    finally:
        stop.set()
        clock.join()
    inside = [sum(start < tick < end for tick in ticks) for start, end in calls]
    # More than one tick inside of a call: not just the one that the switch to the call lets through.
    assert max(inside) > 2, inside


@pytest.mark.parametrize("rows", [8_191, 8_192, 8_193, 10_000, 20_001])
def test_a_book_of_few_blocks_has_the_same_bits_however_many_threads_come(rows: int) -> None:
    columns, marks = random_columns(CONFIGURATION, rows, 5)
    book = book_of(columns)
    engine = lc.Engine(CONFIGURATION.policy)
    expected = engine.evaluate(book, marks, threads=1)
    out = engine.evaluate(book, marks, threads=2)
    for call in range(40):
        # At once and after a pause: with a helper that is awake, one that is on its way, and one that sleeps.
        time.sleep(0.001 * (call % 3 == 0))
        assert_same_risk(engine.evaluate(book, marks, out=out, threads=2 + call % 4), expected)


def test_many_threads_share_one_engine_and_one_book() -> None:
    book, marks, _ = slow_case(50_000)
    engine = lc.Engine(CONFIGURATION.policy)
    expected = engine.evaluate(book, marks, threads=1)
    found: list[lc.BookRisk] = []
    barrier = threading.Barrier(8)

    def work(threads: int) -> None:
        barrier.wait()
        found.extend(engine.evaluate(book, marks, threads=threads) for _ in range(3))

    workers = [threading.Thread(target=work, args=(1 + number % 4,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 24
    for risk in found:
        assert_same_risk(risk, expected)


def run(code: str, timeout: float = 120.0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Program in an interpreter of its own; a hang fails the test."""
    import os

    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_ends_a_long_call(threads: int) -> None:
    # The rows that the kernel comes to last still hold what was there: the call ended before its end.
    done = run(
        f"""
        import os, signal, threading
        import numpy as np
        import levcore as lc

        rows = 16_000_000
        tiers = lc.TierTable.marginal([(10**k - 1, (k + 1) / 100) for k in range(9)], unit="quote")
        names = list("ABC")
        held = [lc.Instrument(name, "linear", tiers) for name in names]
        policy = lc.policy("generic").with_instruments(held)
        ones = np.ones(rows)
        codes = np.tile(np.array([0, 1, 2, 1], dtype=np.uint32), rows // 4)
        book = lc.PositionBook(codes, ones, ones, isolated_margin=ones, instrument_names=names)
        engine = lc.Engine(policy, instruction_set="baseline")
        few = slice(0, 1000)
        small = lc.PositionBook(codes[few], ones[few], ones[few], leverage=1.0, instrument_names=names)
        engine.evaluate(small, np.ones(3), threads={threads})
        out = lc.BookRisk(book, (policy,), np.ones(3), ("liquidation_price",))
        for buffer in out.buffers:
            buffer.fill(77)
        threading.Timer(0.02, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            while True:
                engine.evaluate(book, np.ones(3), out=out, threads={threads})
                # Faster than the timer: start again from a clean sheet.
                out.buffers[0].fill(77)
        except KeyboardInterrupt:
            print("interrupted", int((out.liquidation_price == 77).sum() > 0))
        # And the engine goes on working.
        print(int(engine.evaluate(small, np.ones(3), threads={threads}).ok.sum()))
        """
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["interrupted", "1", "1000"]


def test_a_fork_after_use_does_not_hang() -> None:
    done = run(
        """
        import os
        import numpy as np
        import levcore as lc

        rows = 100_000
        policy = lc.policy("generic").with_instruments(
            [lc.Instrument("X", "linear", lc.TierTable.single_rate("0.01"))]
        )
        ones = np.ones(rows)
        book = lc.PositionBook(np.zeros(rows, np.uint32), ones, ones, leverage=ones, instrument_names=["X"])
        engine = lc.Engine(policy)
        before = engine.evaluate(book, [2.0], threads=4)
        child = os.fork()
        if child == 0:
            again = engine.evaluate(book, [2.0], threads=4)
            same = all(np.array_equal(before[name], again[name], equal_nan=True) for name in before.keys())
            os._exit(0 if same else 3)
        _, code = os.waitpid(child, 0)
        engine.evaluate(book, [2.0], threads=4)
        print(os.waitstatus_to_exitcode(code))
        """
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["0"]


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_policy_engine_book_and_risk_pickle(configuration: Any) -> None:
    columns, marks = random_columns(configuration, 500, 8)
    book, engine = book_of(columns), lc.Engine(configuration.policy, threads=2, instruction_set="baseline")
    risk = engine.evaluate(book, marks)
    again: lc.Engine = pickle.loads(pickle.dumps(engine))
    assert again.policy == configuration.policy
    assert (again.threads, again.instruction_set) == (2, "baseline")
    other: lc.PositionBook = pickle.loads(pickle.dumps(book))
    assert [other.account_of(row) for row in range(500)] == [book.account_of(row) for row in range(500)]
    assert_same_risk(again.evaluate(other, marks), risk)
    kept: lc.BookRisk = pickle.loads(pickle.dumps(risk))
    assert_same_risk(kept, risk)
    assert kept.measures == risk.measures
    # As text, since NaN does not equal itself.
    assert repr(kept.summary()) == repr(risk.summary())
    assert repr(pickle.loads(pickle.dumps(risk.failures()))) == repr(risk.failures())


ERRORS: list[errors.LevcoreError] = [
    errors.LevcoreError("argument", "rule", "expected", "found", 3, 7),
    errors.InputError("argument", "rule", row=0, count=2),
    errors.ShapeError("argument", "rule", "3", "4"),
    errors.DTypeError("argument", "rule"),
    errors.AliasError("out", "rule"),
    errors.InvalidRowsError("book", "rule", "", "X", [4, 9], [32, 33]),
    errors.FileFormatError("a.csv", "rule", "x", "y", 3, "quantity"),
    errors.PolicyError("policy", "rule"),
    errors.ReadOnlyError("PositionBook.quantity", "cannot be set", "build a new book"),
    errors.UnknownPolicyError("policy", "rule"),
    errors.UnknownInstrumentError("instrument", "rule"),
    errors.UnknownRuleError("policy", "rule", "remedy", "why"),
    errors.TierError("X", 3, "rule", "a", "b", "rate"),
    errors.InternalError("levcore", "rule"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_pickle_with_their_fields(error: errors.LevcoreError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_every_error_was_pickled() -> None:
    assert {type(error).__name__ for error in ERRORS} == set(errors.__all__)


def test_a_panic_is_an_exception_that_except_exception_catches() -> None:
    with pytest.raises(lc.InternalError, match="asked for by panic_inside") as caught:
        _levcore.panic_inside()
    assert isinstance(caught.value, RuntimeError)
    assert lc.Engine(POLICY).evaluate(plain_book(5), [5.0]).ok.all()


@pytest.mark.parametrize("measure", ["equity", "notional"])
def test_an_output_that_is_an_input_is_refused(measure: str) -> None:
    engine = lc.Engine(POLICY)
    out = engine.evaluate(plain_book(100), [5.0])
    # The column of the last result as a column of the next book, and that result to be written again.
    book = plain_book(100, entry_price=out[measure])
    assert np.shares_memory(book.entry_price, out[measure])
    before = out[measure].copy()
    with pytest.raises(errors.AliasError) as caught:
        engine.evaluate(book, [5.0], out=out)
    assert caught.value.argument == "out"
    assert np.array_equal(out[measure], before)


def test_marks_that_are_an_output_are_refused() -> None:
    engine = lc.Engine(POLICY)
    out = engine.evaluate(plain_book(1), [5.0])
    with pytest.raises(errors.AliasError):
        engine.evaluate(plain_book(1), out.notional, out=out)


def test_one_result_cannot_be_written_by_two_calls_at_once() -> None:
    book, marks, engine = slow_case(400_000)
    out = engine.evaluate(book, marks, threads=1)
    refused: list[errors.AliasError] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        for _ in range(5):
            try:
                engine.evaluate(book, marks, threads=1, out=out)
            except errors.AliasError as error:
                refused.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # Whoever came second was told so; nobody crashed, and the result is whole.
    assert refused
    assert_same_risk(out, engine.evaluate(book, marks, threads=1))


def test_out_of_another_book_of_the_same_size_is_taken_over() -> None:
    engine = lc.Engine(POLICY)
    first, second = plain_book(50), plain_book(50, quantity=-np.arange(1.0, 51.0))
    out = engine.evaluate(first, [5.0])
    memory = out.buffers[0]
    assert engine.evaluate(second, [6.0], out=out) is out
    assert out.buffers[0] is memory
    assert out.book is second
    assert out.marks.tolist() == [6.0]
    assert_same_risk(out, engine.evaluate(second, [6.0]))
