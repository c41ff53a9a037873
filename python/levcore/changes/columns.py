"""Changes with the codes of a book, as the core takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Book
from levcore.book.arrays import Codes, Floats, factorize
from levcore.book.positions import PositionBook
from levcore.book.wallets import idle_wallets
from levcore.changes.changes import NONE, UNKNOWN, Changes
from levcore.changes.members import members_of
from levcore.changes.names import Names, isolated_only, settlement_codes
from levcore.changes.opened import Opened, check_opened
from levcore.changes.status import ChangeKind
from levcore.engine.compiled import pools_every_account
from levcore.engine.engine import Engine
from levcore.errors import InputError

if TYPE_CHECKING:
    from levcore.rules.policy import MarginPolicy

__all__ = ["ChangeColumns", "change_columns"]


@dataclass(frozen=True, slots=True)
class ChangeColumns:
    """Changes as codes and numbers, with what the changed books share."""

    kind: npt.NDArray[np.uint8]
    row: Codes
    account: Codes
    instrument: Codes
    policy: Codes
    asset: Codes
    replacement: Codes
    cross: npt.NDArray[np.bool_]
    quantity: Floats
    price: Floats
    fee_rate: Floats
    leverage: Floats
    amount: Floats
    risk_limit: Floats
    order: Codes | None
    starts: Codes | None
    release: str
    base_of: Codes
    settlement: Codes
    isolated_only: npt.NDArray[np.bool_]
    asset_count: int
    has_leverage: bool
    pool_all: bool


def change_columns(
    engine: Engine,
    book: PositionBook,
    changes: Changes,
    names: Names,
    policies: Sequence["MarginPolicy"],
    sequence: bool | npt.ArrayLike,
    release: str,
) -> ChangeColumns:
    """Codes of the changes in a book."""
    engine.bind(book).wallets.refuse_several("changes")
    order, starts = _sequences(sequence, len(changes))
    instruments = {name: code for code, name in enumerate(names.instruments)}
    currencies = settlement_codes(names, policies)
    accounts = _accounts(book, engine.bind(book).handle, changes, currencies, policies)
    named_instruments = _codes(changes.instrument, instruments, len(changes))
    of_changes = _policies(book, changes)
    check_opened(
        engine, book, policies, changes, Opened(accounts, named_instruments, of_changes, names.instruments)
    )
    has_leverage = book.leverage is not None or not np.isnan(changes.leverage).all()
    tables = np.full(len(changes), NONE, dtype=np.uint32)
    named = changes.table != NONE
    first = len(names.instruments)
    tables[named] = np.where(changes.table[named] < len(names.tables), changes.table[named] + first, UNKNOWN)
    return ChangeColumns(
        kind=changes.kind,
        row=changes.row,
        account=accounts,
        instrument=named_instruments,
        policy=of_changes,
        asset=_codes(changes.asset, {name: code for code, name in enumerate(names.assets)}, len(changes)),
        replacement=tables,
        cross=changes.cross,
        quantity=changes.quantity,
        price=changes.price,
        fee_rate=changes.fee_rate,
        leverage=changes.leverage,
        amount=changes.amount,
        risk_limit=changes.risk_limit,
        order=order,
        starts=starts,
        release=release,
        base_of=names.base_of,
        settlement=currencies.ravel(),
        isolated_only=isolated_only(names, policies),
        asset_count=len(names.assets),
        has_leverage=has_leverage,
        pool_all=any(map(pools_every_account, policies)),
    )


def _codes(column: tuple[Codes, list[Any]] | None, places: dict[Any, int], count: int) -> Codes:
    """Codes of a column of names: `NONE` for the empty one, `UNKNOWN` for those that nothing knows."""
    if column is None:
        return np.full(count, NONE, dtype=np.uint32)
    codes, labels = column
    found = [NONE if label == "" else places.get(label, UNKNOWN) for label in labels]
    return np.array(found, dtype=np.uint32)[codes]


def _accounts(
    book: PositionBook,
    handle: Book,
    changes: Changes,
    currencies: Codes,
    policies: Sequence["MarginPolicy"],
) -> Codes:
    places = {label: code for code, label in enumerate(book.account_ids)}
    codes = _codes(changes.account, places, len(changes))
    named = codes != NONE
    payer = members_of(book, handle).payer
    if payer is not None:
        open_rows = (codes == NONE) & (changes.row < len(book)) & (changes.kind != ChangeKind.TRANSFER)
        rows = changes.row[open_rows]
        codes[open_rows] = np.where(book.is_cross[rows], NONE, payer[rows])
        _leave_other_wallets(book, codes, open_rows, rows, currencies)
    idle = idle_wallets(book, policies)
    for change in np.flatnonzero(np.isin(codes, list(idle))).tolist():
        settlement = _settlement_of(book, policies, changes, change)
        if settlement not in ("", idle[int(codes[change])]):
            # A wallet in another currency is none of the position's.
            codes[change] = UNKNOWN if named[change] else NONE
    return codes


def _settlement_of(
    book: PositionBook, policies: Sequence["MarginPolicy"], changes: Changes, change: int
) -> str:
    """Settlement currency of the position that a change concerns; empty where it is not known."""
    row = int(changes.row[change])
    if row < len(book):
        name, code = book.name_of(row), 0 if book.policy_codes is None else int(book.policy_codes[row])
    elif changes.instrument is not None:
        codes, labels = changes.instrument
        name, code = str(labels[int(codes[change])]), int(_policies(book, changes)[change])
    else:
        return ""
    table = policies[code].instruments if code < len(policies) else {}
    return table[name].settlement if name in table else ""


def _leave_other_wallets(
    book: PositionBook,
    codes: Codes,
    filled: npt.NDArray[np.bool_],
    rows: Codes,
    currencies: Codes,
) -> None:
    """Take back the accounts found for isolated rows whose wallets are in another currency."""
    if currencies.max(initial=0) < 2 or book.account_codes is None:
        return

    def settled(of: npt.NDArray[Any]) -> Codes:
        policy = 0 if book.policy_codes is None else book.policy_codes[of]
        found: Codes = currencies[policy, book.instrument_codes[of]]
        return found

    legs = np.flatnonzero(book.is_cross)
    of_legs = settled(legs)
    legs, of_legs = legs[of_legs != 0], of_legs[of_legs != 0]
    # Accounts without legs, and those with balances, take every currency.
    of_account = np.zeros(len(book.account_ids), dtype=np.uint32)
    of_account[book.account_codes[legs]] = of_legs
    if book.balance_columns is not None:
        of_account[book.balance_columns.account] = 0
    found = codes[filled]
    known = found != NONE
    own, theirs = settled(rows[known]), of_account[found[known]]
    found[known] = np.where((own != 0) & (theirs != 0) & (own != theirs), NONE, found[known])
    codes[filled] = found


def _policies(book: PositionBook, changes: Changes) -> Codes:
    if len(book.policy_names) < 2:
        return np.zeros(len(changes), dtype=np.uint32)
    return _codes(changes.policy, {name: code for code, name in enumerate(book.policy_names)}, len(changes))


def _sequences(sequence: bool | npt.ArrayLike, count: int) -> tuple[Codes | None, Codes | None]:
    """Changes in the order of their sequences, and where each sequence starts; none: each is alone."""
    if isinstance(sequence, (bool, np.bool_)):
        if not sequence or count == 0:
            return None, None
        return np.arange(count, dtype=np.uint32), np.array([0, count], dtype=np.uint32)
    codes, labels = factorize("sequence", sequence)
    if codes.size != count:
        raise InputError("sequence", "must have one value a change", str(count), str(codes.size))
    if count == 0:
        return None, None
    order = np.argsort(codes, kind="stable").astype(np.uint32)
    counts = np.bincount(codes, minlength=len(labels))
    return order, np.concatenate(([0], np.cumsum(counts))).astype(np.uint32)
