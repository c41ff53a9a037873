"""From losses to claims, from claims to payments, and the ledger of all of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from levcore._levcore import allocate, share_out, to_quanta
from levcore.book.arrays import Floats
from levcore.closing.deleverage import Queue, queue_of
from levcore.closing.ledger import Ledger
from levcore.closing.money import Wholes
from levcore.closing.result import CloseOut
from levcore.errors import InputError, UnknownRuleError

if TYPE_CHECKING:
    from levcore.closing.payers import Payers
    from levcore.engine.engine import Engine
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["Closed", "settle"]

LARGEST_SUM = 2.0**62
DEBTS = {"no": "written off", "yes": "owed", "claim_reserved": "claim"}


@dataclass(frozen=True, slots=True)
class Closed:
    """Rows that were closed, and their amounts in quanta; `keys` are those of every row of the book."""

    rows: Wholes
    trigger: Floats
    fill: Floats
    to_trigger: Wholes
    past_trigger: Wholes
    fees: Wholes
    value: Wholes
    margin: Wholes
    keys: Wholes


def settle(
    engine: "Engine", risk: "BookRisk", closed: Closed, prices: Floats, payers: "Payers", per_unit: float
) -> CloseOut:
    """Settle what was closed: by isolated position, by cross account."""
    policy = engine.policy
    _refuse_sums_beyond_a_column(closed)
    group, first, margin = _groups(risk, closed, per_unit)
    loss = closed.to_trigger + closed.past_trigger + closed.fees
    left = margin - _sums(loss, group, first.size)
    if left.size and (left > 0).any():
        policy.known("close_out_remainder")
    missing = np.maximum(-left, 0)
    other = _other_money(risk, first, missing, payers)
    shares = _by_leg(missing - other, closed, group)
    order = _order_of_claims(risk, closed)
    paid, unpaid, queues = _payments(engine, risk, closed, prices, shares, order, payers, per_unit)
    debt = DEBTS[policy.known("trader_owes")] if (unpaid > 0).any() else DEBTS["no"]
    # An entry a winner, and what rounding their shares down has left: together what claims received.
    deleveraged = [part for _, part, _ in queues] or [np.empty((3, 0), dtype=np.int64)]
    winners: Wholes = np.concatenate(deleveraged, axis=1)
    social = _socialise(engine, risk, closed, prices, int(sum(paid[2].tolist())), per_unit)
    rests = [
        sum(paid[1].tolist()) - sum(winners[2].tolist()),
        sum(paid[2].tolist()) - sum(social[1].tolist()),
    ]
    keeper = "fund" if policy.close_out_remainder == "fund" else "trader"
    none = np.array([-1], dtype=np.int64)
    ledger = Ledger.of(
        [
            ("margin", "closed", margin, first),
            ("closed", "market", closed.to_trigger + closed.past_trigger, closed.rows),
            ("closed", "fees", closed.fees, closed.rows),
            ("closed", keeper, np.maximum(left, 0), first),
            ("other money", "closed", other, first),
            ("fund", "closed", paid[0], closed.rows),
            ("deleveraged", "closed", winners[2], winners[0]),
            ("socialised", "closed", social[1], social[0]),
            ("rounding", "closed", np.array([sum(rests)], dtype=np.int64), none),
            (debt, "closed", unpaid, closed.rows),
        ]
    )
    return CloseOut(
        policy=policy,
        per_unit=per_unit,
        rows=closed.rows,
        trigger=closed.trigger,
        fill=closed.fill,
        to_trigger=closed.to_trigger,
        past_trigger=closed.past_trigger,
        fees=closed.fees,
        group=group,
        first_row=first,
        margin=margin,
        left=left,
        other_money=other,
        fund=paid[0],
        deleveraging=paid[1],
        socialised=paid[2],
        unpaid=unpaid,
        debt=debt,
        winners=winners,
        lots_per_unit=payers.lots_per_unit,
        ledger=ledger,
    )


def _refuse_sums_beyond_a_column(closed: Closed) -> None:
    """Refuse amounts whose sums might not fit 64 bits, before any is taken."""
    columns = (closed.to_trigger, closed.past_trigger, closed.fees, closed.margin, closed.value)
    largest = sum(float(np.abs(column.astype(np.float64)).sum()) for column in columns)
    if largest >= LARGEST_SUM:
        rule = "must be so coarse that all amounts of a call stay below 2^62 quanta together"
        raise InputError("quantum", rule, "a larger quantum, say 1e-4", f"{largest:.3g} quanta")


def _groups(risk: "BookRisk", closed: Closed, per_unit: float) -> tuple[Wholes, Wholes, Wholes]:
    """Group of each closed row, first row of each group, and its margin, maybe a wallet."""
    book, rows = risk.book, closed.rows
    name = -1 - rows
    if book.account_codes is not None:
        name = np.where(book.is_cross[rows], book.account_codes[rows].astype(np.int64), name)
    _, first, group = np.unique(name, return_index=True, return_inverse=True)
    margin = _sums(closed.margin, group, first.size)
    cross = book.is_cross[rows[first]]
    if cross.any() and book.account_codes is not None:
        wallets = book.wallet_balance[book.account_codes[rows[first[cross]]]]
        margin[cross] += to_quanta(np.ascontiguousarray(wallets), per_unit)
    return group.astype(np.int64), rows[first], margin


def _sums(values: Wholes, group: Wholes, count: int) -> Wholes:
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, group, values)
    return sums


def _order_of_claims(risk: "BookRisk", closed: Closed) -> Wholes:
    """By account label, then instrument, larger quantity, lower entry price: rows stand nowhere in it."""
    book, rows = risk.book, closed.rows
    names = np.array(book.instrument_names, dtype=object)
    place = np.argsort(np.argsort(names.astype(str))) if names.size else np.empty(0, dtype=np.int64)
    instrument = place[book.instrument_codes[rows]]
    return np.lexsort((book.entry_price[rows], -book.quantity[rows], instrument, closed.keys[rows]))


def _other_money(risk: "BookRisk", first: Wholes, missing: Wholes, payers: "Payers") -> Wholes:
    """What the other money of each trader pays, to the first of several positions in the book first."""
    left, paid = dict(payers.other), np.zeros_like(missing)
    if not left:
        return paid
    for place in np.flatnonzero(missing > 0):
        who = risk.book.account_of(int(first[place]))
        paid[place] = min(left.get(who, 0), int(missing[place]))
        left[who] = left.get(who, 0) - int(paid[place])
    return paid


def _by_leg(missing: Wholes, closed: Closed, group: Wholes) -> Wholes:
    """Shortfall of each row: that of its group, by the value closed; lost quanta go to the largest legs."""
    count = np.bincount(group, minlength=missing.size)
    shares = np.where(count[group] == 1, missing[group], 0)
    for place in np.flatnonzero((count > 1) & (missing > 0)):
        legs = np.flatnonzero(group == place)
        legs = legs[np.lexsort((closed.trigger[legs], -closed.value[legs]))]
        value = np.ascontiguousarray(np.maximum(closed.value[legs], 1))
        most = np.full(legs.size, missing[place])
        shares[legs] = allocate(int(missing[place]), most, value, "pro_rata", True)
    return shares


def _payments(
    engine: "Engine",
    risk: "BookRisk",
    closed: Closed,
    prices: Floats,
    shares: Wholes,
    order: Wholes,
    payers: "Payers",
    per_unit: float,
) -> tuple[list[Wholes], Wholes, list[tuple[Queue, Wholes, int]]]:
    policy, book, rows = engine.policy, risk.book, closed.rows
    none: Wholes = np.zeros(rows.size, dtype=np.int64)
    if not (shares > 0).any():
        return [none, none, none], none, []
    payers_in_order = policy.known("close_out_payers")
    if payers_in_order[:1] == ("fund",) and payers.fund >= sum(shares.tolist()):
        payers_in_order = ("fund",)  # nobody else is asked, and no rule about them is needed
    names = [name for name in payers_in_order if _pays(policy, name)]
    pool = (2 * book.instrument_codes[rows] + (book.quantity[rows] < 0)).astype(np.uint32)
    after = (
        engine.evaluate(book, _prices(risk, rows, prices)) if len(names) > 1 or names != ["fund"] else risk
    )
    queues = (
        _queues(after, policy, closed, pool[shares > 0].tolist(), payers) if "deleveraging" in names else {}
    )
    lots_of_winners = np.zeros(2 * len(book.instrument_names), dtype=np.int64)
    for code, queue in queues.items():
        lots_of_winners[code] = sum(queue.lots.tolist())
    gains = sum(_gains(after, closed, per_unit)[1].tolist()) if "socialised" in names else 0
    gains = min(gains, int(LARGEST_SUM))
    lots = to_quanta(np.abs(book.quantity[rows]), payers.lots_per_unit)
    paid, unpaid, to_close = share_out(
        shares[order],
        lots[order],
        pool[order],
        payers.fund,
        lots_of_winners,
        gains,
        names,
    )
    back = np.argsort(order)
    paid, unpaid, to_close = [each[back] for each in paid], unpaid[back], to_close[back]
    parts = []
    for code, queue in queues.items():
        of_pool = pool == code
        amount, taken = sum(paid[1][of_pool].tolist()), queue.take(sum(to_close[of_pool].tolist()))
        share = allocate(amount, np.full(taken.size, amount), taken, "pro_rata", False)
        kept = taken > 0
        parts.append((queue, np.stack([queue.rows[kept], taken[kept], share[kept]]), code))
    return paid, unpaid, parts


def _pays(policy: "MarginPolicy", name: str) -> bool:
    """Whether a payer gives money: who is deleveraged at the mark gives up a position, and nothing else."""
    if name != "deleveraging":
        return True
    if policy.known("close_out_ranking") == "none":
        raise UnknownRuleError(
            policy.id, "deleverages without a ranking", "policy.replace(close_out_ranking=...)"
        )
    return bool(policy.known("close_out_price") == "bankruptcy")


def _prices(risk: "BookRisk", rows: Wholes, prices: Floats) -> Floats:
    """Marks; of instruments that were closed the price of the fill, without slippage."""
    marks = np.array(np.asarray(risk.marks).reshape(-1))
    closed = np.unique(risk.book.instrument_codes[rows])
    marks[closed] = prices[closed]
    return marks


def _queues(
    after: "BookRisk", policy: "MarginPolicy", closed: Closed, pools: list[int], payers: "Payers"
) -> dict[int, Queue]:
    """Winners of the other side of each pool, in the order of deleveraging."""
    book = after.book
    winning = after.ok & (after.unrealized_pnl > 0)
    winning[closed.rows] = False
    queues = {}
    for code in sorted(set(pools)):
        side = book.quantity > 0 if code % 2 else book.quantity < 0
        rows = np.flatnonzero(winning & side & (book.instrument_codes == code // 2))
        if rows.size:
            queues[code] = queue_of(after, policy, rows, closed.keys, payers.lots_per_unit, payers.seed)
    return queues


def _gains(after: "BookRisk", closed: Closed, per_unit: float) -> tuple[Wholes, Wholes]:
    """Rows in profit that were not closed, by account label, and their gains in quanta."""
    winning = after.ok & (after.unrealized_pnl > 0)
    winning[closed.rows] = False
    rows = np.flatnonzero(winning)
    entry, quantity = after.book.entry_price[rows], after.book.quantity[rows]
    rows = rows[np.lexsort((entry, -quantity, closed.keys[rows]))]
    return rows, to_quanta(np.ascontiguousarray(after.unrealized_pnl[rows]), per_unit)


def _socialise(
    engine: "Engine", risk: "BookRisk", closed: Closed, prices: Floats, amount: int, per_unit: float
) -> Wholes:
    """Rows of winners and what each bears of a socialised loss, in proportion to gains."""
    if amount == 0:
        return np.empty((2, 0), dtype=np.int64)
    after = engine.evaluate(risk.book, _prices(risk, closed.rows, prices))
    rows, gains = _gains(after, closed, per_unit)
    return np.stack([rows, allocate(amount, gains, gains, "pro_rata", False)])
