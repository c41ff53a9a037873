"""What open orders ask for, by order and by account."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.engine.columns import AccountColumns, Column, Failure
from levcore.measures import Measure
from levcore.status import Code, Status

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["OrderMargin"]

Bytes = npt.NDArray[np.uint8]

SUMS: tuple[Measure, ...] = (
    Measure("order_margin", "settlement currency", "Margin that the orders ask for beside the positions."),
    Measure("order_loss", "settlement currency", "Loss at the mark that the orders would open with."),
    Measure("initial_margin", "settlement currency", "Initial margin of positions and orders."),
    Measure("free_margin", "settlement currency", "Equity less that."),
)


class OrderMargin(AccountColumns):
    """Margin of open orders by account, made by `levcore.order_margin`.

    Its ``status``, uint8 of shape (o,), holds codes of `levcore.Status`, one an order;
    ``INVALID_ENTRY_PRICE`` is about the order's price.

    Attributes
    ----------
    ids : tuple of str or int
        Accounts of the book.
    order_margin : ndarray of float64, shape (a,), settlement currency
        Margin that the orders of the account ask for beside its positions; NaN where one of them failed.
    order_loss : ndarray of float64, shape (a,), settlement currency
        Loss at the mark that they would open with; 0 under policies that do not charge it.
    initial_margin : ndarray of float64, shape (a,), settlement currency
        Of the positions, with margin and loss of the orders.
    free_margin : ndarray of float64, shape (a,), settlement currency
        Equity less that; negative: nothing more may be opened.
    """

    __slots__ = ("risk",)

    risk: "BookRisk"

    table: ClassVar[tuple[Measure, ...]] = SUMS
    kinds: ClassVar[dict[str, type[Code]]] = {}
    codes: ClassVar[tuple[str, ...]] = ()
    order_margin: Column = Column()
    order_loss: Column = Column()
    initial_margin: Column = Column()
    free_margin: Column = Column()

    def __init__(self, risk: "BookRisk", orders: int) -> None:
        results, codes = np.empty((len(SUMS), len(risk.accounts))), np.empty((1, orders), dtype=np.uint8)
        self._fill(book=risk.book, risk=risk, _results=results, _codes=codes)

    @property
    def status(self) -> Bytes:
        """Codes of `levcore.Status`, shape (o,), one an order."""
        codes: Bytes = self._codes[0]
        return codes

    @property
    def buffers(self) -> tuple[Floats, Bytes]:
        """Where the kernel and the reference write: margin and loss by account, status by order."""
        return self._results[:2], self._codes

    def settle(self) -> None:
        """Join what orders ask for with what the positions do."""
        accounts = self.risk.accounts
        self._results[2] = (accounts.initial_margin + self.order_margin) + self.order_loss
        self._results[3] = accounts.equity - self.initial_margin

    def _policies(self) -> "list[MarginPolicy]":
        """Policy of each account; the first one of those without positions."""
        book, policies = self.risk.book, self.risk.policies
        codes = np.zeros(len(self.ids), dtype=np.int64)
        if book.policy_codes is not None and book.account_codes is not None:
            legs = np.flatnonzero(book.is_cross)
            codes[book.account_codes[legs]] = book.policy_codes[legs]
        return [policies[code] for code in codes.tolist()]

    @property
    def may_open(self) -> npt.NDArray[np.bool_]:
        """Whether equity covers positions and orders, shape (a,); False also where either is not known."""
        allowed: npt.NDArray[np.bool_] = self.free_margin >= 0.0
        return allowed

    @property
    def margin_ratio(self) -> Floats:
        """Requirement over equity, shape (a,), orders taken off the equity where the policy freezes them.

        Raises
        ------
        UnknownRuleError
            If a policy does not know whether its ratio counts orders.
        """
        accounts = self.risk.accounts
        frozen = np.array([policy.known("order_ratio") == "frozen" for policy in self._policies()])
        left = accounts.equity - np.where(frozen, self.order_margin + self.order_loss, 0.0)
        requirement = accounts.margin_ratio * accounts.equity
        with np.errstate(divide="ignore", invalid="ignore"):
            lowered = np.where(left > 0.0, requirement / left, np.inf)
        ratio: Floats = np.where(np.isnan(left), np.nan, np.where(frozen, lowered, accounts.margin_ratio))
        return ratio

    def failures(self, limit: int | None = None) -> list[Failure]:
        """Orders that could not be charged, with the reason; the first `limit` of them."""
        rows = np.flatnonzero(self.status)[:limit].tolist()
        return [self._failure(row, Status(int(self.status[row]))) for row in rows]

    def _failure(self, place: int, status: Code) -> Failure:
        return Failure(place, None, status, "", None)
