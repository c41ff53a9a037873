"""Arrays, charges and columns of a book as numbers: what the kernel and the reference both compute with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats, float_column, real_number
from levcore.book.labels import NO_ACCOUNT
from levcore.book.positions import PositionBook
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.scenarios.add_ons import ContractCharge, GroupOffsets, ScenarioAddOns, SpreadCharge
from levcore.scenarios.arrays import ScenarioArrays, float_table

__all__ = ["Adjustments", "CompiledNetAmounts", "CompiledScenarios", "Equity", "compile_scenarios"]

Equity = Mapping[Any, float] | npt.ArrayLike
Adjustments = Mapping[tuple[Any, str], float] | npt.ArrayLike


@dataclass(frozen=True, slots=True)
class CompiledNetAmounts:
    """Net positions by set: ``set`` and ``size`` by instrument, ``group``, ``long`` and ``short`` by set."""

    set: Codes
    size: Floats
    group: Codes
    long: Floats
    short: Floats


@dataclass(frozen=True, slots=True)
class CompiledScenarios:
    """Everything of one evaluation.

    ``places`` holds the place of the book's instruments in the arrays (-1: none), ``account`` the codes of
    the rows' accounts, ``pool`` the lowest group of each group's pool. The kernel reads the columns of the
    book where they are.
    """

    instrument: Codes
    quantity: Floats
    account: Codes
    places: npt.NDArray[np.int64]
    accounts: int
    profits: Floats
    group: Codes
    pool: Codes
    offset: Floats
    minimum: CompiledNetAmounts | None
    contingency: CompiledNetAmounts | None
    spread: CompiledNetAmounts | None
    spread_charge: Floats | None
    adjustments: Floats | None
    option_value: Floats | None
    initial_ratio: float | None
    equity: Floats | None


def compile_scenarios(
    book: PositionBook,
    arrays: ScenarioArrays,
    add_ons: ScenarioAddOns | None,
    equity: Equity | None,
    adjustments: Adjustments | None,
) -> CompiledScenarios:
    """Resolve names to codes; parameters and errors as in `levcore.scenarios.scenario_margin`."""
    add_ons = ScenarioAddOns() if add_ons is None else add_ons
    for name, value, kind in (
        ("book", book, PositionBook),
        ("arrays", arrays, ScenarioArrays),
        ("add_ons", add_ons, ScenarioAddOns),
    ):
        if not isinstance(value, kind):
            raise DTypeError(name, f"must be a {kind.__name__}", kind.__name__, type(value).__name__)
    codes = book.account_codes
    pool, offset = _pools(arrays, add_ons.offsets)
    return CompiledScenarios(
        instrument=book.instrument_codes,
        quantity=book.quantity,
        account=np.full(len(book), NO_ACCOUNT) if codes is None else codes,
        places=np.array([arrays.places.get(name, -1) for name in book.instrument_names], dtype=np.int64),
        accounts=len(book.account_ids),
        profits=arrays.profits,
        group=arrays.group_codes,
        pool=pool,
        offset=offset,
        minimum=_contract_charge("minimum", arrays, add_ons.minimum),
        contingency=_contract_charge("contingency", arrays, add_ons.contingency),
        spread=_spread_sizes(arrays, add_ons.spread),
        spread_charge=None if add_ons.spread is None else _by_group(arrays, "spread", add_ons.spread.charge),
        adjustments=None if adjustments is None else _adjustments(book, arrays, adjustments),
        option_value=(
            None
            if add_ons.option_value is None
            else _by_instrument(arrays, "option_value", add_ons.option_value)
        ),
        initial_ratio=add_ons.initial_ratio,
        equity=None if equity is None else _equity(book, equity),
    )


def _pools(arrays: ScenarioArrays, offsets: GroupOffsets | None) -> tuple[Codes, Floats]:
    """Pool of each group as its lowest group, and the fraction of its gains that counts."""
    pool = np.arange(len(arrays.groups), dtype=np.uint32)
    # A group that stands alone has no other losses to offset.
    fraction = np.zeros(len(arrays.groups))
    if offsets is None:
        return pool, fraction
    _refuse_unknown("offsets", offsets.pool, arrays.groups, "group")
    lowest: dict[str, int] = {}
    for code, group in enumerate(arrays.groups):
        if group in offsets.pool:
            pool[code] = lowest.setdefault(offsets.pool[group], code)
            fraction[code] = offsets.fraction[group]
    return pool, fraction


def _contract_charge(
    name: str, arrays: ScenarioArrays, charge: ContractCharge | None
) -> CompiledNetAmounts | None:
    if charge is None:
        return None
    sides = [
        np.zeros(len(arrays.instruments)) if amounts is None
        else _by_instrument(arrays, name, amounts) if isinstance(amounts, Mapping)
        else np.full(len(arrays.instruments), float(amounts))
        for amounts in (charge.long, charge.short)
    ]  # fmt: skip
    sets, first = _sets(name, arrays, charge.net_by)
    for amounts in sides:
        differing = amounts != amounts[first[sets]]
        if differing.any():
            place = int(np.argmax(differing))
            raise InputError(
                name,
                "must charge instruments that are netted alike",
                str(amounts[first[sets[place]]]),
                f"{amounts[place]} for {arrays.instruments[place]!r}",
            )
    return CompiledNetAmounts(
        sets, np.ones(len(sets)), arrays.group_codes[first], sides[0][first], sides[1][first]
    )


def _spread_sizes(arrays: ScenarioArrays, spread: SpreadCharge | None) -> CompiledNetAmounts | None:
    if spread is None:
        return None
    sets, first = _sets("spread", arrays, spread.net_by)
    unit = np.ones(len(first))
    sizes = _by_instrument(arrays, "spread", spread.size)
    return CompiledNetAmounts(sets, sizes, arrays.group_codes[first], unit, unit)


def _sets(
    name: str, arrays: ScenarioArrays, net_by: Mapping[str, str] | None
) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Netting set of each instrument, and the first instrument of each set."""
    labels = net_by or {}
    _refuse_unknown(name, labels, arrays.instruments, "instrument")
    codes: dict[tuple[str, bool], int] = {}
    first: list[int] = []
    sets = np.empty(len(arrays.instruments), dtype=np.uint32)
    for place, instrument in enumerate(arrays.instruments):
        key = (labels.get(instrument, instrument), instrument in labels)
        code = codes.setdefault(key, len(first))
        if code == len(first):
            first.append(place)
        if arrays.group_codes[place] != arrays.group_codes[first[code]]:
            held, other = (arrays.instruments[each] for each in (first[code], place))
            raise InputError(name, "must net inside of one group", "one group", f"{held!r} with {other!r}")
        sets[place] = code
    return sets, np.array(first, dtype=np.int64)


def _by_instrument(arrays: ScenarioArrays, name: str, numbers: Mapping[str, float]) -> Floats:
    return _by_name(name, arrays.instruments, numbers, "instrument")


def _by_group(arrays: ScenarioArrays, name: str, numbers: Mapping[str, float]) -> Floats:
    return _by_name(name, arrays.groups, numbers, "group")


def _by_name(name: str, names: tuple[str, ...], numbers: Mapping[str, float], what: str) -> Floats:
    """Numbers by place, 0 for names that are not charged."""
    _refuse_unknown(name, numbers, names, what)
    return np.array([real_number(name, numbers[each]) if each in numbers else 0.0 for each in names])


def _refuse_unknown(name: str, given: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    """Refuse a name that the arrays do not have: a charge that is misspelled would not be charged."""
    unknown = set(given).difference(names)
    if unknown:
        raise InputError(
            name, f"must hold names of the arrays' {what}s", f"a {what}", repr(min(unknown, key=str))
        )


def _equity(book: PositionBook, equity: Equity) -> Floats:
    if isinstance(equity, Mapping):
        return np.array([real_number("equity", equity.get(account)) for account in book.account_ids])
    column = float_column("equity", equity, None, [])
    if column.size != len(book.account_ids):
        raise ShapeError(
            "equity", "must have one value an account", str(len(book.account_ids)), str(column.size)
        )
    return column


def _adjustments(book: PositionBook, arrays: ScenarioArrays, adjustments: Adjustments) -> Floats:
    """Adjustments by account and group, shape (accounts, groups)."""
    shape = len(book.account_ids), len(arrays.groups)
    if not isinstance(adjustments, Mapping):
        table = float_table("adjustments", adjustments, "an account")
        if table.shape != shape:
            raise ShapeError("adjustments", "must have one row an account", str(shape), str(table.shape))
        return table
    table = np.zeros(shape)
    accounts = {account: code for code, account in enumerate(book.account_ids)}
    groups = {group: code for code, group in enumerate(arrays.groups)}
    for (account, group), amount in adjustments.items():
        if account not in accounts or group not in groups:
            raise InputError(
                "adjustments", "must hold accounts of the book and groups of the arrays",
                "an account and a group", repr((account, group)),
            )  # fmt: skip
        table[accounts[account], groups[group]] = real_number("adjustments", amount)
    return table
