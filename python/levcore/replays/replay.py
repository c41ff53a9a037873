"""Replay a book over prices that were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

import numpy as np

from levcore._levcore import Replay as CoreReplay
from levcore._levcore import to_quanta
from levcore.arguments import is_number, is_word, of_kind, optional
from levcore.book.arrays import Floats
from levcore.book.positions import PositionBook
from levcore.closing.fund import Fund
from levcore.closing.money import Wholes, instruments_of, quanta_per_unit
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.replays.opening import Opening, open_book
from levcore.replays.prices import Bars, read_bars
from levcore.replays.result import AMOUNTS, SERIES, Replay, ReplayEvents, ReplaySeries
from levcore.replays.rules import Rules, rules_of
from levcore.replays.steps import Steps, steps_of

__all__ = ["replay"]

STEPS_AT_ONCE = 2_000
"""Steps between two looks at Ctrl-C and two reports of progress."""
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
        mark. Rates of other times than those of the prices are not due.
    delisted : mapping of instrument to time, optional
        When an instrument ends: what is open is settled at its price, without fees.
    path : {"low_first", "high_first", "close", "both"}
        Which way prices went within a bar: from the open to the low, then the high, then the close; the other
        way; closes alone. ``"both"``: low first, and high first as `Replay.other`.
    gaps : {"refuse", "hold"}
        Where bars of an instrument are missing: refuse, or hold its price, as in a halt.
    slippage : float, basis points
        How much worse than the price each position is filled.
    quantum, lot, seed
        As `levcore.close_out` takes them.
    stop_after : int, optional
        Steps after which to stop; a price of a bar, for all instruments at once, is a step.
    resume : Replay, optional
        What an earlier call with the same arguments had when it was stopped: its steps are not taken again,
        and the result is that of one call.
    progress : callable, optional
        Called with the steps taken and their number, every few thousand.

    Returns
    -------
    Replay
        After Ctrl-C what there was until then; `Replay.is_complete` says so.

    Raises
    ------
    UnknownRuleError
        For a rule about what follows a trigger that is unknown, or that only `levcore.close_out` knows: steps
        other than the whole position.
    InputError
        For prices that are not positive, stand twice or are missing, and for times that do not fit.
    InvalidRowsError
        For a position that cannot be evaluated at the first prices.

    Notes
    -----
    A position is filled at the price that reached its trigger, the first of the path at or past it. Prices of
    an instant hold together; then who is liquidatable is closed, then funding is paid by who is left, then
    instruments end. What liquidations take from winners may liquidate these in turn, at the same instant.
    Accrued funding enters margins and wallets at the beginning. Accounts without positions are left out.
    """
    of_kind("engine", engine, Engine)
    of_kind("book", book, PositionBook)
    optional("delisted", delisted, Mapping)
    optional("progress", progress, Callable)  # type: ignore[arg-type]
    _check(path, gaps, slippage, stop_after)
    chosen = ("low_first", "high_first") if path == "both" else (path,)
    if resume is not None and (path != resume.path or engine.policy.id != resume.policy.id):
        expected = f"path={resume.path!r} under {resume.policy.id}"
        raise InputError("resume", "must be of the same replay", expected, f"{path!r}, {engine.policy.id}")
    per_unit, lots = quanta_per_unit(quantum), quanta_per_unit(lot)
    given = fund if isinstance(fund, Fund) else Fund(fund)
    rules = rules_of(engine.policy, book, given, slippage / 10_000.0, per_unit, lots, seed)
    instruments_of(engine.policy, book.instrument_names)
    bars = read_bars(prices, sorted(map(str, book.instrument_names)), gaps)
    first = bars.prices[: bars.starts[1], 0] if bars.times.size else np.empty(0)
    if first.size == 0:
        raise InputError("prices", "must hold a price", "one time or more", "none")
    names = sorted(map(str, book.instrument_names))
    marks = {
        names[code]: float(mark) for code, mark in zip(bars.instrument[: first.size], first, strict=True)
    }
    opening = open_book(engine, book, marks, per_unit)
    runs = []
    for way in chosen:
        steps = steps_of(bars, opening.book.instrument_names, way, funding, delisted)
        ahead = _Ahead(engine, book, opening, bars, steps, rules, way)
        runs.append(_run(ahead, given, stop_after, resume, progress))
    return runs[0] if len(runs) == 1 else replace(runs[0], other=runs[1])


def _check(path: str, gaps: str, slippage: float, stop_after: int | None) -> None:
    if not is_word(path, WAYS):
        raise InputError("path", "must be a known way", ", ".join(WAYS), repr(path))
    if not is_word(gaps, ("refuse", "hold")):
        raise InputError("gaps", "must be a known choice", "'refuse' or 'hold'", repr(gaps))
    if not (is_number(slippage) and 0 <= slippage < 10_000):
        raise InputError(
            "slippage", "must be basis points against the position", "0 to 10,000", repr(slippage)
        )
    if stop_after is not None and not (isinstance(stop_after, int) and stop_after >= 0):
        raise InputError("stop_after", "must be a number of steps", ">= 0", repr(stop_after))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A replay before it begins."""

    engine: Engine
    book: PositionBook
    opening: Opening
    bars: Bars
    steps: Steps
    rules: Rules
    path: str


def _run(
    ahead: _Ahead,
    fund: Fund,
    stop_after: int | None,
    resume: Replay | None,
    progress: Callable[[int, int], None] | None,
) -> Replay:
    opening, steps = ahead.opening, ahead.steps
    balance = int(to_quanta(np.array([float(fund.balance)]), ahead.rules.per_unit)[0])
    core = _opened(ahead, balance) if resume is None else _resumed(ahead, balance, resume)
    last = len(steps) if stop_after is None else min(stop_after, len(steps))
    try:
        for first in range(core.steps, last, STEPS_AT_ONCE):
            core.run(steps, first, min(first + STEPS_AT_ONCE, last))
            if progress is not None:
                progress(core.steps, last)
    except KeyboardInterrupt:
        pass  # what there is until now is a result, and says that it is not complete
    money = sum(opening.margin.tolist()) + sum(opening.wallet.tolist())
    return _result(ahead, core, money, balance, resume)


def _opened(ahead: _Ahead, balance: int) -> CoreReplay:
    opening = ahead.opening
    marks = np.ascontiguousarray(ahead.bars.prices[: ahead.bars.starts[1], 0])
    return _core(ahead, opening.book, marks, opening.margin, opening.wallet, balance)


def _core(
    ahead: _Ahead, book: PositionBook, marks: Floats, margin: Wholes, wallet: Wholes, fund: int
) -> CoreReplay:
    bound, opening = ahead.engine.bind(book), ahead.opening
    return CoreReplay(
        bound.handle,
        bound.kernel,
        marks,
        book.is_cross,
        opening.account,
        opening.key,
        margin,
        wallet,
        fund,
        ahead.rules,
        ahead.engine.used_instruction_set,
    )


def _resumed(ahead: _Ahead, balance: int, resume: Replay) -> CoreReplay:
    """The replay as it stood when it was stopped; its triggers follow from the book and the marks."""
    opening, steps = ahead.opening, ahead.steps
    same = (resume.of_steps, resume.opening_fund, len(resume.quantity))
    if same != (len(steps), balance, len(ahead.book)):
        rule = "must be of the same prices, fund and book"
        expected = f"{resume.of_steps} steps, {resume.opening_fund} quanta, {len(resume.quantity)} positions"
        raise InputError("resume", rule, expected, f"{len(steps)}, {balance}, {len(ahead.book)}")
    marks = np.ascontiguousarray(ahead.bars.prices[: ahead.bars.starts[1], 0])
    until = int(steps.price_starts[resume.steps])
    # Of an instrument with several prices the last one holds.
    marks[steps.price_instrument[:until]] = steps.price[:until]
    accounts = opening.book.account_ids if opening.account_of.size else None
    wallets = opening.book.wallet_balance if opening.account_of.size else None
    book = opening.book.replace(
        quantity=resume.quantity[opening.order], accounts=accounts, wallet_balance=wallets
    )
    margin = np.ascontiguousarray(resume.margin[opening.order])
    wallet = np.ascontiguousarray(resume.wallet[opening.account_of])
    core = _core(ahead, book, marks, margin, wallet, resume.fund)
    core.go_on_from(resume.steps, resume.funding, resume.liquidated, sum(resume.events.unpaid.tolist()))
    return core


def _result(ahead: _Ahead, core: CoreReplay, money: int, balance: int, before: Replay | None) -> Replay:
    opening, bars, steps = ahead.opening, ahead.bars, ahead.steps
    events, series = _events(ahead, core), _series(ahead, core)
    if before is not None:
        events, series = _joined(before.events, events), _joined(before.series, series)
    closes = np.full((bars.times.size, len(opening.book.instrument_names)), np.nan)
    closes[np.repeat(np.arange(bars.times.size), np.diff(bars.starts)), bars.instrument] = bars.prices[:, -1]
    left, margin, wallet, _ = core.state()
    fund, funding, liquidated, _ = core.totals()
    back = np.argsort(opening.order)
    wallets = to_quanta(np.nan_to_num(ahead.book.wallet_balance), ahead.rules.per_unit)
    wallets[opening.account_of] = wallet
    return Replay(
        policy=ahead.engine.policy,
        book=ahead.book,
        path=ahead.path,
        per_unit=ahead.rules.per_unit,
        events=events,
        series=series,
        instruments=tuple(opening.book.instrument_names),
        closes=closes,
        times=bars.times,
        steps=core.steps,
        of_steps=len(steps),
        opening_money=money,
        opening_fund=balance,
        money=sum(margin[~opening.book.is_cross].tolist()) + sum(wallet.tolist()),
        fund=fund,
        funding=funding,
        liquidated=liquidated,
        quantity=left[back],
        margin=margin[back],
        wallet=wallets,
    )


def _events(ahead: _Ahead, core: CoreReplay) -> ReplayEvents:
    kind, (step, row), (quantity, trigger, fill), amounts = core.events()
    at = step.astype(np.int64)
    return ReplayEvents(
        kind=kind,
        step=at,
        time=ahead.bars.times[ahead.steps.time[at]],
        row=ahead.opening.order[row.astype(np.int64)],
        quantity=quantity,
        trigger=trigger,
        fill=fill,
        **dict(zip(AMOUNTS, amounts, strict=True)),
    )


def _series(ahead: _Ahead, core: CoreReplay) -> ReplaySeries:
    (step, still_open), (equity, open_interest), amounts = core.samples()
    return ReplaySeries(
        time=ahead.bars.times[ahead.steps.time[step.astype(np.int64)]],
        open=still_open.astype(np.int64),
        equity=equity,
        open_interest=open_interest,
        **dict(zip(SERIES, amounts, strict=True)),
    )


Joined = TypeVar("Joined", ReplayEvents, ReplaySeries)


def _joined(before: Joined, after: Joined) -> Joined:
    """Columns one after the other."""
    columns = {
        each.name: np.concatenate([getattr(before, each.name), getattr(after, each.name)])
        for each in fields(before)
    }
    return type(before)(**columns)
