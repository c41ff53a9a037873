"""What the archive holds, and what changed in it between two dates, as text."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.errors import InputError
from levcore.rules.archive import dates_of
from levcore.rules.bundles import Bundle, read_bundle
from levcore.rules.fees import regular_fees
from levcore.rules.instruments import InstrumentTable, said_of
from levcore.rules.policy import MarginPolicy
from levcore.rules.policy_files import policy_names, read_policies
from levcore.rules.symbols import symbol_key
from levcore.rules.tiers import TierTable

__all__ = [
    "changes_rows",
    "changes_text",
    "coverage_rows",
    "listing_rows",
    "listing_text",
    "moved_text",
    "tables_rows",
    "tables_text",
]

SHOWN = 40


def coverage_rows() -> Iterator[tuple[str, ...]]:
    """What each policy bundles: contracts, dates, what is cut or lacks something, fees; the head first."""
    yield "name", "contracts", "dates", "earlier dates", "cut or unknown", "regular fees"
    for name in policy_names():
        newest = read_policies(name)[-1]
        table = newest.instruments
        dates = sorted({table.date_of(each) for each in table}) if table.series else []
        every = {date for series in table.series for date in dates_of(series)}
        earlier = sorted(every - set(dates)) if dates else []
        limited = sum(table.limit(each) != "" for each in table)
        said = [f"{limited} answered up to an end"] if limited else []
        said += [f"{len(table.gaps)} without tiers or size"] if table.gaps else []
        fees = "none bundled"
        if newest.fee_schedule:
            chosen = regular_fees(newest.fee_schedule)
            fees = f"taker {chosen.taker:g}, {chosen.as_of}" + (", secondary" if chosen.secondary else "")
        if table.series or newest.fee_schedule:
            told = (", ".join(dates) or "none", ", ".join(earlier) or "none", ", ".join(said) or "nothing")
            yield name, str(len(table)), *told, fees


def listing_rows(series: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Row a date of a series: what `listing_text` says of it."""
    for name in series:
        for date, file in dates_of(name).items():
            bundle = read_bundle(file)
            yield {
                "series": name,
                "date": date,
                "contracts": len(bundle.entries),
                "all_that_was_listed": bundle.covers_all,
                "without_tiers": sum(bundle.cell(each, "table") == "-" for each in bundle.entries),
                "cut": sum(bundle.limit(each) != "" for each in bundle.entries),
                "shape": bundle.header["shape"],
                "unit": bundle.header["unit"],
                "source": bundle.source,
                "notes": bundle.header.get("notes", ""),
            }


def tables_rows(series: Iterable[str], symbol: str) -> Iterator[dict[str, Any]]:
    """Row a tier of the tables that `tables_text` shows; the last ends in infinity where it has no end."""
    for name, date, bundle, each in _tables_of(tuple(series), symbol)[1]:
        facts = bundle.facts(each)
        if not facts.has_tiers:
            continue
        tiers = bundle.tiers(each)
        tops = (*tiers.floors[1:], tiers.cap)
        for place, (above, up_to) in enumerate(zip(tiers.floors, tops, strict=True)):
            yield {
                "contract": each,
                "series": name,
                "date": date,
                "above": above,
                "up_to": up_to,
                "rate": tiers.rates[place],
                "deduction": tiers.deductions[place],
                "max_leverage": tiers.max_leverage[place] if tiers.max_leverage else None,
                "shape": tiers.shape,
                "unit": tiers.unit,
                "limit": bundle.limit(each),
            }


def listing_text(series: Iterable[str]) -> str:
    """Series with their dates: how many contracts, how many of them cut or without tiers, unit and shape."""
    lines = []
    for name in series:
        lines.append(name)
        for date, file in dates_of(name).items():
            bundle = read_bundle(file)
            lines += [f"  {date}  {_counted(bundle)}", f"              {bundle.source}"]
            if "notes" in bundle.header:
                lines.append(f"              {bundle.header['notes']}")
    return "\n".join(lines)


def _counted(bundle: Bundle) -> str:
    names = list(bundle.entries)
    bare = sum(bundle.cell(name, "table") == "-" for name in names)
    limited = sum(bundle.limit(name) != "" for name in names)
    whole = "all that was listed" if bundle.covers_all else "a part of what was listed"
    said = f"{len(names)} contracts, {whole}; "
    if bare == len(names):
        return said + "contract sizes and ticks, no tiers"
    said += f"{bundle.header['shape']} tiers in {bundle.header['unit']}"
    return said + (f"; of {limited} nothing is known above an end" if limited else "")


def tables_text(series: Iterable[str], symbol: str) -> str:
    """Table of one contract at each date that has it, in any spelling.

    Raises
    ------
    InputError
        Where no date has it.
    """
    head, found = _tables_of(tuple(series), symbol)
    blocks = [
        "\n".join([f"{each}, {name} {date}", *_table_lines(bundle, each)])
        for name, date, bundle, each in found
    ]
    return "\n\n".join([*head, *blocks])


def _tables_of(series: tuple[str, ...], symbol: str) -> tuple[list[str], list[tuple[str, str, Bundle, str]]]:
    """What stands in for the symbol, if something does; series, date, bundle and spelling that have it."""
    table = InstrumentTable.bundled(" ".join(series))
    taken = None if symbol in table else table.stand_in(symbol)
    head = [] if taken is None else [f"{said_of(table[taken], symbol)}: the contract on the same base"]
    found = [
        (name, date, bundle, each)
        for name in series
        for date, file in dates_of(name).items()
        for bundle in (read_bundle(file),)
        for each in _spelled(bundle, taken or symbol)
    ]
    if not found:
        raise InputError("SYMBOL", "is in no table of these", table.missing(symbol), repr(symbol))
    return head, found


def _spelled(bundle: Bundle, symbol: str) -> list[str]:
    if symbol in bundle.entries:
        return [symbol]
    key = symbol_key(symbol).partition(":")[0]
    return [name for name in bundle.entries if symbol_key(name) == key]


def _table_lines(bundle: Bundle, name: str) -> list[str]:
    facts = bundle.facts(name)
    size = "unknown" if facts.contract_size is None else f"{facts.contract_size:g}"
    tick = "unknown" if facts.tick_size is None else f"{facts.tick_size:g}"
    lines = [f"  {facts.payoff}, settled in {facts.settlement}, contract size {size}, tick {tick}"]
    if not facts.has_tiers:
        return [*lines, "  no tiers"]
    tiers = bundle.tiers(name)
    lines.append(f"  {tiers.shape}, in {tiers.unit}")
    lines.append(f"  {'above':>16} {'rate':>10} {'deduction':>16} {'leverage':>9}")
    for place, (floor, rate, deduction) in enumerate(
        zip(tiers.floors, tiers.rates, tiers.deductions, strict=True)
    ):
        leverage = f"{tiers.max_leverage[place]:g}" if tiers.max_leverage else ""
        lines.append(f"  {floor:>16,.15g} {rate:>10.6g} {deduction:>16,.15g} {leverage:>9}")
    end = bundle.limit(name) or (f"ends at {tiers.cap:,.15g}" if tiers.cap < np.inf else "no end")
    return [*lines, f"  {end}"]


def changes_rows(
    left_name: str, left: InstrumentTable, right_name: str, right: InstrumentTable
) -> Iterator[dict[str, str]]:
    """Row a contract that only one table has, or whose tiers differ."""
    gone, new, _, changed = _changes(left, right)
    for name in gone:
        yield {"contract": name, "change": f"only in {left_name}"}
    for name in new:
        yield {"contract": name, "change": f"only in {right_name}"}
    for name, text in changed:
        yield {"contract": name, "change": text}


def _changes(
    left: InstrumentTable, right: InstrumentTable
) -> tuple[list[str], list[str], list[str], list[tuple[str, str]]]:
    """Contracts of the left table alone, of the right one alone, of both, and the first change of each."""
    both = [name for name in left if name in right]
    changed = [(name, _first_change(left[name].tiers, right[name].tiers)) for name in both]
    return (
        [name for name in left if name not in right],
        [name for name in right if name not in left],
        both,
        [(name, text) for name, text in changed if text],
    )


def changes_text(left_name: str, left: InstrumentTable, right_name: str, right: InstrumentTable) -> str:
    """Contracts that only one table has, and those whose tiers differ, with the first difference."""
    gone, new, both, changed = _changes(left, right)
    lines = [f"{left_name} ({left.as_of}, {len(left)}) and {right_name} ({right.as_of}, {len(right)})"]
    for what, names in ((f"only in {left_name}", gone), (f"only in {right_name}", new)):
        lines.append(f"{what}: {len(names)}" + (f": {_named(names)}" if names else ""))
    lines.append(f"other tiers: {len(changed)} of {len(both)}")
    lines += [f"  {name:<20} {text}" for name, text in changed]
    return "\n".join(lines)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _first_change(left: TierTable, right: TierTable) -> str:
    """First tier that differs, in words; empty where the tables are equal."""
    if left == right:
        return ""
    if (left.shape, left.unit) != (right.shape, right.unit):
        return f"{left.shape} in {left.unit}, then {right.shape} in {right.unit}"
    for number, (old, new) in enumerate(zip(_rows(left), _rows(right), strict=False), 1):
        if old != new:
            return f"tier {number}: {_words(old)}; then {_words(new)}"
    return f"{len(left)} tiers to {left.cap:,.15g}, then {len(right)} to {right.cap:,.15g}"


def _rows(tiers: TierTable) -> list[tuple[float, float, float | None]]:
    leverages = tiers.max_leverage or (None,) * len(tiers)
    return list(zip(tiers.floors, tiers.rates, leverages, strict=True))


def _words(row: tuple[float, float, float | None]) -> str:
    leverage = "" if row[2] is None else f" at {row[2]:g}x"
    return f"above {row[0]:,.15g} {row[1] * 100:.6g} %{leverage}"


def moved_text(
    book: PositionBook, marks: Marks, rules: MarginPolicy, left: InstrumentTable, right: InstrumentTable
) -> str:
    """Positions whose liquidation price or maintenance margin moves, under one policy with either table."""
    from levcore.engine.engine import Engine

    before, after = (
        Engine(rules.replace(instruments=table)).evaluate(book, marks) for table in (left, right)
    )
    lines = []
    for row in range(len(book)):
        name = book.instrument_names[book.instrument_codes[row]]
        pairs = [
            (measure, float(before[measure][row]), float(after[measure][row]))
            for measure in ("liquidation_price", "maintenance_margin")
        ]
        said = [f"{what} {_number(old)} to {_number(new)}" for what, old, new in pairs if not _same(old, new)]
        if said or before.status[row] != after.status[row]:
            statuses = f"{_status(before.status[row])} to {_status(after.status[row])}"
            same = before.status[row] == after.status[row]
            lines.append(f"  row {row} {name}: " + ", ".join(said + ([] if same else [statuses])))
    return "\n".join([f"under {rules.id}: {len(lines)} of {len(book)} positions move", *lines])


def _same(old: float, new: float) -> bool:
    return old == new or (old != old and new != new)


def _number(value: float) -> str:
    return "none" if value != value else f"{value:,.10g}"


def _status(code: int) -> str:
    from levcore.status import Status

    return Status(int(code)).name
