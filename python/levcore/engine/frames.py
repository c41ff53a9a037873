"""Results as frames of rows: ids and names, measures, states and statuses as words.

The columns of a frame are the same whatever the data: every measure has one, and one that was not computed is
null.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table
from levcore.book.coded_labels import CodedLabels
from levcore.book.numbered_labels import number_labels
from levcore.status import Code

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.columns import ResultColumns

__all__ = ["NO_WORD", "ExportsFrame", "book_table", "label_table", "result_table", "with_codes"]

NO_WORD = np.uint32(0xFFFF_FFFF)
"""Code of a row without a word."""


class ExportsFrame(ABC):
    """A result that is a frame of rows for whoever asks for Arrow's C stream, and row by row."""

    __slots__ = ()

    @abstractmethod
    def frame(self) -> Table:
        """The result as Arrow's columns."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's C stream, as ``pl.DataFrame(result)`` and ``pa.table(result)`` ask for it."""
        return self.frame().__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Row by row as dictionaries, None for what does not exist; ``pd.DataFrame(result)`` takes them."""
        table = self.frame()
        columns = [table.values(name) for name in table.names]
        for row in zip(*columns, strict=True):
            yield dict(zip(table.names, row, strict=True))


def result_table(result: "ResultColumns", columns: Table) -> Table:
    """Columns that say what the rows are, then every measure and the words of the codes."""
    for measure in result.table:
        name = measure.name
        if name in result.measures:
            columns = columns.with_numbers(name, result.column(name))
        else:
            columns = columns.with_unknown_numbers(name)
    for name, kind in result.kinds.items():
        columns = with_codes(columns, name, result[name], kind)
    return columns


def label_table(rows: int, labels: Mapping[str, Sequence[Any]]) -> Table:
    """Table of what each row is: accounts, assets."""
    table = Table(rows)
    for name, values in labels.items():
        table = _with_labels(table, name, values)
    return table


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


def with_codes(table: Table, name: str, codes: npt.NDArray[np.uint8], kind: type[Code]) -> Table:
    """The table with a column of the words of codes, null for a code that is none."""
    members = list(kind)
    words = [member.word for member in members]
    return table.with_codes(name, codes, [int(member) for member in members], words)


def _with_labels(table: Table, name: str, labels: Sequence[Any] | npt.NDArray[Any]) -> Table:
    """Ids as integers where all are, else as text; the empty label of what has none is null."""
    coded = (labels.codes, labels.labels) if isinstance(labels, CodedLabels) else number_labels(labels)
    if coded is not None and all(isinstance(label, str) for label in coded[1]):
        codes, words = coded
        if "" in words:
            codes = np.where(codes == words.index(""), NO_WORD, codes)
        return table.with_coded_texts(name, codes, list(words))
    if isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.ndim == 1:
        return table.with_whole_numbers(name, labels)
    values = [None if label is None or label == "" or label != label else label for label in _plain(labels)]
    if {type(value) for value in values} - {type(None)} == {int}:
        return table.with_integers(name, values)
    return table.with_texts(name, [None if value is None else str(value) for value in values])


def _plain(labels: Sequence[Any] | npt.NDArray[Any]) -> list[Any]:
    if isinstance(labels, np.ndarray):
        plain: list[Any] = labels.tolist()
        return plain
    return [label.item() if isinstance(label, np.generic) else label for label in labels]
