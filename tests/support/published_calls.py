"""Published numbers of single functions: closing steps and margin in whole quantums.

A run names a function of `support.closing` and its arguments, ``{"call": "bankruptcy.closing_bounds",
"arguments": {...}}``. An argument that is such a call itself is made first; a text is an exact number,
``"499.99"`` or ``"1/3"``. Results are exact and compared so.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

from levcore.status import Status

ROUNDINGS: dict[str, Callable[[Fraction], int]] = {"cut": floor, "up": ceil}


@dataclass(frozen=True, slots=True)
class ExactComparison:
    """A printed number beside levcore's, where both are exact.

    Parameters
    ----------
    expected : dict
        ``printed`` as the venue has it, in units of ``scale`` (default 1), and ``digits`` "cut" or "up" where
        it drops what is less than one; ``item`` is the place or name in a result of several numbers.
    number : int, Fraction or bool
        levcore's.
    """

    expected: dict[str, Any]
    number: Fraction
    status: int = Status.OK
    is_of_printed_digits: bool = True

    @property
    def relative_deviation(self) -> float:
        """Deviation as a fraction of what was printed."""
        printed = self._printed
        deviation = abs(self._displayed - printed)
        return float(deviation / abs(printed)) if printed else float(deviation)

    def check(self) -> None:
        """Assert that the numbers are equal."""
        assert self._displayed == self._printed, f"{self.number}, printed {self.expected['printed']}"

    @property
    def _printed(self) -> Fraction:
        return Fraction(self.expected["printed"])

    @property
    def _displayed(self) -> Fraction:
        number = self.number / Fraction(self.expected.get("scale", 1))
        return Fraction(ROUNDINGS[self.expected["digits"]](number)) if "digits" in self.expected else number


def exact_comparisons(run: dict[str, Any]) -> Iterator[ExactComparison]:
    """Every printed number of a run beside the result of its call."""
    result = value_of(run)
    for expected in run["expected"]:
        yield ExactComparison(expected, Fraction(item_of(result, expected.get("item"))))


def item_of(result: Any, item: int | str | None) -> Any:
    """Number of a result: the result, a place in it, or one of its attributes."""
    if item is None:
        return result
    return result[item] if isinstance(item, int) else getattr(result, item)


def value_of(given: Any) -> Any:
    """Argument of a call, or the result of one."""
    if isinstance(given, str):
        return Fraction(given)
    if isinstance(given, list):
        return [value_of(each) for each in given]
    if not isinstance(given, dict):
        return given
    module, name = given["call"].split(".")
    arguments = {key: value_of(each) for key, each in given["arguments"].items()}
    return getattr(importlib.import_module(f"support.closing.{module}"), name)(**arguments)
