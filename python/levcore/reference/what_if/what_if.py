"""Every change applied and the whole changed book evaluated: what `levcore.what_if` must equal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from levcore.book.marks import Marks, marks_by_policy
from levcore.book.positions import PositionBook
from levcore.changes.changes import NONE, UNKNOWN, Changes
from levcore.changes.columns import ChangeColumns, change_columns
from levcore.changes.names import Names, extended_marks, names_of
from levcore.changes.order_columns import names_in, order_columns
from levcore.changes.orders import Orders, check_orders
from levcore.changes.result import Side, WhatIf
from levcore.changes.status import ChangeKind, ChangeStatus
from levcore.changes.what_if import new_result
from levcore.engine.compiled import CompiledPolicy, compile_policy
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.measures import ACCOUNT_MEASURES
from levcore.reference.evaluate import evaluate
from levcore.reference.what_if.apply import Change, Moved, RefusedError, Touched, apply, locate
from levcore.reference.what_if.ledger import Ledger
from levcore.reference.what_if.orders import charge
from levcore.status import AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy

__all__ = ["what_if"]

Evaluate = Callable[[PositionBook, Mapping[str, "MarginPolicy"], npt.ArrayLike], BookRisk]


def what_if(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    changes: Changes,
    *,
    sequence: bool | npt.ArrayLike = False,
    tables: Sequence["Instrument"] = (),
    orders: Orders | None = None,
    reducing: Literal["share", "nothing"] = "share",
    before: bool = True,
    asset_prices: Mapping[str, float] | None = None,
    measures: tuple[str, ...] | None = None,
    evaluated: Evaluate | None = None,
) -> WhatIf:
    """Evaluate changes one by one in pure Python: the same result as `levcore.what_if`, to the last bit.

    Parameters
    ----------
    engine, book, marks, changes, sequence, tables, orders, reducing, before, asset_prices, measures
        As `levcore.what_if` takes them.
    evaluated : callable, optional
        What evaluates a changed book, from the book, its policies by label and its marks; by default the
        reference.

    Returns
    -------
    WhatIf
    """
    policies = engine.bind(book).policies
    if orders is not None:
        check_orders(engine, book, orders)
    names = names_of(book, changes, tables, policies, names_in(orders))
    columns = change_columns(engine, book, changes, names, policies, sequence, reducing)
    prices = extended_marks(book, names, marks)
    result = new_result(book, changes, measures, before, None)
    result.about(book, changes, names, policies, result.room_for_orders(orders is not None))
    charged = None if orders is None else order_columns(book, orders, names, policies)
    known = [_with_tables(policy, names) for policy in policies]
    compiled = [_compiled(policy, names) for policy in known]
    labels = book.policy_names or tuple(engine.policies)
    by_label = dict(zip(labels, known, strict=len(labels) == len(known)))
    chosen = result.after.positions.measures

    def by_reference(
        changed: PositionBook, given: Mapping[str, "MarginPolicy"], at: npt.ArrayLike
    ) -> BookRisk:
        return evaluate(changed, dict(given), at, asset_prices=asset_prices, measures=chosen)

    judge = by_reference if evaluated is None else evaluated

    def risk_of(ledger: Ledger) -> BookRisk:
        return judge(ledger.changed_book(columns.has_leverage), by_label, prices)

    of_policies = marks_by_policy(prices, len(policies))
    for sequence_rows in _sequences(columns, len(changes)):
        ledger = Ledger(book, names, compiled, of_policies, columns.settlement, columns.isolated_only)
        for row in sequence_rows:
            account = _run_change(ledger, columns, row, result, risk_of)
            if charged is not None:
                status = np.empty(charged.quantity.size, np.uint8)
                sums = (np.nan, np.nan) if account is None else charge(ledger, charged, account, status)
                result.order_sums[:, row] = sums
    return result


def _with_tables(policy: "MarginPolicy", names: Names) -> "MarginPolicy":
    """The policy with the tables under names of their own."""
    renamed = [
        replace(table, name=f"{table.name} table {place}")
        for place, table in enumerate(names.tables)
        if table.name in policy.instruments
    ]
    return policy.with_instruments(renamed) if renamed else policy


def _compiled(policy: "MarginPolicy", names: Names) -> CompiledPolicy:
    added = [f"{table.name} table {place}" for place, table in enumerate(names.tables)]
    return compile_policy(policy, [*names.instruments, *added])


def _sequences(columns: ChangeColumns, count: int) -> list[list[int]]:
    if columns.order is None or columns.starts is None:
        return [[row] for row in range(count)]
    order, starts = columns.order.tolist(), columns.starts.tolist()
    return [order[first:end] for first, end in pairwise(starts)]


def _change(columns: ChangeColumns, row: int) -> Change:
    """The change at a row; refuses one that names what nobody knows."""
    unknown = {
        "row": ChangeStatus.UNKNOWN_ROW,
        "account": ChangeStatus.UNKNOWN_ACCOUNT,
        "instrument": ChangeStatus.UNKNOWN_INSTRUMENT,
        "policy": ChangeStatus.UNKNOWN_INSTRUMENT,
        "asset": ChangeStatus.UNKNOWN_ASSET,
        "replacement": ChangeStatus.UNKNOWN_TABLE,
    }
    codes = {name: int(getattr(columns, name)[row]) for name in unknown}
    refused = next((status for name, status in unknown.items() if codes[name] == UNKNOWN), None)
    if refused is not None:
        raise RefusedError(refused)
    named: dict[str, Any] = {name: None if code == NONE else code for name, code in codes.items()}
    numbers = ("quantity", "price", "fee_rate", "leverage", "amount", "risk_limit")
    given: dict[str, Any] = {name: float(getattr(columns, name)[row]) for name in numbers}
    kind = ChangeKind(int(columns.kind[row]))
    return Change(kind=kind, cross=bool(columns.cross[row]), release=columns.release, **named, **given)


def _run_change(
    ledger: Ledger,
    columns: ChangeColumns,
    row: int,
    result: WhatIf,
    risk_of: Callable[[Ledger], BookRisk],
) -> int | None:
    """Apply a change and store what it is told; return its account."""
    touched, moved, status = Touched(), Moved(np.nan, np.nan, np.nan), ChangeStatus.APPLIED
    change = None
    try:
        change = _change(columns, row)
        touched = locate(ledger, change)
    except RefusedError as refused:
        status = refused.status
    if result.before is not None:
        _store(result.before, row, risk_of(ledger), touched.row, _id(ledger, touched.account))
    if change is not None and status is ChangeStatus.APPLIED:
        try:
            moved = apply(ledger, change, touched)
        except RefusedError as refused:
            status = refused.status
            if touched.opens:
                ledger.positions.pop()
    if status is not ChangeStatus.APPLIED:
        touched = Touched()
    risk = risk_of(ledger)
    _store(result.after, row, risk, touched.row, _id(ledger, touched.account))
    if result.source is not None:
        _store(result.source, row, risk, None, _id(ledger, touched.source))
    effect, codes = result.buffers
    effect[:, row] = [*_position(ledger, touched), moved.realized, moved.fee, moved.cash_flow]
    codes[0, row] = status
    return touched.account


def _position(ledger: Ledger, touched: Touched) -> list[float]:
    wallet = np.nan if touched.account is None else ledger.wallets[touched.account]
    if touched.row is None:
        return [np.nan] * 7 + [wallet]
    own = ledger.positions[touched.row]
    numbers = [own.quantity, own.entry_price, own.isolated_margin, own.leverage]
    return [own.instrument, own.policy, float(own.account is not None), *numbers, wallet]


def _id(ledger: Ledger, account: int | None) -> Any:
    return None if account is None else ledger.book.account_ids[account]


def _store(side: Side, change: int, risk: BookRisk, row: int | None, owner: Any) -> None:
    """Copy what a change is told of a position and an account."""
    results, codes, account_results, account_codes = side.buffers
    if row is None:
        results[:, change], codes[:, change] = np.nan, (State.INCOMPLETE, Status.NO_POSITION)
    else:
        results[:, change] = [risk.column(name)[row] for name in side.positions.measures]
        codes[:, change] = risk.state[row], risk.status[row]
    if owner is None:
        account_results[:, change] = np.nan
        account_codes[:, change] = State.INCOMPLETE, AccountStatus.NO_ACCOUNT
    else:
        account = risk.accounts.ids.index(owner)
        account_results[:, change] = [risk.accounts.to_dict()[name][account] for name in ACCOUNT_MEASURES]
        account_codes[:, change] = risk.accounts.state[account], risk.accounts.status[account]
