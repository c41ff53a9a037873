"""What a reconciliation says: one row a number of the venue, and what came of the comparison."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from levcore.reconciliation.recover import Recovered
from levcore.shown import Shown

__all__ = ["COMPARED", "ReconciledNumber", "Reconciliation", "Verdict"]


class Verdict(StrEnum):
    """What came of a comparison."""

    SAME = "same"
    """Agrees to the last printed digit."""
    ROUNDED = "rounded"
    """Agrees but for digits: cut, moved to a tick, or within the last digit of an input."""
    DIFFERS = "differs"
    INPUT = "input"
    """An input was recovered from it: no check."""
    NOT_DERIVABLE = "not derivable"
    """Needs something that the reply does not hold, or is nothing that levcore computes."""


COMPARED = (Verdict.SAME, Verdict.ROUNDED, Verdict.DIFFERS)


@dataclass(frozen=True, slots=True)
class ReconciledNumber:
    """One number of the venue beside ours.

    Parameters
    ----------
    place, instrument : str
        Where in the reply; the account's settlement currency for numbers of an account.
    field : str
        As the venue names it.
    reading : str
        What it is here; empty where nothing corresponds.
    ours : float or None
        None where there is no such price, or nothing to compare.
    theirs : str or None
        As printed; None where the venue says that there is none.
    difference : float or None
        Ours less theirs.
    relative : float or None
        The same over theirs.
    verdict : Verdict
    cause : str
        Kind of the reason; empty where there is none, also for a difference that nothing explains.
    reason : str
    """

    place: str
    instrument: str
    field: str
    reading: str
    ours: float | None
    theirs: str | None
    difference: float | None
    relative: float | None
    verdict: Verdict
    cause: str
    reason: str

    @property
    def is_unexplained(self) -> bool:
        """Whether it differs and no reason was found."""
        return self.verdict is Verdict.DIFFERS and not self.cause


@dataclass(frozen=True)
class Reconciliation(Shown):
    """A reply against the engine.

    Parameters
    ----------
    source : str
    policies : tuple of str
        Policies that the positions were evaluated under.
    numbers : tuple of ReconciledNumber
        In the order of the reply; numbers of an account come last.
    recovered : tuple of Recovered
        Inputs that the reply does not hold.
    left_out : tuple of str
        Positions that were not read, or of which no number could be compared, each with the reason.
    notes : tuple of str
        What was chosen for the caller, such as the version of a policy.
    flat : int
        Rows of the reply without a size.
    """

    source: str
    policies: tuple[str, ...]
    numbers: tuple[ReconciledNumber, ...]
    recovered: tuple[Recovered, ...] = ()
    left_out: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = ()
    flat: int = 0

    @property
    def compared(self) -> int:
        """How many numbers were compared: inputs are no check."""
        return sum(each.verdict in COMPARED for each in self.numbers)

    @property
    def is_complete(self) -> bool:
        """Whether something was compared, and of every position something."""
        return self.compared > 0 and not self.left_out

    @property
    def unexplained(self) -> tuple[ReconciledNumber, ...]:
        """Numbers that differ for no reason found."""
        return tuple(number for number in self.numbers if number.is_unexplained)

    def counts(self) -> dict[str, Counter[str]]:
        """Verdicts by field."""
        counts: dict[str, Counter[str]] = {}
        for number in self.numbers:
            counts.setdefault(number.field, Counter())[number.verdict.value] += 1
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "source": self.source,
            "policies": list(self.policies),
            "numbers": [{**asdict(number), "verdict": number.verdict.value} for number in self.numbers],
            "recovered": [{**asdict(each), "value": str(each.value)} for each in self.recovered],
            "compared": self.compared,
            "left_out": list(self.left_out),
            "flat": self.flat,
            "notes": list(self.notes),
            "counts": {name: dict(counter) for name, counter in self.counts().items()},
            "unexplained": len(self.unexplained),
        }
