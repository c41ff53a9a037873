"""Which account of a generated book holds which instruments: by popularity, and none of them twice."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from levcore.errors import InputError

__all__ = ["Counts", "deal", "draw_counts", "enough_accounts"]

# How many positions the most popular instrument can have for one of the least popular.
POPULARITY_RANGE = 1000.0


class Counts(NamedTuple):
    """Positions of each instrument: so many, and behind them so many opposite to the first of them."""

    own: NDArray[np.int64]
    opposite: NDArray[np.int64]

    @property
    def both(self) -> NDArray[np.int64]:
        """Positions of each instrument."""
        return self.own + self.opposite

    def partners(self) -> NDArray[np.int64]:
        """Place of each position among the own ones; of an opposite one that of its partner."""
        starts = np.cumsum(self.own) - self.own
        pairs = zip(starts, self.own, self.opposite, strict=True)
        return np.concatenate([start + np.arange(count) for start, *counts in pairs for count in counts])


def enough_accounts(rows: int, accounts: int | None, planned: int, instruments: int) -> int:
    """Number of accounts that can hold the positions without holding an instrument twice."""
    needed = -(-rows // instruments)
    if accounts is not None and accounts < needed:
        rule = f"must be enough for {rows} positions where none holds one of {instruments} instruments twice"
        raise InputError("accounts", rule, f">= {needed}", str(accounts))
    return max(planned, needed)


def draw_counts(
    own: int, opposite: int, accounts: int | None, instruments: int, random: np.random.Generator
) -> Counts:
    """Positions of each instrument by its popularity; where there are accounts, one an account at most."""
    popularity = np.exp(random.random(instruments) * math.log(POPULARITY_RANGE))
    counts = random.multinomial(own, popularity / popularity.sum())
    while accounts is not None and (left_over := int(np.maximum(counts - accounts, 0).sum())):
        counts = np.minimum(counts, accounts)
        weights = np.where(counts < accounts, popularity, 0.0)
        counts += random.multinomial(left_over, weights / weights.sum())
    none = np.zeros_like(counts)
    return Counts(
        counts, random.multivariate_hypergeometric(counts, opposite, method="marginals") if opposite else none
    )


def deal(counts: NDArray[np.int64], accounts: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Account of each position, grouped by instrument, so that no account gets an instrument twice.

    They are dealt like cards, one to each account and around again, each time in another order of the
    accounts. An instrument that a round ends with goes on with accounts that it has not come to.
    """
    ends = np.cumsum(counts)
    dealt = np.empty(int(ends[-1]), dtype=np.int64)
    queue = random.permutation(accounts)
    for start in range(0, len(dealt), accounts):
        if start:
            instrument = int(np.searchsorted(ends, start))
            rest = int(ends[instrument]) - start
            held = int(counts[instrument]) - rest
            others = random.permutation(queue[: accounts - held])
            behind = np.concatenate((others[rest:], queue[accounts - held :]))
            queue = np.concatenate((others[:rest], random.permutation(behind)))
        dealt[start : start + accounts] = queue[: len(dealt) - start]
    return dealt
