"""What a live book tells: who enters or leaves a state, when, with the numbers of an evaluation."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.live_books.index import Subjects

__all__ = ["Events", "chained_hash", "events_of", "joined"]

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """Isolated positions and accounts that have entered another state.

    In the order of instants; of one instant positions by row, then accounts by place, whatever their
    policies. The order is total: a subject changes its state once an instant.

    Attributes
    ----------
    number : ndarray of int64, shape (e,)
        Number of the instant, counted from the beginning of the live book: every tick, every `remark` that
        moves something and every change has one.
    time : ndarray, shape (e,), or None
        What the caller gave as the time of the tick.
    instrument : ndarray of int64, shape (e,)
        Place of the tick's instrument in the book's names; -1 for assets, changes and `remark`.
    asset : ndarray of int64, shape (e,)
        Place of the tick's asset in ``live.asset_names``; -1 for all others.
    price : ndarray of float64, shape (e,), quote per base
        Price of the tick, of an asset in the currency of the accounts; NaN for changes and `remark`.
    subject : Subjects
        Who: the row of a position, or the place of an account in the book's account ids.
    before, state : ndarray of uint8, shape (e,)
        Codes of `levcore.State` as the levels that are watched under the subject's policy tell them apart.
    equity, maintenance_margin : ndarray of float64, shape (e,), settlement currency
        As `levcore.Engine.evaluate` gives them at this instant; NaN where the state is ``INCOMPLETE``.
    margin_ratio : ndarray of float64, shape (e,)
        Likewise; a fraction.
    """

    number: Places
    time: npt.NDArray[Any] | None
    instrument: Places
    asset: Places
    price: Floats
    subject: Subjects
    before: npt.NDArray[np.uint8]
    state: npt.NDArray[np.uint8]
    equity: Floats
    maintenance_margin: Floats
    margin_ratio: Floats

    def __len__(self) -> int:
        """Number of events."""
        return self.number.size

    def columns(self) -> list[npt.NDArray[Any]]:
        """What an event is, apart from the time that the caller gave."""
        return [
            self.number,
            self.instrument,
            self.asset,
            self.price,
            self.subject.is_account,
            self.subject.place,
            self.before,
            self.state,
            self.equity,
            self.maintenance_margin,
            self.margin_ratio,
        ]


def events_of(
    kind: str, columns: Mapping[str, npt.NDArray[Any]], core: tuple[Any, ...], first: int, instruments: int
) -> tuple[Events, int]:
    """Events of a step that begins at instant `first`, and how many instants it takes."""
    instant, is_account, place, before, (state, (equity, margin, ratio)) = core
    count, nothing = 1, np.full(instant.size, -1, dtype=np.int64)
    instrument, asset, price = nothing, nothing, np.full(instant.size, np.nan)
    if kind == "ticks":
        count = columns["price"].size
        code, price = columns["instrument"][instant].astype(np.int64), columns["price"][instant]
        of_asset = code >= instruments
        instrument, asset = np.where(of_asset, -1, code), np.where(of_asset, code - instruments, -1)
    if kind == "remark":
        count = int(columns["price"].size > 0)
    subject, number = Subjects(is_account, place), instant + first
    events = Events(number, None, instrument, asset, price, subject, before, state, equity, margin, ratio)
    return events, count


def chained_hash(before: bytes, events: Events) -> bytes:
    """SHA-256 of the hash before and the events of an instant, instant by instant.

    Ticks given one by one and in batches have the same.
    """
    numbers = events.number
    if not numbers.size:
        return before
    starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]]).tolist()
    columns = [np.ascontiguousarray(column) for column in events.columns()]
    for first, last in zip(starts, [*starts[1:], numbers.size], strict=True):
        chained = hashlib.sha256(before)
        for column in columns:
            chained.update(column[first:last].tobytes())
        before = chained.digest()
    return before


def joined(parts: list[Events]) -> Events:
    """Events of several calls as those of one; their times are left out."""
    columns = [np.concatenate(of_parts) for of_parts in zip(*(part.columns() for part in parts), strict=True)]
    number, instrument, asset, price, is_account, place, before, state, equity, margin, ratio = columns
    subject = Subjects(is_account, place)
    return Events(number, None, instrument, asset, price, subject, before, state, equity, margin, ratio)
