"""The steps of a replay: which prices hold together, when funding is due, when an instrument ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import of_kind
from levcore.book.arrays import Floats
from levcore.errors import InputError
from levcore.replays.prices import PATHS, Bars, read_rates
from levcore.replays.times import times_of

__all__ = ["Steps", "ends_of", "steps_of"]

Starts = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Steps:
    """Columns of the steps, and where those of each step start; the core reads them by these names.

    Attributes
    ----------
    time : ndarray of int64, shape (s,)
        Place of each step's time among those of the bars.
    seconds : ndarray of float64, shape (s,)
        The same since the first of them, where they are datetimes; else as they are.
    """

    time: npt.NDArray[np.int64]
    seconds: Floats
    price_starts: Starts
    price_instrument: Codes
    price: Floats
    funding_starts: Starts
    funding_instrument: Codes
    funding_rate: Floats
    delisted_starts: Starts
    delisted: Codes
    sample: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of steps."""
        return self.sample.size


def steps_of(bars: Bars, names: Sequence[str], path: str, funding: Any, ends: Mapping[int, int]) -> Steps:
    """Lay bars out along a path.

    All instruments take the same stage of their bars at once: first all opens, at last all closes. Funding is
    due at the first step of the first time that is not before its own, after the prices of that step; an
    instrument ends at the first step of the time of its place in `ends`, at the price that it then has.
    """
    stages = PATHS[path] if bars.prices.shape[1] > 1 else (0,)
    times, count = bars.times.size, np.diff(bars.starts)
    of_bar = np.repeat(np.arange(times), count)
    inside = np.arange(of_bar.size) - bars.starts[of_bar]
    instrument = np.empty(of_bar.size * len(stages), dtype=np.uint32)
    price = np.empty(instrument.size)
    for stage, column in enumerate(stages):
        place = bars.starts[of_bar] * len(stages) + stage * count[of_bar] + inside
        instrument[place], price[place] = bars.instrument, bars.prices[:, column]
    steps = times * len(stages)
    rates = _due(bars, len(stages), *read_rates(funding, names)) if funding is not None else _nothing(steps)
    starts, ending = _ends(times, len(stages), ends)
    return Steps(
        time=np.repeat(np.arange(times), len(stages)),
        seconds=np.repeat(_seconds(bars.times), len(stages)),
        price_starts=np.r_[0, np.cumsum(np.repeat(count, len(stages)))].astype(np.uint64),
        price_instrument=instrument,
        price=price,
        funding_starts=rates[0],
        funding_instrument=rates[1],
        funding_rate=rates[2],
        delisted_starts=starts,
        delisted=ending,
        sample=(np.arange(steps) + 1) % len(stages) == 0,
    )


def _seconds(times: npt.NDArray[Any]) -> Floats:
    since = times - times[:1]
    milliseconds = since.astype("timedelta64[ms]").astype(np.float64) if since.dtype.kind == "m" else since
    return np.ascontiguousarray(
        milliseconds / 1_000.0 if since.dtype.kind == "m" else since, dtype=np.float64
    )


def _nothing(steps: int) -> tuple[Starts, Codes, Floats]:
    return np.zeros(steps + 1, dtype=np.uint64), np.empty(0, dtype=np.uint32), np.empty(0)


def _comparable(argument: str, time: npt.NDArray[Any], bars: Bars) -> npt.NDArray[Any]:
    if (time.dtype.kind == "M") != (bars.times.dtype.kind == "M"):
        raise InputError(
            argument, "must be times as those of the prices", str(bars.times.dtype), str(time.dtype)
        )
    return time


def _due(
    bars: Bars, stages: int, time: npt.NDArray[Any], code: Codes, rate: Floats
) -> tuple[Starts, Codes, Floats]:
    """Rates within the time of the prices, by step."""
    time = _comparable("funding['time']", time, bars)
    within = (time >= bars.times[0]) & (time <= bars.times[-1])
    if time.size and ((time < bars.times[0]).all() or (time > bars.times[-1]).all()):
        expected = f"times between {bars.times[0]} and {bars.times[-1]}, in the same unit"
        raise InputError("funding", "must not all be due at other times", expected, str(time[0]))
    time, code, rate = time[within], code[within], rate[within]
    step = np.searchsorted(bars.times, time) * stages
    twice = np.flatnonzero((step[1:] == step[:-1]) & (code[1:] == code[:-1]))
    if twice.size:
        expected = "prices at least as often as funding"
        raise InputError(
            "funding", "must fall on different times of prices", expected, str(time[twice[0] + 1])
        )
    starts = np.searchsorted(step, np.arange(bars.times.size * stages + 1)).astype(np.uint64)
    return starts, code, rate


def ends_of(bars: Bars, names: Sequence[str], delisted: Mapping[str, Any] | None) -> dict[int, int]:
    """Place of the time at which each instrument ends, by place of the instrument.

    Raises
    ------
    DTypeError, InputError
        For an instrument that the book does not hold, and a time outside of the prices.
    """
    of_kind("delisted", {} if delisted is None else delisted, Mapping)
    found: dict[int, int] = {}
    for name, when in ({} if delisted is None else delisted).items():
        if name not in names:
            raise InputError("delisted", "must be instruments of the book", ", ".join(names[:5]), repr(name))
        time = _comparable("delisted", times_of("delisted", [when]), bars)[0]
        if not bars.times[0] <= time <= bars.times[-1]:
            expected = f"{bars.times[0]} to {bars.times[-1]}"
            raise InputError("delisted", "must lie within the prices", expected, f"{name}: {time}")
        found[names.index(name)] = int(np.searchsorted(bars.times, time))
    return found


def _ends(times: int, stages: int, ends: Mapping[int, int]) -> tuple[Starts, Codes]:
    found = sorted((place * stages, code) for code, place in ends.items())
    step = np.array([each for each, _ in found], dtype=np.int64)
    starts = np.searchsorted(step, np.arange(times * stages + 1)).astype(np.uint64)
    return starts, np.array([code for _, code in found], dtype=np.uint32)
