"""A venue's reply in the place of a file of positions."""

import argparse
import math
from collections.abc import Sequence

import numpy as np

from levcore._levcore import Table
from levcore.book.frames import NUMBER_COLUMNS, TEXT_COLUMNS, Positions
from levcore.cli.rules import named_policy, rules_of
from levcore.cli.terminal import note
from levcore.errors import FileFormatError, InputError
from levcore.files.instruments import read_instruments
from levcore.files.tables import FileColumns
from levcore.reconciliation.book import ReadReply
from levcore.venues import read

__all__ = ["positions_of", "read_reply_of"]

ELSEWHERE = ("accounts", "marks", "balances", "asset_prices")


def read_reply_of(options: argparse.Namespace, *, with_rules: bool = True) -> ReadReply:
    """Read the reply that the options name, and say on standard error what was left out and recovered.

    Without `with_rules` the rules that the options state are those of other policies.
    """
    for name in ELSEWHERE:
        if getattr(options, name):
            raise InputError(
                f"--{name.replace('_', '-')}", "does not go with --from", "the reply's own", "both"
            )
    found = read(
        options.positions,
        options.source,
        policy=named_policy(options.policy) if getattr(options, "policy", None) else None,
        rules=rules_of(options) if with_rules else None,
        fees=options.fees if with_rules else None,
        instruments=read_instruments(options.instruments) if isinstance(options.instruments, str) else None,
    )
    for line in found.notes:
        note(f"note: {line}")
    for line in found.left_out:
        note(f"left out: {line}")
    if not found.policies:
        rule = "must hold a position that can be read"
        raise FileFormatError(options.positions, rule, found=f"{len(found.left_out)} left out")
    return found


def positions_of(found: ReadReply, path: str) -> Positions:
    """Rows of the reply as a file of positions would hold them."""
    table = Table(len(found.columns["instrument"]))
    for name, values in found.columns.items():
        if name in NUMBER_COLUMNS:
            numbers = [math.nan if each is None else each for each in values]
            table = table.with_numbers(name, np.array(numbers, np.float64))
        else:
            table = table.with_texts(name, [None if each is None else str(each) for each in values])
    columns = FileColumns(path, table, None, TEXT_COLUMNS, NUMBER_COLUMNS, (), passed=_strangers(table.names))
    is_cross = np.array([each == "cross" for each in found.columns["margin_mode"]], np.bool_)
    return Positions(columns, is_cross, columns.numbers["quantity"], {})


def _strangers(names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in (*TEXT_COLUMNS, *NUMBER_COLUMNS)]
