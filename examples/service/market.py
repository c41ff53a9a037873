"""What is watched: a generated book, and the crash of 2025-10-10 as a feed of ticks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from crash import isolated, read, with_accounts

__all__ = ["Feed", "book", "engine", "feed"]

START = "2025-10-09T12:00"
FIRST = 384  # 2025-10-10T20:00; positions were entered in the day and a half before
STEPS = 10
"""Ticks between two prices of a bar: the file has open, high, low and close of five minutes."""


@dataclass(frozen=True)
class Feed:
    """Ticks in their order; the place of a tick is its number in the feed.

    Attributes
    ----------
    instrument : ndarray of uint32, shape (t,)
        Place in `names`.
    price : ndarray of float64, shape (t,)
    time : ndarray of datetime64, shape (t,)
    """

    names: tuple[str, ...]
    instrument: npt.NDArray[np.uint32]
    price: npt.NDArray[np.float64]
    time: npt.NDArray[np.datetime64]

    def __len__(self) -> int:
        """Number of ticks."""
        return self.price.size

    def marks(self) -> dict[str, float]:
        """First price of each instrument."""
        first = [int(np.argmax(self.instrument == code)) for code in range(len(self.names))]
        return {name: float(self.price[place]) for name, place in zip(self.names, first, strict=True)}


def _recorded() -> list[Any]:
    return [read(f"{name}_2025-10.csv.gz", f"{name.upper()}USDT", START) for name in ("btc", "eth")]


def feed() -> Feed:
    """Ticks of both instruments in turns, on straight lines between the prices of the bars."""
    recorded = _recorded()
    # The low before the high: the worse of the two orders for most of this book.
    bars = np.stack([each.bars[FIRST:][:, (0, 2, 1, 3)].reshape(-1) for each in recorded])
    places = np.arange(bars.shape[1])
    fine = np.arange((bars.shape[1] - 1) * STEPS + 1) / STEPS
    prices = np.stack([np.interp(fine, places, one) for one in bars]).T.reshape(-1)
    seconds = np.repeat(fine * 75, len(recorded)).astype("timedelta64[s]")
    codes = np.tile(np.arange(len(recorded), dtype=np.uint32), fine.size)
    names = tuple(each.name for each in recorded)
    return Feed(names, codes, prices, recorded[0].time[FIRST].astype("datetime64[s]") + seconds)


def book(positions: int) -> lc.PositionBook:
    """Generated positions, a tenth of them in cross accounts of two."""
    recorded = _recorded()
    columns = with_accounts(isolated(recorded, FIRST, value=1_000.0, positions=positions))
    # Codes of instruments are places in this list: those of the feed.
    names = [each.name for each in recorded]
    codes = np.array([names.index(name) for name in columns.pop("instrument")])
    return lc.PositionBook(instrument=codes, instrument_names=names, **columns)


def engine() -> lc.Engine:
    """Engine of the last table of Binance before that day that is bundled; each process has one thread."""
    return lc.Engine(lc.policy("binance-usdm@2024-10-24"), threads=1)
