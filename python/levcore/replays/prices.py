"""Prices to replay: bars or single prices by time and instrument, checked once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats, float_column, label_sequence
from levcore.book.labelled import column_names, values_of
from levcore.errors import InputError, ShapeError
from levcore.files.prices import OF_FUNDING
from levcore.replays.times import Times, times_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PATHS", "Bars", "read_bars", "read_rates", "refuse_silence"]

BAR = ("open", "high", "low", "close")
PATHS: dict[str, tuple[int, ...]] = {"low_first": (0, 2, 1, 3), "high_first": (0, 1, 2, 3), "close": (3,)}
"""Prices of a bar in the order in which they are taken to have followed one another."""
NAMED = 5


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars ordered by time, those of one time by the name of the instrument.

    Attributes
    ----------
    times : ndarray, shape (t,)
        Distinct and ascending.
    starts : ndarray of int64, shape (t + 1,)
        Where the bars of each time start.
    instrument : ndarray of uint32, shape (b,)
        Places in the sorted names of the book's instruments.
    prices : ndarray of float64, shape (b, 4) or (b, 1), quote per base
        Open, high, low, close; or one price.
    """

    times: Times
    starts: npt.NDArray[np.int64]
    instrument: npt.NDArray[np.uint32]
    prices: Floats

    def closes(self, instruments: int) -> Floats:
        """Last price of each instrument at each time, shape (t, instruments); NaN where there is none."""
        closes = np.full((self.times.size, instruments), np.nan)
        of_bar = np.repeat(np.arange(self.times.size), np.diff(self.starts))
        closes[of_bar, self.instrument] = self.prices[:, -1]
        return closes


def read_bars(prices: Any, names: "Sequence[str]", gaps: str) -> Bars:
    """Check a table of prices for the instruments `names`, which are sorted.

    Raises
    ------
    InputError
        For columns that are missing, an instrument without prices, the same time twice, a price that is not
        positive, a high below the others, and a time that is missing unless `gaps` is ``"hold"``.
    """
    known = column_names(prices)
    if known is None or "time" not in known:
        found = type(prices).__name__ if known is None else ", ".join(known[:NAMED])
        raise InputError(
            "prices", "must be a table with times", "time, instrument, open, high, low, close", found
        )
    for name in (name for name in OF_FUNDING if name in known):
        remedy = "funding=, a table of time, instrument, rate"
        raise InputError("prices", "must hold no funding, which is due at times of its own", remedy, name)
    wanted = BAR if set(known) & set(BAR) else ("price",)
    missing = [name for name in wanted if name not in known]
    if missing:
        expected = "open, high, low, close, or price"
        raise InputError("prices", "must have columns of prices", expected, f"no {', '.join(missing)}")
    time = times_of("prices['time']", prices["time"])
    columns = [float_column(f"prices[{name!r}]", values_of(prices[name]), None, []) for name in wanted]
    for name, column in zip(wanted, columns, strict=True):
        if column.shape != time.shape:
            raise ShapeError(f"prices[{name!r}]", "must have one a time", str(time.shape), str(column.shape))
    codes = _codes(prices, known, names, time.size)
    rows = np.flatnonzero(codes >= 0)
    table = np.stack(columns, axis=1)
    _refuse_bad_prices(table, rows, wanted)
    rows = rows[np.lexsort((codes[rows], time[rows]))]
    codes, ordered = codes[rows], time[rows]
    again = np.flatnonzero((codes[1:] == codes[:-1]) & (ordered[1:] == ordered[:-1]))
    if again.size:
        row = int(rows[again[0] + 1])
        raise InputError(
            "prices", "must have each time of an instrument once", "one row", str(time[row]), row
        )
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: ordered.size])
    bars = Bars(ordered[first], np.r_[first, ordered.size], codes.astype(np.uint32), table[rows])
    _refuse_gaps(bars, names, gaps)
    return bars


def _codes(prices: Any, known: list[str], names: "Sequence[str]", count: int) -> npt.NDArray[np.int64]:
    """Place of each row's instrument among the names; -1 of one that the book does not hold."""
    if "instrument" not in known:
        if len(names) != 1:
            expected = "a column instrument, or a book of one instrument"
            raise InputError("prices", "must say whose they are", expected, f"{len(names)} instruments")
        return np.zeros(count, dtype=np.int64)
    labels = label_sequence("prices['instrument']", values_of(prices["instrument"]))
    if len(labels) != count:
        raise ShapeError("prices['instrument']", "must have one a time", str(count), str(len(labels)))
    places = {name: place for place, name in enumerate(names)}
    codes = np.array([places.get(str(label), -1) for label in labels], dtype=np.int64)
    absent = sorted(set(range(len(names))) - set(codes.tolist()))
    if absent:
        raise InputError("prices", "must hold every instrument of the book", names[absent[0]], "no row of it")
    return codes


def _refuse_bad_prices(table: Floats, rows: npt.NDArray[np.int64], wanted: tuple[str, ...]) -> None:
    bad = rows[~((table[rows] > 0) & np.isfinite(table[rows])).all(axis=1)]
    if bad.size:
        row = int(bad[0])
        found = ", ".join(map(repr, table[row].tolist()))
        raise InputError("prices", "must be positive", ", ".join(wanted), found, row)
    if len(wanted) == 1:
        return
    bars = table[rows]
    inside = (bars[:, 1] >= bars.max(axis=1)) & (bars[:, 2] <= bars.min(axis=1))
    bad = rows[~inside]
    if bad.size:
        row = int(bad[0])
        found = ", ".join(map(repr, table[row].tolist()))
        raise InputError("prices", "must lie between low and high", "low <= open, close <= high", found, row)


def _refuse_gaps(bars: Bars, names: "Sequence[str]", gaps: str) -> None:
    """Refuse an instrument whose bars do not follow one another at the distance that most do."""
    of_bar = np.repeat(np.arange(bars.times.size), np.diff(bars.starts))
    for code, name in enumerate(names):
        own = bars.times[of_bar[bars.instrument == code]]
        if own.size and own[0] != bars.times[0]:
            expected = f"{name} from {bars.times[0]} on"
            raise InputError("prices", "must begin with a price of every instrument", expected, str(own[0]))
        if gaps == "hold" or own.size < 3:
            continue
        distances = np.diff(own)
        usual = _usual(distances)
        odd = np.flatnonzero(np.abs(distances - usual) > _round_off(own))
        if odd.size:
            place = int(odd[0])
            expected = f"one every {usual}, or gaps='hold' where nothing was traded"
            raise InputError(
                "prices", "must be without gaps", expected, f"{name}: {own[place]} to {own[place + 1]}"
            )


def _usual(distances: Times) -> Any:
    """The distance that most have; of floats, which round, the one in the middle."""
    if distances.dtype.kind == "f":
        return np.median(distances)
    kinds, counts = np.unique(distances, return_counts=True)
    return kinds[counts.argmax()]


def _round_off(times: Times) -> Any:
    """By how much distances of times may differ that were meant to be one."""
    if times.dtype.kind == "f":
        return 4.0 * np.spacing(np.abs(times).max())
    return np.zeros(1, dtype=np.diff(times[:2]).dtype)[0]


def refuse_silence(bars: Bars, names: "Sequence[str]", until: "Mapping[int, int]") -> None:
    """Refuse an instrument without a price at a time at which another one has one.

    `until` are the places of the times at which instruments end, before which they have prices.

    Raises
    ------
    InputError
    """
    of_bar = np.repeat(np.arange(bars.times.size), np.diff(bars.starts))
    for code, name in enumerate(names):
        own = of_bar[bars.instrument == code]
        due = until.get(code, bars.times.size)
        held = np.flatnonzero(own != np.arange(own.size))
        missing = int(held[0]) if held.size else own.size
        if missing < due:
            expected = "a price of each at every time until it ends (delisted={name: time}), or gaps='hold'"
            raise InputError(
                "prices", "must be without gaps", expected, f"no {name} at {bars.times[missing]}"
            )


def read_rates(funding: Any, names: "Sequence[str]") -> tuple[Times, npt.NDArray[np.uint32], Floats]:
    """Times, places of instruments and funding rates of a table, ordered by time and name.

    Raises
    ------
    InputError
        For columns that are missing, a rate that is no number, a time of an instrument twice.
    """
    known = column_names(funding)
    if known is None or not {"time", "rate"} <= set(known):
        found = type(funding).__name__ if known is None else ", ".join(known[:NAMED])
        raise InputError("funding", "must be a table with rates", "time, instrument, rate", found)
    time = times_of("funding['time']", funding["time"])
    rate = float_column("funding['rate']", values_of(funding["rate"]), None, [])
    if rate.shape != time.shape:
        raise ShapeError("funding['rate']", "must have one a time", str(time.shape), str(rate.shape))
    if "instrument" in known:
        labels = label_sequence("funding['instrument']", values_of(funding["instrument"]))
        if len(labels) != time.size:
            raise ShapeError(
                "funding['instrument']", "must have one a time", str(time.size), str(len(labels))
            )
        places = {name: place for place, name in enumerate(names)}
        codes = np.array([places.get(str(label), -1) for label in labels], dtype=np.int64)
    else:
        codes = np.full(time.size, 0 if len(names) == 1 else -1, dtype=np.int64)
        if len(names) != 1:
            raise InputError(
                "funding", "must say whose it is", "a column instrument", f"{len(names)} instruments"
            )
    for name, column in (("time", time), ("instrument", codes)):
        if column.shape != rate.shape:
            expected, found = str(rate.shape), str(column.shape)
            raise ShapeError(f"funding[{name!r}]", "must have one a rate", expected, found)
    bad = np.flatnonzero(~(np.abs(rate) < 1.0))
    if bad.size:
        expected, row = "fractions of the value, 0.0001 for 0.01 %", int(bad[0])
        raise InputError("funding", "must be rates", expected, repr(float(rate[row])), row, int(bad.size))
    rows = np.flatnonzero(codes >= 0)
    if time.size and not rows.size:
        expected = f"instruments of the book, such as {names[0]}"
        found = repr(str(values_of(funding["instrument"])[0]))
        raise InputError("funding", "must hold a rate of an instrument of the book", expected, found)
    rows = rows[np.lexsort((codes[rows], time[rows]))]
    again = (codes[rows][1:] == codes[rows][:-1]) & (time[rows][1:] == time[rows][:-1])
    if again.any():
        row = int(rows[1:][again][0])
        raise InputError("funding", "must have each time of an instrument once", "one", str(time[row]), row)
    return time[rows], codes[rows].astype(np.uint32), rate[rows]
