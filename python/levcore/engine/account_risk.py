"""Results for the cross accounts: one value an account."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.engine.columns import AccountColumns, CodeColumn, Column
from levcore.measures import ACCOUNT_TABLE
from levcore.status import AccountStatus, State

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["AccountRisk"]


class AccountRisk(AccountColumns):
    """Measures of the cross accounts, one value an account, in settlement currency unless said otherwise.

    Attributes
    ----------
    ids : tuple of str or int
        Accounts: those of `wallet_balance` first, then in the order of their first cross position.
    equity : ndarray of float64, shape (a,)
        Wallet balance plus unrealized PnL and accrued funding of the cross positions; of an account with
        balances the counted value of its assets less what it owes, in the currency of the asset prices.
    initial_margin, maintenance_margin : ndarray of float64, shape (a,)
        Sums over the cross positions and liabilities, as the policy charges hedged legs.
    free_margin : ndarray of float64, shape (a,)
        Equity less initial margin; negative: no room for new risk. NaN without leverages.
    margin_ratio : ndarray of float64, shape (a,), fraction
        Requirement over equity; infinite when no equity is left.
    margin_call_amount : ndarray of float64, shape (a,)
        Deposit that brings the ratio back to the margin-call level (the liquidation level where the policy
        has none); 0 when there is no call.
    collateral_value, liabilities : ndarray of float64, shape (a,)
        The positive part of what is counted, and the negative one with what is owed, as a positive number.
    surplus : ndarray of float64, shape (a,)
        Equity less the requirement at which the account is liquidated; negative: it is.
    state, status : ndarray of uint8, shape (a,)
        Codes of `State` and `AccountStatus`; every measure is NaN unless the status is ``OK``.
    """

    __slots__ = ()

    table = ACCOUNT_TABLE
    equity: Column = Column()
    initial_margin: Column = Column()
    maintenance_margin: Column = Column()
    free_margin: Column = Column()
    margin_ratio: Column = Column()
    margin_call_amount: Column = Column()
    collateral_value: Column = Column()
    liabilities: Column = Column()
    surplus: Column = Column()
    state: CodeColumn[State] = CodeColumn(State)
    status: CodeColumn[AccountStatus] = CodeColumn(AccountStatus)

    def __init__(self, book: "PositionBook") -> None:
        accounts = len(book.account_ids)
        results, codes = np.empty((len(self.table), accounts)), np.empty((2, accounts), dtype=np.uint8)
        self._fill(book=book, _results=results, _codes=codes)

    @property
    def may_add_risk(self) -> npt.NDArray[np.bool_]:
        """Whether equity covers the initial margin; False also where either is not known."""
        allowed: npt.NDArray[np.bool_] = self.free_margin >= 0.0
        return allowed
