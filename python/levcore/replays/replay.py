"""Replay a book over prices that were."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from levcore._levcore import Replay as CoreReplay
from levcore._levcore import to_quanta
from levcore.arguments import is_number, is_word
from levcore.closing.fund import Fund
from levcore.closing.money import instruments_of, quanta_per_unit
from levcore.errors import InputError
from levcore.replays.opening import Opening, open_book
from levcore.replays.prices import Bars, read_bars
from levcore.replays.result import AMOUNTS, SERIES, Replay, ReplayEvents, ReplaySeries
from levcore.replays.rules import Rules, rules_of
from levcore.replays.steps import Steps, steps_of

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.engine import Engine

__all__ = ["replay"]

STEPS_AT_ONCE = 2_000
"""Steps between two looks at Ctrl-C and two reports of progress."""
WAYS = ("low_first", "high_first", "close", "both")


def replay(
    engine: "Engine",
    book: "PositionBook",
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
    chosen = ("low_first", "high_first") if path == "both" else (path,)
    _check(path, gaps, slippage, stop_after)
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
        runs.append(_run(engine, book, opening, bars, steps, rules, given, way, stop_after, progress))
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


def _run(
    engine: "Engine",
    book: "PositionBook",
    opening: Opening,
    bars: Bars,
    steps: Steps,
    rules: Rules,
    fund: Fund,
    path: str,
    stop_after: int | None,
    progress: Callable[[int, int], None] | None,
) -> Replay:
    bound = engine.bind(opening.book)
    marks = np.ascontiguousarray(bars.prices[: bars.starts[1], 0])
    balance = int(to_quanta(np.array([float(fund.balance)]), rules.per_unit)[0])
    core = CoreReplay(
        bound.handle,
        bound.kernel,
        marks,
        opening.book.is_cross,
        opening.account,
        opening.key,
        opening.margin,
        opening.wallet,
        balance,
        rules,
        engine.used_instruction_set,
    )
    last = len(steps) if stop_after is None else min(stop_after, len(steps))
    try:
        for first in range(0, last, STEPS_AT_ONCE):
            core.run(steps, first, min(first + STEPS_AT_ONCE, last))
            if progress is not None:
                progress(core.steps, last)
    except KeyboardInterrupt:
        pass  # what there is until now is a result, and says that it is not complete
    return _result(engine, book, opening, bars, steps, core, rules, path, balance)


def _result(
    engine: "Engine",
    book: "PositionBook",
    opening: Opening,
    bars: Bars,
    steps: Steps,
    core: CoreReplay,
    rules: Rules,
    path: str,
    balance: int,
) -> Replay:
    kind, (step, row), (quantity, trigger, fill), amounts = core.events()
    at = step.astype(np.int64)
    events = ReplayEvents(
        kind=kind,
        step=at,
        time=bars.times[steps.time[at]],
        row=opening.order[row.astype(np.int64)],
        quantity=quantity,
        trigger=trigger,
        fill=fill,
        **dict(zip(AMOUNTS, amounts, strict=True)),
    )
    (step, still_open), (equity, open_interest), amounts = core.samples()
    series = ReplaySeries(
        time=bars.times[steps.time[step.astype(np.int64)]],
        open=still_open.astype(np.int64),
        equity=equity,
        open_interest=open_interest,
        **dict(zip(SERIES, amounts, strict=True)),
    )
    closes = np.full((bars.times.size, len(opening.book.instrument_names)), np.nan)
    closes[np.repeat(np.arange(bars.times.size), np.diff(bars.starts)), bars.instrument] = bars.prices[:, -1]
    left, margin, wallet, _ = core.state()
    funded, funding, _, _ = core.totals()
    back = np.argsort(opening.order)
    wallets = to_quanta(np.nan_to_num(book.wallet_balance), rules.per_unit)
    wallets[opening.account_of] = wallet
    return Replay(
        policy=engine.policy,
        book=book,
        path=path,
        per_unit=rules.per_unit,
        events=events,
        series=series,
        instruments=tuple(opening.book.instrument_names),
        closes=closes,
        times=bars.times,
        steps=core.steps,
        of_steps=len(steps),
        opening_money=sum(opening.margin.tolist()) + sum(opening.wallet.tolist()),
        opening_fund=balance,
        money=sum(margin[~opening.book.is_cross].tolist()) + sum(wallet.tolist()),
        fund=funded,
        funding=funding,
        quantity=left[back],
        margin=margin[back],
        wallet=wallets,
    )
