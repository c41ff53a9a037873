"""Positions, accounts and marks from CSV or Parquet files.

What the columns mean, which must be there and what an empty cell says is decided here, once for both formats.
An empty cell is missing, never zero: the row then gets its status from the engine. What makes a file as a
whole unreadable or contradictory is a `FileFormatError` with the line and the column.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from levcore.book.balances import Balances
from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.errors import FileFormatError
from levcore.files.columns import Columns, Progress
from levcore.files.rules import check_named, first_repeated, one_value_each, read_columns
from levcore.measures import MEASURES

__all__ = ["Positions", "merge_marks", "read_accounts", "read_marks", "read_positions"]

TEXT_COLUMNS = ("account", "instrument", "margin_mode", "policy")
NUMBER_COLUMNS = (
    "quantity",
    "entry_price",
    "mark_price",
    "isolated_margin",
    "leverage",
    "accrued_funding",
    "risk_limit",
)
REQUIRED_COLUMNS = ("instrument", "quantity", "entry_price", "margin_mode")
MARGIN_MODES = ("isolated", "cross")


@dataclass(frozen=True)
class Positions:
    """A file of positions.

    Parameters
    ----------
    columns : Columns
        The file as read.
    is_cross : ndarray of bool, shape (n,)
        Whether a row's margin mode is cross.
    marks : dict of str to float, quote per base
        Mark price by instrument from the column ``mark_price``; empty without it, and with a column
        ``policy``.
    marks_of_policies : dict of str to dict of str to float, quote per base
        The same by policy, with a column ``policy``.
    """

    columns: Columns
    is_cross: NDArray[np.bool_]
    marks: dict[str, float]
    marks_of_policies: dict[str, dict[str, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns)

    @property
    def policy_names(self) -> tuple[str, ...]:
        """Policies that the column ``policy`` names; empty without it."""
        policy = self.columns.texts.get("policy")
        return () if policy is None else policy.values

    @property
    def passed_through(self) -> tuple[str, ...]:
        """Columns of the file that mean nothing here and go out again as they came."""
        return tuple(name for name in self.columns.names if name not in TEXT_COLUMNS + NUMBER_COLUMNS)

    def likely_misspelt(self) -> dict[str, str]:
        """Columns passed through whose name comes close to one that would have a meaning."""
        absent = [name for name in TEXT_COLUMNS + NUMBER_COLUMNS if name not in self.columns.names]
        close = {name: difflib.get_close_matches(name, absent, 1, 0.8) for name in self.passed_through}
        return {name: matches[0] for name, matches in close.items() if matches}

    def book(
        self,
        wallet_balance: Mapping[str, float] | None = None,
        *,
        balances: Balances | None = None,
        position_mode: Literal["one_way", "hedge"] = "one_way",
    ) -> PositionBook:
        """Position book of the file.

        Parameters
        ----------
        wallet_balance : mapping of str to float, optional
            Wallet balance by account, from `read_accounts`. Its accounts come first, in its order, whether
            they have positions or not.
        balances : Balances, optional
            What accounts hold in several assets, from `levcore.files.balances.read_balances`.
        position_mode : {"one_way", "hedge"}
            Whether an account may hold a long and a short position in one instrument.
        """
        numbers = self.columns.numbers
        instrument = self.columns.texts["instrument"]
        account = self.columns.texts.get("account")
        policy = self.columns.texts.get("policy")
        return PositionBook(
            instrument=instrument.codes,
            instrument_names=instrument.values,
            quantity=numbers["quantity"],
            entry_price=numbers["entry_price"],
            account=None if account is None else [account.values[code] for code in account.codes.tolist()],
            margin_mode=np.where(self.is_cross, "cross", "isolated"),
            isolated_margin=numbers.get("isolated_margin"),
            leverage=numbers.get("leverage"),
            accrued_funding=numbers.get("accrued_funding"),
            risk_limit=numbers.get("risk_limit"),
            policy=None if policy is None else policy.codes,
            policy_names=None if policy is None else policy.values,
            wallet_balance=wallet_balance,
            balances=balances,
            position_mode=position_mode,
        )


def read_positions(
    path: str | Path, *, marks_elsewhere: bool = False, progress: Progress | None = None
) -> Positions:
    """Read a file of positions.

    Parameters
    ----------
    path : path
        CSV, or Parquet where the name ends in ``.parquet`` or ``.pq``. Columns: ``instrument``, ``quantity``
        (signed: long > 0), ``entry_price`` and ``margin_mode`` (isolated or cross) always; ``account`` where
        a row is cross; ``isolated_margin`` or ``leverage`` where a row is isolated; ``mark_price`` unless the
        marks are given elsewhere; optionally ``accrued_funding`` and ``risk_limit``, and ``policy``,
        which is then the same for all cross positions of an account. Others are passed through.
    marks_elsewhere : bool
        Whether the column ``mark_price`` may be absent.
    progress : callable, optional
        Called now and then with the number of rows read.

    Raises
    ------
    FileFormatError
        The file breaks a rule above: with line and column. A missing *cell* of a row is no such error but
        gives the row its status later.
    """
    required = REQUIRED_COLUMNS if marks_elsewhere else (*REQUIRED_COLUMNS, "mark_price")
    columns = read_columns(path, TEXT_COLUMNS, NUMBER_COLUMNS, required, progress)
    written = {measure.name for measure in MEASURES} | {"state", "status"}
    for name in columns.names:
        if name in written:
            rule = "the column has the name of a result, which the output would hold twice"
            raise FileFormatError(columns.path, rule, "another name", column=name)
    is_cross = _is_cross(columns)
    _check_account(columns, is_cross)
    if not is_cross.all() and not {"isolated_margin", "leverage"} & set(columns.names):
        row = int(np.argmin(is_cross))
        expected = "isolated_margin or leverage for an isolated position"
        raise columns.error(row, "isolated_margin", "the column is missing", expected)
    prices = columns.numbers.get("mark_price", np.full(len(columns), np.nan))
    policy = columns.texts.get("policy")
    if policy is None:
        return Positions(columns, is_cross, one_value_each(columns, "instrument", "mark_price", prices))
    check_named(columns, "policy", np.arange(len(columns)))
    of_policies = {}
    for code, name in enumerate(policy.values):
        own = np.where(policy.codes == code, prices, np.nan)
        of_policies[name] = one_value_each(columns, "instrument", "mark_price", own)
    return Positions(columns, is_cross, {}, of_policies)


def read_accounts(path: str | Path) -> dict[str, float]:
    """Wallet balance by account, NaN where its cell is empty.

    Parameters
    ----------
    path : path
        CSV or Parquet with the columns ``account`` and ``wallet_balance`` (settlement currency).

    Raises
    ------
    FileFormatError
        A column is missing, an account has no name or two lines, a balance is not a number.
    """
    columns = read_columns(path, ("account",), ("wallet_balance",), ("account", "wallet_balance"))
    account = columns.texts["account"]
    check_named(columns, "account", np.arange(len(columns)))
    if len(account.values) < len(columns):
        row = first_repeated(account.codes)
        raise columns.error(row, "account", "must have one line an account", found=f"{account[row]!r} again")
    return dict(zip(account.values, columns.numbers["wallet_balance"].tolist(), strict=True))


def read_marks(path: str | Path) -> dict[str, float]:
    """Mark price by instrument; an instrument with an empty cell has none.

    Parameters
    ----------
    path : path
        CSV or Parquet with the columns ``instrument`` and ``mark_price`` (quote per base).

    Raises
    ------
    FileFormatError
        A column is missing, a price is not a number, an instrument has two prices, or prices by policy:
        these stand in the positions' own column.
    """
    columns = read_columns(path, ("instrument",), ("mark_price",), ("instrument", "mark_price"))
    if "policy" in columns.names:
        rule = "one price holds under every policy; others stand in the positions' column mark_price"
        raise FileFormatError(columns.path, rule, "no column 'policy'", column="policy")
    return one_value_each(columns, "instrument", "mark_price", columns.numbers["mark_price"])


def merge_marks(positions: Positions, marks: Mapping[str, float]) -> Marks:
    """Marks from elsewhere together with those of the positions' own column; by policy if a column names it.

    Raises
    ------
    FileFormatError
        The two give one instrument two prices: with the line of the position.
    """
    for own in (positions.marks, *positions.marks_of_policies.values()):
        _refuse_other_marks(positions, own, marks)
    if positions.policy_names:
        return {policy: {**own, **marks} for policy, own in positions.marks_of_policies.items()}
    return {**positions.marks, **marks}


def _refuse_other_marks(positions: Positions, own: Mapping[str, float], marks: Mapping[str, float]) -> None:
    for name, price in own.items():
        if name in marks and marks[name] != price:
            instrument = positions.columns.texts["instrument"]
            code = instrument.values.index(name)
            here = (instrument.codes == code) & (positions.columns.numbers["mark_price"] == price)
            row = int(np.argmax(here))
            rule = f"contradicts the marks given for {name}"
            raise positions.columns.error(row, "mark_price", rule, repr(marks[name]), repr(price))


def _is_cross(columns: Columns) -> NDArray[np.bool_]:
    mode = columns.texts["margin_mode"]
    for code, word in enumerate(mode.values):
        if word not in MARGIN_MODES:
            row = int(np.argmax(mode.codes == code))
            expected = " or ".join(MARGIN_MODES)
            raise columns.error(row, "margin_mode", "must be a margin mode", expected, repr(word))
    cross = np.array([word == "cross" for word in mode.values], np.bool_)
    return cross[mode.codes] if len(columns) else np.empty(0, np.bool_)


def _check_account(columns: Columns, is_cross: NDArray[np.bool_]) -> None:
    """A cross position belongs to an account; an isolated one stands alone."""
    rows = np.flatnonzero(is_cross)
    if not len(rows):
        return
    if "account" not in columns.texts:
        raise columns.error(
            int(rows[0]), "account", "the column is missing", "the account of a cross position"
        )
    check_named(columns, "account", rows)
