"""Published numbers of single functions: closing steps and margin in whole quantums.

A run names a function of levcore and its arguments, ``{"call": "close_out.closing_bounds", "arguments":
{...}}``. An argument that is such a call itself is made first; a text is an exact number, ``"499.99"`` or
``"1/3"``. Results are exact and compared so.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from levcore.status import Status


@dataclass(frozen=True, slots=True)
class ExactComparison:
    """A printed number beside levcore's, where both are exact.

    Parameters
    ----------
    expected : dict
        ``printed`` as the venue has it, in units of ``scale`` (default 1); ``item`` is the place in a result
        of several numbers.
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
        deviation = abs(self.number - printed)
        return float(deviation / abs(printed)) if printed else float(deviation)

    def check(self) -> None:
        """Assert that the numbers are equal."""
        assert self.number == self._printed, f"{self.number}, printed {self.expected['printed']}"

    @property
    def _printed(self) -> Fraction:
        return Fraction(self.expected["printed"]) * Fraction(self.expected.get("scale", 1))


def exact_comparisons(run: dict[str, Any]) -> Iterator[ExactComparison]:
    """Every printed number of a run beside the result of its call."""
    result = value_of(run)
    for expected in run["expected"]:
        number = result[expected["item"]] if "item" in expected else result
        yield ExactComparison(expected, Fraction(number))


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
    return getattr(importlib.import_module(f"levcore.{module}"), name)(**arguments)
