"""``levcore tiers``: the archive's dates and tables, what changed between two, and tables of one's own."""

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from levcore.cli.examples import add_command
from levcore.cli.formats import add_format, print_answer
from levcore.cli.numbers import amount
from levcore.cli.options import (
    OK,
    add_book,
    add_traceback,
    check_outputs,
    make_book,
    read_inputs,
)
from levcore.cli.progress import Progress
from levcore.cli.rules import add_rules, with_stated
from levcore.cli.terminal import say, write_rows
from levcore.errors import InputError
from levcore.files.writing import write_text
from levcore.reports.archive import (
    changes_rows,
    changes_text,
    listing_rows,
    listing_text,
    moved_text,
    tables_rows,
    tables_text,
)
from levcore.rules.archive import dates_of, series_names
from levcore.rules.instruments import InstrumentTable
from levcore.rules.policies import policy
from levcore.rules.policy import MarginPolicy
from levcore.rules.policy_files import policy_names, read_policies

__all__ = ["add_tiers"]

VENUES = ("binance", "bybit", "ccxt", "freqtrade", "gate", "hyperliquid", "mexc", "okx")
UNITS = ("quote", "base", "contracts", "risk_limit")


def add_tiers(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    parser = add_command(
        commands,
        "tiers",
        "list bundled tier tables, compare two, or convert a venue's",
        "List the dates and tables of the archive: `tiers [POLICY or SERIES] [SYMBOL]`; "
        "say what changed: `tiers diff A B [POSITIONS]`; convert a venue's reply for --instruments: "
        "`tiers convert FILE --from VENUE`.",
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="POLICY [SYMBOL] | diff A B [POSITIONS] | convert FILE"
    )
    parser.add_argument("--from", dest="source", choices=VENUES, help="convert: whose reply it is")
    parser.add_argument("--unit", choices=UNITS, help="convert: unit of the bounds, which ccxt does not tell")
    parser.add_argument("--payoff", choices=("linear", "inverse"), help="convert: where the reply is silent")
    parser.add_argument(
        "--contract-size",
        type=amount,
        metavar="SIZE",
        help="convert: where neither the reply nor the archive holds it",
    )
    parser.add_argument("--out", metavar="FILE", help="convert: where to write; default: standard output")
    add_format(parser, "a date, a tier, or a change")
    add_rules(parser)
    add_book(parser, positions=False)
    add_traceback(parser)
    parser.set_defaults(run=_tiers)


def _tiers(options: argparse.Namespace) -> int:
    words = options.words
    if words[:1] == ["diff"]:
        return _diff(options, words[1:])
    if words[:1] == ["convert"]:
        return _convert(options, words[1:])
    if len(words) > 2:
        raise InputError("WORD", "must be a policy and a symbol", "at most two", " ".join(words))
    series = _series(words[0]) if words else series_names()
    if len(words) == 2:
        _print(options, lambda: tables_text(series, words[1]), lambda: tables_rows(series, words[1]))
    else:
        _print(options, lambda: listing_text(series), lambda: listing_rows(series))
    return OK


def _print(
    options: argparse.Namespace, text: Callable[[], str], rows: Callable[[], Iterable[dict[str, Any]]]
) -> None:
    print_answer(options.format, text, lambda: [*rows()], rows)


def _series(name: str) -> tuple[str, ...]:
    """Series of a policy, of any of its dates, or the series of that name."""
    plain = name.partition("@")[0]
    if plain in series_names():
        return (plain,)
    versions = read_policies(plain) if plain in policy_names() else (policy(name),)
    found = dict.fromkeys(series for each in versions for series in each.instruments.series)
    if not found:
        raise InputError("POLICY", f"{plain} bundles no tables", "a policy that does", repr(name))
    return tuple(found)


def _table(name: str) -> tuple[InstrumentTable, MarginPolicy | None]:
    """Table of a policy's id, or of ``SERIES@DATE``, with the policy that it is of."""
    plain, _, date = name.partition("@")
    if date and date in dates_of(plain):
        table = InstrumentTable.bundled(dates_of(plain)[date])
        return table, _policy_of(plain, table)
    chosen = policy(name)
    return chosen.instruments, chosen


def _policy_of(series: str, table: InstrumentTable) -> MarginPolicy | None:
    """Newest policy whose tables are of this series, with this table."""
    for name in policy_names():
        newest = read_policies(name)[-1]
        if series in newest.instruments.series:
            return newest.replace(instruments=table)
    return None


def _diff(options: argparse.Namespace, words: list[str]) -> int:
    if len(words) not in (2, 3):
        expected = "tiers diff A B [POSITIONS], each a policy or SERIES@DATE"
        raise InputError("diff", "needs two tables", expected, " ".join(words) or "none")
    (left, _), (right, rules) = _table(words[0]), _table(words[1])
    if len(words) == 3 and options.format != "table":
        raise InputError("--format", "is that of the tables alone", "no POSITIONS", options.format)
    named = (words[0], left, words[1], right)
    _print(options, lambda: changes_text(*named), lambda: changes_rows(*named))
    if len(words) == 3:
        if rules is None:
            raise InputError("diff", "needs a policy to evaluate positions", "a policy's table", words[1])
        options.positions = words[2]
        rules = with_stated({rules.id: rules}, options)[rules.id]
        progress = Progress()
        positions, marks = read_inputs(options, progress)
        book = make_book(positions, options, rules.instruments)
        progress.clear()
        say("")
        say(moved_text(book, marks, rules, left, right))
    return OK


def _convert(options: argparse.Namespace, words: list[str]) -> int:
    from levcore.venues.tiers.convert import converted, instruments_csv

    if len(words) != 1 or options.source is None:
        expected = "tiers convert FILE --from VENUE"
        raise InputError("convert", "needs a file and whose reply it is", expected, " ".join(words) or "none")
    if options.format not in ("table", "csv"):
        raise InputError("--format", "of a table of instruments is CSV", "csv", options.format)
    check_outputs(words, [("--out", options.out)])
    made = converted(
        words[0],
        options.source,
        unit=options.unit,
        payoff=options.payoff,
        contract_size=options.contract_size,
    )
    _write(options.out, instruments_csv(made.values()))
    return OK


def _write(path: str | None, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if path:
        write_text(path, text)
    else:
        write_rows(lambda file: file.write(text.encode()))
