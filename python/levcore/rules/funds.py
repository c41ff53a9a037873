"""What insurance funds pay, by venue and date: ``data/funds.toml``."""

import math
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from levcore.arguments import is_number, is_word, texts_of
from levcore.errors import DTypeError, InputError

__all__ = ["FundRules", "fund_rules"]

FILE = Path(__file__).with_name("data") / "funds.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class FundRules:
    """Rules of a venue's insurance fund since a date.

    Attributes
    ----------
    venue : str
    since : str
        First day, ``YYYY-MM-DD`` or less where less is known; empty for the first rules of a venue.
    largest_share : float
        Largest value of a position that it closes, as a share of its balance; infinite without such a limit.
    largest_fall : float
        Fall over the window, as a share of what it is measured from, after which it pays no more; 1 where it
        pays until nothing is left.
    least_fall : float, settlement currency
        Fall that is always allowed.
    measured_from : {"peak", "mean"}
        Highest or mean balance of the window.
    window_hours, returns_after_hours : float
        Hours over which the fall is measured, and after which the fund returns; NaN where not stated.
    largest_fee : float
        Highest fee on liquidations; NaN where not stated.
    own_funds : tuple of str
        Instruments with a fund of their own.
    evidence, source, dated : str
        Mark and text of the evidence, address or title of the source, its date.
    """

    venue: str
    since: str
    evidence: str
    source: str
    dated: str
    largest_share: float = math.inf
    largest_fall: float = 1.0
    least_fall: float = 0.0
    measured_from: str = "peak"
    window_hours: float = math.nan
    returns_after_hours: float = math.nan
    largest_fee: float = math.nan
    own_funds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the texts and the ranges."""
        texts_of(self, "venue", "since", "evidence", "source", "dated")
        if not is_word(self.measured_from, ("peak", "mean")):
            expected, found = "'peak' or 'mean'", repr(self.measured_from)
            raise InputError("measured_from", "must be a known choice", expected, found)
        for name in ("largest_share", "largest_fall", "least_fall", "window_hours", "returns_after_hours"):
            value = getattr(self, name)
            if not (is_number(value) and (value >= 0.0 or (math.isnan(value) and name.endswith("hours")))):
                raise InputError(name, "must be amounts", ">= 0", repr(value))
        fee = self.largest_fee
        if not is_number(fee) or fee < 0.0:
            raise InputError("largest_fee", "must be amounts", ">= 0, NaN where not stated", repr(fee))
        if not isinstance(self.own_funds, tuple) or not all(isinstance(each, str) for each in self.own_funds):
            found = type(self.own_funds).__name__
            raise DTypeError("own_funds", "must be names of instruments", "a tuple of texts", found)


def fund_rules(venue: str, on: str | None = None) -> FundRules:
    """Rules of the insurance fund of a venue on a day.

    Parameters
    ----------
    venue : str
    on : str, optional
        Day, ``YYYY-MM-DD``; the newest rules by default.

    Raises
    ------
    InputError
        Where no rules of the venue are bundled, and for what is no day.

    Examples
    --------
    >>> import levcore as lc
    >>> lc.fund_rules("Binance", "2019-08-01").largest_share
    0.2
    """
    found = [rules for rules in _all() if rules.venue.lower() == str(venue).lower()]
    if not found:
        known = ", ".join(sorted({rules.venue for rules in _all()}))
        raise InputError("venue", "has no fund rules that are bundled", known, repr(venue))
    if on is not None and not (isinstance(on, str) and _is_day(on)):
        raise InputError("on", "must be a day", "'YYYY-MM-DD'", repr(on))
    on = "9999" if on is None else on
    held = [rules for rules in found if rules.since <= on]
    if not held:
        raise InputError(
            "on", "is before the first rules of the venue", min(each.since for each in found), repr(on)
        )
    return max(held, key=lambda rules: rules.since)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@cache
def _all() -> tuple[FundRules, ...]:
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        FundRules(**{**rules, "own_funds": tuple(rules.get("own_funds", ()))}) for rules in data["rules"]
    )
