"""From losses to claims, from claims to payments, and the ledger of all of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore._levcore import allocate
from levcore._levcore import settle as settle_batch
from levcore.book.arrays import Floats
from levcore.closing.deleverage import (
    Winners,
    account_keys,
    held_lots,
    lots_by_pool,
    winner_prices,
    winners_of,
    winning_rows,
)
from levcore.closing.ledger import Ledger
from levcore.closing.money import Wholes, in_quanta, lots_of
from levcore.closing.purses import Purses, order_of_claims
from levcore.closing.result import CloseOut
from levcore.closing.steps import Steps
from levcore.errors import InputError, UnknownRuleError
from levcore.status import State

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
    """What is closed, a value a closing; a row that is closed in steps has several.

    Attributes
    ----------
    rows : ndarray of int64, shape (c,)
    quantity : ndarray of float64, shape (c,)
        Contracts closed, with the sign of the position.
    trigger, fill : ndarray of float64, shape (c,), quote per base
    numbers : tuple of ndarray of float64, shape (c,)
        Gain a unit of the coordinate, coordinates of entry, trigger and fill, fee rate.
    """

    rows: Wholes
    quantity: Floats
    trigger: Floats
    fill: Floats
    numbers: tuple[Floats, Floats, Floats, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Settled:
    """What the core made of it, in quanta; see `settle` there."""

    losses: list[Wholes]
    left: Wholes
    other_money: Wholes
    paid: list[Wholes]
    unpaid: Wholes
    lots: Wholes
    fund: Wholes


def settle(
    engine: "Engine",
    risk: "BookRisk",
    closed: Closed,
    steps: Steps,
    purses: Purses,
    prices: Floats,
    payers: "Payers",
    per_unit: float,
) -> CloseOut:
    """Settle what was closed: by isolated position, by cross account."""
    policy = engine.policy
    _refuse_sums_beyond_a_column(closed, purses, per_unit)
    keys = account_keys(risk.book)
    served = order_of_claims(risk, closed.rows, keys)
    settled, winners, social = _paid(engine, risk, closed, purses, served, keys, prices, payers, per_unit)
    if (settled.left[purses.ends & ~purses.to_fund] > 0).any():
        policy.known("close_out_remainder")
    debts = _debts(risk, closed, settled)
    return CloseOut(
        policy=policy,
        per_unit=per_unit,
        rows=closed.rows,
        quantity=closed.quantity,
        step=steps.step,
        open_quantity=steps.open_quantity,
        ends=purses.ends,
        trigger=closed.trigger,
        fill=closed.fill,
        to_trigger=settled.losses[0],
        past_trigger=settled.losses[1],
        fees=settled.losses[2],
        group=purses.of_row.astype(np.int64),
        first_row=purses.first_row,
        margin=purses.margin,
        left=settled.left,
        other_money=settled.other_money,
        fund=settled.paid[0],
        deleveraging=settled.paid[1],
        socialised=settled.paid[2],
        unpaid=settled.unpaid,
        debts=debts,
        winners=np.stack([winners.rows, winners.lots, winners.amount]),
        winner_price=winner_prices(risk, winners, prices, payers.lots_per_unit, per_unit),
        winner_score=winners.score,
        winner_left=held_lots(risk.book, winners.rows, payers.lots_per_unit) - winners.lots,
        lots_per_unit=payers.lots_per_unit,
        fund_series=settled.fund,
        served=served,
        ledger=_ledger(closed, purses, settled, winners, social, debts),
        left_out=int(((risk.state == State.INCOMPLETE) & (risk.book.quantity != 0)).sum()),
    )


def _debts(risk: "BookRisk", closed: Closed, settled: Settled) -> npt.NDArray[np.str_]:
    """What becomes of each row's unpaid rest, by its margin mode."""
    policy, cross = risk.policy, risk.book.is_cross[closed.rows]
    debts = np.full(closed.rows.size, DEBTS["no"])
    for mode, rows in (("isolated", ~cross), ("cross", cross)):
        if (settled.unpaid[rows] > 0).any():
            apart = mode == "isolated" and policy.trader_owes_isolated != "same"
            debts[rows] = DEBTS[policy.known("trader_owes_isolated" if apart else "trader_owes")]
    return debts


def _ledger(
    closed: Closed,
    purses: Purses,
    settled: Settled,
    winners: Winners,
    social: Wholes,
    debts: npt.NDArray[np.str_],
) -> Ledger:
    # An entry a winner, and what rounding their shares down has left: together what claims received.
    rest = sum(settled.paid[1].tolist()) - sum(winners.amount.tolist())
    rest += sum(settled.paid[2].tolist()) - sum(social[1].tolist())
    kept, first = np.where(purses.ends, 0, settled.left), purses.first_row
    left = np.where(purses.ends, np.maximum(settled.left, 0), 0)
    none = np.array([-1], dtype=np.int64)
    return Ledger.of(
        [
            ("margin", "closed", purses.margin - kept, first),
            ("closed", "market", settled.losses[0] + settled.losses[1], closed.rows),
            ("closed", "fees", settled.losses[2], closed.rows),
            ("closed", "fund", np.where(purses.to_fund, left, 0), first),
            ("closed", "trader", np.where(purses.to_fund, 0, left), first),
            ("other money", "closed", settled.other_money, first),
            ("fund", "closed", settled.paid[0], closed.rows),
            ("deleveraged", "closed", winners.amount, winners.rows),
            ("socialised", "closed", social[1], social[0]),
            ("rounding", "closed", np.array([rest], dtype=np.int64), none),
            *(
                (debt, "closed", np.where(debts == debt, settled.unpaid, 0), closed.rows)
                for debt in DEBTS.values()
            ),
        ]
    )


def _refuse_sums_beyond_a_column(closed: Closed, purses: Purses, per_unit: float) -> None:
    """Refuse amounts whose sums might not fit 64 bits, before any is taken."""
    gain, entry, _, fill, _ = closed.numbers
    loss, value = np.abs(gain * (entry - fill)), np.abs(gain) * np.maximum(entry, fill)
    margins = float(np.abs(purses.margin.astype(np.float64)).sum())
    largest = float((loss + 2.0 * value).sum()) * per_unit + margins
    if largest >= LARGEST_SUM:
        rule = "must be so coarse that all amounts of a call stay below 2^62 quanta together"
        raise InputError("quantum", rule, "a larger quantum, say 1e-4", f"{largest:.3g} quanta")


def _paid(
    engine: "Engine",
    risk: "BookRisk",
    closed: Closed,
    purses: Purses,
    served: npt.NDArray[np.uint32],
    keys: Wholes,
    prices: Floats,
    payers: "Payers",
    per_unit: float,
) -> tuple[Settled, Winners, Wholes]:
    """What is settled, who is deleveraged, and who bears a socialised loss (rows and amounts).

    The fund is asked alone first: where it suffices nobody else is asked, and no rule about them is needed.
    """
    policy, book = engine.policy, risk.book
    nobody = np.zeros(2 * len(book.instrument_names), dtype=np.int64)
    social: Wholes = np.empty((2, 0), dtype=np.int64)
    lots = lots_of(closed.quantity, closed.rows, payers.lots_per_unit)
    pool = (2 * book.instrument_codes[closed.rows] + (closed.quantity < 0)).astype(np.uint32)

    def ask(names: tuple[str, ...], winners: Wholes, pay: bool, gains: int) -> Settled:
        return _settled(closed, lots, pool, purses, served, payers, winners, pay, gains, names, per_unit)

    first = policy.close_out_payers[:1]
    settled = ask(first if first == ("fund",) else (), nobody, True, 0)
    if not (settled.unpaid > 0).any():
        return settled, Winners.none(), social
    names = policy.known("close_out_payers")
    if names in ((), ("fund",)):
        return settled, Winners.none(), social
    pay = "deleveraging" in names and _winners_pay(policy)
    after = engine.evaluate(book, _prices(risk, closed.rows, prices))
    rows = winning_rows(after, closed.rows)
    rows = rows[np.lexsort((book.entry_price[rows], -book.quantity[rows], keys[rows]))]
    gains = in_quanta("marks", after.unrealized_pnl[rows], per_unit, rows=rows)
    limit = min(sum(gains.tolist()), int(LARGEST_SUM))
    settled = ask(names, lots_by_pool(book, rows, payers.lots_per_unit), pay, limit)
    wanted = nobody.copy(), nobody.copy()
    np.add.at(wanted[0], pool, settled.lots)
    np.add.at(wanted[1], pool, settled.paid[1])
    winners = winners_of(after, policy, rows, keys, wanted, payers.lots_per_unit, per_unit, payers.seed)
    amount = sum(settled.paid[2].tolist())
    if amount:
        social = np.stack([rows, allocate(amount, gains, gains, "pro_rata", False)])
    return settled, winners, social


def _settled(
    closed: Closed,
    lots: Wholes,
    pool: npt.NDArray[np.uint32],
    purses: Purses,
    served: npt.NDArray[np.uint32],
    payers: "Payers",
    winners: Wholes,
    winners_pay: bool,
    gains: int,
    names: tuple[str, ...],
    per_unit: float,
) -> Settled:
    gain, entry, trigger, fill, fee_rate = map(np.ascontiguousarray, closed.numbers)
    losses, (left, other), paid, (unpaid, to_close, fund) = settle_batch(
        gain,
        entry,
        trigger,
        fill,
        fee_rate,
        lots,
        pool,
        purses.of_row,
        served,
        purses.margin,
        purses.ends,
        purses.to_fund,
        purses.owner,
        purses.other_money,
        (payers.fund, payers.fund_floor, payers.largest_value),
        winners,
        winners_pay,
        gains,
        list(names),
        per_unit,
    )
    return Settled(losses, left, other, paid, unpaid, to_close, fund)


def _winners_pay(policy: "MarginPolicy") -> bool:
    """Whether winners give money: who is deleveraged at the mark gives up a position, and nothing else."""
    if policy.close_out_sharing == "queue" and policy.known("close_out_ranking") == "none":
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
