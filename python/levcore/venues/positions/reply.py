"""Positions as venues and ccxt return them: inputs of an evaluation, and the venue's own numbers beside them.

A reader a source (a file of this folder) turns a reply into a `Reply`. It takes size, entry, mark, mode,
margin and leverage as inputs and keeps every number the venue computed as `Reported`. It computes nothing:
what a reply does not say is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import import_module
from typing import Any, Literal, TypeAlias

from levcore.arguments import is_word
from levcore.errors import FileFormatError, InputError
from levcore.rules.instruments import Payoff
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
]

MarginMode: TypeAlias = Literal["isolated", "cross"]
SOURCES = ("binance", "bybit", "ccxt", "hyperliquid", "okx")


@dataclass(frozen=True, slots=True)
class Reported:
    """A number that the venue computed.

    Parameters
    ----------
    field : str
        Name in the reply.
    reading : str
        What it is here, of `levcore.reconciliation.evaluation.READINGS`; empty where nothing corresponds.
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
    notes : tuple of str
        What has to be said of the reply as a whole.
    """

    positions: tuple[VenuePosition, ...]
    accounts: Mapping[str, AccountReply] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    wallet_field: str = "the wallet balance of the account"
    borrowed: tuple[BorrowedPosition, ...] = ()
    flat: int = 0
    dated: str = ""
    notes: tuple[str, ...] = ()

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
    if not is_word(source, SOURCES):
        raise InputError("source", "must be known", ", ".join(SOURCES), repr(source))
    reader: Callable[[Any, str], Any] | None = getattr(
        import_module(f"levcore.venues.positions.{source}"), name, None
    )
    if reader is None:
        raise InputError("account", f"has no reader for {source}", "wallet_balance", "a file")
    return reader
