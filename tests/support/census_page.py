"""The manual's page of the rule census: what each value rests on, and which number notices another."""

from collections.abc import Iterator

import levcore as lc
from support import wrong_rules
from support.rule_census import Line

__all__ = ["render", "summary"]

INTRODUCTION = """\
# Rule census

Each value of each rule of each policy is changed to each of its neighbours, and the
[published numbers](published.md) of the product are computed again: the table says which case notices first.
`[V]` means that every neighbour is noticed, by a case of this version or of another one of the product with
the same value and evidence; a test holds that, and this page. `[R]` is read in the venue's text, `[3P]` in a
third party's copy of it, `[D]` derived. A rule that says nothing under the others, such as the rate of a fee
where there is none, has no neighbour. Of table rules a case notices whose table would no longer be let in; of
a ratio, one that compares it; a price is not rounded where a printed one is off the contract's tick, or has
nine digits, with which no contract is quoted. What happens after the trigger (`close_out_*`) moves no number
of an evaluation and is left out here; its published numbers are in `tests/published/test_after_trigger.py`.
`python tools/census_page.py` writes the page.

"""


def summary(lines: list[Line]) -> str:
    """Count of values by mark, and of their neighbours that a number notices."""
    rows = ["| mark | values | neighbours | noticed |", "| --- | --- | --- | --- |"]
    for mark in ("[V]", "[R]", "[3P]", "[D]", ""):
        own = [line for line in lines if line.mark == mark]
        values = len({(line.policy, line.rule) for line in own})
        noticed = sum(bool(line.noticed_by) for line in own)
        rows.append(f"| {mark or 'none needed'} | {values} | {len(own)} | {noticed} |")
    return "\n".join(rows) + "\n"


def render(lines: list[Line]) -> str:
    """The whole page."""
    products: dict[str, list[Line]] = {}
    for line in lines:
        products.setdefault(lc.policy(line.policy).name, []).append(line)
    parts = [INTRODUCTION, summary(lines)]
    parts += ["\n".join(_product(name, own)) for name, own in products.items()]
    return "\n".join(parts) + wrong_rules.render()


def _product(name: str, lines: list[Line]) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| rule | value | mark | versions | noticed: neighbour by case | not noticed |"
    yield "| --- | --- | --- | --- | --- | --- |"
    rows: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        rows.setdefault((line.rule, line.value, line.mark), []).append(line)
    everything = {line.policy for line in lines}
    for (rule, value, mark), own in rows.items():
        versions = {line.policy for line in own}
        dates = (
            "all"
            if versions == everything
            else ", ".join(sorted(each.partition("@")[2] for each in versions))
        )
        noticed: dict[str, str] = {}
        for line in own:
            if line.noticed_by:
                noticed.setdefault(line.neighbour, line.noticed_by)
        missed = list(dict.fromkeys(line.neighbour for line in own if line.neighbour not in noticed))
        cases = ", ".join(f"{neighbour} by `{case}`" for neighbour, case in noticed.items())
        yield f"| `{rule}` | {value} | {mark} | {dates} | {cases} | {', '.join(missed)} |"
    yield ""
