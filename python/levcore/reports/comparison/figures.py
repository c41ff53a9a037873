"""Figures of a comparison: where each policy liquidates a position, and how much margin each asks for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from levcore.comparison.totals import OF_ACCOUNTS
from levcore.reports.charts.colours import policy_sign
from levcore.reports.charts.model import Bars, Dots, Figure, Group, Lane, Mark
from levcore.reports.charts.ticks import nice_ticks
from levcore.reports.comparison.lists import REACHABLE, PositionFacts, first_text, position_facts, spread_text
from levcore.reports.numbers import amount, price, short
from levcore.status import FIRST_PARTIAL, Status

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["comparison_figures", "liquidation_figures", "margin_figures"]


def comparison_figures(comparison: "Comparison", rows: Sequence[int]) -> list[Figure]:
    """Every figure of the report, in reading order; `rows` are the positions of the dot plot."""
    return [*liquidation_figures(comparison, rows), *margin_figures(comparison)]


def liquidation_figures(comparison: "Comparison", rows: Sequence[int]) -> list[Figure]:
    """Dot plot of the liquidation of each position under each policy; none where no policy answers."""
    if not comparison.answers or not rows:
        return []
    facts = [position_facts(comparison, row) for row in _without_pairs(comparison, rows)]
    groups = [_group(comparison, one) for one in facts]
    told = "; ".join(
        f"{one.instrument} {one.side}: "
        + ", ".join(f"{lane.name} {_lane_text(lane)}" for lane in group.lanes)
        for one, group in zip(facts, groups, strict=True)
    )
    subtitle = (
        "move of the mark that brings each position to its liquidation price, under each policy; the largest"
        " positions. To the left a fall that liquidates, to the right a rise. An arrow: beyond the axis."
    )
    if comparison.has_pooled_accounts:
        subtitle += (
            " What an account holds on one underlying moves together, so that it may have a price on either"
            " side; legs of one instrument share theirs."
        )
    words = ("mark", "liquidated by a fall", "liquidated by a rise", "spread, first")
    return [Figure("Where each policy liquidates", subtitle, told, Dots(groups, _limit(groups), *words))]


def _without_pairs(comparison: "Comparison", rows: Sequence[int]) -> list[int]:
    """Rows without those whose account has another leg of the instrument before them."""
    seen: dict[int, int] = {}
    for row in rows:
        seen.setdefault(_legs(comparison, row)[0], row)
    return list(seen.values())


def _legs(comparison: "Comparison", row: int) -> list[int]:
    """Rows that share their liquidation prices with a row: the legs of one instrument in its account."""
    book = comparison.book
    if book.position_mode != "hedge" or not book.is_cross[row] or book.account_codes is None:
        return [row]
    of_account = book.is_cross & (book.account_codes == book.account_codes[row])
    of_instrument = book.instrument_codes == book.instrument_codes[row]
    legs: list[int] = np.flatnonzero(of_account & of_instrument).tolist()
    return legs


def _group(comparison: "Comparison", facts: PositionFacts) -> Group:
    """One position: what it is, how far the policies are apart, who is first, and a lane for each."""
    legs = _legs(comparison, facts.row)
    side = "long and short" if len(legs) > 1 else facts.side
    words = [facts.instrument, f"{side}, {facts.mode}", short(float(comparison.notional[legs].sum()))]
    if facts.account and len(comparison.book.account_ids) > 1:
        words.insert(2, facts.account)
    spread = float(comparison.spread[facts.row])
    apart = "" if spread != spread else spread_text(spread) if spread else "no difference"
    places = {label: place for place, label in enumerate(comparison.policies)}
    lanes = [_lane(comparison, facts, label, places[label]) for label in comparison.answers]
    return Group(words, (apart, first_text(comparison, facts.row)), lanes)


def _lane(comparison: "Comparison", facts: PositionFacts, label: str, place: int) -> Lane:
    risk, name = comparison.answers[label], comparison.short_names[label]
    is_evaluated = bool(risk.status[facts.row] < FIRST_PARTIAL)
    is_refused = risk.status[facts.row] == Status.REFUSED
    ends = ((risk.liquidation_price_lower, True), (risk.liquidation_price_upper, False))
    marks = [
        _mark(facts, name, float(prices[facts.row]), is_below=is_below)
        for prices, is_below in ends
        if not np.isnan(prices[facts.row])
    ]
    return Lane(
        name,
        policy_sign(place),
        marks,
        remark="no liquidation price" if is_evaluated else "refused" if is_refused else "not evaluated",
        side=-1 if facts.is_long else 1,
        at_edge=is_evaluated,
    )


def _mark(facts: PositionFacts, name: str, level: float, *, is_below: bool) -> Mark:
    """Price that liquidates: at or below it, or at or above it."""
    move = level / facts.mark_price - 1
    text = f"{100 * move:+,.{2 if abs(move) < 10 else 0}f} %".replace("-", "−")
    if (move > 0) == is_below and move != 0:
        text += ", past"
    return Mark(move, text, f"{facts.instrument}, {name}: liquidated at {price(level)}, {text}", is_below)


def _lane_text(lane: Lane) -> str:
    return " and ".join(mark.text for mark in lane.marks) or lane.remark


def _limit(groups: Sequence[Group]) -> float:
    """End of the axis: the farthest liquidation within `REACHABLE`, and room for the text beside its mark."""
    moves = [abs(mark.place) for group in groups for lane in group.lanes for mark in lane.marks]
    near = max((move for move in moves if move <= REACHABLE), default=None)
    return 1.0 if near is None else min(nice_ticks(0.0, 115.0 * near)[-1] / 100, 1.0)


def margin_figures(comparison: "Comparison") -> list[Figure]:
    """Total maintenance margin of each policy as bars, one figure a settlement currency."""
    totals = comparison.totals()
    currencies = dict.fromkeys(currency for of_policy in totals.values() for currency in of_policy)
    by_currency = {
        currency: {
            label: of_policy[currency]["maintenance_margin"]
            for label, of_policy in totals.items()
            if "maintenance_margin" in of_policy.get(currency, {})
        }
        for currency in currencies
    }
    return [_margins(comparison, currency, values) for currency, values in by_currency.items() if values]


def _margins(comparison: "Comparison", currency: str, values: dict[str, float]) -> Figure:
    places = {label: place for place, label in enumerate(comparison.policies)}
    names = [comparison.short_names[label] for label in values]
    signs = [policy_sign(places[label]) for label in values]
    told = "; ".join(f"{name} {amount(value)}" for name, value in zip(names, values.values(), strict=True))
    subtitle = "total over the positions that every policy evaluates"
    if currency == OF_ACCOUNTS:
        subtitle = "total over those that every policy could judge, in the currency of the asset prices"
    title = f"Maintenance margin{f', {currency}' if currency else ''}"
    return Figure(title, subtitle, told, Bars(names, signs, list(values.values()), amount), is_wide=False)
