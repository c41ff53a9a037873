"""How fast this installation is, beside the pure-Python reference that it agrees with to the bit."""

import time
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from levcore._levcore import default_threads
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.errors import InternalError
from levcore.reference.evaluate import evaluate
from levcore.reports.numbers import count
from levcore.reports.text import text_table
from levcore.rules.instruments import Instrument
from levcore.rules.policies import policy
from levcore.rules.policy import MarginPolicy
from levcore.samples import generate

__all__ = ["Speed", "check_agreement", "dollar_instruments", "measured_speed", "speed_text"]

REFERENCE_ROWS = 2_000
"""Positions that the reference evaluates: some 30 microseconds each."""
SECONDS = 0.3
"""Time that is spent on each number, at least."""
KINDS: tuple[tuple[Literal["isolated", "cross"], Literal["sorted", "by_account"]], ...] = (
    ("isolated", "sorted"),
    ("cross", "by_account"),
)


class Speed(NamedTuple):
    """How fast books of one kind are evaluated.

    Attributes
    ----------
    book : {"isolated", "cross"}
    threads : int
    rows : int
        Positions of the engine's book.
    rows_per_second : float
        Of `levcore.Engine.evaluate` with ``out``, the middle one of several calls.
    reference_rows_per_second : float
        Of `levcore.reference.evaluate` on 2,000 positions of the same kind.
    """

    book: str
    threads: int
    rows: int
    rows_per_second: float
    reference_rows_per_second: float

    @property
    def ratio(self) -> float:
        """How many times as fast the engine is."""
        return self.rows_per_second / self.reference_rows_per_second


def dollar_instruments(rules: MarginPolicy) -> dict[str, Instrument]:
    """Instruments of a policy that settle in USDT, so that any of them can share an account."""
    listed = rules.instruments
    return {name: listed[name] for name in listed if listed[name].settlement == "USDT"}


def check_agreement(risk: BookRisk, expected: BookRisk, found: str) -> None:
    """Hold a result against the reference's.

    Raises
    ------
    InternalError
        Where they differ in a bit, with `found`, which says whose result it is.
    """
    for measure in risk.to_dict():
        if not np.array_equal(risk[measure], expected[measure], equal_nan=True):
            raise InternalError(measure, "must have the same bits in kernel and reference", found=found)


def measured_speed(rows: int) -> list[Speed]:
    """Measure this installation on generated books under Binance's rules, and hold it against the reference.

    Parameters
    ----------
    rows : int
        Positions of the large books, at least 1.

    Returns
    -------
    list of Speed
        Isolated positions, and accounts of ten cross ones; each on one thread, and on those of a large call.

    Raises
    ------
    InternalError
        Where engine and reference differ in a bit.
    """
    rules = policy("binance-usdm")
    engine, instruments = Engine(rules), dollar_instruments(rules)
    found = []
    for mode, order in KINDS:
        small, marks = generate.book(REFERENCE_ROWS, instruments, seed=1, margin_mode=mode, order=order)
        risk, reference = engine.evaluate(small, marks), partial(evaluate, small, rules, marks)
        check_agreement(risk, reference(), engine.used_instruction_set)
        reference_speed = REFERENCE_ROWS / _seconds(reference)
        large, marks = generate.book(rows, instruments, seed=2, margin_mode=mode, order=order)
        out = engine.evaluate(large, marks)
        for threads in sorted({1, default_threads()}):
            taken = _seconds(partial(engine.evaluate, large, marks, out=out, threads=threads))
            found.append(Speed(mode, threads, rows, rows / taken, reference_speed))
    return found


def speed_text(found: list[Speed]) -> str:
    """What was measured, as a table."""
    heads = ("positions", "rows", "threads", "engine, rows/s", "reference, rows/s", "times")
    lines = [
        (
            each.book,
            count(each.rows),
            str(each.threads),
            count(each.rows_per_second),
            count(each.reference_rows_per_second),
            count(each.ratio),
        )
        for each in found
    ]
    return text_table(heads, lines)


def _seconds(call: Callable[[], object]) -> float:
    """Seconds of a call: the median of at least three, after one that is not counted."""
    call()
    taken: list[float] = []
    while len(taken) < 3 or sum(taken) < SECONDS:
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken))
