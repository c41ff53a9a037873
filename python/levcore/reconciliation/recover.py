"""Inputs that a reply does not hold, recovered from the numbers that the venue made with them.

A recovered input is the shortest decimal with which the engine gives the printed digits. The number it came
from is then an input, and no check any more.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from levcore.errors import LevcoreError
from levcore.reconciliation.case import Case, single_rate
from levcore.venues.printed_number import PrintedNumber, agreement, shortest_decimal

__all__ = ["Recovered", "depends_on", "recover", "solve"]

GROUP = ("account_", "cross_")
"""Beginnings of the readings of a whole account."""

STEPS = 12
"""Steps of the secant; most numbers are a line in the unknown, so that two do."""
ROUND_OFF = Decimal("2e-15")
"""Share of itself by which an input found with float64 arithmetic may be off."""
MOST_DIGITS = {"contract_size": 2, "leverage": 4, "closing_fee_rate": 4, "maintenance_rate": 4}
"""Significant digits of numbers that somebody has set; more say that the rules are not those of the reply."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """An input that a reply does not hold.

    Parameters
    ----------
    name : str
        Which: ``mark_price``, ``entry_price``, ``contract_size``, ``leverage``, ``closing_fee_rate``,
        ``maintenance_rate`` or ``wallet_balance``.
    instrument : str
        Whose; empty where it belongs to the account.
    value : Decimal
    field : str
        Field of the reply that it was recovered from.
    row : int
        Position of that field in its case.
    """

    name: str
    instrument: str
    value: Decimal
    field: str
    row: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """How an input is put into a case, and which readings give it away.

    ``reciprocal`` says whether a reading is a line in one over the input rather than in the input itself.
    """

    readings: tuple[str, ...]
    put: Callable[[Case, int, Decimal], Case]
    start: Callable[[Case, int], float]
    reciprocal: Callable[[Case, int], bool] = lambda case, row: False


def _is_inverse(case: Case, row: int) -> bool:
    return case.facts[case.positions[row].instrument].payoff == "inverse"


def _known_price(case: Case, row: int) -> float:
    position = case.positions[row]
    return float(position.mark_price or position.entry_price or 1)


def _put_rate(case: Case, row: int, rate: Decimal) -> Case:
    name = case.positions[row].instrument
    return case.with_facts(name, tiers=single_rate(case.policy, rate), tiers_from="the rate recovered")


def _large_wallet(case: Case, row: int) -> float:
    """Balance that covers every loss, so that the ratio is a number."""
    risk = case.evaluation.risk
    return 2.0 * float(abs(risk.notional).sum() + abs(risk.unrealized_pnl).sum())


UNKNOWNS: dict[str, Unknown] = {
    "mark_price": Unknown(
        ("notional", "unrealized_pnl"),
        lambda case, row, value: case.with_mark(case.positions[row].instrument, value),
        _known_price,
        _is_inverse,
    ),
    "contract_size": Unknown(
        ("notional", "notional_at_entry", "unrealized_pnl"),
        lambda case, row, value: case.with_facts(case.positions[row].instrument, contract_size=value),
        lambda case, row: 1.0,
    ),
    "entry_price": Unknown(
        ("unrealized_pnl",),
        lambda case, row, value: case.with_position(row, entry_price=value),
        _known_price,
        _is_inverse,
    ),
    "leverage": Unknown(
        ("initial_margin",),
        lambda case, row, value: case.with_position(row, leverage=value),
        # The secant's second place is at four fifths of it, which is still a leverage.
        lambda case, row: 2.0,
        lambda case, row: True,
    ),
    "closing_fee_rate": Unknown(
        ("initial_margin", "inverse_margin_ratio"),
        lambda case, row, value: case.with_rules(closing_fee_rate=float(value)),
        lambda case, row: 0.0005,
    ),
    "maintenance_rate": Unknown(("maintenance_margin",), _put_rate, lambda case, row: 0.01),
    "wallet_balance": Unknown(
        ("inverse_margin_ratio",),
        lambda case, row, value: replace(case, wallet_balance=value),
        _large_wallet,
    ),
}
"""In the order in which they are looked for: each needs those before it alone."""


def recover(case: Case, rows: Iterable[int] | None = None) -> tuple[Case, tuple[Recovered, ...]]:
    """Fill in what the reply does not hold, as far as its own numbers allow; of some rows, or of all."""
    found: list[Recovered] = []
    chosen = range(len(case.positions)) if rows is None else tuple(rows)
    for name in UNKNOWNS:
        for row in chosen:
            if name not in case.missing(row):
                continue
            taken = {(each.row, each.field) for each in found}
            step = _recovered(case, row, name, taken)
            if step is not None:
                case, recovered = step
                found.append(recovered)
    return case, tuple(found)


def depends_on(case: Case, row: int, reading: str, name: str) -> bool:
    """Whether a reading changes with an input that is missing, so that it cannot be derived."""
    if name == "wallet_balance":
        # Without it the engine gives no number of the account, and none that the account decides.
        return math.isnan(case.evaluation.read(reading, row))
    if row < len(case.positions) and not case.needs_account(row, reading) and not reading.startswith(GROUP):
        case, row = case.alone(row), 0
    first, second = (
        replace(case, stand_in={**(case.stand_in or {}), name: which}).evaluation.read(reading, row)
        for which in (0, 1)
    )
    return not (first == second or (math.isnan(first) and math.isnan(second)))


def solve(
    case: Case, row: int, name: str, reading: str, printed: PrintedNumber, *, exactly: bool = True
) -> Decimal | None:
    """Shortest decimal of an input with which a reading gives the printed digits; None where none does.

    Where the digits need not be met `exactly`, a value within a billionth of them will do.
    """
    edges = [_solve(case, row, name, reading, printed.value + step) for step in (-printed.unit, printed.unit)]
    if edges[0] is None or edges[1] is None:
        return None
    low, high = sorted((edges[0], edges[1]))
    room = max(abs(low), abs(high)) * ROUND_OFF
    value = shortest_decimal(low - room, high + room)
    try:
        evaluation = UNKNOWNS[name].put(case, row, value).evaluation
        number = evaluation.read(reading, row)
        slack = evaluation.slack(reading, row)
    except LevcoreError:
        return None
    if not math.isfinite(number) or (exactly and agreement(number, printed, slack) is None):
        return None
    return value


def _recovered(case: Case, row: int, name: str, taken: set[tuple[int, str]]) -> tuple[Case, Recovered] | None:
    unknown = UNKNOWNS[name]
    position = case.positions[row]
    others = [other for other in case.missing(row) if other != name]
    for reading in unknown.readings:
        for number in position.reported:
            if number.reading != reading or number.printed is None or (row, number.field) in taken:
                continue
            if any(depends_on(case, row, reading, other) for other in others):
                continue
            if name == "wallet_balance":
                value = solve(case, row, name, reading, number.printed)
            else:
                value = solve(case.alone(row), 0, name, reading, number.printed)
            if value is None or value <= 0 or not _is_plausible(name, value):
                continue
            instrument = "" if name in ("closing_fee_rate", "wallet_balance") else position.instrument
            return unknown.put(case, row, value), Recovered(name, instrument, value, number.field, row)
    return None


def _is_plausible(name: str, value: Decimal) -> bool:
    most = MOST_DIGITS.get(name)
    return most is None or len(value.normalize().as_tuple().digits) <= most


def _solve(case: Case, row: int, name: str, reading: str, target: Decimal) -> Decimal | None:
    """Secant on the engine's number, in the coordinate in which it is a line."""
    unknown = UNKNOWNS[name]
    reciprocal = unknown.reciprocal(case, row)
    goal = float(target)

    def read(coordinate: float) -> float:
        value = Decimal(1 / coordinate if reciprocal else coordinate)
        return unknown.put(case, row, value).evaluation.read(reading, row)

    start = unknown.start(case, row)
    try:
        before = 1 / start if reciprocal else start
        here = before * 1.25
        at_before, at_here = read(before), read(here)
        for _ in range(STEPS):
            if at_here == at_before or not math.isfinite(at_here - at_before):
                break
            step = (goal - at_here) * ((here - before) / (at_here - at_before))
            if here + step == here:
                break
            before, at_before = here, at_here
            here += step
            at_here = read(here)
        if not math.isfinite(here) or here == 0 or abs(at_here - goal) > 1e-9 * max(abs(goal), 1e-300):
            return None
    except (LevcoreError, ZeroDivisionError, OverflowError):
        return None
    return Decimal(1 / here if reciprocal else here)
