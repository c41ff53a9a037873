"""Large files in parts: rows in, results out, never more than a part at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from levcore.engine.risk import BookRisk
from levcore.errors import FileFormatError, InputError
from levcore.files.tables import file_kind, polars_library, write_table
from levcore.files.writing import replacing

__all__ = ["ROWS", "check_folder", "read_batches", "remove_unfinished", "rows_of_file", "write_part"]

ROWS = 1 << 18
"""Rows of a batch where the caller does not say: those of a row group as polars writes them."""


def read_batches(path: str | Path, rows: int | None = ROWS) -> Iterator[Any]:
    """Frames of at most `rows` rows of a Parquet or Arrow file, by polars; of an empty file one without rows.

    With None for `rows` the file is one batch.
    Only the row groups and pages that a batch needs are read for it.

    Raises
    ------
    InputError
        polars is not installed, or the file is of a kind that has no batches.
    FileFormatError
        It is not what its name says.
    OSError
        The file cannot be opened.
    """
    scan = _scanned(path)
    first, height = 0, rows
    while height == rows:
        batch = _collected(path, scan.slice(first, rows))
        height = batch.height
        if height or not first:
            yield batch
        first += height


def rows_of_file(path: str | Path) -> int:
    """Rows of a Parquet or Arrow file, as it says itself.

    Raises
    ------
    InputError, FileFormatError, OSError
        As `read_batches`.
    """
    count: int = _collected(path, _scanned(path).select(polars_library(path).len())).item()
    return count


def _scanned(path: str | Path) -> Any:
    """Lazy frame of polars of a file that can be read in parts."""
    polars, kind = polars_library(path), file_kind(path)
    if kind == "csv":
        remedy = f"polars.scan_csv({str(path)!r}).sink_parquet(...), once"
        raise InputError(str(path), "must be a file that can be read in parts", remedy, "CSV")
    # Another error than polars', for a file that is not there.
    with open(path, "rb"):
        pass
    return (polars.scan_parquet if kind == "parquet" else polars.scan_ipc)(path)


def _collected(path: str | Path, frame: Any) -> Any:
    """Read what was asked for."""
    try:
        return frame.collect()
    except (polars_library(path).exceptions.PolarsError, OSError) as error:
        word = {"parquet": "a Parquet file", "ipc": "an Arrow file"}[file_kind(path)]
        reason = str(error).splitlines()
        raise FileFormatError(str(path), f"must be {word}", found=reason[0] if reason else "") from None


def check_folder(path: str | Path) -> Path:
    """Folder for the parts of a result.

    Raises
    ------
    InputError
        It does not exist, or polars is not installed.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError("out", "must be a folder that exists", "a folder", repr(str(path)))
    polars_library(path)
    return folder


def remove_unfinished(folder: Path) -> None:
    """Remove parts that a killed worker could not finish."""
    for part in folder.glob(".part-*.unfinished"):
        part.unlink(missing_ok=True)


def write_part(path: str | Path, risk: BookRisk) -> None:
    """Write the columns of the frame that was evaluated, and the results: whole, or not at all."""
    with replacing(path) as file:
        write_table(file, risk.frame(), path)
