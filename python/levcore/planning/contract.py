"""Which contract of a policy a symbol means, and how many of them a size is."""

from dataclasses import dataclass

from levcore.errors import UnknownInstrumentError
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy import MarginPolicy
from levcore.rules.symbols import base_of, symbol_key

__all__ = ["Contract", "contract_of"]

QUOTES = ("USDT", "USDC", "USD", "")
"""Quotes that are taken for another where a venue lists a base in one of them only, the nearest first."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of a policy that stands for the symbol asked for.

    Parameters
    ----------
    instrument : Instrument
    told : str
        What it was mapped to, where that is not the very symbol: its name, currency, size, date of its table.
    as_of : str
        Date of its tier table; empty for the caller's own.
    limit : str
        Why nothing is known above its last tier; empty where the venue's own table ends there.
    """

    instrument: Instrument
    told: str
    as_of: str
    limit: str

    def contracts(self, size: float, price: float) -> float:
        """Contracts of `size` base units at `price`; an inverse contract counts quote currency."""
        value = size * price if self.instrument.payoff == "inverse" else size
        return value / self.instrument.contract_size

    def base_units(self, contracts: float, price: float) -> float:
        """Base units of so many contracts at `price`."""
        value = contracts * self.instrument.contract_size
        return value / price if self.instrument.payoff == "inverse" else value


def contract_of(policy: MarginPolicy, symbol: str) -> Contract:
    """Contract of `policy` that `symbol` means, in any spelling, or settled in the venue's currency.

    Raises
    ------
    UnknownInstrumentError
        Where it lists none on the same base.
    """
    table = policy.instruments
    name = table.resolve(symbol) or _in_another_quote(table, symbol)
    if name is None:
        raise UnknownInstrumentError("symbol", "is not in the table", table.missing(symbol), repr(symbol))
    instrument = table[name]
    return Contract(instrument, _told(instrument, symbol), table.date_of(name), table.limit(name))


def _in_another_quote(table: InstrumentTable, symbol: str) -> str | None:
    base = base_of(symbol_key(symbol).partition(":")[0], "", "linear")
    found = (table.resolve(base + quote) for quote in QUOTES)
    return next((name for name in found if name is not None), None)


def _told(instrument: Instrument, symbol: str) -> str:
    parts = []
    if instrument.name != symbol:
        parts.append(f"{symbol} is {instrument.name} here")
    if instrument.settlement and not symbol_key(symbol).partition(":")[0].endswith(instrument.settlement):
        parts.append(f"settled in {instrument.settlement}")
    if instrument.contract_size != 1:
        unit = "quote currency" if instrument.payoff == "inverse" else "base currency"
        parts.append(f"a contract is {instrument.contract_size:g} of the {unit}")
    return ", ".join(parts)
