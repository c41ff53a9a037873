"""Changes with the codes of a book, as the core takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Book, BookPolicies
from levcore.book.arrays import Codes, Floats, factorize, real_number
from levcore.book.marks import Marks, mark_prices
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.book.wallets import idle_wallets
from levcore.changes.changes import NONE, UNKNOWN, Changes
from levcore.changes.members import members_of
from levcore.changes.opened import Opened, check_opened
from levcore.changes.status import ChangeKind
from levcore.engine.compiled import pools_every_account
from levcore.engine.engine import Compiled, Engine
from levcore.errors import DTypeError, InputError
from levcore.rules.instruments import Instrument

if TYPE_CHECKING:
    from levcore.rules.policy import MarginPolicy

__all__ = ["ChangeColumns", "Names", "change_columns", "extended_marks", "kernels", "names_of"]


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
    asset_count: int
    has_leverage: bool
    pool_all: bool


@dataclass(frozen=True, slots=True)
class Names:
    """Names that the codes of a what-if point to: those of the book, then what the changes add.

    `instruments` are those of the book and new ones; codes from their number on are the `tables`, each
    standing for the instrument of its name. `assets` are those of the balances and of the policies.
    """

    instruments: tuple[str, ...]
    tables: tuple[Instrument, ...]
    assets: tuple[str, ...]

    @property
    def base_of(self) -> Codes:
        """Code of the instrument whose table each code stands for."""
        place = {name: code for code, name in enumerate(self.instruments)}
        bases = [place[table.name] for table in self.tables]
        return np.array([*range(len(self.instruments)), *bases], dtype=np.uint32)


def names_of(
    book: PositionBook,
    changes: Changes,
    tables: Sequence[Instrument],
    policies: Sequence["MarginPolicy"],
    more: Sequence[str] = (),
) -> Names:
    """Names of a book, of its changes, and more that are named beside them."""
    for place, table in enumerate(tables):
        if not isinstance(table, Instrument):
            raise DTypeError("tables", "must hold instruments", "Instrument", type(table).__name__, place)
    _refuse_other_contracts(tables, policies)
    added = [*(table.name for table in tables), *more]
    if changes.instrument is not None:
        added += [str(label) for label in changes.instrument[1] if label != ""]
    instruments = tuple(dict.fromkeys((*book.instrument_names, *added)))
    assets: tuple[str, ...] = ()
    if book.balances is not None:
        of_policies = (name for policy in policies for name in policy.assets)
        assets = tuple(dict.fromkeys((*book.balances.asset_names, *of_policies)))
    return Names(instruments, tuple(tables), assets)


def _refuse_other_contracts(tables: Sequence[Instrument], policies: Sequence["MarginPolicy"]) -> None:
    """A table takes the place of that of a contract, whose value it does not change."""
    for place, table in enumerate(tables):
        for policy in policies:
            own = policy.instruments.get(table.name)
            if own is not None:
                expected, found = (
                    f"{each.payoff}, contract_size={each.contract_size}, multiplier={each.multiplier}"
                    for each in (own, table)
                )
                if found != expected:
                    rule = f"must be of the contract {table.name} of {policy.id}"
                    raise InputError("tables", rule, expected, found, place)


def extended_marks(book: PositionBook, names: Names, marks: Marks) -> Floats:
    """Marks of all instruments of a what-if; NaN for new ones where `marks` is no mapping."""
    prices = mark_prices(book, marks)
    added = names.instruments[len(book.instrument_names) :]
    if added or names.tables:
        of_added = np.full((*prices.shape[:-1], len(added)), np.nan)
        if isinstance(marks, Mapping):
            of_added = _marks_of(added, marks, book.policy_names if prices.ndim == 2 else ())
        prices = np.concatenate((prices, of_added), axis=-1)
        prices = prices[..., names.base_of]
    return np.ascontiguousarray(prices)


def _marks_of(names: Sequence[str], marks: Mapping[str, Any], labels: Sequence[str]) -> Floats:
    """Marks of instruments that a book does not hold: one each, or one under every policy."""
    if not labels:
        return np.array([real_number("marks", marks.get(name)) for name in names], dtype=np.float64)
    of_policies = [marks.get(label) for label in labels]
    named = [prices if isinstance(prices, Mapping) else {} for prices in of_policies]
    rows = [[real_number("marks", prices.get(name)) for name in names] for prices in named]
    return np.array(rows, dtype=np.float64).reshape(len(labels), len(names))


def kernels(engine: Engine, book: PositionBook, names: Names) -> BookPolicies:
    """Policies with the places of all instruments and assets of a what-if."""
    bound = engine.bind(book)
    if not names.tables and not names.assets and names.instruments == book.instrument_names:
        return bound.kernel
    parts = []
    for label in labels_of_book(book, tuple(engine.policies)):
        compiled = engine.compiled(label)
        codes = [compiled.place(name) for name in names.instruments]
        if names.tables:
            renamed = [replace(table, name=f"{table.name} table {k}") for k, table in enumerate(names.tables)]
            known = [table.name in compiled.policy.instruments for table in names.tables]
            compiled = Compiled.of(compiled.policy.with_instruments(renamed))
            codes = [compiled.place(name) for name in names.instruments]
            codes += [
                compiled.place(table.name) if is_known else -1
                for table, is_known in zip(renamed, known, strict=True)
            ]
        places = compiled.rules.places_of_assets
        parts.append((compiled.kernel, codes, [places.get(name, -1) for name in names.assets]))
    return BookPolicies(parts)


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


def settlement_codes(names: Names, policies: Sequence["MarginPolicy"]) -> Codes:
    """Settlement currencies as codes, shape (policies, instruments and tables); 0: not known."""
    places = {"": 0}
    rows = []
    for policy in policies:
        table = policy.instruments
        of_names = [table[name].settlement if name in table else "" for name in names.instruments]
        settlements = [*of_names, *(instrument.settlement for instrument in names.tables)]
        rows.append([places.setdefault(currency, len(places)) for currency in settlements])
    return np.array(rows, dtype=np.uint32).reshape(len(policies), -1)


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
