"""What the service answers: functions of a book and of prices that held at one instant."""

from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from service.outbox import Message

__all__ = ["Refused", "View", "finite"]

LADDER = np.linspace(0.6, 1.4, 81)
"""Prices of the ladder, as multiples of the mark."""
OF_POSITION = (
    "notional",
    "unrealized_pnl",
    "equity",
    "maintenance_margin",
    "margin_ratio",
    "liquidation_price",
    "bankruptcy_price",
)
OF_ACCOUNT = ("equity", "initial_margin", "maintenance_margin", "margin_ratio", "free_margin")


class Refused(Exception):
    """A question that has no answer, and why."""


def finite(value: float) -> float | None:
    """Number as JSON has it: None for one that does not exist."""
    return float(value) if np.isfinite(value) else None


class View:
    """The book at one instant, evaluated when it is first asked for.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
    marks : dict of instrument to price
    number : int
        Of the last instant.
    """

    def __init__(
        self, engine: lc.Engine, book: lc.PositionBook, marks: dict[str, float], number: int
    ) -> None:
        self.engine, self.book, self.marks, self.number = engine, book, marks, number
        self._risk: lc.BookRisk | None = None

    @property
    def risk(self) -> lc.BookRisk:
        """Evaluation of the whole book."""
        if self._risk is None:
            self._risk = self.engine.evaluate(self.book, self.marks)
        return self._risk

    def position(self, row: int) -> Message:
        """Numbers of one position."""
        if not 0 <= row < len(self.book):
            raise Refused(f"no position {row}: the book has {len(self.book)}")
        book, risk = self.book, self.risk
        return {
            "number": self.number,
            "position": row,
            "instrument": book.name_of(row),
            "margin_mode": "cross" if book.is_cross[row] else "isolated",
            "quantity": float(book.quantity[row]),
            "entry_price": float(book.entry_price[row]),
            "mark_price": self.marks[book.name_of(row)],
            **{name: finite(risk[name][row]) for name in OF_POSITION},
            "state": lc.State(risk.state[row]).name,
            "status": lc.Status(risk.status[row]).name,
        }

    def account(self, label: Any) -> Message:
        """Numbers of one cross account, with its positions."""
        place = self._account(label)
        accounts = self.risk.accounts
        rows = np.flatnonzero(self.book.is_cross & (_codes(self.book) == place))
        return {
            "number": self.number,
            "account": label,
            "wallet_balance": float(self.book.wallet_balance[place]),
            **{name: finite(accounts[name][place]) for name in OF_ACCOUNT},
            "state": lc.State(accounts.state[place]).name,
            "status": lc.AccountStatus(accounts.status[place]).name,
            "positions": [self.position(int(row)) for row in rows],
        }

    def ladder(self, instrument: str) -> Message:
        """What is liquidated by the time the instrument has each of some prices."""
        if instrument not in self.marks:
            raise Refused(f"no instrument {instrument!r}: the book has {', '.join(self.marks)}")
        prices = self.marks[instrument] * LADDER
        rungs = lc.ladder(self.engine, self.book, instrument, prices, marks=self.marks)
        columns = {"price": rungs.price, "positions": rungs.positions, "notional": rungs.notional}
        told = {name: column.tolist() for name, column in columns.items()}
        return {"number": self.number, "instrument": instrument, "mark": self.marks[instrument], **told}

    def check(self, account: Any, instrument: str, quantity: float, **order: float) -> Message:
        """Whether an account may place an order, and where it stands if it fills.

        Parameters
        ----------
        account : label of a cross account
        instrument : str
        quantity : float
            Signed; a sale is negative.
        **order
            ``price`` (absent: the mark), ``leverage``, ``fee_rate``.
        """
        self._account(account)
        if instrument not in self.marks:
            raise Refused(f"no instrument {instrument!r}: the book has {', '.join(self.marks)}")
        columns = {name: [value] for name, value in order.items()}
        change = lc.Changes(
            "order", account=[account], instrument=[instrument], quantity=[quantity], **columns
        )
        found = lc.what_if(self.engine, self.book, self.marks, change)
        if found.refused[0]:
            return {"number": self.number, "may_open": False, "refused": found.failures()[0].status.name}
        sides: list[tuple[str, Any]] = [("before", found.before), ("after", found.after)]
        return {
            "number": self.number,
            "may_open": bool(found.may_open[0]),
            "liquidated_at_once": bool(found.liquidated_at_once[0]),
            "free_margin": finite(found.free_margin[0]),
            "quantity": finite(found.quantity[0]),
            "entry_price": finite(found.entry_price[0]),
            **{
                name: {
                    "liquidation_price": finite(side.positions.liquidation_price[0]),
                    **{of: finite(side.accounts[of][0]) for of in OF_ACCOUNT},
                }
                for name, side in sides
            },
        }

    def _account(self, label: Any) -> int:
        try:
            return self.book.account_ids.index(label)
        except ValueError:
            raise Refused(f"no cross account {label!r}") from None


def _codes(book: lc.PositionBook) -> npt.NDArray[np.uint32]:
    codes = book.account_codes
    return np.zeros(len(book), dtype=np.uint32) if codes is None else codes
