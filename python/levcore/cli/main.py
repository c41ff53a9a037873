"""The command line: ``levcore score``, ``explain``, ``against``, ``compare``, ``plan`` and others.

Exit codes are those of `levcore.cli.exit_codes`.
"""

import argparse
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from levcore._levcore import __version__
from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.cli.against import add_against
from levcore.cli.compare import add_compare
from levcore.cli.exit_codes import INTERRUPTED, TERMINATED
from levcore.cli.fees import add_fees, with_fees
from levcore.cli.notes import note_missing
from levcore.cli.options import (
    EXIT_CODES,
    FAILED,
    FOUND,
    OK,
    add_book,
    add_traceback,
    asset_prices,
    check_outputs,
    exit_code,
    inputs_of,
    make_book,
    not_inputs,
    read_inputs,
    rules_of,
    with_assets,
)
from levcore.cli.plan import add_plan
from levcore.cli.progress import Progress
from levcore.cli.reconcile import add_reconcile
from levcore.cli.replay import add_ladder, add_replay
from levcore.cli.reply import positions_of, read_reply_of
from levcore.cli.terminal import note, say, write_rows
from levcore.cli.tiers import add_tiers
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.errors import InputError, LevcoreError, UnknownRuleError
from levcore.files.instruments import read_instruments
from levcore.files.positions import Positions
from levcore.files.results import check_output, write_csv, write_json, write_results
from levcore.measures import MEASURE_NAMES
from levcore.reconciliation.book import ReadReply
from levcore.reports.installation import check_installation, installation_text
from levcore.reports.policy import listing_text, policy_text
from levcore.reports.report import check_report_path, report
from levcore.reports.risk.gather import gather
from levcore.reports.risk.page import headline
from levcore.rules.instruments import InstrumentTable
from levcore.rules.policy import MarginPolicy, policies, policy

__all__ = ["main"]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors exit with 1, since 2 says something else here."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit."""
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments without the program's name, those of the process where they are not given.

    Returns
    -------
    int
        The exit code.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no "∞" gets a "?" rather than a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        with _cleaning_up_when_terminated():
            code: int = options.run(options)
        sys.stdout.flush()
    except (LevcoreError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # The reader has seen enough; nothing more must be written, not even while Python shuts down.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        if options.traceback or os.environ.get("LEVCORE_TRACEBACK"):
            raise
        note(f"error: {_message(error)}")
        return FAILED
    except KeyboardInterrupt:
        print("\nlevcore: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


@contextmanager
def _cleaning_up_when_terminated() -> Iterator[None]:
    """Let SIGTERM end the command as an exception does, so that no unfinished file stays behind."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if not isinstance(error, UnknownRuleError):
        return str(error)
    fees = "--fees regular, or " if "with_fees" in error.expected else ""
    return f"{error} (on the command line: {fees}--set RULE=VALUE)"


def _parser() -> Parser:
    parser = Parser(prog="levcore", description="Margin and liquidation risk of leveraged positions.")
    parser.add_argument("--version", action="version", version=f"levcore {__version__}")
    # Any: the commands' modules know the parser's base class alone, and the type is invariant.
    commands: argparse._SubParsersAction[Any] = parser.add_subparsers(
        required=True, metavar="COMMAND", parser_class=Parser
    )

    score = commands.add_parser(
        "score", help="evaluate positions", description="Evaluate positions.", epilog=EXIT_CODES
    )
    _add_inputs(score)
    score.add_argument(
        "--out", metavar="FILE", help="write input and results: .csv, .json, .parquet or .arrow"
    )
    score.add_argument("--report", metavar="FILE.html", help="write the report, one offline file")
    score.add_argument(
        "--format",
        choices=("table", "json", "csv"),
        default="table",
        help="what goes to standard output: the report as text (default), or all rows",
    )
    score.set_defaults(run=_score)

    explain = commands.add_parser(
        "explain", help="show every step of one row", description="Show every step of one row's evaluation."
    )
    _add_inputs(explain)
    explain.add_argument("--row", type=int, required=True, metavar="N", help="row of POSITIONS, from 0")
    explain.set_defaults(run=_explain)

    add_against(commands, _add_inputs, _inputs)
    add_compare(commands)
    add_plan(commands)
    add_reconcile(commands)
    add_replay(commands, _add_inputs, _inputs_or_reply)
    add_ladder(commands, _add_inputs, _inputs_or_reply)
    add_tiers(commands)
    listing = commands.add_parser(
        "policies", help="list the bundled policies", description="List the bundled policies, or show one."
    )
    listing.add_argument("name", nargs="?", metavar="NAME", help="policy to show, such as binance-usdm")
    add_traceback(listing)
    listing.set_defaults(run=_policies)
    doctor = commands.add_parser(
        "doctor",
        help="say what this installation is made of, and check it",
        description="Print versions, processor and tables of this installation; read every bundled file, and "
        "hold the kernel against the reference.",
    )
    add_traceback(doctor)
    doctor.set_defaults(run=_doctor)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    add_book(parser)
    parser.add_argument(
        "--instruments",
        metavar="FILE",
        help="instruments and their tiers, added to the policy's, one row a tier",
    )
    parser.add_argument(
        "--policy",
        metavar="NAME",
        help="such as binance-usdm@2024-10-24; else a column policy of POSITIONS says",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="[POLICY.]RULE=VALUE",
        help="state a rule of POLICY, or of every one, such as closing_fee_rate=0.0005; may be repeated",
    )
    add_fees(parser)
    add_traceback(parser)


def _score(options: argparse.Namespace) -> int:
    _check_outputs(options)
    progress = Progress()
    reply = read_reply_of(options, options.set) if options.source else None
    positions, book, marks, chosen = (
        _inputs(options, progress) if reply is None else _of_reply(options, reply)
    )
    progress.step("evaluating")(len(book))
    prices = asset_prices(options) if reply is None else reply.asset_prices
    # Every measure, so that the columns of the output do not depend on the data.
    risk = Engine(chosen).evaluate(book, marks, measures=MEASURE_NAMES, asset_prices=prices)
    progress.clear()
    note_missing(risk)
    if options.out:
        write_results(options.out, positions, risk, progress=progress.step(f"writing {options.out}"))
    title = f"Risk report: {Path(options.positions).name}"
    if options.report:
        report(risk, options.report, title=title)
    _print_result(options.format, positions, risk, title, progress)
    progress.clear()
    # What is left out could not be judged.
    return FOUND if reply is not None and (reply.left_out or not len(risk.accounts)) else exit_code(risk)


def _inputs_or_reply(
    options: argparse.Namespace, progress: Progress
) -> tuple[Positions, PositionBook, Marks, MarginPolicy | dict[str, MarginPolicy]]:
    if options.source:
        return _of_reply(options, read_reply_of(options, options.set))
    return _inputs(options, progress)


def _of_reply(
    options: argparse.Namespace, reply: ReadReply
) -> tuple[Positions, PositionBook, Marks, dict[str, MarginPolicy]]:
    return positions_of(reply, options.positions), reply.book, reply.marks, reply.policies


def _explain(options: argparse.Namespace) -> int:
    progress = Progress()
    reply = read_reply_of(options, options.set) if options.source else None
    positions, book, marks, chosen = (
        _inputs(options, progress) if reply is None else _of_reply(options, reply)
    )
    if not 0 <= options.row < len(positions):
        expected = f"0 to {len(positions) - 1}" if len(positions) else "a file with rows"
        raise InputError("--row", "must be a row of the file", expected, str(options.row))
    engine, prices = Engine(chosen), asset_prices(options) if reply is None else reply.asset_prices
    from levcore.explanation.explain import explain

    explanation = explain(engine, book, marks, options.row, asset_prices=prices)
    progress.clear()
    say(f"{options.positions}, {positions.columns.row_word(options.row)}")
    say(str(explanation))
    return OK


def _policies(options: argparse.Namespace) -> int:
    # Longer lines than this are hard to read, whatever the terminal holds.
    width = min(120, shutil.get_terminal_size().columns)
    text = policy_text(policy(options.name), width) if options.name else listing_text(policies(), width)
    say(text)
    return OK


def _doctor(options: argparse.Namespace) -> int:
    say(installation_text())
    say("")
    for line in check_installation():
        say(line)
    return OK


def _inputs(
    options: argparse.Namespace, progress: Progress
) -> tuple[Positions, PositionBook, Marks, MarginPolicy | dict[str, MarginPolicy]]:
    # The policy first: an error in it should not wait for a large file.
    chosen = _policy(options, options.policy) if options.policy else None
    positions, marks = read_inputs(options, progress)
    progress.step("grouping")(len(positions))
    book = make_book(positions, options, _sizes(options, positions, chosen))
    named = book.policy_names
    if chosen is None and not named:
        raise InputError("--policy", "is needed", "a policy, or a column policy in POSITIONS", "neither")
    if chosen is not None and named:
        raise InputError("--policy", "must not be given beside a column policy", "one of both", chosen.id)
    if positions.policy_names and isinstance(marks, Mapping):
        # Accounts of balances alone may name further policies, which need no marks.
        marks = {name: marks.get(name, {}) for name in named}
    return positions, book, marks, chosen or {name: _policy(options, name, named) for name in named}


def _sizes(
    options: argparse.Namespace, positions: Positions, chosen: MarginPolicy | None
) -> InstrumentTable | dict[str, InstrumentTable] | None:
    """Instruments whose contract sizes a column contract_size is measured against."""
    if "contract_size" not in positions.columns.numbers:
        return None
    if chosen is not None:
        return chosen.instruments
    names = positions.policy_names
    return {name: _policy(options, name, names).instruments for name in names}


def _policy(options: argparse.Namespace, name: str, names: Sequence[str] = ()) -> MarginPolicy:
    chosen = policy(name)
    chosen = chosen.replace(**rules_of(options.set, name, names))
    chosen = with_fees(chosen, options)
    if options.instruments:
        chosen = chosen.with_instruments(
            read_instruments(options.instruments, ignore_columns=not_inputs(options))
        )
    return with_assets(chosen, options)


def _check_outputs(options: argparse.Namespace) -> None:
    """Refuse an output that cannot be written, or that would take the place of an input."""
    if options.out:
        check_output(options.out)
    inputs = (*inputs_of(options), options.instruments)
    check_outputs(inputs, (("--out", options.out), ("--report", options.report)))
    if options.report:
        check_report_path(options.report, "--report")


def _print_result(form: str, positions: Positions, risk: BookRisk, title: str, progress: Progress) -> None:
    progress.step("writing to standard output")(len(risk))
    progress.clear()
    if form == "table":
        say(report(risk, title=title).removesuffix("\n"))
        return
    write_rows(
        lambda file: write_csv(file, positions, risk) if form == "csv" else write_json(file, positions, risk)
    )
    note(headline(gather(risk, top=1)))
