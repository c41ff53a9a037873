"""Open orders with the codes of a book, as the core takes them, and those that a book cannot have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats
from levcore.book.positions import PositionBook
from levcore.book.wallets import idle_wallets
from levcore.changes.changes import NONE
from levcore.changes.names import Names, isolated_only, refuse_second_spelling, settlement_codes
from levcore.changes.opened import policies_of_accounts
from levcore.engine.answers import rows_for_isolated_margin_alone
from levcore.errors import InputError

if TYPE_CHECKING:
    from levcore.changes.orders import Orders
    from levcore.rules.policy import MarginPolicy

__all__ = ["OrderColumns", "names_in", "names_of_orders", "order_columns"]


@dataclass(frozen=True, slots=True)
class OrderColumns:
    """Orders as codes and numbers, as the core takes them."""

    account: Codes
    instrument: Codes
    policy: Codes
    quantity: Floats
    price: Floats
    leverage: Floats
    reduce_only: npt.NDArray[np.bool_]
    rules: list[str]
    loss_counts: list[bool]
    base_of: Codes
    settlement: Codes
    isolated_only: npt.NDArray[np.bool_]


def names_of_orders(book: PositionBook, orders: Orders, policies: Sequence[MarginPolicy]) -> Names:
    """Names of a book and of its orders."""
    instruments = tuple(dict.fromkeys((*book.instrument_names, *names_in(orders))))
    refuse_second_spelling(policies, book.instrument_names, instruments)
    return Names(instruments, (), ())


def names_in(orders: Orders | None) -> tuple[str, ...]:
    """Instruments that orders name."""
    return () if orders is None else tuple(map(str, orders.instrument[1]))


def order_columns(
    book: PositionBook, orders: Orders, names: Names, policies: Sequence[MarginPolicy]
) -> OrderColumns:
    """Codes of the orders in a book."""
    accounts = {label: code for code, label in enumerate(book.account_ids)}
    instruments = {name: code for code, name in enumerate(names.instruments)}
    labels = {name: code for code, name in enumerate(book.policy_names)}
    of_accounts = _known("orders.account", orders.account, accounts)
    of_instruments = _known("orders.instrument", orders.instrument, instruments)
    policy = np.zeros(len(orders), dtype=np.uint32)
    if orders.policy is not None and len(labels) > 1:
        policy = _known("orders.policy", orders.policy, labels)
    _refuse_other_wallets(book, policies, names, (of_accounts, of_instruments, policy))
    _refuse_isolated_only(book, policies, names, (of_accounts, of_instruments, policy))
    return OrderColumns(
        account=of_accounts,
        instrument=of_instruments,
        policy=policy,
        quantity=orders.quantity,
        price=orders.price,
        leverage=orders.leverage,
        reduce_only=orders.reduce_only,
        rules=[str(each.order_margin) for each in policies],
        loss_counts=[each.order_loss == "counted" for each in policies],
        base_of=names.base_of,
        settlement=settlement_codes(names, policies).ravel(),
        isolated_only=isolated_only(names, policies),
    )


def _refuse_other_wallets(
    book: PositionBook,
    policies: Sequence[MarginPolicy],
    names: Names,
    codes: tuple[Codes, Codes, Codes],
) -> None:
    """Refuse an order in an account without positions whose wallet is in another currency."""
    idle = idle_wallets(book, policies)
    accounts, instruments, of_policy = codes
    for order in np.flatnonzero(np.isin(accounts, list(idle))).tolist():
        name, table = names.instruments[instruments[order]], policies[of_policy[order]].instruments
        settlement = table[name].settlement if name in table else ""
        currency = idle[int(accounts[order])]
        if settlement not in ("", currency):
            rule = "must settle in the currency of the account's wallet"
            raise InputError("orders.instrument", rule, currency, f"{settlement} ({name})", order)


def _refuse_isolated_only(
    book: PositionBook,
    policies: Sequence[MarginPolicy],
    names: Names,
    codes: tuple[Codes, Codes, Codes],
) -> None:
    """Refuse an order whose fill would be a cross position in a contract for isolated margin alone."""
    accounts, instruments, named = codes
    known = policies_of_accounts(book)[accounts]
    of_order = np.where(known == NONE, named, known)
    for code, policy in enumerate(policies):
        bad = rows_for_isolated_margin_alone(policy, names.instruments, instruments, of_order == code)
        if bad.size:
            order = int(bad[0])
            rule = f"must be one that {policy.id} lists for cross margin, which open orders are of"
            found = repr(names.instruments[instruments[order]])
            expected = "no order in it, or the policy with Instrument(..., isolated_only=False)"
            raise InputError("orders.instrument", rule, expected, found, order, int(bad.size))


def _known(name: str, column: tuple[Codes, list[Any]], places: dict[Any, int]) -> Codes:
    codes, labels = column
    found = np.array([places.get(label, -1) for label in labels], dtype=np.int64)[codes]
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        count = int((found < 0).sum())
        raise InputError(
            name, "must be one of the book", "a known name", repr(labels[codes[row]]), row, count
        )
    return found.astype(np.uint32)
