"""Reading the caller's instruments, one row a tier, from mappings or the rows of a file."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, cast

from levcore.errors import InputError, LevcoreError, TierError
from levcore.rules.instruments import Instrument, Payoff
from levcore.rules.tier_rows import UNITS_OF_SHAPE
from levcore.rules.tiers import Number, Shape, Tier, TierTable, Unit

__all__ = ["COLUMNS", "REQUIRED_COLUMNS", "Cells", "instruments_from_rows", "instruments_of_records"]

REQUIRED_COLUMNS = ("instrument", "payoff", "contract_size", "floor", "rate", "unit")
OPTIONAL_COLUMNS = (
    "multiplier",
    "tick_size",
    "tier",
    "deduction",
    "max_leverage",
    "shape",
    "cap",
    "settlement",
    "underlying",
    "funding_rate",
    "isolated_only",
    "slope",
    "table",
)
COLUMNS = REQUIRED_COLUMNS + OPTIONAL_COLUMNS
# These belong to the instrument, not to a tier of it, and so say the same in each of its rows.
INSTRUMENT_COLUMNS = (
    "payoff",
    "contract_size",
    "multiplier",
    "tick_size",
    "settlement",
    "underlying",
    "funding_rate",
    "isolated_only",
)
# These belong to a table of the instrument.
TABLE_COLUMNS = ("unit", "shape")
YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
TABLES = ("maintenance", "short", "initial")

Cells: TypeAlias = Mapping[str, Number | None]
# A row and the line (of a file) or index (of rows) where it stands.
Record: TypeAlias = tuple[int, Cells]
# Makes the exception for a place, column, rule, expected, found.
Fault: TypeAlias = Callable[[int, str, str, str, str], LevcoreError]


def instruments_from_rows(rows: Iterable[Cells]) -> list[Instrument]:
    """Instruments of mappings; see `levcore.rules.instruments.InstrumentTable.from_rows`."""

    def fault(row: int, column: str, rule: str, expected: str, found: str) -> LevcoreError:
        return InputError(column or "rows", rule, expected, found, row)

    records: list[Record] = []
    for index, row in enumerate(rows):
        unknown = [name for name in row if name not in COLUMNS]
        if unknown:
            raise fault(
                index, unknown[0], "is no column of instruments", ", ".join(COLUMNS), repr(unknown[0])
            )
        records.append((index, {name: None if value == "" else value for name, value in row.items()}))
    return instruments_of_records(records, fault)


def instruments_of_records(records: Iterable[Record], fault: Fault) -> list[Instrument]:
    """Group the rows by instrument, in order of first appearance, and build each."""
    groups: dict[str, list[Record]] = {}
    for place, cells in records:
        groups.setdefault(str(_required(place, cells, "instrument", fault)), []).append((place, cells))
    return [_instrument(name, group, fault) for name, group in groups.items()]


def _instrument(name: str, group: list[Record], fault: Fault) -> Instrument:
    first, cells = group[0]
    _check_constant(group, INSTRUMENT_COLUMNS, "an instrument", fault)
    payoff = str(_required(first, cells, "payoff", fault))
    if payoff == "quanto":
        _required(first, cells, "multiplier", fault)
    size = _float(first, _required(first, cells, "contract_size", fault), "contract_size", fault)
    multiplier = _float(first, cells.get("multiplier") or 1, "multiplier", fault)
    funding_rate = _float(first, cells.get("funding_rate") or 0, "funding_rate", fault)
    tick = cells.get("tick_size")
    tick_size = None if tick is None else _float(first, tick, "tick_size", fault)
    tables = _tables(name, group, fault)
    try:
        return Instrument(
            name,
            cast(Payoff, payoff),
            tables["maintenance"],
            size,
            multiplier,
            tick_size=tick_size,
            settlement=str(cells.get("settlement") or ""),
            underlying=str(cells.get("underlying") or ""),
            short_tiers=tables.get("short"),
            initial_tiers=tables.get("initial"),
            funding_rate=funding_rate,
            isolated_only=_yes_or_no(first, cells.get("isolated_only"), "isolated_only", fault),
        )
    except InputError as error:
        raise fault(first, error.argument, error.rule, error.expected, error.found) from None


def _yes_or_no(place: int, value: object, column: str, fault: Fault) -> bool:
    """Whether a cell says yes; an empty one says no."""
    word = "no" if value is None else str(value).lower()
    if word not in YES_OR_NO:
        raise fault(place, column, "must be yes or no", ", ".join(YES_OR_NO), repr(value))
    return YES_OR_NO[word]


def _tables(name: str, group: list[Record], fault: Fault) -> dict[str, TierTable]:
    """Tier tables of one instrument by what they are for."""
    groups: dict[str, list[Record]] = {}
    for place, cells in group:
        table = str(cells.get("table") or "maintenance")
        if table not in TABLES:
            raise fault(place, "table", "must be known", " or ".join(TABLES), repr(table))
        groups.setdefault(table, []).append((place, cells))
    if "maintenance" not in groups:
        rule = f"instrument {name} has no maintenance tiers"
        raise fault(group[0][0], "table", rule, "maintenance", " and ".join(groups))
    return {table: _tiers(name, rows, fault) for table, rows in groups.items()}


def _tiers(name: str, group: list[Record], fault: Fault) -> TierTable:
    """One tier table of an instrument; a fault of a tier is one of its row."""
    _check_constant(group, TABLE_COLUMNS, "a table", fault)
    _check_numbering(group, fault)
    first, cells = group[0]
    unit = cast(Unit, _required(first, cells, "unit", fault))
    shapes = [shape for shape, units in UNITS_OF_SHAPE.items() if unit in units]
    if not shapes:
        units = " or ".join(dict.fromkeys(unit for units in UNITS_OF_SHAPE.values() for unit in units))
        raise fault(first, "unit", "must be known", units, repr(unit))
    # A unit and whether there is a slope tell the shape, so a file need not say it; one that does must be
    # right.
    slope = cells.get("slope")
    shape = cast(Shape, cells.get("shape") or (shapes[0] if slope is None else "growing"))
    rows = [
        Tier(
            _required(place, row, "floor", fault),
            _required(place, row, "rate", fault),
            row.get("deduction"),
            row.get("max_leverage"),
            row.get("cap"),
        )
        for place, row in group
    ]
    try:
        if shape == "growing":
            return _growing(group, rows, unit, _required(first, cells, "slope", fault), fault)
        return TierTable.of_shape(shape, rows, unit=unit, instrument=name)
    except TierError as error:
        place = group[(error.tier or 1) - 1][0]
        rule = f"{error.rule} (instrument {name})"
        raise fault(place, error.column, rule, error.expected, error.found) from error


def _growing(group: list[Record], rows: list[Tier], unit: Unit, slope: Number, fault: Fault) -> TierTable:
    if len(rows) > 1:
        raise fault(group[1][0], "", "a growing table has one row", "1 row", f"{len(rows)} rows")
    (row,), place = rows, group[0][0]
    for column, value in (("floor", row.floor), ("deduction", row.deduction or 0)):
        if _float(place, value, column, fault) != 0:
            raise fault(place, column, "must be 0 in a growing table", "0", str(value))
    return TierTable.growing(row.rate, slope, unit=unit, cap=row.cap, max_leverage=row.max_leverage)


def _check_constant(group: list[Record], columns: tuple[str, ...], what: str, fault: Fault) -> None:
    _, first = group[0]
    for place, cells in group[1:]:
        for column in columns:
            if cells.get(column) != first.get(column):
                rule = f"must be the same in every row of {what}"
                raise fault(place, column, rule, str(first.get(column)), str(cells.get(column)))


def _check_numbering(group: list[Record], fault: Fault) -> None:
    """Where tiers are numbered, they must count up: rows out of order would be other tiers."""
    previous: float | None = None
    for place, cells in group:
        given = cells.get("tier")
        if given is None:
            continue
        number = _float(place, given, "tier", fault)
        if previous is not None and number != previous + 1:
            raise fault(place, "tier", "must count up by one", f"{previous + 1:g}", f"{number:g}")
        previous = number


def _required(place: int, cells: Cells, column: str, fault: Fault) -> Number:
    value = cells.get(column)
    if value is None:
        raise fault(place, column, "must be given", "a value", "nothing")
    return value


def _float(place: int, value: Number, column: str, fault: Fault) -> float:
    try:
        return float(value)
    except ValueError:
        raise fault(place, column, "must be a number", "a number", repr(value)) from None
