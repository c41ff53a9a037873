"""Gathering of a report from a result.

Everything is counted with numpy over whole columns, so that a report on ten million positions takes little
more than a few passes over them, and its size does not grow with the book.
"""

from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from levcore.book.listings import listing_codes, listing_marks, listing_names, settlements
from levcore.engine.risk import BookRisk
from levcore.engine.totals import OF_ACCOUNTS, totals_by_currency
from levcore.reports.risk.data import (
    DISTANCE_BINS,
    AccountGroup,
    Distances,
    Report,
    StateLine,
    StatusGroup,
    Totals,
)
from levcore.reports.risk.lists import (
    account_of,
    accounts_listed,
    balances_listed,
    instrument_lines,
    instruments_by_size,
    positions_listed,
    sums,
)
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, AccountStatus, State, Status

__all__ = ["gather"]

Places = NDArray[np.int64]

# Lower ends of the second and the later DISTANCE_BINS; the last but one has no upper end but infinity.
DISTANCE_EDGES = (0.0, 0.01, 0.02, 0.05, 0.10, 0.20, 0.50, 1.00)
LONGEST_MOVE = 60  # per cent, the end of the liquidation profile
ROWS_OF_A_STATUS = 5
MARKS_SHOWN = 1000


def gather(risk: BookRisk, *, top: int = 20, generated_at: datetime | None = None) -> Report:
    """Everything a report on `risk` shows.

    Parameters
    ----------
    risk : BookRisk
        Result with every measure.
    top : int
        Length of the lists of accounts, positions and instruments.
    generated_at : datetime, optional
        Time to print, now in UTC where it is not given.

    Raises
    ------
    InputError
        A measure was not computed.
    """
    status = risk.status
    totals, totals_of_balances = _totals(risk)
    currencies, settlement = settlements(risk.book, risk.policies)
    order = instruments_by_size(risk)
    prices, names = listing_marks(risk.book, risk.marks), listing_names(risk.book)
    used = np.bincount(listing_codes(risk.book), minlength=len(order)) > 0
    priced = order[used[order] & ~np.isnan(prices[order])]
    return Report(
        risk=risk,
        generated_at=generated_at or datetime.now(UTC),
        rows=len(status),
        failed=int(np.count_nonzero(status >= FIRST_FAILURE)),
        partial=int(np.count_nonzero((status >= FIRST_PARTIAL) & (status < FIRST_FAILURE))),
        totals=totals,
        totals_of_balances=totals_of_balances,
        states=_states(risk),
        accounts_past=accounts_listed(risk, top // 2, past=True),
        accounts=accounts_listed(risk, top, past=False),
        balances=balances_listed(risk, top),
        balances_left_out=max(0, len(risk.balances) - top),
        positions_past=positions_listed(risk, top // 2, past=True),
        positions=positions_listed(risk, top, past=False),
        instruments=instrument_lines(risk, order, settlement, currencies, top),
        distances=_distances(risk, settlement, currencies),
        failures=_status_groups(risk, FIRST_PARTIAL, 256),
        account_failures=_account_groups(risk),
        findings=_status_groups(risk, 1, FIRST_PARTIAL),
        marks=tuple((names[code], float(prices[code])) for code in priced[:MARKS_SHOWN].tolist()),
        marks_left_out=max(0, len(priced) - MARKS_SHOWN),
    )


def _totals(risk: BookRisk) -> tuple[tuple[Totals, ...], Totals | None]:
    """Lines by settlement currency, the one with most positions first, and that of accounts with balances."""
    for name in ("maintenance_margin", "equity"):
        risk.column(name)  # says which one was not computed
    sums = totals_by_currency(risk)
    of_balances = sums.pop(OF_ACCOUNTS, None)
    lines = sorted(sums, key=lambda currency: -sums[currency]["positions"])
    in_assets = None
    if of_balances is not None:
        equity = {"account_equity": of_balances["equity"], "isolated_equity": 0.0}
        in_assets = _line(OF_ACCOUNTS, of_balances | equity)
    return tuple(_line(currency, sums[currency]) for currency in lines), in_assets


def _line(settlement: str, sums: dict[str, float]) -> Totals:
    names = (field.name for field in fields(Totals) if field.name not in ("settlement", "positions"))
    amounts = {name: sums.get(name, np.nan) for name in names}
    return Totals(settlement, int(sums.get("positions", 0)), **amounts)


def _states(risk: BookRisk) -> tuple[StateLine, ...]:
    size = max(State) + 1
    is_cross = risk.book.is_cross
    isolated = np.bincount(risk.state[~is_cross], minlength=size).tolist()
    cross = np.bincount(risk.state[is_cross], minlength=size).tolist()
    accounts = np.bincount(risk.wallets.state, minlength=size).tolist()
    return tuple(StateLine(state, isolated[state], cross[state], accounts[state]) for state in State)


def _distances(risk: BookRisk, settlement: Places, currencies: list[str]) -> Distances:
    """Distribution over the positions in the currency that most of them settle in."""
    distance = risk.distance_to_liquidation
    currency = settlement[listing_codes(risk.book)]
    known = ~np.isnan(distance)
    main = int(np.argmax(np.bincount(currency[known], minlength=len(currencies)))) if len(currencies) else 0
    chosen = known & (currency == main)
    long = risk.book.quantity > 0
    sides = []
    for side in (long, ~long):
        here = chosen & side & (risk.notional > 0)
        of_side, notional = distance[here], risk.notional[here]
        place = np.searchsorted(DISTANCE_EDGES, of_side, side="right")
        place[np.isposinf(of_side)] = len(DISTANCE_BINS) - 1
        count = np.bincount(place, minlength=len(DISTANCE_BINS)).astype(np.float64)
        # What is past its liquidation price is reached by a move of 0; what lies beyond the axis is not on
        # it.
        move = np.ceil(np.clip(100.0 * of_side, 0.0, LONGEST_MOVE + 1.0)).astype(np.int64)
        profile = np.cumsum(sums(move, LONGEST_MOVE + 2, notional))[: LONGEST_MOVE + 1]
        sides.append((count, sums(place, len(DISTANCE_BINS), notional), profile, notional.sum()))
    (long_count, long_notional, long_profile, longs), other = sides
    short_count, short_notional, short_profile, shorts = other
    return Distances(
        settlement=currencies[main] if currencies else "",
        left_out=int(np.count_nonzero(known & ~chosen)),
        long_count=long_count,
        short_count=short_count,
        long_notional=long_notional,
        short_notional=short_notional,
        long_profile=long_profile / (longs + shorts or 1.0),
        short_profile=short_profile / (longs + shorts or 1.0),
    )


def _account_groups(risk: BookRisk) -> tuple[AccountGroup, ...]:
    """Accounts without a verdict, by reason."""
    groups = []
    for status in AccountStatus:
        places = np.flatnonzero(risk.wallets.status == status)
        if status != AccountStatus.OK and len(places):
            first = tuple(risk.wallets.label(place) for place in places[:ROWS_OF_A_STATUS].tolist())
            groups.append(AccountGroup(status, len(places), first))
    return tuple(groups)


def _status_groups(risk: BookRisk, first: int, stop: int) -> tuple[StatusGroup, ...]:
    """Rows grouped by status, for the codes from `first` on below `stop`."""
    counts = np.bincount(risk.status, minlength=256)
    return tuple(
        _status_group(risk, Status(code), int(counts[code]))
        for code in np.flatnonzero(counts).tolist()
        if first <= code < stop
    )


def _status_group(risk: BookRisk, status: Status, count: int) -> StatusGroup:
    book = risk.book
    column = status.column
    # The instrument is named anyway; every other column at fault is one of the book's, or the marks.
    values = None if column in ("", "instrument") else getattr(book, column, None)
    if column == "mark_price":
        values = listing_marks(book, risk.marks)[listing_codes(book)]
    rows = np.flatnonzero(risk.status == status)[:ROWS_OF_A_STATUS]
    return StatusGroup(
        status,
        count,
        column,
        tuple(
            (
                row,
                account_of(risk, row),
                book.name_of(row),
                None if values is None else float(values[row]),
            )
            for row in rows.tolist()
        ),
    )
