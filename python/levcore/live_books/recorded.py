"""A live book as a sequence of steps: each done once, counted, hashed, recorded, done again after a kill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from levcore.arguments import a_path
from levcore.errors import DTypeError
from levcore.files.records import Journal, Record, write_record
from levcore.live_books.events import Events, chained_hash, events_of
from levcore.live_books.resident import Resident
from levcore.live_books.standing import StandingBook

if TYPE_CHECKING:
    from levcore.engine.engine import Engine
    from levcore.live_books.live import LiveBook
    from levcore.rules.tiers import TierTable

__all__ = ["RecordedBook"]


class RecordedBook(StandingBook):
    """What every step of a live book goes through, one at a time.

    Attributes
    ----------
    number : int
        How many instants there have been.
    hash : bytes
        SHA-256 over all events, each instant chained to the one before.
    """

    __slots__ = ("_journal", "hash", "number")

    number: int
    hash: bytes
    _journal: Journal | None

    def __init__(self, resident: Resident) -> None:
        super().__init__(resident)
        self._fill(number=0, hash=bytes(32), _journal=None)

    def do(self, kind: str, columns: Mapping[str, npt.NDArray[Any]], words: Any = ()) -> Events:
        """Do what a record of a journal says, and record it."""
        with self._lock:
            if self._journal is not None:
                self._journal.refuse_failed()
            first, resident = self.number, self._resident
            core = resident.do(kind, columns, words)
            events, instants = events_of(kind, columns, core, first, len(resident.names))
            self._fill(number=first + instants, hash=chained_hash(self.hash, events))
            if self._journal is not None:
                told = {"kind": kind, "first": first, "number": self.number, "hash": self.hash.hex()}
                self._journal.append(Record({**told, "words": words}, columns))
            return events

    def __reduce__(self) -> Any:
        """Refuse to be copied or pickled: two live books of one journal would tell two stories.

        Raises
        ------
        DTypeError
            Always.
        """
        instead = "snapshot(path) and LiveBook.restore(engine, path)"
        raise DTypeError("LiveBook", "cannot be copied or pickled", instead, "a copy")

    def snapshot(self, path: str | Path) -> None:
        """Write everything that a live book needs to go on into a file, whole or not at all.

        Raises
        ------
        DTypeError
            For account ids that are neither text nor whole numbers, and for what is no path.
        OSError
            Where it cannot be written.
        """
        from levcore.live_books.keeping import snapshot_of

        a_path("path", path)
        with self._lock:
            record = snapshot_of(self, self._resident)
        write_record(path, record)

    def record(self, path: str | Path, *, sync: bool = False) -> None:
        """Record everything that happens from now on into a journal, which must not exist.

        An event is returned after what led to it was recorded, so that a process may be killed at any time:
        `restore` goes on from a snapshot and the journal.

        Parameters
        ----------
        path : str or Path
        sync : bool
            Whether a record also outlives a power cut; takes a disk its time.

        Raises
        ------
        OSError
            Where it exists or cannot be written. A record that cannot be written ends the journal: all
            further calls are refused until another one is begun, after another snapshot.
        """
        a_path("path", path)
        self.continue_journal(Journal(path, sync=sync))

    def continue_journal(self, journal: Journal) -> None:
        """Record into this journal from now on."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
            self._fill(_journal=journal)

    def go_on(self, words: Mapping[str, Any], replaced_tiers: Mapping[tuple[str, str], TierTable]) -> None:
        """Go on from where a snapshot says that another live book was."""
        self._fill(number=words["number"], hash=bytes.fromhex(words["hash"]))
        self._resident.replaced_tiers = replaced_tiers

    @staticmethod
    def restore(
        engine: Engine, snapshot: str | Path, journal: str | Path | None = None, *, sync: bool = False
    ) -> tuple[LiveBook, Events]:
        """Live book of a snapshot, with what a journal has recorded since, which it then continues.

        Parameters
        ----------
        engine : Engine
            With the policies of the snapshot.
        snapshot, journal : str or Path
            The journal may begin before the snapshot.
        sync : bool
            As of `record`.

        Returns
        -------
        LiveBook
        Events
            Those of what the journal had recorded since the snapshot.

        Raises
        ------
        FileFormatError
            For files that are none of these, of another version, damaged, of another policy, or not of each
            other.
        """
        from levcore.live_books.keeping import restored

        a_path("snapshot", snapshot)
        if journal is not None:
            a_path("journal", journal)
        return restored(engine, snapshot, journal, sync)
