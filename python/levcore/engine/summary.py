"""Counts and totals of an evaluated book, or of its parts together."""

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.engine.totals import Totals
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, AccountStatus, Code, State, Status

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["Summary", "summarize"]

KINDS: dict[str, type[Code]] = {
    "states": State,
    "statuses": Status,
    "account_states": State,
    "account_statuses": AccountStatus,
    "wallet_states": State,
}


class Nearest(NamedTuple):
    """The position closest to liquidation; of equally close ones the first."""

    distance: float
    row: int
    instrument: str


class Summary:
    """Counts and totals of one part of a book; those of its other parts are added to them.

    Attributes
    ----------
    policies : tuple of str
        Ids.
    positions, accounts, wallets : int
        How many.
    codes : dict of str to Counter
        How many have each code of state and status, by the names that `to_dict` has for them.
    totals : Totals
    nearest : Nearest or None
    """

    __slots__ = ("accounts", "codes", "nearest", "policies", "positions", "totals", "wallets")

    codes: dict[str, Counter[int]]
    totals: Totals
    policies: tuple[str, ...]
    positions: int
    accounts: int
    wallets: int

    def __init__(self, risk: "BookRisk", first_row: int = 0) -> None:
        self.policies = tuple(policy.id for policy in risk.policies)
        self.positions, self.accounts, self.wallets = len(risk), len(risk.accounts), len(risk.wallets)
        codes = (risk.state, risk.status, risk.accounts.state, risk.accounts.status, risk.wallets.state)
        self.codes = {name: _counts(each) for name, each in zip(KINDS, codes, strict=True)}
        self.totals = Totals.of(risk)
        self.nearest = _nearest(risk, first_row)

    def add(self, other: "Summary") -> None:
        """Add those of another part of the book.

        Raises
        ------
        InputError
            Where other measures were computed.
        """
        self.totals.add(other.totals)
        self.policies = tuple(dict.fromkeys((*self.policies, *other.policies)))
        self.positions += other.positions
        self.accounts += other.accounts
        self.wallets += other.wallets
        for name, counts in other.codes.items():
            self.codes[name] += counts
        self.nearest = min((each for each in (self.nearest, other.nearest) if each is not None), default=None)

    def to_dict(self) -> dict[str, Any]:
        """What `summarize` returns."""
        status = self.codes["statuses"]
        words = {name: _by_word(counts, KINDS[name]) for name, counts in self.codes.items()}
        nearest = self.nearest
        return {
            "policy": ", ".join(self.policies),
            "positions": self.positions,
            "accounts": self.accounts,
            "evaluated": sum(count for code, count in status.items() if code < FIRST_PARTIAL),
            "incomplete": sum(
                count for code, count in status.items() if FIRST_PARTIAL <= code < FIRST_FAILURE
            ),
            "failed": sum(count for code, count in status.items() if code >= FIRST_FAILURE),
            **{name: words[name] for name in ("states", "statuses", "account_states", "account_statuses")},
            "wallets": self.wallets,
            "wallet_states": words["wallet_states"],
            "totals": self.totals.by_currency(),
            "nearest": None
            if nearest is None
            else {"row": nearest.row, "instrument": nearest.instrument, "distance": nearest.distance},
        }


def summarize(risk: "BookRisk") -> dict[str, Any]:
    """Counts and totals of a result.

    Returns
    -------
    dict
        ``policy``, ids separated by commas; ``positions``, ``accounts``; ``evaluated``, ``incomplete`` and
        ``failed`` rows;
        ``states``, ``statuses``, ``account_states``, ``account_statuses`` as counts by word (those that
        occur); ``wallets`` and ``wallet_states``: the same of the wallets, of which an account may have
        several; ``totals``: what `levcore.engine.totals.totals_by_currency` returns; ``nearest``: row and
        distance of the position closest to liquidation, None if none has a price.
    """
    return Summary(risk).to_dict()


def _counts(codes: npt.NDArray[np.uint8]) -> Counter[int]:
    counts = np.bincount(codes, minlength=1)
    return Counter({code: int(counts[code]) for code in np.flatnonzero(counts).tolist()})


def _by_word(counts: Counter[int], kind: type[Code]) -> dict[str, int]:
    return {kind(code).word: counts[code] for code in sorted(counts)}


def _nearest(risk: "BookRisk", first_row: int) -> Nearest | None:
    if "distance_to_liquidation" not in risk.measures:
        return None
    distance = risk.distance_to_liquidation
    finite = np.flatnonzero(np.isfinite(distance))
    if not finite.size:
        return None
    row = int(finite[np.argmin(distance[finite])])
    return Nearest(float(distance[row]), first_row + row, risk.book.name_of(row))
