"""Policies as plain text for a terminal: the list of all of them, and one with all of its rules."""

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from levcore.reports.policy import plain_value
from levcore.rules.policy import RULES, MarginPolicy, PolicyInfo
from levcore.rules.terms import Source

__all__ = ["listing_text", "policy_text"]

MARGIN = 11  # columns before the text of a field of the list
LIST_END = "levcore policies NAME shows every rule of one, what it rests on, and all sources."


def listing_text(listed: Iterable[PolicyInfo], width: int) -> str:
    """List of policies by name: dates, where they were read, and what no source states."""
    blocks = [
        "\n".join(_entry(name, list(versions), width))
        for name, versions in groupby(listed, key=lambda each: each.name)
    ]
    return "\n\n".join([*blocks, _filled(LIST_END, width, "", "")])


def _entry(name: str, versions: list[PolicyInfo], width: int) -> Iterator[str]:
    newest = versions[-1]
    yield _filled(f"{name}: {newest.title}", width, "", "    ")
    yield _field("dated", ", ".join(filter(None, (each.as_of for each in versions))) or "not dated", width)
    if newest.sources:
        others = len({source for each in versions for source in each.sources}) - 1
        more = f"; and {others} more" if others else ""
        yield _field("source", _source(newest.sources[0]) + more, width)
    else:
        yield _field("source", "none: every rule is the caller's", width)
    by_unknown = [(names, list(same)) for names, same in groupby(versions, key=lambda each: [*each.unknown])]
    for names, same in by_unknown:
        dates = "" if len(by_unknown) == 1 else f"{same[0].as_of}: "
        if len(same) > 1 and dates:
            dates = f"{same[0].as_of} to {same[-1].as_of}: "
        yield _field("unknown", dates + (", ".join(names) or "nothing"), width)


def policy_text(policy: MarginPolicy, width: int) -> str:
    """One policy: every rule with what it rests on, what is unknown and why, and all sources."""
    lines = [f"{policy.title} ({policy.id})"]
    notes = " ".join(policy.notes.split())
    lines += [_filled(notes, width, "  ", "  ")] if notes else []
    lines += (
        [_filled(f"verified by: {policy.verified_by}", width, "  ", "    ")] if policy.verified_by else []
    )
    table = f"{len(policy.instruments):,} instruments, {policy.instruments.source or 'none bundled'}"
    lines += [_filled(table, width, "  ", "    "), ""]
    for rule in RULES:
        if not rule.endswith("_inclusive"):
            lines.append(_filled(f"{rule} = {plain_value(getattr(policy, rule))}", width, "  ", "    "))
            evidence = policy.rests_on.about(rule)
            lines += [_filled(evidence, width, "      ", "          ")] if evidence else []
    lines += ["", "unknown, and refused where it is needed:"] if policy.unknown else []
    lines += [_filled(f"{rule}: {why}", width, "  ", "      ") for rule, why in policy.unknown.items()]
    lines += ["", "sources:"] if policy.sources else []
    lines += [_filled(f"[{each.evidence}] {_source(each)}", width, "  ", "      ") for each in policy.sources]
    return "\n".join(lines)


def _source(source: Source) -> str:
    return ", ".join(filter(None, (source.title, source.url, source.dated)))


def _field(name: str, text: str, width: int) -> str:
    return _filled(text, width, f"  {name}".ljust(MARGIN), " " * MARGIN)


def _filled(text: str, width: int, first: str, following: str) -> str:
    # Addresses, dates and names of rules stay whole, so that they can be copied.
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
