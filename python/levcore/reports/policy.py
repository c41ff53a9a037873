"""A policy in a report: its rules, what each rests on, its sources, and what nobody has published."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any, Literal

from levcore.reports.page import Section
from levcore.reports.tables import Cell, Column, Layout, Table, pairs_table
from levcore.reports.text import section_text, table_text, wrapped
from levcore.rules.policies import PolicyInfo
from levcore.rules.policy import RULES, MarginPolicy
from levcore.rules.terms import Source, value_text

__all__ = ["listing_rows", "listing_text", "policy_dict", "policy_section", "policy_text", "rule_rows"]

EVIDENCE = (
    "[V] recomputed from published numbers, [R] read in the venue's own text, [3P] read in a third party's"
    " copy, [D] derived, [caller] stated by the caller"
)
LIST_END = "levcore policies NAME shows every rule of one, what it rests on, and all sources."


def policy_section(policy: MarginPolicy, only: Layout | Literal[""] = "") -> Section:
    """Section of a report on `policy`."""
    verified = f"Verified by: {policy.verified_by}." if policy.verified_by else ""
    note = " ".join(part for part in (policy.notes, verified, _instruments(policy)) if part)
    tables = [_rules(policy), _unknown(policy), *_sources(policy)]
    return Section(f"Policy {policy.id}: {policy.title}", note, tables, only)


def _instruments(policy: MarginPolicy) -> str:
    table = policy.instruments
    as_of = f"as of {table.as_of}" if table.as_of else ""
    told = (f"{len(table):,} instruments", as_of, table.source)
    return f"Tier tables: {', '.join(part for part in told if part)}."


def _rules(policy: MarginPolicy) -> Table[str]:
    columns: list[Column[str]] = [
        Column("Rule", lambda rule: rule, "name"),
        Column("Value", lambda rule: value_text(getattr(policy, rule)), "prose"),
        Column("Rests on", lambda rule: policy.rests_on.about(rule), "prose"),
    ]
    rules = [rule for rule in RULES if not rule.endswith("_inclusive")]
    return Table(columns, rules, "Rules", f"{EVIDENCE}.")


def _unknown(policy: MarginPolicy) -> Table[Any]:
    if not policy.unknown:
        return pairs_table((), title="Unknown", note="Nothing: every rule of this policy is stated.")
    unknown = list(policy.unknown.items())
    return pairs_table(unknown, title="Unknown, and therefore refused where it is needed")


def _sources(policy: MarginPolicy) -> list[Table[Any]]:
    sources = [(f"[{source.evidence}]", _source_cell(source)) for source in policy.sources]
    return [pairs_table(sources, title="Sources")] if sources else []


def _source_cell(source: Source) -> Cell:
    dated = f"dated {source.dated}" if source.dated else ""
    # Only what is certainly a web address becomes a link.
    link = source.url if source.url.startswith(("https://", "http://")) else ""
    return Cell(tuple(part for part in (source.title, source.url, dated) if part), link=link)


def policy_text(policy: MarginPolicy, width: int) -> str:
    """One policy for a terminal: every rule with what it rests on, what is unknown and why, all sources."""
    return section_text(policy_section(policy), width)


def policy_dict(policy: MarginPolicy) -> dict[str, Any]:
    """One policy as plain values: every rule, what it rests on, what is unknown and why, all sources."""
    return {
        "id": policy.id,
        "title": policy.title,
        "notes": policy.notes,
        "verified_by": policy.verified_by,
        "rules": {rule: getattr(policy, rule) for rule in RULES},
        "rests_on": policy.rests_on,
        "unknown": policy.unknown,
        "sources": [asdict(source) for source in policy.sources],
        "instruments": {
            "count": len(policy.instruments),
            "as_of": policy.instruments.as_of,
            "source": policy.instruments.source,
        },
    }


def rule_rows(policy: MarginPolicy) -> Iterator[dict[str, Any]]:
    """Row a rule: its value, what it rests on, why it is unknown."""
    for rule in RULES:
        why = policy.unknown.about(rule)
        yield {
            "policy": policy.id,
            "rule": rule,
            "value": getattr(policy, rule),
            "rests_on": policy.rests_on.about(rule),
            "unknown": why,
        }


def listing_rows(listed: Iterable[PolicyInfo]) -> Iterator[dict[str, Any]]:
    """Row a dated policy: its name, and the rules that no source states."""
    for each in listed:
        yield {
            "id": each.id,
            "name": each.name,
            "as_of": each.as_of,
            "title": each.title,
            "unknown": [*each.unknown],
            "verified_by": each.verified_by,
        }


def listing_text(listed: Iterable[PolicyInfo], width: int) -> str:
    """List of policies by name: dates, where they were read, and what no source states."""
    blocks = [
        "\n".join([wrapped(f"{name}: {versions[-1].title}", width), table_text(_entry(versions), width)])
        for name, versions in ((name, list(same)) for name, same in groupby(listed, lambda each: each.name))
    ]
    return "\n\n".join([*blocks, wrapped(LIST_END, width)])


def _entry(versions: list[PolicyInfo]) -> Table[Any]:
    dates = ", ".join(each.as_of for each in versions if each.as_of) or "not dated"
    newest = versions[-1].sources
    source = "none: every rule is the caller's"
    if newest:
        others = len({source for each in versions for source in each.sources}) - 1
        source = ", ".join(_source_cell(newest[0]).lines) + (f"; and {others} more" if others else "")
    unknown = [("unknown", text) for text in _unknown_of(versions)]
    return pairs_table([("dated", dates), ("source", source), *unknown])


def _unknown_of(versions: list[PolicyInfo]) -> Iterator[str]:
    """What no source states, with its dates where it is not the same at all of them."""
    by_unknown = [(names, list(same)) for names, same in groupby(versions, lambda each: [*each.unknown])]
    for names, same in by_unknown:
        dates = same[0].as_of if len(same) == 1 else f"{same[0].as_of} to {same[-1].as_of}"
        yield ("" if len(by_unknown) == 1 else f"{dates}: ") + (", ".join(names) or "nothing")
