"""Whether a policy answers for the positions and accounts of a book: what no source states is not guessed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.errors import InputError, UnknownRuleError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.compiled import CompiledPolicy
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy

__all__ = [
    "check_accounts",
    "check_isolated_only",
    "check_modes",
    "check_spellings",
    "rows_for_isolated_margin_alone",
    "same_contracts",
    "same_listed",
    "second_names",
]


def check_modes(
    policy: "MarginPolicy", compiled: "CompiledPolicy", is_cross: npt.NDArray[np.bool_], position_mode: str
) -> None:
    """Refuse positions that need a rule that no source states.

    Raises
    ------
    UnknownRuleError
        Naming the rule and how to give it: one of a margin mode, or in hedge mode that for the legs of an
        account, which isolated positions do not need.
    """
    if position_mode == "hedge" and np.count_nonzero(is_cross):
        policy.known("hedge_requirement")
        policy.known("hedge_requirement_initial")
    if not compiled.unknown_for:
        return
    cross = np.count_nonzero(is_cross)
    for mode, present in (("cross", cross > 0), ("isolated", cross < is_cross.size)):
        rule = compiled.unknown_for.get(mode)
        if present and rule is not None:
            policy.known(rule)
            raise UnknownRuleError(
                policy.id,
                f"{rule}={getattr(policy, rule)!r} is not computed for {mode} positions",
                f"policy.replace({rule}='leverage'), or the account as one isolated position with its wallet"
                " as margin",
                policy.rests_on.about(rule),
            )


def check_isolated_only(
    policy: "MarginPolicy",
    names: Sequence[str],
    codes: npt.NDArray[np.integer],
    is_cross: npt.NDArray[np.bool_],
) -> None:
    """Refuse cross positions in contracts that the venue lists for isolated margin alone.

    Raises
    ------
    InputError
        Naming the contract, its first row and how to say that it may be held cross.
    """
    bad = rows_for_isolated_margin_alone(policy, names, codes, is_cross)
    if bad.size:
        row = int(bad[0])
        rule = f"must be isolated in contracts that {policy.id} lists for isolated margin alone"
        expected = "isolated, or the policy with Instrument(..., isolated_only=False)"
        raise InputError("margin_mode", rule, expected, f"cross in {names[codes[row]]!r}", row, int(bad.size))


def rows_for_isolated_margin_alone(
    policy: "MarginPolicy",
    names: Sequence[str],
    codes: npt.NDArray[np.integer],
    is_cross: npt.NDArray[np.bool_],
) -> npt.NDArray[np.intp]:
    """Rows of cross positions in contracts that the venue lists for isolated margin alone."""
    if not np.count_nonzero(is_cross):
        return np.empty(0, np.intp)
    found = [policy.instruments.get(name) for name in names]
    only = np.array([each is not None and each.isolated_only for each in found], dtype=np.bool_)
    return np.flatnonzero(is_cross & only[codes]) if only.any() else np.empty(0, np.intp)


def same_contracts(places: Sequence[int | None]) -> npt.NDArray[np.intp] | None:
    """For each name the first one that stands for the same contract; None where each stands for its own.

    `places` are those of the names among the policy's instruments; negative or None: not known.
    """
    known = [place for place in places if place is not None and place >= 0]
    if len(set(known)) == len(known):
        return None
    first: dict[int, int] = {}
    return np.array(
        [
            code if place is None or place < 0 else first.setdefault(place, code)
            for code, place in enumerate(places)
        ],
        dtype=np.intp,
    )


def same_listed(listed: Mapping[str, "Instrument"], names: Sequence[str]) -> npt.NDArray[np.intp] | None:
    """What `same_contracts` says of names and the instruments that a table lists for them."""
    first: dict[str, int] = {}
    return same_contracts(
        [
            first.setdefault(listed[name].name, code) if name in listed else None
            for code, name in enumerate(names)
        ]
    )


def check_spellings(
    policy: "MarginPolicy",
    same: npt.NDArray[np.intp] | None,
    book: "PositionBook",
    is_cross: npt.NDArray[np.bool_],
) -> None:
    """Refuse an account that holds one contract under two names: its legs would not be one position.

    `same` is what `same_contracts` gives for the book's names under the policy.

    Raises
    ------
    InputError
        Naming both, the account and the first such row.
    """
    if same is None or book.account_codes is None:
        return
    rows, names = np.flatnonzero(is_cross), book.instrument_names
    found = second_names(same, book.account_codes[rows], book.instrument_codes[rows])
    if found is not None:
        place, first, count = found
        row = int(rows[place])
        rule = f"must be spelled one way in account {book.account_of(row)!r}: one contract of {policy.id}"
        raise InputError("instrument", rule, repr(names[first]), repr(book.name_of(row)), row, count)


def second_names(
    same: npt.NDArray[np.intp], owners: npt.NDArray[np.integer], codes: npt.NDArray[np.integer]
) -> tuple[int, int, int] | None:
    """First row whose owner names its contract otherwise in an earlier one, that name, how many do so."""
    contracts = owners.astype(np.intp) * same.size + same[codes]
    _, first, contract = np.unique(contracts, return_index=True, return_inverse=True)
    bad = np.flatnonzero(codes != codes[first[contract]])
    return (int(bad[0]), int(codes[first[contract[bad[0]]]]), int(bad.size)) if bad.size else None


def check_accounts(policy: "MarginPolicy", book: "PositionBook") -> None:
    """Refuse a book whose accounts need a rule that no source states, or that the policy does not have.

    Raises
    ------
    UnknownRuleError
        For balances under a policy whose rule for liabilities is unknown.
    InputError
        For balances under a policy whose accounts are one wallet.
    """
    if book.balances is not None and policy.known("liabilities_count_as") == "none":
        raise InputError(
            "balances",
            f"belong to accounts in several assets; under {policy.id} an account is one wallet",
            "wallet_balance",
            "balances",
        )
    if book.balances is not None:
        policy.known("margins_convert_at")
