"""Whose reply it is, and of which day: told from the names of its fields, before anything is read."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from levcore.errors import FileFormatError
from levcore.venues.json import refuse_errors

__all__ = ["refuse_others", "reply_date"]

# Fields, without underscores and in lower case, that no venue further down in the list has together.
SIGNATURES = (
    ("ccxt", {"contracts", "side", "symbol"}),
    ("ccxt", {"info", "side", "symbol", "entryprice"}),
    ("hyperliquid", {"szi", "coin"}),
    ("okx", {"instid", "insttype"}),
    ("okx", {"instid", "pos"}),
    ("binance", {"positionamt", "symbol"}),
    ("Bitget", {"holdside"}),
    ("MEXC", {"holdvol"}),
    ("KuCoin", {"currentqty", "posmaint"}),
    ("BitMEX", {"currentqty"}),
    ("Deribit", {"instrumentname", "direction"}),
    ("Gate", {"contract", "size"}),
    ("Phemex", {"side", "size", "avgentrypricerp"}),
    ("Phemex", {"side", "size", "assignedposbalanceev"}),
    ("Kraken", {"side", "size", "filltime"}),
    ("dYdX", {"market", "side", "size"}),
    ("bybit", {"symbol", "side", "size"}),
)
LISTS = ("positions", "result", "list", "data", "dataList", "assetPositions", "openPositions")
WRAPPERS = ("data", "position")
TIMES = ("updateTime", "updatedTime", "updatedAt", "uTime", "timestamp", "time")
MILLISECONDS = re.compile(r"[0-9]{13}(\.0*)?")
DAY = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")
DEPTH = 4


def refuse_others(data: Any, source: str, file: str) -> None:
    """Refuse an answer that is an error, and positions of another venue than `source`.

    Raises
    ------
    FileFormatError
        Naming the error, or whose reply it looks like.
    """
    refuse_errors(data, file)
    for row in _rows(data, DEPTH):
        fields = {name.replace("_", "").lower() for name in row if isinstance(name, str)}
        venue = next((name for name, needed in SIGNATURES if needed <= fields), None)
        if venue is not None and venue != source:
            raise FileFormatError(file, "is another venue's reply", f"one of {source}", f"one of {venue}")


def reply_date(data: Any) -> str:
    """Day of the newest time that the reply holds, ``"2022-11-24"``; empty where it holds none."""
    days = [_day(data)] if isinstance(data, Mapping) else []
    days += [_day(row) for row in _rows(data, DEPTH)]
    return max(days, default="")


def _day(fields: Mapping[Any, Any]) -> str:
    plain = {name.replace("_", "").lower(): value for name, value in fields.items() if isinstance(name, str)}
    days = [""]
    for name in TIMES:
        text = str(plain.get(name.lower(), ""))
        if MILLISECONDS.fullmatch(text):
            days.append(datetime.fromtimestamp(int(text[:10]), UTC).strftime("%Y-%m-%d"))
        elif DAY.match(text):
            days.append(text[:10])
    return max(days)


def _rows(data: Any, depth: int) -> Iterator[Mapping[Any, Any]]:
    """Objects that may be positions, out of what venues wrap them in."""
    if not depth:
        return
    if isinstance(data, (list, tuple)):
        for each in data:
            if isinstance(each, Mapping):
                inner = next((each[name] for name in WRAPPERS if isinstance(each.get(name), Mapping)), None)
                yield each if inner is None else inner
    elif isinstance(data, Mapping):
        yield data
        for name in LISTS:
            if isinstance(data.get(name), (list, tuple, Mapping)):
                yield from _rows(data[name], depth - 1)
