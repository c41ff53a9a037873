"""Which dated version of a policy belongs to a reply of a day."""

from datetime import date

from levcore.rules.policies import policy
from levcore.rules.policy import MarginPolicy
from levcore.rules.policy_files import policy_names, read_policies

__all__ = ["nearest_first", "policy_of_day"]


def nearest_first(versions: tuple[MarginPolicy, ...], day: str) -> tuple[MarginPolicy, ...]:
    """Versions by their distance from a day, as they are where it is unknown.

    The date of a version is that of its facts, not the first day of a span: what lies nearest is likeliest.
    """
    if not day:
        return versions
    return tuple(sorted(versions, key=lambda each: abs((_middle(each.as_of) - _middle(day)).days)))


def policy_of_day(name: str, day: str) -> tuple[MarginPolicy, str]:
    """Version of a bundled policy that lies nearest to a day, and what has to be said of it.

    Parameters
    ----------
    name : str
        With a date of its own, or of a policy that is not bundled: taken as it is.
    day : str
        ``"2022-11-24"``; empty: the newest.
    """
    if not day or name not in policy_names():
        return policy(name), ""
    versions = read_policies(name)
    chosen = nearest_first(versions, day)[0]
    if chosen is versions[-1]:
        return chosen, ""
    return (
        chosen,
        f"the reply is of {day}: {chosen.id} lies nearest and is taken, the newest is {versions[-1].id}",
    )


def _middle(text: str) -> date:
    """Day of a date, the middle of a month or year where that is all it says."""
    year, month, day = (*(int(part) for part in text.split("-")), 0, 0)[:3]
    return date(year, month or 7, day or (15 if month else 1))
