"""Close out what is liquidatable: what it costs, and who pays, to the last quantum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_number, is_word, of_kind, whole_number
from levcore.book.arrays import Floats, flat_array, float_column
from levcore.book.marks import mark_prices
from levcore.book.positions import PositionBook
from levcore.closing.claims import Closed, settle
from levcore.closing.fills import Impact, fill_prices, read_slippage
from levcore.closing.fund import Fund
from levcore.closing.guards import Guard, spared_rows
from levcore.closing.money import Wholes, coordinates, instruments_of, one_in_quanta, quanta_per_unit, sizes
from levcore.closing.payers import Payers
from levcore.closing.purses import purses_of
from levcore.closing.result import CloseOut
from levcore.closing.steps import Steps, close_in_steps
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["close_out"]


def close_out(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    *,
    fills: Marks | None = None,
    row_fills: npt.ArrayLike | None = None,
    slippage: float | Impact = 0.0,
    trigger: Literal["liquidation_price", "mark"] = "liquidation_price",
    guard: Guard | None = None,
    cooling: npt.ArrayLike | None = None,
    priced_by: Literal["mark", "index", "last"] | None = None,
    fund: float | Fund = 0.0,
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
    row_fills : array_like, shape (n,), quote per base, optional
        Price at which each position is closed, without further slippage, as `levcore.Cascade.fills` has them;
        NaN: that of its instrument.
    slippage : float, basis points, or Impact
        How much worse than these each position is filled; an `levcore.Impact` takes it from the size that a
        step closes of a side of an instrument.
    trigger : {"liquidation_price", "mark"}
        Where an isolated position's trigger lay. That of cross positions is the mark that liquidated them.
    guard : Guard, optional
        Mean prices, halts and ages, for prices at which nobody is liquidated.
    cooling : array_like of bool, shape (n,), optional
        Rows whose last step lies within the policy's cooldown: their next step is a further one.
    priced_by : {"mark", "index", "last"}, optional
        Which price the marks are; refused where the policy is liquidated by another.
    fund : float, settlement currency, or Fund
        Insurance fund. What it gets of margins at this instant enters it before any claim; claims are served
        in the order of account labels.
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

    Notes
    -----
    Steps (``close_out_step``) are taken one after the other at the same prices, with the book evaluated anew
    after each, until what is left is safe: the loss of a step comes out of the margin or wallet, and all the
    rest of that stays behind what is still open. A bankrupt account is closed whole.
    """
    of_kind("engine", engine, Engine)
    of_kind("book", book, PositionBook)
    policy, seed = engine.policy, whole_number("seed", seed) % 2**64
    if book.balances is not None:
        raise InputError("book", "must be without balances in several assets", "wallets", "balances")
    engine.bind(book).wallets.refuse_several("closing", refused=False)
    if not is_word(trigger, ("liquidation_price", "mark")):
        raise InputError("trigger", "must be a known place", "'liquidation_price' or 'mark'", repr(trigger))
    _check_price(policy, priced_by)
    worse, per_unit, lots_per_unit = (
        read_slippage(slippage),
        quanta_per_unit(quantum),
        quanta_per_unit(lot, "lot"),
    )
    payers = _payers(fund, other_money, per_unit, lots_per_unit, seed)
    risk = engine.evaluate(book, marks)
    prices: Floats = np.array(risk.marks if fills is None else mark_prices(book, fills, "fills")).reshape(-1)

    own = _row_fills(row_fills, len(book))

    def price_fills(rows: Wholes, quantity: Floats) -> Floats:
        at: Floats = fill_prices(book, rows, quantity, prices, worse, lots_per_unit)
        return at if own is None else np.where(np.isnan(own[rows]), at, own[rows])

    steps = close_in_steps(engine, risk, spared_rows(risk, guard), _flags(cooling, len(book)), price_fills)
    to_fund = steps.to_fund | (policy.close_out_remainder == "fund")
    purses = purses_of(risk, steps.rows, steps.open_quantity != 0, to_fund, payers.other, per_unit)
    return settle(engine, risk, _closed(risk, steps, trigger), steps, purses, prices, payers, per_unit)


def _check_price(policy: MarginPolicy, priced_by: str | None) -> None:
    if priced_by is None:
        return
    if not is_word(priced_by, ("mark", "index", "last")):
        raise InputError("priced_by", "must be a kind of price", "mark, index or last", repr(priced_by))
    if policy.known("close_out_trigger_price") != priced_by:
        expected = f"{policy.close_out_trigger_price!r}, which liquidates under {policy.id}"
        raise InputError("priced_by", "must be the price that liquidates", expected, repr(priced_by))


def _payers(
    fund: float | Fund,
    other_money: Mapping[Any, float] | None,
    per_unit: float,
    lots_per_unit: float,
    seed: int,
) -> Payers:
    given = fund if isinstance(fund, Fund) else Fund(fund)
    if other_money is not None and not isinstance(other_money, Mapping):
        raise DTypeError("other_money", "must be amounts by account", "a mapping", type(other_money).__name__)
    most = given.largest_value
    return Payers(
        fund=_quanta("fund", given.balance, per_unit),
        fund_floor=_quanta("fund", given.floor, per_unit),
        largest_value=np.iinfo(np.int64).max if np.isinf(most) else _quanta("fund", most, per_unit),
        other={who: _quanta("other_money", amount, per_unit) for who, amount in (other_money or {}).items()},
        lots_per_unit=lots_per_unit,
        seed=seed,
    )


def _quanta(argument: str, amount: float, per_unit: float) -> int:
    if not (is_number(amount) and 0 <= amount < np.inf):
        raise InputError(argument, "must be amounts", ">= 0", repr(amount))
    return one_in_quanta(argument, amount, per_unit)


def _row_fills(row_fills: npt.ArrayLike | None, rows: int) -> Floats | None:
    if row_fills is None:
        return None
    return float_column("row_fills", row_fills, rows, [])


def _flags(cooling: npt.ArrayLike | None, rows: int) -> npt.NDArray[np.bool_]:
    if cooling is None:
        return np.zeros(rows, dtype=bool)
    flags = flat_array("cooling", cooling)
    if flags.shape != (rows,) or flags.dtype != bool:
        raise InputError("cooling", "must be a flag a row", f"{rows} bools", f"{flags.shape} {flags.dtype}")
    return flags


def _closed(risk: BookRisk, steps: Steps, trigger: str) -> Closed:
    book, rows = risk.book, steps.rows
    instruments = instruments_of(risk.policy, book.instrument_names)
    _, gain = sizes(book, instruments)
    codes = book.instrument_codes[rows]
    marks = np.asarray(risk.marks).reshape(-1)[codes]
    triggers = risk.liquidation_price[rows]
    if trigger == "mark":
        triggers = marks
    triggers = np.where(book.is_cross[rows] | np.isnan(triggers), marks, triggers)
    prices = (book.entry_price[rows], triggers, steps.fill)
    entry, passed, fill = (coordinates(instruments, codes, each) for each in prices)
    # All of a row is its own gain, to the bit; a part of it that share.
    share = np.where(steps.quantity == book.quantity[rows], 1.0, steps.quantity / book.quantity[rows])
    numbers = (gain[rows] * share, entry, passed, fill, steps.fee_rate)
    return Closed(rows, steps.quantity, triggers, steps.fill, numbers)
