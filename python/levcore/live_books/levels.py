"""Levels that a live book watches, each as a policy that liquidates there."""

from collections.abc import Sequence
from dataclasses import replace

from levcore._levcore import BookPolicies
from levcore.arguments import is_word, rows_of
from levcore.engine.engine import Engine
from levcore.errors import InputError, PolicyError
from levcore.rules.policy import MarginPolicy
from levcore.rules.policy_checks import LEVEL_OF_BANKRUPTCY
from levcore.rules.tiers import TierTable
from levcore.status import State

__all__ = ["LEVELS", "engine_with_tiers", "kernels_of_levels", "states_of", "watched_levels"]

LEVELS = ("liquidation", "warning", "margin_call", "bankruptcy")
"""Levels that may be watched; the first one always is."""
STATES = {"warning": State.WARNING, "margin_call": State.MARGIN_CALL, "bankruptcy": State.BANKRUPT}


def watched_levels(levels: Sequence[str] | None, policies: Sequence[MarginPolicy]) -> list[tuple[str, ...]]:
    """Levels to watch under each policy, in the order of `LEVELS`; None: all that it states.

    Raises
    ------
    InputError
        For a word that is no level, or a level that none of the policies states.
    """
    stated = [tuple(level for level in LEVELS if _level(policy, level) is not None) for policy in policies]
    if levels is None:
        return stated
    if isinstance(levels, str):
        raise InputError("levels", "must be a sequence of levels", f"({levels!r},)", repr(levels))
    levels = rows_of("levels", levels)
    known = tuple(level for level in LEVELS if any(level in own for own in stated))
    for place, level in enumerate(levels):
        if not is_word(level, known):
            rule = f"must be levels of {', '.join(policy.id for policy in policies)}"
            raise InputError("levels", rule, ", ".join(known), repr(level), place)
    return [tuple(level for level in own if level in levels or level == LEVELS[0]) for own in stated]


def kernels_of_levels(
    engine: Engine, label: str, instruments: Sequence[str], assets: Sequence[str], levels: tuple[str, ...]
) -> list[BookPolicies]:
    """Kernels of the policy itself, and of the policy with each other level as its liquidation level.

    Raises
    ------
    InputError
        For a level at which no price would restore a position.
    """
    policy = engine.policies[label]
    kernels = [BookPolicies([engine.compiled(label).part(instruments, assets)])]
    for place, level in enumerate(levels[1:], 1):
        inclusive = level == "bankruptcy" or getattr(policy, f"{level}_level_inclusive")
        moved = policy.replace(
            liquidation_level=_level(policy, level),
            liquidation_level_inclusive=inclusive,
            warning_level=None,
            margin_call_level=None,
        )
        try:
            armed = Engine({label: moved}, instruction_set=engine.instruction_set)
        except PolicyError as error:
            rule = f"cannot be watched under {policy.id}: {error}"
            raise InputError("levels", rule, "levels without it", repr(level), place) from error
        kernels.append(BookPolicies([armed.compiled(label).part(instruments, assets)]))
    return kernels


def engine_with_tiers(engine: Engine, label: str, instrument: str, tiers: TierTable) -> Engine:
    """Engine whose policy of this label has other tiers for an instrument.

    Raises
    ------
    InputError
        For an instrument that the policy lacks.
    TierError
        For a table that does not fit it.
    """
    policies = dict(engine.policies)
    policy = policies[label]
    if instrument not in policy.instruments:
        raise InputError("instrument", "must be known to the policy", policy.id, repr(instrument))
    moved = replace(policy.instruments[instrument], tiers=tiers)
    policies[label] = policy.with_instruments([moved])
    return Engine(policies, threads=engine.threads, instruction_set=engine.instruction_set)


def states_of(levels: tuple[str, ...]) -> list[int]:
    """Codes of the states that levels begin, without liquidation."""
    return [int(STATES[level]) for level in levels[1:]]


def _level(policy: MarginPolicy, level: str) -> float | None:
    if level == "bankruptcy":
        # Whoever comes near is evaluated.
        return LEVEL_OF_BANKRUPTCY
    found: float | None = getattr(policy, f"{level}_level")
    return found
