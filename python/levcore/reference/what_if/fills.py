"""What a fill makes of a position: entry price, realized profit, margin."""

import math
from dataclasses import dataclass, replace

from levcore.reference.formulas import contract, exposure
from levcore.reference.formulas.fill import average_entry
from levcore.reference.formulas.mark_to_market import unrealized_pnl
from levcore.reference.what_if.position import Position, Terms, opening_margin

__all__ = ["Fill", "Filled", "fill"]


@dataclass(frozen=True, slots=True)
class Fill:
    """An order as it fills; `leverage` and `amount` NaN: as it is, and what the leverage asks for."""

    quantity: float
    price: float
    fee_rate: float
    leverage: float
    amount: float
    release: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of the position, and what reaches the wallet."""

    position: Position
    realized: float
    fee: float
    cash_flow: float


def fill(before: Position, terms: Terms, order: Fill) -> Filled:
    """Fill an order on a valid position."""
    instrument = terms.instrument
    x = contract.coordinate(instrument, order.price)
    fee = order.fee_rate * exposure.value(exposure.size(order.quantity, instrument.contract_size), x)
    adds = before.quantity == 0.0 or (before.quantity > 0.0) == (order.quantity > 0.0)
    turns = not adds and abs(order.quantity) > abs(before.quantity)
    realized, entry_price = 0.0, before.entry_price
    if before.quantity == 0.0 or turns:
        entry_price = order.price
    elif adds:
        sizes = abs(before.quantity), before.entry_price, abs(order.quantity), order.price
        entry_price = average_entry(*sizes, contract.is_inverse(instrument))
    if not adds:
        closed = exposure.size(before.quantity if turns else order.quantity, instrument.contract_size)
        direction = exposure.direction(before.quantity, contract.long_direction(instrument))
        realized = unrealized_pnl(direction, closed, x, contract.coordinate(instrument, before.entry_price))
    after = replace(
        before,
        quantity=before.quantity + order.quantity,
        entry_price=entry_price,
        leverage=before.leverage if math.isnan(order.leverage) else order.leverage,
    )
    if before.account is not None:
        return Filled(after, realized, fee, 0.0 + (realized - fee))
    after, released = _move_margin(before, after, terms, order, adds, turns)
    if order.release == "nothing":
        held = after.held_margin(terms) + (realized - fee)
        return Filled(replace(after, isolated_margin=held), realized, fee, released)
    return Filled(after, realized, fee, released + (realized - fee))


def _move_margin(
    before: Position,
    after: Position,
    terms: Terms,
    order: Fill,
    adds: bool,
    turns: bool,
) -> tuple[Position, float]:
    """The position with its margin, and the margin that leaves it (negative: is put in)."""
    held = before.held_margin(terms)
    follows, given = math.isnan(before.isolated_margin), not math.isnan(order.amount)
    if turns and order.release == "share":
        if given:
            after = replace(after, isolated_margin=order.amount)
        elif not follows:
            opened = after.quantity, after.entry_price, after.leverage
            after = replace(after, isolated_margin=opening_margin(*opened, terms))
        return after, held - after.held_margin(terms)
    if adds and not given:
        if follows:
            return after, held - after.held_margin(terms)
        put_in = opening_margin(order.quantity, order.price, after.leverage, terms)
        return replace(after, isolated_margin=before.isolated_margin + put_in), -put_in
    released = 0.0
    if adds or order.release == "nothing":
        after = replace(after, isolated_margin=held)
    elif follows:
        released = held - after.held_margin(terms)
    else:
        kept = before.isolated_margin * (abs(after.quantity) / abs(before.quantity))
        after, released = replace(after, isolated_margin=kept), before.isolated_margin - kept
    if given:
        margin = after.held_margin(terms) + order.amount
        after, released = replace(after, isolated_margin=margin), released - order.amount
    return after, released
