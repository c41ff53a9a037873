"""What the columns of an input file are once read, whatever the format of the file.

Nothing here knows of positions: `levcore.files` says which columns it wants and what they mean. Text is kept
as codes into its distinct values, numbers as float64 with NaN for an empty cell; every other column of the
file stays as it came and goes out again unchanged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from levcore.errors import FileFormatError

__all__ = ["Columns", "Progress", "Rows", "TextBuilder", "Texts", "check_header"]

Progress = Callable[[int], None]
"""Called with the number of rows done so far."""

# Names shown of a long header in an error message.
NAMES_SHOWN = 30


@dataclass(frozen=True)
class Texts:
    """A column of text.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Place of each row's text in `values`.
    values : tuple of str
        Distinct texts in the order of their first row, without blanks around them.
    """

    codes: NDArray[np.int64]
    values: tuple[str, ...]

    def __getitem__(self, row: int) -> str:
        """Text of one row."""
        return self.values[int(self.codes[row])]


class TextBuilder:
    """Grows a `Texts` column by pieces."""

    def __init__(self) -> None:
        # Two maps, because " BTC" and "BTC" are two cells and one text.
        self._code_of_cell: dict[str, int] = {}
        self._code_of_text: dict[str, int] = {}
        self._pieces: list[NDArray[np.int64]] = [np.empty(0, np.int64)]

    def add(self, cells: Sequence[str]) -> None:
        """Append cells."""
        known, texts = self._code_of_cell, self._code_of_text
        for cell in dict.fromkeys(cells):
            if cell not in known:
                known[cell] = texts.setdefault(cell.strip(), len(texts))
        self._pieces.append(np.fromiter(map(known.__getitem__, cells), np.int64, len(cells)))

    def finish(self) -> Texts:
        """The finished column."""
        return Texts(np.concatenate(self._pieces), tuple(self._code_of_text))


class Rows(Protocol):
    """The rows of an input file as they were, for the output."""

    def csv_lines(self, start: int, stop: int) -> list[str]:
        """Rows `start` to `stop` as CSV text without line ends."""

    def column(self, name: str) -> Sequence[Any]:
        """One column: text from CSV, values as the file holds them from Parquet, None for an empty cell."""


@dataclass(frozen=True)
class Columns:
    """The columns of one file.

    Parameters
    ----------
    path : str
        The file, as the caller named it.
    names : tuple of str
        All its columns, in the order of the file.
    texts : dict of str to Texts
        The text columns that were asked for and are there.
    numbers : dict of str to ndarray of float64, shape (n,)
        The same for numbers; NaN where a cell is empty.
    lines : ndarray of int64, shape (n,)
        Line of each row in the file, counted from 1. A row of a Parquet file counts as a line.
    rows : Rows
        The rows as they were.
    """

    path: str
    names: tuple[str, ...]
    texts: dict[str, Texts]
    numbers: dict[str, NDArray[np.float64]]
    lines: NDArray[np.int64]
    rows: Rows = field(repr=False)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def error(self, row: int, column: str, rule: str, expected: str = "", found: str = "") -> FileFormatError:
        """Error that names this file, the line of `row` and `column`."""
        return FileFormatError(self.path, rule, expected, found, int(self.lines[row]), column)


def check_header(path: str, names: Sequence[str], required: Iterable[str], line: int | None = None) -> None:
    """Refuse a header with an empty, double or missing name.

    Parameters
    ----------
    path : str
        The file, for the error.
    names : sequence of str
        Its columns.
    required : iterable of str
        Columns that must be there.
    line : int, optional
        Line of the header.

    Raises
    ------
    FileFormatError
        As said, naming the column.
    """
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise FileFormatError(path, "must be separated by commas", "','", repr(names[0][:40]), line)
    for place, name in enumerate(names):
        if not name:
            raise FileFormatError(
                path, f"column {place + 1} has no name", "a name in the header", "nothing", line
            )
        if name in names[:place]:
            twice = f"columns {names.index(name) + 1} and {place + 1}"
            raise FileFormatError(path, "the column stands twice", "every name once", twice, line, name)
    for name in required:
        if name not in names:
            found = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
            raise FileFormatError(path, "the column is missing", f"a column {name!r}", found, line, name)
