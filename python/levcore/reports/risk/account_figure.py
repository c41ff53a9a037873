"""An account as a sum: its wallet, the profit of each leg, what is left, and what is required."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.reports.charts.model import Figure, Span, Spans
from levcore.reports.numbers import amount, short
from levcore.reports.words import number_of
from levcore.status import AccountStatus

__all__ = ["account_figure"]

LEGS_SHOWN = 12


def account_figure(risk: BookRisk, account: Any, currency: str | None = None) -> Figure:
    """Waterfall of a cross account: wallet, profit of each leg, equity, and what is required.

    Parameters
    ----------
    risk : BookRisk
        With every measure.
    account : str or int
        One of ``risk.accounts.ids``.
    currency : str, optional
        Settlement currency of the wallet, where the account has several.

    Raises
    ------
    InputError
        For an account that the book does not hold or that could not be judged, and for one of several wallets
        without a currency.
    """
    place = _wallet(risk, account, currency)
    wallets = risk.wallets
    status = AccountStatus(int(wallets.status[place]))
    if status != AccountStatus.OK:
        raise InputError("account", "must have been judged", "an account with an equity", status.phrase)
    steps = _of_balances(risk, place) if len(risk.balances) else _of_legs(risk, place)
    equity, required = float(wallets.equity[place]), float(wallets.maintenance_margin[place])
    spans, total = [], 0.0
    for name, value in steps:
        spans.append(Span(name, total, total + value, amount(value), "short" if value < 0.0 else "policy-3"))
        total += value
    spans += [
        Span("equity", 0.0, equity, amount(equity), "long"),
        Span("maintenance margin", 0.0, required, amount(required), "liquidation"),
    ]
    told = "; ".join(f"{one.name} {one.text}" for one in spans)
    subtitle = "what the account brings, what each leg has made or lost, what is left, and what is required"
    return Figure(f"Account {wallets.label(place)}", subtitle, told, Spans(spans, short))


def _wallet(risk: BookRisk, account: Any, currency: str | None) -> int:
    wallets = risk.wallets
    places = [place for place, each in enumerate(wallets.ids) if each == account]
    if not places:
        known = ", ".join(map(repr, risk.book.account_ids[:5]))
        raise InputError("account", "must be a cross account of the book", known or "none", repr(account))
    if currency is not None:
        places = [place for place in places if wallets.currency[place] == currency]
    if len(places) != 1:
        known = ", ".join(
            wallets.currency[place] for place, each in enumerate(wallets.ids) if each == account
        )
        raise InputError("currency", "must name one wallet of the account", known, repr(currency))
    return places[0]


def _of_balances(risk: BookRisk, place: int) -> list[tuple[str, float]]:
    wallets = risk.wallets
    counted, owed = float(wallets.collateral_value[place]), float(wallets.liabilities[place])
    return [("counted of its assets", counted), *([("owed", -owed)] if owed else [])]


def _of_legs(risk: BookRisk, place: int) -> list[tuple[str, float]]:
    """Wallet, legs from the largest change to the smallest, and accrued funding where there is any."""
    columns, book = risk.wallets.columns, risk.book
    rows: NDArray[np.int64] = np.empty(0, np.int64)
    if columns.of_row is not None:
        rows = np.flatnonzero(book.is_cross & (columns.of_row == place))
    made = risk.unrealized_pnl[rows]
    order = np.argsort(-np.abs(made), kind="stable")
    shown = order[:LEGS_SHOWN]
    steps = [("wallet", float(columns.balance[place]))]
    for each in shown.tolist():
        side = "long" if book.quantity[rows[each]] > 0 else "short"
        steps.append((f"{book.name_of(int(rows[each]))} {side}", float(made[each])))
    if order.size > LEGS_SHOWN:
        others = order[LEGS_SHOWN:]
        steps.append((number_of(others.size, "other leg"), float(made[others].sum())))
    funding = float(book.accrued_funding[rows].sum()) if book.accrued_funding is not None else 0.0
    return [*steps, *([("accrued funding", funding)] if funding else [])]
