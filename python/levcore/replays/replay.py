"""Replay a book over prices that were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from levcore.arguments import is_number, is_word, of_kind, whole_number
from levcore.book.positions import PositionBook
from levcore.closing.fund import Fund
from levcore.closing.money import instruments_of, quanta_per_unit
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError
from levcore.replays.opening import open_book
from levcore.replays.prices import read_bars, refuse_silence
from levcore.replays.result import Replay
from levcore.replays.resume import befores_of
from levcore.replays.rules import rules_of
from levcore.replays.run import Ahead, run_of
from levcore.replays.steps import ends_of, steps_of

__all__ = ["replay"]

WAYS = ("low_first", "high_first", "close", "both")


def replay(
    engine: Engine,
    book: PositionBook,
    prices: Any,
    *,
    fund: float | Fund = 0.0,
    funding: Any = None,
    delisted: Mapping[str, Any] | None = None,
    path: Literal["low_first", "high_first", "close", "both"] = "low_first",
    gaps: Literal["refuse", "hold"] = "refuse",
    slippage: float = 0.0,
    quantum: float = 1e-8,
    lot: float = 1e-8,
    seed: int = 0,
    stop_after: int | None = None,
    resume: Replay | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Let prices pass over a book: whom they liquidate when, what it costs, and who pays.

    Parameters
    ----------
    engine : Engine
        With one policy, whose rules ``close_out_*`` and ``trader_owes`` say what happens after a trigger. All
        of them must be known; `levcore.MarginPolicy.replace` states one.
    book : PositionBook
        Without `levcore.Balances`. Its instruments settle in one currency.
    prices : table
        Columns ``time``, ``instrument`` (if the book has several) and ``open``, ``high``, ``low``, ``close``
        or ``price``, quote per base: a mapping of columns or a data frame. Every instrument of the book has a
        price at the first time, where the replay begins.
    fund : float, settlement currency, or Fund
        Insurance fund.
    funding : table, optional
        Columns ``time``, ``instrument``, ``rate``: what longs pay shorts, a fraction of the value at the
        mark. A rate between two times of the prices is due at the later one; those before the first and
        after the last are not due.
    delisted : mapping of instrument to time, optional
        When an instrument ends: what is open is settled at its price, without fees.
    path : {"low_first", "high_first", "close", "both"}
        Which way prices went within a bar: from the open to the low, then the high, then the close; the other
        way; closes alone. ``"both"``: low first, and high first as `Replay.other`.
    gaps : {"refuse", "hold"}
        Where bars of an instrument are missing, also at times at which another one has some: refuse, or hold
        its price, as in a halt.
    slippage : float, basis points
        How much worse than the price each position is filled.
    quantum, lot, seed
        As `levcore.close_out` takes them.
    stop_after : int, optional
        Steps after which to stop; a price of a bar, for all instruments at once, is a step.
    resume : Replay, optional
        What an earlier call with the same arguments had when it was stopped: its steps are not taken again,
        and the result is that of one call. Another policy, book, price, path or fund is refused; slippage,
        seed, funding and ends are not compared.
    progress : callable, optional
        Called with the steps taken and their number, every few thousand.

    Returns
    -------
    Replay
        After Ctrl-C what there was until then; `Replay.is_complete` says so.

    Raises
    ------
    UnknownRuleError
        For a rule about what follows a trigger that is unknown.
    InputError
        For prices that are not positive, stand twice or are missing, for times that do not fit, and for a
        rule that is not replayed (``close_out_sharing`` other than a queue, a ``close_out_guard_band``).
    InvalidRowsError
        For a position that cannot be evaluated at the first prices, or is open at others at which it cannot:
        what is not known is neither liquidated nor spared.

    Notes
    -----
    A position is filled at the price that reached its trigger, the first of the path at or past it. Prices of
    an instant hold together; then who is liquidatable is closed, step by step as the policy says, until what
    is left is safe; then funding is paid by who is left, then instruments end. What liquidations take from
    winners may liquidate these in turn, at the same instant. For ``close_out_cooldown`` all prices of a bar
    have its time, and times that are numbers are seconds.
    Accrued funding enters margins and wallets at the beginning. Accounts without positions are left out.
    """
    of_kind("engine", engine, Engine)
    of_kind("book", book, PositionBook)
    _check(path, gaps, slippage, progress)
    chosen = ("low_first", "high_first") if path == "both" else (path,)
    stop_after = _stop(stop_after)
    per_unit, lots = quanta_per_unit(quantum), quanta_per_unit(lot, "lot")
    given = fund if isinstance(fund, Fund) else Fund(fund)
    rules = rules_of(engine.policy, book, given, slippage / 10_000.0, per_unit, lots, seed)
    if len(book) == 0:
        raise InputError("book", "must hold a position", "one row or more", "none")
    instruments_of(engine.policy, book.instrument_names)
    bars = read_bars(prices, sorted(map(str, book.instrument_names)), gaps)
    first = bars.prices[: bars.starts[1], 0] if bars.times.size else np.empty(0)
    if first.size == 0:
        raise InputError("prices", "must hold a price", "one time or more", "none")
    names = sorted(map(str, book.instrument_names))
    ends = ends_of(bars, names, delisted)
    if gaps == "refuse":
        refuse_silence(bars, names, ends)
    marks = {
        names[code]: float(mark) for code, mark in zip(bars.instrument[: first.size], first, strict=True)
    }
    opening = open_book(engine, book, marks, per_unit)
    befores = befores_of(resume, chosen, engine.policy, book, bars, per_unit)
    runs: list[Replay] = []
    for way, before in zip(chosen, befores, strict=True):
        steps = steps_of(bars, opening.book.instrument_names, way, funding, ends)
        ahead = Ahead(engine, book, opening, bars, steps, rules, way)
        if runs and runs[0].steps < (len(steps) if stop_after is None else min(stop_after, len(steps))):
            stop_after = 0  # Ctrl-C ends both ways
        runs.append(run_of(ahead, given, stop_after, before, progress))
    return runs[0] if len(runs) == 1 else replace(runs[0], other=runs[1])


def _check(path: str, gaps: str, slippage: float, progress: Any) -> None:
    if not is_word(path, WAYS):
        raise InputError("path", "must be a known way", ", ".join(WAYS), repr(path))
    if not is_word(gaps, ("refuse", "hold")):
        raise InputError("gaps", "must be a known choice", "'refuse' or 'hold'", repr(gaps))
    if not (is_number(slippage) and 0 <= slippage < 10_000):
        raise InputError(
            "slippage", "must be basis points against the position", "0 to 10,000", repr(slippage)
        )
    if progress is not None and not callable(progress):
        raise DTypeError("progress", "must be callable", "a function of two numbers", type(progress).__name__)


def _stop(stop_after: Any) -> int | None:
    if stop_after is None:
        return None
    steps = whole_number("stop_after", stop_after)
    if steps < 0:
        raise InputError("stop_after", "must be a number of steps", ">= 0", repr(steps))
    return steps
