"""How a liquidation goes on step by step, as the core takes it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from levcore.closing.tiers_down import tiers_to_go_down

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["Rule", "StepRules", "step_rules_of"]

Rule = tuple[str, float, float, float]
"""What a step closes: its word, a share, the value up to which all is closed, the least value."""
Ladder = tuple[str, list[float]]
"""What the tiers of a side are keyed by, and their floors."""


@dataclass(frozen=True, slots=True)
class StepRules:
    """Rules ``close_out_*`` about steps; the core reads them by these names.

    Attributes
    ----------
    cross, isolated : Rule
    nets : bool
        Whether opposite legs of an account are first closed against each other.
    next : {"whole", "same", "again"}
    whole_level, take_over_level, exit_level : float or None
    cooldown : float, seconds
    tiers : int
    ladders : list of (Ladder, Ladder)
        Of longs and of shorts, by the names of instruments; empty unless a step goes down in tiers.
    """

    cross: Rule
    isolated: Rule
    nets: bool
    next: str
    whole_level: float | None
    take_over_level: float | None
    exit_level: float | None
    cooldown: float
    tiers: int
    ladders: list[tuple[Ladder, Ladder]]


def step_rules_of(policy: "MarginPolicy", book: "PositionBook") -> StepRules:
    """Read the rules; all that the book may come to need, since prices decide later.

    Raises
    ------
    UnknownRuleError
        For one that is unknown, or tiers that do not follow from the size of a position.
    """
    cross, isolated = bool(book.is_cross.any()), not bool(book.is_cross.all())
    rule = "close_out_step" if policy.close_out_step_isolated == "same" else "close_out_step_isolated"
    whole = ("whole", 1.0, 0.0, 0.0)
    rules = (
        _rule(policy, "close_out_step") if cross else whole,
        _rule(policy, rule) if isolated else whole,
    )
    words = {word for word, *_ in rules}
    return StepRules(
        cross=rules[0],
        isolated=rules[1],
        nets=_has_opposite_legs(book) and "net" in policy.known("close_out_before"),
        next=str(policy.known("close_out_next")) if "share" in words else "again",
        whole_level=policy.close_out_whole_level,
        take_over_level=policy.close_out_take_over_level,
        exit_level=policy.close_out_exit_level,
        cooldown=float(policy.close_out_cooldown) if "share" in words else 0.0,
        tiers=policy.close_out_tiers,
        ladders=_ladders(policy, book) if "tiers" in words else [],
    )


def _rule(policy: "MarginPolicy", rule: str) -> Rule:
    step = str(policy.known(rule))
    share = float(policy.known("close_out_share")) if step == "share" else 1.0
    return step, share, float(policy.close_out_whole_up_to), float(policy.close_out_least)


def _has_opposite_legs(book: "PositionBook") -> bool:
    """Whether an account is long and short in one instrument."""
    if book.account_codes is None:
        return False
    legs = np.flatnonzero(book.is_cross & (book.quantity != 0))
    pair = book.account_codes[legs].astype(np.int64) * len(book.instrument_names)
    pair += book.instrument_codes[legs]
    short = book.quantity[legs] < 0
    return bool(np.intersect1d(pair[short], pair[~short]).size)


def _ladders(policy: "MarginPolicy", book: "PositionBook") -> list[tuple[Ladder, Ladder]]:
    ladders: list[tuple[Ladder, Ladder]] = []
    for name in sorted(map(str, book.instrument_names)):
        instrument = policy.instruments[name]
        sides = [tiers_to_go_down(policy, instrument, short) for short in (False, True)]
        long, short = ((table.unit, list(table.floors)) for table in sides)
        ladders.append((long, short))
    return ladders
