"""Explanation of what a position is worth and of the margin it needs."""

import math
from collections.abc import Iterator
from dataclasses import replace

from levcore.explanation.row import Row
from levcore.explanation.steps import Step, number_text
from levcore.reference import kernel
from levcore.reference.formulas import contract, margin
from levcore.reference.rules.tables import Line, Table

__all__ = ["margin_steps", "value_steps"]

n = number_text


def value_steps(row: Row) -> Iterator[Step]:
    """Size, direction, values and profit."""
    p, i, part = row.position, row.instrument, "value and profit"
    inverse = contract.is_inverse(i)

    def coordinate(name: str, price: str, amount: float, value: float) -> Step:
        if inverse:
            return Step(name, f"1 / {price}", f"1 / {n(amount)}", value, "", part)
        return Step(name, f"{price} * multiplier", f"{n(amount)} * {n(i.multiplier)}", value, "", part)

    rises = "gains" if p.direction > 0 else "loses"
    yield coordinate("x", "mark_price", row.marked.mark, p.coordinate)
    yield coordinate("x0", "entry_price", p.entry_price, p.entry_coordinate)
    size = f"abs({n(p.quantity)}) * {n(i.contract_size)}"
    yield Step("size n", "abs(quantity) * contract size", size, p.size, "", part)
    yield Step("direction d", f"the position {rises} as x rises", "", p.direction, "", part)
    yield Step("notional V", "n * x", f"{n(p.size)} * {n(p.coordinate)}", p.value, "", part)
    yield Step("entry value V0", "n * x0", f"{n(p.size)} * {n(p.entry_coordinate)}", p.entry_value, "", part)
    profit = f"({n(p.direction)} * {n(p.size)}) * ({n(p.coordinate)} - {n(p.entry_coordinate)})"
    yield Step("unrealized_pnl", "(d * n) * (x - x0)", profit, p.unrealized_pnl, "", part)
    if not math.isnan(p.leverage):
        at_mark = row.policy.return_basis == "mark"
        name, value = ("V", p.value) if at_mark else ("V0", p.entry_value)
        gained = f"{n(p.unrealized_pnl)} * {n(p.leverage)} / {n(value)}"
        formula = f"unrealized_pnl * leverage / {name}"
        basis = row.evidence("return_basis") if at_mark else ""
        yield Step("return_on_equity", formula, gained, p.return_on_equity, basis, part)


def margin_steps(row: Row) -> Iterator[Step]:
    """Margin held, closing fee, initial and maintenance margin, requirement."""
    if not row.is_cross:
        yield from held_steps(row)
    yield from fee_steps(row)
    yield from initial_steps(row)
    yield from requirement_steps(row)


def initial_steps(row: Row) -> Iterator[Step]:
    """Initial margin, by the leverage or by the initial table."""
    p, part = row.position, "margin"
    basis = row.evidence(f"initial_margin_basis_{row.mode}")
    at_entry = getattr(row.policy, f"initial_margin_basis_{row.mode}") == "entry"
    name, value = ("V0", p.entry_value) if at_entry else ("V", p.value)
    rules, fixed = row.constants.rules, row.fees.fixed
    formula, numbers = f"{name} / leverage", f"{n(value)} / {n(p.leverage)}"
    table = row.marked.tiers.initial if row.marked.tiers is not None else None
    if rules.initial_from_table and table is not None:
        basis = f"{row.evidence('initial_margin_rule')}; {basis}"
        formula, numbers = charged(row, table, p.initial_line, name, value)
        formula = f"{formula} of the initial tiers"
    if rules.fee_in_initial and rules.reserve_at_bankruptcy:
        reserve = n(margin.reserved_fee(p.entry_value, p.direction, p.leverage, row.fees.rate))
        formula, numbers = f"{formula} + closing fee at bankruptcy", f"{numbers} + {reserve}"
    elif fixed and rules.fee_in_initial:
        formula, numbers = f"{formula} + closing fee", f"{numbers} + {n(p.fixed_fee)}"
    if math.isnan(p.initial_margin):
        formula, numbers = (
            "none without " + ("initial tiers" if rules.initial_from_table else "a leverage"),
            "",
        )
    yield Step("initial_margin", formula, numbers, p.initial_margin, basis, part)


def charged(row: Row, table: Table, line: Line | None, name: str, value: float) -> tuple[str, str]:
    """Formula and numbers of the margin that a table asks for at a value of that name."""
    if table.growing is not None:
        growing, size = table.growing, table.growing.base(row.position.size, value)
        rate = f"({n(growing.rate)} + {n(growing.slope)} * {n(size)})"
        return f"(rate + slope * S) * {name}", f"{rate} * {n(value)}"
    assert line is not None
    tier = table.lines_of(row.position.size).index(line) + 1
    if table.is_of_lines:
        numbers = f"{n(line.rate)} * {n(value)} - {n(line.deduction)}"
        return f"rate * {name} - deduction, tier {tier}", numbers
    return f"rate * {name}, tier {tier}", f"{n(line.rate)} * {n(value)}"


def held_steps(row: Row) -> Iterator[Step]:
    """Cash of an isolated position."""
    p, book, part = row.position, row.book, "margin"
    given = book.isolated_margin
    if given is None or math.isnan(given[row.place]):
        formula, numbers = "V0 / leverage, the margin that opened it", f"{n(p.entry_value)} / {n(p.leverage)}"
        rules = row.constants.rules
        if rules.fee_in_initial and rules.reserve_at_bankruptcy:
            reserve = n(margin.reserved_fee(p.entry_value, p.direction, p.leverage, row.fees.rate))
            formula, numbers = f"{formula}, + closing fee at bankruptcy", f"{numbers} + {reserve}"
        elif row.fees.fixed and rules.fee_in_initial:
            opened = replace(p)
            kernel.fix_fee_by_leverage(opened, row.fees)
            formula, numbers = f"{formula}, + closing fee", f"{numbers} + {n(opened.fixed_fee)}"
        yield Step("isolated_margin", formula, numbers, p.isolated_margin, "", part)
    cash = f"{n(p.isolated_margin)} + {n(p.funding)}"
    yield Step("cash", "isolated_margin + accrued_funding", cash, p.cash, "", part)


def fee_steps(row: Row) -> Iterator[Step]:
    """Closing fee inside the requirement."""
    p, fees, part = row.position, row.fees, "margin"
    basis, rate = fees.basis, fees.rate
    own = row.is_cross and row.policy.closing_fee_basis_cross != "same"
    rule = row.evidence("closing_fee_basis_cross" if own else "closing_fee_basis")
    if basis == "none":
        return
    yield Step("closing fee rate", "", "", rate, row.evidence("closing_fee_rate"), part)
    if basis == "price":
        fee = f"{n(rate)} * {n(p.value)}"
        yield Step("closing fee", "rate * V", fee, rate * p.value, rule, part)
        return
    if basis == "entry_and_margin" and not row.is_cross:
        inside = row.constants.rules.fee_in_initial
        formula = (
            "rate * ((V0 + isolated_margin) / (1 + rate))" if inside else "rate * (V0 + isolated_margin)"
        )
        held = f"({n(p.entry_value)} + {n(p.isolated_margin)})"
        numbers = f"{n(rate)} * ({held} / (1 + {n(rate)}))" if inside else f"{n(rate)} * {held}"
        yield Step("closing fee", formula, numbers, p.fixed_fee, rule, part)
        return
    if basis == "bankruptcy" and row.requirement_basis != "bankruptcy":
        yield bankruptcy_step(row)
    charged = {
        "mark": ("V", n(p.value)),
        "contract": ("contracts", n(abs(p.quantity))),
        "bankruptcy": ("value at bankruptcy", n(bankruptcy_value(row))),
        "entry_and_margin": (
            "(V0 + V0 / leverage)",
            f"({n(p.entry_value)} + {n(p.entry_value)} / {n(p.leverage)})",
        ),
    }
    name, number = charged.get(basis, ("V0", n(p.entry_value)))
    yield Step("closing fee", f"rate * {name}", f"{n(rate)} * {number}", p.fixed_fee, rule, part)


def bankruptcy_value(row: Row) -> float:
    """Value at which the position has nothing left, as fees and frozen requirements are taken on it."""
    p = row.position
    if row.is_cross:
        return margin.bankruptcy_value_of_leverage(p.entry_value, p.direction, p.leverage)
    factor = row.fees.bankruptcy.along(p.direction)
    return margin.bankruptcy_value_of_cash(p.entry_value, p.direction, p.cash, factor)


def bankruptcy_step(row: Row) -> Step:
    """Value at bankruptcy."""
    p = row.position
    if row.is_cross:
        formula = "V0 - d * (V0 / leverage)"
        numbers = f"{n(p.entry_value)} - {n(p.direction)} * ({n(p.entry_value)} / {n(p.leverage)})"
        source = row.evidence("closing_fee_bankruptcy_cross")
    else:
        factor = row.fees.bankruptcy.along(p.direction)
        formula = "max((d * V0 - cash) * d / (1 - d * fee rate, if inside), 0)"
        numbers = f"max(({n(p.direction)} * {n(p.entry_value)} - {n(p.cash)}) * {n(factor)}, 0)"
        source = row.evidence("bankruptcy_includes_closing_fee")
    return Step("value at bankruptcy", formula, numbers, bankruptcy_value(row), source, "margin")


def requirement_steps(row: Row) -> Iterator[Step]:
    """Maintenance margin and requirement, by the tier that applies."""
    p, policy, part = row.position, row.constants, "margin"
    basis = row.requirement_basis
    name, value = ("V0", p.entry_value) if basis == "entry" else ("V", p.value)
    if basis == "bankruptcy":
        yield bankruptcy_step(row)
        name, value = "value at bankruptcy", p.bankruptcy_value
    formula, numbers = charged(row, row.table, p.line, name, value)
    rule = row.evidence("maintenance_rate_rule")
    yield Step("maintenance", formula, numbers, p.maintenance, rule, part)
    formula, numbers = "maintenance", n(p.maintenance)
    if row.fees.basis == "price":
        formula, numbers = f"{formula} + closing fee", f"{numbers} + {n(policy.rules.fee_rate * p.value)}"
    elif row.fees.fixed:
        formula, numbers = f"{formula} + closing fee", f"{numbers} + {n(p.fixed_fee)}"
    source = row.evidence(f"requirement_basis_{row.mode}")
    yield Step("requirement", formula, numbers, p.requirement, source, part)
    inside = "requirement" if policy.rules.fee_in_maintenance else "maintenance"
    source = "" if row.fees.basis == "none" else row.evidence("closing_fee_in_maintenance_margin")
    yield Step("maintenance_margin", f"{inside}, as reported", "", p.maintenance_margin, source, part)
