"""Reading the archive of venue data, ``data/instruments/NAME-DATE.txt``, one file a venue's product and date.

They hold market facts in this form, written by ``tools/pack_tiers.py``::

    key = value                                    the header, see below
    [tables]
    0 0.004 125 0; 300000 0.0045 100 150 | 500000  one a line: tiers in the columns of `tier`, the last end
    [instruments]
    BTCUSDT USDT 1                                 in the columns of `instrument`

Numbers stay the decimal text of the source; ``-`` is what the source does not hold. In the header ``covers``
says whether the file holds ``all`` that was listed or ``part`` of it, ``notes`` what is cut or unknown,
``shape`` is ``marginal``, ``flat`` or ``unknown``, and a column that is the same for all is given once.

The end of a table is a number; ``-``: there is none; ``500000 cut``: nothing is known above;
``5000 + 1000 0.005 0.005 0.5``: the venue's rule goes on, with tiers of 1,000 and both rates rising by 0.005
until the initial rate is 0.5, with ``cut`` behind it where the venue does not say that it ends there. Of a
table whose shape is unknown the first tier alone is built, in which all shapes agree. Where the venue
publishes leverages and a rule instead of rates, the header has ``rate = half-of-initial-at-max-leverage``;
``max_leverage = 1/initial_rate`` where it does not publish those.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

from levcore.errors import FileFormatError, TierError
from levcore.rules.instruments import Instrument, Payoff
from levcore.rules.symbols import base_of
from levcore.rules.tier_rows import UNITS_OF_SHAPE
from levcore.rules.tiers import Shape, Tier, TierTable, Unit

__all__ = ["FOLDER", "Bundle", "Facts", "bundle_names", "bundle_sums", "parse_bundle", "read_bundle"]

FOLDER = Path(__file__).with_name("data") / "instruments"
SUMS = FOLDER / "SHA256SUMS"
HALF_OF_INITIAL = "half-of-initial-at-max-leverage"
SECTIONS = ("[tables]", "[instruments]")


class Facts(NamedTuple):
    """What an archive says of one contract beside its tiers; None where its source does not hold it."""

    payoff: Payoff
    settlement: str
    contract_size: float | None
    multiplier: float
    tick_size: float | None
    maker: float | None
    taker: float | None
    liquidation_fee: float | None
    has_tiers: bool


class Table(NamedTuple):
    """One tier table as its line gives it: rows, the end of the last tier, and whether it is cut there."""

    rows: list[dict[str, str]]
    end: str
    cut: bool


@dataclass(frozen=True)
class Bundle:
    """One file of the archive; its instruments and tier tables are built when first asked for."""

    name: str
    header: Mapping[str, str]
    tables: tuple[str, ...]
    entries: Mapping[str, tuple[str, ...]]
    _built: dict[int, TierTable] = field(default_factory=dict, repr=False)
    _initial: dict[int, TierTable] = field(default_factory=dict, repr=False)
    _instruments: dict[str, Instrument] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """Where the facts come from."""
        return self.header["source"]

    @property
    def as_of(self) -> str:
        """Date of the facts."""
        return self.header["as_of"]

    @property
    def covers_all(self) -> bool:
        """Whether the file holds all that the venue listed at its date."""
        return self.header["covers"] == "all"

    def cell(self, name: str, column: str) -> str:
        """One value of an instrument, ``-`` where there is none."""
        columns = self.header["instrument"].split()
        if column in columns:
            return self.entries[name][columns.index(column)]
        return self.header.get(column, "-")

    def facts(self, name: str) -> Facts:
        """What is known of an instrument of this file."""

        def number(column: str) -> float | None:
            text = self.cell(name, column)
            return None if text == "-" else float(text)

        size = number("contract_size")
        return Facts(
            cast(Payoff, self.cell(name, "payoff")),
            self.cell(name, "settlement"),
            size,
            number("multiplier") or 1.0,
            number("tick_size"),
            number("maker"),
            number("taker"),
            number("liquidation_fee"),
            self.cell(name, "table") != "-",
        )

    def is_whole(self, name: str) -> bool:
        """Whether the file holds all that an instrument needs: its tiers and its contract size."""
        return self.cell(name, "table") != "-" and self.cell(name, "contract_size") != "-"

    def instrument(self, name: str) -> Instrument | None:
        """Return the instrument of this very name, None where there is none or too little of it."""
        found = self._instruments.get(name)
        if found is None and name in self.entries and self.is_whole(name):
            # Two threads may both build it; what they store is equal.
            found = self._instruments[name] = self._instrument(name)
        return found

    def _instrument(self, name: str) -> Instrument:
        facts, number = self.facts(name), int(self.cell(name, "table"))
        initial = self._initial_tiers(number, name) if "initial_tiers" in self.header else None
        return Instrument(
            name,
            facts.payoff,
            self.tiers(name),
            cast(float, facts.contract_size),
            multiplier=facts.multiplier,
            tick_size=facts.tick_size,
            settlement=facts.settlement,
            underlying=base_of(name, facts.settlement, facts.payoff),
            initial_tiers=initial,
            isolated_only=self.cell(name, "isolated_only") == "yes",
        )

    def tiers(self, name: str) -> TierTable:
        """Tiers of an instrument that has some, whether or not its contract size is known."""
        number = int(self.cell(name, "table"))
        tiers = self._built.get(number)
        if tiers is None:
            # Two threads may both build it; what they store is equal.
            tiers = self._built[number] = self._build(number, name, "rate")
        return tiers

    def limit(self, name: str) -> str:
        """Why there is no answer above the last tier, in words; empty where that is the venue's own end."""
        if self.cell(name, "table") == "-":
            return ""
        table = self._read(int(self.cell(name, "table")))
        unit = self.header["unit"]
        if self.header["shape"] == "unknown" and len(table.rows) > 1:
            first = table.rows[1]["floor"]
            return (
                f"above {float(first):,.15g} ({unit}) there are further tiers, and no source says whether "
                "their rates hold for the whole position or for a part"
            )
        return (
            f"nothing is known above {float(table.end):,.15g} ({unit}): the source is cut"
            if table.cut
            else ""
        )

    def _initial_tiers(self, number: int, name: str) -> TierTable:
        tiers = self._initial.get(number)
        if tiers is None:
            tiers = self._initial[number] = self._build(number, name, "initial_rate")
        return tiers

    def _read(self, number: int) -> Table:
        """Rows of a line, with those that its rule adds."""
        columns = self.header["tier"].split()
        text, _, written = self.tables[number - 1].partition(" | ")
        end, cut = written.removesuffix(" cut"), written.endswith(" cut")
        rows = [dict(zip(columns, tier.split(), strict=True)) for tier in text.split("; ")]
        cap, plus, rule = end.partition(" + ")
        if plus:
            cap = _continue(rows, cap, *map(Fraction, rule.split()))
        return Table(rows, cap, cut)

    def _build(self, number: int, name: str, rate: str) -> TierTable:
        rows, end, _ = self._read(number)
        unit, shape = cast(Unit, self.header["unit"]), self.header["shape"]
        if shape == "unknown":
            rows, end = rows[:1], rows[1]["floor"] if len(rows) > 1 else end
            shape = "flat" if unit in UNITS_OF_SHAPE["flat"] else "marginal"
        cap = None if end == "-" else end
        if self.header.get("rate") == HALF_OF_INITIAL:
            leverages = [(row["floor"], row["max_leverage"]) for row in rows]
            return TierTable.half_of_initial_rate(leverages, unit=unit, cap=cap, instrument=name)
        by_initial = self.header.get("max_leverage") == "1/initial_rate"
        tiers = [
            Tier(
                row["floor"],
                row[rate],
                row.get("deduction") if rate == "rate" else None,
                1 / Fraction(row["initial_rate"]) if by_initial else row.get("max_leverage"),
            )
            for row in rows
        ]
        return TierTable.of_shape(cast(Shape, shape), tiers, unit=unit, cap=cap, instrument=name)


def _continue(
    rows: list[dict[str, str]], cap: str, size: Fraction, rate: Fraction, initial: Fraction, last: Fraction
) -> str:
    """Add the tiers of a venue's rule to `rows`; the end of the last one."""
    end = Fraction(cap)
    while Fraction(rows[-1]["initial_rate"]) + initial <= last:
        below = rows[-1]
        row = {
            "floor": _decimal(end),
            "rate": _decimal(Fraction(below["rate"]) + rate),
            "initial_rate": _decimal(Fraction(below["initial_rate"]) + initial),
        }
        if "max_leverage" in below:
            # The venue cuts its leverages to two decimals.
            row["max_leverage"] = _decimal(Fraction(int(100 / Fraction(row["initial_rate"])), 100))
        rows.append(row)
        end += size
    return _decimal(end)


def _decimal(value: Fraction) -> str:
    """Sum of decimals as the decimal it is."""
    return format(value.numerator / value.denominator, ".15g")


@cache
def bundle_names() -> tuple[str, ...]:
    """Names of the archive's files, ``binance-usdm-2024-10-24``, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))


@cache
def read_bundle(name: str) -> Bundle:
    """File of the archive of this name, read and checked once.

    Raises
    ------
    FileFormatError
        Where it is not the file that was written (its SHA-256 is another), or breaks the form.
    """
    path = FOLDER / f"{name}.txt"
    content = path.read_bytes()
    expected, found = bundle_sums().get(path.name, "no sum"), hashlib.sha256(content).hexdigest()
    if found != expected:
        raise FileFormatError(str(path), "must be the file that tools/pack_tiers.py wrote", expected, found)
    return parse_bundle(name, content.decode("utf-8"))


@cache
def bundle_sums() -> dict[str, str]:
    """SHA-256 of each file by its name, in the form of ``sha256sum``."""
    pairs = (line.split("  ") for line in SUMS.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in pairs}


def parse_bundle(name: str, text: str) -> Bundle:
    """File of the archive from its text.

    Raises
    ------
    FileFormatError
        Where a line is not of the form, a table is missing, or an instrument stands twice.
    """
    header: dict[str, str] = {}
    tables: list[str] = []
    entries: dict[str, tuple[str, ...]] = {}
    section, width = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line in SECTIONS:
            section, width = line, len(header["instrument"].split())
        elif not section:
            key, _, value = line.partition(" = ")
            header[key] = value
        elif section == "[tables]":
            tables.append(line)
        else:
            cells = tuple(line.split(" "))
            if len(cells) != width or cells[0] in entries:
                rule = "must be an instrument, once, with a value a column"
                raise FileFormatError(f"{name}.txt", rule, header["instrument"], line, number)
            entries[cells[0]] = cells
    bundle = Bundle(name, header, tuple(tables), entries)
    for each in entries:
        table = bundle.cell(each, "table")
        if table != "-" and not 1 <= int(table) <= len(tables):
            raise TierError(each, None, "must be a table of its file", f"1 to {len(tables)}", table, "table")
    return bundle
