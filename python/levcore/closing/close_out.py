"""Close out what is liquidatable: what it costs, and who pays, to the last quantum."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from levcore._levcore import to_quanta
from levcore.arguments import is_word
from levcore.book.arrays import Floats
from levcore.book.marks import mark_prices
from levcore.closing.claims import Closed, settle
from levcore.closing.money import Wholes, coordinates, instruments_of, quanta_per_unit, sizes
from levcore.closing.payers import Payers
from levcore.closing.purses import names_of_purses, purses_of
from levcore.closing.result import CloseOut
from levcore.errors import InputError, UnknownRuleError
from levcore.status import State

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook
    from levcore.engine.engine import Engine
    from levcore.engine.risk import BookRisk

__all__ = ["close_out"]


def close_out(
    engine: "Engine",
    book: "PositionBook",
    marks: "Marks",
    *,
    fills: "Marks | None" = None,
    slippage: float = 0.0,
    trigger: Literal["liquidation_price", "mark"] = "liquidation_price",
    fund: float = 0.0,
    other_money: Mapping[Any, float] | None = None,
    quantum: float = 1e-8,
    lot: float = 1e-8,
    seed: int = 0,
) -> CloseOut:
    """Close every position and account that is liquidatable, and settle what is left or missing.

    Parameters
    ----------
    engine : Engine
        With one policy, whose rules ``close_out_*`` and ``trader_owes`` say what happens. A rule that is
        unknown refuses where it is needed; `levcore.MarginPolicy.replace` states it.
    book : PositionBook
        Without `levcore.Balances`. Its instruments settle in one currency.
    marks
        Prices that liquidate, as `levcore.Engine.evaluate` takes them.
    fills : optional
        Prices at which positions are closed; absent: the marks.
    slippage : float, basis points
        How much worse than these each position is filled.
    trigger : {"liquidation_price", "mark"}
        Where an isolated position's trigger lay. That of cross positions is the mark that liquidated them.
    fund : float, settlement currency
        Balance of the insurance fund. Claims are served in the order of account labels.
    other_money : mapping of account to amount, optional
        Money of traders beyond the margin, that pays before anyone else: for policies and margin modes that
        reach it.
    quantum : float
        Unit in which money is counted, a whole part of one. Each loss, fee and margin is rounded once, to the
        nearest quantum, a tie to the even one; from there on everything is integers. Shares are rounded down,
        and what that leaves is an entry of its own (``rounding``).
    lot : float
        Unit of quantities that are deleveraged, a whole part of one.
    seed : int
        Of the ranking "random".

    Returns
    -------
    CloseOut

    Raises
    ------
    UnknownRuleError
        For a rule that is needed and unknown.
    InputError
        For a book with balances, several settlement currencies, amounts that are negative or too large.
    """
    policy = engine.policy
    if book.balances is not None:
        raise InputError("book", "must be without balances in several assets", "wallets", "balances")
    engine.bind(book).wallets.refuse_several("closing")
    if not (fund >= 0 and np.isfinite(fund)):
        raise InputError("fund", "must be a balance", ">= 0", repr(fund))
    if not (slippage >= 0 and np.isfinite(slippage)):
        raise InputError("slippage", "must be basis points against the position", ">= 0", repr(slippage))
    if not is_word(trigger, ("liquidation_price", "mark")):
        raise InputError("trigger", "must be a known place", "'liquidation_price' or 'mark'", repr(trigger))
    per_unit = quanta_per_unit(quantum)
    risk = engine.evaluate(book, marks)
    rows = _liquidatable(risk)
    if rows.size and policy.known("close_out_step") != "whole":
        raise UnknownRuleError(
            policy.id, "its step is not supported", "policy.replace(close_out_step='whole')"
        )
    prices: Floats = np.array(risk.marks if fills is None else mark_prices(book, fills)).reshape(-1)
    filled = _worse(book, prices, slippage)
    closed = _closed(risk, rows, filled, trigger)
    payers = Payers(
        fund=int(to_quanta(np.array([float(fund)]), per_unit)[0]),
        fund_floor=0,
        largest_value=np.iinfo(np.int64).max,
        other={who: _quanta(amount, per_unit) for who, amount in (other_money or {}).items()},
        lots_per_unit=quanta_per_unit(lot),
        seed=seed,
    )
    stay, to_fund = np.ones(len(book), dtype=bool), np.zeros(len(book), dtype=bool)
    stay[rows] = False
    stay &= np.isin(names_of_purses(risk), names_of_purses(risk)[rows]) & (book.quantity != 0) & risk.ok
    to_fund[:] = policy.close_out_remainder == "fund"
    purses = purses_of(risk, rows, stay, to_fund, payers.other, per_unit)
    return settle(engine, risk, closed, purses, prices, payers, per_unit)


def _quanta(amount: float, per_unit: float) -> int:
    if not amount >= 0:
        raise InputError("other_money", "must be amounts", ">= 0", repr(amount))
    return int(to_quanta(np.array([float(amount)]), per_unit)[0])


def _liquidatable(risk: "BookRisk") -> Wholes:
    """Rows of positions to close: isolated ones by their state, cross ones by that of their account."""
    book = risk.book
    states = risk.state.copy()
    if book.account_codes is not None:
        cross = np.flatnonzero(book.is_cross)
        states[cross] = risk.accounts.state[book.account_codes[cross]]
        judged = risk.accounts.status[book.account_codes[cross]] == 0
        states[cross[~judged]] = State.INCOMPLETE
    known = np.isin(states, [State.LIQUIDATION, State.BANKRUPT])
    return np.flatnonzero(known & risk.ok & (book.quantity != 0))


def _worse(book: "PositionBook", prices: Floats, slippage: float) -> Floats:
    """Price of each row's close, quote per base: that of its instrument, worse by the slippage."""
    by_row = prices[book.instrument_codes]
    share = slippage / 10_000.0
    worse: Floats = np.where(book.quantity < 0, by_row * (1.0 + share), by_row * (1.0 - share))
    return worse


def _closed(risk: "BookRisk", rows: Wholes, filled: Floats, trigger: str) -> Closed:
    book, policy = risk.book, risk.policy
    bad = np.flatnonzero(~(filled[rows] > 0) | ~np.isfinite(filled[rows]))
    if bad.size:
        row = int(rows[bad[0]])
        raise InputError(
            "fills",
            "must hold a price of each instrument that is closed",
            book.name_of(row),
            repr(filled[row]),
            row,
        )
    instruments = instruments_of(policy, book.instrument_names)
    _, gain = sizes(book, instruments)
    codes = book.instrument_codes[rows]
    marks = np.asarray(risk.marks).reshape(-1)[codes]
    triggers = risk.liquidation_price[rows]
    if trigger == "mark":
        triggers = marks
    triggers = np.where(book.is_cross[rows] | np.isnan(triggers), marks, triggers)
    prices = (book.entry_price[rows], triggers, filled[rows])
    entry, passed, fill = (coordinates(instruments, codes, each) for each in prices)
    rate = policy.known("close_out_fee_rate") if rows.size else 0.0
    numbers = (gain[rows], entry, passed, fill, np.full(rows.size, float(rate)))
    return Closed(rows, book.quantity[rows], triggers, filled[rows], numbers)
