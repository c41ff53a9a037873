"""The closed vocabularies of row status, account status and risk state.

The same codes as ``rust/levcore/src/codes/status.rs`` and ``state.rs``; ``tests/properties/test_status.py``
holds the two together.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, ClassVar, TypeAlias

from levcore._levcore import account_statuses, states, statuses

__all__ = ["FIRST_FAILURE", "FIRST_PARTIAL", "AccountStatus", "Code", "State", "Status"]

Table: TypeAlias = Callable[[], Iterable[tuple[int, str, str]]]

FIRST_PARTIAL = 16
"""First code of `Status` that is more than a finding."""
FIRST_FAILURE = 32
"""First code of `Status` whose row holds no number."""


class Code(IntEnum):
    """A code of a closed vocabulary: how files spell it, how reports write it, what it means."""

    _meanings: ClassVar[dict[int, str]]

    def __init_subclass__(cls, table: Table, **options: Any) -> None:
        """Take the meanings from `table`: they stand once, in the core."""
        super().__init_subclass__(**options)
        cls._meanings = {code: meaning for code, _, meaning in table()}

    @property
    def word(self) -> str:
        """The word of the code in files, tables and JSON: ``"margin_call"``."""
        return self.name.lower()

    @property
    def phrase(self) -> str:
        """The word as reports write it: ``"margin call"``."""
        return self.word.replace("_", " ")

    @classmethod
    def words(cls) -> list[str]:
        """The word of each code by its number; numbers in between that are no code have none."""
        words = [""] * (max(cls) + 1)
        for member in cls:
            words[member] = member.word
        return words

    def describe(self) -> str:
        """Meaning of the code in words."""
        return self._meanings[self]

    @property
    def column(self) -> str:
        """Column to look at first; empty where no column explains the code."""
        return ""


class Status(Code, table=statuses):
    """What became of a row.

    Below 16: findings, every number is valid. From 16: partial, what depends on the account or on a margin
    that is not known is NaN. From 32:
    failed, every number is NaN. `describe` says what a code means.
    """

    OK = 0
    NO_LIQUIDATION_PRICE = 1
    FLAT = 2
    MISSING_LEVERAGE = 3
    LIQUIDATION_PRICE_BEYOND_ENTRY = 4
    LIQUIDATION_PRICE_BEYOND_LAST_TIER = 5
    ALREADY_LIQUIDATABLE = 6
    NO_BANKRUPTCY_PRICE = 7
    LEVERAGE_ABOVE_TIER = 8
    MISSING_INITIAL_TIERS = 9
    ACCOUNT_INCOMPLETE = 16
    WITHOUT_MARGIN = 17
    INVALID_QUANTITY = 32
    INVALID_ENTRY_PRICE = 33
    UNKNOWN_INSTRUMENT = 34
    MISSING_MARK_PRICE = 35
    INVALID_MARK_PRICE = 36
    INVALID_MARGIN = 38
    INVALID_LEVERAGE = 39
    MISSING_REQUIRED_LEVERAGE = 40
    INVALID_FUNDING = 41
    TIER_OVERFLOW = 42
    MISSING_RISK_LIMIT = 43
    INVALID_RISK_LIMIT = 44
    NUMERIC_OVERFLOW = 45
    DUPLICATE_LEG = 46
    UNKNOWN_SETTLEMENT = 47
    UNKNOWN_ASSET = 48
    MISSING_ASSET_PRICE = 49
    INVALID_ASSET_PRICE = 50
    INVALID_BALANCE = 51
    NO_POSITION = 52
    REFUSED = 53

    @property
    def is_finding(self) -> bool:
        """Whether the row is evaluated and still worth a remark."""
        return 0 < self < FIRST_PARTIAL

    @property
    def is_failure(self) -> bool:
        """Whether the row holds no number."""
        return self >= FIRST_FAILURE

    @property
    def column(self) -> str:
        """Column to look at first; empty where no column of the row explains the status."""
        return _COLUMNS.get(self, "")


class AccountStatus(Code, table=account_statuses):
    """What became of a cross account; every measure is NaN unless ``OK``."""

    OK = 0
    INCOMPLETE = 1
    MISSING_WALLET_BALANCE = 2
    INVALID_WALLET_BALANCE = 3
    NO_COMMON_RAY = 4
    NO_ACCOUNT = 5
    MIXED_SETTLEMENT = 6
    MISSING_WALLET_CURRENCY = 7
    SEVERAL_WALLETS = 8
    REFUSED = 9

    @property
    def column(self) -> str:
        """``"wallet_balance"`` where that is at fault, else empty: a row or several are."""
        return "wallet_balance" if self.name.endswith("WALLET_BALANCE") else ""


class State(Code, table=states):
    """How close to liquidation, by the policy's thresholds on the margin ratio; larger is worse.

    ``WARNING`` and ``MARGIN_CALL`` do not occur under a policy that has no such level.
    """

    HEALTHY = 0
    WARNING = 1
    MARGIN_CALL = 2
    LIQUIDATION = 3
    BANKRUPT = 4
    INCOMPLETE = 5


_COLUMNS = {
    Status.MISSING_LEVERAGE: "leverage",
    Status.LEVERAGE_ABOVE_TIER: "leverage",
    Status.MISSING_INITIAL_TIERS: "instrument",
    Status.INVALID_QUANTITY: "quantity",
    Status.INVALID_ENTRY_PRICE: "entry_price",
    Status.UNKNOWN_INSTRUMENT: "instrument",
    Status.MISSING_MARK_PRICE: "mark_price",
    Status.INVALID_MARK_PRICE: "mark_price",
    Status.WITHOUT_MARGIN: "isolated_margin",
    Status.INVALID_MARGIN: "isolated_margin",
    Status.INVALID_LEVERAGE: "leverage",
    Status.MISSING_REQUIRED_LEVERAGE: "leverage",
    Status.INVALID_FUNDING: "accrued_funding",
    Status.TIER_OVERFLOW: "quantity",
    Status.MISSING_RISK_LIMIT: "risk_limit",
    Status.INVALID_RISK_LIMIT: "risk_limit",
    Status.NUMERIC_OVERFLOW: "quantity",
    Status.DUPLICATE_LEG: "instrument",
    Status.UNKNOWN_SETTLEMENT: "instrument",
    Status.MISSING_ASSET_PRICE: "instrument",
    Status.INVALID_ASSET_PRICE: "instrument",
}
