"""Who is deleveraged first."""

from collections.abc import Sequence

from levcore.reference.arithmetic import divide

__all__ = ["ranked", "score"]

WORD = (1 << 64) - 1


def score(
    ranking: str,
    profit: float,
    entry_value: float,
    value: float,
    wallet: float,
    equity: float,
    maintenance_margin: float,
    leverage: float,
    key: int,
    seed: int,
) -> float:
    """Score of a position by the name of a ranking; the highest is deleveraged first."""
    if ranking == "profit_share_times_margin_ratio":
        gain = profit if profit > 0.0 else 0.0
        ratio = divide(maintenance_margin, equity) if equity > 0.0 else 0.0
        return divide(gain, wallet if wallet > 1.0 else 1.0) * ratio
    if ranking == "profit_share_times_effective_leverage":
        share, effective = divide(profit, entry_value), divide(value, equity)
        return share * effective if share > 0.0 else divide(share, effective)
    if ranking == "price_ratio_times_leverage":
        return divide(value, entry_value) * divide(value, equity)
    if ranking == "profit_share_times_leverage":
        return divide(profit, entry_value) * leverage
    return drawn(seed, key)


def drawn(seed: int, key: int) -> float:
    """A number in [0, 1) for a key: SplitMix64, of which the upper 53 bits count."""
    state = (seed + (key + 1) * 0x9E3779B97F4A7C15) & WORD
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & WORD
    state ^= state >> 31
    return (state >> 11) * (1.0 / 9007199254740992.0)


def ranked(
    scores: Sequence[float], key: Sequence[int], lots: Sequence[int], entry_value: Sequence[float]
) -> list[int]:
    """Places in the order of deleveraging: by score, then smaller key, more lots, smaller entry value."""
    return sorted(range(len(scores)), key=lambda row: (-scores[row], key[row], -lots[row], entry_value[row]))
