"""Cells of a comparison: one measure of a position, an account or a balance under one policy, as text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from levcore.comparison.terms import OWES
from levcore.reports.numbers import amount, distance, percent, price, ratio
from levcore.status import FIRST_PARTIAL, AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison, Kind

__all__ = ["ABSENT", "REFUSES", "Line", "account_lines", "balance_lines", "distance_text", "position_lines"]

OWES_SHORT = OWES | {"claim_reserved": "claim reserved"}
NO_PRICE, REFUSES, ABSENT = "none", "refuses", "–"

Form = Callable[[float], str]
Read = Callable[["Comparison", str, int], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list.

    Parameters
    ----------
    words : str
    kind : {"position", "account", "balance"}
        What it is a line of.
    read : callable
        Text for a policy that answers, by comparison, label and row or place.
    """

    words: str
    kind: "Kind"
    read: Read

    def cell(self, comparison: "Comparison", label: str, place: int) -> str:
        """Text of the line for one policy."""
        return REFUSES if comparison.refuses(label, self.kind)[place] else self.read(comparison, label, place)


def distance_text(value: float) -> str:
    """Distance to liquidation; none where no price liquidates the position."""
    return NO_PRICE if value == np.inf else distance(value)


def _level(value: float) -> str:
    """Price beside those of other policies."""
    return price(value, fixed=True)


def _fall_or_rise(move: float) -> str:
    """Move of all prices that liquidates; its sign says the direction."""
    if move != move:
        return NO_PRICE
    return f"+{percent(move)}" if move > 0 else percent(move)


def _position(words: str, measure: str, form: Form, missing: str = "") -> Line:
    """Measure of a position; `missing` is said where it was evaluated and there is no such price."""

    def read(comparison: "Comparison", label: str, row: int) -> str:
        risk = comparison.answers[label]
        value = float(risk[measure][row])
        return missing if missing and value != value and risk.status[row] < FIRST_PARTIAL else form(value)

    return Line(words, "position", read)


def _position_state(comparison: "Comparison", label: str, row: int) -> str:
    """State of a position; where it is not known, the reason."""
    risk = comparison.answers[label]
    status = Status(int(risk.status[row]))
    return status.phrase if status >= FIRST_PARTIAL else State(int(risk.state[row])).phrase


def position_lines(comparison: "Comparison") -> tuple[Line, ...]:
    """Lines of a position; two liquidation prices where parts of an account move together."""
    one = (_position("liquidation price", "liquidation_price", _level, NO_PRICE),)
    two = (
        _position("liquidated at or below", "liquidation_price_lower", _level, NO_PRICE),
        _position("liquidated at or above", "liquidation_price_upper", _level, NO_PRICE),
    )
    return (
        *(two if comparison.has_pooled_accounts else one),
        _position("distance to liquidation", "distance_to_liquidation", distance_text),
        _position("bankruptcy price", "bankruptcy_price", _level),
        _position("initial margin", "initial_margin", amount),
        _position("maintenance margin", "maintenance_margin", amount),
        _position("margin ratio, fees included", "margin_ratio", ratio),
        Line("state", "position", _position_state),
    )


def _account(words: str, measure: str, form: Form) -> Line:
    def read(comparison: "Comparison", label: str, place: int) -> str:
        return form(float(comparison.account_table(measure)[label][place]))

    return Line(words, "account", read)


def _account_move(words: str, measure: str) -> Line:
    def read(comparison: "Comparison", label: str, place: int) -> str:
        if comparison.account_distances[label].status[place]:
            return ABSENT
        return _fall_or_rise(float(comparison.account_table(measure)[label][place]))

    return Line(words, "account", read)


def _may_add(comparison: "Comparison", label: str, place: int) -> str:
    accounts = comparison.answers[label].accounts
    if np.isnan(accounts.free_margin[place]):
        return ABSENT
    return "yes" if accounts.may_add_risk[place] else "no"


def _owed(comparison: "Comparison", label: str, place: int) -> str:
    """Whether the trader owes what an account lacks, and how much that is; a dash without an equity."""
    equity = float(comparison.answers[label].accounts.equity[place])
    lacking = f", {amount(-equity)}" if equity < 0 else ""
    owes = OWES_SHORT[comparison.policies[label].trader_owes]
    return ABSENT if np.isnan(equity) else f"{owes}{lacking}"


def _account_state(comparison: "Comparison", label: str, place: int) -> str:
    """State of an account, of several wallets that of the worst; where it is not known, the reason."""
    accounts = comparison.answers[label].accounts
    status = AccountStatus(int(accounts.status[place]))
    judged = status in (AccountStatus.OK, AccountStatus.SEVERAL_WALLETS)
    return State(int(accounts.state[place])).phrase if judged else status.phrase


def account_lines(comparison: "Comparison") -> tuple[Line, ...]:
    """Lines of an account; collateral and liabilities where there are balances."""
    assets = (
        _account("collateral value", "collateral_value", amount),
        _account("liabilities", "liabilities", amount),
    )
    return (
        _account("equity", "equity", amount),
        *(assets if comparison.book.balances is not None else ()),
        _account("initial margin", "initial_margin", amount),
        _account("maintenance margin", "maintenance_margin", amount),
        _account("free margin", "free_margin", amount),
        Line("may add risk", "account", _may_add),
        _account("margin ratio, fees included", "margin_ratio", ratio),
        _account("margin call", "margin_call_amount", amount),
        _account_move("all prices move, down", "distance_lower"),
        _account_move("all prices move, up", "distance_upper"),
        Line("trader owes a shortfall", "account", _owed),
        Line("state", "account", _account_state),
    )


def _balance(words: str, measure: str, form: Form, missing: str = "") -> Line:
    def read(comparison: "Comparison", label: str, row: int) -> str:
        if comparison.answers[label].balances.status[row] >= FIRST_PARTIAL:
            return ABSENT
        value = float(comparison.balance_table(measure)[label][row])
        return missing if missing and value != value else form(value)

    return Line(words, "balance", read)


def _balance_status(comparison: "Comparison", label: str, row: int) -> str:
    return Status(int(comparison.answers[label].balances.status[row])).phrase


def balance_lines() -> tuple[Line, ...]:
    """Lines of a balance."""
    return (
        _balance("equity, units", "equity", amount),
        _balance("collateral value", "collateral_value", amount),
        _balance("maintenance margin", "maintenance_margin", amount),
        _balance("liquidated at or below", "liquidation_price_lower", _level, NO_PRICE),
        _balance("liquidated at or above", "liquidation_price_upper", _level, NO_PRICE),
        Line("status", "balance", _balance_status),
    )
