"""The options ``--set`` and ``--fees``: what a caller states of the policies in use, whatever the command."""

import argparse
from collections.abc import Mapping
from typing import Any

from levcore.cli.terminal import note
from levcore.errors import InputError
from levcore.rules.policy import MarginPolicy
from levcore.rules.several import rules_by_label, with_regular_fees

__all__ = ["add_rules", "rule_value", "rules_of", "with_stated"]

SEVERAL_VALUES = ("close_out_payers", "table_units")
"""Rules whose value is several words, with commas between."""


def add_rules(parser: argparse.ArgumentParser, *, fees: bool = True) -> None:
    """Add the options; a command whose ``--fees`` takes a rate adds its own."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="[POLICY.]RULE=VALUE",
        help="state a rule of POLICY, or of every policy that leaves it unknown (of a single one whatever it "
        "says), such as closing_fee_rate=0.0005; may be repeated",
    )
    if fees:
        parser.add_argument(
            "--fees",
            choices=("regular",),
            help="take the closing fee that a policy leaves to the account from the lowest account tier",
        )


def rules_of(options: argparse.Namespace) -> dict[str, Any]:
    """Values of ``--set`` by ``[POLICY.]RULE``, as `levcore.with_rules` takes them.

    Raises
    ------
    InputError
        For a text without an equals sign.
    """
    return dict(_stated(text) for text in options.set)


def _stated(text: str) -> tuple[str, Any]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not key:
        raise InputError("--set", "must state a rule", "[POLICY.]RULE=VALUE", repr(text))
    return key, rule_value(key.rpartition(".")[2], value)


def rule_value(rule: str, text: str) -> bool | float | str | tuple[str, ...]:
    """Value of a rule as its policy file would hold it.

    Examples
    --------
    >>> rule_value("closing_fee_rate", "0.0005"), rule_value("close_out_payers", "fund,deleveraging")
    (0.0005, ('fund', 'deleveraging'))
    """
    if rule in SEVERAL_VALUES:
        return tuple(word.strip() for word in text.split(",") if word.strip())
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def with_stated(
    policies: Mapping[str, MarginPolicy], options: argparse.Namespace, *, fees: bool = True
) -> dict[str, MarginPolicy]:
    """Policies with the rules and the fees that the options state; a note says where fees come from."""
    stated = rules_by_label(policies, rules_of(options), "--set")
    ready = {label: one.replace(**stated[label]) if stated[label] else one for label, one in policies.items()}
    if not fees or options.fees is None:
        return ready
    for one in (ready := with_regular_fees(ready)).values():
        if one.fees is not None:
            note(f"note: fees of {one.id}: {one.fees}")
    return ready
