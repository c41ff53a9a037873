"""A comparison as one HTML file: no script, nothing loaded from anywhere, printable, light or dark.

The same comparison gives the same bytes: the page carries no time of its own.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from levcore.files.writing import write_text
from levcore.reports.comparison.charts import liquidation_chart, margin_charts
from levcore.reports.comparison.lists import (
    ABSENT,
    BALANCE_LINES,
    BANKRUPTCY,
    BOUNDS,
    DISTANCE,
    INITIAL,
    LIQUIDATION,
    MAINTENANCE,
    NO_PRICE,
    RATIO,
    REFUSES,
    STATE,
    TOTALS_NOTE,
    account_cell,
    account_lines,
    balance_cell,
    balance_facts,
    by_notional,
    by_ratio,
    by_spread,
    first_text,
    headline,
    overview,
    position_cell,
    position_facts,
    size_text,
    spread_text,
)
from levcore.reports.comparison.terms import (
    asset_notes,
    dated,
    differing_rules,
    stated_rules,
    tier_notes,
    trader_owes,
)
from levcore.reports.numbers import amount, price
from levcore.reports.page import html_page, state_colour
from levcore.reports.risk.html_tables import html_table
from levcore.status import State

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["render_comparison", "write_comparison"]

POSITIONS_DRAWN = 10
POLICY_HEADS = (
    "Policy", "Product", "Dated", "If the price gaps past bankruptcy, does the trader owe the rest?",
    "Stated by the caller", "Instruments and tiers",
)  # fmt: skip


def write_comparison(comparison: "Comparison", path: str | Path, *, name: str = "", top: int = 20) -> Path:
    """Write the report on a comparison to a file and return its path; see `render_comparison`."""
    file = Path(path)
    write_text(file, render_comparison(comparison, name=name, top=top))
    return file


def render_comparison(comparison: "Comparison", *, name: str = "", top: int = 20) -> str:
    """Report on a comparison as the text of an HTML file.

    Parameters
    ----------
    comparison : Comparison
        What `levcore.compare` returns.
    name : str
        What was evaluated, such as the file's name.
    top : int
        Length of the lists of positions and accounts.
    """
    title = f"Comparison of policies: {name}" if name else "Comparison of policies"
    largest = by_notional(comparison, top)
    body = "\n".join(
        (
            _head(comparison, title),
            _policies(comparison),
            "<h2>Liquidation</h2>",
            liquidation_chart(comparison, largest[:POSITIONS_DRAWN]),
            _liquidations(comparison, "The largest positions", largest),
            _liquidations(
                comparison,
                "Liquidations farthest apart, of those that a move of 100 % reaches",
                by_spread(comparison, top),
            ),
            "<h2>Margin</h2>",
            margin_charts(comparison),
            _overview(comparison),
            _margins(comparison, largest),
            _accounts(comparison, by_ratio(comparison, top)),
            _balances(comparison, top),
            _rules(comparison),
        )
    )
    return html_page(title, body)


def _heads(comparison: "Comparison") -> list[str]:
    """Heads of the columns of the policies."""
    return [escape(name) for name in comparison.short_names.values()]


def _head(comparison: "Comparison", title: str) -> str:
    size = f"{size_text(comparison)} · {len(comparison.policies)} policies"
    edge = state_colour(
        State.HEALTHY if len(comparison.answers) == len(comparison.policies) else State.INCOMPLETE
    )
    return (
        f'<header><h1>{escape(title)}</h1>\n<p class="meta">{size}</p>\n'
        f'<p class="verdict" style="--edge: {edge}">{escape(headline(comparison))}</p></header>'
    )


def _policies(comparison: "Comparison") -> str:
    rows = "".join(
        f'<tr><td class="name">{escape(label)}<small>{escape(policy.id)}</small></td>'
        f"<td>{escape(policy.title)}<small>{escape(_answer(comparison, label))}</small></td>"
        f'<td class="name">{escape(dated(policy))}</td><td>{escape(trader_owes(policy))}</td>'
        f"<td>{_stated(comparison, label)}</td>"
        f"<td>{'<br>'.join(map(escape, _notes(comparison, label)))}</td></tr>"
        for label, policy in comparison.policies.items()
    )
    heads = "".join(f"<th>{head}</th>" for head in POLICY_HEADS)
    note = (
        "Each policy is dated: it holds for its day, and the report compares these days."
        " <code>levcore policies NAME</code> prints every rule with what it rests on."
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<h2>Policies</h2>\n<p class="note">{note}</p>\n<div class="scroll">{table}</div>'


def _notes(comparison: "Comparison", label: str) -> list[str]:
    tiers = tier_notes(comparison.policies[label], comparison.matches[label])
    return tiers + asset_notes(comparison.asset_matches[label])


def _answer(comparison: "Comparison", label: str) -> str:
    return "" if label in comparison.answers else str(comparison.results[label])


def _stated(comparison: "Comparison", label: str) -> str:
    stated = stated_rules(comparison.policies[label])
    # A value stays on the line of the last word of its rule.
    return (
        "<br>".join(
            escape(f"{rule.replace('_', ' ')}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{value}")
            for rule, value in stated.items()
        )
        or ABSENT
    )


def _overview(comparison: "Comparison") -> str:
    labels = list(comparison.policies)
    rows = [
        (escape(words), *(cells.get(label, ABSENT) for label in labels))
        for words, cells in overview(comparison)
    ]
    note = (
        "Amounts are totals over the positions that every policy evaluates, one line a settlement currency."
    )
    note += f" {TOTALS_NOTE}" if comparison.has_pooled_accounts else ""
    return f'<h3>Side by side</h3>\n<p class="note">{note}</p>\n{html_table(("", *_heads(comparison)), rows)}'


POSITION_HEADS = ("Row", "Instrument", "Side")


def _position_table(
    comparison: "Comparison",
    title: str,
    note: str,
    rows: Sequence[int],
    cell: Callable[[str, int], str],
    *,
    with_spread: bool,
) -> str:
    """Table with a line a position and a column a policy; empty where there are no positions."""
    if not rows:
        return ""
    labels = list(comparison.policies)
    lines = []
    for row in rows:
        facts = position_facts(comparison, row)
        words = (
            str(row),
            _two_lines(facts.instrument, facts.account),
            _two_lines(facts.side, facts.mode),
            _two_lines(amount(facts.notional), price(facts.mark_price)),
        )
        cells = [cell(label, row) for label in labels]
        if with_spread:
            spread = spread_text(float(comparison.spread[row]))
            cells.append(_two_lines(spread, first_text(comparison, row), "words"))
        lines.append([*words, *cells])
    heads = (*POSITION_HEADS, "Notional<small>mark</small>", *_heads(comparison))
    heads = (*heads, "Spread<small>first</small>") if with_spread else heads
    return (
        f'<h3>{escape(title)}</h3>\n<p class="note">{escape(note)}</p>\n'
        f"{html_table(heads, lines, left=len(POSITION_HEADS))}"
    )


def _two_lines(first: str, second: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f"{escape(first)}<small{named}>{escape(second)}</small>"


def _liquidations(comparison: "Comparison", title: str, rows: Sequence[int]) -> str:
    def cell(label: str, row: int) -> str:
        if label not in comparison.answers:
            return REFUSES
        liquidation = _liquidation(comparison, label, row)
        distance = position_cell(comparison, DISTANCE, label, row)
        bankruptcy = position_cell(comparison, BANKRUPTCY, label, row)
        away = "" if distance == liquidation else f"<small>{distance}</small>"
        broke = "" if bankruptcy == ABSENT else f'<small class="words">bankrupt {bankruptcy}</small>'
        return f"{liquidation}{away}{broke}"

    note = (
        "Liquidation price, adverse move of the mark up to it, bankruptcy price. Spread: from the earliest to"
        " the latest liquidation, per cent of the mark. "
    )
    note += POOLED_NOTE if comparison.has_pooled_accounts else ALONE_NOTE
    return _position_table(comparison, title, note, rows, cell, with_spread=True)


ALONE_NOTE = "For a cross position only its own instrument moves."
POOLED_NOTE = (
    "≤: liquidated at or below, ≥: at or above this price; the move is the one to the nearer. What an account"
    " holds on one underlying moves together, the rest stays at its marks."
)


def _liquidation(comparison: "Comparison", label: str, row: int) -> str:
    if not comparison.has_pooled_accounts:
        return position_cell(comparison, LIQUIDATION, label, row)
    return _bounds(position_cell(comparison, line, label, row) for line in BOUNDS)


def _bounds(cells: Iterable[str]) -> str:
    """Lower and upper price in one cell, those that there are."""
    below, above = cells
    if below == above:  # none, or not evaluated
        return below
    named = (("≤", below), ("≥", above))
    return "<br>".join(f"{sign} {text}" for sign, text in named if text != NO_PRICE)


def _margins(comparison: "Comparison", rows: Sequence[int]) -> str:
    def cell(label: str, row: int) -> str:
        if label not in comparison.answers:
            return REFUSES
        initial = position_cell(comparison, INITIAL, label, row)
        ratio = position_cell(comparison, RATIO, label, row)
        state = position_cell(comparison, STATE, label, row)
        maintenance = position_cell(comparison, MAINTENANCE, label, row)
        return (
            f'{maintenance}<small class="words">initial {initial}</small>'
            f"<small>ratio {escape(ratio)}</small><small>{state}</small>"
        )

    note = (
        "Maintenance margin, initial margin, margin ratio (requirement with fees over equity, of a cross"
        " position its account's), state."
    )
    return _position_table(comparison, "Margin of the largest positions", note, rows, cell, with_spread=False)


def _accounts(comparison: "Comparison", places: Sequence[int]) -> str:
    if not places:
        return ""
    labels = list(comparison.policies)
    rows = []
    for place in places:
        account = escape(str(comparison.book.account_ids[place]))
        for line in account_lines(comparison):
            cells = (escape(account_cell(comparison, line, label, place)) for label in labels)
            rows.append((account, line.words, *cells))
            account = ""
    note = (
        "The highest margin ratio first. A margin call is the deposit that ends it, 0 where there is none. An"
        " account may add risk while its equity covers the initial margin. All prices: their common move that"
        " liquidates it."
    )
    heads = ("Account", "", *_heads(comparison))
    return f'<h2>Accounts</h2>\n<p class="note">{note}</p>\n{html_table(heads, rows, left=2)}'


def _balances(comparison: "Comparison", top: int) -> str:
    balances = comparison.book.balances
    if balances is None or not top:
        return ""
    labels = list(comparison.policies)
    rows = []
    for row in range(min(top, len(balances))):
        account, held = balance_facts(comparison, row)
        words = (escape(account), "<small>".join(escape(held).split(", ", 1)) + "</small>")
        rows.append([*words, *(_balance(comparison, label, row) for label in labels)])
    note = (
        "What counts of each balance, and below it the prices of the asset that liquidate the account,"
        " everything on its underlying moving with it."
    )
    heads = ("Account", "Balance", *_heads(comparison))
    return f'<h2>Balances</h2>\n<p class="note">{note}</p>\n{html_table(heads, rows, left=2)}'


COLLATERAL = BALANCE_LINES[1]


def _balance(comparison: "Comparison", label: str, row: int) -> str:
    if label not in comparison.answers:
        return REFUSES
    counted = balance_cell(comparison, COLLATERAL, label, row)
    if counted == ABSENT:
        return escape(balance_cell(comparison, BALANCE_LINES[0], label, row))
    bounds = _bounds(balance_cell(comparison, line, label, row) for line in BOUNDS)
    return f"{counted}<small>{'no price' if bounds == NO_PRICE else bounds}</small>"


def _rules(comparison: "Comparison") -> str:
    differing = differing_rules(comparison)
    if not differing:
        return ""
    labels = list(comparison.policies)
    rows = [
        (rule.replace("_", " "), *(escape(values[label]) for label in labels))
        for rule, values in differing.items()
    ]
    heads = ("Rule", *_heads(comparison))
    return f"<h2>Rules that differ</h2>\n{html_table(heads, rows, left=len(heads))}"
