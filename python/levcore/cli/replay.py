"""``levcore replay`` and ``levcore ladder``: a book over prices that were, and over prices that might be."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from levcore.cli.examples import add_command
from levcore.cli.exit_codes import INTERRUPTED
from levcore.cli.formats import add_format, print_answer
from levcore.cli.inputs import add_inputs, inputs
from levcore.cli.numbers import amount, whole
from levcore.cli.options import OK, check_outputs, inputs_of, shown_name
from levcore.cli.progress import Progress
from levcore.closing.ladder import ladder
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.files.prices import read_funding, read_prices
from levcore.files.results import json_value
from levcore.files.writing import write_text
from levcore.replays.replay import replay
from levcore.replays.result import Replay
from levcore.reports.html import page_html
from levcore.reports.ladder import ladder_page
from levcore.reports.report import check_report_path, report
from levcore.reports.text import page_text
from levcore.rules.policy import MarginPolicy

__all__ = ["add_ladder", "add_replay"]

RUNGS = 21
MOST_RUNGS = 100_000


def add_replay(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    parser = add_command(
        commands,
        "replay",
        "let prices of a file pass over positions: who is liquidated, who pays",
        "Let prices pass over positions: who is liquidated when, what it costs, and who pays.",
        "Exit code: 0 replayed, 1 an error, 130 interrupted: what there was until then is shown",
    )
    add_inputs(parser)
    parser.add_argument(
        "prices", metavar="PRICES", help="time, instrument, and open, high, low, close or price"
    )
    parser.add_argument(
        "--fund", type=amount, default=0.0, metavar="AMOUNT", help="balance of the insurance fund"
    )
    parser.add_argument("--funding", metavar="FILE", help="time, instrument, rate: what longs pay shorts")
    parser.add_argument(
        "--slippage", type=amount, default=0.0, metavar="BPS", help="how much worse fills are"
    )
    parser.add_argument(
        "--path",
        choices=("both", "low_first", "high_first", "close"),
        default="both",
        help="which way prices went within a bar; both: one after the other, and their difference",
    )
    parser.add_argument(
        "--hold-gaps", action="store_true", help="hold a price where bars are missing: a halt"
    )
    parser.add_argument(
        "--delisted",
        action="append",
        default=[],
        metavar="INSTRUMENT=TIME",
        help="when an instrument ends: its positions are settled at its price; may be repeated",
    )
    parser.add_argument("--report", metavar="FILE.html", help="write the report, one offline file")
    add_format(parser, "an event")
    parser.set_defaults(run=_replay, brings_prices=True)


def _replay(options: argparse.Namespace) -> int:
    check_outputs((*inputs_of(options), options.prices, options.funding), [("--report", options.report)])
    if options.report:
        check_report_path(options.report, "--report")
    if options.marks:
        raise InputError(
            "--marks", "is no input of a replay", "PRICES alone, the first of which open", options.marks
        )
    progress = Progress()
    prices = read_prices(options.prices)
    funding = read_funding(options.funding) if options.funding else None
    _, book, _, policy, _, _ = inputs(options, progress)
    policy = _only(policy)
    step = progress.step("replaying")
    found = replay(
        Engine(policy),
        book,
        prices,
        fund=options.fund,
        funding=funding,
        delisted=dict(_pair(each) for each in options.delisted) or None,
        path=options.path,
        gaps="hold" if options.hold_gaps else "refuse",
        slippage=options.slippage,
        progress=lambda done, _: step(done),
    )
    progress.clear()
    title = f"Replay: {shown_name(options.positions)} over {shown_name(options.prices)}"
    runs = [found] if found.other is None else [found, found.other]
    print_answer(
        options.format,
        lambda: report(found, title=title),
        found.to_dict,
        lambda: (event for each in runs for event in _events(each)),
    )
    if options.report:
        report(found, options.report, title=title)
    return OK if all(each.is_complete for each in runs) else INTERRUPTED


def _events(found: Replay) -> Iterator[dict[str, Any]]:
    """Event by event: along which path, whose position, and amounts in quanta of settlement currency."""
    for event in _by_row(found.events.to_dict()):
        row = int(event["row"])
        where = {"path": found.path, "instrument": found.book.name_of(row)}
        yield where | {"account": found.book.account_of(row)} | event | {"per_unit": found.per_unit}


def _by_row(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    plain = [json_value(np.asarray(column)) for column in columns.values()]
    return (dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True))


def _only(policy: Any) -> MarginPolicy:
    """The one policy of the inputs."""
    found = list(policy.values()) if isinstance(policy, dict) else [policy]
    if len(found) != 1:
        raise InputError("--policy", "is needed", "one policy for all positions", f"{len(found)} by a column")
    chosen: MarginPolicy = found[0]
    return chosen


def _pair(text: str) -> tuple[str, Any]:
    name, _, when = text.partition("=")
    if not name or not when:
        raise InputError(
            "--delisted", "must name an instrument and a time", "LUNAUSDT=2022-05-13", repr(text)
        )
    return name, float(when) if when.replace(".", "", 1).isdigit() and "-" not in when else when


def add_ladder(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    parser = add_command(
        commands,
        "ladder",
        "how much of a market is liquidated at which price",
        "Positions, notional, loss and shortfall liquidated by the time a price is there.",
    )
    add_inputs(parser)
    parser.add_argument("--instrument", metavar="NAME", help="whose price moves; the only one by default")
    parser.add_argument("--lowest", type=amount, metavar="PRICE", help="half the mark by default")
    parser.add_argument("--highest", type=amount, metavar="PRICE", help="twice the mark by default")
    parser.add_argument("--rungs", type=whole, default=RUNGS, metavar="N", help=f"prices, {RUNGS} by default")
    parser.add_argument("--report", metavar="FILE.html", help="write the ladder, one offline file")
    add_format(parser, "a price")
    parser.set_defaults(run=_ladder)


def _ladder(options: argparse.Namespace) -> int:
    check_outputs(inputs_of(options), [("--report", options.report)])
    if options.report:
        check_report_path(options.report, "--report")
    if not 2 <= options.rungs <= MOST_RUNGS:
        raise InputError("--rungs", "must be prices", f"2 to {MOST_RUNGS:,}", str(options.rungs))
    progress = Progress()
    _, book, marks, policy, _, _ = inputs(options, progress)
    policy = _only(policy)
    names = book.instrument_names
    if options.instrument is None and len(names) != 1:
        raise InputError("--instrument", "is needed", ", ".join(names[:5]), f"{len(names)} instruments")
    built = ladder(Engine(policy), book, options.instrument or names[0], marks=marks)
    lowest = built.mark / 2 if options.lowest is None else options.lowest
    highest = built.mark * 2 if options.highest is None else options.highest
    if not 0 < lowest < highest:
        raise InputError(
            "--lowest", "must lie below --highest", "positive prices", f"{lowest!r}, {highest!r}"
        )
    prices = np.linspace(lowest, highest, options.rungs)
    progress.clear()
    head = {name: getattr(built, name) for name in ("instrument", "mark", "left_out")}
    print_answer(
        options.format,
        lambda: page_text(ladder_page(built, prices)),
        lambda: head | {"rungs": built.at(prices).to_dict()},
        lambda: _by_row(built.at(prices).to_dict()),
    )
    if options.report:
        write_text(options.report, page_html(ladder_page(built, prices)))
    return OK
