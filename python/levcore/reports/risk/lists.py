"""Lists of a report: the accounts, positions and instruments that matter most."""

import numpy as np
from numpy.typing import NDArray

from levcore._levcore import exact_sums
from levcore.book.listings import listing_codes, listing_marks, listing_names
from levcore.engine.risk import BookRisk
from levcore.reports.risk.data import Floats, InstrumentLine, Rows
from levcore.status import FIRST_FAILURE, State

__all__ = [
    "account_of",
    "accounts_listed",
    "balances_listed",
    "instrument_lines",
    "instruments_by_size",
    "positions_listed",
    "second_price",
    "sums",
]

Places = NDArray[np.int64]


def sums(codes: NDArray[np.integer], length: int, values: Floats) -> Floats:
    """Sum of the values of each code, leaving out the rows that have none."""
    held = ~np.isnan(values)
    return exact_sums(values[held], codes[held].astype(np.int64), length)


def _sum(values: Floats) -> float:
    return float(exact_sums(values, None, 1)[0])


def _lowest(keys: Floats, count: int) -> Rows:
    """Rows of the `count` lowest keys, ascending, equal ones in the order of rows; NaN belongs to none."""
    rows = np.flatnonzero(~np.isnan(keys))
    if count < 1:
        return ()
    if len(rows) > count:
        limit = np.partition(keys[rows], count - 1)[count - 1]
        below, equal = rows[keys[rows] < limit], rows[keys[rows] == limit]
        rows = np.concatenate([below, equal[: count - len(below)]])
    return tuple(rows[np.lexsort((rows, keys[rows]))].tolist())


def accounts_listed(risk: BookRisk, top: int, *, past: bool) -> Rows:
    """Wallets of accounts in liquidation, the largest call first; or the others, the highest ratio first."""
    accounts = risk.wallets
    in_liquidation = (accounts.state == State.LIQUIDATION) | (accounts.state == State.BANKRUPT)
    if past:
        return _lowest(np.where(in_liquidation, -accounts.margin_call_amount, np.nan), top)
    # Without a requirement, as without positions, nothing can come closer to liquidation.
    open_to_it = ~in_liquidation & (accounts.margin_ratio > 0)
    return _lowest(np.where(open_to_it, -accounts.margin_ratio, np.nan), top)


def positions_listed(risk: BookRisk, top: int, *, past: bool) -> Rows:
    """Positions past their liquidation price, the largest first; or the others, the closest first."""
    distance = risk.distance_to_liquidation
    if past:
        # By size: how far past says little, least of all for a small leg of a large account in liquidation.
        return _lowest(np.where(distance < 0, -risk.notional, np.nan), top)
    return _lowest(np.where((distance >= 0) & (distance < np.inf), distance, np.nan), top)


def balances_listed(risk: BookRisk, top: int) -> Rows:
    """Balances that failed, then the largest by value."""
    held = risk.balances
    failed = held.status >= FIRST_FAILURE
    order: list[int] = np.lexsort((-np.abs(np.nan_to_num(held.market_value)), ~failed))[:top].tolist()
    return tuple(order)


def second_price(risk: BookRisk, row: int) -> float:
    """Price on the other side of the mark that liquidates too; NaN where there is none."""
    if "liquidation_price_lower" not in risk.measures or "liquidation_price_upper" not in risk.measures:
        return np.nan
    lower, upper = float(risk.liquidation_price_lower[row]), float(risk.liquidation_price_upper[row])
    return lower if risk.liquidation_price[row] == upper else upper


def account_of(risk: BookRisk, row: int) -> str:
    """Account of a row as text; empty where it has none."""
    account = risk.book.account_of(row)
    return "" if account is None else str(account)


def instruments_by_size(risk: BookRisk) -> Places:
    """Codes of the listings, the largest notional first."""
    count = len(risk.policies) * len(risk.book.instrument_names)
    size = sums(listing_codes(risk.book), count, risk.notional)
    return np.argsort(-size, kind="stable")


def instrument_lines(
    risk: BookRisk, order: Places, settlement: Places, currencies: list[str], top: int
) -> tuple[InstrumentLine, ...]:
    """Exposure of the largest instruments, then of all others by currency."""
    codes, count = listing_codes(risk.book), len(order)
    long = risk.book.quantity > 0
    positions = np.bincount(codes[risk.status < FIRST_FAILURE], minlength=count)
    longs = sums(codes, count, np.where(long, risk.notional, 0.0))
    shorts = sums(codes, count, np.where(long, 0.0, risk.notional))
    profits = sums(codes, count, risk.unrealized_pnl)
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
            long_notional=_sum(longs[of]),
            short_notional=_sum(shorts[of]),
            unrealized_pnl=_sum(profits[of]),
            mark_price=mark,
            past=int(past[of].sum()),
            nearest=float(nearest[of].min()),
        )

    held = order[positions[order] > 0]
    names, marks = listing_names(risk.book), listing_marks(risk.book, risk.marks)
    lines = [line(names[code], held[i : i + 1], float(marks[code])) for i, code in enumerate(held[:top])]
    rest = held[top:]
    others = [rest[settlement[rest] == place] for place in range(len(currencies))]
    return tuple(lines + [line("", of, np.nan) for of in others if len(of)])
