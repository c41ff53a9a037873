"""What ``--help`` shows of each command beside its options: examples, each of which the tests run."""

import argparse
import shlex
from typing import Any

__all__ = ["EXAMPLES", "Formatter", "add_command", "words_of_file"]

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "score": (
        ("a report on the terminal", "levcore score positions.csv --policy binance-usdm"),
        ("cross accounts, every number as CSV", "levcore score positions.csv --accounts accounts.csv"
         " --policy hyperliquid --format csv"),
        ("from a pipe into a pipe, a JSON object a line",
         "levcore score - --policy binance-usdm --format jsonl < positions.csv"),
        ("options of a file, such as --policy, --fees and --ignore-columns",
         "levcore score positions.csv @levcore.args"),
        ("the policy, fees and columns of desk.toml in place of levcore.toml",
         "levcore score positions.csv --config desk.toml"),
        ("a file larger than memory, sorted by account",
         "levcore score positions.parquet --policy binance-usdm --stream"),
    ),
    "explain": (
        ("every step of the third position", "levcore explain positions.csv --policy binance-usdm --row 2"),
    ),
    "against": (
        ("a column of another name, differences up to a millionth let pass",
         "levcore against positions.csv theirs.csv --policy binance-usdm"
         " --column their_liq=liquidation_price --tolerance 1e-6"),
    ),
    "compare": (
        ("the same positions at three venues", "levcore compare positions.csv"
         " --policies binance-usdm,bybit-linear,hyperliquid --fees regular --tiers-from binance-usdm"),
        ("from a pipe, everything as JSON",
         "levcore compare - --policies binance-usdm,hyperliquid --format json < positions.csv"),
    ),
    "plan": (
        ("half a bitcoin with ten times leverage",
         "levcore plan BTCUSDT long 0.5 --entry 60000 --leverage 10"),
        ("the size that loses 500 at the stop, and a move to survive",
         "levcore plan BTCUSDT long 0.5 --entry 60000 --leverage 10 --stop 57000 --budget 500 --move -15%"),
    ),
    "reconcile": (
        ("a reply of Bybit", "levcore reconcile reply.json --from bybit --fees regular"),
    ),
    "replay": (
        ("a fund of a million, from low to high within a bar",
         "levcore replay positions.csv prices.csv --policy hyperliquid --accounts accounts.csv"
         " --set close_out_step=whole --set close_out_remainder=fund --set close_out_payers=fund"
         " --fund 1e6 --path low_first"),
    ),
    "ladder": (
        ("ten rungs around the mark", "levcore ladder positions.csv --policy binance-usdm"
         " --instrument BTCUSDT --lowest 40000 --highest 80000 --rungs 10"),
    ),
    "tiers": (
        ("dates and tables of a policy", "levcore tiers binance-usdm"),
        ("the table of one contract", "levcore tiers binance-usdm BTCUSDT"),
        ("what a venue's reply holds, for --instruments",
         "levcore tiers convert brackets.json --from binance"),
    ),
    "policies": (
        ("all of them", "levcore policies"),
        ("every rule of one, and its sources", "levcore policies binance-usdm"),
    ),
    "doctor": (
        ("before a report of a fault", "levcore doctor"),
    ),
    "bench": (
        ("positions a second on this machine", "levcore bench"),
    ),
}  # fmt: skip
"""Examples by command: what each does, and its line."""

HEAD = "examples:"


class Formatter(argparse.HelpFormatter):
    """Wraps paragraphs, and leaves examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        parts = text.split("\n\n")
        return "\n\n".join(part if part.startswith(HEAD) else fill(part, width, indent) for part in parts)


def add_command(
    commands: "argparse._SubParsersAction[Any]", name: str, summary: str, description: str, epilog: str = ""
) -> argparse.ArgumentParser:
    """Add a command with its examples to the parser's commands."""
    lines = [f"  # {what}\n  {_wrapped(line)}" for what, line in EXAMPLES[name]]
    shown = "\n\n".join(part for part in ("\n".join([HEAD, *lines]), epilog) if part)
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=shown,
        formatter_class=Formatter,
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="options that are not typed, as TOML; else levcore.toml of the working directory, if any",
    )
    return parser


def _wrapped(line: str) -> str:
    """Line of a shell, broken before options where it is long."""
    words, rows = line.split(" "), [""]
    for word in words:
        if rows[-1] and len(rows[-1]) + len(word) > 76:
            rows.append("")
        rows[-1] += f"{' ' if rows[-1] else ''}{word}"
    return " \\\n      ".join(rows)


def words_of_file(line: str) -> list[str]:
    """Words of a line of a file of options; ``#`` begins a remark."""
    return shlex.split(line, comments=True)
