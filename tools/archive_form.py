"""The written form of the archive, and the checks that a table passes before it is written."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from levcore.rules.bundles import parse_bundle

HEADER = """\
# Market facts as a venue published them, in a form of our own: levcore/rules/bundles.py describes it.
# tools/pack_tiers.py wrote this file.
"""
FIRST_COLUMNS = ("name", "settlement", "table")
UNBOUNDED = 2**63 - 1
LEVERAGE_TOLERANCE = Fraction(3, 100)


class Series(NamedTuple):
    """What the archive says of a whole file."""

    name: str
    as_of: str
    source: str
    covers: str
    unit: str
    shape: str
    notes: str = ""
    half_of_initial: bool = False
    initial_tiers: bool = False
    tier_columns: tuple[str, ...] = ("floor", "rate", "initial_rate", "max_leverage", "deduction")


def text_of(value: Any) -> str:
    """Plain decimal of a number, without exponent or trailing zeros; ``-`` for None."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        plain = format(Decimal(str(value)), "f")
    except ArithmeticError:
        return str(value)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def exact(value: Any) -> Fraction:
    """Number as the decimal that it shows."""
    return Fraction(text_of(value))


def check_tiers(name: str, tiers: list[dict[str, Any]], series: Series, lot: Any) -> None:
    """Refuse tiers that leave a gap, do not rise, or whose deductions do not continue exactly."""

    def require(holds: bool, number: int, rule: str) -> None:
        if not holds:
            raise SystemExit(f"{series.name} {series.as_of}, {name}, tier {number}: {rule}")

    deduction = Fraction(0)
    for number, (below, tier) in enumerate(zip([None, *tiers], tiers, strict=False), 1):
        floor, rate = exact(tier["floor"]), exact(tier["rate"])
        require(0 < rate < 1, number, "the rate must be a fraction")
        initial, leverage = tier.get("initial_rate"), tier.get("max_leverage")
        require(initial is None or exact(initial) > rate, number, "the initial rate must be above the rate")
        if initial is not None and leverage is not None:
            miss = abs(exact(initial) * exact(leverage) - 1)
            require(miss <= LEVERAGE_TOLERANCE, number, "leverage times initial rate must be 1")
        if leverage is not None:
            require(rate * exact(leverage) < 1, number, "the rate must stay below 1 / leverage")
        if below is None:
            require(floor == 0, number, "the first floor must be 0")
        else:
            gaps = {Fraction(0)} | ({Fraction(1), exact(lot or 1)} if series.unit == "contracts" else set())
            require(floor - exact(below["cap"]) in gaps, number, "the floor must be the cap below")
            rises = rate > exact(below["rate"]) or (
                series.shape == "unknown" and rate == exact(below["rate"])
            )
            require(rises, number, "the rate must rise")
            deduction += exact(below["cap"]) * (rate - exact(below["rate"]))
            if leverage is not None:
                require(exact(leverage) <= exact(below["max_leverage"]), number, "leverage must not rise")
        if tier.get("deduction") is not None and series.shape == "marginal":
            require(exact(tier["deduction"]) == deduction, number, f"the deduction must be {deduction}")


def check_step(name: str, tiers: list[dict[str, Any]], step: dict[str, Any]) -> None:
    """Refuse a rule for further tiers that the printed ones contradict."""
    start = step.get("from_tier", len(tiers))
    for below, tier in zip(tiers[start - 1 :], tiers[start:], strict=False):
        for column, key in (("cap", "size"), ("rate", "rate"), ("initial_rate", "initial_rate")):
            if exact(tier[column]) - exact(below[column]) != exact(step[key]):
                raise SystemExit(f"{name}: {column} {tier[column]} does not follow the step of {step}")


def render(series: Series, rows: dict[str, dict[str, Any]]) -> str:
    """Text of one file.

    Parameters
    ----------
    series : Series
    rows : mapping of name to instrument
        Each with ``tiers``, ``settlement``, ``payoff``, ``contract_size``, and further columns as they come.
    """
    all_tiers = [tier for row in rows.values() for tier in row["tiers"]]
    by_initial = bool(all_tiers) and all(
        tier.get("initial_rate") and tier.get("max_leverage") == float(1 / exact(tier["initial_rate"]))
        for tier in all_tiers
    )
    columns = [
        column
        for column in series.tier_columns
        if any(tier.get(column) is not None for tier in all_tiers)
        and not (column == "max_leverage" and by_initial)
    ]
    numbers: dict[str, int] = {}
    lines: dict[str, dict[str, str]] = {}
    for name, row in sorted(rows.items()):
        if row["tiers"]:
            check_tiers(name, row["tiers"], series, row.get("size_step"))
        line = _table_line(name, row, columns)
        number = str(numbers.setdefault(line, len(numbers) + 1)) if line else "-"
        extra = {key: text_of(value) for key, value in row.items() if key in row["columns"]}
        lines[name] = {"name": name, "settlement": row["settlement"], "table": number, **extra}
    same = _constants(list(lines.values()))
    kept = [key for key in next(iter(lines.values())) if key not in same]
    header = {
        "as_of": series.as_of,
        "source": series.source,
        "covers": series.covers,
        **({"notes": series.notes} if series.notes else {}),
        "unit": series.unit,
        "shape": series.shape,
        **({"rate": "half-of-initial-at-max-leverage"} if series.half_of_initial else {}),
        **({"max_leverage": "1/initial_rate"} if by_initial else {}),
        **({"initial_tiers": "initial_rate"} if series.initial_tiers else {}),
        **same,
        "tier": " ".join(columns) or "-",
        "instrument": " ".join(kept),
    }
    text = HEADER + "".join(f"{key} = {value}\n" for key, value in header.items())
    text += "\n".join(["[tables]", *numbers, "[instruments]"]) + "\n"
    text += "".join(" ".join(line[key] for key in kept) + "\n" for line in lines.values())
    _check_reading(series, text)
    return text


def _table_line(name: str, row: dict[str, Any], columns: list[str]) -> str:
    """Tiers and the end of the last one as a line; empty where there are none."""
    tiers, step = [dict(tier) for tier in row["tiers"]], row.get("step")
    if not tiers:
        return ""
    for below, tier in pairwise(tiers):
        tier["floor"] = below["cap"]  # a gap of one lot is closed
    cells = "; ".join(" ".join(text_of(tier[column]) for column in columns) for tier in tiers)
    cap = tiers[-1]["cap"]
    end = "-" if cap is None or exact(cap) >= UNBOUNDED else text_of(cap)
    if step:
        check_step(name, row["tiers"], step)
        rule = " ".join(text_of(step[key]) for key in ("size", "rate", "initial_rate", "last_initial_rate"))
        return f"{cells} | {end} + {rule}" + (" cut" if step["end_assumed"] else "")
    return f"{cells} | {end}" + (" cut" if row.get("complete") is False else "")


def _constants(lines: list[dict[str, str]]) -> dict[str, str]:
    """Columns that say the same everywhere, which then stand in the header."""
    keys = [key for key in lines[0] if key not in FIRST_COLUMNS]
    return {key: lines[0][key] for key in keys if len({line[key] for line in lines}) == 1}


def _check_reading(series: Series, text: str) -> None:
    """Read what was written as levcore will, and build every instrument of it."""
    bundle = parse_bundle(f"{series.name}-{series.as_of}", text)
    for name in bundle.entries:
        bundle.instrument(name)
        bundle.limit(name)
