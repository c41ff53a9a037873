"""The formulas on one position; each function is a stage of the kernel and fills in part of `Position`."""

import math
from dataclasses import dataclass

from levcore.engine.compiled import CompiledInstrument
from levcore.reference.arithmetic import divide
from levcore.reference.codes.state import state_of
from levcore.reference.formulas import contract, exposure, liquidation, margin, mark_to_market
from levcore.reference.rules.policy import Fees, Policy
from levcore.reference.rules.tables import Line, Table, Tiers
from levcore.status import State, Status

__all__ = [
    "BY_ACCOUNT",
    "ROW_RESULTS",
    "MarkedInstrument",
    "Position",
    "find_prices",
    "fix_fee_by_leverage",
    "fund_isolated",
    "go_bankrupt_by_leverage",
    "join_findings",
    "judge_isolated",
    "mark_position",
    "need_of_leg",
    "refuse_inputs",
    "refuse_results",
    "release",
    "require_margin",
    "required_on",
]

AT_PRICE = "price"
AT_ENTRY = "entry"
AT_BANKRUPTCY = "bankruptcy"
FEE_AT_PRICE = "price"
FEE_AT_MARK = "mark"
FEE_AT_BANKRUPTCY = "bankruptcy"
FEE_ON_ENTRY_AND_MARGIN = "entry_and_margin"
FEE_A_CONTRACT = "contract"
NEED_LEVERAGE = (FEE_AT_BANKRUPTCY, FEE_ON_ENTRY_AND_MARGIN)
BY_RISK_LIMIT = "risk_limit"
BY_CONTRACTS = "contracts"


ROW_RESULTS = (
    "value",
    "unrealized_pnl",
    "return_on_equity",
    "initial_margin",
    "maintenance_margin",
    "equity",
    "margin_ratio",
    "effective_leverage",
    "liquidation_price",
    "bankruptcy_price",
    "distance_to_liquidation",
    "liquidation_price_lower",
    "liquidation_price_upper",
)
"""Attributes of `Position` in the order of `levcore.MEASURES`."""
BY_ACCOUNT = ROW_RESULTS[5:]
"""Those that depend on the account of a cross position."""


@dataclass(frozen=True, slots=True)
class MarkedInstrument:
    """An instrument of the book at its mark; `instrument` is None if the policy does not know it."""

    instrument: CompiledInstrument | None
    tiers: Tiers | None
    mark: float

    @property
    def failure(self) -> Status | None:
        """Why no position in it can be evaluated, if so."""
        if self.instrument is None:
            return Status.UNKNOWN_INSTRUMENT
        if math.isnan(self.mark):
            return Status.MISSING_MARK_PRICE
        return None if _positive(self.mark) else Status.INVALID_MARK_PRICE


@dataclass(slots=True)
class Position:
    """Inputs, intermediate values and results of one row; NaN until a stage has filled it in."""

    quantity: float
    entry_price: float
    isolated_margin: float
    leverage: float
    funding: float
    risk_limit: float
    size: float = math.nan
    direction: float = math.nan
    coordinate: float = math.nan
    entry_coordinate: float = math.nan
    value: float = math.nan
    entry_value: float = math.nan
    unrealized_pnl: float = math.nan
    return_on_equity: float = math.nan
    cash: float = math.nan
    fixed_fee: float = 0.0
    maintenance: float = math.nan
    requirement: float = math.nan
    initial_margin: float = math.nan
    maintenance_margin: float = math.nan
    equity: float = math.nan
    margin_ratio: float = math.nan
    effective_leverage: float = math.nan
    needed: float = math.nan
    bankruptcy_needed: float = math.nan
    bankruptcy_value: float = math.nan
    liquidation_value: float = math.nan
    liquidation_price: float = math.nan
    bankruptcy_price: float = math.nan
    distance_to_liquidation: float = math.nan
    liquidation_price_lower: float = math.nan
    liquidation_price_upper: float = math.nan
    line: Line | None = None
    initial_line: Line | None = None
    liquidation_line: Line | None = None
    state: int = State.INCOMPLETE
    status: int = Status.OK


def _positive(number: float) -> bool:
    return 0.0 < number < math.inf


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
    price = liquidation.price_or_none(value, contract.price_at_value(instrument, value, p.size, per_value))
    factor = fees.bankruptcy.along(p.direction)
    bankrupt = liquidation.value_at_zero(p.bankruptcy_needed, 0.0, factor)
    p.bankruptcy_price = liquidation.price_or_none(
        bankrupt, contract.price_at_value(instrument, bankrupt, p.size, per_value)
    )
    p.effective_leverage = exposure.effective_leverage(p.value, p.equity)
    side = toward = 1.0 if p.quantity > 0.0 else -1.0
    p.liquidation_price_lower = price if side > 0.0 else math.nan
    p.liquidation_price_upper = math.nan if side > 0.0 else price
    if basis == AT_PRICE and table.growing is not None:
        far_value = table.growing.far_value_at_zero(p.needed, p.direction)
        # Of a short inverse position alone: its value rises as the price falls, and its rate with it.
        far = liquidation.price_or_none(
            far_value, contract.price_at_value(instrument, far_value, p.size, per_value)
        )
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


def refuse_inputs(position: Position, policy: Policy, marked: MarkedInstrument, cross: bool) -> Status:
    """Failure of a row by its inputs, or ``FLAT``, else ``OK``; the first rule that applies decides."""
    p, leverage = position, position.leverage
    if not math.isfinite(p.quantity):
        return Status.INVALID_QUANTITY
    if not math.isfinite(p.funding):
        return Status.INVALID_FUNDING
    if p.quantity == 0.0:
        return Status.FLAT
    failure = marked.failure
    if failure is not None:
        return failure
    if not _positive(p.entry_price):
        return Status.INVALID_ENTRY_PRICE
    if not (math.isnan(leverage) or margin.is_leverage(leverage)):
        return Status.INVALID_LEVERAGE
    if not cross and math.isinf(p.isolated_margin):
        return Status.INVALID_MARGIN
    rules = policy.rules
    by_leverage = rules.fee_basis_cross in NEED_LEVERAGE or rules.requirement_cross == AT_BANKRUPTCY
    if cross and math.isnan(leverage) and by_leverage:
        return Status.MISSING_REQUIRED_LEVERAGE
    if marked.tiers is None:
        return Status.UNKNOWN_INSTRUMENT
    refused = (_refuse_key(p, table) for table in tables_of(p, marked.tiers))
    return next((status for status in refused if status != Status.OK), Status.OK)


def tables_of(position: Position, tiers: Tiers) -> list[Table]:
    """Tables that a position is looked up in."""
    tables = [tiers.of(position.quantity), tiers.initial]
    return [table for table in tables if table is not None]


def _refuse_key(position: Position, table: Table) -> Status:
    """Failure by what a table of contracts or of risk limits looks up."""
    limit = position.risk_limit
    if table.key == BY_RISK_LIMIT:
        if math.isnan(limit):
            return Status.MISSING_RISK_LIMIT
        if not _positive(limit):
            return Status.INVALID_RISK_LIMIT
        if limit > table.cap:
            return Status.TIER_OVERFLOW
    if table.key == BY_CONTRACTS and abs(position.quantity) > table.cap:
        return Status.TIER_OVERFLOW
    return Status.OK


def _exceeds(position: Position, table: Table) -> bool:
    """Whether a position is larger than a table that is keyed by value or by size."""
    if table.growing is not None:
        return table.growing.base(position.size, position.value) > table.cap
    return table.is_marginal and position.value > table.cap


def refuse_results(
    position: Position, policy: Policy, tiers: Tiers, cross: bool, has_leverage: bool
) -> Status:
    """Failure of a row by its results, ``WITHOUT_MARGIN`` or a finding about its inputs, else ``OK``."""
    p = position
    if any(_exceeds(p, table) for table in tables_of(p, tiers)):
        return Status.TIER_OVERFLOW
    results = [p.value, p.entry_value, p.unrealized_pnl, p.requirement]
    # Neither given nor derived from a leverage, which cannot be NaN then.
    without_margin = not cross and math.isnan(p.leverage) and math.isnan(p.isolated_margin)
    if not cross and not without_margin:
        results += [p.needed, p.isolated_margin, p.equity]
    if not all(math.isfinite(result) for result in results):
        return Status.NUMERIC_OVERFLOW
    if without_margin:
        return Status.WITHOUT_MARGIN
    if has_leverage and math.isnan(p.leverage):
        return Status.MISSING_LEVERAGE
    table = tiers.of(p.quantity)
    if p.leverage > table.highest_leverage(_key_of_leverage(p, table)):
        return Status.LEVERAGE_ABOVE_TIER
    no_table = policy.rules.initial_from_table and tiers.initial is None
    return Status.MISSING_INITIAL_TIERS if no_table else Status.OK


def _key_of_leverage(position: Position, table: Table) -> float:
    """What selects the tier whose highest leverage holds; a value is that at the mark."""
    if table.growing is not None:
        return table.growing.base(position.size, position.value)
    if table.is_by_unit:
        return divide(position.value, position.size)
    if table.is_marginal:
        return position.value
    return position.risk_limit if table.key == BY_RISK_LIMIT else abs(position.quantity)


def join_findings(of_prices: int, of_inputs: int) -> Status:
    """Of a finding about the prices of a row and one about its inputs, the one that is told.

    What a row lacks stands behind every finding about its prices, a leverage that no venue allows behind
    those that say how to read a price.
    """
    gives_way = of_prices in (Status.NO_LIQUIDATION_PRICE, Status.NO_BANKRUPTCY_PRICE)
    told = of_prices == Status.OK or (of_inputs == Status.LEVERAGE_ABOVE_TIER and gives_way)
    return Status(of_inputs if told else of_prices)
