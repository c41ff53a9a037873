"""Figures of the risk report."""

from levcore.reports.charts.colours import state_colour
from levcore.reports.charts.model import Areas, Columns, Diverging, Figure, Series, Shares
from levcore.reports.numbers import count, percent, short
from levcore.reports.risk.data import DISTANCE_BINS, Floats, Report

__all__ = ["distance_figures", "exposure_figures", "risk_figures", "state_figures"]

INSTRUMENTS_SHOWN = 12
AXIS_LABELS = [label.removesuffix(" %") for label in DISTANCE_BINS]
MOVE_TOLD = 10  # per cent


def risk_figures(report: Report) -> list[Figure]:
    """Every figure of the report, in reading order."""
    return [*state_figures(report), *distance_figures(report), *exposure_figures(report)]


def state_figures(report: Report) -> list[Figure]:
    """Shares of the states among accounts and isolated positions; none where there are neither."""
    parts = [
        Series(line.state.phrase, [line.isolated_positions + line.accounts], state_colour(line.state))
        for line in report.states
    ]
    told = ", ".join(f"{count(one.values[0])} {one.name}" for one in parts if one.values[0])
    title = "States of accounts and isolated positions"
    return [Figure(title, "", told, Shares(parts, count))] if told else []


def distance_figures(report: Report) -> list[Figure]:
    """Distribution of the distance to liquidation, and the notional that a move would reach."""
    distances = report.distances
    if not (distances.long_count.any() or distances.short_count.any()):
        return []
    currency = f" in {distances.settlement}" if distances.settlement else ""
    return [
        _by_distance(
            "Positions", "number of positions", distances.long_count, distances.short_count, whole=True
        ),
        _by_distance(
            "Notional", f"value of the positions{currency}", distances.long_notional, distances.short_notional
        ),
        _profile(report),
    ]


def _by_distance(what: str, subtitle: str, long: Floats, short_: Floats, *, whole: bool = False) -> Figure:
    longs, shorts = long.tolist(), short_.tolist()
    told = "; ".join(
        f"{label}: long {short(one)}, short {short(other)}"
        for label, one, other in zip(DISTANCE_BINS, longs, shorts, strict=True)
    )
    series = (Series("long", longs, "long"), Series("short", shorts, "short"))
    drawing = Columns(AXIS_LABELS, series, short, "adverse move of the mark, per cent", whole)
    return Figure(f"{what} by distance to liquidation", subtitle, told, drawing, is_wide=False)


def _profile(report: Report) -> Figure:
    distances = report.distances
    steps = len(distances.long_profile) - 1
    missing = [float("nan")] * steps
    longs = [*distances.long_profile[::-1].tolist(), *missing]
    shorts = [*missing, *distances.short_profile.tolist()]
    at = min(MOVE_TOLD, steps)
    told = (
        f"A fall of {at} % reaches {percent(longs[steps - at], 1)} of the notional,"
        f" a rise of {at} % {percent(shorts[steps + at], 1)}."
    )
    drawing = Areas(
        [float(place) for place in range(-steps, steps + 1)],
        (Series("longs, prices fall", longs, "long"), Series("shorts, prices rise", shorts, "short")),
        lambda value: percent(value, 0 if value == 0 or value >= 0.01 else 2),
        lambda place: f"{place:+.0f} %" if place else "0",
    )
    subtitle = f"share of all notional, for a move of each instrument by itself. {told}"
    return Figure("Notional whose liquidation price a move reaches", subtitle, told, drawing)


def exposure_figures(report: Report) -> list[Figure]:
    """Long and short notional of the largest instruments in the main currency."""
    main = report.totals[0].settlement if report.totals else ""
    lines = [line for line in report.instruments if line.instrument and line.settlement == main]
    lines = lines[:INSTRUMENTS_SHOWN]
    if not lines:
        return []
    told = "; ".join(
        f"{line.instrument} long {short(line.long_notional)}, short {short(line.short_notional)}"
        for line in lines
    )
    drawing = Diverging(
        [line.instrument for line in lines],
        Series("short", [line.short_notional for line in lines], "short"),
        Series("long", [line.long_notional for line in lines], "long"),
        short,
    )
    currency = f" in {main}" if main else ""
    subtitle = f"notional{currency}, shorts to the left, longs to the right"
    return [Figure("Largest instruments", subtitle, told, drawing)]
