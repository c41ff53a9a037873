"""A number that differs from the venue's, and what a reason for that is."""

import math
from dataclasses import dataclass, replace
from decimal import Decimal

from levcore.errors import LevcoreError
from levcore.reconciliation.case import Case, InstrumentFacts
from levcore.reconciliation.recover import recover
from levcore.venues.positions.reply import AccountReply, Reported, VenuePosition
from levcore.venues.printed_number import EXACT, PrintedNumber, agreement

__all__ = ["ALMOST", "Difference", "Reason"]

ALMOST = 1e-6
"""Share of a number within which an alternative that misses its last digits is still named."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number differs.

    Parameters
    ----------
    cause : str
        In a word, for counting: ``"cut"``, ``"tick"``, ``"input digits"``, ``"price"``, ``"entry"``,
        ``"surplus"``, ``"others"``, ``"rule"``, ``"date"``, ``"tier"``, ``"rate"``, ``"leverage"``,
        ``"unit"``, ``"sum"`` or ``"empty"``; the empty text where it is a hint and no explanation.
    text : str
    is_rounding : bool
        Whether it is about digits alone.
    """

    cause: str
    text: str
    is_rounding: bool = False


@dataclass(frozen=True)
class Difference:
    """A number to be explained.

    Parameters
    ----------
    case : Case
        As the reply is, before anything was recovered.
    recovered : Case
        The same with the recovered inputs.
    row : int
    number : Reported
    stated : dict of str to object
        Rules stated by the caller.
    account : AccountReply or None
    dated : str
        Day of the reply; empty where it holds none.
    """

    case: Case
    recovered: Case
    row: int
    number: Reported
    stated: dict[str, object]
    account: AccountReply | None
    dated: str = ""

    @property
    def printed(self) -> PrintedNumber:
        """What the venue printed."""
        assert self.number.printed is not None  # only numbers are explained
        return self.number.printed

    @property
    def ours(self) -> float:
        """What we have."""
        return self.recovered.evaluation.read(self.number.reading, self.row)

    @property
    def position(self) -> VenuePosition:
        """Whose number it is, with the recovered inputs."""
        return self.recovered.positions[self.row]

    @property
    def facts(self) -> InstrumentFacts:
        """Its instrument, with what was recovered."""
        return self.recovered.facts[self.position.instrument]

    @property
    def slack(self) -> float:
        """Round-off of ours."""
        return self.recovered.evaluation.slack(self.number.reading, self.row)

    @property
    def gap(self) -> float:
        """Share of the venue's number by which ours is off."""
        return self._share(self.ours)

    def gap_of(self, case: Case) -> float:
        """Share by which an alternative is off: 0 where it gives the printed digits, else up to infinite."""
        try:
            filled, _ = recover(case, (self.row,))
            number = filled.evaluation.read(self.number.reading, self.row)
            slack = filled.evaluation.slack(self.number.reading, self.row)
        except LevcoreError:
            return math.inf
        if math.isfinite(number) and agreement(number, self.printed, slack) is not None:
            return 0.0
        share = self._share(number)
        return 0.0 if share < ALMOST and self._within_wallet_digits(filled) else share

    def _within_wallet_digits(self, case: Case) -> bool:
        """Whether the last digit of the wallet leaves the venue's number open."""
        if self.account is None or not self.account.unit or case.wallet_balance is None:
            return False
        ends = [
            replace(case, wallet_balance=EXACT.add(case.wallet_balance, step)).evaluation.read(
                self.number.reading, self.row
            )
            for step in (-self.account.unit, self.account.unit)
        ]
        return min(ends) <= self.printed.value <= max(ends)

    def _share(self, number: float) -> float:
        if not math.isfinite(number) or not self.printed.value:
            return math.inf
        return abs(float(EXACT.subtract(Decimal(number), self.printed.value) / self.printed.value))
