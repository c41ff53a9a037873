"""Closing at one instant, and what becomes of the money."""

import math
from typing import TYPE_CHECKING

from levcore.reference.closing.loss_parts import to_quanta
from levcore.reference.closing.settle import Closing, Purse, Settlement, settle
from levcore.reference.closing.share_out import Fund
from levcore.reference.replay.record import DELISTING, LIQUIDATION, Close
from levcore.reference.replay.winners import gains, take_from_winners, winners_of_pool

if TYPE_CHECKING:
    from levcore.reference.replay.twin import ReplayTwin

__all__ = ["close"]

LIMIT = 1 << 62


def close(twin: "ReplayTwin", kind: int, closes: list[Close]) -> None:
    """Close rows, in part or whole, and settle them."""
    rows = [each.row for each in closes]
    closings, prices, purses, first = what_closes(twin, kind, closes)
    settled = settled_by(twin, rows, closings, purses)
    for place, row in enumerate(first):
        twin.set_purse(row, 0 if purses[place].ends else settled.left[place])
        if purses[place].ends and purses[place].to_fund:
            twin.fund += max(settled.left[place], 0)
    for place, (row, closing) in enumerate(zip(rows, closings, strict=True)):
        purse = closing.purse
        ends = first[purse] == row and purses[purse].ends
        paid = [each[place] for each in settled.paid]
        twin.fund -= paid[0]
        left = max(settled.left[purse], 0) if ends else 0
        tail = (*settled.losses[place], left, left if purses[purse].to_fund else 0, *paid)
        tail = (*tail, settled.unpaid[place], twin.fund)
        quantity, held = closes[place].quantity, twin.quantity[row]
        twin.events.append((kind, twin.steps, row, quantity, *prices[place], *tail))
        if kind == LIQUIDATION:
            twin.liquidated += to_quanta(abs(closing.gain) * closing.fill, twin.rules.per_unit)
        twin.quantity[row] = 0.0 if quantity == held else held - quantity
    twin.unpaid += sum(settled.unpaid)
    take_from_winners(twin, rows, closings, settled)


def what_closes(
    twin: "ReplayTwin", kind: int, closes: list[Close]
) -> tuple[list[Closing], list[tuple[float, float]], list[Purse], list[int]]:
    """What is closed, its prices, its purses and their first rows."""
    rules = twin.rules
    first: list[int] = []
    names: dict[tuple[str, int], int] = {}
    closings, prices, purses = [], [], []
    gone = {each.row for each in closes if each.quantity == twin.quantity[each.row]}
    for row, quantity, trigger, taken in closes:
        code = twin.code(row)
        mark = twin.marks[code]
        at = mark if math.isnan(trigger) else trigger
        slippage = rules.slippage if kind == LIQUIDATION else 0.0
        fill = mark * (1.0 + slippage if quantity < 0.0 else 1.0 - slippage)
        name = twin.name(row)
        if name not in names:
            names[name] = len(first)
            first.append(row)
            ends = all(each in gone for each in twin.rows_of(name))
            to_fund = (rules.to_fund and kind != DELISTING) or taken
            purses.append(Purse(twin.purse(row), ends, to_fund, 0))
        entry = float(twin.book.entry_price[row])
        x_entry, x_trigger, x_fill = (twin.at(row, each) for each in (entry, at, fill))
        fee = rules.fee_rate if kind == LIQUIDATION else 0.0
        lots, pool = to_quanta(abs(quantity), rules.lots_per_unit), 2 * code + (quantity < 0.0)
        gain = twin.gain(row, quantity)
        closings.append(Closing(gain, x_entry, x_trigger, x_fill, fee, lots, pool, names[name]))
        prices.append((at, fill))
    return closings, prices, purses, first


def settled_by(
    twin: "ReplayTwin", rows: list[int], closings: list[Closing], purses: list[Purse]
) -> Settlement:
    """Settle: the fund alone first, then everybody that the rules name."""
    rules, nobody = twin.rules, [0] * (2 * len(twin.marks))
    fund = Fund(twin.fund, rules.fund_floor, rules.largest_value)
    served = range(len(rows))
    alone = rules.payers[:1] if rules.payers[:1] == ["fund"] else []
    settled = settle(closings, served, purses, [0], fund, nobody, True, 0, alone, rules.per_unit)
    if len(rules.payers) == len(alone) or not any(settled.unpaid):
        return settled
    lots = list(nobody)
    for pool in {each.pool for each, unpaid in zip(closings, settled.unpaid, strict=True) if unpaid}:
        for row in winners_of_pool(twin, pool, rows):
            lots[pool] += to_quanta(abs(twin.quantity[row]), rules.lots_per_unit)
    gained = min(sum(gain for _, gain in gains(twin, rows)), LIMIT)
    everybody = (rules.winners_pay, gained, rules.payers, rules.per_unit)
    return settle(closings, served, purses, [0], fund, lots, *everybody)
