"""Which winners close the lots that nobody else takes, and what each gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from levcore.reference.closing.allocate import allocate
from levcore.reference.closing.loss_parts import to_quanta
from levcore.reference.closing.rank import ranked, score

__all__ = ["Winner", "deleverage"]


@dataclass(frozen=True, slots=True)
class Winner:
    """A position in profit, as rankings ask for it."""

    profit: float
    entry_value: float
    value: float
    wallet: float
    equity: float
    maintenance_margin: float
    leverage: float
    key: int


def deleverage(
    ranking: str,
    sharing: str,
    winners: Sequence[Winner],
    lots: Sequence[int],
    pool: Sequence[int],
    wanted: Sequence[tuple[int, int]],
    per_unit: float,
    seed: int,
) -> list[tuple[int, int, int, float]]:
    """Rows of winners, lots, what they give and their scores; `wanted` holds lots and amount of each pool."""
    scores = [of_winner(ranking, each, seed) for each in winners]
    keys, values = [each.key for each in winners], [each.entry_value for each in winners]
    order = ranked(scores, keys, lots, values)
    found = []
    for place, (wanted_lots, amount) in enumerate(wanted):
        queue = [row for row in order if pool[row] == place]
        capacity = [lots[row] for row in queue]
        weight = capacity
        if sharing in ("profit", "wealth", "min_max"):
            owned = [winners[row].equity if sharing == "wealth" else winners[row].profit for row in queue]
            weight = [to_quanta(max(each, 0.0), per_unit) for each in owned]
        rule = sharing if sharing in ("queue", "min_max") else "pro_rata"
        taken = allocate(wanted_lots, capacity, weight, rule, False)
        given = allocate(amount, [amount] * len(queue), taken, "pro_rata", False)
        found += [
            (row, each, gift, scores[row])
            for row, each, gift in zip(queue, taken, given, strict=True)
            if each > 0
        ]
    return found


def of_winner(ranking: str, of: Winner, seed: int) -> float:
    """Score of a winner."""
    values = (of.profit, of.entry_value, of.value, of.wallet, of.equity, of.maintenance_margin, of.leverage)
    return score(ranking, *values, of.key, seed)
