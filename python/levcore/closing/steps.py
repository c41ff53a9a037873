"""The steps of a liquidation: what is closed first, how much, at which price, and when it stops."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore._levcore import step_quantities
from levcore.book.arrays import Floats
from levcore.closing.money import Wholes, coordinates, instruments_of, sizes
from levcore.closing.parts import part_of, with_open
from levcore.closing.purses import names_of_purses, stated_margins
from levcore.closing.tiers_down import kept_contracts
from levcore.errors import InputError
from levcore.status import State

if TYPE_CHECKING:
    from levcore.engine.engine import Engine
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["Steps", "close_in_steps", "liquidatable"]

Flags = npt.NDArray[np.bool_]
MOST_STEPS = 1_000
"""Steps after which what is still to be liquidated is closed whole; a share of 1 % then has left 1/20,000."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What is closed, a value a close; a row that is closed in several steps has several.

    Attributes
    ----------
    rows : ndarray of int64, shape (c,)
    quantity : ndarray of float64, shape (c,)
        Contracts closed, with the sign of the position.
    fill : ndarray of float64, shape (c,), quote per base
    fee_rate : ndarray of float64, shape (c,)
    step : ndarray of int64, shape (c,)
        0 for legs closed against each other, then 1, 2, ...
    open_quantity : ndarray of float64, shape (n,)
        Contracts of each row of the book that stay.
    to_fund : ndarray of bool, shape (n,)
        Rows that were taken over with their margin.
    """

    rows: Wholes
    quantity: Floats
    fill: Floats
    fee_rate: Floats
    step: Wholes
    open_quantity: Floats
    to_fund: Flags


def liquidatable(risk: "BookRisk") -> Flags:
    """Rows of positions to close: isolated ones by their state, cross ones by that of their account."""
    states = _by_purse(risk, risk.state, risk.accounts.state)
    judged = _by_purse(risk, np.zeros(len(risk.book)), risk.accounts.status) == 0
    known = np.isin(states, [State.LIQUIDATION, State.BANKRUPT])
    found: Flags = known & judged & risk.ok & (risk.book.quantity != 0)
    return found


def _by_purse(
    risk: "BookRisk", by_row: npt.NDArray[np.generic], by_account: npt.NDArray[np.generic]
) -> Floats:
    values = np.array(by_row, dtype=np.float64)
    if risk.book.account_codes is not None and risk.accounts.state.size:
        cross = risk.book.is_cross
        values[cross] = by_account[risk.book.account_codes[cross]]
    return values


def close_in_steps(
    engine: "Engine",
    risk: "BookRisk",
    spared: Flags,
    cooling: Flags,
    price_fills: Callable[[Wholes, Floats], Floats],
) -> Steps:
    """Close what is liquidatable and not `spared`, step by step, until it is safe or gone.

    `cooling` marks rows whose last step is so recent that the next is a further one.
    """
    book = risk.book
    first = liquidatable(risk) & ~spared
    purse = names_of_purses(risk)
    rows = np.flatnonzero(np.isin(purse, purse[first]) & (book.quantity != 0))
    work = _Work(engine, risk, rows, price_fills)
    if rows.size:
        work.net()
        work.run(cooling)
    return work.steps()


class _Work:
    """Positions of the purses in liquidation while they are closed."""

    def __init__(
        self,
        engine: "Engine",
        risk: "BookRisk",
        rows: Wholes,
        price_fills: Callable[[Wholes, Floats], Floats],
    ) -> None:
        self.engine, self.whole, self.rows, self.price_fills = engine, risk, rows, price_fills
        self.policy: MarginPolicy = engine.policy
        self.book = risk.book
        self.open = np.array(self.book.quantity)
        self.margin, self.wallet = stated_margins(risk), np.array(self.book.wallet_balance)
        self.to_fund = np.zeros(len(self.book), dtype=bool)
        self.done: list[tuple[Wholes, Floats, Floats, Floats, int]] = []
        self.first = np.zeros(len(self.book))
        instruments = instruments_of(self.policy, self.book.instrument_names)
        self.gain = sizes(self.book, instruments)[1]
        self.instruments = instruments
        self.marks = np.array(np.asarray(risk.marks).reshape(-1))

    def net(self) -> None:
        """Close opposite legs of one instrument against each other, where the policy does so."""
        rows = self.rows[self.book.is_cross[self.rows]]
        if rows.size == 0 or self.book.account_codes is None:
            return
        pair = self.book.account_codes[rows].astype(np.int64) * len(self.book.instrument_names)
        pair += self.book.instrument_codes[rows]
        kinds, of = np.unique(pair, return_inverse=True)
        held = self.open[rows]
        side = 2 * of + (held < 0)
        sums = np.zeros(2 * kinds.size)
        before = np.empty(rows.size)
        for place, (of_side, size) in enumerate(zip(side.tolist(), np.abs(held).tolist(), strict=True)):
            before[place] = sums[of_side]
            sums[of_side] += size
        # The legs of a side in their order, as far as the other side covers them.
        common = np.clip(sums[side ^ 1] - before, 0.0, np.abs(held))
        if not (common > 0).any() or "net" not in self.policy.known("close_out_before"):
            return
        legs = common > 0
        self.close(rows[legs], common[legs], self.marks[self.book.instrument_codes[rows[legs]]], 0.0, 0)

    def run(self, cooling: Flags) -> None:
        """Step by step, until nothing is left to be liquidated."""
        for number in range(1, MOST_STEPS + 1):
            risk, place = self.evaluated(number)
            due = self.due(risk, number)
            if not due.any():
                return
            quantity = np.zeros(place.size)
            quantity[due] = self.step_of(risk, due, place[due], cooling[place[due]], number)
            closed = quantity > 0
            rows, amount = place[closed], quantity[closed]
            fee = float(self.policy.known("close_out_fee_rate"))
            self.close(rows, amount, self.price_fills(rows, amount), fee, number)
            if not (self.open[self.rows] != 0).any():
                return

    def evaluated(self, number: int) -> tuple["BookRisk", Wholes]:
        """Risk of what is still open, and its rows in the book."""
        if number == 1 and not self.done:
            return self.whole, np.arange(len(self.book))
        part = with_open(
            part_of(self.book, self.rows), self.open[self.rows], self.margin[self.rows], self.wallet
        )
        marks = dict(zip(self.book.instrument_names, self.marks.tolist(), strict=True))
        return self.engine.evaluate(part, marks), self.rows

    def due(self, risk: "BookRisk", number: int) -> Flags:
        """Rows of the evaluated book that this step is about."""
        due = liquidatable(risk)
        level = self.policy.close_out_exit_level
        if level is not None and number > 1:
            ratio = _by_purse(risk, risk.margin_ratio, risk.accounts.margin_ratio)
            due |= (ratio >= level) & risk.ok & (risk.book.quantity != 0)
        if risk is self.whole:
            chosen = np.zeros(len(self.book), dtype=bool)
            chosen[self.rows] = True
            due &= chosen
        return due

    def step_of(self, risk: "BookRisk", due: Flags, rows: Wholes, cooling: Flags, number: int) -> Floats:
        """Contracts that this step closes of the rows that are due."""
        equity = _by_purse(risk, risk.equity, risk.accounts.equity)[due]
        required = _by_purse(risk, risk.maintenance_margin, risk.accounts.maintenance_margin)[due]
        all_of = (equity <= 0) | (number == MOST_STEPS)
        level = self.policy.close_out_take_over_level
        if level is not None:
            taken = required >= level * equity
            self.to_fund[rows[taken]] = True
            all_of |= taken
        level = self.policy.close_out_whole_level
        if level is not None:
            all_of |= required >= level * equity
        closed = np.empty(rows.size)
        for cross in (False, True):
            of_mode = self.book.is_cross[rows] == cross
            if of_mode.any():
                chosen = np.flatnonzero(due)[of_mode]
                closed[of_mode] = self.of_mode(
                    risk, cross, chosen, rows[of_mode], all_of[of_mode], cooling[of_mode], number
                )
        return closed

    def of_mode(
        self,
        risk: "BookRisk",
        cross: bool,
        chosen: Wholes,
        rows: Wholes,
        all_of: Flags,
        cooling: Flags,
        number: int,
    ) -> Floats:
        policy = self.policy
        rule = "close_out_step"
        if not cross and policy.close_out_step_isolated != "same":
            rule = "close_out_step_isolated"
        step = policy.known(rule)
        quantity, value = np.abs(risk.book.quantity[chosen]), risk.notional[chosen]
        keep, share = np.zeros(rows.size), 1.0
        if step == "share":
            share = float(policy.known("close_out_share"))
            further = cooling | (number > 1)
            if further.any() and policy.known("close_out_next") == "whole":
                all_of = all_of | further
        elif step == "tiers":
            keep = kept_contracts(policy, self.instruments, risk.book, chosen, quantity, value)
        elif step == "largest_loss":
            return self.largest_loss(risk, chosen, rows, quantity, all_of)
        numbers = (share, float(policy.close_out_whole_up_to), float(policy.close_out_least))
        closed = step_quantities(step, numbers, quantity, np.ascontiguousarray(value), keep, all_of)
        if step == "share" and policy.close_out_next == "same" and number > 1:
            aimed = np.minimum(self.first[rows], quantity)
            closed = np.where(all_of, quantity, aimed)
        if number == 1:
            self.first[rows] = closed
        return closed

    def largest_loss(
        self, risk: "BookRisk", chosen: Wholes, rows: Wholes, quantity: Floats, all_of: Flags
    ) -> Floats:
        """All of the position of each purse with the largest loss; ties to instrument, then quantity."""
        purse = names_of_purses(self.whole)[rows]
        names = np.array(self.book.instrument_names)[self.book.instrument_codes[rows]]
        order = np.lexsort((-self.open[rows], names, risk.unrealized_pnl[chosen], purse))
        worst = np.zeros(rows.size, dtype=bool)
        worst[order[np.unique(purse[order], return_index=True)[1]]] = True
        closed: Floats = np.where(worst | all_of, quantity, 0.0)
        return closed

    def close(self, rows: Wholes, quantity: Floats, fill: Floats, fee: float, number: int) -> None:
        """Book a step: the loss comes out of the margin or wallet, the rest of which stays with the rest."""
        bad = np.flatnonzero(~(fill > 0) | ~np.isfinite(fill))
        if bad.size:
            self.refuse(int(rows[bad[0]]), float(fill[bad[0]]))
        signed = np.copysign(quantity, self.open[rows])
        self.done.append((rows, signed, fill, np.full(rows.size, fee), number))
        codes = self.book.instrument_codes[rows]
        entry = coordinates(self.instruments, codes, self.book.entry_price[rows])
        at = coordinates(self.instruments, codes, fill)
        share = quantity / np.abs(self.book.quantity[rows])
        gain = self.gain[rows] * share
        loss = gain * (entry - at) + np.abs(gain) * at * fee
        everything = quantity >= np.abs(self.open[rows])
        self.open[rows] = np.where(everything, 0.0, self.open[rows] - signed)
        cross = self.book.is_cross[rows]
        self.margin[rows[~cross]] -= loss[~cross]
        if self.book.account_codes is not None:
            np.subtract.at(self.wallet, self.book.account_codes[rows[cross]], loss[cross])

    def refuse(self, row: int, found: float) -> None:
        rule = "must hold a price of each instrument that is closed"
        raise InputError("fills", rule, self.book.name_of(row), repr(found), row)

    def steps(self) -> Steps:
        columns = [np.concatenate(each) for each in zip(*(part[:4] for part in self.done), strict=True)]
        if not columns:
            nothing = np.empty(0)
            columns = [np.empty(0, dtype=np.int64), nothing, nothing, nothing]
        numbers = [np.full(part[0].size, part[4]) for part in self.done]
        step = np.concatenate([*numbers, np.empty(0, dtype=np.int64)]).astype(np.int64)
        return Steps(columns[0], columns[1], columns[2], columns[3], step, self.open, self.to_fund)
