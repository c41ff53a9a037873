"""Why a row cannot be evaluated, and what is found out about those that can."""

import math

from levcore.reference.arithmetic import divide
from levcore.reference.formulas import margin
from levcore.reference.position import MarkedInstrument, Position, is_positive
from levcore.reference.rules.policy import Policy
from levcore.reference.rules.tables import Table, Tiers
from levcore.reference.words import AT_BANKRUPTCY, BY_CONTRACTS, BY_RISK_LIMIT, NEED_LEVERAGE
from levcore.status import Status

__all__ = ["join_findings", "refuse_inputs", "refuse_results"]


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
    if not is_positive(p.entry_price):
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
    for table in tables_of(p, marked.tiers):
        status = _refuse_key(p, table)
        if status != Status.OK:
            return status
    return Status.OK


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
        if not is_positive(limit):
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
    if not all(map(math.isfinite, results)):
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
