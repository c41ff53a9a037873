"""One position as its fills make it, one after the other.

A fill in the position's direction moves the entry to the average; one against it realizes the profit of what
it closes, since the entry. What goes beyond zero opens a position at the price of the fill, which keeps its
share of the fee. A rest no larger than the round-off of the fills since it was last zero, ``2**-52`` a
fill of the largest quantity among them, is zero.
"""

import math
import sys
from typing import Any

import numpy as np

from levcore.fills.result import FILL_MEASURES, FillStatus, PositionsFromFills
from levcore.fills.table import FillTable
from levcore.reference.formulas import contract, exposure, mark_to_market
from levcore.reference.formulas.fill import average_entry

__all__ = ["positions_from_fills"]

ROUND_OFF = sys.float_info.epsilon
Made = tuple[list[float], FillStatus, int]


class Ledger:
    """A position while its fills come in; `instrument` is a `levcore.Instrument`."""

    fees: float
    realized: float

    quantity: float
    entry: float
    realized_since: float
    fees_since: float
    fills: float
    largest: float

    def __init__(self, instrument: Any) -> None:
        self.instrument = instrument
        self.realized = self.fees = 0.0
        self._forget()

    def fill(self, quantity: float, price: float, fee: float) -> None:
        """Take a fill of a signed quantity of contracts."""
        self.fees += fee
        if quantity == 0.0 or self.quantity == 0.0 or (quantity > 0.0) == (self.quantity > 0.0):
            self._add(quantity, price, fee)
            return
        rest = self.quantity + quantity
        self._count(quantity)
        flat = abs(rest) <= ROUND_OFF * self.fills * self.largest
        if flat or (rest > 0.0) == (self.quantity > 0.0):
            self._realize(abs(self.quantity if flat else quantity), price)
            self.fees_since += fee
            self.quantity = rest
            if flat:
                self._forget()
            return
        self._realize(abs(self.quantity), price)
        # What is left carries the round-off of all fills before it.
        fills, largest = self.fills, self.largest
        self._forget()
        self.fills, self.largest = fills, largest
        self._add(rest, price, fee * (abs(rest) / abs(quantity)))

    def unrealized(self, mark: float) -> float:
        """Profit at the mark of what is open; 0 while flat."""
        return 0.0 if self.quantity == 0.0 else self._profit(self.quantity, mark)

    def break_even(self) -> float:
        """Price at which the open position, with what it realized and paid since it was flat, is nothing."""
        if self.quantity == 0.0:
            return math.nan
        size = exposure.size(self.quantity, self.instrument.contract_size)
        direction = exposure.direction(self.quantity, contract.long_direction(self.instrument))
        with np.errstate(all="ignore"):
            lacking = float(np.float64(self.fees_since - self.realized_since) / (direction * size))
        entry = contract.coordinate(self.instrument, self.entry)
        price = contract.price_at_coordinate(self.instrument, entry + lacking)
        return price if 0.0 < price < math.inf else math.nan

    def _add(self, quantity: float, price: float, fee: float) -> None:
        self.fees_since += fee
        if quantity == 0.0:
            return
        size, inverse = abs(self.quantity), contract.is_inverse(self.instrument)
        self.entry = average_entry(size, self.entry, abs(quantity), price, inverse) if size else price
        self.quantity += quantity
        self._count(quantity)

    def _count(self, quantity: float) -> None:
        self.fills += 1.0
        self.largest = max(self.largest, abs(quantity), abs(self.quantity))

    def _realize(self, closed: float, price: float) -> None:
        profit = self._profit(closed, price)
        self.realized += profit
        self.realized_since += profit

    def _profit(self, contracts: float, price: float) -> float:
        size = exposure.size(contracts, self.instrument.contract_size)
        direction = exposure.direction(self.quantity, contract.long_direction(self.instrument))
        coordinates = (contract.coordinate(self.instrument, each) for each in (price, self.entry))
        return mark_to_market.unrealized_pnl(direction, size, *coordinates)

    def _forget(self) -> None:
        self.quantity, self.entry = 0.0, math.nan
        self.realized_since = self.fees_since = self.fills = self.largest = 0.0


def positions_from_fills(
    instruments: Any,
    *,
    instrument: Any,
    quantity: Any,
    price: Any,
    fee: Any,
    time: Any,
    account: Any = None,
    marks: Any = None,
) -> PositionsFromFills:
    """Positions in pure Python: the same as `levcore.positions_from_fills`, to the last bit.

    Parameters
    ----------
    instruments, instrument, quantity, price, fee, time, account, marks
        As `levcore.positions_from_fills` takes them.
    """
    table = FillTable.of(instruments, instrument, quantity, price, fee, time, account, marks)
    ends = [*table.starts.tolist()[1:], table.order.size]
    made = []
    for start, end, code in zip(table.starts.tolist(), ends, table.instrument.tolist(), strict=True):
        rows = table.order[start:end].tolist()
        fills = [(float(table.quantity[row]), float(table.price[row]), float(table.fee[row])) for row in rows]
        made.append(_made(table.instruments[code], rows, fills, float(table.marks[code])))
    results = np.array([measures for measures, _, _ in made]).reshape(len(made), len(FILL_MEASURES)).T
    status = np.array([status for _, status, _ in made], np.uint8)
    return table.result(np.ascontiguousarray(results), status, np.array([row for *_, row in made], np.int64))


def _made(instrument: Any, rows: list[int], fills: list[tuple[float, float, float]], mark: float) -> Made:
    if instrument is None:
        return _failed(FillStatus.UNKNOWN_INSTRUMENT, -1)
    ledger, without_fee = Ledger(instrument), -1
    for row, (quantity, price, fee) in zip(rows, fills, strict=True):
        if not math.isfinite(quantity):
            return _failed(FillStatus.INVALID_QUANTITY, row)
        if quantity != 0.0 and not 0.0 < price < math.inf:
            return _failed(FillStatus.INVALID_PRICE, row)
        if not math.isfinite(fee) and without_fee < 0:
            without_fee = row
        ledger.fill(quantity, price, fee if math.isfinite(fee) else math.nan)
    return _finished(ledger, mark, without_fee)


def _finished(ledger: Ledger, mark: float, without_fee: int) -> Made:
    is_open, marked, has_fees = ledger.quantity != 0.0, 0.0 < mark < math.inf, without_fee < 0
    entry = ledger.entry if is_open else math.nan
    unrealized = ledger.unrealized(mark) if marked or not is_open else math.nan
    fees = ledger.fees if has_fees else math.nan
    net = (ledger.realized + unrealized) - fees
    break_even = ledger.break_even() if has_fees else math.nan
    overflow = (
        not math.isfinite(ledger.quantity)
        or not math.isfinite(ledger.realized)
        or (is_open and not 0.0 < entry < math.inf)
        or (has_fees and not math.isfinite(fees))
        or math.isinf(unrealized)
        or math.isinf(net)
    )
    if overflow:
        return _failed(FillStatus.NUMERIC_OVERFLOW, -1)
    status = FillStatus.OK if marked else FillStatus.MISSING_MARK_PRICE
    if not is_open:
        status = FillStatus.FLAT
    if not has_fees:
        status = FillStatus.INVALID_FEE
    measures = [ledger.quantity, entry, ledger.realized, fees, unrealized, net, break_even]
    return measures, status, without_fee


def _failed(status: FillStatus, row: int) -> Made:
    return [math.nan] * len(FILL_MEASURES), status, row
