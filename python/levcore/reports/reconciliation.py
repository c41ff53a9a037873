"""A reconciliation as a page: numbers, recovered inputs, counts by field, and what was left out."""

from typing import Any

from levcore.reconciliation.result import ReconciledNumber, Reconciliation, Verdict
from levcore.reports.page import Page, Section
from levcore.reports.tables import Column, Kind, Table, plain_table
from levcore.status import State
from levcore.venues.printed_number import plain

__all__ = ["reconciliation_page"]

NONE = "none"


def reconciliation_page(result: Reconciliation, title: str = "Reconciliation") -> Page:
    """Build the page of a reconciliation.

    Parameters
    ----------
    result : Reconciliation
    title : str
    """
    sections = [_numbers(result), _counts(result)]
    if result.recovered:
        rows = [
            (each.name, each.instrument or "account", str(plain(each.value)), each.field)
            for each in result.recovered
        ]
        kinds: tuple[Kind, ...] = ("name", "name", "number", "name")
        table = plain_table(("Input", "Of", "Value", "From"), rows, kinds)
        sections.insert(1, Section("Not in the reply, recovered from it", "", [table]))
    if result.left_out:
        left_out = plain_table(("",), [(each,) for each in result.left_out], ("prose",))
        sections.append(Section("Left out", "", [left_out]))
    return Page(
        title=title,
        verdict=_verdict_line(result),
        worst=State.MARGIN_CALL if result.unexplained else State.HEALTHY,
        facts=[("reply", result.source), ("policy", ", ".join(result.policies) or "nothing")],
        sections=sections,
    )


def _verdict_line(result: Reconciliation) -> str:
    total = sum(each.verdict is not Verdict.NOT_DERIVABLE for each in result.numbers)
    by_verdict = {verdict: sum(each.verdict is verdict for each in result.numbers) for verdict in Verdict}
    said = ", ".join(f"{count} {verdict.value}" for verdict, count in by_verdict.items() if count)
    unexplained = len(result.unexplained)
    return f"{total} numbers compared: {said or 'none'}; {unexplained or 'none'} without a reason"


def _numbers(result: Reconciliation) -> Section:
    columns: list[Column[ReconciledNumber]] = [
        Column("Position", lambda each: each.instrument, "name"),
        Column("Field", lambda each: each.field, "name"),
        Column("Ours", _ours),
        Column("Theirs", lambda each: NONE if each.theirs is None else each.theirs),
        Column("Difference", lambda each: "" if each.difference is None else f"{each.difference:.3g}"),
        Column("Relative", lambda each: "" if each.relative is None else f"{each.relative:.1e}"),
        Column("Verdict", _verdict, "prose"),
    ]
    if not result.numbers:
        return Section("Numbers", "There are no numbers to compare.")
    return Section("Numbers", "", [Table(columns, result.numbers)])


def _verdict(number: ReconciledNumber) -> str:
    reason = number.reason or ("no reason found" if number.is_unexplained else "")
    return f"{number.verdict.value}: {reason}" if reason else number.verdict.value


def _ours(number: ReconciledNumber) -> str:
    if number.ours is None:
        return "" if number.verdict is Verdict.NOT_DERIVABLE else NONE
    return f"{number.ours:.12g}"


def _counts(result: Reconciliation) -> Section:
    rows: list[Any] = [
        (name, *(str(counter[verdict.value]) if counter[verdict.value] else "" for verdict in Verdict))
        for name, counter in result.counts().items()
    ]
    return Section("Verdicts by field", "", [plain_table(("Field", *Verdict), rows)])
