"""The command ``levcore reconcile``: a venue's reply against the engine."""

import argparse
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from levcore.cli.examples import add_command
from levcore.cli.exit_codes import FOUND, NOTHING_COMPARED, OK, RECONCILE_EXIT_CODES
from levcore.cli.formats import add_format, print_answer
from levcore.cli.options import add_traceback
from levcore.cli.rules import add_rules, named_policy, rules_of
from levcore.cli.terminal import note
from levcore.errors import InputError
from levcore.files.instruments import read_instruments
from levcore.files.tables import FORMATS
from levcore.reconciliation.reconcile import reconcile
from levcore.reports.report import report
from levcore.rules.tiers import TierTable
from levcore.venues.positions.reply import SOURCES
from levcore.venues.tiers.read import read_tiers_file

if TYPE_CHECKING:
    from levcore.rules.policy import MarginPolicy

__all__ = ["add_reconcile", "tiers_of"]


def add_reconcile(commands: "argparse._SubParsersAction[Any]") -> None:
    """Register the command."""
    parser = add_command(
        commands,
        "reconcile",
        "compare a venue's numbers with levcore's",
        "Compare the margins, profits and liquidation prices that a venue reports with levcore's "
        "and say why they differ.",
        RECONCILE_EXIT_CODES,
    )
    parser.add_argument("reply", metavar="FILE.json", help="positions as the venue or ccxt returned them")
    parser.add_argument("--from", dest="source", choices=SOURCES, required=True, help="whose reply it is")
    parser.add_argument(
        "--policy", metavar="NAME", help="such as bybit-linear@2025-10-02; default: the product's newest"
    )
    add_rules(parser)
    parser.add_argument("--tiers", metavar="FILE", help="tier tables: the venue's reply, or CSV")
    parser.add_argument(
        "--instruments", metavar="FILE.csv", help="instruments with contract size, tick and tiers"
    )
    parser.add_argument(
        "--margin-mode",
        choices=("isolated", "cross"),
        help="margin mode of the positions, where the reply does not tell: unified accounts of Bybit",
    )
    parser.add_argument("--account", metavar="FILE.json", help="the venue's reply about the account")
    parser.add_argument(
        "--wallet",
        action="append",
        default=[],
        metavar="CURRENCY=BALANCE",
        help="wallet balance of the cross positions; may be repeated",
    )
    add_format(parser, "a number")
    add_traceback(parser)
    parser.set_defaults(run=_reconcile)


def _reconcile(options: argparse.Namespace) -> int:
    chosen = named_policy(options.policy) if options.policy else None
    result = reconcile(
        options.reply,
        options.source,
        policy=chosen,
        rules=rules_of(options),
        fees=options.fees,
        tiers=tiers_of(options, chosen),
        instruments=read_instruments(options.instruments) if options.instruments else None,
        account=options.account,
        margin_mode=options.margin_mode,
        wallet_balance=_wallets(options.wallet),
    )
    print_answer(options.format, lambda: report(result), result.to_dict, lambda: result.to_dict()["numbers"])
    for line in result.notes:
        note(f"note: {line}")
    if result.unexplained:
        return FOUND
    if result.is_complete:
        return OK
    rows = f", {result.flat} rows without a size" if result.flat else ""
    note(f"{result.compared} numbers compared, {len(result.left_out)} positions left out{rows}")
    return NOTHING_COMPARED


def tiers_of(options: argparse.Namespace, chosen: "MarginPolicy | None") -> Mapping[str, TierTable]:
    """Tier tables of ``--tiers``, a venue's reply or a table of instruments, by symbol."""
    if not options.tiers:
        return {}
    if options.tiers.lower().endswith(tuple(FORMATS)):
        return {name: each.tiers for name, each in read_instruments(options.tiers).items()}
    unit = None
    if options.source == "ccxt":
        if chosen is None or len(chosen.table_units) != 1:
            rule = "of ccxt do not tell their unit, a policy with tables of one unit must"
            raise InputError("--tiers", rule, "--policy NAME", options.policy or "none")
        unit = chosen.table_units[0]
    return read_tiers_file(options.tiers, options.source, unit=unit)


def _wallets(texts: list[str]) -> dict[str, str]:
    wallets = {}
    for text in texts:
        currency, _, balance = (part.strip() for part in text.partition("="))
        if not currency or not _is_number(balance):
            raise InputError("--wallet", "must be a balance", "CURRENCY=BALANCE", repr(text))
        wallets[currency] = balance
    return wallets


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
