"""Results of accounts whose parts move together: the verdict, then the prices of their movers."""

import math
from collections.abc import Hashable
from dataclasses import dataclass

from levcore.reference.accounts.pool import Leg, Pool, Zeros
from levcore.reference.accounts.reader import AccountReader, BalanceRow, LegRow
from levcore.reference.accounts.verdict import Verdict, judge
from levcore.reference.arithmetic import divide
from levcore.reference.classify import join_findings
from levcore.reference.formulas import contract, exposure, liquidation
from levcore.reference.position import BY_ACCOUNT, Position
from levcore.reference.rows import fail
from levcore.reference.words import AT_PRICE
from levcore.status import FIRST_FAILURE, AccountStatus, State, Status

__all__ = ["BalanceResult", "settle"]

NO_RESULTS = (math.nan,) * 7


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """Measures of a balance as `levcore.measures.BALANCE_MEASURES` lists them, and its status."""

    row: int
    measures: tuple[float, ...]
    status: int


def settle(reader: AccountReader) -> tuple[Verdict, list[BalanceResult]]:
    """Verdict on an account and results of its balances; its positions are finished in place."""
    pool = reader.read()
    totals = pool.total()
    verdict = judge(totals, reader.status(), reader.part.policy)
    if verdict.status != AccountStatus.OK:
        for leg_row in reader.leg_rows:
            _withhold(leg_row)
        return verdict, [_withheld(balance) for balance in reader.balances]
    pool.freeze()
    zeros = {}
    for mover, move in reader.moves().items():
        zeros[mover] = (
            pool.zeros_of_surplus(verdict.surplus, move),
            pool.zeros_of_equity(verdict.equity, move),
        )
    for leg_row in reader.leg_rows:
        if leg_row.leg is not None and leg_row.moves:
            _finish_leg(reader, pool, leg_row, pool.legs[leg_row.leg], zeros, verdict)
        else:
            _finish_flat(leg_row.position, verdict)
    return verdict, [_finish_balance(reader, pool, balance, zeros, verdict) for balance in reader.balances]


def _withhold(leg_row: LegRow) -> None:
    position = leg_row.position
    if leg_row.status >= FIRST_FAILURE:
        fail(position, Status(leg_row.status))
        return
    for measure in BY_ACCOUNT:
        setattr(position, measure, math.nan)
    position.state, position.status = State.INCOMPLETE, Status.ACCOUNT_INCOMPLETE


def _withheld(balance: BalanceRow) -> BalanceResult:
    failed = balance.status >= FIRST_FAILURE
    return BalanceResult(balance.row, NO_RESULTS, balance.status if failed else Status.ACCOUNT_INCOMPLETE)


def _finish_flat(position: Position, verdict: Verdict) -> None:
    """Tell a leg without exposure about its account."""
    none = math.nan
    results = (verdict.equity, verdict.margin_ratio, 0.0, none, none, math.inf, none, none)
    for measure, result in zip(BY_ACCOUNT, results, strict=True):
        setattr(position, measure, result)
    position.state = verdict.state


def _finish_leg(
    reader: AccountReader,
    pool: Pool,
    leg_row: LegRow,
    leg: Leg,
    zeros: dict[Hashable, tuple[Zeros, Zeros]],
    verdict: Verdict,
) -> None:
    p, marked = leg_row.position, reader.replay.marked_of(leg_row.row)
    if marked.instrument is None:
        raise AssertionError("a leg that moves has an instrument")
    surplus, equity = zeros[leg_row.mover]
    in_coin = not reader.has_balances and contract.is_inverse(marked.instrument)
    lower, upper = _prices(surplus, marked.mark, in_coin)
    low, high = _prices(equity, marked.mark, in_coin)
    above = liquidation.is_nearer_above(marked.mark, lower, upper)
    price = upper if above else lower
    has_price = not math.isnan(price)
    nothing_above = above if has_price else liquidation.is_nearer_above(marked.mark, low, high)
    past = verdict.state >= State.LIQUIDATION
    room = abs(marked.mark - price) * (1.0 / marked.mark) if has_price else math.inf
    value = pool.holdings[leg.holding].price * p.value
    results = (
        verdict.equity,
        verdict.margin_ratio,
        exposure.effective_leverage(value, verdict.equity),
        price,
        high if nothing_above else low,
        -room if past else room,
        lower,
        upper,
    )
    for measure, result in zip(BY_ACCOUNT, results, strict=True):
        setattr(p, measure, result)
    status = Status.NO_BANKRUPTCY_PRICE if math.isnan(p.bankruptcy_price) else Status.OK
    if not has_price:
        status = Status.NO_LIQUIDATION_PRICE
    place = surplus.upper if above != in_coin else surplus.lower
    there = divide(p.value, place) if leg.reciprocal else p.value * place
    moves = reader.part.policy.rules.requirement_cross == AT_PRICE
    if moves and leg.charged * there > leg.curve.table.cap_of_value:
        status = Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER
    if past:
        status = Status.ALREADY_LIQUIDATABLE
    p.state = verdict.state
    p.status = join_findings(status, leg_row.status)


def _finish_balance(
    reader: AccountReader,
    pool: Pool,
    balance: BalanceRow,
    zeros: dict[Hashable, tuple[Zeros, Zeros]],
    verdict: Verdict,
) -> BalanceResult:
    if balance.holding is None:
        raise AssertionError("an account that is judged has no failed balance")
    h = pool.holdings[balance.holding]
    lower, upper = _prices(zeros[reader.movers_of_holdings[balance.holding]][0], h.price, in_coin=False)
    status = Status.OK
    if verdict.state >= State.LIQUIDATION:
        status = Status.ALREADY_LIQUIDATABLE
    elif math.isnan(lower) and math.isnan(upper):
        status = Status.NO_LIQUIDATION_PRICE
    measures = (h.equity, h.market_value, h.counted, h.maintenance, h.initial, lower, upper)
    return BalanceResult(balance.row, measures, status)


def _prices(zeros: Zeros, mark: float, in_coin: bool) -> tuple[float, float]:
    """Lower and upper price; where the place is a coordinate of inverse contracts, they change sides."""
    if in_coin:
        return _price(divide(mark, zeros.upper)), _price(divide(mark, zeros.lower))
    return _price(mark * zeros.lower), _price(mark * zeros.upper)


def _price(price: float) -> float:
    """A price, or NaN where there is none in the range of float64."""
    return liquidation.price_or_none(price)
