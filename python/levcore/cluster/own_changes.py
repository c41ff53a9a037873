"""Changes that concern one partition, evaluated in a worker: found by their accounts and rows."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from levcore.book.frames import Positions
from levcore.changes.changes import UNKNOWN, Changes
from levcore.changes.orders import Orders
from levcore.changes.result import WhatIf
from levcore.changes.what_if import what_if
from levcore.cluster.prices import Prices
from levcore.cluster.whole_partitions import Reading
from levcore.rules.instruments import Instrument

__all__ = ["Asked", "Columns", "Found", "Places", "changed_partition", "columns_of"]

Columns = dict[str, npt.NDArray[Any]]
Places = npt.NDArray[np.int64]
Table = TypeVar("Table", Changes, Orders)
CODES_OF_THE_BOOK = ("instrument_code", "policy_code")
"""Columns of `levcore.what_if` that mean something in one partition alone."""


class Asked(NamedTuple):
    """What `levcore.cluster.what_if` was asked for, as it travels to the workers."""

    changes: Changes
    sequence: npt.NDArray[np.uint32] | None
    tables: tuple[Instrument, ...]
    orders: Orders | None
    options: dict[str, Any]
    rows: int
    """Rows of all partitions together; 0 where no change names one."""


class Found(NamedTuple):
    """What a worker sends back of a partition."""

    changes: Places
    columns: Columns
    orders: Places
    accounts: tuple[Any, ...]
    prices: Prices
    rows: int


def changed_partition(
    place: int,
    source: Any,
    reading: Reading,
    asked: Asked,
    starts: tuple[int, ...] | None,
    left: Places | None,
) -> Found:
    """Changes of one partition, in a worker: its own, or those that are left."""
    own, prices, positions, book = reading.read(source)
    held = _marks(prices.of(positions), reading.marks or {}, positions)
    first = 0 if starts is None else starts[place]
    chosen = _own_changes(asked, set(book.account_ids), first, len(book)) if left is None else left
    orders = asked.orders
    own_orders = np.empty(0, dtype=np.int64)
    if orders is not None:
        own_orders = np.flatnonzero(_named(orders.account, set(book.account_ids)))
        orders = _taken(orders, own_orders)
    changes = _taken(asked.changes, chosen)
    changes = _with(changes, {"row": _rows_here(changes.row, first, len(book), asked.rows)})
    _note_missing(prices, held, changes, positions)
    sequence = False if asked.sequence is None else asked.sequence[chosen]
    found = what_if(
        own, book, held, changes, sequence=sequence, tables=asked.tables, orders=orders, **asked.options
    )
    columns = columns_of(found)
    return Found(chosen, columns, own_orders, book.account_ids, prices.without_given(), len(book))


def _named(names: tuple[npt.NDArray[np.uint32], list[Any]] | None, known: set[Any]) -> npt.NDArray[np.bool_]:
    """Rows of a column of names that name somebody known."""
    if names is None:
        return np.zeros(0, dtype=np.bool_)
    codes, labels = names
    found: npt.NDArray[np.bool_] = np.array([label in known for label in labels], dtype=np.bool_)[codes]
    return found


def _own_changes(asked: Asked, accounts: set[Any], first: int, rows: int) -> Places:
    """Changes whose account or row a partition has, with what their sequences open."""
    row = asked.changes.row
    own = (row >= first) & (row < min(first + rows, UNKNOWN)) & (asked.rows > 0)
    if asked.changes.account is not None:
        own |= _named(asked.changes.account, accounts)
    if asked.sequence is not None:
        opened = (row >= asked.rows) & (row < UNKNOWN)
        own |= opened & np.isin(asked.sequence, asked.sequence[own])
    return np.flatnonzero(own)


def _rows_here(row: npt.NDArray[np.uint32], first: int, rows: int, all_rows: int) -> npt.NDArray[np.uint32]:
    """Rows of the whole book as rows of a partition: its own ones, and those opened behind its last one."""
    given = row.astype(np.int64)
    here = np.where((given >= first) & (given < first + rows), given - first, UNKNOWN)
    here = np.where(given >= all_rows, np.minimum(given - all_rows + rows, UNKNOWN), here)
    return np.where(given >= UNKNOWN, given, here).astype(np.uint32)


def _marks(own: Any, given: Mapping[str, Any], positions: Positions) -> dict[str, Any]:
    """Marks of the rows, with those that were given for what only changes name."""
    if not positions.policy_names:
        return {**given, **own}
    found = {}
    for label, prices in own.items():
        of_label = given.get(label)
        found[label] = {**(of_label if isinstance(of_label, Mapping) else given), **prices}
    return found


def _note_missing(prices: Prices, held: dict[str, Any], changes: Changes, positions: Positions) -> None:
    """Say which instruments of changes have no mark here, in case that another partition has one."""
    if changes.instrument is None:
        return
    codes, labels = changes.instrument
    used = [str(labels[code]) for code in np.unique(codes).tolist()]
    of_labels = held if positions.policy_names else {"": held}
    prices.missing |= {
        (label, name) for label, marks in of_labels.items() for name in used if name and name not in marks
    }


def _taken(table: Table, rows: Places) -> Table:
    """Some rows of a table of columns."""
    columns: dict[str, Any] = {name: getattr(table, name) for name in type(table).__slots__}
    for name, column in columns.items():
        if column is not None:
            columns[name] = (column[0][rows], column[1]) if isinstance(column, tuple) else column[rows]
    return _with(table, columns)


def _with(table: Table, columns: dict[str, Any]) -> Table:
    """A table with some of its columns exchanged."""
    found = copy.copy(table)
    found.__setstate__(columns)
    return found


def columns_of(found: WhatIf) -> Columns:
    """Everything that a what-if tells, by name."""
    derived = ["may_open", "liquidated_at_once", "free_margin", "max_leverage"]
    derived += ["order_margin", "order_loss"] if len(found.order_sums) else []
    columns = {name: column for name, column in found.to_dict().items() if name != "change"}
    columns = {name: column for name, column in columns.items() if name not in CODES_OF_THE_BOOK}
    columns |= {name: getattr(found, name) for name in derived}
    for word, side in (("after", found.after), ("before", found.before), ("source", found.source)):
        if side is not None:
            for owner, table in ((word, side.positions), (f"{word}_account", side.accounts)):
                named = table.to_dict().items()
                columns |= {f"{owner}_{name}": column for name, column in named if name != "change"}
    return columns
