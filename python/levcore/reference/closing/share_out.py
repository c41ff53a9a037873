"""Who pays what a closed account cannot."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PAYERS", "Fund", "share_out"]

PAYERS = ("fund", "deleveraging", "socialised")


@dataclass(frozen=True, slots=True)
class Fund:
    """An insurance fund, in quanta; see the core."""

    balance: int
    floor: int = 0
    largest_value: int = (1 << 63) - 1


def share_out(
    shortfall: Sequence[int],
    lots: Sequence[int],
    value: Sequence[int],
    pool: Sequence[int],
    fund: Fund,
    lots_of_winners: Sequence[int],
    winners_pay: bool,
    gains: int,
    order: Sequence[str],
) -> tuple[list[list[int]], list[int], list[int]]:
    """Payments by payer and claim, what is unpaid, and lots to deleverage: payer by payer, claim by claim."""
    unpaid, to_close, left = list(shortfall), [0] * len(shortfall), list(lots_of_winners)
    paid = [[0] * len(shortfall) for _ in PAYERS]
    purse = {"fund": max(fund.balance - fund.floor, 0), "socialised": gains}
    for payer in order:
        for claim, missing in enumerate(unpaid):
            if missing == 0 or (payer == "fund" and value[claim] > fund.largest_value):
                continue
            if payer == "deleveraging":
                taken = min(lots[claim], left[pool[claim]])
                left[pool[claim]] -= taken
                to_close[claim] += taken
                payment = missing * taken // max(lots[claim], 1) if winners_pay else 0
            else:
                payment = min(missing, purse[payer])
                purse[payer] -= payment
            paid[PAYERS.index(payer)][claim] += payment
            unpaid[claim] -= payment
    return paid, unpaid, to_close
