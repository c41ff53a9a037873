"""What every input file must obey: named rows, one row or one value for each name."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from levcore.files.columns import Columns, Progress
from levcore.files.csv import read_csv
from levcore.files.parquet import is_parquet, read_parquet

__all__ = ["check_named", "first_repeated", "one_value_each", "read_columns"]


def read_columns(
    path: str | Path,
    texts: Iterable[str],
    numbers: Iterable[str],
    required: Iterable[str],
    progress: Progress | None = None,
) -> Columns:
    """Columns of a file, CSV or Parquet by its name; those in `required` must be there."""
    kinds: dict[str, Literal["text", "number"]] = dict.fromkeys(texts, "text")
    kinds.update(dict.fromkeys(numbers, "number"))
    if is_parquet(path):
        return read_parquet(str(path), kinds, required)
    return read_csv(str(path), kinds, required, progress or (lambda _: None))


def check_named(columns: Columns, name: str, rows: NDArray[np.int64]) -> None:
    """Refuse an empty cell of a text column in one of these rows."""
    texts = columns.texts[name]
    if "" not in texts.values:
        return
    empty = texts.codes[rows] == texts.values.index("")
    if empty.any():
        row = int(rows[int(np.argmax(empty))])
        raise columns.error(row, name, "must not be empty", f"the {name}", "an empty cell")


def first_repeated(codes: NDArray[np.int64]) -> int:
    """First row whose code an earlier row has."""
    first = np.full(len(codes), True)
    first[np.unique(codes, return_index=True)[1]] = False
    return int(np.argmax(first))


def one_value_each(columns: Columns, key: str, name: str, values: NDArray[np.float64]) -> dict[str, float]:
    """Value of column `name` by the text of column `key`, without those that have none."""
    texts = columns.texts[key]
    given = np.flatnonzero(~np.isnan(values))
    # Written backwards, so that the first row of each code is the one that stays.
    first = np.full(len(texts.values), -1, np.int64)
    first[texts.codes[given[::-1]]] = given[::-1]
    codes = np.flatnonzero(first >= 0)
    contradicting = given[values[given] != values[first[texts.codes[given]]]]
    if len(contradicting):
        row = int(contradicting[0])
        earlier = int(first[texts.codes[row]])
        expected = f"{float(values[earlier])!r} as in line {columns.lines[earlier]}"
        raise columns.error(
            row, name, f"contradicts itself for {texts[row]}", expected, repr(float(values[row]))
        )
    return {texts.values[code]: float(values[first[code]]) for code in codes.tolist()}
