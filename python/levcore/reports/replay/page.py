"""The report on a replay, and on one book under several policies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from levcore.replays.result import Replay
from levcore.reports.numbers import amount, count, percent, short
from levcore.reports.page import Page, Section, Tile
from levcore.reports.replay.figures import policies_figure, replay_figures
from levcore.reports.replay.sums import Loser, losers, paid_by, share_of_few
from levcore.reports.tables import Cell, Table, plain_table
from levcore.status import State

__all__ = ["replay_page"]

TITLE = "Replay"
WORST = 10
MOST_NAMED = 8
FEW = (1, 10, 100)
Facts = Sequence[tuple[str, str, str]]


def replay_page(
    replays: Replay | Mapping[str, Replay],
    title: str = TITLE,
    *,
    facts: Facts = (),
    notes: Sequence[str] = (),
) -> Page:
    """Build the page of a replay, or of several of one book: the first in full, the others beside it.

    Parameters
    ----------
    replays : Replay, or mapping of label to Replay
    title : str
    facts : sequence of (str, str, str)
        What was stated elsewhere, the number here, and the source.
    notes : sequence of str
        What the reader must know about book and prices.
    """
    found = {replays.policy.id: replays} if isinstance(replays, Replay) else dict(replays)
    label, first = next(iter(found.items()))
    totals = first.totals()
    sections = [
        Section("Over time", f"Under {label}." if len(found) > 1 else "", replay_figures(first)),
        _side_by_side(found),
        _payment(first),
        _worst(first),
        _paths(first),
        _facts(facts),
    ]
    return Page(
        title=title,
        verdict=_verdict(label, first, totals),
        worst=State.BANKRUPT
        if totals["unpaid"]
        else State.LIQUIDATION
        if totals["liquidated"]
        else State.HEALTHY,
        facts=[*_told(first), *(("note", note) for note in notes)],
        tiles=[
            Tile("liquidated", count(totals["liquidated"]), percent(totals["share"]) + " of the positions"),
            Tile("missing beyond margins", amount(totals["missing"])),
            Tile("paid by the fund", amount(totals["fund"])),
            Tile("paid by nobody", amount(totals["unpaid"])),
        ],
        sections=[section for section in sections if section is not None and section.parts],
    )


def _verdict(label: str, replay: Replay, totals: dict[str, float]) -> str:
    liquidated = (
        f"{percent(totals['share'])} of {count(totals['positions'])} positions are liquidated under {label}"
    )
    missing = f"{amount(totals['missing'])} is missing beyond their margins"
    paid = f"the fund pays {amount(totals['fund'])} of it, nobody {amount(totals['unpaid'])}"
    stopped = "" if replay.is_complete else f" Stopped after {replay.steps:,} of {replay.of_steps:,} steps."
    return f"{liquidated}; {missing}, {paid}.{stopped}"


def _told(replay: Replay) -> list[tuple[str, str]]:
    times = replay.times
    if times.dtype.kind == "M":
        times = times.astype("datetime64[m]")
    span = f"{times[0]} to {times[-1]}, {times.size:,} times" if times.size else "none"
    path = {"low_first": "the low before the high", "high_first": "the high before the low"}
    return [
        ("policy", replay.policy.id),
        ("positions", f"{len(replay.book):,} in {', '.join(replay.instruments[:MOST_NAMED])}"),
        ("prices", span.replace("T", " ")),
        ("within a bar", path.get(replay.path, "its last price alone")),
        ("money", f"whole multiples of {1 / replay.per_unit:g}; in and out differ by {_difference(replay)}"),
    ]


def _difference(replay: Replay) -> int:
    return sum(replay.ledger().values())


def _side_by_side(replays: Mapping[str, Replay]) -> Section | None:
    if len(replays) < 2:
        return None
    lines = []
    for label, replay in replays.items():
        t = replay.totals()
        reset = t["claim"] + t["written_off"]
        amounts = [
            t[name] for name in ("to_trigger", "past_trigger", "missing", "fund", "deleveraging", "owed")
        ]
        lines.append((label, count(t["liquidated"]), percent(t["share"]), *map(short, (*amounts, reset))))
    parts = ("To the trigger", "Past it", "Missing", "Fund", "Winners", "Owed", "Reset")
    heads = ("Policy", "Liquidated", "Share", *parts)
    note = "Amounts in settlement currency. What is reset the venue writes off, or reserves a claim for."
    return Section(
        "Policies side by side",
        f"The same book over the same prices. {note}",
        [policies_figure(replays), plain_table(heads, lines)],
    )


def _payment(replay: Replay) -> Section | None:
    totals = replay.totals()
    left = totals["missing"]
    lines: list[Sequence[str | Cell]] = [("missing beyond margins", amount(left), amount(left))]
    for word, paid in paid_by(replay):
        left -= paid
        lines.append((word, amount(paid), amount(left if abs(left) > 0.5 / replay.per_unit else 0.0)))
    if len(lines) == 1:
        return None
    note = "Who paid, in the order in which they are asked, and what was left to pay after them."
    return Section("Who paid", note, [plain_table(("", "Amount", "Still missing"), lines, shape="narrow")])


def _worst(replay: Replay) -> Section | None:
    found = losers(replay)
    if not found:
        return None
    lines = [
        (
            each.label,
            count(each.positions),
            amount(each.loss),
            amount(each.fees),
            amount(each.missing),
            amount(each.unpaid),
        )
        for each in found[:WORST]
    ]
    heads = ("Account", "Positions", "Loss", "Fees", "Missing", "Unpaid")
    parts: list[Table[Any]] = [plain_table(heads, lines, title="Ten worst by what was missing, then by loss")]
    parts.append(_concentration(found))
    return Section("Accounts", "", parts)


def _concentration(found: list[Loser]) -> Table[Any]:
    losses = np.array([max(each.loss, 0.0) for each in found])
    missing = np.array([each.missing for each in found])
    lines = [
        (
            f"the {few:,} largest" if few > 1 else "the largest",
            percent(share_of_few(losses, few)),
            percent(share_of_few(missing, few)),
        )
        for few in FEW
        if few <= len(found)
    ]
    heads = ("Of how few accounts", "Share of the loss", "Share of what was missing")
    return plain_table(heads, lines, title="How much comes from how few", shape="narrow")


def _paths(replay: Replay) -> Section | None:
    if replay.other is None:
        return None
    words = {"low_first": "low before high", "high_first": "high before low"}
    runs = [(words[each.path], each.totals()) for each in (replay, replay.other)]
    names = (("liquidated", count), ("missing", amount), ("fund", amount), ("unpaid", amount))
    lines = [
        (name, *(form(totals[name]) for _, totals in runs), form(runs[1][1][name] - runs[0][1][name]))
        for name, form in names
    ]
    note = "Nobody knows in which order a bar's prices were traded: both are run."
    heads = ("", *(word for word, _ in runs), "Difference")
    return Section("The order within a bar", note, [plain_table(heads, lines, shape="narrow")])


def _facts(facts: Facts) -> Section | None:
    if not facts:
        return None
    note = (
        "What the press and venues stated of that time, in shares: a generated book says nothing about money."
    )
    table = plain_table(("Stated", "Here", "Source"), list(facts), ("prose", "name", "prose"))
    return Section("Beside what was stated", note, [table])
