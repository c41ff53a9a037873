"""The folder of the service: snapshots, journals, and how far the feed was when what was done was done."""

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import levcore as lc

if TYPE_CHECKING:
    from levcore.live_books.events import Events

__all__ = ["Folder"]

RECORD = struct.Struct("<QQ?")


class Folder:
    """Where the writer keeps what it needs after a kill.

    ``snapshot-N`` is the book after N instants, ``journal-N`` what was done since. A live book counts
    instants, of which ticks are only some; so before anything is done, its instant and the place in the feed
    go into ``place``. After a kill the number of the live book says whether it was done.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._place = os.open(path / "place", os.O_RDWR | os.O_CREAT, 0o600)

    def before(self, number: int, place: int, ticks: bool) -> None:
        """Say that instant `number` comes next, at this place of the feed, and whether it is a tick."""
        os.pwrite(self._place, RECORD.pack(number, place, ticks), 0)

    def place(self, number: int) -> int:
        """Place in the feed of a live book that has been restored."""
        written = os.pread(self._place, RECORD.size, 0)
        if not written and not number:
            return 0
        if len(written) != RECORD.size:
            raise RuntimeError(f"{self.path / 'place'} does not say how far the feed was at instant {number}")
        first, place, ticks = RECORD.unpack(written)
        return int(place + (number - first if ticks else 0))

    def restored(self, engine: lc.Engine) -> tuple["lc.LiveBook", "Events", int] | None:
        """Live book of the newest snapshot and its journal, with the events since and where they begin.

        None in a new folder.
        """
        numbers = self._numbers()
        if not numbers:
            return None
        snapshot, journal = self._files(numbers[-1])
        if journal.exists():
            return *lc.LiveBook.restore(engine, snapshot, journal), numbers[-1]
        # Killed between the two: the snapshot holds all that was done.
        live, events = lc.LiveBook.restore(engine, snapshot)
        live.record(journal)
        return live, events, numbers[-1]

    def checkpoint(self, live: "lc.LiveBook") -> None:
        """Begin another snapshot and journal, and drop the ones before."""
        old = self._numbers()
        if live.number in old:
            return
        snapshot, journal = self._files(live.number)
        live.snapshot(snapshot)
        live.record(journal)
        for number in old:
            for path in self._files(number):
                path.unlink(missing_ok=True)

    def _numbers(self) -> list[int]:
        return sorted(int(path.name.removeprefix("snapshot-")) for path in self.path.glob("snapshot-*"))

    def _files(self, number: int) -> tuple[Path, Path]:
        return self.path / f"snapshot-{number}", self.path / f"journal-{number}"
