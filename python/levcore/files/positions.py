"""Positions, accounts and marks from files.

What the columns mean, which must be there and what an empty cell says is decided in `levcore.book.frames`,
for frames and files alike. What makes a file as a whole unreadable or contradictory is a `FileFormatError`
with the line and the column.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from levcore.book.frames import (
    NUMBER_COLUMNS,
    REQUIRED_COLUMNS,
    RESULTS,
    TEXT_COLUMNS,
    Positions,
    check_named,
    first_repeated,
    merge_marks,
    one_value_each,
    positions_of_columns,
)
from levcore.errors import FileFormatError
from levcore.files.tables import FileColumns, Progress, read_columns

__all__ = ["Positions", "merge_marks", "read_accounts", "read_marks", "read_positions"]


def read_positions(
    path: str | Path,
    *,
    marks_elsewhere: bool = False,
    ignore_columns: Collection[str] = (),
    pass_columns: Collection[str] = (),
    progress: Progress | None = None,
) -> Positions:
    """Read a file of positions.

    Parameters
    ----------
    path : path
        CSV; Parquet where the name ends in ``.parquet`` or ``.pq``; Arrow where it ends in ``.arrow``,
        ``.ipc`` or ``.feather``. Columns as `levcore.PositionBook.from_frame` takes them; ``mark_price``
        unless the marks are given elsewhere; ``policy`` is the same for all cross positions of an account.
        A file that holds every result of an evaluation, as `levcore.files.results` writes it, is read without
        them (``columns.has_earlier``).
    marks_elsewhere : bool
        Whether the column ``mark_price`` may be absent.
    ignore_columns, pass_columns : collection of str
        Columns that are no inputs whatever their name says: left out, or passed through.
    progress : callable, optional
        Called with the number of rows read.

    Raises
    ------
    FileFormatError
        The file breaks a rule above: with line and column. A missing *cell* of a row is no such error but
        gives the row its status later.
    """
    columns = read_columns(
        path,
        TEXT_COLUMNS,
        NUMBER_COLUMNS,
        REQUIRED_COLUMNS if marks_elsewhere else (*REQUIRED_COLUMNS, "mark_price"),
        progress,
        ignored=ignore_columns,
        passed=pass_columns,
        results=RESULTS,
        earlier=RESULTS,
    )
    return positions_of_columns(columns)


def read_accounts(path: str | Path, *, ignore_columns: Collection[str] = ()) -> dict[str, Any]:
    """Wallet balance by account, NaN where its cell is empty; by currency where the file gives one.

    Parameters
    ----------
    path : path
        A table with the columns ``account`` and ``wallet_balance`` (settlement currency), and optionally
        ``wallet_currency``: an account then has a line for each of its wallets.
    ignore_columns : collection of str
        Columns that are no inputs whatever their name says.

    Raises
    ------
    FileFormatError
        A column is missing, an account has no name or two lines (of one currency), a balance is not a number.
    """
    required = ("account", "wallet_balance")
    texts = ("account", "wallet_currency", "asset")
    columns = read_columns(path, texts, ("wallet_balance",), required, ignored=ignore_columns)
    account = columns.texts["account"]
    check_named(columns, "account", np.arange(len(columns)))
    if len(columns.names) > len(required):
        return _by_currency(columns)
    if len(account.labels) < len(columns):
        row = first_repeated(account.codes)
        raise columns.error(row, "account", "must have one line an account", found=f"{account[row]!r} again")
    return dict(zip(account.labels, columns.numbers["wallet_balance"].tolist(), strict=True))


def _by_currency(columns: FileColumns) -> dict[str, Any]:
    """Wallets of an accounts file that says their currencies, under either name of that column."""
    names = [name for name in ("wallet_currency", "asset") if name in columns.texts]
    if len(names) > 1:
        rule = "two columns say the currency of a wallet"
        raise FileFormatError(columns.path, rule, "one of them", column=columns.column_of("asset"))
    currencies, found = columns.texts[names[0]], dict[str, dict[str, float]]()
    balances = columns.numbers["wallet_balance"].tolist()
    for row, (account, currency) in enumerate(zip(columns.texts["account"], currencies, strict=True)):
        of_account = found.setdefault(account, {})
        if currency in of_account:
            again = f"{currency} of {account!r} again" if currency else f"{account!r} again"
            raise columns.error(row, names[0], "must have one line an account and currency", found=again)
        of_account[currency] = balances[row]
        if len(of_account) > 1 and "" in of_account:
            rule = f"must not be empty: {account!r} has several wallets"
            raise columns.error(row, names[0], rule, "a currency", "an empty cell")
    return {account: held.get("", held) for account, held in found.items()}


def read_marks(path: str | Path, *, ignore_columns: Collection[str] = ()) -> dict[str, float]:
    """Mark price by instrument; an instrument with an empty cell has none.

    Parameters
    ----------
    path : path
        A table with the columns ``instrument`` and ``mark_price`` (quote per base).
    ignore_columns : collection of str
        Columns that are no inputs whatever their name says.

    Raises
    ------
    FileFormatError
        A column is missing, a price is not a number, an instrument has two prices, or prices by policy:
        these stand in the positions' own column.
    """
    required = ("instrument", "mark_price")
    columns = read_columns(path, ("instrument", "policy"), ("mark_price",), required, ignored=ignore_columns)
    if "policy" in columns.names:
        rule = "one price holds under every policy; others stand in the positions' column mark_price"
        raise FileFormatError(columns.path, rule, "no column 'policy'", column="policy")
    return one_value_each(columns, "instrument", "mark_price", columns.numbers["mark_price"])
