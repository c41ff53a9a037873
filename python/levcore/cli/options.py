"""What the commands have in common: exit codes, inputs, options, and rules stated on the command line."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.cli.exit_codes import EXIT_CODES, FAILED, FOUND, OK
from levcore.cli.progress import Progress
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.files.balances import read_asset_prices, read_assets, read_balances
from levcore.files.positions import Positions, merge_marks, read_accounts, read_marks, read_positions
from levcore.rules.policy import MarginPolicy
from levcore.status import State
from levcore.venues.positions.reply import SOURCES

__all__ = [
    "EXIT_CODES",
    "FAILED",
    "FOUND",
    "OK",
    "add_book",
    "add_traceback",
    "asset_prices",
    "check_outputs",
    "exit_code",
    "inputs_of",
    "make_book",
    "read_inputs",
    "rule_value",
    "rules_of",
    "stated_rule",
    "wallets",
    "with_assets",
]


def add_book(parser: argparse.ArgumentParser, *, positions: bool = True) -> None:
    """Add the arguments that name the files of a book and its marks."""
    if positions:
        parser.add_argument("positions", metavar="POSITIONS", help="CSV or Parquet file, one position a row")
        parser.add_argument(
            "--from",
            dest="source",
            choices=SOURCES,
            help="POSITIONS is a reply of this venue, as JSON: its positions, marks and wallets are read",
        )
    parser.add_argument("--accounts", metavar="FILE", help="account, wallet_balance")
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


def add_traceback(parser: argparse.ArgumentParser) -> None:
    """Add the option that shows where an error was raised."""
    parser.add_argument("--traceback", action="store_true", help="show where an error was raised")


def read_inputs(options: argparse.Namespace, progress: Progress) -> tuple[Positions, Marks]:
    """Positions and marks of the files that `add_book` names; a misspelt column is noted on stderr."""
    # The small input first: an error in it should not wait for a large file.
    marks = read_marks(options.marks) if options.marks else {}
    positions = read_positions(
        options.positions,
        marks_elsewhere=bool(options.marks),
        progress=progress.step(f"reading {options.positions}"),
    )
    for name, meant in positions.likely_misspelt().items():
        progress.clear()
        note = f"column {name!r} has no meaning here and is passed through; is {meant!r} meant?"
        print(f"levcore: note: {options.positions}: {note}", file=sys.stderr)
    return positions, merge_marks(positions, marks)


def make_book(positions: Positions, options: argparse.Namespace) -> PositionBook:
    """Book of the positions with the wallets, balances and position mode that the options name."""
    return positions.book(
        wallets(options),
        balances=read_balances(options.balances) if options.balances else None,
        position_mode="hedge" if options.position_mode == "hedge" else "one_way",
    )


def wallets(options: argparse.Namespace) -> dict[str, float] | None:
    """Wallet balances of the file of accounts, if one was given."""
    return read_accounts(options.accounts) if options.accounts else None


def asset_prices(options: argparse.Namespace) -> dict[str, float] | None:
    """Prices of the file of asset prices, if one was given."""
    if options.asset_prices and not options.balances:
        raise InputError("--asset-prices", "belong to --balances", "both", "no --balances")
    if options.balances and not options.asset_prices:
        raise InputError("--asset-prices", "are needed with --balances", "FILE", "none")
    return read_asset_prices(options.asset_prices) if options.asset_prices else None


def with_assets(policy: MarginPolicy, options: argparse.Namespace) -> MarginPolicy:
    """Policy with the assets of the file that the options name."""
    return policy.with_assets(read_assets(options.assets)) if options.assets else policy


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


def stated_rule(text: str) -> tuple[str, bool | float | str]:
    """Rule and value of the text ``RULE=VALUE``.

    Raises
    ------
    InputError
        For a text without an equals sign.
    """
    rule, equals, value = text.partition("=")
    if not equals:
        raise InputError("--set", "must state a rule", "RULE=VALUE", repr(text))
    return rule.strip(), rule_value(value.strip())


def rules_of(texts: Iterable[str], name: str, names: Iterable[str] = ()) -> dict[str, bool | float | str]:
    """Rules that ``[POLICY.]RULE=VALUE`` texts state of the policy `name`, one of `names`.

    Raises
    ------
    InputError
        For a text of a policy that is none of these.
    """
    every = {name, *names}
    known = every | {each.partition("@")[0] for each in every}
    rules = {}
    for text in texts:
        left, value = stated_rule(text)
        key, _, rule = left.rpartition(".")
        if key and key not in known:
            raise InputError("--set", "must name a policy in use", ", ".join(sorted(every)), repr(key))
        if key in ("", name, name.partition("@")[0]):
            rules[rule] = value
    return rules


def rule_value(text: str) -> bool | float | str:
    """Value of a rule as its policy file would hold it."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def check_outputs(inputs: Iterable[str | None], outputs: Iterable[tuple[str, str | None]]) -> None:
    """Refuse an output, as flag and path, that would take the place of an input or of another one."""
    taken = {Path(path).resolve() for path in inputs if path}
    for flag, path in outputs:
        if path:
            if Path(path).resolve() in taken:
                raise InputError(flag, "must not be a file that the command uses already", found=str(path))
            taken.add(Path(path).resolve())


def exit_code(risk: BookRisk) -> int:
    """Exit code of an evaluation."""
    unknown = (risk.state == State.INCOMPLETE).any() or (risk.accounts.state == State.INCOMPLETE).any()
    return FOUND if unknown or risk.worst_state() >= State.MARGIN_CALL else OK
