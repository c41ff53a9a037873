"""What a command puts on standard output: text for people, one JSON object, a JSON object a row, or CSV."""

import argparse
import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

from levcore.cli.terminal import say, write_rows
from levcore.files.results import json_value

__all__ = ["FORMATS", "add_format", "print_answer"]

FORMATS = ("table", "json", "jsonl", "csv")


def add_format(parser: argparse.ArgumentParser, row: str) -> None:
    """Add ``--format``; `row` says what a row of JSON lines and of CSV is."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="table",
        help="what goes to standard output: text (default), everything as one JSON object, or "
        f"{row} a row as JSON lines or CSV",
    )


def print_answer(
    form: str,
    text: Callable[[], str],
    whole: Callable[[], Any],
    rows: Callable[[], Iterable[Mapping[str, Any]]],
) -> None:
    """Print what is asked for, and make nothing else.

    Parameters
    ----------
    form : str
        Of `FORMATS`.
    text, whole, rows : callable
        The answer as text, as values that `json_value` takes, and row by row with the same names in each.
    """
    if form == "table":
        say(text().removesuffix("\n"))
    elif form == "json":
        write_rows(lambda file: file.write(f"{_json(whole(), 1)}\n".encode()))
    elif form == "jsonl":
        write_rows(lambda file: file.writelines(f"{_json(row)}\n".encode() for row in rows()))
    else:
        write_rows(lambda file: _write_csv(file, rows()))


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(json_value(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _write_csv(file: BinaryIO, rows: Iterable[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for place, row in enumerate(rows):
        if place == 0:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
    file.write(text.getvalue().encode())


def _cell(value: Any) -> Any:
    """Cell of a value: a missing number is empty, several words stand side by side."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else value
