"""Tables in and out of files, by polars: the extra ``files``.

A CSV file is read as text first and cast afterwards, so that a wrong cell is told with its line, and a column
that is only passed through keeps its characters.
"""

import csv
import io
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from levcore._levcore import Table
from levcore.book.coded_labels import CodedLabels
from levcore.book.column_names import ColumnFault, check_names, name_columns
from levcore.book.columns import Columns, found_in, frame_table
from levcore.errors import DTypeError, FileFormatError, InputError

__all__ = [
    "FORMATS",
    "STANDARD",
    "FileColumns",
    "Progress",
    "file_kind",
    "polars_library",
    "read_columns",
    "read_table",
    "write_table",
]

Progress = Callable[[int], None]
"""Called with the number of rows done so far."""

FORMATS = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "ipc",
}
"""Kind of file by the end of its name; a file of another name is read as CSV."""
STANDARD = "-"
"""Name of standard input, which is read as CSV, and of standard output."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BEGINNINGS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: save its sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save its sheet as CSV",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive: unpack it",
    b"BZh": "a bzip2 archive: unpack it",
    b"\xfd7zXZ": "an xz archive: unpack it",
    b"\xff\xfe": "UTF-16: save it as CSV in UTF-8",
    b"\xfe\xff": "UTF-16: save it as CSV in UTF-8",
    b"PAR1": "a Parquet file: its name must end in .parquet",
    b"ARROW1": "an Arrow file: its name must end in .arrow",
    b"{": "JSON: save it as CSV; a venue's reply is read with --from VENUE",
    b"[": "JSON: save it as CSV; a venue's reply is read with --from VENUE",
    b"<": "HTML or XML: save its table as CSV",
}
"""First bytes of what is taken for CSV and is none, and what to do."""


def file_kind(path: str | Path) -> str:
    """``"csv"``, ``"parquet"`` or ``"ipc"``."""
    return FORMATS.get(Path(path).suffix.lower(), "csv")


def polars_library(path: str | Path) -> Any:
    """Return the module ``polars``.

    Raises
    ------
    InputError
        Where it is not installed: says which extra brings it.
    """
    try:
        import polars
    except ImportError:
        expected = 'the extra files: pip install "levcore[files]"'
        raise InputError(str(path), "a file of a table needs polars", expected, "no polars") from None
    return polars


class FileColumns(Columns):
    """Columns of a file: an error names the file and the line.

    Parameters
    ----------
    path : str
        The file, as the caller named it.
    data : bytes or None
        Content of a CSV file; None for one that has no lines. A row of it then counts as a line.
    """

    def __init__(self, path: str, table: Table, data: bytes | None, *names: Any, **options: Any) -> None:
        self.path = path
        self.data = data
        super().__init__(table, *names, is_text=data is not None, **options)

    @property
    def header_line(self) -> int | None:
        """Line of the header; None for a file that has no lines."""
        return None if self.data is None else _header(self.path, self.data)[0]

    def header_error(self, fault: ColumnFault) -> InputError:
        """Error of the header."""
        line = self.header_line
        return FileFormatError(self.path, fault.rule, fault.expected, fault.found, line, fault.column)

    def cell_error(self, error: DTypeError, column: str) -> InputError:
        """Error of a cell, or of the type of a column."""
        line = None if error.row is None else self.line_of(error.row)
        return FileFormatError(self.path, error.rule, error.expected, found_in(error), line, column)

    def error(self, row: int, name: str, rule: str, expected: str = "", found: str = "") -> InputError:
        """Error that names this file, the line of `row` and the column."""
        return FileFormatError(self.path, rule, expected, found, self.line_of(row), self.column_of(name))

    def row_word(self, row: int) -> str:
        """How an error calls another row."""
        return f"line {self.line_of(row)}"

    def line_of(self, row: int) -> int:
        """Line of a row in the file, counted from 1."""
        return row + 1 if self.data is None else self._records[row + 1]

    @cached_property
    def _records(self) -> list[int]:
        """Line in which the header and each row begins; found only when a line must be told."""
        return [line for line, cells in records(self.path, self.data or b"") if cells]

    def _labels(self, name: str, is_text: bool) -> CodedLabels:
        codes, labels = self._read(name, lambda column: self.table.labels(column, True))
        # An account or instrument that is a number is a name here.
        return CodedLabels(codes, [str(label) for label in labels])


def read_columns(
    path: str | Path,
    texts: Iterable[str],
    numbers: Iterable[str],
    required: Iterable[str],
    progress: Progress | None = None,
    **options: Collection[str],
) -> FileColumns:
    """Columns of a file: CSV, Parquet or Arrow by its name.

    Parameters
    ----------
    path : path
        The file; ``"-"`` is standard input, as CSV.
    texts, numbers, required : iterable of str
        As `levcore.book.columns.Columns` takes them, and `options` its keywords.
    progress : callable, optional
        Called when the rows are read.

    Raises
    ------
    FileFormatError
        A column is missing or stands twice, a line is ragged, a cell is not a number: with line and column.
    InputError
        polars is not installed.
    OSError
        The file cannot be opened.
    """
    texts, numbers, required = tuple(texts), tuple(numbers), tuple(required)

    def check(names: list[str]) -> None:
        name_columns(names, (*texts, *numbers), required, **options)

    table, data = read_table(path, check)
    columns = FileColumns(str(path), table, data, texts, numbers, required, **options)
    if progress is not None:
        progress(len(columns))
    return columns


def read_table(
    path: str | Path, check: Callable[[list[str]], None] = lambda _: None
) -> tuple[Table, bytes | None]:
    """Columns of a file as they are; of a CSV file, whose cells are text, also the content.

    `check` looks at the header of a CSV file before anything else is, and raises `ColumnFault`.
    """
    polars, kind = polars_library(path), file_kind(path)
    data = sys.stdin.buffer.read() if str(path) == STANDARD else Path(path).read_bytes()
    if kind != "csv":
        return _binary_table(polars, str(path), data, kind), None
    for first, found in BEGINNINGS.items():
        if data.startswith(first):
            raise FileFormatError(str(path), "must be a CSV file", "text in UTF-8", found)
    data = data.removeprefix(BYTE_ORDER_MARK)
    return _csv_table(polars, str(path), data, check), data


def write_table(file: BinaryIO, table: Table, path: str | Path) -> None:
    """Write a table to an open file, in the kind that the name of `path` says.

    Raises
    ------
    InputError
        For a column that has no cells: lists, fields and bytes are no CSV.
    """
    polars = polars_library(path)
    frame = polars.DataFrame(table)
    kind = file_kind(path)
    if kind == "parquet":
        frame.write_parquet(file)
    elif kind == "ipc":
        frame.write_ipc(file)
    else:
        for name, dtype in frame.schema.items():
            if dtype.is_nested() or dtype == polars.Binary:
                expected = f"numbers, text or times; a file of another kind, or ignore_columns='{name}'"
                raise InputError(name, "cannot be cells of a CSV file", expected, str(dtype))
        frame.write_csv(file)


def _binary_table(polars: Any, path: str, data: bytes, kind: str) -> Table:
    word = {"parquet": "a Parquet file", "ipc": "an Arrow file"}[kind]
    read = polars.read_parquet if kind == "parquet" else polars.read_ipc
    try:
        return frame_table(read(io.BytesIO(data)))
    except (polars.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileFormatError(path, f"must be {word}", found=reason) from None


def _csv_table(polars: Any, path: str, data: bytes, check: Callable[[list[str]], None]) -> Table:
    """Every column of a CSV file as text, null for an empty cell."""
    names = _header(path, data, check)[1]
    fault, content = "", data.strip(b"\r\n")
    try:
        frame = polars.read_csv(content, infer_schema=False)
    except polars.exceptions.PolarsError as error:
        frame, fault = None, str(error).splitlines()[0]
    if frame is None or not _is_plain(content, len(names), frame.height):
        kept = _checked_rows(path, data, names)
        if frame is None or len(kept) != frame.height:
            found = (
                fault or "line ends of another kind than \\n and \\r\\n, or a quotation mark inside of a cell"
            )
            raise FileFormatError(path, "must be valid CSV", found=found)
        if not all(kept):
            frame = frame.filter(polars.Series(kept))
    frame.columns = names
    return Table.from_stream(frame.__arrow_c_stream__())


def _is_plain(content: bytes, columns: int, rows: int) -> bool:
    """Whether every line has its cells: polars refuses too many, their sum tells too few."""
    returns = content.count(b"\r")
    return (
        b'"' not in content
        and b"\n\n" not in content
        and not (returns and b"\n\r\n" in content)
        and returns == (content.count(b"\r\n") if returns else 0)
        and content.count(b",") == (columns - 1) * (rows + 1)
    )


def _header(
    path: str, data: bytes, check: Callable[[list[str]], None] = lambda _: None
) -> tuple[int, list[str]]:
    """Line and names of the header."""
    line, cells = next(((line, cells) for line, cells in records(path, data) if cells), (1, []))
    names = [name.strip() for name in cells]
    if not names:
        raise FileFormatError(path, "must have a header line", "names of columns", "an empty file")
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise FileFormatError(
            path, "must be separated by commas", "',', and points in numbers", repr(names[0][:40]), line
        )
    try:
        check_names(names)
        check(names)
    except ColumnFault as fault:
        raise FileFormatError(path, fault.rule, fault.expected, fault.found, line, fault.column) from None
    return line, names


def _checked_rows(path: str, data: bytes, names: list[str]) -> list[bool]:
    """Which rows of polars are rows and no blank lines; refuses ragged lines and stray quotes, one by one."""
    kept: list[bool] = []
    for line, cells in records(path, data):
        if not (cells or kept):
            continue
        kept.append(bool(cells))
        if cells and len(cells) != len(names):
            missing = names[len(cells)] if len(cells) < len(names) else None
            expected, found = f"{len(names)} cells as in the header", str(len(cells))
            raise FileFormatError(path, "the line is ragged", expected, found, line, missing)
    while kept and not kept[-1]:
        kept.pop()
    return kept[1:]


def records(path: str, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each record, none of a blank line, by the standard library's reader."""
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    # strict: a stray quote is an error here, not a cell that swallows the lines behind it.
    reader = csv.reader(text, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(path, "must be valid CSV", found=str(error), line=reader.line_num) from None
    except UnicodeDecodeError:
        line, byte = _first_undecodable(data)
        raise FileFormatError(path, "must be text", "UTF-8", f"byte 0x{byte:02x}", line) from None


def _first_undecodable(data: bytes) -> tuple[int, int]:
    """Line and byte that are not UTF-8: the text layer decodes in blocks and no longer knows."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1, data[error.start]
    return 1, 0
