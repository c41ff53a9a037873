"""Explanation of a leg whose account moves with it: hedged legs, and balances in several assets."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from levcore.explanation.row import Row
from levcore.explanation.steps import Step, number_text
from levcore.explanation.verdict import LEGS_SHOWN, leg_steps, ratio_step, verdict_step
from levcore.reference.accounts.pool import Leg, Move, Pool
from levcore.reference.accounts.reader import AccountReader
from levcore.reference.accounts.verdict import Totals
from levcore.reference.formulas import margin
from levcore.reference.rules.collateral import counted_line, liability_line
from levcore.status import AccountStatus, Status

if TYPE_CHECKING:
    from levcore.reference.evaluate import BookReplay
    from levcore.reference.position import Position

__all__ = ["PooledAccount", "pooled_account_steps"]

n = number_text


@dataclass(frozen=True, slots=True)
class PooledAccount:
    """An account that is settled as one whole.

    Parameters
    ----------
    reader : AccountReader
        Its rows.
    pool : Pool
        Its holdings and legs.
    totals : Totals
        Their sums.
    place : int
        Row under explanation.
    alone : Position
        That row after its first pass, before other legs covered it.
    assets : tuple of str
        Assets of the policy.
    """

    reader: AccountReader
    pool: Pool
    totals: Totals
    place: int
    alone: "Position"
    assets: tuple[str, ...]

    @classmethod
    def of(cls, replay: "BookReplay", place: int, assets: Iterable[str]) -> "PooledAccount":
        """Read the one account of a book whose accounts are not settled yet."""
        alone = replace(replay.legs[place][0])
        rows, balances = replay.rows_of_account[0], replay.balances_of_account[0]
        reader = AccountReader(replay, replay.part_of_account(0), 0, rows, balances)
        pool = reader.read()
        totals = pool.total()
        pool.freeze()
        return cls(reader, pool, totals, place, alone, tuple(assets))

    @property
    def leg(self) -> Leg | None:
        """The row among the legs of the pool."""
        number = self.reader.leg_rows[self.place].leg
        return None if number is None else self.pool.legs[number]

    @property
    def move(self) -> Move:
        """What moves with the row."""
        return self.reader.moves()[self.reader.leg_rows[self.place].mover]

    def name_of(self, holding: int) -> str:
        """Name of a holding."""
        if not self.reader.has_balances:
            return "wallet"
        place = next(place for place, each in self.reader.holding_of_asset.items() if each == holding)
        return self.assets[place]


def pooled_account_steps(row: Row, account: PooledAccount) -> Iterator[Step]:
    """What other legs cover, the legs and holdings of the account, its sums, and the verdict on it."""
    part, verdict = f"account {row.book.account_ids[0]}", row.replay.verdicts[0]
    if account.leg is not None and account.leg.covered:
        yield from covered_steps(row, account, account.leg)
    yield from leg_steps(row, part)
    for balance in account.reader.balances:
        if balance.status != Status.OK:
            asset, fault = asset_of(row, balance.row), Status(balance.status)
            yield Step(f"balance {asset}", fault.describe(), "", fault.name, "", part)
    status = AccountStatus(verdict.status)
    if status != AccountStatus.OK:
        yield verdict_step(row, status, verdict.state, part)
        return
    for holding in range(len(account.pool.holdings)):
        yield from holding_steps(row, account, holding, part)
    yield from sum_steps(row, account, part)


def asset_of(row: Row, balance: int) -> str:
    """Name of the asset of a balance."""
    assert row.book.balances is not None
    return row.book.balances.asset_names[int(row.book.balances.asset_codes[balance])]


def covered_steps(row: Row, account: PooledAccount, leg: Leg) -> Iterator[Step]:
    """Margins of a leg that covers another or is covered by it."""
    reader, p, alone, part = account.reader, leg.position, account.alone, "hedged legs"
    partner = account.pool.partner(account.pool.legs.index(leg))
    assert partner is not None
    other = next(each.row for each in reader.leg_rows if each.position is partner.position)
    rule = row.evidence("hedge_requirement")
    yield Step("covered with", "the other leg of the instrument", "", f"row {row.rows[other]}", rule, part)
    if leg.charged == 0.0 and partner.charged != 0.0:
        yield Step("charged share", "none: the larger leg is charged", "", leg.charged, rule, part)
    else:
        size, smaller = n(p.size), n(min(p.size, partner.position.size))
        share = f"(({size} - {smaller}) + {n(account.pool.policy.rules.covered_share)} * {smaller}) / {size}"
        formula = "((n - m) + covered share * m) / n, m of the smaller leg"
        yield Step("charged share", formula, share, leg.charged, row.evidence("covered_share"), part)
    at_entry = row.requirement_basis == "entry"
    share = "on the share of the size" + (" at the average entry of both" if at_entry else "")
    formula, numbers = f"charged {share}", ""
    if not at_entry:
        formula = "alone + (charged on the share - charged on the whole)"
        change = f"({n(leg.curve.at(leg.charged * p.value))} - {n(leg.curve.at(p.value))})"
        numbers = f"{n(alone.requirement)} + {change}"
    yield Step("requirement", formula, numbers, p.requirement, rule, part)
    yield Step("initial_margin", f"charged {share}", "", p.initial_margin, rule, part)
    yield Step("maintenance_margin", f"charged {share}", "", p.maintenance_margin, rule, part)


def holding_steps(row: Row, account: PooledAccount, number: int, part: str) -> Iterator[Step]:
    """Equity of one asset, what of it counts, and what its liability asks for."""
    h, name, rules = account.pool.holdings[number], account.name_of(number), account.pool.policy.rules
    profits = [
        leg.position.unrealized_pnl + leg.position.funding
        for leg in account.pool.legs
        if leg.holding == number
    ]
    if profits:
        profit = added(profits) if len(profits) <= LEGS_SHOWN else ""
        yield Step(f"{name}: profit", "of legs that settle in it", profit, h.profit, "", part)
    own, word = n(h.held), "wallet_balance" if name == "wallet" else "balance"
    if account.reader.has_balances and not rules.liabilities_as_requirement:
        own, word = f"({own} - {n(h.owed)})", "(balance - owed)"
    yield Step(f"{name}: equity", f"{word} + profit", f"{own} + {n(h.profit)}", h.equity, "", part)
    if not account.reader.has_balances:
        return
    value = f"{n(h.equity)} * {n(h.price)}"
    yield Step(f"{name}: value", "equity * price", value, h.market_value, "", part)
    line = counted_line(h.asset, h.equity, h.market_value)
    offset = f"({n(line.offset_value)} + {n(h.price)} * {n(line.offset_amount)})"
    if h.equity > 0.0:
        tier = h.asset.weights.index(line.weight) + 1
        formula = f"weight * value + offset, tier {tier} of {len(h.asset.weights)}"
    else:
        formula = "liability weight * value"
    counted = f"{n(line.weight)} * {n(h.market_value)} + {offset}"
    yield Step(f"{name}: counted", formula, counted, h.counted, "", part)
    if h.asset.maintenance is None:
        return
    liability = f"max({n(h.owed)}, -({n(h.equity)})) * {n(h.price)}"
    rate, deduction = liability_line(h.asset.maintenance, margin.larger(h.owed, -h.equity) * h.price)
    numbers = f"{n(rate)} * ({liability}) - {n(deduction)}"
    rule = row.evidence("liabilities_count_as")
    yield Step(f"{name}: maintenance", "rate * liability - deduction", numbers, h.maintenance, rule, part)


def sum_steps(row: Row, account: PooledAccount, part: str) -> Iterator[Step]:
    """Sums over holdings and legs, and the verdict that follows from them."""
    totals, verdict, policy = account.totals, row.replay.verdicts[0], account.pool.policy
    debts = debts_of(account)
    rule = row.evidence("liabilities_count_as") if account.reader.has_balances else ""
    counted = added([h.counted for h in account.pool.holdings])
    yield Step("counted value", "sum over holdings", counted, totals.counted, rule, part)
    if account.pool.by_groups:
        charged = [*debts, *group_terms(account)]
        formula, hedge = "liabilities and the larger side of each group", row.evidence("hedge_requirement")
    else:
        charged = [*debts, *leg_terms(account)]
        formula, hedge = "liabilities and legs", ""
    numbers = " + ".join(charged) if len(account.pool.legs) <= LEGS_SHOWN else ""
    yield Step("sum of requirements", formula, numbers or "0", totals.requirement, hedge, part)
    equity, initial, maintenance, free, ratio, call, collateral, liabilities, surplus = verdict.measures
    numbers = f"{n(totals.counted)} - {n(totals.debt)}"
    yield Step("equity", "counted value - debts that are a requirement", numbers, equity, "", part)
    yield Step("account initial margin", "liabilities and legs, charged alike", "", initial, "", part)
    yield Step("account maintenance", "liabilities and legs, charged alike", "", maintenance, "", part)
    numbers = "" if math.isnan(initial) else f"{n(totals.counted)} - {n(initial)}"
    yield Step("free margin", "counted value - initial margin", numbers, free, "", part)
    yield Step("collateral value", "positive parts of what is counted", "", collateral, "", part)
    yield Step("liabilities", "negative parts of what is counted, and debts", "", liabilities, "", part)
    step = ratio_step(row, totals.requirement, totals.counted, ratio, part)
    yield replace(step, formula=step.formula.replace("equity", "counted value"))
    formula = "counted value - " + row.at_level("requirements")
    numbers = f"{n(totals.counted)} - " + row.at_level(n(totals.requirement))
    yield Step("surplus", formula, numbers, surplus, "", part)
    level = n(policy.call_level)
    numbers = f"max({n(totals.requirement)} / {level} - {n(totals.counted)}, 0)"
    yield Step(
        "margin_call_amount", f"max(requirements / {level} - counted value, 0)", numbers, call, "", part
    )


def added(terms: Sequence[float]) -> str:
    """Sum as an expression; one begins with 0.0, and the terms alone give the same bits."""
    return " + ".join(map(n, terms)) or "0"


def debts_of(account: PooledAccount) -> Iterator[str]:
    """Terms of the requirement that come from liabilities, in the order of holdings."""
    for h in account.pool.holdings:
        if account.pool.policy.rules.liabilities_as_requirement:
            yield f"{n(h.owed)} * {n(h.price)} * {n(h.asset.liability_weight)}"
        if h.asset.maintenance is not None:
            yield n(h.maintenance)


def leg_terms(account: PooledAccount) -> Iterator[str]:
    """Terms of the requirement that come from legs, in the account's currency."""
    for leg in account.pool.legs:
        price = account.pool.holdings[leg.holding].margin_price
        requirement = n(leg.position.requirement)
        yield requirement if price == 1.0 else f"{n(price)} * {requirement}"


def group_terms(account: PooledAccount) -> Iterator[str]:
    """The same where the larger side of a group is charged."""
    terms, legs = list(leg_terms(account)), account.pool.legs
    for group in sorted({leg.group for leg in legs}):
        own = [place for place, leg in enumerate(legs) if leg.group == group]
        sides = [
            " + ".join(terms[place] for place in own if (legs[place].position.quantity > 0.0) is is_long)
            or "0"
            for is_long in (True, False)
        ]
        yield f"max({sides[0]}, {sides[1]})"
