"""Liquidation and bankruptcy price of a row, the distance to them, and what is found out about them."""

import math

from levcore.engine.compiled import CompiledInstrument
from levcore.reference.formulas import contract, exposure, liquidation
from levcore.reference.position import Position
from levcore.reference.rules.policy import Fees, Policy
from levcore.reference.rules.tables import Table, Tiers
from levcore.reference.words import AT_PRICE
from levcore.status import State, Status

__all__ = ["find_prices"]


def solve(position: Position, fees: Fees, table: Table, basis: str) -> float:
    """Value of the position at which its surplus is zero."""
    p = position
    if basis != AT_PRICE:
        return liquidation.value_at_zero(p.needed, 0.0, fees.frozen.along(p.direction))
    if table.growing is not None:
        return table.growing.value_at_zero(p.needed, p.direction, p.size)
    if p.line is not None and not table.is_of_lines:
        return liquidation.value_at_zero(p.needed, 0.0, p.line.factors.along(p.direction))
    lines = table.lines_of(p.size)
    chosen = lines[0]
    for line in lines[1:]:
        if p.direction * p.needed > (line.gaining if p.direction > 0.0 else line.losing):
            chosen = line
    p.liquidation_line = chosen
    return liquidation.value_at_zero(p.needed, chosen.trigger_deduction, chosen.factors.along(p.direction))


def find_prices(
    position: Position,
    policy: Policy,
    instrument: CompiledInstrument,
    tiers: Tiers,
    mark: float,
    basis: str,
    cross: bool,
) -> None:
    """Liquidation and bankruptcy price, distance, leverage and findings."""
    p, table, fees = position, tiers.of(position.quantity), policy.fees(cross)
    value = solve(p, fees, table, basis)
    per_value = contract.price_per_value(instrument, p.size)
    price = liquidation.price_or_none(contract.price_at_value(instrument, value, p.size, per_value))
    factor = fees.bankruptcy.along(p.direction)
    bankrupt = liquidation.value_at_zero(p.bankruptcy_needed, 0.0, factor)
    p.bankruptcy_price = liquidation.price_or_none(
        contract.price_at_value(instrument, bankrupt, p.size, per_value)
    )
    p.effective_leverage = exposure.effective_leverage(p.value, p.equity)
    side = toward = 1.0 if p.quantity > 0.0 else -1.0
    p.liquidation_price_lower = price if side > 0.0 else math.nan
    p.liquidation_price_upper = math.nan if side > 0.0 else price
    if basis == AT_PRICE and table.growing is not None:
        far_value = table.growing.far_value_at_zero(p.needed, p.direction)
        # Of a short inverse position alone: its value rises as the price falls, and its rate with it.
        far = liquidation.price_or_none(contract.price_at_value(instrument, far_value, p.size, per_value))
        if not math.isnan(far):
            p.liquidation_price_lower = far
            if not liquidation.is_nearer_above(mark, far, price):
                value, price, toward = far_value, far, 1.0
    p.liquidation_value, p.liquidation_price = value, price
    past = p.state >= State.LIQUIDATION
    room = liquidation.distance(toward, mark, p.liquidation_price, 1.0 / mark)
    if math.isnan(p.liquidation_price):
        room = -math.inf if past else math.inf
    p.distance_to_liquidation = room
    p.status = Status.NO_BANKRUPTCY_PRICE if math.isnan(p.bankruptcy_price) else Status.OK
    if math.isnan(p.liquidation_price):
        p.status = Status.NO_LIQUIDATION_PRICE
    if basis == AT_PRICE and value > table.cap_of_value:
        p.status = Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER
    if not cross and side * (p.entry_price - p.liquidation_price) < 0.0:
        p.status = Status.LIQUIDATION_PRICE_BEYOND_ENTRY
    if past or room < 0.0:
        p.status = Status.ALREADY_LIQUIDATABLE
