"""Instruments: payoff, contract size and tier table of what can be held, and the tables that carry them.

A bundled table is a small text file, read when first needed; an instrument of it is built when asked for.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from levcore.errors import InputError, UnknownInstrumentError
from levcore.rules.tiers import Number, TierTable

if TYPE_CHECKING:
    from levcore.rules.bundles import Bundle

__all__ = ["Instrument", "InstrumentTable", "Payoff", "plain_symbol"]

Payoff: TypeAlias = Literal["linear", "inverse", "quanto"]

_UNIFIED_SYMBOL = re.compile(r"([^/:]+)/([^/:]+?)(?::([^/:-]+)(?:-(\d+))?)?")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument.

    Parameters
    ----------
    name : str
        As the positions name it.
    payoff : {"linear", "inverse", "quanto"}
        Whether value is ``quantity * price``, ``quantity / price`` or ``quantity * multiplier * price``.
    tiers : TierTable
        Maintenance tiers.
    contract_size : float, base (linear), quote (inverse) or units (quanto) a contract
        Above 0; 1 where quantities are given in base currency.
    multiplier : float, settlement currency a quote unit
        Above 0; other than 1 for quanto contracts alone.
    tick_size : float or None, quote
        Smallest price step, above 0; None where unknown.
    settlement : str
        Settlement currency; empty where unknown.
    underlying : str
        What its price is of, as assets name it (``"BTC"``); empty where unknown.
    short_tiers : TierTable, optional
        Maintenance tiers of short positions, where they differ from those of long ones.
    initial_tiers : TierTable, optional
        Tiers of the initial margin, for policies that take it from a table and not from the leverage.
    funding_rate : float
        Funding of the next period as a fraction of value, for policies that hold it in the requirement.

    Raises
    ------
    InputError
        Where a value is out of its range.
    """

    name: str
    payoff: Payoff
    tiers: TierTable
    contract_size: float = 1.0
    multiplier: float = 1.0
    tick_size: float | None = None
    settlement: str = ""
    underlying: str = ""
    short_tiers: TierTable | None = None
    initial_tiers: TierTable | None = None
    funding_rate: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.name:
            raise InputError("instrument", "must have a name", "a non-empty text", repr(self.name))
        if self.payoff not in get_args(Payoff):
            raise InputError("payoff", "must be known", " or ".join(get_args(Payoff)), repr(self.payoff))
        for field in ("contract_size", "multiplier", "tick_size"):
            value = getattr(self, field)
            if value is None and field == "tick_size":
                continue
            if not 0 < value < math.inf:
                raise InputError(field, "must be positive and finite", "> 0", repr(value))
        if self.payoff != "quanto" and self.multiplier != 1:
            raise InputError("multiplier", "belongs to quanto contracts", "1", repr(self.multiplier))
        if not -1 < self.funding_rate < 1:
            raise InputError(
                "funding_rate", "must be a fraction of value", "in (-1, 1)", repr(self.funding_rate)
            )


class InstrumentTable(Mapping[str, Instrument]):
    """Instruments by name: a bundled table, the caller's own, or a bundled one with the caller's on top.

    Immutable, hashable, comparable, cheap to pickle. Look-ups take the plain symbol (``"BTCUSDT"``) and,
    where no instrument has that very name, the unified one (``"BTC/USDT:USDT"``, see `plain_symbol`).

    Parameters
    ----------
    instruments : iterable of Instrument
        The caller's own.
    source : str
        Where they come from.
    as_of : str
        Date of the facts, ``YYYY-MM-DD`` or less where less is known.

    Raises
    ------
    InputError
        Where two instruments have one name.
    """

    __slots__ = ("_as_of", "_bundle", "_own", "_source")

    def __init__(self, instruments: Iterable[Instrument] = (), *, source: str = "", as_of: str = "") -> None:
        self._bundle = ""
        self._own: dict[str, Instrument] = {}
        self._source = source
        self._as_of = as_of
        for instrument in instruments:
            if instrument.name in self._own:
                raise InputError("instruments", "two have one name", "distinct names", repr(instrument.name))
            self._own[instrument.name] = instrument

    @classmethod
    def bundled(cls, name: str) -> "InstrumentTable":
        """Table of ``data/instruments/<name>.txt``, read when an instrument is first asked for."""
        table = cls()
        table._bundle = name
        return table

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, Number | None]], *, source: str = "", as_of: str = ""
    ) -> "InstrumentTable":
        """Table of mappings, one a tier, with the columns of `levcore.files.instruments`.

        Raises
        ------
        InputError, TierError
            Where a row breaks a rule, with the row.
        """
        from levcore.rules.instrument_rows import instruments_from_rows

        return cls(instruments_from_rows(rows), source=source, as_of=as_of)

    def with_instruments(
        self, instruments: "Mapping[str, Instrument] | Iterable[Instrument]"
    ) -> "InstrumentTable":
        """Return a new table with `instruments` added; they replace those of the same name.

        Raises
        ------
        InputError
            Where two of them have one name, or a mapping's key is not its instrument's name.
        """
        if isinstance(instruments, Mapping):
            for name, instrument in instruments.items():
                if name != instrument.name:
                    raise InputError(
                        "instruments", "a key must be its instrument's name", instrument.name, name
                    )
            instruments = instruments.values()
        added = InstrumentTable(instruments)
        table = InstrumentTable((self._own | added._own).values(), source=self._source, as_of=self._as_of)
        table._bundle = self._bundle
        return table

    @property
    def source(self) -> str:
        """Where the facts come from."""
        return self._file.source if self._bundle else self._source

    @property
    def as_of(self) -> str:
        """Date of the facts."""
        return self._file.as_of if self._bundle else self._as_of

    def is_bundled(self, name: str) -> bool:
        """Whether the instrument of this name comes from the bundled table, not from the caller."""
        spelling = name if self._find(name) is not None else plain_symbol(name)
        return bool(self._bundle) and spelling not in self._own and spelling in self._file.entries

    @property
    def _file(self) -> "Bundle":
        from levcore.rules.bundles import read_bundle

        return read_bundle(self._bundle)

    def _find(self, name: str) -> Instrument | None:
        own = self._own.get(name)
        if own is not None or not self._bundle:
            return own
        return self._file.instrument(name)

    def __contains__(self, name: object) -> bool:
        """Whether the table holds `name`, in either spelling."""
        if not isinstance(name, str):
            return False
        return any(
            spelling in self._own or (self._bundle != "" and spelling in self._file.entries)
            for spelling in (name, plain_symbol(name))
        )

    def __getitem__(self, name: str) -> Instrument:
        """Return the instrument; `UnknownInstrumentError` names the closest ones there are."""
        found = self._find(name) or self._find(plain_symbol(name))
        if found is None:
            raise UnknownInstrumentError("instrument", "is not in the table", self._known(name), repr(name))
        return found

    def _known(self, name: str) -> str:
        from difflib import get_close_matches

        names = list(self)
        if not names:
            return "the caller's instruments (policy.with_instruments); this table is empty"
        close = get_close_matches(plain_symbol(name), names, n=3, cutoff=0.5)
        return f"one of {len(names)} instruments" + (f", such as {', '.join(close)}" if close else "")

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names: the bundled ones in the order of the file, then the caller's."""
        if not self._bundle:
            return iter(self._own)
        return iter({**self._file.entries, **self._own})

    def __len__(self) -> int:
        """Return the number of instruments."""
        return len(self._own) if not self._bundle else len({**self._file.entries, **self._own})

    def __eq__(self, other: object) -> bool:
        """Whether both hold equal instruments, wherever from."""
        if not isinstance(other, InstrumentTable):
            return NotImplemented
        if self._bundle == other._bundle and self._own == other._own:
            return True
        return len(self) == len(other) and all(other._find(name) == self._find(name) for name in self)

    def __hash__(self) -> int:
        """Hash of the names, which equal tables share."""
        return hash(frozenset(self))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the name of a bundled table, not its contents."""
        return _restore, (self._bundle, tuple(self._own.values()), self._source, self._as_of)

    def __repr__(self) -> str:
        """Return the number, the date and the source."""
        return f"<InstrumentTable: {len(self)} instruments, as of {self.as_of or 'unknown'}, {self.source}>"


def _restore(bundle: str, own: tuple[Instrument, ...], source: str, as_of: str) -> InstrumentTable:
    table = InstrumentTable(own, source=source, as_of=as_of)
    table._bundle = bundle
    return table


def plain_symbol(symbol: str) -> str:
    """Symbol as a venue writes it, of one in the unified ``base/quote:settlement-expiry`` spelling.

    Only contracts settled in their quote currency are translated, since for the others venues differ; every
    other text comes back as it is.

    Examples
    --------
    >>> plain_symbol("BTC/USDC:USDC"), plain_symbol("BTC/USDT:USDT-231229"), plain_symbol("BTC/USD:BTC")
    ('BTCUSDC', 'BTCUSDT_231229', 'BTC/USD:BTC')
    """
    match = _UNIFIED_SYMBOL.fullmatch(symbol)
    if match is None:
        return symbol
    base, quote, settlement, expiry = match.groups()
    if settlement not in (None, quote):
        return symbol
    return base + quote + (f"_{expiry}" if expiry else "")
