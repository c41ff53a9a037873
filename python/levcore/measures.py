"""The closed tables of measures: name, unit and meaning, from the core."""

from collections.abc import Iterable
from dataclasses import dataclass

from levcore._levcore import account_measures, balance_measures, scenario_measures
from levcore._levcore import measures as core_measures
from levcore.errors import DTypeError, InputError

__all__ = [
    "ACCOUNT_MEASURES",
    "ACCOUNT_TABLE",
    "BALANCE_MEASURES",
    "BALANCE_TABLE",
    "DEFAULT_MEASURES",
    "DISTANCE_TABLE",
    "MEASURES",
    "MEASURE_NAMES",
    "SCENARIO_MEASURES",
    "SCENARIO_TABLE",
    "Measure",
    "chosen_measures",
    "default_measures",
    "measure_mask",
]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of positions, accounts, balances or scenarios.

    Parameters
    ----------
    name : str
        Column of the result.
    unit : str
        Unit of its values.
    doc : str
        Meaning, sign and formula in words.
    """

    name: str
    unit: str
    doc: str


def _table(entries: Iterable[tuple[str, str, str]]) -> tuple[Measure, ...]:
    return tuple(Measure(*entry) for entry in entries)


def _names(table: tuple[Measure, ...]) -> tuple[str, ...]:
    return tuple(measure.name for measure in table)


MEASURES = _table(core_measures())
"""Every measure of a position, in the order of the outputs."""
ACCOUNT_TABLE = _table(account_measures())
"""Every measure of a cross account."""
BALANCE_TABLE = _table(balance_measures())
"""Every measure of a balance."""
SCENARIO_TABLE = _table(scenario_measures())
"""Every measure of a portfolio margin by scenarios."""
DISTANCE_TABLE: tuple[Measure, ...] = (
    Measure("lower", "fraction", "Largest common move below that liquidates the account; NaN: none does."),
    Measure("upper", "fraction", "Smallest common move above that liquidates the account; NaN: none does."),
)
"""Every measure of a distance to liquidation."""
MEASURE_NAMES = _names(MEASURES)
ACCOUNT_MEASURES = _names(ACCOUNT_TABLE)
BALANCE_MEASURES = _names(BALANCE_TABLE)
SCENARIO_MEASURES = _names(SCENARIO_TABLE)
DEFAULT_MEASURES = tuple(name for name in MEASURE_NAMES if not name.startswith("liquidation_price_"))
"""Names of those that a call computes when it names none: of a lone leg, the two bounds of its liquidation
prices say no more than its liquidation price and its side."""

_PLACES = {name: place for place, name in enumerate(MEASURE_NAMES)}


def chosen_measures(names: Iterable[str]) -> tuple[str, ...]:
    """Measures named by a caller, each once, in the order of the outputs.

    Raises
    ------
    InputError
        For a name that is none of `MEASURES`, or no name at all; `DTypeError` for what holds no names.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise DTypeError("measures", "must be a sequence of names", "a tuple of names", repr(names))
    chosen = list(names)
    known = ", ".join(MEASURE_NAMES)
    for name in chosen:
        if not isinstance(name, str) or name not in _PLACES:
            raise InputError("measures", "must be names of levcore.MEASURES", known, repr(name))
    if not chosen:
        raise InputError("measures", "must name at least one measure", known, "none")
    return tuple(name for name in MEASURE_NAMES if name in chosen)


def default_measures(has_pooled_accounts: bool) -> tuple[str, ...]:
    """Measures of a call that names none: the bounds of liquidation prices only where legs move together."""
    return MEASURE_NAMES if has_pooled_accounts else DEFAULT_MEASURES


def measure_mask(names: tuple[str, ...]) -> int:
    """Bit mask of measures, bit 0 the first of `MEASURES`."""
    return sum(1 << _PLACES[name] for name in names)
