"""Another system's numbers beside ours, as a page: differences by cause, and how many numbers agree."""

from levcore.reports.numbers import amount
from levcore.reports.page import Page, Section
from levcore.reports.tables import plain_table
from levcore.status import State
from levcore.systems.result import Against

__all__ = ["against_page"]


def against_page(result: Against, title: str = "Against another system") -> Page:
    """Build the page of a comparison with another system.

    Parameters
    ----------
    result : Against
    title : str
    """
    return Page(
        title=title,
        verdict=_verdict(result),
        worst=State.MARGIN_CALL if result.unexplained else State.HEALTHY,
        facts=[("rows", f"{result.rows:,}"), ("left out", ", ".join(result.left_out) or "no column")],
        sections=[_rows_by_cause(result), _differences(result), _columns(result)],
    )


def _verdict(result: Against) -> str:
    compared, same = sum(result.compared.values()), sum(result.same.values())
    explained = compared - same - result.unexplained
    found = f"{same:,} the same, {explained:,} explained, {result.unexplained:,} not"
    return f"{compared:,} numbers compared: {found}"


def _rows_by_cause(result: Against) -> Section:
    lines = [
        (cause, f"{count:,}") for cause, count in sorted(result.counts().items(), key=lambda each: -each[1])
    ]
    if not lines:
        return Section("Causes", "Nothing differs.")
    return Section(
        "Causes", "Rows with a number that this mistake gives.", [plain_table(("Cause", "Rows"), lines)]
    )


def _differences(result: Against) -> Section:
    lines = [
        (
            group.cause,
            group.column,
            group.currency,
            f"{group.count:,}",
            amount(group.money),
            f"{group.largest_row}",
            f"{group.ours:.12g}",
            f"{group.theirs:.12g}",
        )
        for group in result.groups
    ]
    if not lines:
        return Section("Differences", "There are none.")
    heads = ("Cause", "Column", "Currency", "Rows", "Money", "Largest in row", "Ours", "Theirs")
    note = "Money: the sum of absolute differences; of prices, what the positions gain between the two."
    return Section("Differences", note, [plain_table(heads, lines, ("name", "name", "name"))])


def _columns(result: Against) -> Section:
    lines = [
        (name, f"{result.compared[name]:,}", f"{result.same[name]:,}", f"{result.missing[name]:,}")
        for name in result.columns
    ]
    return Section("Columns", "", [plain_table(("Column", "Compared", "Same", "Missing in theirs"), lines)])
