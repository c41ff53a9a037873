"""``levcore compare``: one book under several policies."""

import argparse
from collections.abc import Mapping
from typing import Any

from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.cli.examples import add_command
from levcore.cli.formats import add_format, print_answer
from levcore.cli.numbers import whole
from levcore.cli.options import (
    EXIT_CODES,
    FOUND,
    OK,
    add_book,
    add_traceback,
    asset_prices,
    check_outputs,
    exit_code,
    inputs_of,
    make_book,
    read_inputs,
    shown_name,
    with_assets,
)
from levcore.cli.progress import Progress
from levcore.cli.reply import read_reply_of
from levcore.cli.rules import add_rules, named_policies, with_stated
from levcore.cli.terminal import note
from levcore.comparison.compare import compare
from levcore.comparison.comparison import Comparison, Refusal
from levcore.errors import InputError
from levcore.files.instruments import read_instruments
from levcore.files.tables import read_columns
from levcore.reports.report import check_report_path, report
from levcore.rules.policy import MarginPolicy
from levcore.rules.several import label_of

__all__ = ["add_compare"]

TOP = 10


def add_compare(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    parser = add_command(
        commands,
        "compare",
        "evaluate positions under several policies",
        "Evaluate positions under several policies and show where the answers differ.",
        EXIT_CODES,
    )
    add_book(parser)
    parser.add_argument("--policies", required=True, metavar="NAME,NAME", help="policies to compare")
    parser.add_argument(
        "--instruments",
        action="append",
        default=[],
        metavar="[POLICY=]FILE",
        help="instruments and their tiers, added to those of POLICY, or of --tiers-from; may be repeated",
    )
    parser.add_argument(
        "--names", metavar="FILE", help="policy, instrument (in the book), name (in the policy)"
    )
    parser.add_argument(
        "--tiers-from", metavar="POLICY", help="whose instruments to take for what a policy does not hold"
    )
    parser.add_argument(
        "--assets-from", metavar="POLICY", help="whose assets to take for those that a policy does not hold"
    )
    parser.add_argument(
        "--quantities-of", metavar="POLICY", help="whose contracts the quantities count, where sizes differ"
    )
    add_rules(parser)
    parser.add_argument("--report", metavar="FILE.html", help="write the report, one offline file")
    add_format(parser, "a position")
    parser.add_argument(
        "--top", type=whole, default=TOP, metavar="N", help=f"length of the lists, {TOP} by default"
    )
    add_traceback(parser)
    parser.set_defaults(run=_compare)


def _book_and_marks(
    options: argparse.Namespace, policies: Mapping[str, MarginPolicy], progress: Progress
) -> tuple[PositionBook, Marks]:
    if options.source:
        reply = read_reply_of(options, with_rules=False)
        if len(reply.policies) > 1 or reply.balances is not None:
            found = ", ".join(reply.policies)
            raise InputError("--from", "must be a reply of one product", "positions of one policy", found)
        return reply.book, reply.marks
    positions, marks = read_inputs(options, progress)
    sizes = policies[label_of(options.quantities_of or next(iter(policies)), policies, "--quantities-of")]
    return make_book(positions, options, sizes.instruments), marks


def _compare(options: argparse.Namespace) -> int:
    progress = Progress()
    if options.top < 0:
        raise InputError("--top", "must not be negative", "0 or more", str(options.top))
    policies = named_policies(options.policies)
    policies, files = _with_instruments(policies, options.instruments, options.tiers_from)
    policies = with_stated(policies, options)
    policies = _with_assets(policies, options)
    inputs = (*inputs_of(options), options.names, *files)
    check_outputs(inputs, [("--report", options.report)])
    if options.report:
        check_report_path(options.report, "--report")
    names = _names(options.names) if options.names else None
    step = progress.step("grouping and evaluating")
    book, marks = _book_and_marks(options, policies, progress)
    step(len(book))
    comparison = compare(
        book,
        policies,
        marks,
        instruments=names,
        tiers_from=options.tiers_from,
        quantities_of=options.quantities_of,
        asset_prices=asset_prices(options),
        assets_from=options.assets_from,
    )
    title = f"Comparison of policies: {shown_name(options.positions)}"
    if options.report:
        report(comparison, options.report, title=title)
    progress.clear()
    for label, result in comparison.results.items():
        whole = [result] if isinstance(result, Refusal) else []
        for said, can_be_stated in (
            *((refusal, refusal.can_be_stated) for refusal in whole),
            *((part, part.refusal.can_be_stated) for part in comparison.withheld[label]),
        ):
            remedy = f" (--set {label}.RULE=VALUE states a rule)" if can_be_stated else ""
            note(f"note: {label} {said}{remedy}")
    print_answer(
        options.format,
        lambda: report(comparison, title=title, top=options.top),
        comparison.to_dict,
        lambda: comparison,
    )
    return _exit_code(comparison)


def _with_instruments(
    policies: Mapping[str, MarginPolicy], texts: list[str], tiers_from: str | None
) -> tuple[dict[str, MarginPolicy], list[str]]:
    """Policies with the instruments of the files that ``[POLICY=]FILE`` names, and these files."""
    ready, files = dict(policies), []
    for text in texts:
        key, equals, path = text.partition("=")
        if not equals:
            if tiers_from is None:
                expected = "POLICY=FILE, or --tiers-from POLICY"
                raise InputError(
                    "--instruments", "must say whose instruments these are", expected, repr(text)
                )
            key, path = tiers_from, text
        label = label_of(key, policies, "--instruments")
        ready[label] = ready[label].with_instruments(read_instruments(path))
        files.append(path)
    return ready, files


def _with_assets(
    policies: Mapping[str, MarginPolicy], options: argparse.Namespace
) -> dict[str, MarginPolicy]:
    """Policies with the assets of ``--assets``: that of ``--assets-from``, which lends them, or all."""
    ready = dict(policies)
    lends = options.assets and options.assets_from
    for label in [label_of(options.assets_from, policies, "--assets-from")] if lends else policies:
        ready[label] = with_assets(ready[label], options)
    return ready


def _names(path: str) -> dict[str, dict[str, str]]:
    """Name in the policy by policy and name in the book."""
    kinds = ("policy", "instrument", "name")
    columns = read_columns(path, kinds, (), kinds)
    names: dict[str, dict[str, str]] = {}
    for row in range(len(columns)):
        policy, instrument, name = (columns.texts[kind][row] for kind in kinds)
        of_policy = names.setdefault(policy, {})
        if of_policy.setdefault(instrument, name) != name:
            rule = f"contradicts an earlier line for {instrument} under {policy}"
            raise columns.error(row, "name", rule, of_policy[instrument], name)
    return names


def _exit_code(comparison: Comparison) -> int:
    refused = len(comparison.answers) < len(comparison.policies)
    codes = [exit_code(risk) for risk in comparison.answers.values()]
    return FOUND if refused else max(codes, default=OK)
