"""The columns of a table that came in, by what they mean; the same for a frame and for a file.

A frame's cells have types and an error names a row; a file's cells are text first and an error names its line
(`levcore.files.tables`). Text is kept as codes into its distinct values, numbers as float64 with NaN for what
is missing.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from levcore._levcore import Table
from levcore.book.coded_labels import CodedLabels
from levcore.book.column_names import ColumnFault, name_columns
from levcore.errors import DTypeError, InputError, LevcoreError

__all__ = ["Columns", "found_in", "frame_table"]


class Columns:
    """Columns of a table by the names of inputs.

    Parameters
    ----------
    table : levcore._levcore.Table
        The table.
    texts, numbers : iterable of str
        Inputs that are read where the table has them.
    required : iterable of str
        Those that it must have.
    ignored, passed : collection of str
        Columns that are no inputs: left out, or passed through.
    results : collection of str
        Names that no column may have which goes out again.
    earlier : collection of str
        Names of columns that are left out where the table has all of them.
    is_text : bool
        Whether numbers may come as text, as in a CSV file.
    known : mapping of str to list, optional
        Labels of text columns that stand first, as `levcore.book.numbered_labels.number_labels` says.

    Attributes
    ----------
    names : dict of str to str
        Column of each input, as the table spells it.
    texts : dict of str to CodedLabels
        The text columns that are there.
    numbers : dict of str to ndarray of float64, shape (n,)
        The same for numbers; NaN where a cell is empty.
    kept : levcore._levcore.Table
        What goes out again: every column but those ignored, as it came.
    has_earlier : bool
        Whether the table had all columns of `earlier`.

    Raises
    ------
    InputError, DTypeError
        As `levcore.book.column_names.name_columns` says, and for cells of a wrong type.
    """

    names: dict[str, str]
    has_earlier: bool
    kept: Table
    texts: dict[str, CodedLabels]
    numbers: dict[str, NDArray[np.float64]]

    def __init__(
        self,
        table: Table,
        texts: Iterable[str],
        numbers: Iterable[str],
        required: Iterable[str],
        *,
        ignored: Collection[str] = (),
        passed: Collection[str] = (),
        results: Collection[str] = (),
        earlier: Collection[str] = (),
        is_text: bool = False,
        known: Mapping[str, list[Any] | None] | None = None,
    ) -> None:
        self.table: Table = table
        self._known = known or {}
        texts, numbers = tuple(texts), tuple(numbers)
        try:
            named = name_columns(
                table.names,
                (*texts, *numbers),
                required,
                ignored=ignored,
                passed=passed,
                results=results,
                earlier=earlier,
            )
        except ColumnFault as fault:
            raise self.header_error(fault) from None
        self.names, self.has_earlier = named.names, named.has_earlier
        self.kept = table if len(named.kept) == len(table.names) else table.select(list(named.kept))
        self.texts = {name: self._labels(name, is_text) for name in texts if name in named.names}
        self.numbers = {name: self._numbers(name, is_text) for name in numbers if name in named.names}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.table)

    @property
    def passed_through(self) -> tuple[str, ...]:
        """Columns that mean nothing here and go out again as they came."""
        read = set(self.names.values())
        return tuple(name for name in self.kept.names if name not in read)

    def column_of(self, name: str) -> str:
        """Column of an input as the table spells it; the input's own name where there is none."""
        return self.names.get(name, name)

    def header_error(self, fault: ColumnFault) -> InputError:
        """Error of a header."""
        return InputError(fault.column or "frame", fault.rule, fault.expected, fault.found)

    def cell_error(self, error: DTypeError, column: str) -> InputError:
        """Error of a cell, or of the type of a column."""
        return DTypeError(column, error.rule, error.expected, found_in(error), error.row)

    def error(self, row: int, name: str, rule: str, expected: str = "", found: str = "") -> InputError:
        """Error that names `row` and the column of an input."""
        return InputError(self.column_of(name), rule, expected, found, row)

    def row_word(self, row: int) -> str:
        """How an error calls another row."""
        return f"row {row}"

    def _numbers(self, name: str, is_text: bool) -> NDArray[np.float64]:
        values: NDArray[np.float64] = self._read(name, lambda column: self.table.numbers(column, is_text))
        return values

    def _labels(self, name: str, is_text: bool) -> CodedLabels:
        known = self._known.get(name)
        codes, labels = self._read(name, lambda column: self.table.labels(column, is_text, known))
        return CodedLabels(codes, labels)

    def _read(self, name: str, read: Callable[[str], Any]) -> Any:
        column = self.names[name]
        try:
            return read(column)
        except DTypeError as error:
            raise self.cell_error(error, column) from None


def found_in(error: DTypeError) -> str:
    """What an error of the core found: a cell, whose text is quoted, or a type."""
    return error.found if error.row is None else repr(error.found)


def frame_table(frame: object) -> Table:
    """Columns of anything that exports the Arrow C stream; those of pandas also without pyarrow.

    Raises
    ------
    DTypeError
        For what has neither ``__arrow_c_stream__`` nor columns of arrays.
    """
    if isinstance(frame, Table):
        return frame
    export = getattr(frame, "__arrow_c_stream__", None)
    if export is not None:
        try:
            return Table.from_stream(_without_null_type(frame).__arrow_c_stream__())
        except ImportError:
            if not hasattr(frame, "to_numpy"):
                raise
        except (LevcoreError, MemoryError):
            raise
        except Exception as error:  # whatever library it is, it cannot say it in our words
            expected = "columns of numbers, text or categories, each name once"
            found = f"{type(error).__name__}: {error}"
            raise InputError("frame", "cannot be given as an Arrow stream", expected, found) from error
    items: Callable[[], Iterable[tuple[Any, Any]]] | None = getattr(frame, "items", None)
    if items is not None and hasattr(frame, "to_numpy") and hasattr(frame, "columns"):
        # pandas exports Arrow by pyarrow alone.
        return _table_of_arrays({str(name): column.to_numpy() for name, column in items()})
    expected = "anything with __arrow_c_stream__: polars, pyarrow, DuckDB, pandas"
    if hasattr(frame, "collect"):
        expected += "; collect() what is lazy first"
    raise DTypeError("frame", "must be a frame", expected, type(frame).__name__)


def _without_null_type(frame: Any) -> Any:
    """The frame, a type given to columns of polars without one: Arrow refuses their export."""
    schema = getattr(frame, "schema", None)
    if not type(frame).__module__.startswith("polars") or schema is None:
        return frame
    for name in schema:
        if "\0" in name:
            raise InputError(repr(name), "a name must not hold a zero byte", "a name without it", repr(name))
    typed = {name: _with_type(kind) for name, kind in schema.items() if "Null" in str(kind)}
    return (
        frame.with_columns(frame.get_column(name).cast(kind) for name, kind in typed.items())
        if typed
        else frame
    )


def _with_type(kind: Any) -> Any:
    """Type of polars with text where it has none, in lists and fields, too."""
    polars = sys.modules["polars"]
    if isinstance(kind, polars.List):
        return polars.List(_with_type(kind.inner))
    if isinstance(kind, polars.Struct):
        return polars.Struct([polars.Field(each.name, _with_type(each.dtype)) for each in kind.fields])
    return polars.String if kind == polars.Null else kind


def _table_of_arrays(columns: dict[str, NDArray[Any]]) -> Table:
    table = Table(len(next(iter(columns.values()), ())))
    for name, values in columns.items():
        if values.dtype.kind == "f":
            table = table.with_numbers(name, np.ascontiguousarray(values, np.float64))
        elif values.dtype.kind in "iu":
            table = table.with_integers(name, values.tolist())
        elif values.dtype.kind in "OUT":
            table = _with_objects(table, name, values.tolist())
        else:
            rule = "must be numbers or text where pyarrow is not installed"
            raise DTypeError(name, rule, "float, integer or text", str(values.dtype))
    return table


def _with_objects(table: Table, name: str, values: list[Any]) -> Table:
    values = [None if value is None or value != value else value for value in values]
    try:
        return table.with_texts(name, values)
    except TypeError:
        pass
    try:
        return table.with_integers(name, values)
    except TypeError:
        rule, expected = "must be all text or all whole numbers", "str, int or None"
        raise DTypeError(name, rule, expected, "a column of mixed objects") from None
