"""The report on a comparison; the same comparison gives the same bytes, for it carries no time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from levcore.reports.comparison.figures import liquidation_figures, margin_figures
from levcore.reports.comparison.lists import by_notional, by_ratio, by_spread, headline, size_text
from levcore.reports.comparison.tables import (
    account_table,
    balance_table,
    distance_table,
    overview_table,
    policy_table,
    position_table,
    rule_table,
)
from levcore.reports.page import Page, Section
from levcore.status import State

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["comparison_page"]

POSITIONS_DRAWN = 10

POLICIES_NOTE = (
    "Each policy is dated: it holds for its day, and the report compares these days."
    " levcore policies NAME prints every rule with what it rests on."
)
LIQUIDATION_NOTE = (
    "Adverse move of the mark up to the liquidation price. Spread: from the earliest to the latest"
    " liquidation, per cent of the mark."
)
ALONE_NOTE = "For a cross position only its own instrument moves."
POOLED_NOTE = (
    "The move is the one to the nearer of two prices. What an account holds on one underlying moves together,"
    " the rest stays at its marks."
)
MARGIN_NOTE = (
    "Amounts are totals over the positions that every policy evaluates, one line a settlement currency."
)
OWN_NOTE = (
    "Where an account nets its legs or a liability asks for margin, the account's margin is not the sum of"
    " its rows: the totals take the account's own."
)
ACCOUNTS_NOTE = (
    "The highest margin ratio first. A margin call is the deposit that ends it, 0 where there is none. An"
    " account may add risk while its equity covers the initial margin. All prices: their common move that"
    " liquidates it."
)
BALANCES_NOTE = (
    "In the caller's order: what counts of each, and the prices of the asset that liquidate the account,"
    " everything on its underlying moving with it."
)


def comparison_page(
    comparison: "Comparison", title: str = "Comparison of policies", *, top: int = 20
) -> Page:
    """Build the page of a comparison.

    Parameters
    ----------
    comparison : Comparison
        What `levcore.compare` returns.
    title : str
    top : int
        Length of the lists of positions, accounts and balances.
    """
    whole = len(comparison.answers) == len(comparison.policies) and not any(comparison.withheld.values())
    return Page(
        title=title,
        verdict=headline(comparison),
        worst=State.HEALTHY if whole else State.INCOMPLETE,
        facts=[("book", size_text(comparison)), ("policies", ", ".join(comparison.policies))],
        sections=list(_sections(comparison, top)),
    )


def _sections(comparison: "Comparison", top: int) -> Iterator[Section]:
    largest, farthest = by_notional(comparison, top), by_spread(comparison, top)
    pooled = comparison.has_pooled_accounts
    yield Section("Policies", POLICIES_NOTE, [policy_table(comparison)])
    if largest:
        note = f"{LIQUIDATION_NOTE} {POOLED_NOTE if pooled else ALONE_NOTE}"
        drawn = liquidation_figures(comparison, largest[:POSITIONS_DRAWN])
        tables = [distance_table(comparison, "The largest positions", largest)]
        if farthest:
            title = "Liquidations farthest apart, of those that a move of 100 % reaches"
            tables.append(distance_table(comparison, title, farthest))
        yield Section("Liquidation", note, [*drawn, *tables])
    note = f"{MARGIN_NOTE} {OWN_NOTE}" if pooled else MARGIN_NOTE
    yield Section("Margin", note, [*margin_figures(comparison), overview_table(comparison)])
    if largest:
        note = "Margin ratio: requirement with fees over equity, of a cross position its account's."
        yield Section("Every measure of the largest positions", note, [position_table(comparison, largest)])
    accounts = by_ratio(comparison, top)
    if accounts:
        yield Section("Accounts", ACCOUNTS_NOTE, [account_table(comparison, accounts)])
    balances = 0 if comparison.book.balances is None else min(top, len(comparison.book.balances))
    if balances:
        yield Section("Balances", BALANCES_NOTE, [balance_table(comparison, range(balances))])
    rules = rule_table(comparison)
    if rules.lines:
        yield Section("Rules that differ", "", [rules])
