"""One position under one policy, as a book of one row that is evaluated wherever a plan looks."""

import math
from dataclasses import dataclass, replace

from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.frozen import Frozen
from levcore.planning.contract import Contract
from levcore.planning.quantities import price_at_ratio
from levcore.planning.question import Question
from levcore.rules.instruments import InstrumentTable
from levcore.rules.policy import MarginPolicy
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, State, Status

__all__ = ["AT_ONCE", "Desk", "Look"]

AT_ONCE = "liquidated as it opens"
"""Said in place of a price of liquidation, which it is past where it is opened."""


@dataclass(frozen=True, slots=True)
class Look:
    """The position at one price, as the engine evaluated it; money in settlement currency."""

    price: float
    value: float
    pnl: float
    equity: float
    initial_margin: float


class Desk(Frozen):
    """Evaluates one position under one policy.

    Parameters
    ----------
    question : Question
    policy : MarginPolicy
        With its fees.
    contract : Contract

    Raises
    ------
    UnknownRuleError
        Where a rule that the position needs is unknown.
    """

    _instead = "plan again, levcore.plan(...)"

    question: Question
    contract: Contract
    name: str
    policy: MarginPolicy
    engine: Engine
    quantity: float
    book: PositionBook
    status: Status
    at_entry: Look
    liquidation: float
    bankruptcy: float

    def __init__(self, question: Question, policy: MarginPolicy, contract: Contract) -> None:
        policy = policy.replace(instruments=InstrumentTable([contract.instrument]))
        self._fill(
            question=question,
            contract=contract,
            name=contract.instrument.name,
            policy=policy,
            engine=Engine(policy),
            quantity=question.sign * contract.contracts(question.size, question.entry),
        )
        self._fill(book=self._book())
        risk = self._evaluate(self.book, question.entry)
        self._fill(status=Status(risk.status[0]))
        self._fill(
            at_entry=self._look(risk, question.entry),
            liquidation=self._once(float(risk.liquidation_price[0])),
            bankruptcy=float(risk.bankruptcy_price[0]),
        )

    def _book(self) -> PositionBook:
        question = self.question
        return PositionBook(
            [self.name],
            [self.quantity],
            [question.entry],
            margin_mode=question.mode,
            isolated_margin=None if question.margin is None else [question.margin],
            leverage=None if question.leverage is None else [question.leverage],
            account=["account"] if question.cross else None,
            wallet_balance={"account": question.wallet or math.nan} if question.cross else None,
        )

    def _evaluate(self, book: PositionBook, price: float) -> BookRisk:
        return self.engine.evaluate(book, {self.name: price})

    def _look(self, risk: BookRisk, price: float) -> Look:
        # The equity of a cross position is its account's.
        return Look(
            price=price,
            value=float(risk.notional[0]),
            pnl=float(risk.unrealized_pnl[0]),
            equity=float(risk.equity[0]),
            initial_margin=float(risk.initial_margin[0]),
        )

    def _once(self, price: float) -> float:
        """Price, but for one that the position is past already where it is opened."""
        return math.nan if self.status == Status.ALREADY_LIQUIDATABLE else price

    @property
    def without_liquidation(self) -> str:
        """Why there is no price of liquidation ahead."""
        if self.status == Status.ALREADY_LIQUIDATABLE:
            return AT_ONCE
        return f"no such price ({self.status.name.lower().replace('_', ' ')})"

    def at(self, price: float) -> Look:
        """Return the position at a price."""
        return self._look(self._evaluate(self.book, price), price)

    @property
    def is_judged(self) -> bool:
        """Whether the engine has every number of the row."""
        return self.status < FIRST_PARTIAL

    @property
    def is_valued(self) -> bool:
        """Whether the engine has at least its value and profit."""
        return self.status < FIRST_FAILURE

    def price_at(self, ratio: float) -> float:
        """Price at which the margin ratio is `ratio`."""
        return float(price_at_ratio(self.engine, self.book, {self.name: self.question.entry}, ratio)[0])

    def with_leverages(self, leverages: tuple[float, ...]) -> BookRisk:
        """Return the isolated position at several leverages, one a row, evaluated at its entry price."""
        rows = len(leverages)
        book = PositionBook(
            [self.name] * rows, [self.quantity] * rows, [self.question.entry] * rows, leverage=list(leverages)
        )
        return self._evaluate(book, self.question.entry)

    def in_other_mode(self) -> "Desk | None":
        """Return it isolated if it is cross, or cross with its wallet; None where too little is said."""
        asked = self.question
        if asked.cross and asked.leverage is None:
            return None
        if not asked.cross and asked.wallet is None:
            return None
        return Desk(replace(asked, cross=not asked.cross, margin=None), self.policy, self.contract)

    def days_to_liquidation(self, cost: float) -> float:
        """First day on which `cost` a day, paid from the margin at one price, liquidates; inf: never.

        Every day is a row, with what has been paid by then as its accrued funding.
        """
        if not cost > 0 or math.isnan(self.at_entry.equity):
            return math.inf
        return self._first_day(cost, 1, max(2, math.ceil(self.at_entry.equity / cost) + 1))

    def _first_day(self, cost: float, first: int, last: int) -> float:
        # In strides of at most a thousand rows, down to single days.
        stride = max(1, (last - first) // 1000)
        days = list(range(first, last + stride, stride))
        rows, asked = len(days), self.question
        accounts = [str(day) for day in days]
        book = PositionBook(
            [self.name] * rows,
            [self.quantity] * rows,
            [asked.entry] * rows,
            margin_mode=asked.mode,
            isolated_margin=None if asked.cross else [self.at_entry.equity] * rows,
            leverage=None if asked.leverage is None else [asked.leverage] * rows,
            accrued_funding=[-cost * day for day in days],
            account=accounts if asked.cross else None,
            wallet_balance=dict.fromkeys(accounts, asked.wallet or math.nan) if asked.cross else None,
        )
        state = self._evaluate(book, asked.entry).state[:rows]
        dead = [
            day for day, each in zip(days, state, strict=True) if each in (State.LIQUIDATION, State.BANKRUPT)
        ]
        if not dead:
            return math.inf
        return float(dead[0]) if stride == 1 else self._first_day(cost, max(1, dead[0] - stride), dead[0])
