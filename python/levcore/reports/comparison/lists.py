"""What the two layouts of a comparison list: positions, accounts, and a line for each policy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.book.arrays import Floats
from levcore.comparison.totals import OF_ACCOUNTS
from levcore.reports.comparison.terms import owed_text
from levcore.reports.numbers import amount, count, distance, percent, price, ratio
from levcore.reports.risk.text import number_of
from levcore.status import FIRST_PARTIAL, AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = [
    "ABSENT",
    "BALANCE_LINES",
    "BANKRUPTCY",
    "BOUNDS",
    "DISTANCE",
    "INITIAL",
    "LIQUIDATION",
    "MAINTENANCE",
    "NO_PRICE",
    "RATIO",
    "REFUSES",
    "STATE",
    "TOTALS_NOTE",
    "Line",
    "PositionFacts",
    "account_cell",
    "account_lines",
    "balance_cell",
    "balance_facts",
    "by_notional",
    "by_ratio",
    "by_spread",
    "distance_text",
    "first_text",
    "headline",
    "overview",
    "position_cell",
    "position_facts",
    "position_lines",
    "size_text",
    "spread_text",
]

REACHABLE = 1.0
"""Distance to liquidation, fraction of the mark, up to which a spread is listed: a price that must double
first says little about rules, and its spread in per cent of the mark would top every list."""

NO_PRICE, REFUSES, ABSENT = "none", "refuses", "–"


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
    return State(int(code)).phrase


def _fall_or_rise(move: float) -> str:
    """Move of all prices that liquidates; its sign says the direction."""
    if move != move:
        return NO_PRICE
    return f"+{percent(move)}" if move > 0 else percent(move)


def _level(value: float) -> str:
    """Price beside those of other policies."""
    return price(value, fixed=True)


LIQUIDATION = Line("liquidation_price", "liquidation price", _level)
DISTANCE = Line("distance_to_liquidation", "distance to liquidation", distance_text)
BANKRUPTCY = Line("bankruptcy_price", "bankruptcy price", _level)
INITIAL = Line("initial_margin", "initial margin", amount)
MAINTENANCE = Line("maintenance_margin", "maintenance margin", amount)
RATIO = Line("margin_ratio", "margin ratio, fees included", ratio)
STATE = Line("state", "state", _state)
BOUNDS = (
    Line("liquidation_price_lower", "liquidated at or below", _level),
    Line("liquidation_price_upper", "liquidated at or above", _level),
)
BALANCE_LINES = (
    Line("equity", "equity, units", amount),
    Line("collateral_value", "collateral value", amount),
    Line("maintenance_margin", "maintenance margin", amount),
    *BOUNDS,
)
POSITION_TOTALS = ("notional", "initial_margin", "maintenance_margin")
ACCOUNT_TOTALS = ("equity", "collateral_value", "liabilities", "initial_margin", "maintenance_margin")
OWED, MAY_ADD = "owed", "may_add_risk"
TOTALS_NOTE = (
    "Where an account nets its legs or a liability asks for margin, the account's margin is not the sum of"
    " its rows: the totals take the account's own."
)


def position_lines(comparison: "Comparison") -> tuple[Line, ...]:
    """Lines of a position; two liquidation prices where parts of an account move together."""
    prices = BOUNDS if comparison.has_pooled_accounts else (LIQUIDATION,)
    return (*prices, DISTANCE, BANKRUPTCY, INITIAL, MAINTENANCE, RATIO, STATE)


def account_lines(comparison: "Comparison") -> tuple[Line, ...]:
    """Lines of an account; collateral and liabilities where there are balances."""
    assets = (
        Line("collateral_value", "collateral value", amount),
        Line("liabilities", "liabilities", amount),
    )
    return (
        Line("equity", "equity", amount),
        *(assets if comparison.book.balances is not None else ()),
        INITIAL,
        MAINTENANCE,
        Line("free_margin", "free margin", amount),
        Line(MAY_ADD, "may add risk", str),
        RATIO,
        Line("margin_call_amount", "margin call", amount),
        Line("distance_lower", "all prices move, down", _fall_or_rise),
        Line("distance_upper", "all prices move, up", _fall_or_rise),
        Line(OWED, "trader owes a shortfall", str),
        STATE,
    )


def position_cell(comparison: "Comparison", line: Line, label: str, row: int) -> str:
    """Text of one measure of a position under one policy; of a state that is not known, the reason."""
    risk = comparison.answers.get(label)
    if risk is None:
        return REFUSES
    if line.measure == "state" and risk.status[row] >= FIRST_PARTIAL:
        return Status(int(risk.status[row])).phrase
    value = float(risk[line.measure][row])
    if line in (LIQUIDATION, *BOUNDS) and value != value and risk.status[row] < FIRST_PARTIAL:
        return NO_PRICE
    return line.form(value)


def account_cell(comparison: "Comparison", line: Line, label: str, place: int) -> str:
    """Text of one measure of an account under one policy; of a state that is not known, the reason."""
    risk = comparison.answers.get(label)
    if risk is None:
        return REFUSES
    accounts = risk.accounts
    if line.measure == "state" and accounts.status[place] != AccountStatus.OK:
        return AccountStatus(int(accounts.status[place])).phrase
    if line.measure == OWED:
        return owed_text(comparison.policies[label], float(accounts.equity[place]))
    if line.measure == MAY_ADD:
        known = not np.isnan(accounts.free_margin[place])
        return ("yes" if accounts.may_add_risk[place] else "no") if known else ABSENT
    if line.measure.startswith("distance_") and comparison.account_distances[label].status[place]:
        return ABSENT
    return line.form(float(comparison.account_table(line.measure)[label][place]))


def balance_cell(comparison: "Comparison", line: Line, label: str, row: int) -> str:
    """Text of one measure of a balance under one policy; without numbers, the reason in the first line."""
    risk = comparison.answers.get(label)
    if risk is None:
        return REFUSES
    status = Status(int(risk.balances.status[row]))
    if status >= FIRST_PARTIAL:
        return status.phrase if line is BALANCE_LINES[0] else ABSENT
    value = float(comparison.balance_table(line.measure)[label][row])
    return NO_PRICE if line in BOUNDS and value != value else line.form(value)


def balance_facts(comparison: "Comparison", row: int) -> tuple[str, str]:
    """Account of a balance, and in words what it is and its price."""
    balances = comparison.book.balances
    if balances is None:
        return "", ""
    asset = balances.asset_names[int(balances.asset_codes[row])]
    owed = 0.0 if balances.liability is None else float(balances.liability[row])
    held = f"{asset} {amount(float(balances.balance[row]))}" + (f", owed {amount(owed)}" if owed else "")
    at = (comparison.asset_prices or {}).get(asset)
    return str(balances.account[row]), held + ("" if at is None else f", price {price(float(at))}")


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
    return lines + _totals(comparison)


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
    return _units(risk, lambda state: (state >= State.MARGIN_CALL) & (state < State.INCOMPLETE))


def _unjudged(risk: Any) -> int:
    return _units(risk, lambda state: state == State.INCOMPLETE)


def _units(risk: Any, belongs: Callable[[Any], Any]) -> int:
    """Isolated positions and cross accounts whose state belongs to a set."""
    isolated = risk.state[~risk.book.is_cross]
    return int(np.count_nonzero(belongs(isolated)) + np.count_nonzero(belongs(risk.accounts.state)))
