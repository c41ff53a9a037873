"""The bundled policies, by name and date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from levcore.arguments import likely_of
from levcore.errors import UnknownPolicyError
from levcore.rules.policy import MarginPolicy
from levcore.rules.terms import Source, Texts

__all__ = ["PolicyInfo", "policies", "policy"]


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    """What `policies` lists of a policy."""

    name: str
    as_of: str
    title: str
    verified_by: str
    unknown: Texts
    sources: tuple[Source, ...]

    @property
    def id(self) -> str:
        """Name and date, as `levcore.policy` takes them."""
        return f"{self.name}@{self.as_of}" if self.as_of else self.name


def policy(name: str) -> MarginPolicy:
    """Bundled margin policy.

    Parameters
    ----------
    name : str
        ``"binance-usdm"`` for the newest, ``"binance-usdm@2024-10-24"`` for a date of it, which may be
        shortened (``"bybit-linear@2026"``) where it stays the only one.

    Raises
    ------
    UnknownPolicyError
        Where there is no such policy, or not at that date. Dates are those of facts, not spans: a policy is
        not stretched to the days between.
    """
    if not isinstance(name, str):
        raise UnknownPolicyError("policy", "must be a name", "text", type(name).__name__)
    return _policy(name)


@cache
def _policy(name: str) -> MarginPolicy:
    from levcore.rules.policy_files import policy_names, read_policies

    plain, _, date = name.partition("@")
    names = policy_names()
    if plain not in names:
        everything = f"one of {len(names)} policies (levcore policies lists them)"
        expected = likely_of(plain, names, everything)
        raise UnknownPolicyError("policy", "has no such name", expected, repr(plain))
    versions = read_policies(plain)
    if "@" not in name:
        return versions[-1]
    dated = [version for version in versions if version.as_of.startswith(date)]
    exact = [version for version in dated if version.as_of == date]
    if len(exact or dated) != 1 or not date:
        dates = ", ".join(version.as_of for version in versions)
        raise UnknownPolicyError("policy", f"{plain} has no such date", f"one of {dates}", repr(date))
    return (exact or dated)[0]


def policies() -> list[PolicyInfo]:
    """List every bundled policy at every date, by name and date."""
    from levcore.rules.policy_files import policy_names, read_policies

    return [
        PolicyInfo(each.name, each.as_of, each.title, each.verified_by, each.unknown, each.sources)
        for name in policy_names()
        for each in read_policies(name)
    ]
