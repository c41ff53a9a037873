"""What the commands have in common: exit codes, inputs and options."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from levcore.book.frames import Sizes
from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.cli.exit_codes import EXIT_CODES, FAILED, FOUND, NOTHING_COMPARED, OK
from levcore.cli.progress import Progress
from levcore.cli.terminal import note
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.files.balances import read_asset_prices, read_assets, read_balances
from levcore.files.positions import Positions, merge_marks, read_accounts, read_marks, read_positions
from levcore.files.tables import STANDARD
from levcore.rules.policy import MarginPolicy
from levcore.status import State
from levcore.venues.positions.reply import SOURCES

__all__ = [
    "EXIT_CODES",
    "FAILED",
    "FOUND",
    "NOTHING_COMPARED",
    "OK",
    "add_book",
    "add_traceback",
    "asset_prices",
    "check_outputs",
    "exit_code",
    "inputs_of",
    "make_book",
    "not_inputs",
    "read_inputs",
    "shown_name",
    "wallets",
    "with_assets",
]


def add_book(parser: argparse.ArgumentParser, *, positions: bool = True) -> None:
    """Add the arguments that name the files of a book and its marks."""
    if positions:
        what = "CSV, Parquet or Arrow file, one position a row; - reads CSV from standard input"
        parser.add_argument("positions", metavar="POSITIONS", help=what)
        parser.add_argument(
            "--from",
            dest="source",
            choices=SOURCES,
            help="POSITIONS is a reply of this venue, as JSON: its positions, marks and wallets are read",
        )
    parser.add_argument(
        "--accounts",
        metavar="FILE",
        help="account, wallet_balance, and optionally wallet_currency: a line a wallet",
    )
    parser.add_argument("--marks", metavar="FILE", help="instrument, mark_price")
    parser.add_argument(
        "--position-mode",
        choices=("one-way", "hedge"),
        default="one-way",
        help="hedge: an account may hold a long and a short position in one instrument",
    )
    parser.add_argument(
        "--balances",
        metavar="FILE",
        help="account, asset, balance, and optionally liability, interest, policy; instead of wallets",
    )
    parser.add_argument("--asset-prices", metavar="FILE", help="asset, price in the accounts' currency")
    parser.add_argument(
        "--assets", metavar="FILE", help="asset, weight, ...: rules of assets, added to the policy's"
    )

    for flag, what in (("--ignore-columns", "leave out"), ("--pass-columns", "pass through to the output")):
        parser.add_argument(
            flag,
            metavar="NAME,NAME",
            type=_names,
            default=[],
            help=f"columns that are no inputs, whatever their names say: {what}",
        )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def add_traceback(parser: argparse.ArgumentParser) -> None:
    """Add the option that shows where an error was raised."""
    parser.add_argument("--traceback", action="store_true", help="show where an error was raised")


def read_inputs(options: argparse.Namespace, progress: Progress) -> tuple[Positions, Marks]:
    """Positions and marks of the files that `add_book` names."""
    # The small input first: an error in it should not wait for a large file.
    marks = read_marks(options.marks, ignore_columns=not_inputs(options)) if options.marks else {}
    positions = read_positions(
        options.positions,
        marks_elsewhere=bool(options.marks) or getattr(options, "brings_prices", False),
        ignore_columns=options.ignore_columns,
        pass_columns=options.pass_columns,
        progress=progress.step(f"reading {options.positions}"),
    )
    if positions.columns.has_earlier:
        note(f"note: {shown_name(options.positions)} holds results of an earlier evaluation, left out")
    return positions, merge_marks(positions, marks)


def not_inputs(options: argparse.Namespace) -> list[str]:
    """Columns that are no inputs in any file."""
    return [*options.ignore_columns, *options.pass_columns]


def make_book(
    positions: Positions, options: argparse.Namespace, instruments: Sizes | None = None
) -> PositionBook:
    """Book of the positions with the wallets, balances and position mode that the options name."""
    ignored = not_inputs(options)
    return positions.book(
        wallets(options),
        balances=read_balances(options.balances, ignore_columns=ignored) if options.balances else None,
        position_mode="hedge" if options.position_mode == "hedge" else "one_way",
        instruments=instruments,
    )


def wallets(options: argparse.Namespace) -> dict[str, Any] | None:
    """Wallet balances of the file of accounts, if one was given."""
    return read_accounts(options.accounts, ignore_columns=not_inputs(options)) if options.accounts else None


def asset_prices(options: argparse.Namespace) -> dict[str, float] | None:
    """Prices of the file of asset prices, if one was given."""
    if options.asset_prices and not options.balances:
        raise InputError("--asset-prices", "belong to --balances", "both", "no --balances")
    if options.balances and not options.asset_prices:
        raise InputError("--asset-prices", "are needed with --balances", "FILE", "none")
    if not options.asset_prices:
        return None
    return read_asset_prices(options.asset_prices, ignore_columns=not_inputs(options))


def with_assets(policy: MarginPolicy, options: argparse.Namespace) -> MarginPolicy:
    """Policy with the assets of the file that the options name."""
    if not options.assets:
        return policy
    return policy.with_assets(read_assets(options.assets, ignore_columns=not_inputs(options)))


def inputs_of(options: argparse.Namespace) -> tuple[str | None, ...]:
    """Files that `add_book` names."""
    return (
        options.positions,
        options.accounts,
        options.marks,
        options.balances,
        options.asset_prices,
        options.assets,
    )


def shown_name(path: str) -> str:
    """Name of an input in a sentence or a title."""
    return "standard input" if path == STANDARD else Path(path).name


def check_outputs(inputs: Iterable[str | None], outputs: Iterable[tuple[str, str | None]]) -> None:
    """Refuse an output, as flag and path, that would take the place of an input or of another one.

    Standard input can be one input only.
    """
    paths = [path for path in inputs if path]
    if paths.count(STANDARD) > 1:
        found = f"{paths.count(STANDARD)} of them"
        raise InputError(STANDARD, "standard input can be one file only", "one '-'", found)
    taken = {Path(path).resolve() for path in paths if path != STANDARD}
    for flag, path in outputs:
        if path and path != STANDARD:
            if Path(path).resolve() in taken:
                raise InputError(flag, "must not be a file that the command uses already", found=str(path))
            taken.add(Path(path).resolve())


def exit_code(risk: BookRisk) -> int:
    """Exit code of an evaluation."""
    if not len(risk) and not len(risk.accounts):
        return NOTHING_COMPARED
    unknown = (risk.state == State.INCOMPLETE).any() or (risk.accounts.state == State.INCOMPLETE).any()
    return FOUND if unknown or risk.worst_state() >= State.MARGIN_CALL else OK
