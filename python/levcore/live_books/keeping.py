"""Snapshots of live books, and live books of snapshots and journals."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.errors import DTypeError, FileFormatError
from levcore.files.records import Journal, Record, read_journal, read_record
from levcore.live_books.arguments import NUMBERS, Owners, tiers_of
from levcore.live_books.events import Events, joined
from levcore.live_books.levels import engine_with_tiers
from levcore.live_books.live import LiveBook

if TYPE_CHECKING:
    from levcore.engine.engine import Engine

__all__ = ["restored", "snapshot_of"]

KIND = "live book 1"


def snapshot_of(live: LiveBook, owners: Owners, columns: tuple[Any, ...]) -> Record:
    """Everything that a live book is, as words and columns; its bounds are found anew.

    Raises
    ------
    DTypeError
        For account ids that are neither text nor whole numbers.
    """
    for place, label in enumerate(owners.ids):
        if type(label) not in (str, int):
            rule = "must be text or whole numbers to be written"
            raise DTypeError("account", rule, "str or int", repr(label), place)
    instrument, numbers, wallets = columns
    words = {
        "kind": KIND,
        "policy": live.engine.policy.id,
        "levels": live.levels,
        "number": live.number,
        "hash": live.hash.hex(),
        "standing": standing_of(live),
        "replaced_tiers": {name: asdict(tiers) for name, tiers in live.replaced_tiers.items()},
        "instrument_names": live.instrument_names,
        "ids": owners.ids,
        **owners.words(),
    }
    held = {name: column for name, column in zip(NUMBERS, numbers, strict=True) if column is not None}
    held |= {"instrument": instrument, "is_cross": owners.is_cross, "account": owners.account}
    return Record(words, held | {"wallets": wallets, "marks": live.marks()})


def standing_of(live: LiveBook) -> str:
    """SHA-256 of where everybody stands: another policy, or another table, has another."""
    found = hashlib.sha256()
    for figures in (live.positions(), live.accounts()):
        for column in (figures.place, figures.state, figures.maintenance_margin, figures.margin_ratio):
            # NaN stands for itself, whatever its bits.
            found.update(np.where(np.isnan(column), np.nan, column).astype("<f8").tobytes())
    return found.hexdigest()


def restored(
    engine: "Engine", snapshot: str | Path, journal: str | Path | None, sync: bool
) -> tuple[LiveBook, Events]:
    """Live book of a snapshot and the journal behind it; see `levcore.LiveBook.restore`."""
    record = read_record(snapshot)
    words, columns = record
    if words.get("kind") != KIND:
        rule = "must be a snapshot of a live book, version 1"
        raise FileFormatError(str(snapshot), rule, KIND, str(words.get("kind")))
    book = Owners.book_of(record, NUMBERS)
    replaced = {name: tiers_of(fields) for name, fields in words["replaced_tiers"].items()}
    for name, tiers in replaced.items():
        engine = engine_with_tiers(engine, book, name, tiers)
    live = LiveBook(engine, book, columns["marks"], words["levels"])
    live.replaced_tiers = replaced
    if standing_of(live) != words["standing"]:
        rule = "was made under other rules or tables than the engine has"
        raise FileFormatError(str(snapshot), rule, words["policy"], engine.policy.id)
    live.number, live.hash = words["number"], bytes.fromhex(words["hash"])
    parts = [live.do("remark", {"instrument": np.empty(0, np.uint32), "price": np.empty(0)})]
    if journal is not None:
        length = 0
        for step, end in read_journal(journal):
            length = end
            if step.words["number"] > live.number or step.words["first"] == live.number:
                parts.append(redone(live, step, journal))
        live.continue_journal(Journal(journal, length, sync=sync))
    return live, joined(parts)


def redone(live: LiveBook, step: Record, journal: str | Path) -> Events:
    """Events of a step of a journal, done again.

    Raises
    ------
    FileFormatError
        For a step that does not follow, or that gives other events than it did.
    """
    words, columns = step
    if words["first"] != live.number:
        rule = "does not go on where the snapshot ends"
        raise FileFormatError(str(journal), rule, f"instant {live.number}", f"instant {words['first']}")
    events = live.do(words["kind"], columns, words["words"])
    if live.hash.hex() != words["hash"]:
        raise FileFormatError(str(journal), "gives other events than it did", words["hash"], live.hash.hex())
    return events
