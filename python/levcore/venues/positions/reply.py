"""Positions as venues and ccxt return them: inputs of an evaluation, and the venue's own numbers beside them.

A reader a source (a file of this folder) turns a reply into a `Reply`. It takes size, entry, mark, mode,
margin and leverage as inputs and keeps every number the venue computed as `Reported`. It computes nothing:
what a reply does not say is None.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import import_module
from typing import Any, Literal, TypeAlias

from levcore.errors import FileFormatError, InputError
from levcore.rules.instruments import Payoff
from levcore.venues.json import Record, shown
from levcore.venues.positions.recognise import refuse_others, reply_date
from levcore.venues.printed_number import PrintedNumber

__all__ = [
    "SOURCES",
    "AccountReply",
    "BorrowedPosition",
    "MarginMode",
    "Reply",
    "Reported",
    "VenuePosition",
    "read_account",
    "read_reply",
    "read_rows",
    "reported",
    "size_or_reason",
    "unit_of_entry",
]

MarginMode: TypeAlias = Literal["isolated", "cross"]
_Row: TypeAlias = "VenuePosition | BorrowedPosition | str | None"
TELLING_DIGITS = 4
"""Significant digits from which on a number's own last digit says how exact it is."""
SOURCES = ("binance", "bybit", "ccxt", "hyperliquid", "okx")


@dataclass(frozen=True, slots=True)
class Reported:
    """A number that the venue computed.

    Parameters
    ----------
    field : str
        Name in the reply.
    reading : str
        What it is here, of `levcore.reconciliation.case.READINGS`; empty where nothing corresponds to it.
    printed : PrintedNumber or None
        None where the venue says that there is none, by ``""``, ``null`` or its sentinel.
    note : str
        Why there is no reading, or what the venue's way of saying "none" covers.
    """

    field: str
    reading: str
    printed: PrintedNumber | None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class VenuePosition:
    """One position of a reply.

    Parameters
    ----------
    place : str
        Where it stands in the reply.
    instrument : str
        As the venue names it.
    policy : str
        Name of the bundled policy of its product; empty where the reply does not tell.
    payoff : {"linear", "inverse", "quanto"}
    settlement : str
        Settlement currency.
    quantity : Decimal
        Signed; contracts of `contract_size`.
    contract_size : Decimal or None
        None where the reply does not hold it; 1 where the venue counts in base units.
    entry_price, mark_price : Decimal or None, quote per base
    margin_mode : {"isolated", "cross"}
    isolated_margin : Decimal or None, settlement currency
        Without unrealized PnL.
    margin_without_entry_value : bool
        Whether `isolated_margin` is a raw balance, from which the entry value of the position has been paid.
    leverage : Decimal or None
    max_leverage : Decimal or None
        Highest leverage of the instrument, where the reply holds it.
    units : mapping of str to Decimal
        Unit of the last printed digit of the inputs that are averages or balances.
    other_prices : mapping of str to Decimal
        Further prices of the reply by field: last, index, bankruptcy.
    reported : tuple of Reported
    """

    place: str
    instrument: str
    policy: str
    payoff: Payoff
    settlement: str
    quantity: Decimal
    contract_size: Decimal | None
    entry_price: Decimal | None
    mark_price: Decimal | None
    margin_mode: MarginMode
    isolated_margin: Decimal | None = None
    margin_without_entry_value: bool = False
    leverage: Decimal | None = None
    max_leverage: Decimal | None = None
    units: Mapping[str, Decimal] = field(default_factory=dict)
    other_prices: Mapping[str, Decimal] = field(default_factory=dict)
    reported: tuple[Reported, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BorrowedPosition:
    """An asset held against a debt in another: a margin position of one pair, isolated.

    Parameters
    ----------
    place, instrument, policy : str
        As of `VenuePosition`.
    base, quote : str
        The pair's assets.
    held, owed : str
        Which of them is held and which is owed.
    amount : Decimal
        Of `held`, the margin included.
    liability, interest : Decimal
        Of `owed`, not negative.
    mark_price : Decimal or None, quote per base
    reported : tuple of Reported
        Amounts are in `held`.
    """

    place: str
    instrument: str
    policy: str
    base: str
    quote: str
    held: str
    owed: str
    amount: Decimal
    liability: Decimal
    interest: Decimal
    mark_price: Decimal | None
    reported: tuple[Reported, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountReply:
    """What a reply says of the account, in one settlement currency.

    Parameters
    ----------
    wallet_balance : Decimal or None
        Wallet of the cross positions, without unrealized PnL.
    wallet_without_entry_value : bool
        Whether the wallet is a raw balance, from which the cross positions' entry values have been paid.
    unit : Decimal
        Unit of its last printed digit.
    surplus : Decimal or None
        Equity less maintenance margin in the venue's valuation currency, where it prints both.
    reported : tuple of Reported
        Numbers that the venue computed for the account.
    """

    wallet_balance: Decimal | None = None
    wallet_without_entry_value: bool = False
    unit: Decimal = Decimal(0)
    surplus: Decimal | None = None
    reported: tuple[Reported, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A venue's reply, read.

    Parameters
    ----------
    positions : tuple of VenuePosition
        Those with a size, in the order of the reply.
    accounts : mapping of str to AccountReply
        By settlement currency; empty where the reply holds positions alone.
    left_out : tuple of str
        Positions that are not read, each with the reason.
    wallet_field : str
        Where the venue keeps the wallet balance that its cross positions need.
    borrowed : tuple of BorrowedPosition
        Margin positions, which are assets and debts.
    flat : int
        Rows without a size, which are no positions.
    dated : str
        Day of the newest time that the reply holds; empty where it holds none.
    """

    positions: tuple[VenuePosition, ...]
    accounts: Mapping[str, AccountReply] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    wallet_field: str = "the wallet balance of the account"
    borrowed: tuple[BorrowedPosition, ...] = ()
    flat: int = 0
    dated: str = ""

    def with_margin_mode(self, mode: MarginMode) -> "Reply":
        """Return the reply with every position in one margin mode."""
        return replace(self, positions=tuple(replace(each, margin_mode=mode) for each in self.positions))

    def with_accounts(self, accounts: Mapping[str, AccountReply]) -> "Reply":
        """Return the reply with what another one says of the accounts."""
        return replace(self, accounts={**self.accounts, **accounts})


def read_reply(data: Any, source: str, file: str = "reply") -> Reply:
    """Read the positions of a reply.

    Parameters
    ----------
    data : parsed JSON
        As the venue returned it, or ccxt's ``fetch_positions()``.
    source : {"binance", "bybit", "ccxt", "hyperliquid", "okx"}
    file : str
        Named in errors.

    Raises
    ------
    FileFormatError
        Where it is not such a reply, naming the place; also where it is an error, or looks like a reply of
        another venue.
    InputError
        For an unknown source.
    """
    reader = _reader(source, "read_positions")
    refuse_others(data, source, file)
    reply: Reply = reader(data, file)
    return replace(reply, dated=reply_date(data))


def read_account(data: Any, source: str, file: str = "account") -> Mapping[str, AccountReply]:
    """Read a venue's reply about the account: wallet balances by settlement currency.

    Raises
    ------
    FileFormatError, InputError
        As `read_reply`; also for a source without such a reply.
    """
    reader = _reader(source, "read_account")
    refuse_others(data, source, file)
    accounts: Mapping[str, AccountReply] = reader(data, file)
    if not accounts:
        raise FileFormatError(file, "must hold a wallet balance", "the reply about the account", "none")
    return accounts


def _reader(source: str, name: str) -> Callable[[Any, str], Any]:
    if source not in SOURCES:
        raise InputError("source", "must be known", ", ".join(SOURCES), repr(source))
    reader: Callable[[Any, str], Any] | None = getattr(
        import_module(f"levcore.venues.positions.{source}"), name, None
    )
    if reader is None:
        raise InputError("account", f"has no reader for {source}", "wallet_balance", "a file")
    return reader


def reported(
    record: Record, readings: Mapping[str, str], none: tuple[str, ...] = (), *, drops_zeros: bool = False
) -> tuple[Reported, ...]:
    """Numbers of a record that the venue computed.

    Parameters
    ----------
    record : Record
    readings : mapping of str to str
        Field to reading; fields that the record lacks, or holds empty, are not reported.
    none : tuple of str
        Fields by which the venue says that there is no such number, empty or 0.
    drops_zeros : bool
        Whether the venue prints ``0.001`` for ``0.00100000``: an amount of few digits then has as many
        decimals as the one with the most.
    """
    found: list[Reported] = []
    for given, reading in readings.items():
        name = record.key(given)
        if name is None or any(each.field == name for each in found):
            continue
        if record.is_no_number(name):
            found.append(
                Reported(name, "", None, f"the venue prints {record.text(name)}, which is no number")
            )
            continue
        printed = record.printed(name)
        if given in none and (printed is None or printed.value <= 0):
            found.append(Reported(name, reading, None))
        elif printed is not None:
            found.append(Reported(name, reading, printed))
    return _with_common_unit(found) if drops_zeros else tuple(found)


def read_rows(
    rows: Iterable[Record], read: Callable[[Record], _Row], name: tuple[str, ...]
) -> tuple[tuple[Any, ...], tuple[str, ...], int]:
    """Positions of rows, what was left out and why, and how many rows were flat.

    Parameters
    ----------
    rows : iterable of Record
    read : callable
        Makes a position of a row, the reason why it cannot, or None of a row without a size.
    name : tuple of str
        Fields that may hold the instrument's name.
    """
    positions: list[Any] = []
    left_out = []
    flat = 0
    for row in rows:
        found = read(row)
        if found is None:
            flat += 1
        elif isinstance(found, str):
            left_out.append(f"{row.place} {row.text(*name)}: {found}")
        else:
            positions.append(found)
    return tuple(positions), tuple(left_out), flat


def size_or_reason(row: Record, name: str) -> Decimal | str:
    """Size of a row, or why it is not known: a venue that prints none does not say that it is 0.

    Raises
    ------
    FileFormatError
        Where the row has no such field, or no number in it.
    """
    if name not in row:
        raise row.error(
            name, "must be given", "a number", "fields " + ", ".join(map(shown, [*row.fields][:8]))
        )
    size = row.number(name)
    if size is None:
        return f"{row.key(name)} is {row.text(name) or 'empty'}, so that its size is not known"
    return size


def unit_of_entry(entry: PrintedNumber, *prices: PrintedNumber | None) -> Decimal:
    """Unit of an average price: its own last digit, or where its zeros were dropped that of another price."""
    if "." in entry.text and entry.text.endswith("0"):
        return entry.unit
    return min([entry.unit, *(each.unit for each in prices if each is not None)])


def _with_common_unit(numbers: list[Reported]) -> tuple[Reported, ...]:
    """Short amounts with the unit of the one with the most decimals; prices and ratios keep their own."""
    units = [each.printed.unit for each in numbers if each.printed is not None and _is_amount(each.reading)]
    unit = min(units, default=Decimal(1))
    return tuple(
        replace(each, printed=replace(each.printed, unit=unit))
        if each.printed is not None and _is_amount(each.reading) and _is_short(each.printed)
        else each
        for each in numbers
    )


def _is_short(number: PrintedNumber) -> bool:
    return len(number.value.normalize().as_tuple().digits) < TELLING_DIGITS


def _is_amount(reading: str) -> bool:
    return reading != "" and not reading.endswith(("price", "ratio")) and "return" not in reading
