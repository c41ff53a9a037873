"""CSV files in: UTF-8, commas, one header line; every error says the line and the column.

The standard library's reader does the parsing, chunk by chunk, so that the Python objects of the cells never
exist all at once beside the finished columns.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from levcore.errors import FileFormatError
from levcore.files.columns import Columns, Progress, TextBuilder, check_header

__all__ = ["CsvRows", "csv_text", "read_csv"]

# Rows converted at a time.
CHUNK = 65_536

NUMBER_EXPECTED = "a number with a decimal point and no thousands separators, such as -1250.5"


@dataclass(frozen=True)
class CsvRows:
    """Rows of a CSV file as their text.

    Parameters
    ----------
    names : tuple of str
        The columns.
    lines : list of str
        One row each, without a line end.
    """

    names: tuple[str, ...]
    lines: list[str]

    def csv_lines(self, start: int, stop: int) -> list[str]:
        """Rows `start` to `stop` as they stood in the file."""
        return self.lines[start:stop]

    def column(self, name: str) -> Sequence[str | None]:
        """Cells of one column, None where empty.

        They are parsed again: an output other than CSV is rare, and two copies of every cell are not free.
        """
        place = self.names.index(name)
        return [row[place].strip() or None for row in csv.reader(self.lines)]


def read_csv(
    path: str,
    kinds: Mapping[str, Literal["text", "number"]],
    required: Iterable[str],
    progress: Progress,
) -> Columns:
    """Columns of a CSV file.

    Parameters
    ----------
    path : str
        The file.
    kinds : mapping of str to {"text", "number"}
        Columns to read where the file has them.
    required : iterable of str
        Columns that must be there.
    progress : callable
        Called after every chunk.

    Raises
    ------
    FileFormatError
        A column is missing or stands twice, a line is ragged, a cell is not a number: with line and column.
    OSError
        The file cannot be opened.
    """
    # newline="" leaves line ends to csv, which alone knows whether they stand inside quotes.
    with open(path, encoding="utf-8-sig", newline="") as file:
        chunks = _Chunks(path, file)
        names = chunks.header()
        check_header(path, names, required, chunks.line)
        builders = [_builder(path, name, kinds[name]) if name in kinds else None for name in names]
        raw: list[list[str]] = []
        line_numbers: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        length = 0
        for rows, lines_of_rows, lines in chunks:
            _check_width(path, names, rows, lines)
            for builder, cells in zip(builders, zip(*rows, strict=True), strict=True):
                if isinstance(builder, TextBuilder):
                    builder.add(cells)
                elif builder is not None:
                    builder.add(cells, lines)
            raw.append(lines_of_rows)
            line_numbers.append(lines)
            length += len(rows)
            progress(length)
    finished = list(zip(names, builders, strict=True))
    return Columns(
        path,
        names,
        {name: builder.finish() for name, builder in finished if isinstance(builder, TextBuilder)},
        {name: builder.finish() for name, builder in finished if isinstance(builder, _NumberBuilder)},
        np.concatenate(line_numbers),
        CsvRows(names, list(chain.from_iterable(raw))),
    )


def csv_text(cells: Iterable[object]) -> str:
    """One row as CSV text without a line end."""
    line = _Line()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.text


class _Line:
    """What csv.writer writes to; it hands over one row in one piece."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


class _NumberBuilder:
    """Grows a column of numbers by pieces."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name
        self._pieces: list[NDArray[np.float64]] = [np.empty(0)]

    def add(self, cells: Sequence[str], lines: NDArray[np.int64]) -> None:
        """Append cells; NaN for an empty one."""
        try:
            self._pieces.append(_numbers(cells))
        except ValueError:
            self._pieces.append(self._one_by_one(cells, lines))

    def finish(self) -> NDArray[np.float64]:
        """The finished column."""
        return np.concatenate(self._pieces)

    def _one_by_one(self, cells: Sequence[str], lines: NDArray[np.int64]) -> NDArray[np.float64]:
        """As `_numbers`, with an error that says where; blanks alone are an empty cell too."""
        numbers = np.empty(len(cells))
        for place, cell in enumerate(cells):
            try:
                numbers[place : place + 1] = _numbers([cell.strip()])
            except ValueError:
                line = int(lines[place])
                raise FileFormatError(
                    self._path, "must be a number", NUMBER_EXPECTED, repr(cell), line, self._name
                ) from None
        return numbers


def _builder(path: str, name: str, kind: Literal["text", "number"]) -> TextBuilder | _NumberBuilder:
    return TextBuilder() if kind == "text" else _NumberBuilder(path, name)


def _numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    """float64 of cells, NaN where empty; ValueError where one is not a number."""
    # float() takes "1_000" for 1000, which in a file is a slip rather than a number.
    if "_" in "".join(cells):
        raise ValueError("_")
    return np.array([float(cell) if cell else math.nan for cell in cells], np.float64)


class _Chunks:
    """Chunks of the rows of a CSV file, with the text of each row and the line it starts in."""

    def __init__(self, path: str, file: Iterable[str]) -> None:
        self._path = path
        self._consumed: list[str] = []
        # strict: a stray quote is an error here, not a cell that swallows the lines behind it.
        self._reader = csv.reader(self._remembered(file), strict=True)

    @property
    def line(self) -> int:
        """Line that was read last, counted from 1."""
        return self._reader.line_num

    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        while rows := self._take(1):
            if rows[0]:
                self._consumed.clear()
                return tuple(name.strip() for name in rows[0])
        raise FileFormatError(self._path, "must have a header line", "names of columns", "an empty file")

    def __iter__(self) -> Iterator[tuple[list[list[str]], list[str], NDArray[np.int64]]]:
        before = self.line
        while rows := self._take(CHUNK):
            texts = [text.rstrip("\r\n") for text in self._consumed]
            starts = np.arange(before + 1, before + 1 + len(texts), dtype=np.int64)
            self._consumed.clear()
            if len(texts) != len(rows):
                texts, starts = _rows_of_several_lines(rows, before)
            if [] in rows:
                kept = [place for place, row in enumerate(rows) if row]
                rows, texts, starts = [rows[i] for i in kept], [texts[i] for i in kept], starts[kept]
            if rows:
                yield rows, texts, starts
            before = self.line

    def _remembered(self, file: Iterable[str]) -> Iterator[str]:
        for line in file:
            self._consumed.append(line)
            yield line

    def _take(self, count: int) -> list[list[str]]:
        try:
            return list(islice(self._reader, count))
        except csv.Error as error:
            raise FileFormatError(self._path, "must be valid CSV", found=str(error), line=self.line) from None
        except UnicodeDecodeError:
            line, byte = _first_undecodable(self._path)
            raise FileFormatError(self._path, "must be text", "UTF-8", f"byte 0x{byte:02x}", line) from None


def _first_undecodable(path: str) -> tuple[int | None, int]:
    """Line and byte that are not UTF-8: the text layer decodes in blocks and no longer knows."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, line[error.start]
    return None, 0


def _rows_of_several_lines(rows: list[list[str]], before: int) -> tuple[list[str], NDArray[np.int64]]:
    """Text and first line of rows of which some hold quoted line ends, read after line `before`."""
    heights = [
        1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row) for row in rows
    ]
    starts = np.cumsum([before + 1, *heights[:-1]], dtype=np.int64)
    return [csv_text(row) for row in rows], starts


def _check_width(path: str, names: Sequence[str], rows: list[list[str]], lines: NDArray[np.int64]) -> None:
    if set(map(len, rows)) == {len(names)}:
        return
    place = next(place for place, row in enumerate(rows) if len(row) != len(names))
    raise FileFormatError(
        path,
        "the line is ragged",
        f"{len(names)} cells as in the header",
        f"{len(rows[place])}",
        int(lines[place]),
        # The first column without a cell; None where there are too many cells.
        names[len(rows[place])] if len(rows[place]) < len(names) else None,
    )
