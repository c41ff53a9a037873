"""Gathering of a report from a result.

Everything is counted with numpy over whole columns, so that a report on ten million positions takes little
more than a few passes over them, and its size does not grow with the book.
"""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from levcore.book.listings import listing_codes, listing_marks, listing_names, settlements
from levcore.engine.risk import BookRisk
from levcore.reports.risk.data import (
    DISTANCE_BINS,
    AccountGroup,
    Distances,
    Floats,
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
from levcore.status import COLUMN_AT_FAULT, FIRST_FAILURE, FIRST_PARTIAL, AccountStatus, State, Status

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
        totals=_totals(risk, settlement, currencies),
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


def _totals(risk: BookRisk, settlement: Places, currencies: list[str]) -> tuple[Totals, ...]:
    currency = settlement[listing_codes(risk.book)]
    count = len(currencies)
    positions = np.bincount(currency[risk.status < FIRST_FAILURE], minlength=count)
    long = risk.book.quantity > 0
    by_currency = {
        "long_notional": sums(currency, count, np.where(long, risk.notional, 0.0)),
        "short_notional": sums(currency, count, np.where(long, 0.0, risk.notional)),
        "unrealized_pnl": sums(currency, count, risk.unrealized_pnl),
        "maintenance_margin": sums(currency, count, risk.maintenance_margin),
        "isolated_equity": sums(currency, count, np.where(risk.book.is_cross, 0.0, risk.equity)),
        "account_equity": _account_equity(risk, currency, count),
    }
    # A currency without an evaluated position has no totals, rather than totals of zero.
    places = [place for place in np.argsort(-positions, kind="stable").tolist() if positions[place]]
    return tuple(
        Totals(
            currencies[place],
            int(positions[place]),
            **{name: float(by_currency[name][place]) for name in by_currency},
        )
        for place in places
    )


def _account_equity(risk: BookRisk, currency: Places, count: int) -> Floats:
    """Equity of the accounts by settlement currency; NaN where one holds several, or none has a value.

    That of accounts with balances is in a currency of their own, so that there is no total with them.
    """
    if len(risk.balances):
        return np.full(count, np.nan)
    if count == 1:
        equity = risk.accounts.equity
        missing = len(equity) and np.isnan(equity).all()
        return np.array([np.nan if missing else np.nansum(equity)])
    total = np.zeros(count)
    codes = risk.book.account_codes
    rows = np.flatnonzero(risk.book.is_cross)
    if codes is None or not len(rows):
        return total
    # The equity of a cross position is that of its account, so one row of each account is enough.
    row_of = np.full(int(codes[rows].max()) + 1, -1, np.int64)
    row_of[codes[rows]] = rows
    total = sums(currency[row_of[row_of >= 0]], count, risk.equity[row_of[row_of >= 0]])
    mixed = currency[rows] != currency[row_of[codes[rows]]]
    total[currency[rows[mixed]]] = np.nan
    total[currency[row_of[codes[rows[mixed]]]]] = np.nan
    return total


def _states(risk: BookRisk) -> tuple[StateLine, ...]:
    size = max(State) + 1
    is_cross = risk.book.is_cross
    isolated = np.bincount(risk.state[~is_cross], minlength=size).tolist()
    cross = np.bincount(risk.state[is_cross], minlength=size).tolist()
    accounts = np.bincount(risk.accounts.state, minlength=size).tolist()
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
        places = np.flatnonzero(risk.accounts.status == status)
        if status != AccountStatus.OK and len(places):
            first = tuple(str(risk.accounts.ids[place]) for place in places[:ROWS_OF_A_STATUS].tolist())
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
    column = COLUMN_AT_FAULT.get(status, "")
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
