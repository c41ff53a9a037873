"""A replay with the whole book evaluated anew after each step: the twin of ``rust/levcore/src/replay``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from levcore.reference.closing.allocate import allocate
from levcore.reference.closing.deleverage import Winner, deleverage
from levcore.reference.closing.loss_parts import to_quanta
from levcore.reference.closing.settle import Closing, Purse, Settlement, settle
from levcore.reference.closing.share_out import PAYERS, Fund
from levcore.reference.closing.steps import MOST_STEPS, StepRule, step_quantity
from levcore.reference.closing.tiers_down import contracts_to_keep
from levcore.reference.evaluate import evaluate
from levcore.reference.formulas import exposure
from levcore.reference.formulas.contract import coordinate, long_direction
from levcore.status import State

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["ReplayTwin", "Rules", "TwinStep"]

LIQUIDATION, DELEVERAGING, SOCIALISATION, DELISTING, NETTING = range(5)
LIMIT = 1 << 62


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
        self.liquidate()
        if step.funding:
            self.pay_funding(step.funding)
            self.liquidate()
        for code in step.delisted:
            rows = [row for row in self.open_rows() if self.code(row) == code]
            if rows:
                self.close(DELISTING, [(row, self.quantity[row], math.nan, False) for row in rows])
            self.liquidate()
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

    def liquidate(self) -> None:
        """Close who is liquidatable, step by step, until nobody is."""
        going: dict[tuple[str, int], float] = {}
        while True:
            risk = self.risk()
            found = {name: self.trigger(risk, name) for name in self.names() if self.is_due(risk, name)}
            going = found | going
            if self.net(risk, going):
                continue
            closes = self.steps_of(risk, going)
            if not closes:
                return
            self.close(LIQUIDATION, closes)

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

    def trigger(self, risk: "BookRisk", name: tuple[str, int]) -> float:
        """Liquidation price of an isolated position; the mark of the legs of an account."""
        kind, place = name
        return float(risk.liquidation_price[place]) if kind == "row" else math.nan

    def net(self, risk: "BookRisk", going: dict[tuple[str, int], float]) -> bool:
        """Close opposite legs against each other, as far as they cover each other, before a first step."""
        closes = []
        for name in going:
            legs = self.rows_of(name)
            if not self.rules.steps.nets or name in self.numbers or len(legs) < 2:
                continue
            if not self.is_due(risk, name):
                continue
            for row in legs:
                held = self.quantity[row]
                own = [leg for leg in legs if self.code(leg) == self.code(row)]
                other = sum(abs(self.quantity[leg]) for leg in own if self.quantity[leg] * held < 0.0)
                before = sum(
                    abs(self.quantity[leg]) for leg in own if leg < row and self.quantity[leg] * held > 0.0
                )
                covered = other - before
                if covered > 0.0:
                    common = covered if covered < abs(held) else abs(held)
                    closes.append((row, math.copysign(common, held), math.nan, False))
        if closes:
            self.close(NETTING, sorted(closes))
        return bool(closes)

    def steps_of(
        self, risk: "BookRisk", going: dict[tuple[str, int], float]
    ) -> list[tuple[int, float, float, bool]]:
        """What the next step closes of everybody: row, contracts, trigger, whether the fund takes over."""
        closes: list[tuple[int, float, float, bool]] = []
        for name in sorted(going):
            rows = self.rows_of(name)
            if not rows or not self.goes_on(risk, name, rows[0]):
                del going[name]
                continue
            number = self.numbers.get(name, 0) + 1
            taken, everything = self.extent(risk, rows[0], number)
            further = number > 1 or self.time - self.stepped.get(name, -math.inf) < self.rules.steps.cooldown
            for row, quantity in self.closed_of(risk, name, rows, (number, everything, further)):
                closes.append((row, math.copysign(quantity, self.quantity[row]), going[name], taken))
            self.numbers[name], self.stepped[name] = number, self.time
        return sorted(closes, key=lambda close: close[0])

    def goes_on(self, risk: "BookRisk", name: tuple[str, int], row: int) -> bool:
        """Whether there is a next step: of who is liquidatable, or is not yet down to the exit level."""
        if self.is_due(risk, name):
            return True
        level = self.rules.steps.exit_level
        if level is None or name not in self.numbers:
            return False
        return bool(self.measured(risk, row, "margin_ratio") >= level)

    def measured(self, risk: "BookRisk", row: int, measure: str) -> float:
        """Measure of an isolated position, or of the account of a leg."""
        account = self.account(row)
        whose, place = (risk, row) if account is None else (risk.accounts, account)
        return float(getattr(whose, measure)[place])

    def extent(self, risk: "BookRisk", row: int, number: int) -> tuple[bool, bool]:
        """Whether the fund takes over, and whether everything is closed."""
        steps = self.rules.steps
        equity = self.measured(risk, row, "equity")
        required = self.measured(risk, row, "maintenance_margin")
        taken = steps.take_over_level is not None and required >= steps.take_over_level * equity
        whole = steps.whole_level is not None and required >= steps.whole_level * equity
        return taken, equity <= 0.0 or number == MOST_STEPS or taken or whole

    def closed_of(
        self, risk: "BookRisk", name: tuple[str, int], rows: list[int], extent: tuple[int, bool, bool]
    ) -> list[tuple[int, float]]:
        """Contracts that a step closes of each row."""
        steps, (number, everything, further) = self.rules.steps, extent
        rule = StepRule(*(steps.isolated if name[0] == "row" else steps.cross))
        if rule.step == "largest_loss" and not everything:
            worst = min(rows, key=self.profit)
            return [(worst, abs(self.quantity[worst]))]
        share = rule.step == "share"
        everything = everything or (share and further and steps.next == "whole")
        closed = []
        for row in rows:
            held, value = abs(self.quantity[row]), float(risk.notional[row])
            if share and steps.next == "same" and number > 1 and not everything:
                quantity = min(self.first[row], held)
            else:
                keep = self.kept(row, held, value) if rule.step == "tiers" else 0.0
                quantity = step_quantity(rule, held, value, keep, everything)
            if number == 1:
                self.first[row] = quantity
            if quantity > 0.0:
                closed.append((row, quantity))
        return closed

    def kept(self, row: int, held: float, value: float) -> float:
        """Contracts with which a row stands some tiers lower."""
        key, floors = self.rules.steps.ladders[self.code(row)][self.quantity[row] < 0.0]
        unit = {"quote": value / held, "base": self.contract(row).contract_size, "contracts": 1.0}[key]
        return contracts_to_keep(floors, held * unit, held, self.rules.steps.tiers)

    def close(self, kind: int, closes: list[tuple[int, float, float, bool]]) -> None:
        """Close rows, in part or whole, and settle them."""
        rows = [row for row, *_ in closes]
        closings, prices, purses, first = self.closings(kind, closes)
        settled = self.settle(rows, closings, purses)
        for place, row in enumerate(first):
            self.set_purse(row, 0 if purses[place].ends else settled.left[place])
            if purses[place].ends and purses[place].to_fund:
                self.fund += max(settled.left[place], 0)
        for place, (row, closing) in enumerate(zip(rows, closings, strict=True)):
            purse = closing.purse
            ends = first[purse] == row and purses[purse].ends
            paid = [each[place] for each in settled.paid]
            self.fund -= paid[0]
            left = max(settled.left[purse], 0) if ends else 0
            tail = (*settled.losses[place], left, left if purses[purse].to_fund else 0, *paid)
            tail = (*tail, settled.unpaid[place], self.fund)
            quantity, held = closes[place][1], self.quantity[row]
            self.events.append((kind, self.steps, row, quantity, *prices[place], *tail))
            if kind == LIQUIDATION:
                self.liquidated += to_quanta(abs(closing.gain) * closing.fill, self.rules.per_unit)
            self.quantity[row] = 0.0 if quantity == held else held - quantity
        self.unpaid += sum(settled.unpaid)
        self.take_from_winners(rows, closings, settled)

    def closings(
        self, kind: int, closes: list[tuple[int, float, float, bool]]
    ) -> tuple[list[Closing], list[tuple[float, float]], list[Purse], list[int]]:
        """What is closed, its prices, its purses and their first rows."""
        rules = self.rules
        first: list[int] = []
        names: dict[tuple[str, int], int] = {}
        closings, prices, purses = [], [], []
        gone = {row for row, quantity, *_ in closes if quantity == self.quantity[row]}
        for row, quantity, trigger, taken in closes:
            code = self.code(row)
            mark = self.marks[code]
            at = mark if math.isnan(trigger) else trigger
            slippage = rules.slippage if kind == LIQUIDATION else 0.0
            fill = mark * (1.0 + slippage if quantity < 0.0 else 1.0 - slippage)
            name = self.name(row)
            if name not in names:
                names[name] = len(first)
                first.append(row)
                ends = all(each in gone for each in self.rows_of(name))
                to_fund = (rules.to_fund and kind != DELISTING) or taken
                purses.append(Purse(self.purse(row), ends, to_fund, 0))
            entry = float(self.book.entry_price[row])
            x_entry, x_trigger, x_fill = (self.at(row, each) for each in (entry, at, fill))
            fee = rules.fee_rate if kind == LIQUIDATION else 0.0
            lots, pool = to_quanta(abs(quantity), rules.lots_per_unit), 2 * code + (quantity < 0.0)
            gain = self.gain(row, quantity)
            closings.append(Closing(gain, x_entry, x_trigger, x_fill, fee, lots, pool, names[name]))
            prices.append((at, fill))
        return closings, prices, purses, first

    def settle(self, rows: list[int], closings: list[Closing], purses: list[Purse]) -> Settlement:
        """Settle: the fund alone first, then everybody that the rules name."""
        rules, nobody = self.rules, [0] * (2 * len(self.marks))
        fund = Fund(self.fund, rules.fund_floor, rules.largest_value)
        served = range(len(rows))
        alone = rules.payers[:1] if rules.payers[:1] == ["fund"] else []
        settled = settle(closings, served, purses, [0], fund, nobody, True, 0, alone, rules.per_unit)
        if len(rules.payers) == len(alone) or not any(settled.unpaid):
            return settled
        lots = list(nobody)
        for pool in {each.pool for each, unpaid in zip(closings, settled.unpaid, strict=True) if unpaid}:
            for row in self.winners_of_pool(pool, rows):
                lots[pool] += to_quanta(abs(self.quantity[row]), rules.lots_per_unit)
        gains = min(sum(gain for _, gain in self.gains(rows)), LIMIT)
        everybody = (rules.winners_pay, gains, rules.payers, rules.per_unit)
        return settle(closings, served, purses, [0], fund, lots, *everybody)

    def winners(self, closed: list[int]) -> list[int]:
        """Rows in profit that are not being closed."""
        return [row for row in self.open_rows() if row not in closed and self.profit(row) > 0.0]

    def winners_of_pool(self, pool: int, closed: list[int]) -> list[int]:
        """Those on the other side of a pool."""
        own = [row for row in self.winners(closed) if self.code(row) == pool // 2]
        return [row for row in own if (self.quantity[row] > 0.0) == (pool % 2 == 1)]

    def gains(self, closed: list[int]) -> list[tuple[int, int]]:
        """Winners and their profits in quanta, where a loss may be spread over them."""
        if "socialised" not in self.rules.payers:
            return []
        return [(row, to_quanta(self.profit(row), self.rules.per_unit)) for row in self.winners(closed)]

    def take_from_winners(self, closed: list[int], closings: list[Closing], settled: Settlement) -> None:
        """Take from winners what they pay by a settlement."""
        wanted = [[0, 0] for _ in range(2 * len(self.marks))]
        for place, closing in enumerate(closings):
            wanted[closing.pool][0] += settled.lots[place]
            wanted[closing.pool][1] += settled.paid[PAYERS.index("deleveraging")][place]
        if any(lots for lots, _ in wanted):
            self.deleverage(closed, [(lots, amount) for lots, amount in wanted])
        spread = sum(settled.paid[PAYERS.index("socialised")])
        if spread:
            gains = self.gains(closed)
            weight = [gain for _, gain in gains]
            shares = allocate(spread, weight, weight, "pro_rata", False)
            for (row, _), share in zip(gains, shares, strict=True):
                if share:
                    mark = self.marks[self.code(row)]
                    self.set_purse(row, self.purse(row) - share)
                    tail = (0, 0, 0, 0, 0, 0, 0, -share, 0, self.fund)
                    self.events.append((SOCIALISATION, self.steps, row, 0.0, mark, mark, *tail))

    def deleverage(self, closed: list[int], wanted: list[tuple[int, int]]) -> None:
        """Close lots of winners, pool by pool."""
        rules, risk = self.rules, self.risk()
        rows: list[int] = []
        winners, lots, pools = [], [], []
        for pool in (pool for pool, (amount, _) in enumerate(wanted) if amount):
            for row in self.winners_of_pool(pool, closed):
                rows.append(row)
                winners.append(self.standing(risk, row))
                lots.append(to_quanta(abs(self.quantity[row]), rules.lots_per_unit))
                pools.append(pool)
        found = deleverage(rules.ranking, "queue", winners, lots, pools, wanted, rules.per_unit, rules.seed)
        for place, taken, gives, _ in found:
            self.close_winner(rows[place], taken, lots[place], gives)

    def standing(self, risk: "BookRisk", row: int) -> Winner:
        """What rankings ask for."""
        account, profit = self.account(row), self.profit(row)
        equity, maintenance = float(risk.equity[row]), float(risk.maintenance_margin[row])
        wallet = equity - profit
        if account is not None:
            equity = float(risk.accounts.equity[account])
            maintenance = float(risk.accounts.maintenance_margin[account])
            wallet = self.wallet[account] / self.rules.per_unit
        value = float(risk.notional[row])
        gains = self.gain(row, self.quantity[row]) > 0.0
        leverage = math.nan if self.book.leverage is None else float(self.book.leverage[row])
        entry_value = value - (1.0 if gains else -1.0) * profit
        return Winner(profit, entry_value, value, wallet, equity, maintenance, leverage, self.key[row])

    def close_winner(self, row: int, lots: int, of: int, gives: int) -> None:
        """Close lots of a winner at the mark, less what it gives."""
        held, mark = self.quantity[row], self.marks[self.code(row)]
        left = 0.0 if lots == of else held - math.copysign(lots / self.rules.lots_per_unit, held)
        gain = self.gain(row, held - left)
        change = self.at(row, mark) - self.at(row, float(self.book.entry_price[row]))
        profit = to_quanta(gain * change, self.rules.per_unit)
        money = self.purse(row) + profit - gives
        returned = unpaid = 0
        if lots == of and self.account(row) is None:
            returned, unpaid, money = max(money, 0), max(-money, 0), 0
        self.set_purse(row, money)
        self.unpaid += unpaid
        self.quantity[row] = left
        tail = (-profit, 0, 0, returned, 0, 0, -gives, 0, unpaid, self.fund)
        self.events.append((DELEVERAGING, self.steps, row, held - left, mark, mark, *tail))

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
