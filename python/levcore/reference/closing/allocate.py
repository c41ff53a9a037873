"""A whole amount shared out among those who can bear it."""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["allocate"]


def allocate(
    amount: int, capacity: Sequence[int], weight: Sequence[int], rule: str, deal_rest: bool
) -> list[int]:
    """Shares in the order of `capacity`: "queue", "pro_rata", or "min_max", rounded down."""
    if rule == "queue":
        shares = []
        for most in capacity:
            shares.append(min(most, amount))
            amount -= shares[-1]
        return shares
    settled: list[int | None] = [None] * len(capacity)
    base, total = amount, sum(weight)
    if rule == "min_max":
        bearing = [place for place, each in enumerate(weight) if each > 0]
        for place in sorted(bearing, key=lambda each: (Fraction(capacity[each], weight[each]), each)):
            if capacity[place] * total > base * weight[place]:
                break
            settled[place] = capacity[place]
            base, total = base - capacity[place], total - weight[place]
    whole = [
        base * weight[place] // max(total, 1) if share is None else share
        for place, share in enumerate(settled)
    ]
    shares = [min(share, most) for share, most in zip(whole, capacity, strict=True)]
    rest = amount - sum(whole) if deal_rest and total > 0 else 0
    for place, share in enumerate(shares):
        if rest > 0 and weight[place] > 0 and share < capacity[place]:
            shares[place] += 1
            rest -= 1
    return shares
