"""A comparison for a terminal: plain, aligned text."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from levcore._levcore import __version__
from levcore.reports.comparison.lists import (
    ABSENT,
    BALANCE_LINES,
    TOTALS_NOTE,
    account_cell,
    account_lines,
    balance_cell,
    balance_facts,
    by_notional,
    by_ratio,
    by_spread,
    distance_text,
    first_text,
    headline,
    overview,
    position_cell,
    position_facts,
    position_lines,
    size_text,
    spread_text,
)
from levcore.reports.comparison.terms import (
    asset_notes,
    differing_rules,
    stated_rules,
    tier_notes,
    trader_owes,
)
from levcore.reports.numbers import amount, price
from levcore.reports.risk.text import text_table

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["render_comparison_text"]

WIDTH = 118


def render_comparison_text(comparison: "Comparison", *, name: str = "", top: int = 10) -> str:
    """Comparison as plain text.

    Parameters
    ----------
    comparison : Comparison
        What `levcore.compare` returns.
    name : str
        What was evaluated, such as the file's name.
    top : int
        Length of the lists.
    """
    sections = (
        _head(comparison, name),
        *(_policy(comparison, label) for label in comparison.policies),
        _overview(comparison),
        _rules(comparison),
        _accounts(comparison, by_ratio(comparison, top)),
        _balances(comparison, top),
        _distances(
            comparison, "Distance to liquidation, the largest positions", by_notional(comparison, top)
        ),
        _distances(
            comparison,
            "Liquidations farthest apart, of those that a move of 100 % reaches",
            by_spread(comparison, top),
        ),
        _positions(comparison, by_notional(comparison, top)),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(comparison: "Comparison", name: str) -> str:
    return "\n".join(
        [
            f"levcore {__version__} comparison{f' of {name}' if name else ''}",
            f"book     {size_text(comparison)}",
            f"verdict  {headline(comparison)}",
        ]
    )


def _policy(comparison: "Comparison", label: str) -> str:
    policy = comparison.policies[label]
    stated = ", ".join(f"{rule} = {value}" for rule, value in stated_rules(policy).items())
    facts = [
        ("owes a shortfall", trader_owes(policy)),
        ("tiers", " ".join(tier_notes(policy, comparison.matches[label]))),
    ]
    assets = asset_notes(comparison.asset_matches[label])
    if assets:
        facts.append(("assets", " ".join(assets)))
    if stated:
        facts.append(("stated by caller", stated))
    if label not in comparison.answers:
        facts.insert(0, ("answer", str(comparison.results[label])))
    named = "" if label == policy.id else f" ({policy.id})"
    return "\n".join([f"{label}{named}: {policy.title}", *(_fact(words, text) for words, text in facts)])


def _fact(words: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"  {words:18}", subsequent_indent=" " * 20)


def _overview(comparison: "Comparison") -> str:
    labels = list(comparison.policies)
    rows = [(words, *(cells.get(label, ABSENT) for label in labels)) for words, cells in overview(comparison)]
    title = "Side by side; amounts are totals over the positions that every policy evaluates"
    note = f"\n{textwrap.fill(TOTALS_NOTE, WIDTH)}" if comparison.has_pooled_accounts else ""
    return f"{title}{note}\n{text_table(('', *comparison.short_names.values()), rows)}"


def _rules(comparison: "Comparison") -> str:
    labels = list(comparison.policies)
    rows = [
        (rule, *(values[label] for label in labels)) for rule, values in differing_rules(comparison).items()
    ]
    return (
        f"Rules that differ\n{text_table(('rule', *comparison.short_names.values()), rows)}" if rows else ""
    )


def _accounts(comparison: "Comparison", places: Sequence[int]) -> str:
    labels = list(comparison.policies)
    rows = []
    for place in places:
        account = str(comparison.book.account_ids[place])
        for line in account_lines(comparison):
            cells = (account_cell(comparison, line, label, place) for label in labels)
            rows.append((account, line.words, *cells))
            account = ""
    title = "Accounts, the highest margin ratio first"
    return (
        f"{title}\n{text_table(('account', 'measure', *comparison.short_names.values()), rows, 2)}"
        if rows
        else ""
    )


def _balances(comparison: "Comparison", top: int) -> str:
    balances = comparison.book.balances
    if balances is None or not top:
        return ""
    labels = list(comparison.policies)
    blocks = ["Balances, in the caller's order"]
    for row in range(min(top, len(balances))):
        account, held = balance_facts(comparison, row)
        blocks.append(f"{account}: {held}")
        lines = [
            (line.words, *(balance_cell(comparison, line, label, row) for label in labels))
            for line in BALANCE_LINES
        ]
        blocks.append(text_table(("", *comparison.short_names.values()), lines))
    return "\n".join(blocks)


def _distances(comparison: "Comparison", title: str, rows: Sequence[int]) -> str:
    labels = list(comparison.policies)
    tables = comparison.table("distance_to_liquidation")
    lines = []
    for row in rows:
        facts = position_facts(comparison, row)
        cells = (
            distance_text(float(tables[label][row])) if label in comparison.answers else "refuses"
            for label in labels
        )
        spread = spread_text(float(comparison.spread[row]))
        lines.append(
            (
                str(row),
                facts.account,
                facts.instrument,
                facts.side,
                *cells,
                spread,
                first_text(comparison, row),
            )
        )
    headers = ("row", "account", "instrument", "side", *comparison.short_names.values(), "spread", "first")
    return f"{title}\n{text_table(headers, lines, 4)}" if lines else ""


def _positions(comparison: "Comparison", rows: Sequence[int]) -> str:
    labels = list(comparison.policies)
    blocks = []
    for row in rows:
        facts = position_facts(comparison, row)
        of_account = f" of {facts.account}" if facts.account else ""
        blocks.append(
            f"row {row}: {facts.instrument} {facts.side}, {facts.mode}{of_account}, notional"
            f" {amount(facts.notional)}, mark {price(facts.mark_price)}"
        )
        lines = [
            (line.words, *(position_cell(comparison, line, label, row) for label in labels))
            for line in position_lines(comparison)
        ]
        blocks.append(text_table(("", *comparison.short_names.values()), lines))
    return "\n".join(["The largest positions", *blocks]) if blocks else ""
