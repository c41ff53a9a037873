"""Snapshots of live books, and live books of snapshots and journals."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.errors import DTypeError, FileFormatError
from levcore.files.records import Journal, Record, read_journal, read_record
from levcore.live_books.arguments import tiers_of
from levcore.live_books.events import Events, joined
from levcore.live_books.levels import engine_with_tiers
from levcore.live_books.live import LiveBook
from levcore.live_books.owners import NUMBERS, book_of_record

if TYPE_CHECKING:
    from levcore.engine.engine import Engine
    from levcore.live_books.recorded import RecordedBook
    from levcore.live_books.resident import Resident

__all__ = ["restored", "snapshot_of"]

VERSION = 2
"""Of what a snapshot holds and what its journal is made of; 1 knew one policy and no balances."""
KIND = f"live book {VERSION}"


def snapshot_of(live: "RecordedBook", resident: "Resident") -> Record:
    """Everything that a live book is, as words and columns; its bounds are found anew.

    Raises
    ------
    DTypeError
        For account ids that are neither text nor whole numbers.
    """
    owners = resident.owners
    for place, label in enumerate(owners.ids):
        if type(label) not in (str, int):
            rule = "must be text or whole numbers to be written"
            raise DTypeError("account", rule, "str or int", repr(label), place)
    instrument, numbers, wallets, (held_by, held_in, amounts) = resident.columns()
    replaced = [
        [owners.labels.index(label), name, asdict(tiers)]
        for (label, name), tiers in resident.replaced_tiers.items()
    ]
    words = {
        "kind": KIND,
        "policies": [live.engine.policies[label].id for label in owners.labels],
        "levels": live.levels,
        "number": live.number,
        "hash": live.hash.hex(),
        "standing": standing_of(live),
        "replaced_tiers": replaced,
        "instrument_names": resident.names,
        "asset_names": resident.assets,
        "asset_prices": resident.asset_prices(),
        **owners.words(),
    }
    held: dict[str, Any] = {
        name: column for name, column in zip(NUMBERS, numbers, strict=True) if column is not None
    }
    held |= {"instrument": instrument, **owners.columns()}
    held |= {"balance_account": held_by, "balance_asset": held_in}
    held |= dict(zip(("balance", "liability", "interest"), amounts, strict=True))
    return Record(words, held | {"wallets": wallets, "marks": live.marks().reshape(-1)})


def standing_of(live: "RecordedBook") -> str:
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
        rule = f"must be a snapshot of a live book, version {VERSION}"
        raise FileFormatError(str(snapshot), rule, KIND, str(words.get("kind")))
    # A book that names no policy is under the only one, whatever its label.
    labels = words["labels"] if words["named"] else list(engine.policies)[:1]
    of_rules = ", ".join(words["policies"]), ", ".join(policy.id for policy in engine.policies.values())
    fault = FileFormatError(
        str(snapshot), "was made under other rules or tables than the engine has", *of_rules
    )
    if not set(labels) <= set(engine.policies):
        raise fault
    replaced = {(labels[code], name): tiers_of(fields) for code, name, fields in words["replaced_tiers"]}
    for (label, name), tiers in replaced.items():
        engine = engine_with_tiers(engine, label, name, tiers)
    book, marks = book_of_record(record), columns["marks"]
    if len(labels) > 1:
        marks = marks.reshape(len(labels), -1)
    # Also without balances: some may come that are worth these prices.
    live = LiveBook(engine, book, marks, words["levels"], words["asset_prices"])
    live.go_on(words, replaced)
    if standing_of(live) != words["standing"]:
        raise fault
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
