"""What the report on a comparison lists: which positions and accounts, and what is said of all of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.book.arrays import Floats
from levcore.comparison.totals import OF_ACCOUNTS
from levcore.reports.numbers import amount, count, percent
from levcore.reports.words import number_of
from levcore.status import State

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = [
    "REACHABLE",
    "PositionFacts",
    "by_notional",
    "by_ratio",
    "by_spread",
    "first_text",
    "headline",
    "overview",
    "position_facts",
    "size_text",
    "spread_text",
]

REACHABLE = 1.0
"""Distance to liquidation, fraction of the mark, up to which a spread is listed: a price that must double
first says little about rules, and its spread in per cent of the mark would top every list."""

POSITION_TOTALS = ("notional", "initial_margin", "maintenance_margin")
ACCOUNT_TOTALS = ("equity", "collateral_value", "liabilities", "initial_margin", "maintenance_margin")


def _first_of(keys: Floats, top: int) -> list[int]:
    """Places of the `top` largest keys, equal ones in their order; NaN belongs to none."""
    order = np.argsort(-keys, kind="stable")[:top]
    return [int(place) for place in order[~np.isnan(keys[order])]]


def by_notional(comparison: "Comparison", top: int) -> list[int]:
    """Rows of the largest positions."""
    return _first_of(comparison.notional, top)


def by_spread(comparison: "Comparison", top: int) -> list[int]:
    """Rows whose liquidations lie farthest apart, of those with one within `REACHABLE` and one not past."""
    # Past its liquidation under every policy, how far past says nothing.
    open_to_it = (comparison.latest >= 0) & (comparison.earliest <= REACHABLE)
    listed = (comparison.spread > 0) & open_to_it
    return _first_of(np.where(listed, comparison.spread, np.nan), top)


def by_ratio(comparison: "Comparison", top: int) -> list[int]:
    """Accounts with the highest margin ratio under any policy; those that none can judge come last."""
    highest = np.full(len(comparison.book.account_ids), -1.0)
    for ratios in comparison.account_table("margin_ratio").values():
        highest = np.fmax(highest, ratios)
    return _first_of(highest, top)


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """What of a position is the same under every policy."""

    row: int
    account: str
    instrument: str
    is_long: bool
    is_cross: bool
    notional: float
    mark_price: float

    @property
    def side(self) -> str:
        """Whether it is long or short."""
        return "long" if self.is_long else "short"

    @property
    def mode(self) -> str:
        """Its margin mode."""
        return "cross" if self.is_cross else "isolated"


def position_facts(comparison: "Comparison", row: int) -> PositionFacts:
    """Facts of a row."""
    book = comparison.book
    account = book.account_of(row)
    return PositionFacts(
        row=row,
        account="" if account is None else str(account),
        instrument=book.name_of(row),
        is_long=bool(book.quantity[row] > 0),
        is_cross=bool(book.is_cross[row]),
        notional=float(comparison.notional[row]),
        mark_price=float(comparison.marks[book.instrument_codes[row]]),
    )


def spread_text(spread: float) -> str:
    """Spread of the liquidations in per cent of the mark; infinite where some policy has none."""
    return percent(spread, 2 if spread >= 0.001 or spread == 0 else 4)


def first_text(comparison: "Comparison", row: int) -> str:
    """Policies that liquidate a position first; empty where all that answer agree."""
    return ", ".join(
        comparison.short_names[label] for label, first in comparison.liquidates_first.items() if first[row]
    )


def size_text(comparison: "Comparison") -> str:
    """How many positions, accounts and balances the book has."""
    book = comparison.book
    size = number_of(len(book), "position") + (" in hedge mode" if book.position_mode == "hedge" else "")
    size += f", {number_of(len(book.account_ids), 'account')}" if book.account_ids else ""
    return size + (f", {number_of(len(book.balances), 'balance')}" if book.balances is not None else "")


def headline(comparison: "Comparison") -> str:
    """On how many positions the policies differ, and who refuses how much of the book."""
    refusing = [label for label in comparison.policies if label not in comparison.answers]
    refused = f" {', '.join(refusing)}: no answer." if refusing else ""
    for label, withheld in comparison.withheld.items():
        if withheld:
            rows = sum(one.rows.size for one in withheld)
            refused += f" {label}: no answer for {number_of(rows, 'position')}."
    answered = int(np.count_nonzero(~np.isnan(comparison.spread)))
    if not answered:
        return f"No position has an answer under two policies.{refused}"
    different = int(np.count_nonzero(comparison.spread > 0))
    positions = number_of(answered, "position")
    answer = f"{count(different)} of {positions} with two answers or more are liquidated at different prices."
    return answer + refused


def overview(comparison: "Comparison") -> list[tuple[str, dict[str, str]]]:
    """Lines with one cell a policy that answers: counts, who is first, totals by settlement currency."""
    answers, firsts = comparison.answers, comparison.liquidates_first
    notional = np.nan_to_num(comparison.notional)
    first_notional = {label: amount(float(notional[first].sum())) for label, first in firsts.items()}
    lines = [
        ("positions evaluated", {label: count(len(one) - one.failed) for label, one in answers.items()}),
        *_refused(comparison),
        ("in margin call or worse", {label: count(_in_trouble(one)) for label, one in answers.items()}),
        ("could not be judged", {label: count(_unjudged(one)) for label, one in answers.items()}),
        ("liquidates first, positions", {label: count(first.sum()) for label, first in firsts.items()}),
        ("liquidates first, notional", first_notional),
    ]
    return lines + _totals(comparison)


def _refused(comparison: "Comparison") -> list[tuple[str, dict[str, str]]]:
    """How many positions policies refuse that answer for others; no line where none does."""
    if not any(comparison.withheld.values()):
        return []
    rows = {label: comparison.refuses(label, "position").sum() for label in comparison.answers}
    return [("positions refused", {label: count(number) for label, number in rows.items()})]


def _totals(comparison: "Comparison") -> list[tuple[str, dict[str, str]]]:
    totals = comparison.totals()
    lines = []
    for currency in dict.fromkeys(currency for of_policy in totals.values() for currency in of_policy):
        unit = f", {currency}" if currency else ""
        of_currency = {label: of_policy.get(currency, {}) for label, of_policy in totals.items()}
        measures = ACCOUNT_TOTALS if currency == OF_ACCOUNTS else POSITION_TOTALS
        for measure in measures:
            if any(measure in sums for sums in of_currency.values()):
                cells = {label: amount(sums.get(measure, np.nan)) for label, sums in of_currency.items()}
                lines.append((f"{measure.replace('_', ' ')}{unit}", cells))
    return lines


def _in_trouble(risk: Any) -> int:
    states = _states_of_units(risk)
    return int(np.count_nonzero((states >= State.MARGIN_CALL) & (states < State.INCOMPLETE)))


def _unjudged(risk: Any) -> int:
    return int(np.count_nonzero(_states_of_units(risk) == State.INCOMPLETE))


def _states_of_units(risk: Any) -> Any:
    """States of the isolated positions and the cross accounts."""
    return np.concatenate((risk.state[~risk.book.is_cross], risk.accounts.state))
