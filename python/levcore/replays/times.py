"""Times as callers give them: numbers, datetimes with and without a zone, texts."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_number
from levcore.book.labelled import values_of
from levcore.errors import InputError

__all__ = ["Times", "times_of"]

Times = npt.NDArray[Any]
EXPECTED = "numbers, datetimes or texts like 2022-05-09T14:30"
YEAR = 4


def times_of(argument: str, values: Any) -> Times:
    """Times as an ordered array: numbers as they are, texts and datetimes in milliseconds.

    A datetime or text with a zone is turned into UTC, one without stands for UTC.

    Raises
    ------
    InputError
        For what is no time, a text that is a number (of which it cannot be told what it counts), and a time
        between two milliseconds.
    """
    given = np.asarray(values_of(values))
    if given.ndim == 1 and given.dtype.kind in "OUS":
        given = _array_of(argument, given.tolist())
    if given.ndim != 1 or given.dtype.kind not in "iufM":
        raise InputError(argument, "must hold times", "one a row", f"{given.dtype} of shape {given.shape}")
    bad = np.flatnonzero(np.isnat(given) if given.dtype.kind == "M" else ~np.isfinite(given))
    if bad.size:
        row = int(bad[0])
        raise InputError(argument, "must hold times", "a time", str(given[row]), row)
    if given.dtype.kind != "M":
        return given
    whole = given.astype("datetime64[ms]")
    between = np.flatnonzero(whole != given)
    if between.size:
        row = int(between[0])
        expected = "datetimes in whole milliseconds, or numbers of seconds"
        raise InputError(argument, "must hold times", expected, str(given[row]), row)
    return whole


def _array_of(argument: str, values: list[Any]) -> Times:
    """Numbers as numbers, everything else as datetimes."""
    if values and is_number(values[0]):
        for row, value in enumerate(values):
            if not is_number(value):
                raise InputError(argument, "must hold times", "a number, as in row 0", repr(value), row)
        return np.array(values)
    times = np.empty(len(values), dtype="datetime64[us]")
    for row, value in enumerate(values):
        try:
            times[row] = _datetime_of(value)
        except (ValueError, OverflowError):
            raise InputError(argument, "must hold times", EXPECTED, repr(value), row) from None
    return times


def _datetime_of(value: Any) -> np.datetime64:
    """A datetime or text in UTC.

    Raises
    ------
    ValueError
    """
    if isinstance(value, np.datetime64):
        return value
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= YEAR or text[YEAR] != "-":
            raise ValueError(text)
        value = datetime.fromisoformat(text)
    if not isinstance(value, date) or value != value:  # pandas' NaT is a datetime
        raise ValueError(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")
