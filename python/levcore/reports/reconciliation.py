"""A reconciliation as tables for a terminal."""

from levcore.reconciliation.result import ReconciledNumber, Reconciliation, Verdict
from levcore.reports.risk.text import text_table
from levcore.venues.printed_number import plain

__all__ = ["render"]

COLUMNS = ("position", "field", "ours", "theirs", "difference", "relative")
LEFT = 2
NONE = "none"


def render(result: Reconciliation) -> str:
    """Numbers, counts by field, recovered inputs, and what was left out."""
    parts = [f"{result.source} against {', '.join(result.policies) or 'nothing'}", _numbers(result)]
    if result.recovered:
        rows = [
            (each.name, each.instrument or "account", str(plain(each.value)), each.field)
            for each in result.recovered
        ]
        parts.append("Not in the reply, recovered from it:")
        parts.append(text_table(("input", "of", "value", "from"), rows, left=4))
    parts.append(_counts(result))
    if result.left_out:
        parts.append("Left out:\n" + "\n".join(f"  {each}" for each in result.left_out))
    parts.append(verdict_line(result))
    return "\n\n".join(parts) + "\n"


def verdict_line(result: Reconciliation) -> str:
    """One line that says how it went."""
    total = sum(each.verdict is not Verdict.NOT_DERIVABLE for each in result.numbers)
    by_verdict = {verdict: sum(each.verdict is verdict for each in result.numbers) for verdict in Verdict}
    said = ", ".join(f"{count} {verdict.value}" for verdict, count in by_verdict.items() if count)
    unexplained = len(result.unexplained)
    return f"{total} numbers compared: {said or 'none'}; {unexplained or 'none'} without a reason"


def _numbers(result: Reconciliation) -> str:
    if not result.numbers:
        return "no numbers to compare"
    rows = [
        (
            each.instrument,
            each.field,
            _ours(each),
            NONE if each.theirs is None else each.theirs,
            "" if each.difference is None else f"{each.difference:.3g}",
            "" if each.relative is None else f"{each.relative:.1e}",
        )
        for each in result.numbers
    ]
    # Verdict and reason come after the table, which would set their words to the right.
    verdicts = ["verdict", *(_verdict(each) for each in result.numbers)]
    lines = text_table(COLUMNS, rows, left=LEFT).splitlines()
    width = max(map(len, lines))
    return "\n".join(f"{line:{width}}  {verdict}" for line, verdict in zip(lines, verdicts, strict=True))


def _verdict(number: ReconciledNumber) -> str:
    if number.is_unexplained:
        return f"{number.verdict.value}: {number.reason or 'no reason found'}"
    return number.verdict.value + (f": {number.reason}" if number.reason else "")


def _ours(number: ReconciledNumber) -> str:
    if number.ours is None:
        return "" if number.verdict is Verdict.NOT_DERIVABLE else NONE
    return f"{number.ours:.12g}"


def _counts(result: Reconciliation) -> str:
    verdicts = [verdict.value for verdict in Verdict]
    rows = [
        (name, *(str(counter[verdict]) if counter[verdict] else "" for verdict in verdicts))
        for name, counter in result.counts().items()
    ]
    return text_table(("field", *verdicts), rows, left=1)
