"""The formulas on one position; each function is a stage of the kernel and fills in part of `Position`."""

import math

from levcore.engine.compiled import CompiledInstrument
from levcore.reference.codes.state import state_of
from levcore.reference.formulas import contract, exposure, margin, mark_to_market
from levcore.reference.position import Position
from levcore.reference.rules.policy import Fees, Policy
from levcore.reference.rules.tables import Line, Table, Tiers
from levcore.reference.words import (
    AT_BANKRUPTCY,
    AT_ENTRY,
    AT_PRICE,
    BY_RISK_LIMIT,
    FEE_A_CONTRACT,
    FEE_AT_BANKRUPTCY,
    FEE_AT_MARK,
    FEE_AT_PRICE,
    FEE_ON_ENTRY_AND_MARGIN,
)

__all__ = [
    "charge",
    "fix_fee_by_leverage",
    "fund_isolated",
    "go_bankrupt_by_leverage",
    "judge_isolated",
    "mark_position",
    "need_of_leg",
    "release",
    "require_margin",
    "required_on",
]


def mark_position(position: Position, policy: Policy, instrument: CompiledInstrument, mark: float) -> None:
    """Size, direction, values, profit and return."""
    p = position
    p.coordinate = contract.coordinate(instrument, mark)
    place_on_coordinate(p, instrument)
    p.entry_coordinate = contract.coordinate(instrument, p.entry_price)
    p.entry_value = exposure.value(p.size, p.entry_coordinate)
    p.unrealized_pnl = mark_to_market.unrealized_pnl(p.direction, p.size, p.coordinate, p.entry_coordinate)
    value = p.value if policy.rules.return_at_mark else p.entry_value
    p.return_on_equity = mark_to_market.return_on_equity(p.unrealized_pnl, p.leverage, value)


def place_on_coordinate(position: Position, instrument: CompiledInstrument) -> None:
    """Size, direction and value at the mark."""
    position.size = exposure.size(position.quantity, instrument.contract_size)
    position.direction = exposure.direction(position.quantity, contract.long_direction(instrument))
    position.value = exposure.value(position.size, position.coordinate)


def fix_fee_by_leverage(position: Position, fees: Fees) -> None:
    """Fixed closing fee of a position that holds just its initial margin."""
    p = position
    charged = p.entry_value
    if fees.basis == FEE_AT_MARK:
        charged = p.value
    elif fees.basis == FEE_A_CONTRACT:
        charged = abs(p.quantity)
    elif fees.basis == FEE_ON_ENTRY_AND_MARGIN:
        charged = p.entry_value + margin.initial_margin(p.entry_value, p.leverage)
    elif fees.basis == FEE_AT_BANKRUPTCY:
        charged = margin.bankruptcy_value_of_leverage(p.entry_value, p.direction, p.leverage)
    p.fixed_fee = fees.rate * charged


def go_bankrupt_by_leverage(position: Position) -> None:
    """Value at which a position that holds just its initial margin has nothing left."""
    p = position
    p.bankruptcy_value = margin.bankruptcy_value_of_leverage(p.entry_value, p.direction, p.leverage)


def fund_isolated(position: Position, policy: Policy) -> None:
    """Cash of an isolated position and the closing fee that is fixed in advance."""
    p, rules, fees = position, policy.rules, policy.isolated_fees
    if fees.fixed:
        fix_fee_by_leverage(p, fees)
    reserved = rules.fee_in_initial and rules.reserve_at_bankruptcy
    fee_held = rules.fee_in_initial and (fees.fixed or reserved)
    held = p.isolated_margin
    if math.isnan(held):
        held = margin.initial_margin(p.entry_value, p.leverage)
        if fee_held:
            reserve = margin.reserved_fee(p.entry_value, p.direction, p.leverage, fees.rate)
            held = held + (reserve if reserved else p.fixed_fee)
    p.isolated_margin = held
    p.cash = held + p.funding
    if fees.basis == FEE_ON_ENTRY_AND_MARGIN:
        p.fixed_fee = margin.fee_on_entry_and_margin(p.entry_value, held, fees.rate, fee_held)
    if fees.basis == FEE_AT_BANKRUPTCY or rules.requirement_isolated == AT_BANKRUPTCY:
        factor = fees.bankruptcy.along(p.direction)
        p.bankruptcy_value = margin.bankruptcy_value_of_cash(p.entry_value, p.direction, p.cash, factor)
    if fees.basis == FEE_AT_BANKRUPTCY:
        p.fixed_fee = fees.rate * p.bankruptcy_value


def require_margin(
    position: Position, policy: Policy, tiers: Tiers, basis: str, initial_at_entry: bool, cross: bool
) -> None:
    """Initial margin, maintenance margin and requirement."""
    p, rules, table = position, policy.rules, tiers.of(position.quantity)
    fees = policy.fees(cross)
    opened_on = p.entry_value if initial_at_entry else p.value
    if not rules.initial_from_table:
        p.initial_margin = margin.initial_margin(opened_on, p.leverage)
    elif tiers.initial is not None:
        p.initial_line, p.initial_margin = charge(p, tiers.initial, opened_on)
    if rules.fee_in_initial and rules.reserve_at_bankruptcy:
        p.initial_margin += margin.reserved_fee(p.entry_value, p.direction, p.leverage, fees.rate)
    elif fees.fixed and rules.fee_in_initial:
        p.initial_margin += p.fixed_fee
    p.line, p.maintenance = charge(p, table, required_on(p, basis))
    if not table.is_of_lines:
        p.liquidation_line = p.line
    p.requirement = p.maintenance
    if fees.fixed:
        p.requirement += p.fixed_fee
    elif fees.basis == FEE_AT_PRICE:
        p.requirement += fees.rate * p.value
    p.maintenance_margin = p.requirement if rules.fee_in_maintenance else p.maintenance


def required_on(position: Position, basis: str) -> float:
    """Value that a requirement is taken on."""
    if basis == AT_ENTRY:
        return position.entry_value
    return position.bankruptcy_value if basis == AT_BANKRUPTCY else position.value


def charge(position: Position, table: Table, value: float) -> tuple[Line | None, float]:
    """Line of a table that applies at a value (None: the rate grows), and the margin it asks for."""
    if table.growing is not None:
        return None, table.growing.rate_of(position.size, value) * value
    key = value
    if not table.is_of_lines:
        key = position.risk_limit if table.key == BY_RISK_LIMIT else abs(position.quantity)
    lines = table.lines_of(position.size)
    chosen = lines[0]
    for line in lines[1:]:
        if key > line.floor:
            chosen = line
    if table.is_of_lines:
        return chosen, margin.maintenance_line(value, chosen.rate, chosen.deduction)
    return chosen, chosen.rate * value


def judge_isolated(position: Position, policy: Policy, basis: str) -> None:
    """Equity, ratio and state of an isolated position, and what the closed form needs."""
    p = position
    p.equity = p.cash + p.unrealized_pnl
    p.margin_ratio = margin.margin_ratio(p.requirement, p.equity)
    p.state = state_of(p.margin_ratio, policy.levels)
    p.bankruptcy_needed = p.direction * p.entry_value - p.cash
    p.needed = p.bankruptcy_needed
    if policy.isolated_fees.fixed:
        p.needed += p.fixed_fee * policy.trigger
    if basis != AT_PRICE:
        p.needed += p.maintenance * policy.trigger


def release(position: Position, policy: Policy, basis: str) -> float:
    """What a leg gives back to its account's surplus when it is taken out and solved for."""
    released = position.requirement * policy.trigger
    if policy.cross_fees.fixed:
        released -= position.fixed_fee * policy.trigger
    if basis != AT_PRICE:
        released -= position.maintenance * policy.trigger
    return released


def need_of_leg(position: Position, surplus: float, released: float) -> None:
    """What a leg needs, from the surplus and the equity of its account with the leg itself taken out."""
    p = position
    p.needed = p.direction * p.value - (surplus + released)
    p.bankruptcy_needed = p.direction * p.value - p.equity
