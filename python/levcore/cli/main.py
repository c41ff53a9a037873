"""The command line: ``levcore score``, ``explain``, ``against``, ``compare``, ``plan`` and others.

Exit codes are those of `levcore.cli.exit_codes`.
"""

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from levcore._levcore import __version__
from levcore.cli.against import add_against
from levcore.cli.bench import add_bench
from levcore.cli.compare import add_compare
from levcore.cli.config import with_config
from levcore.cli.examples import add_command, words_of_file
from levcore.cli.exit_codes import INTERRUPTED, TERMINATED
from levcore.cli.formats import add_format, print_answer
from levcore.cli.inputs import add_inputs, inputs
from levcore.cli.notes import note_missing
from levcore.cli.numbers import whole
from levcore.cli.options import (
    EXIT_CODES,
    FAILED,
    FOUND,
    OK,
    check_outputs,
    exit_code,
    inputs_of,
    shown_name,
)
from levcore.cli.plan import add_plan
from levcore.cli.policies import add_doctor, add_policies
from levcore.cli.progress import Progress
from levcore.cli.reconcile import add_reconcile
from levcore.cli.replay import add_ladder, add_replay
from levcore.cli.stream import add_stream, score_stream
from levcore.cli.terminal import fail, note, open_streams, say, write_rows
from levcore.cli.tiers import add_tiers
from levcore.cli.told import in_words_of
from levcore.engine.engine import Engine
from levcore.engine.leg_costs import LegCosts, leg_costs
from levcore.engine.risk import BookRisk
from levcore.errors import InputError, LevcoreError
from levcore.files.positions import Positions
from levcore.files.results import check_output, write_csv, write_json, write_json_lines, write_results
from levcore.files.tables import STANDARD
from levcore.measures import MEASURE_NAMES
from levcore.reports.report import check_report_path, report
from levcore.reports.risk.gather import gather
from levcore.reports.risk.page import headline

__all__ = ["main"]

WRITERS = {"json": write_json, "jsonl": write_json_lines, "csv": write_csv}
"""What writes every row to standard output, by ``--format``."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors exit with 1, since 2 says something else; ``@FILE`` holds options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"fromfile_prefix_chars": "@", **options})

    def convert_arg_line_to_args(self, arg_line: str) -> list[str]:
        """Words of a line of a file of options."""
        return words_of_file(arg_line)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit."""
        self.exit(FAILED, f"{self.prog}: error: {message}\n({self.prog} --help shows options and examples)\n")


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
    try:
        open_streams()
    except OSError as error:
        fail(_message(error, None))
        return FAILED
    parser, commands = _parser()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        # Whoever names no command wants to know which there are.
        parser.print_help(sys.stderr)
        raise SystemExit(FAILED)
    words = parser._read_args_from_files(words)
    early, _ = _early().parse_known_args(words)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no "∞" gets a "?" rather than a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        options = parser.parse_args(with_config(words, early.config, commands))
        with _cleaning_up_when_terminated():
            code: int = options.run(options)
        sys.stdout.flush()
    except (LevcoreError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # The reader has seen enough; nothing more must be written, not even while Python shuts down.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        if early.traceback or os.environ.get("LEVCORE_TRACEBACK"):
            raise
        fail(_message(error, commands.get(words[0])))
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


def _message(error: Exception, command: argparse.ArgumentParser | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'standard output'}: {error.strerror}"
    if isinstance(error, LevcoreError) and command is not None:
        return str(in_words_of(command, error))
    return str(error)


def _early() -> Parser:
    """Parser of what must be known before the options are."""
    parser = Parser(prog="levcore", add_help=False)
    parser.add_argument("--config")
    parser.add_argument("--traceback", action="store_true")
    return parser


def _parser() -> tuple[Parser, Mapping[str, argparse.ArgumentParser]]:
    """Parser of every command, and theirs by name."""
    parser = Parser(
        prog="levcore",
        description="Margin and liquidation risk of leveraged positions.",
        epilog="COMMAND --help shows examples. An argument @FILE stands for the options in that file.",
    )
    parser.add_argument("--version", action="version", version=f"levcore {__version__}")
    # Any: the commands' modules know the parser's base class alone, and the type is invariant.
    commands: argparse._SubParsersAction[Any] = parser.add_subparsers(
        required=True, metavar="COMMAND", parser_class=Parser
    )

    score = add_command(commands, "score", "evaluate positions", "Evaluate positions.", EXIT_CODES)
    add_inputs(score)
    score.add_argument(
        "--out",
        metavar="FILE",
        help="write input and results: .csv, .json, .jsonl (a line a position), .parquet or .arrow;"
        " - writes CSV to standard output",
    )
    score.add_argument("--report", metavar="FILE.html", help="write the report, one offline file")
    score.add_argument(
        "--leg-costs", action="store_true", help="say in the report which leg of an account costs what"
    )
    score.add_argument(
        "--format",
        choices=("table", *WRITERS),
        default="table",
        help="what goes to standard output: the report as text (default), or all rows",
    )
    add_stream(score)
    score.set_defaults(run=_score)

    explain = add_command(
        commands, "explain", "show every step of one row", "Show every step of one row's evaluation."
    )
    add_inputs(explain)
    explain.add_argument("--row", type=whole, required=True, metavar="N", help="row of POSITIONS, from 0")
    add_format(explain, "a step")
    explain.set_defaults(run=_explain)

    add_against(commands)
    add_compare(commands)
    add_plan(commands)
    add_reconcile(commands)
    add_replay(commands)
    add_ladder(commands)
    add_tiers(commands)
    add_policies(commands)
    add_doctor(commands)
    add_bench(commands)
    return parser, commands.choices


def _score(options: argparse.Namespace) -> int:
    if options.stream:
        return score_stream(options)
    _check_outputs(options)
    progress = Progress()
    positions, book, marks, chosen, prices, left_out = inputs(options, progress)
    progress.step("evaluating")(len(book))
    # Every measure, so that the columns of the output do not depend on the data.
    engine = Engine(chosen)
    risk = engine.evaluate(book, marks, measures=MEASURE_NAMES, asset_prices=prices)
    costs = leg_costs(engine, book, marks, asset_prices=prices) if options.leg_costs else None
    progress.clear()
    note_missing(risk)
    if options.out:
        write_results(options.out, positions, risk, progress=progress.step(f"writing {options.out}"))
    title = f"Risk report: {shown_name(options.positions)}"
    if options.report:
        report(risk, options.report, title=title, leg_costs=costs)
    _print_result(options.format, positions, risk, title, progress, costs)
    progress.clear()
    # What is left out could not be judged.
    return FOUND if options.source and (left_out or not len(risk.accounts)) else exit_code(risk)


def _explain(options: argparse.Namespace) -> int:
    progress = Progress()
    positions, book, marks, chosen, prices, _ = inputs(options, progress)
    if not 0 <= options.row < len(positions):
        expected = f"0 to {len(positions) - 1}" if len(positions) else "a file with rows"
        raise InputError("--row", "must be a row of the file", expected, str(options.row))
    from levcore.explanation.explain import explain

    explanation = explain(Engine(chosen), book, marks, options.row, asset_prices=prices)
    progress.clear()
    where = f"{options.positions}, {positions.columns.row_word(options.row)}"
    print_answer(
        options.format,
        lambda: f"{where}\n{explanation}",
        explanation.to_dict,
        lambda: explanation.to_dict()["steps"],
    )
    return OK


def _check_outputs(options: argparse.Namespace) -> None:
    """Refuse an output that cannot be written, or that would take the place of an input."""
    if options.out == STANDARD:
        if options.format not in ("table", "csv"):
            expected = "one of them"
            raise InputError("--out", "standard output is CSV with -", expected, f"--format {options.format}")
        options.out, options.format = None, "csv"
    if options.out:
        check_output(options.out)
    inputs = (*inputs_of(options), options.instruments)
    check_outputs(inputs, (("--out", options.out), ("--report", options.report)))
    if options.report:
        check_report_path(options.report, "--report")


def _print_result(
    form: str, positions: Positions, risk: BookRisk, title: str, progress: Progress, costs: LegCosts | None
) -> None:
    progress.step("writing to standard output")(len(risk))
    progress.clear()
    if form == "table":
        say(report(risk, title=title, leg_costs=costs).removesuffix("\n"))
        return
    write_rows(lambda file: WRITERS[form](file, positions, risk))
    note(headline(gather(risk, top=1)))
