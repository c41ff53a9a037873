"""Results out: the columns of the input with the measures beside them, in every format.

Numbers are written in the shortest form that reads back to the same float64. In CSV a missing number is an
empty cell and an infinite one is ``inf``; JSON knows neither, so there they are ``null`` and ``"Infinity"``.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from levcore._levcore import Table, __version__
from levcore.book.columns import frame_table
from levcore.book.frames import Positions
from levcore.book.labels import cross_positions
from levcore.engine.risk import BookRisk
from levcore.errors import DTypeError, InputError
from levcore.files.tables import Progress, file_kind, polars_library, write_table
from levcore.files.writing import replacing

__all__ = [
    "check_output",
    "json_cells",
    "json_value",
    "write_csv",
    "write_json",
    "write_json_lines",
    "write_results",
]

# Rows turned into text at a time.
CHUNK = 65_536
SUFFIXES = (".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".arrow", ".ipc", ".feather")
JSON_LINES = (".jsonl", ".ndjson")


def write_results(
    path: str | Path, positions: Positions, risk: BookRisk, *, progress: Progress | None = None
) -> None:
    """Write the input's columns and the measures to a file.

    Parameters
    ----------
    path : path
        Its end says the kind: ``.csv``, ``.json``, ``.jsonl``, ``.ndjson``, ``.parquet``, ``.pq``,
        ``.arrow``, ``.ipc`` or ``.feather``. The file appears under this name only once it is complete
        (`levcore.files.writing`).
    positions : Positions
        The input.
    risk : BookRisk
        Its evaluation.
    progress : callable, optional
        Called when the rows are written.

    Raises
    ------
    InputError
        As for `check_output`.
    OSError
        The file cannot be written; what stood there is as it was.
    """
    check_output(path)
    with replacing(path) as file:
        suffix = Path(path).suffix.lower()
        if suffix == ".json":
            write_json(file, positions, risk)
        elif suffix in JSON_LINES:
            write_json_lines(file, positions, risk)
        else:
            _write_frame(file, path, positions, risk)
        if progress is not None:
            progress(len(risk))


def check_output(path: str | Path) -> None:
    """Refuse a file that `write_results` could not write, before the work is done.

    Raises
    ------
    InputError
        The name ends in nothing known, its folder does not exist, or polars is not installed.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        expected, found = ", ".join(SUFFIXES), repr(Path(path).suffix)
        raise InputError(str(path), "must be a kind of file that can be written", expected, found)
    if not Path(path).absolute().parent.is_dir():
        raise InputError(str(path), "must lie in a folder that exists", found=str(Path(path).parent))
    polars_library(path)


def write_csv(file: BinaryIO, positions: Positions, risk: BookRisk) -> None:
    """Write a CSV file: the cells of the input with their characters, and the results behind them."""
    write_table(file, risk.frame(positions.columns.kept), "results.csv")


def write_json(file: BinaryIO, positions: Positions, risk: BookRisk) -> None:
    """Write one JSON object: the summary, the accounts, balances if any, and the positions, one a line."""

    def write(text: str) -> None:
        file.write(text.encode())

    write(f'{{\n "levcore": {json.dumps(__version__)},\n')
    write(f' "summary": {json.dumps(json_value(risk.summary()), allow_nan=False)},\n')
    accounts = _json_columns(risk.accounts.frame())
    counts = cross_positions(risk.book.account_codes, risk.book.is_cross, len(risk.accounts))
    accounts["positions"] = counts.tolist()
    write(f' "accounts": [{_json_rows(accounts)}],\n')
    write(f' "wallets": [{_json_rows(_json_columns(risk.wallets.frame()))}],\n')
    balances = _json_columns(risk.balances.frame())
    write(f' "balances": [{_json_rows(balances)}],\n')
    write(' "positions": [')
    for place, part in enumerate(_json_parts(positions, risk)):
        write(("," if place else "") + _json_rows(part))
    write("]\n}\n")


def write_json_lines(file: BinaryIO, positions: Positions, risk: BookRisk) -> None:
    """Write one JSON object a position, each on a line of its own: what `write_json` has of them."""
    for part in _json_parts(positions, risk):
        file.write("".join(f"{text}\n" for text in _json_texts(part)).encode())


def _json_parts(positions: Positions, risk: BookRisk) -> Iterator[dict[str, Sequence[Any]]]:
    """Columns of the positions, so many rows at a time."""
    columns = _json_columns(risk.frame(positions.columns.kept)) | _json_inputs(positions)
    for start in range(0, len(positions), CHUNK):
        yield {name: values[start : start + CHUNK] for name, values in columns.items()}


def _write_frame(file: BinaryIO, path: str | Path, positions: Positions, risk: BookRisk) -> None:
    polars = polars_library(path)
    try:
        write_table(file, _with_numbers(risk.frame(positions.columns.kept), path, _numbers(positions)), path)
    except polars.exceptions.PolarsError as error:
        # polars tells of a full disk in an exception of its own.
        raise OSError(0, str(error).splitlines()[0], str(path)) from error


def _with_numbers(table: Table, path: str | Path, numbers: dict[str, NDArray[np.float64]]) -> Table:
    """Table whose columns of text that were read as `numbers` are these, NaN as null.

    A CSV file keeps the text; in a file that knows types a number in quotes is not read again.
    """
    if file_kind(path) == "csv":
        return table
    polars = polars_library(path)
    frame = polars.DataFrame(table)
    texts = [name for name in numbers if frame.schema[name] == polars.String]
    return frame_table(
        frame.with_columns(polars.Series(name, numbers[name], nan_to_null=True) for name in texts)
    )


def _json_columns(table: Table) -> dict[str, Sequence[Any]]:
    return {name: _json_values(table, name) for name in table.names}


def _json_values(table: Table, name: str) -> Sequence[Any]:
    if table.kind(name) == "Float64":
        return json_cells(table.numbers(name, False))
    try:
        values = table.values(name)
    except DTypeError:
        # Times, lists and fields, which the core passes through unread.
        values = polars_library("results.json").DataFrame(table.select([name]))[name].to_list()
    return [json_value(value) for value in values]


def _json_inputs(positions: Positions) -> dict[str, Sequence[Any]]:
    return {name: json_cells(values) for name, values in _numbers(positions).items()}


def _numbers(positions: Positions) -> dict[str, NDArray[np.float64]]:
    """The inputs that were read as numbers, also where the file held their text."""
    columns = positions.columns
    return {columns.names[name]: values for name, values in columns.numbers.items()}


def json_cells(numbers: NDArray[np.float64]) -> list[Any]:
    """Numbers as JSON can hold them."""
    values: list[Any] = numbers.tolist()
    for place in np.flatnonzero(~np.isfinite(numbers)).tolist():
        values[place] = json_value(values[place])
    return values


def json_value(value: Any) -> Any:
    """Return `value` as JSON can hold it: arrays as lists, times as text, bytes as hexadecimal digits."""
    if isinstance(value, Mapping):
        return {str(name): json_value(one) for name, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return json_value((value.astype(str) if value.dtype.kind == "M" else value).tolist())
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _json_rows(columns: dict[str, Sequence[Any]]) -> str:
    return ",".join(f"\n  {text}" for text in _json_texts(columns))


def _json_texts(columns: dict[str, Sequence[Any]]) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    names = tuple(columns)
    return (encode(dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True))
