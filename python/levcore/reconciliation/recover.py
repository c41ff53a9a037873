"""Inputs that a reply does not hold, recovered from the numbers that the venue made with them.

A recovered input is the shortest decimal with which the engine gives the printed digits. The number it came
from is then an input, and no check any more. It is taken where the other numbers that depend on it do not
contradict it: of several candidates the one with which most of them agree.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal

from levcore.errors import LevcoreError
from levcore.reconciliation.case import Case, single_rate
from levcore.venues.positions.reply import Reported
from levcore.venues.printed_number import PrintedNumber, agreement, plain, shortest_decimal

__all__ = ["Recovered", "depends_on", "fees_of_numbers", "is_clean_rate", "recover", "solve"]

GROUP = ("account_", "cross_")
"""Beginnings of the readings of a whole account."""

FEE = "closing_fee_rate"
EXACT_3 = Context(prec=3)
STEPS = 12
"""Steps of the secant; most numbers are a line in the unknown, so that two do."""
ROUND_OFF = Decimal("2e-15")
"""Share of itself by which an input found with float64 arithmetic may be off."""
MOST_DIGITS = {"contract_size": 2, "leverage": 4, "closing_fee_rate": 4, "maintenance_rate": 4}
"""Significant digits of numbers that somebody has set; more say that the rules are not those of the reply."""
CLOSE = 1e-3
"""Share by which prices of one account may miss the wallet that one of them implies: ticks and tables."""


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

    ``start`` is where the search begins, given the reading and its goal; ``stretch`` makes the second point
    of it. ``reciprocal`` says whether a reading is a line in one over the input rather than in it.
    """

    readings: tuple[str, ...]
    put: Callable[[Case, int, Decimal], Case]
    start: Callable[[Case, int, str, float], float]
    stretch: float = 1.25
    reciprocal: Callable[[Case, int], bool] = lambda case, row: False


def _is_inverse(case: Case, row: int) -> bool:
    return case.facts[case.positions[row].instrument].payoff == "inverse"


def _known_price(case: Case, row: int, reading: str, goal: float) -> float:
    position = case.positions[row]
    return float(position.mark_price or position.entry_price or 1)


def _one(case: Case, row: int, reading: str, goal: float) -> float:
    return 1.0


def _put_rate(case: Case, row: int, rate: Decimal) -> Case:
    name = case.positions[row].instrument
    return case.with_facts(name, tiers=single_rate(case.policy, rate), tiers_from="the rate recovered")


def _near_wallet(case: Case, row: int, reading: str, goal: float) -> float:
    """Balance that covers every loss, so that the ratio is a number; of a price the balance used up there."""
    risk = case.evaluation.risk
    large = 2.0 * float(abs(risk.notional).sum() + abs(risk.unrealized_pnl).sum())
    if reading != "liquidation_price" or not goal > 0:
        return large
    there = case.with_mark(case.positions[row].instrument, Decimal(goal))
    accounts = replace(there, wallet_balance=Decimal(large)).evaluation.risk.accounts
    return large - float(accounts.equity[0]) * (1.0 - float(accounts.margin_ratio[0]))


UNKNOWNS: dict[str, Unknown] = {
    "mark_price": Unknown(
        ("notional", "unrealized_pnl"),
        lambda case, row, value: case.with_mark(case.positions[row].instrument, value),
        _known_price,
        reciprocal=_is_inverse,
    ),
    "contract_size": Unknown(
        ("notional", "notional_at_entry", "unrealized_pnl"),
        lambda case, row, value: case.with_facts(case.positions[row].instrument, contract_size=value),
        _one,
    ),
    "entry_price": Unknown(
        ("unrealized_pnl",),
        lambda case, row, value: case.with_position(row, entry_price=value),
        _known_price,
        reciprocal=_is_inverse,
    ),
    "leverage": Unknown(
        ("initial_margin",),
        lambda case, row, value: case.with_position(row, leverage=value),
        # Both points of the search, 2 and 1.6, are leverages; below 1 there is none.
        lambda case, row, reading, goal: 2.0,
        reciprocal=lambda case, row: True,
    ),
    "closing_fee_rate": Unknown(
        ("initial_margin", "inverse_margin_ratio"),
        lambda case, row, value: case.with_rules(closing_fee_rate=float(value)),
        lambda case, row, reading, goal: 0.0005,
    ),
    "maintenance_rate": Unknown(("maintenance_margin",), _put_rate, lambda case, row, reading, goal: 0.01),
    "wallet_balance": Unknown(
        ("inverse_margin_ratio", "liquidation_price"),
        lambda case, row, value: replace(case, wallet_balance=value),
        _near_wallet,
        stretch=1.0001,
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
    if case.is_not_computed(name):
        # None of the other values stands for it; without a fee it would not matter.
        cases = [case.with_rules(closing_fee_rate=rate) for rate in (0.0, 0.001)]
    else:
        cases = [
            replace(case, stand_in={**(case.stand_in or {}), name: which})
            for which in range(case.stand_ins(name))
        ]
    first, *others = (each.evaluation.read(reading, row) for each in cases)
    return not all(first == each or (math.isnan(first) and math.isnan(each)) for each in others)


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
    """Fill in an input with the candidate that most other numbers agree with; None where none will do."""
    best: tuple[int, Case, Recovered] | None = None
    for number, value in _candidates(case, row, name, taken):
        filled = UNKNOWNS[name].put(case, row, value)
        agreeing = _agreeing(case, filled, row, name, number)
        if agreeing is not None and (best is None or agreeing > best[0]):
            instrument = (
                "" if name in ("closing_fee_rate", "wallet_balance") else case.positions[row].instrument
            )
            best = agreeing, filled, Recovered(name, instrument, value, number.field, row)
    return None if best is None else best[1:]


def _candidates(
    case: Case, row: int, name: str, taken: set[tuple[int, str]]
) -> Iterator[tuple[Reported, Decimal]]:
    """Values of an input that single numbers of the row give away."""
    others = [other for other in case.missing(row) if other != name]
    for reading in UNKNOWNS[name].readings:
        for number in case.positions[row].reported:
            if number.reading != reading or number.printed is None or (row, number.field) in taken:
                continue
            if any(depends_on(case, row, reading, other) for other in others):
                continue
            if name == "wallet_balance":
                value = solve(case, row, name, reading, number.printed)
                filled = case if value is None else UNKNOWNS[name].put(case, row, value)
                if any(depends_on(filled, row, reading, other) for other in others):
                    continue
            else:
                value = solve(case.alone(row), 0, name, reading, number.printed)
            if value is not None and value > 0 and _is_plausible(name, value):
                yield number, value


def _agreeing(case: Case, filled: Case, row: int, name: str, source: Reported) -> int | None:
    """How many other numbers agree with a candidate; None where one of those that hold it contradicts it."""
    rows = range(len(case.positions)) if name == "wallet_balance" else (row,)
    agreeing = 0
    for each in rows:
        for number in filled.positions[each].reported:
            if number.printed is None or not number.reading or (each == row and number == source):
                continue
            if any(depends_on(filled, each, number.reading, other) for other in filled.missing(each)):
                continue
            ours = filled.evaluation.read(number.reading, each)
            if math.isfinite(ours) and agreement(
                ours, number.printed, filled.evaluation.slack(number.reading, each)
            ):
                agreeing += 1
            elif _contradicts(case, filled, each, name, number):
                return None
    return agreeing


def _contradicts(case: Case, filled: Case, row: int, name: str, number: Reported) -> bool:
    """Whether a number that does not agree says that a candidate is wrong, rather than a table or a rule."""
    assert number.printed is not None  # of a number that was compared
    if name == "wallet_balance":
        ours = filled.evaluation.read(number.reading, row)
        theirs = float(number.printed.value)
        return number.reading == "liquidation_price" and not abs(ours - theirs) <= CLOSE * abs(theirs)
    if name != "closing_fee_rate" or not number.reading.startswith(("initial", "maintenance")):
        return False
    if not depends_on(case, row, number.reading, name):
        return False
    if number.reading.startswith("initial"):
        return True
    # Margin at another rate of few digits: the tier is another one, and the fee may well be right.
    rate = solve(filled.alone(row), 0, "maintenance_rate", number.reading, number.printed)
    return rate is None or not is_clean_rate(rate)


def fees_of_numbers(case: Case) -> dict[str, list[str]]:
    """Closing fee rates to three digits, each with the margins of the one position that imply it.

    Empty where they agree.

    An initial margin is tried on the value at entry too, where the rules have it at the mark.
    """
    basis = f"initial_margin_basis_{case.positions[0].margin_mode}"
    fees: dict[str, list[str]] = {}
    for number in case.positions[0].reported:
        if number.printed is None or not number.reading.startswith(("initial_margin", "maintenance_margin")):
            continue
        cases = {"": case}
        if number.reading == "initial_margin" and getattr(case.policy, basis) != "entry":
            cases[" on the value at entry"] = case.with_rules(**{basis: "entry"})
        for where, each in cases.items():
            if not any(depends_on(each, 0, number.reading, name) for name in each.missing(0) if name != FEE):
                rate = _solve(each, 0, FEE, number.reading, number.printed.value)
                if rate is not None and 0 < rate < 1:
                    fees.setdefault(str(plain(EXACT_3.create_decimal(rate))), []).append(number.field + where)
    return fees if len(fees) > 1 else {}


def is_clean_rate(rate: Decimal) -> bool:
    """Whether a rate is one that a venue would put into a table."""
    return 0 < rate < 1 and len(plain(rate).as_tuple().digits) <= MOST_DIGITS["maintenance_rate"]


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

    try:
        start = unknown.start(case, row, reading, goal)
        before = 1 / start if reciprocal else start
        here = before * unknown.stretch
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
    except (LevcoreError, ArithmeticError):
        return None
    return Decimal(1 / here if reciprocal else here)
