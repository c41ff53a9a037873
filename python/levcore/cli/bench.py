"""``levcore bench``: how fast this installation is, beside the reference that ships with it."""

import argparse
from typing import Any

from levcore.cli.examples import add_command
from levcore.cli.formats import add_format, print_answer
from levcore.cli.numbers import whole
from levcore.cli.options import OK, add_traceback
from levcore.cli.progress import Progress
from levcore.errors import InputError
from levcore.reports.installation import installation
from levcore.reports.speed import measured_speed, speed_text

__all__ = ["add_bench"]


def add_bench(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    bench = add_command(
        commands,
        "bench",
        "say how fast this installation is, beside the pure-Python reference",
        "Evaluate generated books with the compiled engine and with the pure-Python reference, which "
        "must agree to the bit, and print positions a second of both.",
    )
    bench.add_argument(
        "--rows", type=whole, default=1_000_000, metavar="N", help="positions of the engine's books (1000000)"
    )
    add_format(bench, "a measurement")
    add_traceback(bench)
    bench.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> int:
    if options.rows < 1:
        raise InputError("--rows", "must be at least 1", ">= 1", str(options.rows))
    progress = Progress()
    progress.step("measuring")(options.rows)
    found = measured_speed(options.rows)
    progress.clear()
    facts = installation()
    machine = {name: facts[name] for name in ("levcore", "numpy", "platform", "instruction sets")}
    rows = [each._asdict() | {"ratio": each.ratio} for each in found]
    print_answer(
        options.format,
        lambda: "\n".join(
            [
                speed_text(found),
                "",
                "Engine and reference agree to the bit on every measure.",
                ", ".join(f"{name} {value}" for name, value in machine.items()),
            ]
        ),
        lambda: {"machine": machine, "measured": rows},
        lambda: rows,
    )
    return OK
