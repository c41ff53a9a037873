"""Whether a policy answers for what changes may open: as a book that has it would ask."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from levcore.book.arrays import Codes
from levcore.book.policy_labels import labels_of_book
from levcore.changes.changes import NONE, Changes
from levcore.changes.status import ChangeKind
from levcore.engine.answers import check_isolated_only, check_modes

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.engine import Engine
    from levcore.rules.policy import MarginPolicy

__all__ = ["Opened", "check_opened", "policies_of_accounts"]


class Opened(NamedTuple):
    """Codes of what changes name, one a change; `names` are those of the instruments."""

    accounts: Codes
    instruments: Codes
    policies: Codes
    names: Sequence[str]


def check_opened(
    engine: "Engine",
    book: "PositionBook",
    policies: Sequence["MarginPolicy"],
    changes: Changes,
    opened: Opened,
) -> None:
    """Refuse what may open a position that no policy of the engine answers for.

    Raises
    ------
    UnknownRuleError
        For a margin mode whose rules no source states.
    InputError
        For an order or a transfer that makes a cross position of a contract that its venue lists for isolated
        margin alone, naming the change as its row.
    """
    _check_modes(engine, book, policies, changes)
    _check_contracts(book, policies, changes, opened)


def _check_modes(
    engine: "Engine", book: "PositionBook", policies: Sequence["MarginPolicy"], changes: Changes
) -> None:
    opens = (changes.kind == ChangeKind.ORDER) & (changes.row == NONE)
    modes = np.concatenate((changes.cross[opens], changes.kind[changes.kind == ChangeKind.TRANSFER] > 0))
    if not book.account_ids:
        # Without accounts nothing becomes a cross position: such a change is refused.
        modes = modes[~modes]
    if modes.size:
        for label, policy in zip(labels_of_book(book, tuple(engine.policies)), policies, strict=True):
            check_modes(policy, engine.compiled(label).rules, modes, book.position_mode)


def _check_contracts(
    book: "PositionBook", policies: Sequence["MarginPolicy"], changes: Changes, opened: Opened
) -> None:
    moved = (changes.kind == ChangeKind.TRANSFER) & (changes.row < len(book))
    becomes = (changes.kind == ChangeKind.ORDER) & (changes.row == NONE) & changes.cross
    becomes &= opened.instruments < len(opened.names)
    becomes |= moved
    if not becomes.any():
        return
    codes, of_change = opened.instruments.copy(), opened.policies.copy()
    rows = changes.row[moved]
    codes[moved] = book.instrument_codes[rows]
    of_change[moved] = 0 if book.policy_codes is None else book.policy_codes[rows]
    codes[~becomes] = 0
    # An account that has cross positions or balances has their policy, whatever the change names.
    of_account = policies_of_accounts(book)
    known = np.flatnonzero(opened.accounts < of_account.size)
    fixed = of_account[opened.accounts[known]]
    of_change[known[fixed != NONE]] = fixed[fixed != NONE]
    for code, policy in enumerate(policies):
        check_isolated_only(policy, opened.names, codes, becomes & (of_change == code))


def policies_of_accounts(book: "PositionBook") -> Codes:
    """Policy of each account with cross positions or balances, shape (a,); `NONE` for the others."""
    found = np.full(len(book.account_ids), NONE, dtype=np.uint32)
    held = book.balance_columns
    if held is not None and held.policy is not None:
        found[held.account] = held.policy
    if book.account_codes is not None:
        rows = np.flatnonzero(book.is_cross)
        found[book.account_codes[rows]] = 0 if book.policy_codes is None else book.policy_codes[rows]
    return found
