"""The caller's instruments from a file, one row a tier."""

from collections.abc import Collection, Iterator
from os import PathLike
from pathlib import Path

from levcore._levcore import text_to_number
from levcore.errors import FileFormatError, InputError, LevcoreError
from levcore.files.tables import FileColumns, read_table
from levcore.rules.instrument_rows import COLUMNS, REQUIRED_COLUMNS, Cells, instruments_of_records
from levcore.rules.instruments import InstrumentTable
from levcore.rules.tiers import Number

__all__ = ["read_instruments"]

TEXTS = frozenset(
    ("instrument", "payoff", "unit", "shape", "settlement", "underlying", "isolated_only", "table")
)


def read_instruments(
    path: str | PathLike[str], *, as_of: str = "", ignore_columns: Collection[str] = ()
) -> InstrumentTable:
    """Instruments of a file with one row a tier.

    Parameters
    ----------
    path : path
        A table with the columns ``instrument, payoff, contract_size, floor, rate, unit`` and, as wanted,
        ``multiplier, tick_size, tier, deduction, max_leverage, shape, cap, settlement, underlying,
        funding_rate, isolated_only, slope, table``. Rows of an instrument ascend. An empty cell is a value
        not given: a missing deduction is derived, a missing last cap means that there is none, a missing
        multiplier is 1 except for quanto contracts, which must state it. ``table`` says whose tier a row is:
        ``maintenance`` (the default), ``short`` or ``initial``; a row with a ``slope`` is a growing table.
        ``isolated_only`` is yes or no. Any other column is refused.
    as_of : str
        Date of the facts.
    ignore_columns : collection of str
        Other columns that the file may have.

    Raises
    ------
    FileFormatError
        Where the file is not that, with its line, column and what was expected.
    OSError
        Where the file cannot be read.
    """
    table, data = read_table(Path(path))
    columns = FileColumns(str(path), table, data, (), (), (), passed=table.names)
    _check_header(columns, ignore_columns)

    def fault(row: int, column: str, rule: str, expected: str, found: str) -> LevcoreError:
        line = columns.line_of(row) if len(columns) else 1
        return FileFormatError(columns.path, rule, expected, found, line, column or None)

    return InstrumentTable(instruments_of_records(_records(columns), fault), source=str(path), as_of=as_of)


def _check_header(columns: FileColumns, ignored: Collection[str]) -> None:
    """Refuse a missing column, and an unknown one: a typing error would silently drop its numbers."""
    names, line = columns.table.names, columns.header_line
    for name in REQUIRED_COLUMNS:
        if name not in names:
            expected = "columns " + ", ".join(REQUIRED_COLUMNS)
            raise FileFormatError(columns.path, "is missing", expected, ", ".join(names[:30]), line, name)
    for name in names:
        if name not in COLUMNS and name not in ignored:
            expected, found = ", ".join(COLUMNS), repr(name)
            raise FileFormatError(columns.path, "is no column of instruments", expected, found, line, name)


def _records(columns: FileColumns) -> Iterator[tuple[int, Cells]]:
    cells = {name: _cells(columns, name) for name in columns.table.names if name in COLUMNS}
    for row in range(len(columns)):
        yield row, {name: values[row] for name, values in cells.items()}


def _cells(columns: FileColumns, name: str) -> list[Number | None]:
    """Cells of a column, None where empty; a number stays the decimal that stands there, which tiers need."""
    values = columns.table.values(name)
    if name in TEXTS:
        return [None if value is None else str(value).strip() or None for value in values]
    return [_number(columns, row, name, value) for row, value in enumerate(values)]


def _number(columns: FileColumns, row: int, name: str, value: str | float | None) -> Number | None:
    if not isinstance(value, str):
        return None if value is None or value != value else value
    try:
        text_to_number(value)
    except InputError as error:
        raise columns.error(row, name, error.rule, error.expected, repr(error.found)) from None
    return value.strip() or None
