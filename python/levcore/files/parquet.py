"""Parquet files in and out, with pyarrow: the extra ``parquet``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from levcore.errors import FileFormatError, InputError
from levcore.files.columns import Columns, Texts, check_header
from levcore.files.csv import csv_text

__all__ = ["ParquetRows", "is_parquet", "parquet_library", "read_parquet", "write_parquet"]


@dataclass(frozen=True)
class ParquetRows:
    """Rows of a Parquet file as pyarrow holds them.

    Parameters
    ----------
    table : pyarrow.Table
        The file.
    """

    table: Any

    def csv_lines(self, start: int, stop: int) -> list[str]:
        """Rows `start` to `stop` as CSV text without line ends; a null or a NaN is an empty cell."""
        part = self.table.slice(start, stop - start)
        columns = [
            [None if value != value else value for value in column.to_pylist()] for column in part.columns
        ]
        return [csv_text(cells) for cells in zip(*columns, strict=True)]

    def column(self, name: str) -> Sequence[Any]:
        """Values of one column, None for a null."""
        values: list[Any] = self.table.column(name).to_pylist()
        return values


def is_parquet(path: str | Path) -> bool:
    """Whether the name of a file says Parquet."""
    return Path(path).suffix.lower() in (".parquet", ".pq")


def parquet_library(path: str | Path) -> Any:
    """Return the module ``pyarrow``, with ``pyarrow.parquet`` and ``pyarrow.compute`` loaded.

    Raises
    ------
    InputError
        Where pyarrow is not installed: says which extra brings it.
    """
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        extra = "the extra 'parquet' (pip install 'levcore[parquet]'), or a CSV file"
        raise InputError(str(path), "a Parquet file needs pyarrow", extra, "no pyarrow") from None
    return pyarrow


def read_parquet(
    path: str, kinds: Mapping[str, Literal["text", "number"]], required: Iterable[str]
) -> Columns:
    """Columns of a Parquet file.

    Parameters
    ----------
    path : str
        The file.
    kinds : mapping of str to {"text", "number"}
        Columns to read where the file has them. Integers are taken as text for an account or an instrument
        that is a number; text is not taken as a number.
    required : iterable of str
        Columns that must be there.

    Raises
    ------
    FileFormatError
        Not a Parquet file, a column is missing or of the wrong type, a text is null where the column is text.
    InputError
        pyarrow is not installed.
    """
    arrow = parquet_library(path)
    try:
        table = arrow.parquet.read_table(path)
    except arrow.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise FileFormatError(path, "must be a Parquet file", found=reason) from None
    names = tuple(table.column_names)
    check_header(path, names, required)
    wanted = {name: table.column(name) for name in names if name in kinds}
    return Columns(
        path,
        names,
        {name: _texts(arrow, path, name, column) for name, column in wanted.items() if kinds[name] == "text"},
        {
            name: _numbers(arrow, path, name, column)
            for name, column in wanted.items()
            if kinds[name] == "number"
        },
        np.arange(1, table.num_rows + 1, dtype=np.int64),
        ParquetRows(table),
    )


def write_parquet(path: str | Path, columns: Mapping[str, Any], source: Any = None) -> None:
    """Write columns to a Parquet file.

    Parameters
    ----------
    path : path
        The file.
    columns : mapping of str to ndarray, of sequence, or of (codes, texts)
        The columns, of one length. A pair is a column of text: integer codes into the distinct texts.
    source : ParquetRows, optional
        Rows whose columns stand before `columns`, types unchanged.

    Raises
    ------
    InputError
        pyarrow is not installed.
    """
    arrow = parquet_library(path)
    arrays: dict[str, Any] = {}
    if isinstance(source, ParquetRows):
        arrays |= zip(source.table.column_names, source.table.columns, strict=True)
    for name, values in columns.items():
        if isinstance(values, tuple):
            codes, texts = values
            words = arrow.array(texts, arrow.string())
            arrays[name] = arrow.DictionaryArray.from_arrays(arrow.array(codes), words)
        else:
            arrays[name] = arrow.array(values)
    arrow.parquet.write_table(arrow.table(arrays), path)


def _texts(arrow: Any, path: str, name: str, column: Any) -> Texts:
    """Text column; a null is the empty text, as an empty cell of a CSV file is."""
    types = arrow.types
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_integer(column.type):
        column = column.cast(arrow.string())
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        raise FileFormatError(
            path, "must be text", "string, dictionary or integer", str(column.type), column=name
        )
    column = arrow.compute.utf8_trim_whitespace(column.fill_null(""))
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, arrow.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Texts(codes, tuple(encoded.dictionary.to_pylist()))


def _numbers(arrow: Any, path: str, name: str, column: Any) -> NDArray[np.float64]:
    """Number column; a null is NaN."""
    types = arrow.types
    numeric = (types.is_floating, types.is_integer, types.is_decimal, types.is_null)
    if not any(is_type(column.type) for is_type in numeric):
        raise FileFormatError(path, "must be numbers", "double", str(column.type), column=name)
    # safe=False: an int64 beyond 2**53 becomes the nearest float64, as the same digits in a CSV file would.
    floats = column.cast(arrow.float64(), safe=False)
    values: NDArray[np.float64] = floats.to_numpy()
    return values
