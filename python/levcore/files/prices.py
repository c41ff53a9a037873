"""Files of prices and funding rates, as `levcore.replay` takes them."""

from pathlib import Path
from typing import Any

import numpy as np

from levcore._levcore import Table
from levcore.errors import FileFormatError
from levcore.files.tables import read_table

__all__ = ["OF_FUNDING", "read_funding", "read_prices"]

NAMED = 6
PRICES = ("open", "high", "low", "close", "price")
OF_FUNDING = ("funding", "funding_rate", "rate")
"""Columns that are no prices, and that a replay over prices refuses: they would change what it gives."""


def read_prices(path: str | Path) -> dict[str, Any]:
    """Columns of a file of prices: time, instrument if there is one, and its prices.

    Raises
    ------
    FileFormatError
        For a file without times.
    InputError
        polars is not installed.
    OSError
        The file cannot be opened.
    """
    return _columns(path, ("instrument", *PRICES, *OF_FUNDING))


def read_funding(path: str | Path) -> dict[str, Any]:
    """Columns of a file of funding rates: time, instrument if there is one, rate; raises as `read_prices`."""
    return _columns(path, ("instrument", "rate"))


def _columns(path: str | Path, wanted: tuple[str, ...]) -> dict[str, Any]:
    table, content = read_table(path)
    names = list(table.names)
    if "time" not in names:
        raise FileFormatError(str(path), "must have a column of times", "time", ", ".join(names[:NAMED]))
    found: dict[str, Any] = {"time": _times(table)}
    for name in (name for name in wanted if name in names):
        if name == "instrument":
            codes, labels = table.labels(name, True)
            found[name] = [str(labels[code]) for code in codes.tolist()]
        else:
            found[name] = table.numbers(name, content is not None)
    return found


def _times(table: Table) -> Any:
    """Times as numbers where all of them are, else as they stand."""
    values = table.values("time")
    texts = ["" if each is None else str(each) for each in values]
    try:
        return np.array([float(each) for each in texts])
    except ValueError:
        return texts
