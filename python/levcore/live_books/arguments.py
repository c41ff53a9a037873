"""Arguments of a live book at its door: who is meant, and columns of their numbers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats, float_column, label_sequence
from levcore.book.coded_labels import CodedLabels
from levcore.book.labels import NO_ACCOUNT
from levcore.book.positions import PositionBook
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.files.records import Record
from levcore.rules.tiers import TierTable

if TYPE_CHECKING:
    from levcore.engine.engine import Engine
    from levcore.rules.policy import MarginPolicy

__all__ = [
    "NUMBERS",
    "Opened",
    "Owners",
    "amended",
    "checked_accounts",
    "checked_times",
    "instrument_codes",
    "opened",
    "tick_prices",
    "tiers_of",
]

NUMBERS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")
"""Columns of positions that may change, in the order of the kernel."""
NOWHERE = -1
"""Currency of an account that settles in none that is known."""


class Opened(NamedTuple):
    """Positions to open, and what comes with them."""

    is_cross: npt.NDArray[np.bool_]
    account: Codes
    numbers: list[Floats | None]
    ids: list[Any]
    wallets: Floats


class Owners:
    """Which rows are cross, whose they are, and what each account settles in."""

    __slots__ = ("_currency", "_label", "_mode", "_settles", "account", "ids", "is_cross", "places")

    def __init__(self, book: PositionBook, policy: "MarginPolicy") -> None:
        self.ids = list(book.account_ids)
        self.places = {label: place for place, label in enumerate(self.ids)}
        self.is_cross = book.is_cross
        codes = book.account_codes
        self.account = np.full(len(book), NO_ACCOUNT, dtype=np.uint32) if codes is None else codes
        self._mode, self._label = book.position_mode, book.policy_names[0] if book.policy_names else None
        listed = policy.instruments
        settles = [listed[name].settlement if name in listed else "" for name in book.instrument_names]
        places = {currency: place for place, currency in enumerate(sorted({*settles} - {""}))}
        self._settles = np.array([places.get(currency, NOWHERE) for currency in settles], dtype=np.int64)
        self._currency = np.full(len(self.ids), NOWHERE, dtype=np.int64)
        self._settle(self._currency, book.is_cross, self.account, book.instrument_codes)

    def take(self, new: Opened, instruments: Codes) -> None:
        """Take positions that have been opened."""
        self.ids += new.ids
        self.places |= {label: len(self.places) + place for place, label in enumerate(new.ids)}
        self.is_cross = np.concatenate((self.is_cross, new.is_cross))
        self.account = np.concatenate((self.account, new.account))
        self._currency = self._currencies_with(new, instruments)

    def refuse_second_currency(self, new: Opened, instruments: Codes) -> None:
        """Refuse legs by which an account would settle in two currencies: it would have two wallets."""
        currency = self._currencies_with(new, instruments)
        own = self._settles[instruments]
        bad = np.flatnonzero(new.is_cross & (own != NOWHERE))
        bad = bad[currency[new.account[bad]] != own[bad]]
        if bad.size:
            row = int(bad[0])
            label = (self.ids + new.ids)[int(new.account[row])]
            rule = "must settle in the currency of their account's other positions"
            expected = "an account of its own for each currency, as engine.by_wallet(book) makes them"
            raise InputError("instrument", rule, expected, f"account {label!r}", row, int(bad.size))

    def book(
        self, instruments: Codes, names: tuple[str, ...], numbers: dict[str, Floats | None], wallets: Floats
    ) -> PositionBook:
        """Book of positions as they stand."""
        nobody = len(self.ids)
        codes = np.where(self.is_cross, self.account, np.uint32(nobody)).astype(np.uint32)
        return PositionBook(
            instrument=instruments,
            instrument_names=names,
            account=CodedLabels(codes, [*self.ids, ""]) if self.is_cross.any() else None,
            margin_mode=np.where(self.is_cross, "cross", "isolated"),
            accounts=self.ids or None,
            wallet_balance=wallets if self.ids else None,
            **self.words_of_book(),
            **numbers,  # type: ignore[arg-type]
        )

    def nobody(self, names: tuple[str, ...]) -> PositionBook:
        """Book of these instruments without positions: what rules are bound to."""
        nothing = np.empty(0)
        return PositionBook(
            instrument=np.empty(0, dtype=np.uint32),
            quantity=nothing,
            entry_price=nothing,
            instrument_names=names,
            **self.words_of_book(),
        )

    def words_of_book(self) -> dict[str, Any]:
        """What of it every book of its positions is built with."""
        return {"position_mode": self._mode, "policy": self._label}

    def words(self) -> dict[str, Any]:
        """What of it is no column."""
        return {"position_mode": self._mode, "label": self._label}

    @staticmethod
    def book_of(record: Record, numbers: tuple[str, ...]) -> PositionBook:
        """Book of a snapshot."""
        words, columns = record
        owners = object.__new__(Owners)
        owners.ids, owners.is_cross, owners.account = words["ids"], columns["is_cross"], columns["account"]
        owners._mode, owners._label = words["position_mode"], words["label"]
        held = {name: columns.get(name) for name in numbers}
        return owners.book(columns["instrument"], tuple(words["instrument_names"]), held, columns["wallets"])

    def _currencies_with(self, new: Opened, instruments: Codes) -> npt.NDArray[np.int64]:
        currency = np.concatenate((self._currency, np.full(len(new.ids), NOWHERE, dtype=np.int64)))
        fresh = currency == NOWHERE
        found = currency.copy()
        self._settle(found, new.is_cross, new.account, instruments)
        currency[fresh] = found[fresh]
        return currency

    def _settle(
        self, currency: npt.NDArray[np.int64], is_cross: npt.NDArray[np.bool_], account: Codes, of: Codes
    ) -> None:
        """Write the currency of each account by the first of these rows that has one."""
        rows = np.flatnonzero(is_cross & (self._settles[of] != NOWHERE))[::-1]
        currency[account[rows]] = self._settles[of[rows]]


def tick_prices(prices: npt.ArrayLike) -> Floats:
    """Prices of ticks.

    Raises
    ------
    InputError
        For a number that is no price.
    """
    price = float_column("prices", prices, None, [])
    bad = np.flatnonzero(~((price > 0) & np.isfinite(price)))
    if bad.size:
        row = int(bad[0])
        raise InputError("prices", "must be prices", "positive numbers", repr(float(price[row])), row)
    return price


def tiers_of(fields: Mapping[str, Any]) -> TierTable:
    """Tier table of its fields, also where JSON has made lists of its columns."""
    columns: dict[str, Any] = {
        name: tuple(field) if isinstance(field, list) else field for name, field in fields.items()
    }
    return TierTable(**columns)


def instrument_codes(instruments: Any, names: tuple[str, ...], count: int) -> Codes:
    """Places of instruments among the book's names.

    Raises
    ------
    InputError, ShapeError
        For an instrument that is none of them, and for another number of them than `count`.
    """
    given = np.asarray(instruments)
    if given.dtype.kind in "US" or given.dtype == object:
        places = {name: place for place, name in enumerate(names)}
        codes = np.array([places.get(name, -1) for name in given.reshape(-1).tolist()], dtype=np.int64)
    else:
        codes = given.astype(np.int64)
    if given.shape != (count,):
        raise ShapeError("instruments", "must have one a price", str((count,)), str(given.shape))
    bad = np.flatnonzero((codes < 0) | (codes >= len(names)))
    if bad.size:
        row = int(bad[0])
        raise InputError(
            "instruments", "must be some of the book", ", ".join(names[:8]), repr(given[row]), row
        )
    return codes.astype(np.uint32)


def checked_times(times: npt.ArrayLike | None, count: int) -> npt.NDArray[Any] | None:
    """Times of ticks, whatever they are.

    Raises
    ------
    ShapeError
        For another number of them than there are ticks.
    """
    if times is None:
        return None
    given = np.asarray(times)
    if given.shape != (count,):
        raise ShapeError("times", "must have one a price", str((count,)), str(given.shape))
    return given


def amended(rows: npt.ArrayLike, columns: dict[str, Any], count: int) -> tuple[Codes, list[Floats | None]]:
    """Rows to amend and their numbers, in the order of `NUMBERS`.

    Raises
    ------
    InputError, DTypeError, ShapeError
        For rows that are none, columns that are none, and columns of another length.
    """
    unknown = [name for name in columns if name not in NUMBERS]
    if unknown or not columns:
        raise InputError("columns", "must be columns that may change", ", ".join(NUMBERS), ", ".join(unknown))
    places = np.atleast_1d(np.asarray(rows))
    if places.dtype.kind not in "iu" and places.size:
        raise DTypeError("rows", "must be rows", "integers", str(places.dtype))
    bad = np.flatnonzero((places < 0) | (places >= count))
    if bad.size:
        at = int(bad[0])
        raise InputError("rows", "must be rows of the book", f"0 to {count - 1}", repr(int(places[at])), at)
    numbers = [
        float_column(name, columns[name], places.size, []) if name in columns else None for name in NUMBERS
    ]
    return places.astype(np.uint32), numbers


def checked_accounts(
    accounts: Sequence[Any], amounts: npt.ArrayLike, argument: str, owners: Owners
) -> tuple[Codes, Floats]:
    """Places of accounts, and an amount of each.

    Raises
    ------
    InputError, DTypeError, ShapeError
        For an account that the book lacks, and another number of amounts.
    """
    labels = list(label_sequence("accounts", accounts))
    places = [owners.places.get(label, -1) for label in labels]
    if -1 in places:
        row = places.index(-1)
        raise InputError("accounts", "must be accounts of the book", "their ids", repr(labels[row]), row)
    return np.array(places, dtype=np.uint32), float_column(argument, amounts, len(labels), [])


def opened(
    instruments: Codes,
    names: tuple[str, ...],
    given: dict[str, Any],
    wallet_balance: Mapping[Any, float] | None,
    owners: Owners,
    engine: "Engine",
) -> Opened:
    """Positions to open, read as a book of their own.

    Raises
    ------
    InputError
        For a wallet of an account that there is already, an account that would settle in two currencies, and
        what the policy does not allow.
    UnknownRuleError
        For positions that need a rule which no source states.
    """
    book = PositionBook(
        instruments, instrument_names=names, wallet_balance=wallet_balance, **given, **owners.words_of_book()
    )
    engine.bind(book)
    wallets = book.wallet_balance
    known = [label for label in wallet_balance or () if label in owners.places]
    if known:
        raise InputError(
            "wallet_balance", "must be of new accounts", "live.set_wallets for the others", repr(known[0])
        )
    ids = [label for label in book.account_ids if label not in owners.places]
    place_of = {label: len(owners.ids) + place for place, label in enumerate(ids)} | {
        label: owners.places[label] for label in book.account_ids if label in owners.places
    }
    account = np.full(len(book), NO_ACCOUNT, dtype=np.uint32)
    if book.account_codes is not None:
        of_code = np.array([place_of[label] for label in book.account_ids], dtype=np.uint32)
        account[book.is_cross] = of_code[book.account_codes[book.is_cross]]
    of_new = np.array([label not in owners.places for label in book.account_ids], dtype=np.bool_)
    numbers = [getattr(book, name) for name in NUMBERS]
    new = Opened(book.is_cross, account, numbers, ids, wallets[of_new])
    owners.refuse_second_currency(new, instruments)
    return new
