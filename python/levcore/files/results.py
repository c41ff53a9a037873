"""Results out: the rows of the input with the measures beside them, as CSV, JSON or Parquet.

Numbers are written in the shortest form that reads back to the same float64. In CSV a missing number is an
empty cell and an infinite one is ``inf``; JSON knows neither, so there they are ``null`` and ``"Infinity"``.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from levcore._levcore import __version__
from levcore.book.labels import cross_positions
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.files.columns import Progress
from levcore.files.csv import csv_text
from levcore.files.parquet import is_parquet, parquet_library, write_parquet
from levcore.files.positions import NUMBER_COLUMNS, Positions
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES
from levcore.status import AccountStatus, State, Status

__all__ = ["check_output", "json_cells", "json_value", "write_csv", "write_json", "write_results"]

# Rows turned into text at a time.
CHUNK = 65_536

KEYS = ("account", "asset")
SUFFIXES = (".csv", ".json", ".parquet", ".pq")

Column = NDArray[np.float64] | tuple[NDArray[np.uint8], Sequence[str]]
"""Numbers, or codes with the word of each."""


def write_results(
    path: str | Path, positions: Positions, risk: BookRisk, *, progress: Progress | None = None
) -> None:
    """Write the input's columns and the measures to a file.

    Parameters
    ----------
    path : path
        ``.csv``, ``.json``, ``.parquet`` or ``.pq``. The file appears under this name only once it is
        complete.
    positions : Positions
        The input.
    risk : BookRisk
        Its evaluation.
    progress : callable, optional
        Called now and then with the number of rows written.

    Raises
    ------
    InputError
        As for `check_output`.
    """
    check_output(path)
    progress = progress or (lambda _: None)
    if is_parquet(path):
        with _replacing(path) as unfinished:
            write_parquet(unfinished, _parquet_columns(positions, risk), positions.columns.rows)
    else:
        write: Callable[[TextIO, Positions, BookRisk, Progress], None]
        write = write_csv if Path(path).suffix.lower() == ".csv" else write_json
        with _replacing(path) as unfinished, open(unfinished, "w", encoding="utf-8", newline="") as file:
            write(file, positions, risk, progress)


def check_output(path: str | Path) -> None:
    """Refuse a file that `write_results` could not write, before the work is done.

    Raises
    ------
    InputError
        The name ends in nothing known, its folder does not exist, or Parquet is asked for without pyarrow.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        expected, found = ", ".join(SUFFIXES), repr(Path(path).suffix)
        raise InputError(str(path), "must be a kind of file that can be written", expected, found)
    if not Path(path).absolute().parent.is_dir():
        raise InputError(str(path), "must lie in a folder that exists", found=str(Path(path).parent))
    if is_parquet(path):
        parquet_library(path)


def write_csv(file: TextIO, positions: Positions, risk: BookRisk, progress: Progress) -> None:
    """Write a CSV file: each line of the input as it stood there, and the results behind it."""
    results = _results(risk)
    file.write(csv_text([*positions.columns.names, *results]) + "\n")
    for start in range(0, len(positions), CHUNK):
        stop = min(start + CHUNK, len(positions))
        cells = [_csv_cells(column, start, stop) for column in results.values()]
        rows = positions.columns.rows.csv_lines(start, stop)
        file.write("\n".join(map(",".join, zip(rows, *cells, strict=True))) + "\n")
        progress(stop)


def write_json(file: TextIO, positions: Positions, risk: BookRisk, progress: Progress) -> None:
    """Write one JSON object: the summary, the accounts, balances if any, and the positions, one a line."""
    inputs = {name: _json_input(positions, name) for name in positions.columns.names}
    results = _results(risk)
    file.write(f'{{\n "levcore": {json.dumps(__version__)},\n')
    file.write(f' "summary": {json.dumps(json_value(risk.summary()), allow_nan=False)},\n')
    file.write(f' "accounts": [{_json_rows(_account_columns(risk))}],\n')
    if len(risk.balances):
        file.write(f' "balances": [{_json_rows(_balance_columns(risk))}],\n')
    file.write(' "positions": [')
    for start in range(0, len(positions), CHUNK):
        stop = min(start + CHUNK, len(positions))
        columns = {name: values[start:stop] for name, values in inputs.items()}
        columns |= {name: json_cells(column, start, stop) for name, column in results.items()}
        file.write(("," if start else "") + _json_rows(columns))
        progress(stop)
    file.write("]\n}\n")


def _results(risk: BookRisk) -> dict[str, Column]:
    columns: dict[str, Column] = {name: risk.column(name) for name in risk.measures}
    columns["state"] = (risk.state, State.words())
    columns["status"] = (risk.status, Status.words())
    return columns


def _csv_cells(column: Column, start: int, stop: int) -> list[str]:
    if isinstance(column, tuple):
        codes, words = column
        return [words[code] for code in codes[start:stop].tolist()]
    # Equal numbers are turned into text once: the legs of an account share its equity and its ratio. Equal
    # means equal bits, so that -0.0 stays what it is.
    bits, places = np.unique(np.ascontiguousarray(column[start:stop]).view(np.int64), return_inverse=True)
    texts = list(map(repr, bits.view(np.float64).tolist()))
    texts = ["" if text == "nan" else text for text in texts]
    return [texts[place] for place in places.tolist()]


def json_cells(column: Column, start: int, stop: int) -> list[Any]:
    """Rows of a column as JSON can hold them."""
    if isinstance(column, tuple):
        return list(_csv_cells(column, start, stop))
    numbers = column[start:stop]
    values: list[Any] = numbers.tolist()
    for place in np.flatnonzero(~np.isfinite(numbers)).tolist():
        values[place] = json_value(values[place])
    return values


def json_value(value: Any) -> Any:
    """Return `value` as JSON can hold it."""
    if isinstance(value, dict):
        return {name: json_value(one) for name, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _json_input(positions: Positions, name: str) -> Sequence[Any]:
    if name in NUMBER_COLUMNS:
        return json_cells(positions.columns.numbers[name], 0, len(positions))
    return [json_value(value) for value in positions.columns.rows.column(name)]


def _json_rows(columns: Mapping[str, Sequence[Any]]) -> str:
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    names = tuple(columns)
    rows = zip(*columns.values(), strict=True)
    return ",".join("\n  " + encode(dict(zip(names, row, strict=True))) for row in rows)


def _account_columns(risk: BookRisk) -> dict[str, Sequence[Any]]:
    accounts, count = risk.accounts, len(risk.accounts)
    columns: dict[str, Sequence[Any]] = {"account": [json_value(name) for name in accounts.ids]}
    columns |= {name: json_cells(getattr(accounts, name), 0, count) for name in ACCOUNT_MEASURES}
    columns["state"] = _csv_cells((accounts.state, State.words()), 0, count)
    columns["status"] = _csv_cells((accounts.status, AccountStatus.words()), 0, count)
    columns["positions"] = cross_positions(
        risk.book.account_codes, risk.book.is_cross, len(risk.accounts)
    ).tolist()
    return columns


def _balance_columns(risk: BookRisk) -> dict[str, Sequence[Any]]:
    columns = risk.balances.to_dict()
    count = len(risk.balances)
    rows: dict[str, Sequence[Any]] = {name: [json_value(each) for each in columns[name]] for name in KEYS}
    rows |= {name: json_cells(columns[name], 0, count) for name in BALANCE_MEASURES}
    rows["status"] = _csv_cells((risk.balances.status, Status.words()), 0, count)
    return rows


def _parquet_columns(positions: Positions, risk: BookRisk) -> dict[str, Any]:
    """Columns to write; those of a Parquet input go there by themselves, types unchanged."""
    columns: dict[str, Any] = {}
    if not is_parquet(positions.columns.path):
        for name in positions.columns.names:
            if name in positions.columns.numbers:
                columns[name] = positions.columns.numbers[name]
            elif name in positions.columns.texts:
                texts = positions.columns.texts[name]
                columns[name] = (texts.codes.astype(np.int32), texts.values)
            else:
                columns[name] = positions.columns.rows.column(name)
    return columns | _results(risk)


@contextmanager
def _replacing(path: str | Path) -> Iterator[Path]:
    """Path to write to; what is there takes the place of `path` at the end, if nothing failed."""
    final = Path(path)
    if final.exists() and not final.is_file():
        # A device or a pipe cannot be replaced.
        yield final
        return
    unfinished = final.with_name(f".{final.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        unfinished.replace(final)
    finally:
        unfinished.unlink(missing_ok=True)
