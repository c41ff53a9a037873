"""Instruments: payoff, contract size and tier table of what can be held, and the tables that carry them.

A bundled table is a small text file, read when first needed; an instrument of it is built when asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from levcore.arguments import is_word, number_in, of_kind, rows_of
from levcore.errors import InputError, UnknownInstrumentError
from levcore.rules.symbols import in_other_quotes, keys_of, names_its_quote, plain_symbol, symbol_key
from levcore.rules.tiers import Number, TierTable

if TYPE_CHECKING:
    from levcore.rules.archive import Archive
    from levcore.rules.bundles import Facts

__all__ = ["Instrument", "InstrumentTable", "Payoff", "plain_symbol", "said_of"]

Payoff: TypeAlias = Literal["linear", "inverse", "quanto"]


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
    DTypeError, InputError
        Where a value is of another kind or out of its range.
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
        if not isinstance(self.name, str) or not self.name:
            raise InputError("instrument", "must have a name", "a non-empty text", repr(self.name))
        of_kind("tiers", self.tiers, TierTable)
        for field in ("short_tiers", "initial_tiers"):
            if getattr(self, field) is not None:
                of_kind(field, getattr(self, field), TierTable)
        for field in ("settlement", "underlying"):
            of_kind(field, getattr(self, field), str)
        if not is_word(self.payoff, get_args(Payoff)):
            raise InputError("payoff", "must be known", " or ".join(get_args(Payoff)), repr(self.payoff))
        for field in ("contract_size", "multiplier", "tick_size"):
            value = getattr(self, field)
            if value is None and field == "tick_size":
                continue
            number_in(field, value, 0, math.inf, "must be positive and finite", "> 0")
        if self.payoff != "quanto" and self.multiplier != 1:
            raise InputError("multiplier", "belongs to quanto contracts", "1", repr(self.multiplier))
        rule = "must be a fraction of value; 0.01 % is 0.0001"
        number_in("funding_rate", self.funding_rate, -1, 1, rule, "in (-1, 1)")


class InstrumentTable(Mapping[str, Instrument]):
    """Instruments by name: a bundled table, the caller's own, or a bundled one with the caller's on top.

    Immutable, hashable, comparable, cheap to pickle. Look-ups take an instrument's very name and, where none
    has it, another spelling of one contract: ``"BTCUSDT"``, ``"BTC/USDT:USDT"``, ``"BTC-USDT-SWAP"``,
    ``"btc_usdt"``. A spelling that two instruments share is refused. A contract in another currency is never
    taken by itself: `with_stand_ins` says which one is.

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

    __slots__ = ("_as_of", "_bundle", "_keys", "_own", "_source", "_stand_ins")

    def __init__(self, instruments: Iterable[Instrument] = (), *, source: str = "", as_of: str = "") -> None:
        self._bundle = ""
        self._stand_ins: dict[str, str] = {}
        self._keys: dict[str, tuple[str, ...]] | None = None
        self._own: dict[str, Instrument] = {}
        self._source = source
        self._as_of = as_of
        for instrument in rows_of("instruments", instruments):
            of_kind("instruments", instrument, Instrument)
            if instrument.name in self._own:
                raise InputError("instruments", "two have one name", "distinct names", repr(instrument.name))
            self._own[instrument.name] = instrument

    @classmethod
    def bundled(cls, name: str) -> InstrumentTable:
        """Table of the bundled archive, read when an instrument is first asked for.

        Parameters
        ----------
        name : str
            A file of it (``"binance-usdm-2024-10-24"``), or a series (``"bybit-linear"``, or from a date on
            ``"bybit-linear>=2024-12-25"``): of each contract the newest table; several of these with spaces
            between. `levcore.rules.archive` has the rule.
        """
        table = cls()
        table._bundle = name
        return table

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, Number | None]], *, source: str = "", as_of: str = ""
    ) -> InstrumentTable:
        """Table of mappings, one a tier, with the columns of `levcore.files.instruments`.

        Raises
        ------
        InputError, TierError
            Where a row breaks a rule, with the row.
        """
        from levcore.rules.instrument_rows import instruments_from_rows

        return cls(instruments_from_rows(rows), source=source, as_of=as_of)

    def with_instruments(
        self, instruments: Mapping[str, Instrument] | Iterable[Instrument]
    ) -> InstrumentTable:
        """Return a new table with `instruments` added; they replace those of the same contract.

        A contract is known by its name in any spelling: one that the bundled table spells otherwise and has
        with the same payoff is taken under its name there, so that no position is left on the old tiers.

        Raises
        ------
        InputError
            Where two of them have one name, or a mapping's key is not its instrument's name.
        """
        if isinstance(instruments, Mapping):
            for name, instrument in instruments.items():
                of_kind("instruments", instrument, Instrument)
                if name != instrument.name:
                    raise InputError(
                        "instruments", "a key must be its instrument's name", instrument.name, str(name)
                    )
            instruments = instruments.values()
        added = InstrumentTable(instruments)._own
        own = self._own | {each.name: each for each in self._spelled_as_bundled(added)}
        return _restore(self._bundle, own.values(), self._source, self._as_of, self._stand_ins)

    def _spelled_as_bundled(self, added: Mapping[str, Instrument]) -> Iterator[Instrument]:
        for name, instrument in added.items():
            bundled = self.resolve(name) if self._bundle and name not in self._stand_ins else None
            if bundled in (None, name) or bundled in added or bundled in self._own:
                yield instrument
            elif self[name].payoff == instrument.payoff:
                yield replace(instrument, name=bundled)
            else:
                yield instrument

    def with_stand_ins(self, symbols: Iterable[str]) -> InstrumentTable:
        """Return a new table in which symbols that it lacks stand for its contracts on the same base.

        These are linear ones, for symbols that name a quote currency of their own: ``"BTCUSDT"`` at a venue
        that settles in USDC alone is then its ``"BTC"``, and money of such a position is in that currency.
        `stand_ins` says what was taken, `told` in words.

        Examples
        --------
        >>> import levcore as lc
        >>> table = lc.policy("hyperliquid").instruments
        >>> "BTCUSDT" in table, dict(table.with_stand_ins(["BTCUSDT", "NOSUCHUSDT"]).stand_ins)
        (False, {'BTCUSDT': 'BTC'})
        """
        found = {
            symbol: self.stand_in(symbol)
            for symbol in symbols
            if symbol not in self and names_its_quote(symbol)
        }
        taken = {
            symbol: name
            for symbol, name in found.items()
            if name is not None and self[name].payoff == "linear"
        }
        if not taken:
            return self
        own = self._own.values()
        return _restore(self._bundle, own, self._source, self._as_of, {**self._stand_ins, **taken})

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """Name of the contract that stands for a symbol of another currency, by symbol."""
        return MappingProxyType(self._stand_ins)

    def stand_in(self, symbol: str) -> str | None:
        """Name of the contract on the same base as `symbol` in the nearest other currency; None: none."""
        found = (self.resolve(each) for each in in_other_quotes(symbol))
        return next((name for name in found if name is not None), None)

    def told(self, symbol: str) -> str:
        """What a symbol was taken for, in words; empty where it is the very name of a contract of one unit.

        Examples
        --------
        >>> import levcore as lc
        >>> lc.policy("hyperliquid").instruments.with_stand_ins(["BTCUSDT"]).told("BTCUSDT")
        'BTCUSDT is BTC here, settled in USDC'
        """
        return said_of(self[symbol], symbol)

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
        spelling = self.resolve(name)
        return spelling is not None and spelling not in self._own

    def at(self, as_of: str) -> InstrumentTable:
        """Return the bundled table of the same series at another date, with the caller's own on top.

        Raises
        ------
        InputError
            Where no file of the series has that date.
        """
        from levcore.rules.archive import dates_of

        found = {date: name for series in self.series for date, name in dates_of(series).items()}
        names = [dates_of(series)[as_of] for series in self.series if as_of in dates_of(series)]
        if not names:
            raise InputError("tables", "are not bundled for that date", ", ".join(sorted(found)), repr(as_of))
        own = self._own.values()
        return _restore(" ".join(names), own, self._source, self._as_of, self._stand_ins)

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the archive's series that it is of; empty where all is the caller's."""
        from levcore.rules.archive import series_of

        return (
            tuple(dict.fromkeys(series_of(each.name) for each in self._file.bundles)) if self._bundle else ()
        )

    @property
    def gaps(self) -> tuple[str, ...]:
        """Contracts that the archive names without tiers or without contract size, and so no instruments."""
        return tuple(self._file.gaps) if self._bundle else ()

    def facts(self, name: str) -> Facts | None:
        """What the archive says of a contract beside its tiers, its fees among it; None: it is not there."""
        if not self._bundle:
            return None
        return self._file.facts(self.resolve(name) or name)

    def date_of(self, name: str) -> str:
        """Date of one instrument's facts; that of the table for the caller's own."""
        spelling = self.resolve(name)
        if spelling is None or spelling in self._own:
            return self._as_of
        return self._file.entries[spelling].as_of

    def source_of(self, name: str) -> str:
        """Where one instrument's facts come from; the table's source for the caller's own."""
        spelling = self.resolve(name)
        if spelling is None or spelling in self._own:
            return self._source
        return self._file.entries[spelling].source

    def limit(self, name: str) -> str:
        """Why nothing is known above an instrument's last tier; empty where the venue ends there."""
        spelling = self.resolve(name)
        if spelling is None or spelling in self._own:
            return ""
        return self._file.entries[spelling].limit(spelling)

    def resolve(self, name: str) -> str | None:
        """Name of the instrument that `name` is a spelling of; None where there is none, or two."""
        if not isinstance(name, str):
            return None
        if self._has(name):
            return name
        plain = plain_symbol(name)
        if plain != name and self._has(plain):
            return plain
        found = self._by_key().get(symbol_key(name), ())
        return found[0] if len(found) == 1 else self._stand_ins.get(name)

    def settlement_of(self, name: str) -> str:
        """Settlement currency of an instrument; empty where it is not known, nor the instrument."""
        spelling = self.resolve(name)
        found = None if spelling is None else self._find(spelling)
        return "" if found is None else found.settlement

    def _has(self, name: str) -> bool:
        """Whether an instrument has this very name."""
        return name in self._own or (bool(self._bundle) and name in self._file.entries)

    @property
    def _file(self) -> Archive:
        from levcore.rules.archive import archive_of

        return archive_of(self._bundle)

    def _find(self, name: str) -> Instrument | None:
        own = self._own.get(name)
        if own is not None or not self._bundle:
            return own
        return self._file.instrument(name)

    def _by_key(self) -> dict[str, tuple[str, ...]]:
        """Names by what all spellings of them have in common."""
        if self._keys is None:
            keys: dict[str, tuple[str, ...]] = {}
            for name in self:
                if name in self._own:
                    settlement, payoff = self._own[name].settlement, self._own[name].payoff
                else:
                    facts = self._file.entries[name].facts(name)
                    settlement, payoff = facts.settlement, facts.payoff
                for key in keys_of(name, settlement, payoff):
                    keys[key] = (*keys.get(key, ()), name)
            # Two threads may both build it; what they store is equal.
            self._keys = keys
        return self._keys

    def __contains__(self, name: object) -> bool:
        """Whether the table holds `name`, in any spelling."""
        return isinstance(name, str) and self.resolve(name) is not None

    def __getitem__(self, name: str) -> Instrument:
        """Return the instrument; `UnknownInstrumentError` says what there is instead."""
        spelling = self.resolve(name)
        found = None if spelling is None else self._find(spelling)
        if found is None:
            raise UnknownInstrumentError("instrument", "is not in the table", self.missing(name), repr(name))
        return found

    def missing(self, name: str) -> str:
        """Say of a name that the table lacks what is known of it, when it was listed, and what is near.

        Returns
        -------
        str
            One clause; the remedy where the table is empty.
        """
        from difflib import get_close_matches

        names = list(self)
        shared = self._by_key().get(symbol_key(name), ())
        if len(shared) > 1:
            return f"one of {', '.join(shared)}, which are all spelled so"
        known = self._known_elsewhere(name) if self._bundle else ""
        if not names:
            none = "the caller's instruments (policy.with_instruments); this table is empty"
            none += ", since this policy bundles none"
            return f"{none}: {known}" if known else none
        close = get_close_matches(symbol_key(name).partition(":")[0], self._by_key(), n=5, cutoff=0.6)
        near = dict.fromkeys(each for key in close for each in self._by_key()[key])
        said = f"one of {len(names)} instruments" + (f", such as {', '.join([*near][:3])}" if near else "")
        other = self.stand_in(name)
        if other is not None and self[other].settlement:
            said += f"; with_stand_ins takes {other}, on the same base, settled in {self[other].settlement}"
        return f"{said}; {known}" if known else said

    def _known_elsewhere(self, name: str) -> str:
        """What the archive knows of a name beside the table's instruments, in any spelling."""
        plain = plain_symbol(name)
        direct = self._file.missing(name) or self._file.missing(plain)
        if direct:
            return direct
        key = symbol_key(name).partition(":")[0]
        others = (each for each in sorted(self._file.all_names()) if symbol_key(each) == key)
        return next((text for text in map(self._file.missing, others) if text), "")

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
        if self._stand_ins != other._stand_ins:
            return False
        if self._bundle == other._bundle and self._own == other._own:
            return True
        return len(self) == len(other) and all(other._find(name) == self._find(name) for name in self)

    def __hash__(self) -> int:
        """Hash of the names, which equal tables share."""
        return hash(frozenset(self))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the name of a bundled table, not its contents."""
        return _restore, (
            self._bundle,
            tuple(self._own.values()),
            self._source,
            self._as_of,
            self._stand_ins,
        )

    def __repr__(self) -> str:
        """Return the number, the date and the source."""
        return f"<InstrumentTable: {len(self)} instruments, as of {self.as_of or 'unknown'}, {self.source}>"


def said_of(instrument: Instrument, symbol: str) -> str:
    """What `symbol` was taken for: name, currency and size of the contract, as far as it does not say so."""
    parts = []
    if instrument.name != symbol:
        parts.append(f"{symbol} is {instrument.name} here")
    if instrument.settlement and not symbol_key(symbol).partition(":")[0].endswith(instrument.settlement):
        parts.append(f"settled in {instrument.settlement}")
    if instrument.contract_size != 1:
        unit = "quote currency" if instrument.payoff == "inverse" else "base currency"
        parts.append(f"a contract is {instrument.contract_size:g} of the {unit}")
    return ", ".join(parts)


def _restore(
    bundle: str, own: Iterable[Instrument], source: str, as_of: str, stand_ins: Mapping[str, str]
) -> InstrumentTable:
    table = InstrumentTable(own, source=source, as_of=as_of)
    table._bundle = bundle
    table._stand_ins = dict(stand_ins)
    return table
