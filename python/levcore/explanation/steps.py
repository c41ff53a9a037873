"""An explanation of one row: its steps, and the text they make."""

import math
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from levcore.errors import InputError
from levcore.rules.terms import Source
from levcore.status import State, Status

__all__ = ["Explanation", "Step", "number_text"]

WIDTH = 110
NAME = 26


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an evaluation.

    Parameters
    ----------
    name : str
        What is computed.
    formula : str
        How, in the names of other steps; empty for an input.
    numbers : str
        The formula with its numbers put in. Where `value` is a number this is a Python expression with that
        value, to the last bit; empty for an input, or where no arithmetic leads to the value.
    value : float or str
        The result.
    source : str
        What the rule rests on; empty for arithmetic that is no rule.
    part : str
        Part of the explanation it belongs to, such as ``"liquidation price"``.
    """

    name: str
    formula: str
    numbers: str
    value: float | str
    source: str
    part: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every step of one row; print it.

    Parameters
    ----------
    row : int
        Row of the book, from 0.
    instrument : str
        Its instrument.
    account : str or int or None
        Its account, if it has one.
    margin_mode : {"isolated", "cross"}
        How it is margined.
    policy : str
        Name and date of the policy.
    state : State
        How close to liquidation; of the account for a cross row.
    status : Status
        What became of the row.
    steps : tuple of Step
        In the order of evaluation.
    ratio, debtor : str
        The policy's words for the venue's own ratio, and for who owes what is missing after a liquidation.
    sources : tuple of Source
        Where the rules were read.
    """

    row: int
    instrument: str
    account: Any
    margin_mode: str
    policy: str
    state: State
    status: Status
    steps: tuple[Step, ...]
    ratio: str
    debtor: str
    sources: tuple[Source, ...]

    def step(self, name: str) -> Step:
        """Return the first step of this name.

        Raises
        ------
        InputError
            If the row has no such step.
        """
        for step in self.steps:
            if step.name == name:
                return step
        names = ", ".join(dict.fromkeys(step.name for step in self.steps))
        raise InputError("name", "must be a step of this row", names, repr(name))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON knows: NaN is None, an infinite number ``"Infinity"``."""
        fields = asdict(self)
        fields["state"], fields["status"] = self.state.word, self.status.word
        fields["status_meaning"] = self.status.describe()
        for step in fields["steps"]:
            step["value"] = _plain(step["value"])
        return fields

    def __str__(self) -> str:
        """Text for a terminal: parts, steps, and what the rules rest on as numbered notes."""
        return "\n".join(_render(self))


def _plain(value: float | str) -> float | str | None:
    if isinstance(value, str) or math.isfinite(value):
        return value
    return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _render(explanation: Explanation) -> Iterator[str]:
    e = explanation
    account = "" if e.account is None else f" of account {e.account}"
    yield f"row {e.row}: {e.instrument}, {e.margin_mode}{account}, under {e.policy}"
    yield f"{e.state.phrase}; {e.status.phrase}: {e.status.describe()}"
    notes: dict[str, int] = {}
    part = ""
    for step in e.steps:
        if step.part != part:
            part = step.part
            yield ""
            yield part
        note = f"  [{notes.setdefault(step.source, len(notes) + 1)}]" if step.source else ""
        yield from _wrapped(step, note)
    yield ""
    yield "the venue"
    for name, text in (("its own ratio", e.ratio), ("who owes a shortfall", e.debtor)):
        yield from _filled(f"  {name:{NAME}}{text or 'not stated'}")
    if notes:
        yield ""
        yield "what the rules rest on"
        for note, number in notes.items():
            yield from textwrap.wrap(f"  [{number}] {note}", WIDTH, subsequent_indent=" " * 6)
    if e.sources:
        yield ""
        yield "sources"
        for source in e.sources:
            dated = f", dated {source.dated}" if source.dated else ""
            yield f"  [{source.evidence}] {source.title}{dated}" + (
                f"\n      {source.url}" if source.url else ""
            )


def _wrapped(step: Step, note: str) -> Iterator[str]:
    """One line where it fits, else one for the formula, the numbers and the value each."""
    value = step.value if isinstance(step.value, str) else number_text(step.value)
    texts = [text for text in (step.formula, step.numbers, value) if text]
    if step.numbers == value:
        texts = texts[:-1]
    if isinstance(step.value, str) and step.numbers:
        # A line of a table: where it lies, what it says, and a remark.
        texts = [f"{step.formula}:  {step.numbers}" + (f"  <- {value}" if value else "")]
    elif not step.numbers:
        texts = [f"{value} ({step.formula})" if value and step.formula else value or step.formula]
    line = f"  {step.name:{NAME}}" + " = ".join(texts) + note
    if len(line) <= WIDTH or len(texts) == 1:
        yield from _filled(line)
        return
    yield from _filled(f"  {step.name:{NAME}}{texts[0]}{note}")
    for text in texts[1:]:
        yield from _filled(f"{'':{NAME}}= {text}")


def _filled(line: str) -> list[str]:
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=" " * (NAME + 2), break_long_words=False, break_on_hyphens=False
    )


def number_text(number: float) -> str:
    """Shortest text that is this very float64, without an empty fraction.

    Examples
    --------
    >>> number_text(61_000.0), number_text(0.1 + 0.2), number_text(float("inf"))
    ('61000', '0.30000000000000004', 'inf')
    """
    return repr(float(number)).removesuffix(".0")
