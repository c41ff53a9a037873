"""A replay as it stands, and its steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from levcore.errors import InputError
from levcore.reference.closing.loss_parts import to_quanta
from levcore.reference.evaluate import evaluate
from levcore.reference.formulas import exposure
from levcore.reference.formulas.contract import coordinate, long_direction
from levcore.reference.replay.close import close
from levcore.reference.replay.liquidate import liquidate
from levcore.reference.replay.record import DELISTING, Close
from levcore.status import State

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["ReplayTwin", "Rules", "TwinStep"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What happens after a trigger, as the core takes it; amounts in quanta."""

    fee_rate: float
    slippage: float
    to_fund: bool
    payers: Sequence[str]
    ranking: str
    winners_pay: bool
    fund_floor: int
    largest_value: int
    per_unit: float
    lots_per_unit: float
    seed: int
    steps: Any


@dataclass(frozen=True, slots=True)
class TwinStep:
    """What happens at one instant: prices, funding rates and ends, by place of the instrument."""

    time: float
    prices: Sequence[tuple[int, float]]
    funding: Sequence[tuple[int, float]]
    delisted: Sequence[int]
    sample: bool


@dataclass(slots=True)
class ReplayTwin:
    """A replay as it stands; `book` in the order in which claims are served.

    Attributes
    ----------
    margin, wallet : list of int, quanta
        By row and by account of the book.
    key : sequence of int
        Number of each row's account.
    events, samples : list of tuple
        In the order of the core's columns.
    """

    book: "PositionBook"
    policy: "MarginPolicy"
    rules: Rules
    marks: list[float]
    margin: list[int]
    wallet: list[int]
    key: Sequence[int]
    fund: int
    funding: int = 0
    unpaid: int = 0
    liquidated: int = 0
    steps: int = 0
    time: float = 0.0
    quantity: list[float] = field(default_factory=list)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    stepped: dict[tuple[str, int], float] = field(default_factory=dict)
    first: dict[int, float] = field(default_factory=dict)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    samples: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open all positions."""
        self.quantity = self.book.quantity.tolist()

    def step(self, step: TwinStep) -> None:
        """Take a step."""
        self.time, self.numbers = step.time, {}
        for code, price in step.prices:
            self.marks[code] = price
        liquidate(self)
        if step.funding:
            self.pay_funding(step.funding)
            liquidate(self)
        for code in step.delisted:
            rows = [row for row in self.open_rows() if self.code(row) == code]
            if rows:
                close(self, DELISTING, [Close(row, self.quantity[row]) for row in rows])
            liquidate(self)
        if step.sample:
            self.sample()
        self.steps += 1

    def code(self, row: int) -> int:
        """Instrument of a row."""
        return int(self.book.instrument_codes[row])

    def open_rows(self) -> list[int]:
        """Rows with a position."""
        return [row for row, quantity in enumerate(self.quantity) if quantity != 0.0]

    def contract(self, row: int) -> Any:
        """Instrument of a row as the policy has it."""
        return self.policy.instruments[self.book.instrument_names[self.code(row)]]

    def at(self, row: int, price: float) -> float:
        """Coordinate of a price of a row's instrument."""
        return coordinate(self.contract(row), price)

    def gain(self, row: int, quantity: float) -> float:
        """Gain a unit of the coordinate."""
        contract = self.contract(row)
        direction = exposure.direction(quantity, long_direction(contract))
        return direction * exposure.size(quantity, contract.contract_size)

    def profit(self, row: int) -> float:
        """Unrealized profit of a row at the mark."""
        mark = self.at(row, self.marks[self.code(row)])
        return self.gain(row, self.quantity[row]) * (mark - self.at(row, float(self.book.entry_price[row])))

    def account(self, row: int) -> int | None:
        """Account of a leg."""
        codes = self.book.account_codes
        return int(codes[row]) if codes is not None and self.book.is_cross[row] else None

    def purse(self, row: int) -> int:
        """Money that a row's losses fall on first."""
        account = self.account(row)
        return self.margin[row] if account is None else self.wallet[account]

    def set_purse(self, row: int, money: int) -> None:
        """Leave that purse with so much."""
        account = self.account(row)
        if account is None:
            self.margin[row] = money
        else:
            self.wallet[account] = money

    def risk(self) -> "BookRisk":
        """The whole book, evaluated as it stands."""
        unit = self.rules.per_unit
        cross = self.book.is_cross.tolist()
        margins = [math.nan if leg else money / unit for leg, money in zip(cross, self.margin, strict=True)]
        changed: dict[str, Any] = {
            "quantity": self.quantity,
            "isolated_margin": margins,
            "accrued_funding": None,
        }
        if self.wallet:
            changed |= {
                "wallet_balance": [each / unit for each in self.wallet],
                "accounts": self.book.account_ids,
            }
        return evaluate(self.book.replace(**changed), self.policy, self.marks)

    def name(self, row: int) -> tuple[str, int]:
        """Who is judged: the position of an isolated row, or its account."""
        account = self.account(row)
        return ("row", row) if account is None else ("account", account)

    def names(self) -> list[tuple[str, int]]:
        """Everybody with a position."""
        return list(dict.fromkeys(map(self.name, self.open_rows())))

    def rows_of(self, name: tuple[str, int]) -> list[int]:
        """Open rows of somebody."""
        return [row for row in self.open_rows() if self.name(row) == name]

    def is_due(self, risk: "BookRisk", name: tuple[str, int]) -> bool:
        """Whether somebody is liquidatable."""
        kind, place = name
        state = int(risk.state[place] if kind == "row" else risk.accounts.state[place])
        return bool(State.LIQUIDATION <= state < State.INCOMPLETE)

    def refuse_unknown(self, risk: "BookRisk") -> None:
        """What is not known is neither liquidated nor spared.

        Raises
        ------
        InputError
        """
        for kind, place in self.names():
            state = int(risk.state[place] if kind == "row" else risk.accounts.state[place])
            if state >= State.INCOMPLETE:
                row = self.rows_of((kind, place))[0]
                found = f"{self.marks[self.code(row)]} at step {self.steps}"
                raise InputError("prices", "must let every open position be judged", found=found, row=row)

    def trigger(self, risk: "BookRisk", name: tuple[str, int]) -> float:
        """Liquidation price of an isolated position; the mark of the legs of an account."""
        kind, place = name
        return float(risk.liquidation_price[place]) if kind == "row" else math.nan

    def measured(self, risk: "BookRisk", row: int, measure: str) -> float:
        """Measure of an isolated position, or of the account of a leg."""
        account = self.account(row)
        whose, place = (risk, row) if account is None else (risk.accounts, account)
        return float(getattr(whose, measure)[place])

    def pay_funding(self, rates: Sequence[tuple[int, float]]) -> None:
        """Longs pay shorts a rate on the value at the mark."""
        for code, rate in rates:
            for row in (row for row in self.open_rows() if self.code(row) == code and rate != 0.0):
                quantity = self.quantity[row]
                value = exposure.size(quantity, self.contract(row).contract_size) * self.at(
                    row, self.marks[code]
                )
                amount = to_quanta((1.0 if quantity > 0.0 else -1.0) * (value * rate), self.rules.per_unit)
                self.set_purse(row, self.purse(row) - amount)
                self.funding += amount

    def sample(self) -> None:
        """Note how the book stands."""
        profit = value = 0.0
        for code, mark in enumerate(self.marks):
            rows = [row for row in self.open_rows() if self.code(row) == code]
            gains = [self.gain(row, self.quantity[row]) for row in rows]
            entries = [self.at(row, float(self.book.entry_price[row])) for row in rows]
            if not rows:
                continue
            x = self.at(rows[0], mark)
            cost = math.fsum(gain * entry for gain, entry in zip(gains, entries, strict=True))
            profit += math.fsum(gains) * x - cost
            value += math.fsum(map(abs, gains)) * x
        cross = self.book.is_cross.tolist()
        isolated = sum(money for money, leg in zip(self.margin, cross, strict=True) if not leg)
        money = isolated + sum(self.wallet)
        numbers = (money / self.rules.per_unit + profit, value)
        amounts = (self.liquidated, self.fund, self.unpaid, money)
        self.samples.append((self.steps, len(self.open_rows()), *numbers, *amounts))
