"""What a policy refuses of a book, and why."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from levcore.errors import InputError, LevcoreError, TierError, UnknownRuleError

__all__ = ["Refusal", "Withheld", "refusal_of"]

OF_THE_BOOK = ("margin_mode", "balances", "tiers")
"""Arguments whose errors say that this policy has no such positions or accounts; others are of the call."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer of a policy that cannot evaluate the book.

    Parameters
    ----------
    matter : str
        The rule that no source states, or what of the book its accounts cannot hold.
    reason : str
        Why the rule is not known; empty where the policy does not say, or no rule is at fault.
    remedy : str
        How to state the rule, or what the policy takes instead.
    can_be_stated : bool
        Whether a rule is at fault, so that the caller can state it.
    """

    matter: str
    reason: str
    remedy: str
    can_be_stated: bool

    @property
    def words(self) -> str:
        """Matter and reason."""
        return self.matter + (f", because: {self.reason}" if self.reason else "")

    def __str__(self) -> str:
        """Build the sentence: matter and reason."""
        return f"refuses: {self.words}"


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """Part of the book that a policy refuses while it answers for the rest.

    Parameters
    ----------
    what : str
        What its positions have in common: ``"of cross margin"``.
    rows : ndarray of int, shape (r,)
        They have the status ``REFUSED``, and NaN for every number.
    accounts : ndarray of int, shape (c,)
        Places in ``book.account_ids`` of the accounts that have no numbers either.
    refusal : Refusal
        Why.
    """

    what: str
    rows: npt.NDArray[np.intp]
    accounts: npt.NDArray[np.intp]
    refusal: Refusal

    def __str__(self) -> str:
        """Build the sentence: how many, and why."""
        positions = "1 position" if self.rows.size == 1 else f"{self.rows.size:,} positions"
        accounts = "1 account" if self.accounts.size == 1 else f"{self.accounts.size:,} accounts"
        where = f" in {accounts}" if self.accounts.size else ""
        return f"refuses {positions} {self.what}{where}: {self.refusal.words}"


def refusal_of(error: LevcoreError) -> Refusal:
    """What an error says of a policy that evaluates a book.

    Raises
    ------
    InputError
        The error itself, where it is one of the call, such as for a variable of the environment.
    """
    if isinstance(error, UnknownRuleError):
        return Refusal(f"rule {error.rule}", error.found, error.expected, can_be_stated=True)
    if isinstance(error, TierError):
        return Refusal(f"{error.instrument} {error.rule}", error.found, error.expected, can_be_stated=True)
    if isinstance(error, InputError) and error.argument not in OF_THE_BOOK:
        raise error
    # What this policy's accounts cannot hold, another's may.
    remedy = f"{error.expected} instead of {error.found}"
    return Refusal(f"{error.argument} {error.rule}", "", remedy, can_be_stated=False)
