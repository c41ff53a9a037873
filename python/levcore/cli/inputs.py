"""What ``score``, ``explain`` and ``against`` evaluate, read from files or from a venue's reply."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.cli.options import (
    add_book,
    add_traceback,
    asset_prices,
    make_book,
    not_inputs,
    read_inputs,
    with_assets,
)
from levcore.cli.progress import Progress
from levcore.cli.reply import positions_of, read_reply_of
from levcore.cli.rules import add_rules, named_policy, with_stated
from levcore.cli.terminal import note
from levcore.errors import InputError
from levcore.files.instruments import read_instruments
from levcore.files.positions import Positions
from levcore.rules.instruments import InstrumentTable
from levcore.rules.policy import MarginPolicy
from levcore.rules.symbols import symbol_key

__all__ = ["Inputs", "add_inputs", "inputs", "policy_of"]


class Inputs(NamedTuple):
    """What the options name, read."""

    positions: Positions
    book: PositionBook
    marks: Marks
    policies: MarginPolicy | dict[str, MarginPolicy]
    asset_prices: Mapping[str, float] | None
    left_out: bool


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a book and its policies."""
    add_book(parser)
    parser.add_argument(
        "--instruments",
        metavar="FILE",
        help="instruments and their tiers, added to the policy's, one row a tier",
    )
    parser.add_argument(
        "--policy",
        metavar="NAME",
        help="such as binance-usdm@2024-10-24, or a file of your own, FILE.toml; else a column policy says",
    )
    add_rules(parser)
    add_traceback(parser)


def inputs(options: argparse.Namespace, progress: Progress) -> Inputs:
    """Read the files, or the reply, that the options name."""
    if options.source:
        reply = read_reply_of(options)
        positions = positions_of(reply, options.positions)
        left_out = bool(reply.left_out)
        return Inputs(positions, reply.book, reply.marks, reply.policies, reply.asset_prices, left_out)
    # The policy first: an error in it should not wait for a large file.
    chosen = policy_of(options) if options.policy else None
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
    prices = asset_prices(options)
    _note_spellings(book, marks)
    if chosen is not None:
        return Inputs(positions, book, marks, _with_stand_ins(chosen, book, 0), prices, False)
    several = _policies(options, named)
    several = {name: _with_stand_ins(one, book, code) for code, (name, one) in enumerate(several.items())}
    return Inputs(positions, book, marks, several, prices, False)


def policy_of(options: argparse.Namespace) -> MarginPolicy:
    """The one policy that the options name."""
    return _policies(options, [options.policy])[options.policy]


def _note_spellings(book: PositionBook, marks: Marks) -> None:
    """Say which mark may be meant for an instrument that has none: marks are found by the very name."""
    if not isinstance(marks, Mapping) or all(name in marks for name in book.instrument_names):
        return
    unused = {symbol_key(name).partition(":")[0]: name for name in marks if name not in book.instrument_names}
    for name in book.instrument_names:
        other = unused.get(symbol_key(name).partition(":")[0])
        if name not in marks and other is not None:
            note(
                f"note: {name} has no mark; is {other!r} meant? A mark is found by the name of its positions"
            )


def _with_stand_ins(one: MarginPolicy, book: PositionBook, code: int) -> MarginPolicy:
    """Policy whose contracts in another currency stand for names that it lacks, which a note says."""
    codes = book.instrument_codes
    if book.policy_codes is not None:
        codes = codes[book.policy_codes == code]
    used = [book.instrument_names[each] for each in np.unique(codes)]
    table = one.instruments.with_stand_ins(used)
    for symbol in table.stand_ins:
        note(f"note: under {one.id} {table.told(symbol)}, on the same base; nothing is converted")
    return one if table is one.instruments else replace(one, instruments=table)


def _sizes(
    options: argparse.Namespace, positions: Positions, chosen: MarginPolicy | None
) -> InstrumentTable | dict[str, InstrumentTable] | None:
    """Instruments whose contract sizes a column contract_size is measured against."""
    if "contract_size" not in positions.columns.numbers:
        return None
    if chosen is not None:
        return chosen.instruments
    return {
        name: _with_instruments(named_policy(name), options).instruments for name in positions.policy_names
    }


def _policies(options: argparse.Namespace, names: Sequence[str]) -> dict[str, MarginPolicy]:
    stated = with_stated({name: named_policy(name) for name in names}, options)
    return {name: with_assets(_with_instruments(one, options), options) for name, one in stated.items()}


def _with_instruments(one: MarginPolicy, options: argparse.Namespace) -> MarginPolicy:
    if not options.instruments:
        return one
    return one.with_instruments(read_instruments(options.instruments, ignore_columns=not_inputs(options)))
