"""The insurance fund of a close-out: what it has, how far it goes, which claims it takes part in."""

import math
from dataclasses import dataclass

from levcore.arguments import is_number, of_kind
from levcore.errors import InputError
from levcore.rules.funds import FundRules

__all__ = ["Fund"]


@dataclass(frozen=True, slots=True)
class Fund:
    """An insurance fund with its limits, as ``levcore.close_out(fund=...)`` takes it.

    Parameters
    ----------
    balance : float, settlement currency
    floor : float, settlement currency
        Balance below which it does not go: what is missing beyond falls on the next payer.
    largest_value : float, settlement currency
        Largest value that is closed of a position for which it pays.

    Raises
    ------
    InputError
        For an amount that is negative, or no number.
    """

    balance: float
    floor: float = 0.0
    largest_value: float = math.inf

    def __post_init__(self) -> None:
        """Check the amounts."""
        for name in ("balance", "floor", "largest_value"):
            amount = getattr(self, name)
            endless = name == "largest_value" and isinstance(amount, float) and amount == math.inf
            if not endless and not (is_number(amount) and 0 <= amount < math.inf):
                raise InputError("fund", f"must have an amount as its {name}", ">= 0", repr(amount))

    @classmethod
    def under(cls, rules: FundRules, balance: float, *, peak: float | None = None) -> "Fund":
        """Fund under dated rules of a venue, see `levcore.fund_rules`.

        Parameters
        ----------
        rules : FundRules
        balance : float, settlement currency
        peak : float, optional
            What its fall is measured from, over the window of the rules; absent: `balance`.
        """
        of_kind("rules", rules, FundRules)
        if peak is not None and not (is_number(peak) and 0 <= peak < math.inf):
            raise InputError("peak", "must be amounts", ">= 0", repr(peak))
        top = cls(balance).balance if peak is None else peak
        balance = cls(balance).balance
        floor = 0.0
        if rules.largest_fall < 1:
            floor = max(top - max(rules.largest_fall * top, rules.least_fall), 0.0)
        share = rules.largest_share
        return cls(balance, floor, share * balance if math.isfinite(share) else share)
