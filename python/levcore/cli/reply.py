"""A venue's reply in the place of a file of positions."""

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from levcore.cli.options import stated_rule
from levcore.errors import FileFormatError, InputError
from levcore.files.columns import Columns, TextBuilder
from levcore.files.csv import csv_text
from levcore.files.positions import NUMBER_COLUMNS, TEXT_COLUMNS, Positions
from levcore.reconciliation.book import ReadReply
from levcore.rules.instruments import InstrumentTable
from levcore.venues import read

__all__ = ["positions_of", "read_reply_of"]

ELSEWHERE = ("accounts", "marks", "balances", "asset_prices")


class ReplyRows:
    """Rows of a reply as the output wants them."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = columns

    def csv_lines(self, start: int, stop: int) -> list[str]:
        """Rows as CSV text."""
        cells = [self.column(name)[start:stop] for name in self._columns]
        return [csv_text([cell or "" for cell in row]) for row in zip(*cells, strict=True)]

    def column(self, name: str) -> Sequence[Any]:
        """One column as text, None for an empty cell."""
        return [None if each is None else str(each) for each in self._columns[name]]


def read_reply_of(options: argparse.Namespace, rules: Sequence[str] = ()) -> ReadReply:
    """Read the reply that the options name, and say on standard error what was left out and recovered."""
    for name in ELSEWHERE:
        if getattr(options, name):
            raise InputError(
                f"--{name.replace('_', '-')}", "does not go with --from", "the reply's own", "both"
            )
    found = read(
        options.positions,
        options.source,
        policy=getattr(options, "policy", None),
        rules=dict(stated_rule(text) for text in rules),
        instruments=InstrumentTable.from_csv(options.instruments)
        if isinstance(options.instruments, str)
        else None,
    )
    for line in found.notes:
        print(f"levcore: note: {line}", file=sys.stderr)
    for line in found.left_out:
        print(f"levcore: left out: {line}", file=sys.stderr)
    if not found.policies:
        rule = "must hold a position that can be read"
        raise FileFormatError(options.positions, rule, found=f"{len(found.left_out)} left out")
    return found


def positions_of(found: ReadReply, path: str) -> Positions:
    """Rows of the reply as a file of positions would hold them."""
    texts = {}
    for name in (each for each in TEXT_COLUMNS if each in found.columns):
        builder = TextBuilder()
        builder.add(found.columns[name])
        texts[name] = builder.finish()
    numbers = {
        name: np.array([math.nan if each is None else each for each in found.columns[name]], np.float64)
        for name in NUMBER_COLUMNS
        if name in found.columns
    }
    rows = len(found.columns["instrument"])
    columns = Columns(
        path, tuple(found.columns), texts, numbers, np.arange(1, rows + 1), ReplyRows(found.columns)
    )
    is_cross = np.array([each == "cross" for each in found.columns["margin_mode"]], np.bool_)
    return Positions(columns, is_cross, {})
