"""The command ``levcore against``: another system's numbers beside levcore's.

Exit codes: 0 every number agrees or differs for a known reason; 2 at least one differs for none; 1 the
command failed.
"""

import argparse
from dataclasses import asdict
from typing import Any

from levcore.cli.examples import add_command
from levcore.cli.formats import add_format, print_answer
from levcore.cli.inputs import add_inputs, inputs
from levcore.cli.numbers import amount
from levcore.cli.options import OK, check_outputs, inputs_of, shown_name
from levcore.cli.progress import Progress
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.files.tables import read_columns
from levcore.measures import MEASURE_NAMES
from levcore.reports.report import check_report_path, report
from levcore.systems.against import against

__all__ = ["add_against"]

UNEXPLAINED = 2


def add_against(commands: "argparse._SubParsersAction[Any]") -> None:
    """Register the command, with the inputs of ``levcore score``."""
    parser = add_command(
        commands,
        "against",
        "compare another system's numbers with levcore's",
        "Compare the margins, profits and prices that another system gives with levcore's, and "
        "say which mistake explains the differences.",
        "Exit code: 0 every number agrees or differs for a known reason; 2 one differs for no reason "
        "found; 1 the command failed.",
    )
    add_inputs(parser)
    parser.add_argument(
        "theirs",
        metavar="THEIRS",
        help="the other system's columns, a row each of POSITIONS: measures of levcore, such as "
        "liquidation_price, and instrument",
    )
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="THEIRS=MEASURE",
        help="which measure a column of another name is; may be repeated",
    )
    parser.add_argument(
        "--tolerance", type=amount, default=1e-9, help="share up to which numbers are the same"
    )
    parser.add_argument("--report", metavar="FILE.html", help="write the report, one offline file")
    add_format(parser, "a cause of differences")
    parser.set_defaults(run=_against)


def _against(options: argparse.Namespace) -> int:
    check_outputs((*inputs_of(options), options.instruments, options.theirs), [("--report", options.report)])
    if options.report:
        check_report_path(options.report, "--report")
    progress = Progress()
    renamed = dict(_column(text) for text in options.column)
    positions, book, marks, chosen, prices, _ = inputs(options, progress)
    # Their file may repeat the positions: what those hold is no result, and no misspelt one.
    theirs = read_columns(
        options.theirs,
        ("instrument",),
        (*MEASURE_NAMES, *renamed),
        tuple(renamed),
        ignored=[name for name in positions.columns.names.values() if name not in ("instrument", *renamed)],
    )
    progress.step("evaluating")(len(book))
    risk = Engine(chosen).evaluate(book, marks, asset_prices=prices, measures=MEASURE_NAMES)
    frame: dict[str, Any] = {**dict.fromkeys(theirs.passed_through, ()), **theirs.numbers, **theirs.texts}
    found = against(risk, frame, columns=renamed, tolerance=options.tolerance, asset_prices=prices)
    progress.clear()
    title = f"{shown_name(options.theirs)} against levcore"
    if options.report:
        report(found, options.report, title=title)
    print_answer(
        options.format,
        lambda: report(found, title=title),
        found.to_dict,
        lambda: (asdict(group) for group in found.groups),
    )
    return UNEXPLAINED if found.unexplained else OK


def _column(text: str) -> tuple[str, str]:
    name, equals, measure = (part.strip() for part in text.partition("="))
    if not equals or not name or not measure:
        raise InputError("--column", "must say which measure a column is", "THEIRS=MEASURE", repr(text))
    return name, measure
