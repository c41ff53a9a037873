"""Who gives up a profit for what others cannot pay."""

import math
from typing import TYPE_CHECKING

from levcore.reference.closing.allocate import allocate
from levcore.reference.closing.deleverage import Winner
from levcore.reference.closing.deleverage import deleverage as choose_winners
from levcore.reference.closing.loss_parts import to_quanta
from levcore.reference.closing.settle import Closing, Settlement
from levcore.reference.closing.share_out import PAYERS
from levcore.reference.replay.record import DELEVERAGING, SOCIALISATION

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk
    from levcore.reference.replay.twin import ReplayTwin

__all__ = ["gains", "take_from_winners", "winners_of_pool"]


def take_from_winners(
    twin: "ReplayTwin", closed: list[int], closings: list[Closing], settled: Settlement
) -> None:
    """Take from winners what they pay by a settlement."""
    wanted = [[0, 0] for _ in range(2 * len(twin.marks))]
    for place, closing in enumerate(closings):
        wanted[closing.pool][0] += settled.lots[place]
        wanted[closing.pool][1] += settled.paid[PAYERS.index("deleveraging")][place]
    if any(lots for lots, _ in wanted):
        deleverage(twin, closed, [(lots, amount) for lots, amount in wanted])
    spread = sum(settled.paid[PAYERS.index("socialised")])
    if spread:
        gained = gains(twin, closed)
        weight = [gain for _, gain in gained]
        shares = allocate(spread, weight, weight, "pro_rata", False)
        for (row, _), share in zip(gained, shares, strict=True):
            if share:
                mark = twin.marks[twin.code(row)]
                twin.set_purse(row, twin.purse(row) - share)
                tail = (0, 0, 0, 0, 0, 0, 0, -share, 0, twin.fund)
                twin.events.append((SOCIALISATION, twin.steps, row, 0.0, mark, mark, *tail))


def deleverage(twin: "ReplayTwin", closed: list[int], wanted: list[tuple[int, int]]) -> None:
    """Close lots of winners, pool by pool."""
    rules, risk = twin.rules, twin.risk()
    rows: list[int] = []
    winners, lots, pools = [], [], []
    for pool in (pool for pool, (amount, _) in enumerate(wanted) if amount):
        for row in winners_of_pool(twin, pool, closed):
            rows.append(row)
            winners.append(standing(twin, risk, row))
            lots.append(to_quanta(abs(twin.quantity[row]), rules.lots_per_unit))
            pools.append(pool)
    found = choose_winners(rules.ranking, "queue", winners, lots, pools, wanted, rules.per_unit, rules.seed)
    for place, taken, gives, _ in found:
        close_winner(twin, rows[place], taken, lots[place], gives)


def standing(twin: "ReplayTwin", risk: "BookRisk", row: int) -> Winner:
    """What rankings ask for."""
    account, profit = twin.account(row), twin.profit(row)
    equity, maintenance = float(risk.equity[row]), float(risk.maintenance_margin[row])
    wallet = equity - profit
    if account is not None:
        equity = float(risk.accounts.equity[account])
        maintenance = float(risk.accounts.maintenance_margin[account])
        wallet = twin.wallet[account] / twin.rules.per_unit
    value = float(risk.notional[row])
    gains = twin.gain(row, twin.quantity[row]) > 0.0
    leverage = math.nan if twin.book.leverage is None else float(twin.book.leverage[row])
    entry_value = value - (1.0 if gains else -1.0) * profit
    return Winner(profit, entry_value, value, wallet, equity, maintenance, leverage, twin.key[row])


def close_winner(twin: "ReplayTwin", row: int, lots: int, of: int, gives: int) -> None:
    """Close lots of a winner at the mark, less what it gives."""
    held, mark = twin.quantity[row], twin.marks[twin.code(row)]
    left = 0.0 if lots == of else held - math.copysign(lots / twin.rules.lots_per_unit, held)
    gain = twin.gain(row, held - left)
    change = twin.at(row, mark) - twin.at(row, float(twin.book.entry_price[row]))
    profit = to_quanta(gain * change, twin.rules.per_unit)
    money = twin.purse(row) + profit - gives
    returned = unpaid = 0
    if lots == of and twin.account(row) is None:
        returned, unpaid, money = max(money, 0), max(-money, 0), 0
    twin.set_purse(row, money)
    twin.unpaid += unpaid
    twin.quantity[row] = left
    tail = (-profit, 0, 0, returned, 0, 0, -gives, 0, unpaid, twin.fund)
    twin.events.append((DELEVERAGING, twin.steps, row, held - left, mark, mark, *tail))


def winners(twin: "ReplayTwin", closed: list[int]) -> list[int]:
    """Rows in profit that are not being closed."""
    return [row for row in twin.open_rows() if row not in closed and twin.profit(row) > 0.0]


def winners_of_pool(twin: "ReplayTwin", pool: int, closed: list[int]) -> list[int]:
    """Those on the other side of a pool."""
    own = [row for row in winners(twin, closed) if twin.code(row) == pool // 2]
    return [row for row in own if (twin.quantity[row] > 0.0) == (pool % 2 == 1)]


def gains(twin: "ReplayTwin", closed: list[int]) -> list[tuple[int, int]]:
    """Winners and their profits in quanta, where a loss may be spread over them."""
    if "socialised" not in twin.rules.payers:
        return []
    return [(row, to_quanta(twin.profit(row), twin.rules.per_unit)) for row in winners(twin, closed)]
