"""Gathering of a report from a result.

Everything is counted with numpy over whole columns, so that a report on ten million positions takes little
more than a few passes over them, and its size does not grow with the book.
"""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from levcore.report_data import (
    DISTANCE_BINS,
    AccountLine,
    Distances,
    Floats,
    InstrumentLine,
    PositionLine,
    Report,
    StateLine,
    StatusGroup,
    Totals,
)
from levcore.risk import BookRisk
from levcore.status import COLUMN_AT_FAULT, FIRST_FAILURE, FIRST_PARTIAL, State, Status

__all__ = ["gather", "positions_of_accounts"]

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
    settlement, currencies = _settlements(risk)
    order = _instruments_by_size(risk)
    priced = order[~np.isnan(risk.marks[order])]
    names = risk.book.instrument_names
    return Report(
        risk=risk,
        generated_at=generated_at or datetime.now(UTC),
        rows=len(status),
        failed=int(np.count_nonzero(status >= FIRST_FAILURE)),
        partial=int(np.count_nonzero((status >= FIRST_PARTIAL) & (status < FIRST_FAILURE))),
        totals=_totals(risk, settlement, currencies),
        states=_states(risk),
        accounts_past=_account_lines(risk, top // 2, past=True),
        accounts=_account_lines(risk, top, past=False),
        positions_past=_position_lines(risk, top // 2, past=True),
        positions=_position_lines(risk, top, past=False),
        instruments=_instrument_lines(risk, order, settlement, currencies, top),
        distances=_distances(risk, settlement, currencies),
        failures=_status_groups(risk, FIRST_PARTIAL, 256),
        findings=_status_groups(risk, 1, FIRST_PARTIAL),
        marks=tuple((names[code], float(risk.marks[code])) for code in priced[:MARKS_SHOWN].tolist()),
        marks_left_out=max(0, len(priced) - MARKS_SHOWN),
    )


def _settlements(risk: BookRisk) -> tuple[Places, list[str]]:
    """Settlement currency of each instrument as a place in the list of those that occur."""
    instruments = risk.policy.instruments
    names = [
        instruments[name].settlement if name in instruments else "" for name in risk.book.instrument_names
    ]
    currencies = list(dict.fromkeys(names))
    return np.array([currencies.index(name) for name in names], np.int64), currencies


def _sums(codes: NDArray[np.integer], length: int, values: Floats) -> Floats:
    """Sum of the values of each code, leaving out the rows that have none."""
    sums: Floats = np.bincount(codes, np.where(np.isnan(values), 0.0, values), length).astype(np.float64)
    return sums


def _totals(risk: BookRisk, settlement: Places, currencies: list[str]) -> tuple[Totals, ...]:
    currency = settlement[risk.book.instrument_codes]
    count = len(currencies)
    positions = np.bincount(currency[risk.status < FIRST_FAILURE], minlength=count)
    long = risk.book.quantity > 0
    sums = {
        "long_notional": _sums(currency, count, np.where(long, risk.notional, 0.0)),
        "short_notional": _sums(currency, count, np.where(long, 0.0, risk.notional)),
        "unrealized_pnl": _sums(currency, count, risk.unrealized_pnl),
        "maintenance_margin": _sums(currency, count, risk.maintenance_margin),
        "isolated_equity": _sums(currency, count, np.where(risk.book.is_cross, 0.0, risk.equity)),
        "account_equity": _account_equity(risk, currency, count),
    }
    # A currency without an evaluated position has no totals, rather than totals of zero.
    places = [place for place in np.argsort(-positions, kind="stable").tolist() if positions[place]]
    return tuple(
        Totals(currencies[place], int(positions[place]), **{name: float(sums[name][place]) for name in sums})
        for place in places
    )


def _account_equity(risk: BookRisk, currency: Places, count: int) -> Floats:
    """Equity of the accounts by settlement currency; NaN where one holds several, or none has a value."""
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
    total = _sums(currency[row_of[row_of >= 0]], count, risk.equity[row_of[row_of >= 0]])
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


def _lowest(keys: Floats, count: int) -> Places:
    """Rows of the `count` lowest keys, ascending, equal ones in the order of rows; NaN belongs to none."""
    rows = np.flatnonzero(~np.isnan(keys))
    if len(rows) > count:
        limit = np.partition(keys[rows], count - 1)[count - 1]
        below, equal = rows[keys[rows] < limit], rows[keys[rows] == limit]
        rows = np.concatenate([below, equal[: count - len(below)]])
    return rows[np.lexsort((rows, keys[rows]))]


def positions_of_accounts(risk: BookRisk) -> Places:
    """Number of cross positions of each account, failed ones included."""
    codes = risk.book.account_codes
    if codes is None:
        return np.zeros(len(risk.accounts), np.int64)
    return np.bincount(codes[risk.book.is_cross], minlength=len(risk.accounts))


def _account_lines(risk: BookRisk, top: int, *, past: bool) -> tuple[AccountLine, ...]:
    """Accounts in liquidation, the largest call first; or the others, the highest ratio first."""
    accounts, positions = risk.accounts, positions_of_accounts(risk)
    in_liquidation = (accounts.state == State.LIQUIDATION) | (accounts.state == State.BANKRUPT)
    if past:
        places = _lowest(np.where(in_liquidation, -accounts.margin_call_amount, np.nan), top)
    else:
        # Without a requirement, as without positions, nothing can come closer to liquidation.
        open_to_it = ~in_liquidation & (accounts.margin_ratio > 0)
        places = _lowest(np.where(open_to_it, -accounts.margin_ratio, np.nan), top)
    return tuple(
        AccountLine(
            account=str(accounts.ids[place]),
            state=State(int(accounts.state[place])),
            positions=int(positions[place]),
            equity=float(accounts.equity[place]),
            maintenance_margin=float(accounts.maintenance_margin[place]),
            free_margin=float(accounts.free_margin[place]),
            margin_call_amount=float(accounts.margin_call_amount[place]),
            margin_ratio=float(accounts.margin_ratio[place]),
        )
        for place in places.tolist()
    )


def _position_lines(risk: BookRisk, top: int, *, past: bool) -> tuple[PositionLine, ...]:
    """Positions past their liquidation price, the largest first; or the others, the closest first."""
    book, distance = risk.book, risk.distance_to_liquidation
    if past:
        # By size: how far past says little, least of all for a small leg of a large account in liquidation.
        rows = _lowest(np.where(distance < 0, -risk.notional, np.nan), top)
    else:
        rows = _lowest(np.where((distance >= 0) & (distance < np.inf), distance, np.nan), top)
    return tuple(
        PositionLine(
            row=row,
            account=_account(risk, row),
            instrument=book.name_of(row),
            is_cross=bool(book.is_cross[row]),
            quantity=float(book.quantity[row]),
            entry_price=float(book.entry_price[row]),
            mark_price=float(risk.marks[book.instrument_codes[row]]),
            liquidation_price=float(risk.liquidation_price[row]),
            distance=float(distance[row]),
            notional=float(risk.notional[row]),
            unrealized_pnl=float(risk.unrealized_pnl[row]),
            margin_ratio=float(risk.margin_ratio[row]),
            state=State(int(risk.state[row])),
        )
        for row in rows.tolist()
    )


def _account(risk: BookRisk, row: int) -> str:
    account = risk.book.account_of(row)
    return "" if account is None else str(account)


def _instruments_by_size(risk: BookRisk) -> Places:
    """Codes of the instruments, the largest notional first."""
    size = _sums(risk.book.instrument_codes, len(risk.book.instrument_names), risk.notional)
    return np.argsort(-size, kind="stable")


def _instrument_lines(
    risk: BookRisk, order: Places, settlement: Places, currencies: list[str], top: int
) -> tuple[InstrumentLine, ...]:
    """Exposure of the largest instruments, then of all others by currency."""
    codes, count = risk.book.instrument_codes, len(order)
    long = risk.book.quantity > 0
    positions = np.bincount(codes[risk.status < FIRST_FAILURE], minlength=count)
    longs = _sums(codes, count, np.where(long, risk.notional, 0.0))
    shorts = _sums(codes, count, np.where(long, 0.0, risk.notional))
    profits = _sums(codes, count, risk.unrealized_pnl)
    distance = risk.distance_to_liquidation
    past = np.bincount(codes[distance < 0], minlength=count)
    nearest = np.full(count, np.inf)
    np.minimum.at(nearest, codes, np.where(distance >= 0, distance, np.inf))

    def line(name: str, of: Places, mark: float) -> InstrumentLine:
        return InstrumentLine(
            instrument=name,
            settlement=currencies[settlement[of[0]]],
            instruments=len(of),
            positions=int(positions[of].sum()),
            long_notional=float(longs[of].sum()),
            short_notional=float(shorts[of].sum()),
            unrealized_pnl=float(profits[of].sum()),
            mark_price=mark,
            past=int(past[of].sum()),
            nearest=float(nearest[of].min()),
        )

    held = order[positions[order] > 0]
    names = risk.book.instrument_names
    lines = [line(names[code], held[i : i + 1], float(risk.marks[code])) for i, code in enumerate(held[:top])]
    rest = held[top:]
    others = [rest[settlement[rest] == place] for place in range(len(currencies))]
    return tuple(lines + [line("", of, np.nan) for of in others if len(of)])


def _distances(risk: BookRisk, settlement: Places, currencies: list[str]) -> Distances:
    """Distribution over the positions in the currency that most of them settle in."""
    distance = risk.distance_to_liquidation
    currency = settlement[risk.book.instrument_codes]
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
        profile = np.cumsum(_sums(move, LONGEST_MOVE + 2, notional))[: LONGEST_MOVE + 1]
        sides.append((count, _sums(place, len(DISTANCE_BINS), notional), profile, notional.sum()))
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
        values = risk.marks[book.instrument_codes]
    rows = np.flatnonzero(risk.status == status)[:ROWS_OF_A_STATUS]
    return StatusGroup(
        status,
        count,
        column,
        tuple(
            (
                row,
                _account(risk, row),
                book.name_of(row),
                None if values is None else float(values[row]),
            )
            for row in rows.tolist()
        ),
    )
