"""Results as frames of rows: ids and names, measures, states and statuses as words.

The columns of a frame are the same whatever the data: every measure has one, and one that was not computed is
null.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table
from levcore.book.coded_labels import CodedLabels
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES, MEASURE_NAMES
from levcore.status import AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.balance_risk import BalanceRisk
    from levcore.engine.distances import AccountDistance
    from levcore.engine.risk import AccountRisk, BookRisk

__all__ = [
    "ExportsFrame",
    "account_table",
    "balance_table",
    "book_table",
    "distance_table",
    "risk_table",
    "with_codes",
]

NO_WORD = np.uint32(0xFFFF_FFFF)
"""Code of a row without a word."""


class ExportsFrame:
    """A result that is a frame of rows for whoever asks for Arrow's C stream, and row by row."""

    __slots__ = ()

    def _table(self) -> Table:
        raise TypeError("a result says what its columns are")

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's C stream, as ``pl.DataFrame(result)`` and ``pa.table(result)`` ask for it."""
        return self._table().__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Row by row as dictionaries, None for what does not exist; ``pd.DataFrame(result)`` takes them."""
        table = self._table()
        columns = [table.values(name) for name in table.names]
        for row in zip(*columns, strict=True):
            yield dict(zip(table.names, row, strict=True))


def risk_table(risk: "BookRisk", columns: Table | None = None) -> Table:
    """The columns that came in, or those given, then every measure, state and status."""
    table = book_table(risk.book) if columns is None else columns
    for name in MEASURE_NAMES:
        column = risk.column(name) if name in risk.measures else np.full(len(risk), np.nan)
        table = table.with_numbers(name, column)
    table = with_codes(table, "state", risk.state, State)
    return with_codes(table, "status", risk.status, Status)


def account_table(accounts: "AccountRisk") -> Table:
    """Account, its measures, state and status."""
    table = _with_labels(Table(len(accounts)), "account", accounts.ids)
    values, codes = accounts.buffers
    for name, column in zip(ACCOUNT_MEASURES, values, strict=True):
        table = table.with_numbers(name, column)
    table = with_codes(table, "state", codes[0], State)
    return with_codes(table, "status", codes[1], AccountStatus)


def balance_table(balances: "BalanceRisk") -> Table:
    """Account, asset, the measures of a balance and its status."""
    given = balances.balances
    table = _with_labels(Table(len(balances)), "account", [] if given is None else given.account)
    codes = np.empty(0, np.uint32) if given is None else given.asset_codes
    table = table.with_words("asset", codes, [] if given is None else list(given.asset_names))
    values, statuses = balances.buffers
    for name, column in zip(BALANCE_MEASURES, values, strict=True):
        table = table.with_numbers(name, column)
    return with_codes(table, "status", statuses[0], Status)


def distance_table(distances: "AccountDistance") -> Table:
    """Account, its two distances and its status."""
    table = _with_labels(Table(len(distances.ids)), "account", distances.ids)
    table = table.with_numbers("lower", distances.lower).with_numbers("upper", distances.upper)
    return with_codes(table, "status", distances.status, AccountStatus)


def book_table(book: "PositionBook") -> Table:
    """The frame that a book was made of, or what says which position a row of arrays is."""
    columns: Table | None = book.columns
    if columns is not None:
        return columns
    table = Table(len(book)).with_words("instrument", book.instrument_codes, list(book.instrument_names))
    labels = book.account if book.account is not None else [book.account_of(row) for row in range(len(book))]
    table = _with_labels(table, "account", labels)
    codes = np.full(len(book), NO_WORD) if book.policy_codes is None else book.policy_codes
    table = table.with_words("policy", codes, list(book.policy_names))
    table = table.with_words("margin_mode", book.is_cross.astype(np.uint32), ["isolated", "cross"])
    return table.with_numbers("quantity", book.quantity).with_numbers("entry_price", book.entry_price)


def with_codes(table: Table, name: str, codes: npt.NDArray[np.uint8], kind: type[IntEnum]) -> Table:
    """The table with a column of the words of codes, null for a code that is none."""
    members = list(kind)
    places = np.full(256, NO_WORD)
    places[members] = np.arange(len(members), dtype=np.uint32)
    return table.with_words(name, places[codes], [member.name.lower() for member in members])


def _with_labels(table: Table, name: str, labels: Sequence[Any] | npt.NDArray[Any]) -> Table:
    """Ids as integers where all are, else as text; the empty label of what has none is null."""
    if isinstance(labels, CodedLabels) and all(isinstance(label, str) for label in labels.labels):
        codes = labels.codes
        if "" in labels.labels:
            codes = np.where(codes == labels.labels.index(""), NO_WORD, codes)
        return table.with_words(name, codes, list(labels.labels))
    values = [None if label is None or label == "" or label != label else label for label in _plain(labels)]
    if {type(value) for value in values} - {type(None)} == {int}:
        return table.with_integers(name, values)
    return table.with_texts(name, [None if value is None else str(value) for value in values])


def _plain(labels: Sequence[Any] | npt.NDArray[Any]) -> list[Any]:
    if isinstance(labels, np.ndarray):
        plain: list[Any] = labels.tolist()
        return plain
    return [label.item() if isinstance(label, np.generic) else label for label in labels]
