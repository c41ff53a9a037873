"""Words that every report uses."""

from levcore.reports.numbers import count
from levcore.status import AccountStatus, State, Status

__all__ = ["number_of", "state_word", "status_word"]


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
