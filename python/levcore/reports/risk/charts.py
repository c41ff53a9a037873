"""Charts of the HTML report."""

from html import escape

from levcore.reports.charts.svg import Series, area_chart, bar_chart, diverging_chart, share_bar
from levcore.reports.numbers import count, percent, short
from levcore.reports.page import state_colour
from levcore.reports.risk.data import DISTANCE_BINS, Report

__all__ = ["distance_charts", "exposure_charts", "figure", "state_bar"]

LONG = "var(--long, #0072b2)"
SHORT = "var(--short, #d98200)"
INSTRUMENTS_SHOWN = 12
AXIS_LABELS = [label.removesuffix(" %") for label in DISTANCE_BINS]


def state_bar(report: Report) -> str:
    """Shares of the states among accounts and isolated positions; empty where there are none."""
    series = [
        Series(line.state.phrase, [line.isolated_positions + line.accounts], state_colour(line.state))
        for line in report.states
    ]
    total = sum(one.values[0] for one in series)
    if not total:
        return ""
    told = ", ".join(f"{count(one.values[0])} {one.name}" for one in series if one.values[0])
    bar = share_bar("States of accounts and isolated positions", told, series, form=count)
    return f"<figure>{bar}</figure>"


def distance_charts(report: Report) -> str:
    """Distribution of the distance to liquidation, and the notional that a move would reach."""
    distances = report.distances
    if not (distances.long_count.any() or distances.short_count.any()):
        return ""
    currency = f" in {distances.settlement}" if distances.settlement else ""
    left_out = (
        f" {count(distances.left_out)} positions that settle in other currencies are not in these charts."
        if distances.left_out
        else ""
    )
    by_count = bar_chart(
        "Positions by distance to liquidation",
        _told(distances.long_count.tolist(), distances.short_count.tolist()),
        AXIS_LABELS,
        _sides(distances.long_count.tolist(), distances.short_count.tolist()),
        form=short,
        whole=True,
        axis="adverse move of the mark, per cent",
    )
    by_notional = bar_chart(
        "Notional by distance to liquidation",
        _told(distances.long_notional.tolist(), distances.short_notional.tolist()),
        AXIS_LABELS,
        _sides(distances.long_notional.tolist(), distances.short_notional.tolist()),
        form=short,
        axis="adverse move of the mark, per cent",
    )
    return (
        "<h2>Distance to liquidation</h2>\n"
        '<p class="note">How far the mark may move against a position before its liquidation price, as a'
        f" fraction of the mark.{left_out}</p>\n"
        f'<div class="pair">{figure("Positions", "number of positions", by_count)}'
        f"{figure('Notional', f'value of the positions{currency}', by_notional)}</div>\n{_profile(report)}"
    )


def _profile(report: Report) -> str:
    distances = report.distances
    steps = len(distances.long_profile) - 1
    places = [float(place) for place in range(-steps, steps + 1)]
    missing = [float("nan")] * steps
    longs = [*distances.long_profile[::-1].tolist(), *missing]
    shorts = [*missing, *distances.short_profile.tolist()]
    at = min(10, steps)
    told = (
        f"A fall of {at} % reaches {percent(longs[steps - at], 1)} of the notional, "
        f"a rise of {at} % {percent(shorts[steps + at], 1)}."
    )
    chart = area_chart(
        "Notional whose liquidation price is reached by a move of its own instrument",
        told,
        places,
        [Series("longs, prices fall", longs, LONG), Series("shorts, prices rise", shorts, SHORT)],
        form=lambda value: percent(value, 0 if value == 0 or value >= 0.01 else 2),
        form_place=lambda value: f"{value:+.0f} %" if value else "0",
        width=1120,
        height=250,
    )
    subtitle = f"share of all notional, for a move of each instrument by itself. {told}"
    return figure("Notional whose liquidation price a move reaches", subtitle, chart, kind="wide")


def exposure_charts(report: Report) -> str:
    """Long and short notional of the largest instruments in the main currency."""
    main = report.totals[0].settlement
    lines = [line for line in report.instruments if line.instrument and line.settlement == main]
    lines = lines[:INSTRUMENTS_SHOWN]
    if not lines:
        return ""
    shorts = [line.short_notional for line in lines]
    longs = [line.long_notional for line in lines]
    told = "; ".join(
        f"{line.instrument} long {short(line.long_notional)}, short {short(line.short_notional)}"
        for line in lines
    )
    chart = diverging_chart(
        "Exposure by instrument",
        told,
        [line.instrument for line in lines],
        Series("short", shorts, SHORT),
        Series("long", longs, LONG),
        form=short,
        width=1120,
    )
    currency = f" in {main}" if main else ""
    subtitle = f"notional{currency}, shorts to the left, longs to the right"
    return figure("Largest instruments", subtitle, chart, kind="wide")


def _sides(longs: list[float], shorts: list[float]) -> tuple[Series, Series]:
    return Series("long", longs, LONG), Series("short", shorts, SHORT)


def _told(longs: list[float], shorts: list[float]) -> str:
    return "; ".join(
        f"{label}: long {short(one)}, short {short(other)}"
        for label, one, other in zip(DISTANCE_BINS, longs, shorts, strict=True)
    )


def figure(title: str, subtitle: str, chart: str, *, kind: str = "") -> str:
    """Chart under its title and a line on what it shows."""
    caption = f"<strong>{escape(title)}</strong>{escape(subtitle)}"
    return f'<figure class="{kind}"><figcaption>{caption}</figcaption>{chart}</figure>'
