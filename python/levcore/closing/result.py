"""What a close-out cost and who paid."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.closing.money import Wholes
from levcore.shown import Shown

if TYPE_CHECKING:
    from levcore.closing.ledger import Ledger
    from levcore.rules.policy import MarginPolicy

__all__ = ["CloseOut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOut(Shown):
    """Result of `levcore.close_out`. Amounts are int64 quanta; ``amount / per_unit`` is money.

    Attributes
    ----------
    policy : MarginPolicy
    per_unit : float
        Quanta a unit of settlement currency.
    rows : ndarray of int64, shape (c,)
        Rows of the book that were closed; one that was closed in several steps stands here several times.
    quantity : ndarray of float64, shape (c,)
        Contracts closed, with the sign of the position.
    step : ndarray of int64, shape (c,)
        Step that closed them: 0 for legs closed against each other, then 1, 2, ...
    open_quantity : ndarray of float64, shape (n,)
        Contracts of each row of the book that are open afterwards.
    trigger, fill : ndarray of float64, shape (c,), quote per base
    to_trigger, past_trigger, fees : ndarray of int64, shape (c,)
        The three parts of each row's loss; negative: a gain.
    group : ndarray of int64, shape (c,)
        Isolated position or cross account of each row: a place in the next four.
    first_row, margin, left, other_money : ndarray of int64, shape (g,)
        Its first row; its margin or wallet, with funding where it ends; what is left of it, negative: missing
        where it ends; what the trader's other money pays.
    ends : ndarray of bool, shape (g,)
        Whether every position of it is closed. One that goes on keeps what is left behind what is open.
    fund, deleveraging, socialised, unpaid : ndarray of int64, shape (c,)
        Who pays what is missing, by the row that it is missing for, and what nobody has paid.
    debts : ndarray of str, shape (c,)
        What becomes of that: reset and borne by the venue ("written off"), "owed" by the trader, or reset
        with a "claim" reserved; by the margin mode of the row.
    winners : ndarray of int64, shape (3, w)
        Rows that are deleveraged, their lots, and what they give.
    winner_price, winner_score : ndarray of float64, shape (w,)
        Price at which each is closed, quote per base, and its score.
    winner_left : ndarray of int64, shape (w,)
        Lots of each that stay open.
    lots_per_unit : float
        Lots a contract.
    served : ndarray of uint32, shape (c,)
        Places in `rows` in the order in which claims are served.
    fund_series : ndarray of int64, shape (c,)
        Balance of the fund after each claim, in that order.
    ledger : Ledger
        Every entry; account ``closed`` ends at zero.
    left_out : int
        Open positions that could not be judged: they are not closed and nobody's counterparty.
    """

    policy: "MarginPolicy"
    per_unit: float
    rows: Wholes
    quantity: Floats
    step: Wholes
    open_quantity: Floats
    trigger: Floats
    fill: Floats
    to_trigger: Wholes
    past_trigger: Wholes
    fees: Wholes
    group: Wholes
    first_row: Wholes
    margin: Wholes
    left: Wholes
    ends: npt.NDArray[np.bool_]
    other_money: Wholes
    fund: Wholes
    deleveraging: Wholes
    socialised: Wholes
    unpaid: Wholes
    debts: npt.NDArray[np.str_]
    winners: Wholes
    winner_price: Floats
    winner_score: Floats
    winner_left: Wholes
    lots_per_unit: float
    served: npt.NDArray[np.uint32]
    fund_series: Wholes
    ledger: "Ledger"
    left_out: int

    def __repr__(self) -> str:
        """How much was closed, and what was missing."""
        missing = self._missing() / self.per_unit
        left_out = f", {self.left_out:,} not judged" if self.left_out else ""
        return (
            f"CloseOut({self.rows.size:,} positions under {self.policy.id}, {missing:,.2f} missing{left_out})"
        )

    def _missing(self) -> int:
        missing: list[int] = self.left[self.ends & (self.left < 0)].tolist()
        return -sum(missing)

    def totals(self) -> dict[str, float]:
        """Sums in settlement currency: parts of the loss, what is left, what is missing, and who paid it."""
        missing = self._missing()
        sums = {
            "to_trigger": sum(self.to_trigger.tolist()),
            "past_trigger": sum(self.past_trigger.tolist()),
            "fees": sum(self.fees.tolist()),
            "margin": sum(self.margin.tolist()),
            "left": sum(self.left[(self.left > 0) | ~self.ends].tolist()),
            "missing": missing,
            "other_money": sum(self.other_money.tolist()),
            "fund": sum(self.fund.tolist()),
            "deleveraging": sum(self.deleveraging.tolist()),
            "socialised": sum(self.socialised.tolist()),
        }
        for debt in ("written off", "owed", "claim"):
            sums[debt.replace(" ", "_")] = sum(self.unpaid[self.debts == debt].tolist())
        return {name: quanta / self.per_unit for name, quanta in sums.items()}
