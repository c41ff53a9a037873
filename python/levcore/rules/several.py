"""Several policies at once: their labels, the rules that a caller states of them, their fees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from levcore.arguments import likely_of, of_kind
from levcore.errors import DTypeError, InputError, PolicyError, UnknownPolicyError
from levcore.rules.policies import policy
from levcore.rules.policy import RULES, MarginPolicy
from levcore.rules.terms import UNKNOWN

__all__ = ["Policies", "label_of", "labelled", "rules_by_label", "with_regular_fees", "with_rules"]

Policies = Mapping[str, "MarginPolicy | str"] | Iterable["MarginPolicy | str"]


def labelled(policies: Policies) -> dict[str, MarginPolicy]:
    """Policies by label, as `levcore.compare` takes them; it says what it refuses."""
    if isinstance(policies, str | MarginPolicy) or not isinstance(policies, Iterable):
        raise DTypeError("policies", "must be several", "a sequence of policies or names", repr(policies))
    if isinstance(policies, Mapping):
        chosen = {str(label): _policy(one) for label, one in policies.items()}
    else:
        chosen = {}
        ids: dict[str, str] = {}
        for one in policies:
            found = _policy(one)
            label = one if isinstance(one, str) else found.id
            if label in chosen or found.id in ids:
                rule = "two have one id; give a mapping of label to policy to compare them"
                raise InputError("policies", rule, "distinct ids", repr(found.id))
            chosen[label] = found
            ids[found.id] = label
    if not chosen:
        raise InputError("policies", "must not be empty", "at least one policy", "none")
    return chosen


def _policy(one: MarginPolicy | str) -> MarginPolicy:
    from difflib import get_close_matches

    from levcore.rules.policy_files import policy_names

    if isinstance(one, MarginPolicy):
        return one
    if not isinstance(one, str):
        raise DTypeError("policies", "must be policies or names", "MarginPolicy or str", type(one).__name__)
    plain = one.partition("@")[0]
    close = get_close_matches(plain, policy_names(), n=2, cutoff=0.5)
    if plain not in policy_names() and close:
        expected = " or ".join(map(repr, close))
        raise UnknownPolicyError("policies", "no policy has this name", expected, repr(one))
    return policy(one)


def label_of(key: str, chosen: Mapping[str, MarginPolicy], argument: str) -> str:
    """Label of the policy that `key` means: a label, an id, or a name that only one has."""
    if key in chosen:
        return key
    found = [label for label, one in chosen.items() if key in (one.id, one.name)]
    if len(found) != 1:
        rule = "must name one of the policies in use"
        raise InputError(argument, rule, f"one of {', '.join(chosen)}", repr(key))
    return found[0]


def with_rules(policies: Policies, rules: Mapping[str, Any]) -> dict[str, MarginPolicy]:
    """Policies with the rules that a caller states of one of them, or of all that leave a rule unknown.

    Parameters
    ----------
    policies : sequence of MarginPolicy or of their names, or mapping of label to these
    rules : mapping of str to value
        ``"POLICY.RULE"`` is a rule of the policy with that label, name or id; ``"RULE"`` one of every policy
        that leaves it unknown, and of a single policy whatever it says. Values are those that
        `MarginPolicy.replace` takes. What ``--set`` does on the command line.

    Returns
    -------
    dict of str to MarginPolicy
        By label; a stated rule rests on the caller.

    Raises
    ------
    InputError
        For a policy that is not there, or a rule that none of several policies leaves unknown.
    PolicyError
        For a rule that no policy has, or a value that is none of its values.

    Examples
    --------
    >>> import levcore as lc
    >>> rules = {"closing_fee_rate": 0.0006, "binance-usdm.liquidation_level": 0.9}
    >>> ready = lc.with_rules(["binance-usdm", "bybit-linear", "mexc-linear"], rules)
    >>> [(label, each.closing_fee_rate, each.liquidation_level) for label, each in ready.items()]
    [('binance-usdm', 0.0, 0.9), ('bybit-linear', 0.0006, 1.0), ('mexc-linear', 0.0006, 1.0)]
    """
    of_kind("rules", rules, Mapping)
    chosen = labelled(policies)
    stated = rules_by_label(chosen, rules)
    return {label: one.replace(**stated[label]) if stated[label] else one for label, one in chosen.items()}


def rules_by_label(
    policies: Mapping[str, MarginPolicy], rules: Mapping[str, Any], argument: str = "rules"
) -> dict[str, dict[str, Any]]:
    """Rules of each policy by its label, from ``[POLICY.]RULE``; see `with_rules`."""
    stated: dict[str, dict[str, Any]] = {label: {} for label in policies}
    for key, value in rules.items():
        of_kind(argument, key, str)
        name, _, rule = key.rpartition(".")
        if rule not in RULES:
            expected = likely_of(rule, RULES, f"one of {', '.join(RULES)}")
            raise PolicyError(argument, "is no rule of a policy", expected, repr(rule))
        if name:
            labels = [label_of(name, policies, argument)]
        elif len(policies) == 1:
            labels = [*policies]
        else:
            labels = [label for label, one in policies.items() if _is_open(one, rule)]
            if not labels:
                expected = f"POLICY.{rule} where a policy states it otherwise, of {', '.join(policies)}"
                raise InputError(argument, f"no policy leaves {rule} unknown", expected, repr(key))
        for label in labels:
            stated[label][rule] = value
    return stated


def _is_open(one: MarginPolicy, rule: str) -> bool:
    return getattr(one, rule) in (UNKNOWN, (UNKNOWN,), None)


def with_regular_fees(policies: Mapping[str, MarginPolicy]) -> dict[str, MarginPolicy]:
    """Policies with the fees of their venue's lowest account tier.

    Of several, those whose product has none bundled stay as they are: what needs a fee refuses by itself.

    Raises
    ------
    UnknownRuleError
        For a single policy without bundled fees.
    """
    alone = len(policies) == 1
    return {label: one.with_fees() if one.fee_schedule or alone else one for label, one in policies.items()}
