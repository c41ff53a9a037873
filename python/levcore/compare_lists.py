"""What the two layouts of a comparison list: positions, accounts, and a line for each policy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.columns import Floats
from levcore.report_numbers import amount, count, distance, percent, price, ratio
from levcore.report_style import state_word, status_word
from levcore.report_text import number_of
from levcore.status import FIRST_PARTIAL, AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.comparison import Comparison

__all__ = [
    "ACCOUNT_LINES",
    "POSITION_LINES",
    "Line",
    "PositionFacts",
    "account_cell",
    "by_notional",
    "by_ratio",
    "by_spread",
    "distance_text",
    "first_text",
    "headline",
    "overview",
    "position_cell",
    "position_facts",
    "spread_text",
]

REACHABLE = 1.0
"""Distance to liquidation, fraction of the mark, up to which a spread is listed: a price that must double
first says little about rules, and its spread in per cent of the mark would top every list."""

NO_PRICE, REFUSES = "none", "refuses"


def distance_text(value: float) -> str:
    """Distance to liquidation; none where no price liquidates the position."""
    return NO_PRICE if value == np.inf else distance(value)


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of a list: its name in the results, its words, and the text of a value."""

    measure: str
    words: str
    form: Callable[[float], str]


def _state(code: float) -> str:
    return state_word(State(int(code)))


POSITION_LINES = (
    Line("liquidation_price", "liquidation price", price),
    Line("distance_to_liquidation", "distance to liquidation", distance_text),
    Line("bankruptcy_price", "bankruptcy price", price),
    Line("initial_margin", "initial margin", amount),
    Line("maintenance_margin", "maintenance margin", amount),
    Line("margin_ratio", "margin ratio, fees included", ratio),
    Line("state", "state", _state),
)
ACCOUNT_LINES = (
    Line("equity", "equity", amount),
    Line("initial_margin", "initial margin", amount),
    Line("maintenance_margin", "maintenance margin", amount),
    Line("free_margin", "free margin", amount),
    Line("margin_ratio", "margin ratio, fees included", ratio),
    Line("margin_call_amount", "margin call", amount),
    Line("state", "state", _state),
)


def position_cell(comparison: "Comparison", line: Line, label: str, row: int) -> str:
    """Text of one measure of a position under one policy; of a state that is not known, the reason."""
    risk = comparison.answers.get(label)
    if risk is None:
        return REFUSES
    if line.measure == "state" and risk.status[row] >= FIRST_PARTIAL:
        return status_word(Status(int(risk.status[row])))
    if line.measure == "liquidation_price" and risk.distance_to_liquidation[row] == np.inf:
        return NO_PRICE
    return line.form(float(risk[line.measure][row]))


def account_cell(comparison: "Comparison", line: Line, label: str, place: int) -> str:
    """Text of one measure of an account under one policy; of a state that is not known, the reason."""
    risk = comparison.answers.get(label)
    if risk is None:
        return REFUSES
    if line.measure == "state" and risk.accounts.status[place] != AccountStatus.OK:
        return status_word(AccountStatus(int(risk.accounts.status[place])))
    return line.form(float(getattr(risk.accounts, line.measure)[place]))


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


def headline(comparison: "Comparison") -> str:
    """One sentence: on how many positions the policies differ, and who refuses."""
    refusing = [label for label in comparison.policies if label not in comparison.answers]
    refused = f" {', '.join(refusing)}: no answer." if refusing else ""
    answered = int(np.count_nonzero(~np.isnan(comparison.spread)))
    if not answered:
        return f"No position has an answer under two policies.{refused}"
    different = int(np.count_nonzero(comparison.spread > 0))
    positions = number_of(answered, "position")
    answer = f"{count(different)} of {positions} with two answers or more are liquidated at different prices."
    return answer + refused


def overview(comparison: "Comparison") -> list[tuple[str, dict[str, str]]]:
    """Lines with one cell a policy that answers: counts, who is first, totals by settlement currency."""
    answers = comparison.answers
    notional = np.nan_to_num(comparison.notional)
    lines = [
        ("positions evaluated", {label: count(len(one) - one.failed) for label, one in answers.items()}),
        ("in margin call or worse", {label: count(_in_trouble(one)) for label, one in answers.items()}),
        ("could not be judged", {label: count(_unjudged(one)) for label, one in answers.items()}),
        (
            "liquidates first, positions",
            {label: count(first.sum()) for label, first in comparison.liquidates_first.items()},
        ),
        (
            "liquidates first, notional",
            {
                label: amount(float(notional[first].sum()))
                for label, first in comparison.liquidates_first.items()
            },
        ),
    ]
    totals = comparison.totals()
    currencies = dict.fromkeys(currency for of_policy in totals.values() for currency in of_policy)
    for currency in currencies:
        unit = f", {currency}" if currency else ""
        for measure in ("notional", "initial_margin", "maintenance_margin"):
            cells = {
                label: amount(of_policy.get(currency, {}).get(measure, np.nan))
                for label, of_policy in totals.items()
            }
            lines.append((f"{measure.replace('_', ' ')}{unit}", cells))
    return lines


def _in_trouble(risk: Any) -> int:
    return _units(risk, lambda state: (state >= State.MARGIN_CALL) & (state < State.INCOMPLETE))


def _unjudged(risk: Any) -> int:
    return _units(risk, lambda state: state == State.INCOMPLETE)


def _units(risk: Any, belongs: Callable[[Any], Any]) -> int:
    """Isolated positions and cross accounts whose state belongs to a set."""
    isolated = risk.state[~risk.book.is_cross]
    return int(np.count_nonzero(belongs(isolated)) + np.count_nonzero(belongs(risk.accounts.state)))
