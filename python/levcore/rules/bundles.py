"""Reading the bundled instrument tables, ``data/instruments/*.txt``.

They hold market facts in this form, written by ``tools/pack_tiers.py``::

    key = value                                    the header: as_of, source, payoff, unit, tier ...
    [tables]
    0 0.004 125 0; 300000 0.0045 100 150 | 500000  one a line: tiers in the columns of `tier`, the last cap
    [instruments]
    BTCUSDT USDT 1                                 name, settlement currency, line of [tables] from 1

Numbers stay the decimal text of the source. ``-`` for the cap says that there is none. Where the venue
publishes leverages and a rule instead of rates, the header has ``rate = half-of-initial-at-max-leverage``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

from levcore.errors import FileFormatError
from levcore.rules.instruments import Instrument, Payoff
from levcore.rules.tiers import UNITS_OF_SHAPE, TierTable, Unit

__all__ = ["Bundle", "read_bundle"]

FOLDER = Path(__file__).with_name("data") / "instruments"
HALF_OF_INITIAL = "half-of-initial-at-max-leverage"


@dataclass(frozen=True)
class Bundle:
    """One bundled table; its tier tables are built when first asked for."""

    header: Mapping[str, str]
    tables: tuple[str, ...]
    entries: Mapping[str, tuple[str, int]]
    _built: dict[int, TierTable] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """Where the facts come from."""
        return self.header["source"]

    @property
    def as_of(self) -> str:
        """Date of the facts."""
        return self.header["as_of"]

    def instrument(self, name: str) -> Instrument | None:
        """Return the instrument of this very name, None where there is none."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        settlement, number = entry
        tiers = self._built.get(number)
        if tiers is None:
            # Two threads may both build it; what they store is equal.
            tiers = self._built[number] = self._tiers(self.tables[number - 1], name)
        payoff = cast(Payoff, self.header["payoff"])
        size, underlying = float(self.header["contract_size"]), _underlying(name, settlement)
        return Instrument(name, payoff, tiers, size, settlement=settlement, underlying=underlying)

    def _tiers(self, line: str, name: str) -> TierTable:
        columns = self.header["tier"].split()
        unit = cast(Unit, self.header["unit"])
        text, _, last = line.partition(" | ")
        rows = [dict(zip(columns, tier.split(), strict=True)) for tier in text.split("; ")]
        cap = None if last == "-" else last
        if self.header.get("rate") == HALF_OF_INITIAL:
            leverages = [(row["floor"], row["max_leverage"]) for row in rows]
            return TierTable.half_of_initial_rate(leverages, unit=unit, cap=cap, instrument=name)
        build = TierTable.flat if unit in UNITS_OF_SHAPE["flat"] else TierTable.marginal
        return build(rows, unit=unit, cap=cap, instrument=name)


def _underlying(name: str, settlement: str) -> str:
    """What the price is of, as the venue names it: ``BTC`` of ``BTCUSDT`` settled in USDT, and of ``BTC``."""
    symbol = name.partition("_")[0]  # without the date of a dated contract
    return symbol.removesuffix(settlement) or symbol


@cache
def read_bundle(name: str) -> Bundle:
    """Bundled table of this name, read once.

    Raises
    ------
    FileFormatError
        Where a name stands twice in the file.
    """
    path = FOLDER / f"{name}.txt"
    header: dict[str, str] = {}
    tables: list[str] = []
    entries: dict[str, tuple[str, int]] = {}
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line in ("[tables]", "[instruments]"):
            section = line
        elif not section:
            key, _, value = line.partition(" = ")
            header[key] = value
        elif section == "[tables]":
            tables.append(line)
        else:
            symbol, settlement, table = line.split(" ")
            if symbol in entries:
                raise FileFormatError(path.name, "must name an instrument once", "", symbol, number)
            entries[symbol] = (settlement, int(table))
    return Bundle(header, tuple(tables), entries)
