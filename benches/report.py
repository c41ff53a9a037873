"""The measurements as Markdown."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

BOOKS = {
    ("isolated", "sorted"): "Isolated, rows sorted by instrument",
    ("isolated", "random"): "Isolated, rows in random order",
    ("cross", "sorted"): "Cross, ten legs an account, rows sorted by account",
    ("cross", "random"): "Cross, ten legs an account, rows in random order",
    ("hedge", "sorted"): "Hedged, four pairs and two lone legs an account, rows sorted by account",
    ("hedge", "random"): "Hedged, four pairs and two lone legs an account, rows in random order",
    ("assets", "sorted"): "Three assets and ten legs an account, rows sorted by account",
    ("assets", "random"): "Three assets and ten legs an account, rows in random order",
    ("mixed", "sorted"): "Cross accounts of three venues, rows sorted by account",
    ("mixed", "random"): "Cross accounts of three venues, rows in random order",
}


def number(value: float) -> str:
    """Three significant figures, without an exponent."""
    if value >= 99.95:
        return f"{value:,.0f}"
    if value >= 0.0995:
        return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    return f"{value:.2}" if value >= 1e-4 else f"{value:.5f}"


def grid(head: list[str], lines: list[list[str]]) -> str:
    """Markdown table; all columns but the first to the right."""
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


def label(record: Record) -> str:
    """Contender and variant."""
    return f"{record['contender']}, {record['variant'].replace('1 numpy', 'numpy')}"


def by_size(records: list[Record], field: str) -> str:
    """One line a contender, one column a size."""
    sizes = sorted({record["rows"] for record in records})
    cells = {(label(record), record["rows"]): number(record[field]) for record in records}
    titles = list(dict.fromkeys(record["contender"] for record in records))
    together = sorted(records, key=lambda record: titles.index(record["contender"]))
    names = list(dict.fromkeys(label(record) for record in together))
    lines = [[name, *(cells.get((name, size), "–") for size in sizes)] for name in names]
    return grid(["", *(f"{size:,}" for size in sizes)], lines)


def detail(records: list[Record]) -> str:
    """Everything about one size."""
    head = [
        "",
        "M rows/s",
        "ns/row",
        "best",
        "× floor",
        "× levcore",
        "prepare ns/row",
        "peak MB",
        "bytes/row",
    ]
    lines = []
    for record in records:
        against = record["times_levcore"]
        lines.append(
            [
                label(record),
                *(
                    number(record[name])
                    for name in ("million_rows_per_second", "median_ns_per_row", "best_ns_per_row")
                ),
                number(record["times_the_floor"]),
                "–" if against is None else number(against),
                *(
                    number(record[name])
                    for name in ("prepare_ns_per_row", "peak_megabytes", "peak_bytes_per_row")
                ),
            ]
        )
    return grid(head, lines)


def agreement(records: list[Record]) -> str:
    """Worst disagreement of each contender with levcore over all books."""
    lines = []
    for title in dict.fromkeys(record["contender"] for record in records if record["agreement"]):
        found = [
            record["agreement"] for record in records if record["contender"] == title and record["agreement"]
        ]
        worst = max(found, key=lambda each: each["largest_relative_difference"])
        difference = worst["largest_relative_difference"]
        lines.append(
            [
                title,
                f"{difference:.1e} ({worst['in_measure']})" if difference else "0",
                f"{sum(each['rows_that_differ'] for each in found):,}",
                f"{sum(each['states_that_differ'] for each in found):,}",
                f"{sum(each['rows_compared'] for each in found):,}",
            ]
        )
    head = ["", "largest relative difference", "rows that differ", "states that differ", "rows compared"]
    return grid(head, lines)


def machine(described: dict[str, Any], taken: str) -> str:
    """One paragraph."""
    caches = ", ".join(f"{level} {size}" for level, size in described["caches"].items())
    versions = ", ".join(f"{tool} {version}" for tool, version in described["versions"].items())
    return (
        f"{described['processor']} (family/model/stepping {described['family_model_stepping']}),"
        f" {described['cores']} cores, {caches}, {described['memory']}, {described['system']},"
        f" transparent huge pages {described['huge_pages'] or 'unknown'};"
        f" Python {described['python']}, {versions};"
        f" levcore uses {described['instruction_set']}. Taken {taken}, commit {described['commit']},"
        f" load before: {described['load_before'][0]}."
    )


INTRODUCTION = """\
Every contender writes the same eleven float64 measures and the state of every position, at marks that change
with each call; 320 instruments with Binance's real tier tables, half the positions short, every tier as
likely as the next. The copy floor reads four float64 columns and writes eleven and two of bytes, 122 bytes a
row, and computes nothing; it uses ordinary stores. Times are medians over turns in which floor, levcore and
contender alternate; "× floor" and "× levcore" are medians of ratios within a turn, at the same number of
threads: 2 means twice the time. Outputs are reused where the tool can; "prepare" is what is done once a book
(building the `PositionBook`, loading the tables), after the columns are in memory. Peak memory is the
process's, with the interpreter, the inputs and the outputs; bytes a row are without the imports. Of accounts
in three assets levcore finds liquidation prices of the balances as well, which nobody else does."""


def markdown(result: dict[str, Any]) -> str:
    """The whole report."""
    records: list[Record] = result["records"]
    parts = ["# Measurements", INTRODUCTION, machine(result["machine"], result["taken"])]
    for (mode, order), title in BOOKS.items():
        book = [record for record in records if (record["mode"], record["order"]) == (mode, order)]
        if not book:
            continue
        parts += [f"## {title}", "Million positions a second:", by_size(book, "million_rows_per_second")]
        for rows in sorted({record["rows"] for record in book}):
            parts += [
                f"### {title}: {rows:,} rows",
                detail([record for record in book if record["rows"] == rows]),
            ]
    for title, table in result.get("whole_accounts", {}).items():
        parts += [f"## {title}", table.strip()]
    parts += [
        "## Agreement with levcore",
        "Rows that differ by more than 1e-9 (relative) in any measure, or in the state.",
        agreement(records),
    ]
    return "\n\n".join(parts) + "\n"
