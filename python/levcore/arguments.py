"""What every public call asks of its arguments before it uses them."""

import math
import operator
import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

from levcore.errors import DTypeError, InputError

__all__ = [
    "a_path",
    "is_number",
    "is_word",
    "likely_of",
    "number_in",
    "of_kind",
    "optional",
    "rows_of",
    "texts_of",
    "whole_number",
]


def of_kind(argument: str, value: object, kind: type) -> None:
    """Refuse what is no `kind`.

    Raises
    ------
    DTypeError
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise DTypeError(argument, f"must be {article} {kind.__name__}", kind.__name__, type(value).__name__)


def optional(argument: str, value: object, kind: type) -> None:
    """Refuse what is neither None nor a `kind`.

    Raises
    ------
    DTypeError
    """
    if value is not None:
        of_kind(argument, value, kind)


def a_path(argument: str, value: object) -> None:
    """Refuse what names no file.

    Raises
    ------
    DTypeError
    """
    if not isinstance(value, str | os.PathLike):
        raise DTypeError(argument, "must be a path", "text or a Path", type(value).__name__)


def texts_of(owner: object, *names: str) -> None:
    """Refuse fields that are no text.

    Raises
    ------
    DTypeError
    """
    for name in names:
        of_kind(name, getattr(owner, name), str)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a real number; True and False are not, though Python counts with them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2**1023  # beyond that float64 has none
    return isinstance(value, float)


def is_word(value: object, words: Iterable[str]) -> bool:
    """Whether a value is one of some words; an array has no truth to compare."""
    return isinstance(value, str) and value in words


def likely_of(name: str, names: Sequence[str], everything: str) -> str:
    """Which names were likely meant: those that begin so, in any case and separator, or that are close.

    Parameters
    ----------
    name : str
        What was given.
    names : sequence of str
        What there is, words separated by ``-`` or by ``_``.
    everything : str
        What to say where none is likely.

    Examples
    --------
    >>> likely_of("Closing-Fee", ("closing_fee_rate", "closing_fee_basis", "ratio"), "a rule")
    'one of closing_fee_rate, closing_fee_basis'
    """
    from difflib import get_close_matches

    separator = "_" if any("_" in each for each in names) else "-"
    plain = separator.join(name.lower().replace("_", " ").replace("-", " ").split())
    begun = [each for each in names if plain and each.startswith(plain)]
    likely = begun or get_close_matches(plain, names, n=3, cutoff=0.6)
    return f"one of {', '.join(likely)}" if likely else everything


def number_in(argument: str, value: Any, low: float, high: float, rule: str, expected: str) -> None:
    """Refuse what is no number strictly between two bounds.

    Raises
    ------
    DTypeError, InputError
    """
    try:
        number = float(value) if not isinstance(value, (str, bytes, bool)) else math.nan
    except (TypeError, ValueError, ArithmeticError):
        raise DTypeError(argument, "must be a number", expected, type(value).__name__) from None
    if not low < number < high:
        raise InputError(argument, rule, expected, repr(value))


def whole_number(argument: str, value: Any) -> int:
    """Value as int.

    Raises
    ------
    DTypeError
    """
    try:
        return operator.index(value)
    except TypeError:
        raise DTypeError(argument, "must be a whole number", "int", type(value).__name__) from None


def rows_of(argument: str, value: Any) -> list[Any]:
    """Rows as a list.

    Raises
    ------
    DTypeError
        For what has none.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise DTypeError(argument, "must be a sequence of rows", "rows", type(value).__name__)
    return list(value)
