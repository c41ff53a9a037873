"""Which contract of a policy a symbol means, and how many of them a size is."""

from dataclasses import dataclass

from levcore.errors import UnknownInstrumentError
from levcore.rules.instruments import Instrument, said_of
from levcore.rules.policy import MarginPolicy

__all__ = ["Contract", "contract_of"]


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
    # A plan is one of money, which it converts: a contract of any payoff may stand for the symbol.
    name = table.resolve(symbol) or table.stand_in(symbol)
    if name is None:
        raise UnknownInstrumentError("symbol", "is not in the table", table.missing(symbol), repr(symbol))
    told = said_of(table[name], symbol)
    return Contract(table[name], told, table.date_of(name), table.limit(name))
