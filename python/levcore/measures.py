"""The closed table of measures: name, unit and meaning, from the core."""

from dataclasses import dataclass

from levcore import _levcore
from levcore.errors import InputError

__all__ = ["ACCOUNT_MEASURES", "MEASURES", "MEASURE_NAMES", "Measure", "measure_mask"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a position.

    Parameters
    ----------
    name : str
        Column of `levcore.BookRisk`.
    unit : str
        Unit of its values.
    doc : str
        Meaning, sign and formula in words.
    """

    name: str
    unit: str
    doc: str


MEASURES: tuple[Measure, ...] = tuple(Measure(*entry) for entry in _levcore.measures())
"""Every measure of a position, in the order of the outputs."""
MEASURE_NAMES: tuple[str, ...] = tuple(measure.name for measure in MEASURES)
ACCOUNT_MEASURES: tuple[str, ...] = tuple(_levcore.account_measures())
"""Names of the measures of a cross account, in the order of the outputs."""

_PLACES = {name: place for place, name in enumerate(MEASURE_NAMES)}


def measure_mask(names: tuple[str, ...]) -> int:
    """Bit mask of the measures named, bit 0 the first of `MEASURES`.

    Raises
    ------
    InputError
        For a name that is none of `MEASURES`, or no name at all.
    """
    if isinstance(names, str):
        raise InputError(
            "measures", "must be a sequence of names", "a tuple of names", f"the string {names!r}"
        )
    mask = 0
    for name in names:
        place = _PLACES.get(name)
        if place is None:
            raise InputError(
                "measures", "must be names of levcore.MEASURES", ", ".join(MEASURE_NAMES), repr(name)
            )
        mask |= 1 << place
    if not mask:
        raise InputError("measures", "must name at least one measure", ", ".join(MEASURE_NAMES), "none")
    return mask
