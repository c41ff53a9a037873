"""The part of a live book that stands under one policy, as the core holds it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Book
from levcore._levcore import LiveBook as CoreBook
from levcore.book.arrays import Codes, Floats
from levcore.book.balances import BalanceColumns
from levcore.book.labels import NO_ACCOUNT
from levcore.book.positions import PositionBook
from levcore.engine.compiled import pools_every_account
from levcore.engine.engine import Engine
from levcore.live_books.levels import kernels_of_levels, states_of
from levcore.live_books.owners import NUMBERS, BalanceTable, Owners

if TYPE_CHECKING:
    from levcore.files.records import Columns

__all__ = ["CoreEvents", "Part"]

CoreEvents = tuple[Any, ...]
"""Instant, whether it is an account, row or account, state before, state now with equity, margin, ratio."""
NO_BALANCES = np.empty(0, np.uint32), np.empty(0, np.uint32), [np.empty(0)] * 3


class Part:
    """Rows of a live book under one policy: those of the core by their rows in the book, and prices by code.

    Accounts have the same codes in all parts, and all wallets; each has its positions and balances in one.

    Attributes
    ----------
    label : str
        Label of the policy.
    levels : tuple of str
        Levels that are watched.
    rows : ndarray of int64, shape (m,)
        Rows of the book, by those of the core.
    """

    __slots__ = ("_assets", "_names", "_place_of_asset", "core", "label", "levels", "rows")

    label: str
    levels: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    core: CoreBook

    def __init__(
        self,
        engine: Engine,
        label: str,
        levels: tuple[str, ...],
        assets: Sequence[str],
        book: PositionBook,
        owners: Owners,
        marks: Floats,
        asset_prices: Floats,
    ) -> None:
        code = owners.labels.index(label)
        self.label, self.levels = label, levels
        self.rows = np.flatnonzero(owners.policy == code)
        self._names, self._assets = book.instrument_names, assets
        known = engine.compiled(label).rules.places_of_assets
        self._place_of_asset = np.array([known.get(name, -1) for name in assets], dtype=np.int64)
        of_asset = np.full(len(known), np.nan)
        own = self._place_of_asset >= 0
        of_asset[self._place_of_asset[own]] = asset_prices[own]
        # Of the whole book, as an evaluation has it.
        pool_all = any(pools_every_account(engine.policies[own]) for own in owners.labels)
        handle, account, held = _columns_of(book, self.rows, assets, owners, code, pool_all)
        self.core = CoreBook(
            handle,
            np.ascontiguousarray(owners.is_cross[self.rows]),
            account,
            held,
            len(assets),
            (book.position_mode == "hedge", pool_all),
            kernels_of_levels(engine, label, self._names, assets, levels),
            states_of(levels),
            np.ascontiguousarray(marks),
            of_asset,
            engine.used_instruction_set,
        )

    def ticks(self, instants: npt.NDArray[np.int64] | None, codes: Codes, prices: Floats) -> CoreEvents:
        """Let prices pass, each at an instant of its own, or all at one; events have places of `instants`.

        Codes are of instruments, then of assets; what the policy does not know moves nothing.
        """
        instruments = len(self._names)
        if codes.size and self._assets and int(codes.max()) >= instruments:
            is_asset = codes >= instruments
            place = self._place_of_asset[np.where(is_asset, codes - instruments, 0)]
            codes = np.where(is_asset, instruments + place, codes).astype(np.uint32)
            known = ~is_asset | (place >= 0)
            if not known.all():
                codes, prices = codes[known], prices[known]
                instants = None if instants is None else instants[known]
        if instants is None:
            starts = np.unique(np.array([0, codes.size], dtype=np.uint64))
            return self.told(self.core.ticks(starts, codes, prices))
        starts = np.arange(codes.size + 1, dtype=np.uint64)
        instant, *rest = self.told(self.core.ticks(starts, codes, prices))
        return (instants[instant], *rest)

    def ask_change(self, rows: npt.NDArray[np.int64], columns: "Columns") -> None:
        """Refuse what an evaluation would refuse once `change` is done."""
        numbers = [columns.get(name) for name in NUMBERS]
        self.core.ask_amend(rows.astype(np.uint32), numbers, self.rows[rows])

    def change(self, rows: npt.NDArray[np.int64], columns: "Columns") -> CoreEvents:
        """Amend rows of the part, by their places in `rows`, with all columns of a record."""
        return self.told(self.core.amend(rows.astype(np.uint32), [columns.get(name) for name in NUMBERS]))

    def ask_open(self, chosen: npt.NDArray[np.bool_], columns: "Columns", held: BalanceTable) -> None:
        """Refuse what an evaluation would refuse once `open` is done."""
        self.core.ask_open(*_to_open(chosen, columns, held), places_of_caller=np.flatnonzero(chosen))

    def open(
        self, first: int, chosen: npt.NDArray[np.bool_], columns: "Columns", held: BalanceTable
    ) -> CoreEvents:
        """Open the chosen rows of a record, whose first one is this row of the book, with these balances."""
        self.rows = np.concatenate((self.rows, first + np.flatnonzero(chosen)))
        return self.told(self.core.open(*_to_open(chosen, columns, held)))

    def replace_tiers(self, engine: Engine, code: int) -> CoreEvents:
        """Have the rules of an instrument be those of another engine."""
        kernels = kernels_of_levels(engine, self.label, self._names, self._assets, self.levels)
        return self.told(self.core.replace_rules(kernels, code, self.rows))

    def told(self, core: CoreEvents) -> CoreEvents:
        """Events of the core by the rows of the book."""
        instant, is_account, place, *rest = core
        place = place.astype(np.int64)
        if place.size:
            place = np.where(
                is_account, place, self.rows[np.where(is_account, 0, place)] if self.rows.size else place
            )
        return (instant.astype(np.int64), is_account, place, *rest)


def _to_open(
    chosen: npt.NDArray[np.bool_], columns: "Columns", held: BalanceTable
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Chosen rows of a record and these balances, as the core takes them."""
    return (
        columns["instrument"][chosen],
        columns["is_cross"][chosen],
        columns["account"][chosen],
        [columns[name][chosen] if name in columns else None for name in NUMBERS],
        columns["wallets"],
        (held[0], held[1], list(held[2])),
    )


def _columns_of(
    book: PositionBook,
    rows: npt.NDArray[np.int64],
    assets: Sequence[str],
    owners: Owners,
    code: int,
    pool: bool,
) -> tuple[Book, Codes, Codes]:
    """Columns of some rows and of the balances of their policy, accounts of the rows and of the balances."""

    def column(values: Floats | None) -> Floats | None:
        return None if values is None else np.ascontiguousarray(values[rows])

    account = np.full(rows.size, NO_ACCOUNT, np.uint32)
    if book.account_codes is not None:
        account = np.ascontiguousarray(book.account_codes[rows])
    held_by, held_in, amounts = _balances_of(book, assets, owners, code)
    balances = None
    if held_by.size:
        balances = BalanceColumns(held_by, held_in, len(assets), None, *amounts)
    has_accounts = bool(book.account_ids)
    handle = Book(
        np.ascontiguousarray(book.instrument_codes[rows]),
        len(book.instrument_names),
        None,
        0,
        np.ascontiguousarray(book.quantity[rows]),
        np.ascontiguousarray(book.entry_price[rows]),
        column(book.isolated_margin),
        column(book.leverage),
        column(book.accrued_funding),
        column(book.risk_limit),
        np.ascontiguousarray(book.is_cross[rows]) if has_accounts else None,
        account if has_accounts else None,
        book.wallet_balance,
        None,
        balances,
        book.position_mode == "hedge",
        pool,
    )
    return handle, account, held_by


def _balances_of(book: PositionBook, assets: Sequence[str], owners: Owners, code: int) -> BalanceTable:
    """Balances of the accounts of one policy."""
    held = book.balance_columns
    if held is None or book.balances is None:
        return NO_BALANCES
    own = np.flatnonzero(owners.policy_of_account[held.account] == code)
    places = np.array([assets.index(name) for name in book.balances.asset_names], dtype=np.uint32)
    given = (held.balance, held.liability, held.interest)
    amounts = [
        np.zeros(own.size) if column is None else np.ascontiguousarray(column[own]) for column in given
    ]
    return held.account[own], places[held.asset[own]], amounts
