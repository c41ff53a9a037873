"""Who pays what a closed account cannot."""

from collections.abc import Sequence

__all__ = ["PAYERS", "share_out"]

PAYERS = ("fund", "deleveraging", "socialised")


def share_out(
    shortfall: Sequence[int],
    lots: Sequence[int],
    pool: Sequence[int],
    fund: int,
    lots_of_winners: Sequence[int],
    gains: int,
    order: Sequence[str],
) -> tuple[list[list[int]], list[int], list[int]]:
    """Payments by payer and claim, what is unpaid, and lots to deleverage: payer by payer, claim by claim."""
    unpaid, to_close, left = list(shortfall), [0] * len(shortfall), list(lots_of_winners)
    paid = [[0] * len(shortfall) for _ in PAYERS]
    purse = {"fund": fund, "socialised": gains}
    for payer in order:
        for claim, missing in enumerate(unpaid):
            if missing == 0:
                continue
            if payer == "deleveraging":
                taken = min(lots[claim], left[pool[claim]])
                left[pool[claim]] -= taken
                to_close[claim] += taken
                payment = missing * taken // max(lots[claim], 1)
            else:
                payment = min(missing, purse[payer])
                purse[payer] -= payment
            paid[PAYERS.index(payer)][claim] += payment
            unpaid[claim] -= payment
    return paid, unpaid, to_close
