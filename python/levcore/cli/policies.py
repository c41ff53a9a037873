"""``levcore policies`` and ``levcore doctor``: what this installation knows, and whether it is whole."""

import argparse
import shutil
from dataclasses import asdict
from typing import Any

from levcore.cli.config import config_in_force
from levcore.cli.examples import add_command
from levcore.cli.formats import add_format, print_answer
from levcore.cli.options import OK, add_traceback
from levcore.cli.rules import named_policy
from levcore.reports.installation import check_installation, installation, installation_text
from levcore.reports.policy import listing_rows, listing_text, policy_dict, policy_text, rule_rows
from levcore.rules.policies import policies

__all__ = ["add_doctor", "add_policies"]


def add_policies(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    listing = add_command(
        commands, "policies", "list the bundled policies", "List the bundled policies, or show one."
    )
    listing.add_argument("name", nargs="?", metavar="NAME", help="policy to show, such as binance-usdm")
    add_format(listing, "a policy, or a rule,")
    add_traceback(listing)
    listing.set_defaults(run=_policies)


def add_doctor(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    doctor = add_command(
        commands,
        "doctor",
        "say what this installation is made of, and check it",
        "Print versions, processor and tables of this installation; read every bundled file, and "
        "hold the kernel against the reference.",
    )
    add_format(doctor, "a fact")
    add_traceback(doctor)
    doctor.set_defaults(run=_doctor)


def _policies(options: argparse.Namespace) -> int:
    # Longer lines than this are hard to read, whatever the terminal holds.
    width = min(120, shutil.get_terminal_size().columns)
    if options.name:
        chosen = named_policy(options.name)
        print_answer(
            options.format,
            lambda: policy_text(chosen, width),
            lambda: policy_dict(chosen),
            lambda: rule_rows(chosen),
        )
        return OK
    listed = policies()
    print_answer(
        options.format,
        lambda: listing_text(listed, width),
        lambda: [asdict(each) for each in listed],
        lambda: listing_rows(listed),
    )
    return OK


def _doctor(options: argparse.Namespace) -> int:
    config = config_in_force(options.config)
    facts = installation() | {"options file": "none" if config is None else str(config.resolve())}
    checked = check_installation()
    print_answer(
        options.format,
        lambda: "\n".join([installation_text(facts), "", *checked]),
        lambda: facts | {"checked": checked},
        lambda: ({"name": name, "value": value} for name, value in facts.items()),
    )
    return OK
