"""A row under explanation: its inputs, its instrument and tiers, what is wrong with it.

`levcore.explain` computes no value: each is read from the reference, or comes from one of its functions. The
numbers beside it are an expression that ``tests/test_explain.py`` evaluates to the same bits.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from levcore.engine.compiled import CompiledInstrument, short_tiers_of
from levcore.explanation.steps import Step, number_text
from levcore.reference.evaluate import BookReplay
from levcore.reference.position import MarkedInstrument, Position
from levcore.reference.rules.policy import Fees, Policy
from levcore.reference.rules.tables import Line, Table
from levcore.rules.terms import UNKNOWN
from levcore.status import FIRST_FAILURE, Status

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.tiers import TierTable

__all__ = ["Row", "fault_steps", "input_steps", "tier_steps"]

n = number_text
KEYED_BY = {
    "quote": "the value V in quote currency",
    "base": "the value V in base currency",
    "contracts": "the number of contracts",
    "risk_limit": "the risk limit chosen",
    "price": "the price of a unit of size",
}
KEYED_BY_SIZE = {"linear": "the size in base currency", "inverse": "the value V in base currency"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that the reference has evaluated.

    Parameters
    ----------
    policy : MarginPolicy
        Rules.
    book : PositionBook
        The row, and for a cross row the other legs of its account.
    rows : tuple of int
        Row of each of them in the caller's book.
    place : int
        Place of the row in `book`.
    replay : BookReplay
        Of `book`.
    position : Position
        The row, evaluated.
    currency : str
        Currency of its wallet where the account has several.
    """

    policy: "MarginPolicy"
    book: "PositionBook"
    rows: tuple[int, ...]
    place: int
    replay: BookReplay
    position: Position
    currency: str = ""

    @property
    def is_cross(self) -> bool:
        """Whether the row is a leg of a cross account."""
        return bool(self.book.is_cross[self.place])

    @property
    def mode(self) -> str:
        """Margin mode as the rules of a policy spell it."""
        return "cross" if self.is_cross else "isolated"

    @property
    def constants(self) -> Policy:
        """Rules with their constants."""
        return self.replay.policy_of(self.place)

    @property
    def fees(self) -> Fees:
        """Closing fees of its margin mode."""
        return self.constants.fees(self.is_cross)

    @property
    def marked(self) -> MarkedInstrument:
        """Instrument at its mark."""
        return self.replay.marked_of(self.place)

    @property
    def instrument(self) -> CompiledInstrument:
        """Instrument as numbers."""
        assert self.marked.instrument is not None
        return self.marked.instrument

    @property
    def table(self) -> Table:
        """Maintenance tiers of its side."""
        assert self.marked.tiers is not None
        return self.marked.tiers.of(self.position.quantity)

    @property
    def tiers(self) -> "TierTable":
        """The same as the policy gives them."""
        instrument = self.policy.instruments[self.instrument.name]
        own = short_tiers_of(self.policy, instrument) if self.position.quantity < 0.0 else None
        return instrument.tiers if own is None else own

    @property
    def requirement_basis(self) -> str:
        """Value on which the requirement is taken along the price path."""
        basis: str = getattr(self.policy, f"requirement_basis_{self.mode}")
        return basis

    def evidence(self, rule: str) -> str:
        """What a rule says and rests on."""
        value = getattr(self.policy, rule)
        if value in (None, UNKNOWN):
            return f"{rule} is unknown: {self.policy.unknown.about(rule) or 'no source states it'}"
        about = self.policy.rests_on.about(rule)
        return f"{rule} = {value}" + (f": {about}" if about else "")

    def at_level(self, text: str) -> str:
        """Amount as it counts at the liquidation level, which is 1 almost everywhere."""
        trigger = self.constants.trigger
        return text if trigger == 1.0 else f"{text} * {n(trigger)}"


def input_steps(row: Row) -> Iterator[Step]:
    """Inputs as the book holds them; what is not there is said to be missing."""
    book, place, part = row.book, row.place, "inputs"
    columns = [
        ("quantity", book.quantity, "contracts, positive is long"),
        ("entry_price", book.entry_price, "quote per base"),
        ("leverage", book.leverage, ""),
        ("accrued_funding", book.accrued_funding, "settlement currency, positive is received"),
        ("risk_limit", book.risk_limit, ""),
    ]
    if not row.is_cross:
        columns.insert(2, ("isolated_margin", book.isolated_margin, "settlement currency"))
    for name, column, unit in columns:
        if column is not None:
            yield Step(name, unit, "", float(column[place]), "", part)
    if row.is_cross and row.book.balances is None:
        yield Step("wallet_balance", "settlement currency", "", float(book.wallet_balance[0]), "", part)
        if row.currency:
            rule = "a wallet a settlement currency"
            yield Step("cross_wallet", rule, "", row.currency, row.evidence("cross_wallet"), part)
    yield Step("mark_price", "quote per base", "", row.marked.mark, "", part)


def tier_steps(row: Row) -> Iterator[Step]:
    """The instrument and its tier table, with the tiers that apply."""
    i, p, table = row.instrument, row.position, row.policy.instruments
    terms = table[i.name]
    part = f"instrument {i.name}"
    yield Step("payoff", "", "", terms.payoff, "", part)
    yield Step("contract size", "", "", i.contract_size, "", part)
    if terms.payoff == "quanto":
        yield Step("multiplier", "settlement currency a quote unit", "", i.multiplier, "", part)
    if terms.settlement:
        yield Step("settlement currency", "", "", terms.settlement, "", part)
    bundled = f"{table.source_of(i.name)}, as of {table.date_of(i.name)}"
    origin = bundled if table.is_bundled(i.name) else "given by the caller"
    keyed = KEYED_BY_SIZE[terms.payoff] if row.tiers.shape == "growing" else KEYED_BY[row.tiers.unit]
    own = p.quantity < 0.0 and short_tiers_of(row.policy, terms) is not None
    side = " of short positions" if own else ""
    shape = f"{row.tiers.shape}{side}, keyed by {keyed}"
    yield Step("tier table", "", "", f"{shape}; {origin}", row.evidence("table_shape"), part)
    if table.limit(i.name):
        yield Step("end of the table", "", "", table.limit(i.name), "", part)
    if row.policy.funding_in_requirement == "rate_times_value":
        rule = row.evidence("funding_in_requirement")
        yield Step("funding rate", "part of every rate below", "", terms.funding_rate, rule, part)
    yield from line_steps(row, part)


def line_steps(row: Row, part: str) -> Iterator[Step]:
    """Each line of the table of maintenance, or the rate that grows."""
    growing, lines = row.table.growing, row.table.lines_of(row.position.size)
    if growing is not None:
        bounds = "S is " + KEYED_BY_SIZE["inverse" if growing.by_value else "linear"]
        yield Step("rate", bounds, f"{n(growing.rate)} + {n(growing.slope)} * S", "", "", part)
    failed = row.position.status >= FIRST_FAILURE
    for number, line in enumerate(lines):
        upper = lines[number + 1].floor if number + 1 < len(lines) else row.table.cap
        bounds = f"over {n(line.floor)}" + ("" if upper == math.inf else f" up to {n(upper)}")
        applied = f"{n(line.rate)} * V"
        if row.table.is_of_lines:
            applied = f"{applied} - {n(line.deduction)}"
        yield Step(f"tier {number + 1}", bounds, applied, "" if failed else _applies(row, line), "", part)


def _applies(row: Row, line: Line) -> str:
    """Where the line applies: to the requirement now, at the liquidation price, or nowhere here."""
    p = row.position
    basis = "entry" if row.requirement_basis == "entry" else "mark"
    where = [basis] if line == p.line else []
    if line == p.liquidation_line:
        where.append("liquidation price")
    return f"at {' and '.join(where)}" if where else ""


def fault_steps(row: Row) -> Iterator[Step]:
    """What is wrong with a row that failed, and where."""
    status = Status(row.position.status)
    column = status.column
    if not column:
        return
    value = n(row.marked.mark) if column == "mark_price" else _held(row, column)
    part = "wrong" if status.is_failure else "missing"
    yield Step(column, status.describe(), "", value, "", part)


def _held(row: Row, column: str) -> str:
    if column == "instrument":
        name = row.book.name_of(row.place)
        if row.marked.instrument is None:
            return f"{name!r}; the policy has {len(row.policy.instruments):,} instruments"
        settlement = row.policy.instruments[name].settlement or "an unknown currency"
        return f"{name!r}, settled in {settlement}"
    values = getattr(row.book, column)
    return "the book has no such column" if values is None else n(values[row.place])
