"""Scenario arrays: the profit of one long contract of each instrument in each scenario.

Contracts whose profit follows from the price alone have closed forms here. Options do not: their arrays come
from the caller's pricing model or from the clearing house's files.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from levcore._levcore import price_grid_profits, span_future_profits
from levcore.book.arrays import (
    Codes,
    Floats,
    flat_array,
    float_column,
    label_sequence,
    read_only,
    real_number,
)
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.frozen import Frozen
from levcore.rules.instruments import Instrument

__all__ = ["SPAN_SCENARIOS", "ScenarioArrays", "float_table", "volatility_shock"]

Groups = Mapping[str, str] | Sequence[str]

SPAN_SCENARIOS = (
    "price unchanged, volatility up",
    "price unchanged, volatility down",
    "price up 1/3, volatility up",
    "price up 1/3, volatility down",
    "price down 1/3, volatility up",
    "price down 1/3, volatility down",
    "price up 2/3, volatility up",
    "price up 2/3, volatility down",
    "price down 2/3, volatility up",
    "price down 2/3, volatility down",
    "price up 3/3, volatility up",
    "price up 3/3, volatility down",
    "price down 3/3, volatility up",
    "price down 3/3, volatility down",
    "price up extreme, fraction of the loss",
    "price down extreme, fraction of the loss",
)
"""The sixteen SPAN scenarios in their order; thirds are of the price scan range."""


class ScenarioArrays(Frozen):
    """Profit of one long contract of each instrument in each scenario, immutable.

    Made by `from_profits`, `from_losses`, `price_grid` or `span_futures`, put together with `joined_with`.

    Attributes
    ----------
    profits : ndarray of float64, shape (instruments, scenarios), settlement currency
        Profit (+) or loss (-) of one contract held long; NaN: unknown, whoever holds it is incomplete.
    instruments : tuple of str
        Names, as the positions name them.
    scenarios : tuple of str
        Labels.
    groups : tuple of str
        Groups in the order of their first instrument. Instruments of a group net scenario by scenario;
        groups do not offset each other unless a `levcore.scenarios.GroupOffsets` says so.
    group_codes : ndarray of uint32, shape (instruments,)
        Place of each instrument's group in `groups`.
    """

    __slots__ = ("group_codes", "groups", "instruments", "places", "profits", "scenarios")

    _instead = "make new arrays, as with ScenarioArrays.from_profits(...)"

    instruments: tuple[str, ...]
    scenarios: tuple[str, ...]
    places: dict[str, int]
    groups: tuple[str, ...]
    group_codes: Codes
    profits: Floats

    def __init__(
        self,
        profits: npt.NDArray[np.float64],
        instruments: Sequence[str],
        scenarios: Sequence[str] | None,
        groups: Groups | None,
    ) -> None:
        width = profits.shape[1]
        numbers = [str(number + 1) for number in range(width)]
        names = _names("instruments", instruments, profits.shape[0])
        labels = _names("scenarios", numbers if scenarios is None else scenarios, width)
        if not labels:
            raise ShapeError("scenarios", "must not be empty", "at least one scenario", "none")
        codes: dict[str, int] = {}
        of_instrument = [codes.setdefault(group, len(codes)) for group in _group_labels(groups, names)]
        fields = {
            "instruments": names,
            "scenarios": labels,
            "places": {name: place for place, name in enumerate(names)},
            "groups": tuple(codes),
            "group_codes": np.array(of_instrument, dtype=np.uint32),
            # A copy, so that arrays stay what they were when they were checked.
            "profits": np.array(profits, dtype=np.float64, order="C"),
        }
        self._fill(**{name: read_only(value) for name, value in fields.items()})

    @classmethod
    def from_profits(
        cls,
        profits: npt.ArrayLike,
        instruments: Sequence[str],
        *,
        scenarios: Sequence[str] | None = None,
        groups: Groups | None = None,
    ) -> "ScenarioArrays":
        """Arrays whose numbers are profits: positive where one contract held long gains.

        Parameters
        ----------
        profits : array_like, shape (instruments, scenarios), settlement currency
            NaN: unknown.
        instruments : sequence of str
            Distinct names.
        scenarios : sequence of str, optional
            Labels; default: numbers from 1.
        groups : mapping of instrument to group, or sequence of str, shape (instruments,), optional
            What nets with what: combined commodity, class, underlying. Default: each instrument alone, so
            that nothing nets but positions in it.

        Raises
        ------
        ShapeError, DTypeError, InputError
            For tables that are not of this shape or of numbers, repeated names, instruments without a group.
        """
        return cls(float_table("profits", profits, "an instrument"), instruments, scenarios, groups)

    @classmethod
    def from_losses(
        cls,
        losses: npt.ArrayLike,
        instruments: Sequence[str],
        *,
        scenarios: Sequence[str] | None = None,
        groups: Groups | None = None,
    ) -> "ScenarioArrays":
        """Arrays whose numbers are losses, as in CME files: positive where one contract held long loses.

        Parameters and errors as in `from_profits`.

        References
        ----------
        .. [1] CME, Components of SPAN, http://www.cme.com/clearing/rmspan/span/components.html
        """
        # Less the loss, not minus it: no loss is a profit of 0, not of -0.
        return cls(0.0 - float_table("losses", losses, "an instrument"), instruments, scenarios, groups)

    @classmethod
    def price_grid(
        cls,
        instruments: Iterable[Instrument],
        marks: Mapping[str, float],
        moves: Sequence[float],
        *,
        covers: float | Sequence[float] = 1.0,
        scenarios: Sequence[str] | None = None,
        groups: Groups | None = None,
    ) -> "ScenarioArrays":
        """Linear, inverse and quanto contracts as their prices move by fractions of the mark.

        Parameters
        ----------
        instruments : iterable of Instrument
            Payoff, contract size and multiplier; an `InstrumentTable` gives its ``values()``.
        marks : mapping of instrument name to price, quote per base
            An instrument without a positive finite mark gets an array of NaN.
        moves : sequence of float, shape (scenarios,), fractions of the mark
            Above -1; ``-0.15`` is a fall by 15 %.
        covers : float or sequence of float, shape (scenarios,)
            Fraction of the profit or loss that counts; above 0.
        scenarios, groups
            As in `from_profits`; labels are the moves by default.

        Raises
        ------
        InputError
            For moves of -1 or below, covers not above 0, and as in `from_profits`.

        Notes
        -----
        One contract gains ``(d * contract_size) * (x(mark * (1 + move)) - x(mark)) * cover`` with the
        coordinate ``x = price * multiplier``, or ``1 / price`` and ``d = -1`` where the contract is inverse.
        """
        held = tuple(instruments)
        odd = next((each for each in held if not isinstance(each, Instrument)), None)
        if odd is not None:
            raise DTypeError("instruments", "must hold instruments", "Instrument", type(odd).__name__)
        contracts: list[tuple[str, float, float]] = [
            (each.payoff, each.contract_size, each.multiplier) for each in held
        ]
        column = float_column("moves", moves, None, [])
        _refuse("moves", column, column > -1.0, "must leave a price above 0", "above -1")
        fractions = float_column("covers", covers, column.size, [])
        _refuse("covers", fractions, fractions > 0.0, "must be fractions that count", "above 0")
        prices = np.array(
            [real_number("marks", marks.get(each.name), place) for place, each in enumerate(held)]
        )
        profits = price_grid_profits(contracts, prices, column, fractions)
        labels = [f"{100.0 * move:+g} %" for move in column.tolist()] if scenarios is None else scenarios
        return cls(profits, [each.name for each in held], labels, groups)

    @classmethod
    def span_futures(
        cls,
        price_scan_range: Mapping[str, float],
        *,
        extreme_multiple: float,
        extreme_cover: float,
        groups: Groups | None = None,
    ) -> "ScenarioArrays":
        """Futures in the sixteen SPAN scenarios; volatility does not move them.

        Parameters
        ----------
        price_scan_range : mapping of instrument to amount, settlement currency a contract
            What one contract gains as its price rises through the whole scan range; NaN: unknown.
        extreme_multiple : float
            Extreme move as a multiple of the scan range, above 0. Stated in the clearing house's parameter
            file for each product; levcore knows no default.
        extreme_cover : float
            Fraction of the extreme profit or loss that counts, above 0; likewise.
        groups
            As in `from_profits`: the combined commodity of each contract.

        Raises
        ------
        InputError
            For ranges or factors that are not positive.

        Examples
        --------
        >>> from levcore.scenarios import ScenarioArrays
        >>> arrays = ScenarioArrays.span_futures({"ES": 3_000.0}, extreme_multiple=2.0, extreme_cover=0.35)
        >>> arrays.profits[0, [2, 4, 10, 12, 14, 15]].tolist()
        [1000.0, -1000.0, 3000.0, -3000.0, 2100.0, -2100.0]
        """
        for name, factor in (("extreme_multiple", extreme_multiple), ("extreme_cover", extreme_cover)):
            if not 0.0 < real_number(name, factor) < np.inf:
                raise InputError(name, "must be positive and finite", "> 0", repr(factor))
        ranges = float_column("price_scan_range", list(price_scan_range.values()), None, [])
        _refuse("price_scan_range", ranges, ~(ranges <= 0.0), "must be positive", "> 0, or NaN where unknown")
        rows = [span_future_profits(each, extreme_multiple, extreme_cover) for each in ranges.tolist()]
        profits = np.array(rows, dtype=np.float64).reshape(len(rows), len(SPAN_SCENARIOS))
        return cls(profits, list(price_scan_range), SPAN_SCENARIOS, groups)

    def joined_with(self, other: "ScenarioArrays") -> "ScenarioArrays":
        """Both tables in one; groups of the same name are one group.

        Raises
        ------
        InputError
            Where the scenarios differ or an instrument is in both.
        """
        if self.scenarios != other.scenarios:
            raise InputError(
                "scenarios", "must be the same in both", repr(self.scenarios), repr(other.scenarios)
            )
        return ScenarioArrays(
            np.concatenate((self.profits, other.profits)),
            self.instruments + other.instruments,
            self.scenarios,
            [*self.group_labels(), *other.group_labels()],
        )

    def group_labels(self) -> tuple[str, ...]:
        """Group of each instrument."""
        return tuple(self.groups[code] for code in self.group_codes.tolist())

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what it is made of, so that the copy is as immutable."""
        return ScenarioArrays, (self.profits, self.instruments, self.scenarios, self.group_labels())

    def __repr__(self) -> str:
        """Sizes of the table."""
        return (
            f"ScenarioArrays({len(self.instruments):,} instruments, {len(self.scenarios)} scenarios, "
            f"{len(self.groups):,} groups)"
        )


def volatility_shock(base: float, days_to_expiry: float, power: float) -> float:
    """Change of an implied volatility that is largest for short expiries: ``base * (30 / days) ** power``.

    An input of the model that prices the options, whose profits then go to `ScenarioArrays.from_profits`. The
    last bit of a power depends on the platform, so it has no place in the kernel.

    Parameters
    ----------
    base : float
        Change at 30 days to expiry, a fraction of volatility or in points of it; above 0.
    days_to_expiry : float, days
        Above 0.
    power : float
        0.5 for the square root of time.

    Raises
    ------
    InputError
        For a base or days that are not positive, or a power that is not finite.

    References
    ----------
    .. [1] Deribit, Portfolio margin, https://www.deribit.com/docs/category/uncategorized/

    Examples
    --------
    >>> from levcore.scenarios import volatility_shock
    >>> round(volatility_shock(0.40, 15.0, 0.5), 3)
    0.566
    """
    for name, number in (("base", base), ("days_to_expiry", days_to_expiry)):
        if not 0.0 < real_number(name, number) < np.inf:
            raise InputError(name, "must be positive and finite", "> 0", repr(number))
    if not np.isfinite(real_number("power", power)):
        raise InputError("power", "must be finite", "a number", repr(power))
    return float(base * (30.0 / days_to_expiry) ** power)


def float_table(name: str, values: npt.ArrayLike, row: str) -> Floats:
    """A table of numbers as float64 with one row for each `row`, missing ones NaN.

    Raises
    ------
    ShapeError, DTypeError
        For what has not two dimensions or holds no real numbers.
    """
    table = values if isinstance(values, np.ma.MaskedArray) else flat_array(name, values)
    if table.ndim != 2:
        raise ShapeError(name, f"must have one row {row}", "2 dimensions", f"{table.ndim} dimensions")
    return float_column(name, table.reshape(-1), None, []).reshape(table.shape)


def _names(argument: str, names: Sequence[str], expected: int) -> tuple[str, ...]:
    labels = tuple(label_sequence(argument, names))
    for place, label in enumerate(labels):
        if not isinstance(label, str):
            raise DTypeError(argument, "must hold names", "str", repr(label), place)
    if len(labels) != expected:
        raise ShapeError(argument, "must fit the table", f"{expected} names", str(len(labels)))
    if len(set(labels)) != len(labels):
        place = next(place for place, label in enumerate(labels) if label in labels[:place])
        raise InputError(argument, "must not repeat a name", "distinct names", repr(labels[place]), place)
    return labels


def _group_labels(groups: Groups | None, instruments: tuple[str, ...]) -> Sequence[str]:
    if groups is None:
        return instruments
    if isinstance(groups, Mapping):
        missing = next((name for name in instruments if name not in groups), None)
        if missing is not None:
            raise InputError("groups", "must hold every instrument", "a group for each", repr(missing))
        return [_group_name(groups[name], place) for place, name in enumerate(instruments)]
    labels = label_sequence("groups", groups)
    if len(labels) != len(instruments):
        raise ShapeError(
            "groups", "must have one value an instrument", str(len(instruments)), str(len(labels))
        )
    return [_group_name(label, place) for place, label in enumerate(labels)]


def _group_name(label: object, place: int) -> str:
    if not isinstance(label, str):
        raise DTypeError("groups", "must hold names", "str", repr(label), place)
    return str(label)


def _refuse(argument: str, column: Floats, good: npt.NDArray[np.bool_], rule: str, expected: str) -> None:
    """Refuse a parameter with a value outside of its range; NaN is `good` only where the caller says so."""
    bad = ~good | np.isinf(column)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(argument, rule, expected, str(column[row]), row, int(bad.sum()))
