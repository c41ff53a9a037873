"""The closed vocabularies of changes: their kinds, and what became of each.

The same codes as ``rust/levcore/src/codes/change.rs``; ``tests/changes/test_changes.py`` holds the two
together.
"""

from levcore._levcore import change_kinds, change_statuses
from levcore.status import Code

__all__ = ["FIRST_REFUSED", "ChangeKind", "ChangeStatus"]

FIRST_REFUSED = 32
"""First code of `ChangeStatus` whose change was not applied."""


class ChangeKind(Code, table=change_kinds):
    """What a change does; `describe` says what each means."""

    NONE = 0
    ORDER = 1
    CLOSE = 2
    FLIP = 3
    LEVERAGE = 4
    MARGIN = 5
    WALLET = 6
    COLLATERAL = 7
    TRANSFER = 8
    TIERS = 9


class ChangeStatus(Code, table=change_statuses):
    """What became of a change; from 32: refused, nothing changes and its results are NaN."""

    APPLIED = 0
    UNKNOWN_ROW = 32
    UNKNOWN_ACCOUNT = 33
    UNKNOWN_INSTRUMENT = 34
    UNKNOWN_ASSET = 35
    UNKNOWN_TABLE = 36
    INVALID_QUANTITY = 37
    INVALID_PRICE = 38
    INVALID_FEE = 39
    INVALID_LEVERAGE = 40
    INVALID_AMOUNT = 41
    MISSING_MARGIN = 42
    NO_POSITION = 43
    NOT_ISOLATED = 44
    MIXED_SETTLEMENT = 45
    ISOLATED_ONLY = 46
