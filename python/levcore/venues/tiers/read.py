"""Tier tables as venues, ccxt and freqtrade publish them.

Every loader takes the parsed reply and returns `TierTable` by symbol, with its unit stated: what a venue
calls "notional" may be contracts or coins. A missing deduction is derived, a given one must continue the tier
below, or the table is refused (`levcore.errors.TierError`). What a reply does not hold is left to the caller:

=================== ============================ ==========================================================
source              unit of the bounds           not in the reply
=================== ============================ ==========================================================
Binance USDⓈ-M      quote currency               contract size (1), tick
Binance COIN-M      coin                         contract size, tick
Bybit               quote (linear), coin         tick; the contract size is 1
                    (inverse)
OKX                 contracts                    contract size and tick: ``public/instruments``
MEXC                contracts                    whether a rate holds for the whole position
Gate                quote                        contract size; before 2025-07-29 also which limit was chosen
Hyperliquid         quote                        rates: half of the initial rate
ccxt                the venue's                  the unit itself, and deductions of most venues
freqtrade           quote                        date of the file
=================== ============================ ==========================================================
"""

from collections.abc import Mapping
from os import PathLike
from typing import Any, TypeVar

from levcore.errors import FileFormatError, InputError
from levcore.rules.instruments import Instrument
from levcore.rules.tiers import TierTable, Unit
from levcore.venues.json import read_json, refuse_errors
from levcore.venues.tiers.binance import tiers_from_binance
from levcore.venues.tiers.bybit import tiers_from_bybit
from levcore.venues.tiers.ccxt import tiers_from_ccxt, tiers_from_freqtrade
from levcore.venues.tiers.gate import tiers_from_gate
from levcore.venues.tiers.hyperliquid import tiers_from_hyperliquid
from levcore.venues.tiers.mexc import instruments_from_mexc
from levcore.venues.tiers.okx import instruments_from_okx, tiers_from_okx

__all__ = [
    "instruments_from_mexc",
    "instruments_from_okx",
    "instruments_of_mexc",
    "read_tiers_file",
    "tiers_from_binance",
    "tiers_from_bybit",
    "tiers_from_ccxt",
    "tiers_from_freqtrade",
    "tiers_from_gate",
    "tiers_from_hyperliquid",
    "tiers_from_okx",
]


_Table = TypeVar("_Table", TierTable, Instrument)


def read_tiers_file(
    path: str | PathLike[str], source: str, *, unit: Unit | None = None
) -> Mapping[str, TierTable]:
    """Tier tables of a file, by symbol.

    Parameters
    ----------
    path : path
        The venue's reply as JSON.
    source : {"binance", "bybit", "ccxt", "freqtrade", "gate", "hyperliquid", "mexc", "okx"}
    unit : {"quote", "base", "contracts", "risk_limit"}, optional
        Unit of the bounds, which ccxt does not tell; needed for it.

    Raises
    ------
    FileFormatError, TierError
        Where the file is not that, or a table breaks a rule of tables.
    InputError
        For an unknown source, or ccxt's without a unit.
    """
    file = str(path)
    if source == "mexc":
        return {name: each.tiers for name, each in instruments_of_mexc(path).items()}
    data = _reply(path)
    if source == "ccxt":
        if unit is None:
            raise InputError(
                "unit", "must be stated: ccxt does not tell", "quote, base or contracts", "nothing"
            )
        return _some(tiers_from_ccxt(data, unit=unit, file=file), file)
    loaders: dict[str, Any] = {
        "binance": tiers_from_binance,
        "bybit": tiers_from_bybit,
        "freqtrade": tiers_from_freqtrade,
        "gate": tiers_from_gate,
        "hyperliquid": tiers_from_hyperliquid,
        "okx": tiers_from_okx,
    }
    if source not in loaders:
        raise InputError(
            "source", "must be known", ", ".join(sorted([*loaders, "ccxt", "mexc"])), repr(source)
        )
    tables: dict[str, TierTable] = loaders[source](data, file=file)
    return _some(tables, file)


def instruments_of_mexc(path: str | PathLike[str]) -> dict[str, Instrument]:
    """Instruments of a file that holds MEXC's reply, by symbol; errors are those of `read_tiers_file`."""
    return _some(instruments_from_mexc(_reply(path), file=str(path)), str(path))


def _reply(path: str | PathLike[str]) -> Any:
    data = read_json(path)
    refuse_errors(data, str(path))
    return data


def _some(tables: dict[str, _Table], file: str) -> dict[str, _Table]:
    """Tables of a file, of which there must be some: nothing would be the table of no contract."""
    if not tables:
        raise FileFormatError(file, "holds no tiers", "the tiers of a contract at least", "none")
    return tables
