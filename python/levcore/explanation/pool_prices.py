"""Explanation of the prices of a leg whose account moves with it: below and above the mark."""

import math
from collections.abc import Iterator

from levcore.explanation.pool import PooledAccount
from levcore.explanation.row import Row
from levcore.explanation.steps import Step, number_text
from levcore.explanation.verdict import rounding_step
from levcore.reference.arithmetic import divide
from levcore.reference.formulas import contract
from levcore.status import State

__all__ = ["pooled_price_steps"]

n = number_text


def pooled_price_steps(row: Row, account: PooledAccount) -> Iterator[Step]:
    """What moves with the row, the line of the surplus that decides below and above, the prices there."""
    p, part, mark = row.position, "liquidation price", row.marked.mark
    in_coin = not account.reader.has_balances and contract.is_inverse(row.instrument)
    yield Step(
        "moves together", "along one price; all other prices stay", "", moving_text(row, account), "", part
    )
    place = "mark over price" if in_coin else "price over mark"
    yield Step("place s", f"{place}, 1 is now", "", "", "", part)
    surplus = row.replay.verdicts[0].surplus
    line_at = account.pool.lines_of_surplus(surplus, account.move)
    zeros = account.pool.zeros_of_surplus(surplus, account.move)
    rule = row.evidence(f"requirement_basis_{row.mode}")
    sides = (("lower", zeros.lower), ("upper", zeros.upper))
    for side, zero in sides:
        if math.isnan(zero):
            yield Step(f"{side} place", "none: the surplus is not zero there", "", zero, "", part)
            continue
        start, slope = line_at(zero)
        text = f"{n(start)} + {n(slope)} * s"
        yield Step(f"line at the {side} place", "the surplus there", text, "", rule, part)
        # A place that lies on the border of two lines was found along the other one.
        numbers = f"-({n(start)}) / {n(slope)}" if divide(-start, slope) == zero else ""
        yield Step(f"{side} place", "where it is zero", numbers, zero, "", part)
    lower, upper = (zeros.upper, zeros.lower) if in_coin else (zeros.lower, zeros.upper)
    yield at_place("liquidation_price_lower", mark, lower, in_coin, p.liquidation_price_lower, part)
    yield at_place("liquidation_price_upper", mark, upper, in_coin, p.liquidation_price_upper, part)
    nearer = n(p.liquidation_price)
    yield Step("liquidation_price", "the one nearer to the mark", nearer, p.liquidation_price, "", part)
    yield rounding_step(row, part)
    yield from pooled_room_steps(row, account)


def at_place(name: str, mark: float, place: float, in_coin: bool, price: float, part: str) -> Step:
    """Price at a place of the ray, or why there is none."""
    if math.isnan(price):
        return Step(name, "none", "", price, "", part)
    numbers = f"{n(mark)} / {n(place)}" if in_coin else f"{n(mark)} * {n(place)}"
    return Step(name, "mark / place" if in_coin else "mark * place", numbers, price, "", part)


def pooled_room_steps(row: Row, account: PooledAccount) -> Iterator[Step]:
    """Bankruptcy price, distance and leverage."""
    p, mark, verdict = row.position, row.marked.mark, row.replay.verdicts[0]
    rule = row.evidence("bankruptcy_includes_closing_fee")
    formula = "where the equity is zero along the same price"
    if math.isnan(p.bankruptcy_price):
        formula = "none: the equity is not zero along the same price, or closing fees are not known"
    yield Step("bankruptcy_price", formula, "", p.bankruptcy_price, rule, "bankruptcy price")
    sign = "-" if verdict.state >= State.LIQUIDATION else ""
    formula = "abs(mark_price - liquidation_price) * (1 / mark_price)"
    numbers = f"{sign}(abs({n(mark)} - {n(p.liquidation_price)}) * (1 / {n(mark)}))"
    if math.isnan(p.liquidation_price):
        formula, numbers = "no price, so no end to the room", ""
    if sign:
        formula += ", negative: the account is past liquidation"
    yield Step("distance_to_liquidation", formula, numbers, p.distance_to_liquidation, "", "room")
    assert account.leg is not None
    price = account.pool.holdings[account.leg.holding].price
    formula, numbers = (
        "V at the price of its settlement / equity",
        f"{n(price)} * {n(p.value)} / {n(p.equity)}",
    )
    if not p.equity > 0.0:
        formula, numbers = "no equity is left", ""
    yield Step("effective_leverage", formula, numbers, p.effective_leverage, "", "room")


def moving_text(row: Row, account: PooledAccount) -> str:
    """Legs and balances that move with the row, and the assets that its legs settle in, which do not."""
    legs = {number for number, _ in account.move.legs}
    moving = [
        f"{row.book.name_of(each.row)} in row {row.rows[each.row]}"
        for each in account.reader.leg_rows
        if each.leg in legs
    ]
    moving += [
        f"balance {account.name_of(holding)}" for holding, beta in account.move.holdings if beta != 0.0
    ]
    still = [account.name_of(holding) for holding, beta in account.move.holdings if beta == 0.0]
    held = f"; {', '.join(still)} is held still" if still and account.reader.has_balances else ""
    return ", ".join(moving) + held
