"""Words that every report uses."""

from levcore.reports.numbers import count

__all__ = ["number_of"]


def number_of(number: int, thing: str) -> str:
    """Count with its noun.

    Examples
    --------
    >>> number_of(1, "account"), number_of(2000, "account")
    ('1 account', '2,000 accounts')
    """
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"
