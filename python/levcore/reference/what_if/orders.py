"""Open orders of cross accounts: what they ask for beside the positions, order by order."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from levcore.book.marks import Marks, marks_by_policy
from levcore.book.positions import PositionBook
from levcore.changes.names import Names, extended_marks
from levcore.changes.order_columns import OrderColumns, names_of_orders, order_columns
from levcore.changes.order_result import OrderMargin
from levcore.changes.orders import Orders
from levcore.engine.compiled import CompiledInstrument, compile_policy
from levcore.engine.engine import Engine
from levcore.reference.evaluate import evaluate
from levcore.reference.formulas import contract, exposure
from levcore.reference.formulas.order_margin import both_sides, order_loss, order_margin, worst_side
from levcore.reference.what_if.ledger import Ledger
from levcore.reference.what_if.position import Position
from levcore.status import Status

__all__ = ["charge", "margin_of_orders"]


@dataclass(slots=True)
class Group:
    """Orders of one account in one instrument."""

    leverage: float
    signed_value: float
    rule: str
    buys: float = 0.0
    sells: float = 0.0


def margin_of_orders(engine: Engine, book: PositionBook, marks: Marks, orders: Orders) -> OrderMargin:
    """Margin of open orders in pure Python: the same result as `levcore.order_margin`, to the last bit."""
    policies = engine.bind(book).policies
    names: Names = names_of_orders(book, orders, policies)
    prices = extended_marks(book, names, marks)
    labels = book.policy_names or tuple(engine.policies)
    known = dict(zip(labels, policies, strict=True))
    result = OrderMargin(evaluate(book, known, prices[..., : len(book.instrument_names)]), len(orders))
    columns = order_columns(book, orders, names, policies)
    compiled = [compile_policy(policy, names.instruments) for policy in policies]
    of_policies = marks_by_policy(prices, len(policies))
    ledger = Ledger(book, names, compiled, of_policies, columns.settlement, columns.isolated_only)
    (margin, loss), (status,) = result.buffers
    for account in range(len(book.account_ids)):
        margin[account], loss[account] = charge(ledger, columns, account, status)
    result.settle()
    return result


def charge(
    ledger: Ledger, columns: OrderColumns, account: int, status: npt.NDArray[np.uint8]
) -> tuple[float, float]:
    """Margin and loss of the orders of an account beside its positions; NaN where one of them failed."""
    margin = loss = 0.0
    groups: dict[int, Group] = {}
    for row in np.flatnonzero(columns.account == account).tolist():
        leg, flat = _leg(ledger, columns, row)
        status[row] = _judge(ledger, columns, row, leg, flat)
        if status[row] != Status.OK:
            margin = loss = np.nan
        elif not columns.reduce_only[row]:
            if flat.instrument not in groups:
                groups[flat.instrument] = _group(ledger, columns, row, leg, flat)
            opening_loss = _add(ledger, columns, row, flat, groups[flat.instrument])
            if columns.loss_counts[flat.policy]:
                loss += opening_loss
    for group in groups.values():
        margin += _margin(group)
    return margin, loss


def _leg(ledger: Ledger, columns: OrderColumns, row: int) -> tuple[Position | None, Position]:
    """The leg that an order is beside, and the position without contracts that it would open."""
    account, instrument = int(columns.account[row]), int(columns.instrument[row])
    place = ledger.leg(account, instrument, float(columns.quantity[row]))
    legs = ledger.legs(account)
    policy = ledger.positions[legs[0]].policy if legs else int(columns.policy[row])
    return None if place is None else ledger.positions[place], Position(instrument, policy, account)


def _leverage(columns: OrderColumns, row: int, leg: Position | None) -> float:
    given = float(columns.leverage[row])
    if math.isnan(given) and leg is not None:
        return leg.leverage
    return given


def _judge(ledger: Ledger, columns: OrderColumns, row: int, leg: Position | None, flat: Position) -> Status:
    """Why an order cannot be charged; the first rule that applies decides."""
    quantity = float(columns.quantity[row])
    if (
        not math.isfinite(quantity)
        or quantity == 0.0
        or (leg is not None and not math.isfinite(leg.quantity))
    ):
        return Status.INVALID_QUANTITY
    if ledger.instrument(flat) is None:
        return Status.UNKNOWN_INSTRUMENT
    mark = float(ledger.marks[flat.policy, flat.instrument])
    if math.isnan(mark):
        return Status.MISSING_MARK_PRICE
    if not 0.0 < mark < math.inf:
        return Status.INVALID_MARK_PRICE
    if not 0.0 < columns.price[row] < math.inf:
        return Status.INVALID_ENTRY_PRICE
    leverage = _leverage(columns, row, leg)
    if math.isnan(leverage):
        return Status.MISSING_LEVERAGE
    return Status.OK if 0.0 < leverage < math.inf else Status.INVALID_LEVERAGE


def _terms(ledger: Ledger, position: Position) -> CompiledInstrument:
    instrument = ledger.instrument(position)
    if instrument is None:
        raise LookupError(position)
    return instrument


def _group(ledger: Ledger, columns: OrderColumns, row: int, leg: Position | None, flat: Position) -> Group:
    signed = 0.0
    if leg is not None:
        instrument = _terms(ledger, leg)
        x = contract.coordinate(instrument, float(ledger.marks[leg.policy, leg.instrument]))
        value = exposure.value(exposure.size(leg.quantity, instrument.contract_size), x)
        signed = -value if leg.quantity < 0.0 else value
    return Group(_leverage(columns, row, leg), signed, columns.rules[flat.policy])


def _add(ledger: Ledger, columns: OrderColumns, row: int, flat: Position, group: Group) -> float:
    """Add an order to its side; return the loss that it would open with."""
    instrument, quantity = _terms(ledger, flat), float(columns.quantity[row])
    size = exposure.size(quantity, instrument.contract_size)
    x = contract.coordinate(instrument, float(columns.price[row]))
    value = exposure.value(size, x)
    if quantity > 0.0:
        group.buys += value
    else:
        group.sells += value
    direction = exposure.direction(quantity, contract.long_direction(instrument))
    mark = contract.coordinate(instrument, float(ledger.marks[flat.policy, flat.instrument]))
    return order_loss(direction, size, mark, x)


def _margin(group: Group) -> float:
    if group.rule == "none":
        return 0.0
    of = worst_side if group.rule == "larger_side" else both_sides
    whole = of(group.signed_value, group.buys, group.sells)
    return order_margin(whole, group.signed_value, group.leverage)
