"""The option ``--fees``: the bundled fees of an account tier, their date and source on standard error."""

import argparse

from levcore.cli.terminal import note
from levcore.rules.policy import MarginPolicy

__all__ = ["add_fees", "with_fees"]


def add_fees(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--fees",
        choices=("regular",),
        help="take the closing fee that a policy leaves to the account from the venue's lowest account tier",
    )


def with_fees(policy: MarginPolicy, options: argparse.Namespace) -> MarginPolicy:
    """Policy with the fees that the options choose; where they come from is noted on stderr."""
    if not options.fees:
        return policy
    chosen = policy.with_fees(options.fees)
    note(f"note: fees of {policy.id}: {chosen.fees}")
    return chosen
