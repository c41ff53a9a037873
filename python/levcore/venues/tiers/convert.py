"""From a venue's or ccxt's tier tables to instruments, and to the CSV file that ``--instruments`` reads."""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from os import PathLike
from typing import cast

from levcore.errors import InputError
from levcore.rules.archive import series_names
from levcore.rules.bundles import Facts
from levcore.rules.instruments import Instrument, InstrumentTable, Payoff
from levcore.rules.symbols import base_of
from levcore.rules.tiers import TierTable, Unit
from levcore.venues.tiers.read import instruments_of_mexc, read_tiers_file

__all__ = ["converted", "instruments_csv"]

COLUMNS = (
    *("instrument", "payoff", "contract_size", "multiplier", "tick_size", "settlement", "underlying"),
    *("funding_rate", "isolated_only"),
    *("table", "tier", "floor", "cap", "rate", "deduction", "max_leverage", "unit", "shape", "slope"),
)
# Replies whose bounds are values and whose contracts are one unit of base currency, or one of quote.
CONTRACTS_OF_ONE = ("binance", "bybit", "freqtrade", "hyperliquid")
SERIES_OF_SOURCE: dict[str, tuple[str, ...]] = {
    "gate": ("gate-usdt",),
    "okx": ("okx-linear-swap", "okx-inverse-swap"),
}


def converted(
    path: str | PathLike[str],
    source: str,
    *,
    unit: Unit | None = None,
    payoff: Payoff | None = None,
    contract_size: float | None = None,
) -> dict[str, Instrument]:
    """Instruments of a venue's reply.

    Parameters
    ----------
    path, source, unit
        As `levcore.venues.tiers.read.read_tiers_file` takes them.
    payoff, contract_size
        Of every contract, where the reply does not say; by default what the archive knows of the contract.

    Returns
    -------
    dict of str to Instrument

    Raises
    ------
    InputError
        Where neither the reply, the archive nor the caller says a payoff or a contract size.
    FileFormatError, TierError
        Where the file is not that, or a table breaks a rule of tables.
    """
    if source == "mexc":
        return instruments_of_mexc(path)
    tables = read_tiers_file(path, source, unit=unit)
    known = InstrumentTable.bundled(
        " ".join(each for each in SERIES_OF_SOURCE.get(source, ()) if each in series_names())
    )
    return {
        name: _instrument(name, each, source, known, payoff, contract_size) for name, each in tables.items()
    }


def _instrument(
    name: str,
    tiers: TierTable,
    source: str,
    known: InstrumentTable,
    payoff: Payoff | None,
    contract_size: float | None,
) -> Instrument:
    facts = _facts(name, known)
    chosen = payoff or (facts.payoff if facts else _payoff(tiers))
    size = contract_size if contract_size is not None else (facts.contract_size if facts else None)
    if size is None and source in CONTRACTS_OF_ONE:
        size = 1.0
    if size is None:
        rule = f"of {name} is neither in the reply nor in the archive"
        raise InputError("contract_size", rule, "--contract-size SIZE, or a list of the contracts", "nothing")
    if chosen is None:
        raise InputError("payoff", f"of {name} is not in the reply", "--payoff linear or inverse", "nothing")
    settlement = facts.settlement if facts else ""
    return Instrument(
        name,
        chosen,
        tiers,
        size,
        tick_size=facts.tick_size if facts else None,
        settlement=settlement,
        underlying=base_of(name, settlement, chosen) if settlement else "",
    )


def _facts(name: str, known: InstrumentTable) -> Facts | None:
    """What the archive knows of a contract; OKX names the tables of swaps by their family."""
    return (known.facts(name) or known.facts(f"{name}-SWAP")) if known.series else None


def _payoff(tiers: TierTable) -> Payoff | None:
    """Payoff that the unit of a marginal table implies: value in quote currency, or in coin."""
    return cast("Payoff | None", {"quote": "linear", "base": "inverse"}.get(tiers.unit))


def instruments_csv(instruments: Iterable[Instrument]) -> Iterator[str]:
    """Lines of the file that `levcore.files.instruments` reads, without line ends."""
    yield ",".join(COLUMNS)
    for instrument in instruments:
        tables = (
            ("", instrument.tiers),
            ("short", instrument.short_tiers),
            ("initial", instrument.initial_tiers),
        )
        for what, tiers in tables:
            if tiers is not None:
                yield from _lines(instrument, what, tiers)


def _lines(instrument: Instrument, what: str, tiers: TierTable) -> Iterator[str]:
    for place in range(len(tiers)):
        last = place + 1 == len(tiers)
        cap = tiers.cap if last else tiers.floors[place + 1]
        cells = (
            instrument.name,
            instrument.payoff,
            _text(instrument.contract_size),
            _text(instrument.multiplier),
            "" if instrument.tick_size is None else _text(instrument.tick_size),
            instrument.settlement,
            instrument.underlying,
            _text(instrument.funding_rate) if instrument.funding_rate else "",
            "yes" if instrument.isolated_only else "",
            what,
            str(place + 1),
            _text(tiers.floors[place]),
            "" if cap == math.inf else _text(cap),
            _text(tiers.rates[place]),
            _text(tiers.deductions[place]) if tiers.shape == "marginal" else "",
            _text(tiers.max_leverage[place]) if tiers.max_leverage else "",
            tiers.unit,
            tiers.shape,
            _text(tiers.slope) if tiers.shape == "growing" else "",
        )
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(cells)
        yield line.getvalue()


def _text(value: float) -> str:
    """Shortest text that reads as the same number."""
    return repr(float(value)).removesuffix(".0")
