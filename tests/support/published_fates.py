"""Fate of every published case, from running them all: what ``docs/published.md`` shows.

`tools/published_table.py` writes the page, and a test holds the committed one to it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from support.published_cases import EVALUATORS, comparisons, read_cases, read_json, venue_by_id

INCONSISTENT = "inconsistent or incomplete at the source"
"""Kind of the cases that are left out for what is wrong with their source; the others are out of scope."""

AFTER_THE_TRIGGER: list[dict[str, str]] = read_json("further/after_the_trigger.json")
"""Cases of their own tests, with source and date, and what contradicts itself in them."""

INTRODUCTION = """\
# Published numbers

Each case here is a worked example, a reply or a test vector that a venue, an official library or a public
record printed, with its source in `tests/published`. The tests run every case through the engine and through
the reference and compare each number with the printed digits: it may be half a unit of the last one off, or
less than one where the venue cuts. A *stated tolerance* is a wider one, with the reason in the case, such as
inputs printed with fewer digits than the outputs. The largest deviation is relative to the printed number:
one that is printed with two digits may be 1 % off. Further digits than float64 holds are compared as far as
it does. `python tools/published_table.py` runs all cases and writes this page; a test holds it to them.

"""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A case whose numbers are compared."""

    ids: tuple[str, ...]
    rules: tuple[str, ...]
    outputs: Counter[str]
    tolerances: int
    largest_deviation: float
    not_compared: dict[str, str]


@dataclass(slots=True)
class Venue:
    """Cases of one venue."""

    reproduced: list[Reproduced] = field(default_factory=list)
    out_of_scope: dict[str, str] = field(default_factory=dict)
    inconsistent: dict[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> tuple[str, ...]:
        """Numbers of the venue's line."""
        ids = sum(len(case.ids) for case in self.reproduced)
        outputs = sum(case.outputs.total() for case in self.reproduced)
        tolerances = sum(case.tolerances for case in self.reproduced)
        deviation = max((case.largest_deviation for case in self.reproduced), default=0.0)
        counts = (ids + len(self.out_of_scope) + len(self.inconsistent), ids, outputs, tolerances)
        left_out = (len(self.out_of_scope), len(self.inconsistent))
        return (*map(str, counts), exponent(deviation) if outputs else "", *map(str, left_out))


def exponent(number: float) -> str:
    """Number with one digit and an exponent, ``4e-9``."""
    if number == 0:
        return "0"
    digit, power = f"{number:.0e}".split("e")
    return f"{digit}e{int(power)}"


def fates() -> dict[str, Venue]:
    """Every case by its venue, in the order of the alphabet."""
    venues = {venue: Venue() for venue in sorted(set(venue_by_id().values()), key=str.lower)}
    for name, case in read_cases().items():
        if name == case["ids"][0]:
            venues[case["venue"]].reproduced.append(run_case(case))
    for name, why in read_json("left_out.json").items():
        venue = venues[why["venue"]]
        (venue.inconsistent if why["kind"] == INCONSISTENT else venue.out_of_scope)[name] = why["reason"]
    return venues


def run_case(case: dict[str, Any]) -> Reproduced:
    """Compare a case by every evaluator; a number that does not agree raises."""
    tolerances, largest = 0, 0.0
    for evaluator in EVALUATORS:
        compared = list(comparisons(case, evaluator))
        for comparison in compared:
            comparison.check()
        tolerances = sum(not comparison.is_of_printed_digits for comparison in compared)
        largest = max(largest, *(comparison.relative_deviation for comparison in compared))
    return Reproduced(
        ids=tuple(case["ids"]),
        rules=tuple(dict.fromkeys(rules_of(run) for run in case["runs"])),
        outputs=Counter(output for run in case["runs"] for output in outputs_of(run)),
        tolerances=tolerances,
        largest_deviation=largest,
        not_compared=case.get("left_out", {}),
    )


def rules_of(run: dict[str, Any]) -> str:
    """Policy of a run, or the function that it calls."""
    return str(run.get("policy") or run.get("call") or "tier table")


def outputs_of(run: dict[str, Any]) -> Iterator[str]:
    """Names of the numbers that a run compares."""
    for expected in run["expected"]:
        yield str(expected.get("measure") or rules_of(run).split(".")[-1])


def render() -> str:
    """Text of the page."""
    venues = fates()
    sections = "".join(section(*each) for each in venues.items())
    return INTRODUCTION + summary_table(venues) + sections + after_the_trigger()


def after_the_trigger() -> str:
    """Cases of what follows a liquidation: fees, funding, ranks, allocations, and facts of real crashes."""
    lines = [
        (code(case["id"]), case["kind"], f"{case['source']}{_dated(case['date'])}", *_checked(case))
        for case in AFTER_THE_TRIGGER
    ]
    head = ("case", "what", "source", "checked by", "note")
    return f"\n## After the trigger\n\n{table(head, lines)}"


def _dated(date: str) -> str:
    return f" ({date})" if date else ""


def _checked(case: dict[str, str]) -> tuple[str, str]:
    if not case["test"]:
        return "nothing: a fact to hold beside a replay", case["note"]
    return code(case["test"].partition("::")[2]), case["note"]


def summary_table(venues: dict[str, Venue]) -> str:
    """One line a venue, and one for all."""
    counted = ("cases", "reproduced", "numbers compared", "of them with a stated tolerance")
    head = ("venue", *counted, "largest deviation", "out of scope", "inconsistent at the source")
    lines = [(name, *venue.cells) for name, venue in venues.items()]
    every = Venue()
    for venue in venues.values():
        every.reproduced += venue.reproduced
        every.out_of_scope |= venue.out_of_scope
        every.inconsistent |= venue.inconsistent
    return table(head, [*lines, ("**all**", *every.cells)])


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """Table in Markdown."""
    rows = [head, ("---",) * len(head), *lines]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in rows)


def section(name: str, venue: Venue) -> str:
    """Cases of a venue one by one."""
    lines = [
        (code(*case.ids), code(*case.rules), counted(case.outputs), reasons(case.not_compared))
        for case in venue.reproduced
    ]
    text = f"\n## {name}\n"
    if lines:
        text += "\n" + table(("cases", "rules", "numbers compared", "not compared"), lines)
    for title, left_out in (
        ("Out of scope", venue.out_of_scope),
        ("Inconsistent at the source", venue.inconsistent),
    ):
        if left_out:
            text += f"\n{title}:\n\n" + "".join(
                f"- {code(*names)}: {reason}\n" for reason, names in by_reason(left_out).items()
            )
    return text


def by_reason(left_out: dict[str, str]) -> dict[str, list[str]]:
    """Ids of each reason, in the order of the first."""
    grouped: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        grouped.setdefault(reason, []).append(name)
    return grouped


def code(*names: str) -> str:
    """Names set as code."""
    return ", ".join(f"`{name}`" for name in names)


def counted(outputs: Counter[str]) -> str:
    """Names with how often each occurs, if more than once."""
    return ", ".join(f"`{name}`" + (f" ×{count}" if count > 1 else "") for name, count in outputs.items())


def reasons(not_compared: dict[str, str]) -> str:
    """Outputs that are not compared, each with why."""
    return "; ".join(f"{output}: {reason}" for output, reason in not_compared.items())
