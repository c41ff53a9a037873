"""Words that every report uses."""

import numpy as np

from levcore.reports.numbers import count
from levcore.status import AccountStatus, State, Status

__all__ = ["number_of", "state_word", "status_word", "value_text"]


def state_word(state: State) -> str:
    """Name of a state as the reports write it."""
    return state.name.lower().replace("_", " ")


def status_word(status: Status | AccountStatus) -> str:
    """Name of a status as the reports write it."""
    return status.name.lower().replace("_", " ")


def number_of(number: int, thing: str) -> str:
    """Count with its noun.

    Examples
    --------
    >>> number_of(1, "account"), number_of(2000, "account")
    ('1 account', '2,000 accounts')
    """
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def value_text(value: object) -> str:
    """Value of a rule in words; a number with all of its digits.

    Examples
    --------
    >>> value_text(True), value_text(None), value_text(0.00005), value_text(("base", "quote"))
    ('yes', 'not published', '0.00005', 'base, quote')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(value_text, value))
    if isinstance(value, float):
        return np.format_float_positional(value, trim="-")
    return "not published" if value is None else str(value)
