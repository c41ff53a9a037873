"""Policies by label: those of an engine, and which of them the rows of a book name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from levcore.errors import DTypeError, InputError
from levcore.rules.policy import MarginPolicy

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["Policies", "labelled_policies", "labels_of_book", "the_one_policy"]

Policies: TypeAlias = "MarginPolicy | Mapping[str, MarginPolicy] | Sequence[MarginPolicy]"
"""One policy, several by label, or several whose labels are their names."""


def labelled_policies(policies: Policies) -> dict[str, MarginPolicy]:
    """Policies by label.

    Parameters
    ----------
    policies : MarginPolicy, mapping of label to MarginPolicy, or sequence of MarginPolicy
        In a sequence the label is ``policy.name``, or ``policy.id`` where several have that name.

    Raises
    ------
    DTypeError
        For what is no policy, and labels that are no text.
    InputError
        For no policy at all, and for two that would have one label.
    """
    if isinstance(policies, MarginPolicy):
        return {policies.name: policies}
    if isinstance(policies, Mapping):
        labelled = list(policies.items())
    elif isinstance(policies, Sequence) and not isinstance(policies, str):
        _refuse_no_policy(policies)
        shared = Counter(policy.name for policy in policies)
        labelled = [(policy.name if shared[policy.name] == 1 else policy.id, policy) for policy in policies]
    else:
        raise _no_policy(policies)
    _refuse_no_policy([policy for _, policy in labelled])
    for place, (label, _) in enumerate(labelled):
        if not isinstance(label, str):
            raise DTypeError("policy", "must be labelled by text", "str", repr(label))
        if label in (other for other, _ in labelled[:place]):
            raise InputError("policy", "must not repeat a label", "a mapping of label to policy", repr(label))
    if not labelled:
        raise InputError("policy", "must be at least one policy", "what levcore.policy(name) returns", "none")
    return dict(labelled)


def _refuse_no_policy(policies: Sequence[object]) -> None:
    odd = next((policy for policy in policies if not isinstance(policy, MarginPolicy)), None)
    if odd is not None or None in policies:
        raise _no_policy(odd)


def _no_policy(found: object) -> DTypeError:
    return DTypeError("policy", "must be a policy", "what levcore.policy(name) returns", type(found).__name__)


def labels_of_book(book: "PositionBook", labels: Sequence[str]) -> tuple[str, ...]:
    """Labels that the policy codes of a book point to, all of them among `labels`, those of the engine.

    Raises
    ------
    InputError
        For a label that the engine lacks, naming the first row that has it, and for a book that leaves the
        choice between several policies open.
    """
    if book.policy_codes is None:
        if len(labels) > 1:
            raise InputError(
                "policy", "is needed in a book for several policies", ", ".join(map(repr, labels)), "none"
            )
        return (labels[0],)
    for code, label in enumerate(book.policy_names):
        if label not in labels:
            rows = np.flatnonzero(book.policy_codes == code)
            raise InputError(
                "policy",
                "must be a label of the engine",
                ", ".join(map(repr, labels)),
                repr(label),
                int(rows[0]) if rows.size else None,
                int(rows.size),
            )
    # A book without rows names no policy, and its accounts need no rule of one.
    return book.policy_names or (labels[0],)


def the_one_policy(policies: Sequence[MarginPolicy], holder: str, instead: str) -> MarginPolicy:
    """The policy of what holds only one.

    Raises
    ------
    InputError
        For several, saying what to ask `instead`.
    """
    if len(policies) != 1:
        found = ", ".join(policy.id for policy in policies)
        raise InputError("policy", f"is not one: this {holder} has several", instead, found)
    return policies[0]
