"""Which asset rules each policy of a comparison takes for what accounts of the book hold and settle in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from levcore.book.positions import PositionBook
from levcore.comparison.instruments import Match
from levcore.rules.assets import AssetTable
from levcore.rules.policy import MarginPolicy

__all__ = ["AssetMatch", "match_assets"]


@dataclass(frozen=True)
class AssetMatch:
    """Assets of one policy.

    Parameters
    ----------
    assets : AssetTable
        The policy's own, and those borrowed.
    own : tuple of str
        Names that the book needs and the policy's table holds.
    borrowed : tuple of str
        Those whose rules are those of another policy, `lender`.
    missing : tuple of str
        Those without rules: accounts that hold them, or settle in them, have no number under this policy.
    lender : str
        Label of the policy asked for what this one does not hold; empty where none was.
    """

    assets: AssetTable = field(default_factory=AssetTable)
    own: tuple[str, ...] = ()
    borrowed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lender: str = ""


def match_assets(
    book: PositionBook,
    policies: Mapping[str, MarginPolicy],
    matches: Mapping[str, Match],
    lender: tuple[str, MarginPolicy] | None,
) -> dict[str, AssetMatch]:
    """Match what the accounts of a book hold and settle in with the assets of each policy.

    Parameters
    ----------
    book : PositionBook
    policies : mapping of label to MarginPolicy
        Whose assets to take. Where an account is one wallet, none is needed.
    matches : mapping of label to Match
        Instruments of each policy, which say what positions settle in.
    lender : label and MarginPolicy, optional
        Whose assets to take where a policy holds none.
    """
    names = _instruments_of_balances(book)
    return {
        label: _match(_needed(book, names, matches[label]), label, policy, lender)
        for label, policy in policies.items()
    }


def _instruments_of_balances(book: PositionBook) -> list[str]:
    """Instruments of the cross positions of accounts with balances."""
    if book.balance_columns is None or book.account_codes is None:
        return []
    legs = np.flatnonzero(book.is_cross)
    in_assets = np.isin(book.account_codes[legs], book.balance_columns.account)
    return [book.instrument_names[code] for code in np.unique(book.instrument_codes[legs[in_assets]])]


def _needed(book: PositionBook, names: Iterable[str], match: Match) -> tuple[str, ...]:
    held = () if book.balances is None else book.balances.asset_names
    settled = (match.instruments[name].settlement for name in names if name in match.instruments)
    return tuple(dict.fromkeys((*held, *filter(None, settled))))


def _match(
    needed: tuple[str, ...], label: str, policy: MarginPolicy, lender: tuple[str, MarginPolicy] | None
) -> AssetMatch:
    if policy.liabilities_count_as == "none":
        return AssetMatch(policy.assets)
    lent = {} if lender is None else lender[1].assets
    own = tuple(name for name in needed if name in policy.assets)
    borrowed = tuple(name for name in needed if name not in policy.assets and name in lent)
    return AssetMatch(
        assets=policy.assets.with_assets(lent[name] for name in borrowed),
        own=own,
        borrowed=borrowed,
        missing=tuple(name for name in needed if name not in own and name not in borrowed),
        lender=lender[0] if lender is not None and lender[0] != label else "",
    )
