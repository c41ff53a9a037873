"""One row of an evaluation, step by step: the reference replayed, with the source of every rule."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, SupportsIndex

import numpy as np

from levcore.arguments import of_kind
from levcore.book.arrays import Floats
from levcore.book.asset_prices import asset_price_columns
from levcore.book.balances import Balances
from levcore.book.marks import Marks, mark_prices, marks_by_policy
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.book.wallets import Wallets, wallets_of
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError
from levcore.explanation.margin import margin_steps, value_steps
from levcore.explanation.pool import PooledAccount, pooled_account_steps
from levcore.explanation.pool_prices import pooled_price_steps
from levcore.explanation.row import Row, fault_steps, input_steps, tier_steps
from levcore.explanation.steps import Explanation, Step
from levcore.explanation.verdict import account_steps, equity_steps, level_steps, price_steps
from levcore.reference.evaluate import BookReplay
from levcore.rules.terms import UNKNOWN
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, State, Status

__all__ = ["Explanation", "Step", "explain"]


def explain(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    row: SupportsIndex,
    *,
    asset_prices: Mapping[str, float] | None = None,
) -> Explanation:
    """Every step of one row's evaluation: tier, formula, numbers, source; print it.

    Parameters
    ----------
    engine : Engine
        Whose policies judge the book.
    book : PositionBook
        Positions and wallets; the row, and for a cross row its account, are evaluated in pure Python.
    marks : mapping or array_like
        Mark prices, quote per base, as `levcore.Engine.evaluate` takes them.
    row : int
        Row of the book, from 0.
    asset_prices : mapping of asset name to price, optional
        As `levcore.Engine.evaluate` takes them.

    Returns
    -------
    Explanation
        Whose numbers are those of `levcore.Engine.evaluate`, to the last bit.

    Raises
    ------
    InputError
        For a row outside of the book.
    UnknownRuleError
        If the policy does not know a rule that the row needs.
    """
    of_kind("engine", engine, Engine)
    of_kind("book", book, PositionBook)
    number = _checked_row(row, len(book))
    policies = tuple(engine.policies[label] for label in labels_of_book(book, tuple(engine.policies)))
    prices = marks_by_policy(mark_prices(book, marks), len(policies))
    of_assets = [column.tolist() for column in asset_price_columns(book, policies, asset_prices)]
    wallets = wallets_of(book, policies)
    rows = _rows_needed(book, wallets, number)
    part, part_marks = _part_of(book, wallets, prices, rows)
    inputs = (part, policies, part_marks, of_assets if part.balances is not None else ())
    replay = BookReplay(*inputs)
    place = rows.index(number)
    position = replay.position(place)
    own = policies[0 if book.policy_codes is None else int(book.policy_codes[number])]
    explained = Row(own, part, tuple(rows), place, replay, position, _currency(book, wallets, number))
    account = None
    if explained.is_cross and not replay.sums:
        account = PooledAccount.of(BookReplay(*inputs, settle_accounts=False), place, own.assets)
    return Explanation(
        row=number,
        instrument=book.name_of(number),
        account=book.account_of(number),
        margin_mode="cross" if book.is_cross[number] else "isolated",
        policy=own.id,
        state=State(position.state),
        status=Status(position.status),
        steps=tuple(steps_of(explained, account)),
        ratio=own.ratio,
        debtor=own.debtor if own.debtor != UNKNOWN else f"unknown: {own.unknown.about('debtor')}",
        sources=own.sources,
    )


def steps_of(row: Row, account: PooledAccount | None) -> Iterator[Step]:
    """Every step of a row, in the order of evaluation; `account` is that of a row that moves with others."""
    status = Status(row.position.status)
    # A row without a position has no size.
    evaluated = status < FIRST_FAILURE and not math.isnan(row.position.size)
    yield from fault_steps(row)
    yield from input_steps(row)
    if row.marked.instrument is not None:
        yield from tier_steps(row)
    if evaluated:
        alone = row if account is None else replace(row, position=account.alone)
        yield from value_steps(alone)
        if status != Status.WITHOUT_MARGIN:
            yield from margin_steps(alone)
    if account is not None:
        yield from pooled_account_steps(row, account)
    elif row.is_cross:
        yield from account_steps(row)
    elif status < FIRST_PARTIAL:
        yield from equity_steps(row)
    judged = status < FIRST_PARTIAL
    if judged:
        yield from level_steps(row, row.position.margin_ratio)
    if judged and evaluated:
        yield from price_steps(row) if account is None else pooled_price_steps(row, account)


def _checked_row(row: SupportsIndex, rows: int) -> int:
    try:
        number = operator.index(row)
    except TypeError:
        raise DTypeError("row", "must be a whole number", "int", type(row).__name__) from None
    if not 0 <= number < rows:
        expected = f"0 to {rows - 1}" if rows else "a book with rows"
        raise InputError("row", "must be a row of the book", expected, str(number))
    return number


def _rows_needed(book: PositionBook, wallets: Wallets, row: int) -> list[int]:
    """Rows that the result of a row depends on: the cross legs of its wallet, or the row alone."""
    if wallets.of_row is None or not book.is_cross[row]:
        return [row]
    rows: list[int] = np.flatnonzero(wallets.of_row == wallets.of_row[row]).tolist()
    return rows


def _currency(book: PositionBook, wallets: Wallets, row: int) -> str:
    """Currency of the wallet of a row, where accounts have several."""
    if not wallets.is_split or wallets.of_row is None or not book.is_cross[row]:
        return ""
    return wallets.currency[int(wallets.of_row[row])]


def _part_of(
    book: PositionBook, wallets: Wallets, prices: Floats, rows: list[int]
) -> tuple[PositionBook, list[list[float]]]:
    """Book of these rows alone, which are one wallet or one row; order, and with it every bit, is kept."""
    codes, kept = np.unique(book.instrument_codes[rows], return_inverse=True)

    def taken(column: Floats | None) -> Floats | None:
        return None if column is None else column[rows]

    account: dict[str, Any] = {"margin_mode": "isolated"}
    if wallets.of_row is not None and book.is_cross[rows[0]]:
        wallet = int(wallets.of_row[rows[0]])
        code = int(wallets.account[wallet])
        account = {
            "margin_mode": "cross",
            "account": [book.account_ids[code]] * len(rows),
            "position_mode": book.position_mode,
            "balances": _balances_of(book, code),
            **_wallets_of(book, wallets, wallet),
        }
    if book.policy_codes is not None:
        account |= {"policy": book.policy_codes[rows], "policy_names": book.policy_names}
    part = PositionBook(
        instrument=kept.ravel(),
        instrument_names=[book.instrument_names[code] for code in codes],
        quantity=book.quantity[rows],
        entry_price=book.entry_price[rows],
        isolated_margin=taken(book.isolated_margin),
        leverage=taken(book.leverage),
        accrued_funding=taken(book.accrued_funding),
        risk_limit=taken(book.risk_limit),
        **account,
    )
    return part, prices[:, codes].tolist()


def _wallets_of(book: PositionBook, wallets: Wallets, wallet: int) -> dict[str, Any]:
    """Arguments that give a wallet; those of an account that is refused, which it has by currency."""
    code, named = int(wallets.account[wallet]), book.named_wallets
    if named is None or wallets.status is None or not wallets.status[wallet]:
        return {"accounts": [book.account_ids[code]], "wallet_balance": wallets.balance[[wallet]]}
    own = np.flatnonzero(named.account == code)
    return {
        "accounts": [book.account_ids[code]] * own.size,
        "wallet_balance": named.balance[own],
        "wallet_currency": [named.currency[place] for place in own.tolist()],
    }


def _balances_of(book: PositionBook, account: int) -> Balances | None:
    """Balances of the account with this code, in their order; None without any."""
    columns = book.balance_columns
    if columns is None or book.balances is None or account not in columns.account:
        return None
    rows = np.flatnonzero(columns.account == account)
    return Balances(
        [book.account_ids[account]] * len(rows),
        [book.balances.asset_names[code] for code in columns.asset[rows].tolist()],
        columns.balance[rows],
        None if columns.liability is None else columns.liability[rows],
        None if columns.interest is None else columns.interest[rows],
    )
