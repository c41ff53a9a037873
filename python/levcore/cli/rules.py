"""Policies as commands name them, and ``--set`` and ``--fees``: what a caller states of those in use."""

import argparse
from collections.abc import Mapping
from typing import Any

from levcore.cli.terminal import note
from levcore.errors import InputError
from levcore.files.policies import read_policy
from levcore.rules.policies import policy
from levcore.rules.policy import MarginPolicy
from levcore.rules.several import labelled, rules_by_label, with_regular_fees

__all__ = ["add_rules", "named_policies", "named_policy", "rule_value", "rules_of", "with_stated"]

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


def named_policy(name: str) -> MarginPolicy:
    """Bundled policy of this name, or that of a file of the caller's, whose name ends in ``.toml``."""
    return read_policy(name) if name.endswith(".toml") else policy(name)


def named_policies(names: str) -> dict[str, MarginPolicy]:
    """Policies of ``NAME,NAME`` by label, each bundled or the caller's file."""
    each = (name.strip() for name in names.split(",") if name.strip())
    return labelled([read_policy(name) if name.endswith(".toml") else name for name in each])


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
