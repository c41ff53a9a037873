"""Who is liquidatable is closed step by step, until nobody is."""

import math
from typing import TYPE_CHECKING

from levcore.reference.closing.steps import MOST_STEPS, StepRule, step_quantity
from levcore.reference.closing.tiers_down import contracts_to_keep
from levcore.reference.replay.close import close
from levcore.reference.replay.record import LIQUIDATION, NETTING, Close

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk
    from levcore.reference.replay.twin import ReplayTwin

__all__ = ["liquidate"]

Name = tuple[str, int]
"""Who is judged: an isolated row or an account, by its number."""
InLiquidation = dict[Name, float]
"""Who is being liquidated, with the trigger of an isolated position."""


def liquidate(twin: "ReplayTwin") -> None:
    """Close who is liquidatable, step by step, until nobody is.

    Raises
    ------
    InputError
        For a position that cannot be judged at these prices.
    """
    going: InLiquidation = {}
    while True:
        risk = twin.risk()
        twin.refuse_unknown(risk)
        found = {name: twin.trigger(risk, name) for name in twin.names() if twin.is_due(risk, name)}
        going = found | going
        if net(twin, risk, going):
            continue
        closes = steps_of(twin, risk, going)
        if not closes:
            return
        close(twin, LIQUIDATION, closes)


def net(twin: "ReplayTwin", risk: "BookRisk", going: InLiquidation) -> bool:
    """Close opposite legs against each other, as far as they cover each other, before a first step."""
    closes: list[Close] = []
    for name in going:
        legs = twin.rows_of(name)
        if not twin.rules.steps.nets or name in twin.numbers or len(legs) < 2:
            continue
        if not twin.is_due(risk, name):
            continue
        for row in legs:
            held = twin.quantity[row]
            own = [leg for leg in legs if twin.code(leg) == twin.code(row)]
            other = sum(abs(twin.quantity[leg]) for leg in own if twin.quantity[leg] * held < 0.0)
            before = sum(
                abs(twin.quantity[leg]) for leg in own if leg < row and twin.quantity[leg] * held > 0.0
            )
            covered = other - before
            if covered > 0.0:
                common = covered if covered < abs(held) else abs(held)
                closes.append(Close(row, math.copysign(common, held)))
    if closes:
        close(twin, NETTING, sorted(closes, key=lambda each: each.row))
    return bool(closes)


def steps_of(twin: "ReplayTwin", risk: "BookRisk", going: InLiquidation) -> list[Close]:
    """What the next step closes of everybody."""
    closes: list[Close] = []
    for name in sorted(going):
        rows = twin.rows_of(name)
        if not rows or not goes_on(twin, risk, name, rows[0]):
            del going[name]
            continue
        number = twin.numbers.get(name, 0) + 1
        taken, everything = extent(twin, risk, rows[0], number)
        further = number > 1 or twin.time - twin.stepped.get(name, -math.inf) < twin.rules.steps.cooldown
        for row, quantity in closed_of(twin, risk, name, rows, (number, everything, further)):
            closes.append(Close(row, math.copysign(quantity, twin.quantity[row]), going[name], taken))
        twin.numbers[name], twin.stepped[name] = number, twin.time
    return sorted(closes, key=lambda each: each.row)


def goes_on(twin: "ReplayTwin", risk: "BookRisk", name: Name, row: int) -> bool:
    """Whether there is a next step: of who is liquidatable, or is not yet down to the exit level."""
    if twin.is_due(risk, name):
        return True
    level = twin.rules.steps.exit_level
    if level is None or name not in twin.numbers:
        return False
    return bool(twin.measured(risk, row, "margin_ratio") >= level)


def extent(twin: "ReplayTwin", risk: "BookRisk", row: int, number: int) -> tuple[bool, bool]:
    """Whether the fund takes over, and whether everything is closed."""
    steps = twin.rules.steps
    equity = twin.measured(risk, row, "equity")
    required = twin.measured(risk, row, "maintenance_margin")
    taken = steps.take_over_level is not None and required >= steps.take_over_level * equity
    whole = steps.whole_level is not None and required >= steps.whole_level * equity
    return taken, equity <= 0.0 or number == MOST_STEPS or taken or whole


def closed_of(
    twin: "ReplayTwin",
    risk: "BookRisk",
    name: Name,
    rows: list[int],
    extent: tuple[int, bool, bool],
) -> list[tuple[int, float]]:
    """Contracts that a step closes of each row."""
    steps, (number, everything, further) = twin.rules.steps, extent
    rule = StepRule(*(steps.isolated if name[0] == "row" else steps.cross))
    if rule.step == "largest_loss" and not everything:
        worst = min(rows, key=twin.profit)
        return [(worst, abs(twin.quantity[worst]))]
    share = rule.step == "share"
    everything = everything or (share and further and steps.next == "whole")
    closed = []
    for row in rows:
        held, value = abs(twin.quantity[row]), float(risk.notional[row])
        if share and steps.next == "same" and number > 1 and not everything:
            quantity = min(twin.first[row], held)
        else:
            keep = kept(twin, row, held, value) if rule.step == "tiers" else 0.0
            quantity = step_quantity(rule, held, value, keep, everything)
        if number == 1:
            twin.first[row] = quantity
        if quantity > 0.0:
            closed.append((row, quantity))
    return closed


def kept(twin: "ReplayTwin", row: int, held: float, value: float) -> float:
    """Contracts with which a row stands some tiers lower."""
    key, floors = twin.rules.steps.ladders[twin.code(row)][twin.quantity[row] < 0.0]
    unit = {"quote": value / held, "base": twin.contract(row).contract_size, "contracts": 1.0}[key]
    return contracts_to_keep(floors, held * unit, held, twin.rules.steps.tiers)
