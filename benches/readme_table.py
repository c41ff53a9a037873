"""Print the README's table from the last measurements: python benches/readme_table.py [table.json]."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from report import Record, grid, number

Books = tuple[tuple[str, str, str], ...]
BOOKS: Books = (
    ("isolated, sorted", "isolated", "sorted"),
    ("isolated, random rows", "isolated", "random"),
    ("cross, by account", "cross", "sorted"),
    ("cross, random rows", "cross", "random"),
)
FURTHER: Books = (
    ("hedged, by account", "hedge", "sorted"),
    ("hedged, random rows", "hedge", "random"),
    ("three assets, by account", "assets", "sorted"),
    ("three assets, random rows", "assets", "random"),
    ("three venues, by account", "mixed", "sorted"),
    ("three venues, random rows", "mixed", "random"),
)
LINES = (
    ("levcore, outputs reused", "levcore"),
    ("levcore, rows in `row_order()`", "levcore, rows in row_order()"),
    ("levcore, fresh outputs", "levcore, fresh outputs"),
    ("copy loop, same bytes", "copy floor"),
    ("numba, block by instrument", "numba, block by instrument"),
    ("numba", "numba"),
    ("numba, pairs and collateral", "numba, pairs and collateral"),
    ("numpy", "numpy"),
    ("polars", "polars"),
    ("DuckDB", "DuckDB"),
    ("pure-Python reference", "pure-Python reference"),
)


def fastest(records: list[Record], title: str, book: tuple[str, str], rows: int) -> Record | None:
    """Fastest variant of a contender on a book; a reference that was not run there, on the largest it was."""
    found = [
        record
        for record in records
        if record["contender"] == title
        and (record["mode"], record["order"]) == book
        and record["rows"] <= rows
        and (record["rows"] == rows or title == "pure-Python reference")
        and "numpy" not in record["variant"]
    ]
    largest = max((record["rows"] for record in found), default=0)
    found = [record for record in found if record["rows"] == largest]
    return min(found, key=lambda record: record["median_ns_per_row"], default=None)


def table(result: dict[str, Any], rows: int, books: Books) -> str:
    """Million positions a second on two threads, of some books at one size, without those absent from all."""
    lines = []
    for shown, title in LINES:
        found = [fastest(result["records"], title, (mode, order), rows) for _, mode, order in books]
        if any(found):
            cells = [number(record["million_rows_per_second"]) if record else "–" for record in found]
            lines.append([shown, *cells])
    return grid([f"M positions/s, {rows:,} rows", *(title for title, _, _ in books)], lines)


def main() -> None:
    """Table at the largest common sizes, and what it was taken with."""
    name = sys.argv[1] if len(sys.argv) > 1 else "table.json"
    path = Path(name) if Path(name).exists() else Path(__file__).parent / "results" / name
    result = json.loads(path.read_text())
    for books in (BOOKS, FURTHER):
        modes = {mode for _, mode, _ in books}
        sizes = sorted({record["rows"] for record in result["records"] if record["mode"] in modes})
        for rows in sizes[-2:]:
            print(table(result, rows, books), end="\n\n")
    for title, text in result.get("whole_accounts", {}).items():
        print(f"{title}: {text}", end="\n\n")
    machine = result["machine"]
    versions = ", ".join(f"{tool} {version}" for tool, version in machine["versions"].items())
    print(f"{machine['processor']}, {machine['cores']} cores; {versions}; taken {result['taken']}.")


if __name__ == "__main__":
    main()
