"""A replay under way: the core's steps, where it is stopped and goes on, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from levcore._levcore import Replay as CoreReplay
from levcore.book.arrays import Floats
from levcore.book.positions import PositionBook
from levcore.closing.fund import Fund
from levcore.closing.money import Wholes, in_quanta, one_in_quanta
from levcore.engine.engine import Engine
from levcore.errors import InputError, InvalidRowsError
from levcore.replays.opening import Opening
from levcore.replays.prices import Bars
from levcore.replays.result import AMOUNTS, SERIES, Replay, ReplayEvents, ReplaySeries
from levcore.replays.rules import Rules
from levcore.replays.steps import Steps
from levcore.status import FIRST_FAILURE, Status

__all__ = ["Ahead", "run_of"]

STEPS_AT_ONCE = 2_000
"""Steps between two looks at Ctrl-C and two reports of progress."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A replay before it begins."""

    engine: Engine
    book: PositionBook
    opening: Opening
    bars: Bars
    steps: Steps
    rules: Rules
    path: str


def run_of(
    ahead: Ahead,
    fund: Fund,
    stop_after: int | None,
    resume: Replay | None,
    progress: Callable[[int, int], None] | None,
) -> Replay:
    """Take the steps from where it stands until `stop_after`, or Ctrl-C."""
    opening, steps = ahead.opening, ahead.steps
    balance = one_in_quanta("fund", fund.balance, ahead.rules.per_unit)
    core = _opened(ahead, balance) if resume is None else _resumed(ahead, balance, resume)
    last = len(steps) if stop_after is None else min(stop_after, len(steps))
    try:
        for first in range(core.steps, last, STEPS_AT_ONCE):
            _steps(ahead, core, first, min(first + STEPS_AT_ONCE, last))
            if progress is not None:
                progress(core.steps, last)
    except KeyboardInterrupt:
        pass  # what there is until now is a result, and says that it is not complete
    money = sum(opening.margin.tolist()) + sum(opening.wallet.tolist())
    return _result(ahead, core, money, balance, resume)


def _steps(ahead: Ahead, core: CoreReplay, first: int, last: int) -> None:
    """Take steps; whom the core cannot judge is named by the caller's row, with the status that it has."""
    try:
        core.run(ahead.steps, first, last)
    except InputError as error:
        if error.row is None:
            raise
        place = int(core.steps)
        marks = _marks_after(ahead, place + 1)
        rows, status = _not_judged(ahead, core.state()[0], marks, error.row)
        book = ahead.opening.book
        name, mark = (names_or[book.instrument_codes[rows[0]]] for names_or in (book.instrument_names, marks))
        time = ahead.bars.times[ahead.steps.time[place]]
        found = f"{name} at {float(mark)!r} at {time}, step {place}: {Status(status[0]).word}"
        own = ahead.opening.order[rows].tolist()
        raise InvalidRowsError(error.argument, error.rule, error.expected, found, own, status) from None


def _not_judged(ahead: Ahead, quantity: Floats, marks: Floats, row: int) -> tuple[list[int], list[int]]:
    """Positions that fail at some marks among those that are judged with a row, and their statuses."""
    book = ahead.opening.book
    risk = ahead.engine.evaluate(book.replace(quantity=quantity), marks)
    beside = np.arange(len(book)) == row
    if book.is_cross[row]:
        beside = book.is_cross & (ahead.opening.account == ahead.opening.account[row])
    failed = np.flatnonzero(beside & (risk.status >= FIRST_FAILURE))
    rows = failed.tolist() or [row]
    return rows, risk.status[rows].tolist()


def _marks_after(ahead: Ahead, steps: int) -> Floats:
    """Marks after so many steps; of an instrument with several prices the last one holds."""
    marks = np.ascontiguousarray(ahead.bars.prices[: ahead.bars.starts[1], 0])
    until = int(ahead.steps.price_starts[steps])
    marks[ahead.steps.price_instrument[:until]] = ahead.steps.price[:until]
    return marks


def _opened(ahead: Ahead, balance: int) -> CoreReplay:
    opening = ahead.opening
    marks = np.ascontiguousarray(ahead.bars.prices[: ahead.bars.starts[1], 0])
    return _core(ahead, opening.book, marks, opening.margin, opening.wallet, balance)


def _core(
    ahead: Ahead, book: PositionBook, marks: Floats, margin: Wholes, wallet: Wholes, fund: int
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


def _resumed(ahead: Ahead, balance: int, resume: Replay) -> CoreReplay:
    """The replay as it stood when it was stopped; its triggers follow from the book and the marks."""
    opening = ahead.opening
    if resume.opening_fund != balance:
        expected = f"a fund of {resume.opening_fund} quanta"
        raise InputError("resume", "must be of the same arguments", expected, str(balance))
    marks = _marks_after(ahead, resume.steps)
    accounts = opening.book.account_ids if opening.account_of.size else None
    wallets = opening.book.wallet_balance if opening.account_of.size else None
    book = opening.book.replace(
        quantity=resume.quantity[opening.order], accounts=accounts, wallet_balance=wallets
    )
    margin = np.ascontiguousarray(resume.margin[opening.order])
    wallet = np.ascontiguousarray(resume.wallet[opening.account_of])
    core = _core(ahead, book, marks, margin, wallet, resume.fund)
    core.go_on_from(resume.steps, resume.funding, resume.liquidated, sum(resume.events.unpaid.tolist()))
    core.go_on_after(
        np.ascontiguousarray(resume.stepped[opening.order]),
        np.ascontiguousarray(resume.stepped_accounts[opening.account_of]),
    )
    return core


def _result(ahead: Ahead, core: CoreReplay, money: int, balance: int, before: Replay | None) -> Replay:
    opening, bars, steps = ahead.opening, ahead.bars, ahead.steps
    events, series = _events(ahead, core), _series(ahead, core)
    if before is not None:
        events, series = _joined(before.events, events), _joined(before.series, series)
    left, margin, wallet, _ = core.state()
    fund, funding, liquidated, _ = core.totals()
    back = np.argsort(opening.order)
    wallets = in_quanta("wallet_balance", np.nan_to_num(ahead.book.wallet_balance), ahead.rules.per_unit)
    wallets[opening.account_of] = wallet
    stepped, of_accounts = core.stepped()
    stepped_accounts = np.full(wallets.size, -np.inf)
    stepped_accounts[opening.account_of] = of_accounts
    return Replay(
        policy=ahead.engine.policy,
        book=ahead.book,
        path=ahead.path,
        per_unit=ahead.rules.per_unit,
        events=events,
        series=series,
        instruments=tuple(opening.book.instrument_names),
        closes=bars.closes(len(opening.book.instrument_names)),
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
        stepped=stepped[back],
        stepped_accounts=stepped_accounts,
    )


def _events(ahead: Ahead, core: CoreReplay) -> ReplayEvents:
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


def _series(ahead: Ahead, core: CoreReplay) -> ReplaySeries:
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
