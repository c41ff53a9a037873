"""What a portfolio margin adds to the worst loss, as data: every number is the caller's, none has a default.

What is absent is not charged. Amounts are in settlement currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from levcore.arguments import of_kind
from levcore.book.arrays import real_number
from levcore.errors import DTypeError, InputError

__all__ = ["ContractCharge", "GroupOffsets", "ScenarioAddOns", "SpreadCharge"]

Amounts: TypeAlias = Mapping[str, float] | float


@dataclass(frozen=True, slots=True)
class ContractCharge:
    """Amounts for each contract of a net position.

    Parameters
    ----------
    long : mapping of instrument to amount, or one amount for all, optional
        For each contract that is held long, net; at least 0. Absent, or an instrument not in the mapping:
        nothing.
    short : mapping of instrument to amount, or one amount for all, optional
        For each contract that is held short, net.
    net_by : mapping of instrument to label, optional
        Instruments with one label are netted before they are charged, such as options of one strike; they
        must be of one group and have the same amounts. An instrument without a label is netted alone.

    Examples
    --------
    A short-option minimum of 50, and a minimum of 37.50 on either side:

    >>> from levcore.scenarios import ContractCharge
    >>> ContractCharge(short={"CALL": 50.0, "PUT": 50.0}).short
    {'CALL': 50.0, 'PUT': 50.0}
    >>> ContractCharge(long=37.5, short=37.5).long
    37.5
    """

    long: Amounts | None = None
    short: Amounts | None = None
    net_by: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.long is None and self.short is None:
            raise InputError("long, short", "one of them must be given", "an amount a contract", "neither")
        for name in ("long", "short"):
            amounts = getattr(self, name)
            for value in amounts.values() if isinstance(amounts, Mapping) else (amounts,):
                if value is not None:
                    _check(name, value, lowest=0.0)
        _check_labels("net_by", self.net_by)


@dataclass(frozen=True, slots=True)
class SpreadCharge:
    """A charge for what is long against what is short in a group: spreads that netting would make free.

    The charge of a group is ``charge * min(long size, short size)``; the sizes are sums over net positions of
    quantity times `size`.

    Parameters
    ----------
    size : mapping of instrument to size of one contract
        What counts on either side: delta, underlying units, or 1 a contract; may be negative (a put's delta).
        Instruments not in it form no spread.
    charge : mapping of group to amount
        For a unit of size on either side, at least 0. A group not in it is not charged.
    net_by : mapping of instrument to label, optional
        Instruments with one label are netted first, such as those of one expiry. Default: each alone.
    """

    size: Mapping[str, float]
    charge: Mapping[str, float]
    net_by: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, numbers in (("size", self.size), ("charge", self.charge)):
            if not isinstance(numbers, Mapping):
                raise DTypeError(name, "must be a mapping", "numbers by name", type(numbers).__name__)
            for value in numbers.values():
                _check(name, value, lowest=0.0 if name == "charge" else None)
        _check_labels("net_by", self.net_by)


@dataclass(frozen=True, slots=True)
class GroupOffsets:
    """Groups that offset each other at fixed fractions, scenario by scenario.

    In each scenario the losses of a pool's groups count in full and their gains with their fractions; the
    worst sum is the scan risk of the pool.

    Parameters
    ----------
    pool : mapping of group to pool
        Groups not in it stand alone.
    fraction : mapping of group to fraction, 0 to 1
        Part of its gain that counts against losses of other groups; needed for every group of a pool.
    """

    pool: Mapping[str, str]
    fraction: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check that the two fit each other."""
        for name in ("pool", "fraction"):
            of_kind(name, getattr(self, name), Mapping)
        _check_labels("pool", self.pool)
        if set(self.pool) != set(self.fraction):
            odd = sorted(set(self.pool) ^ set(self.fraction), key=str)[0]
            raise InputError("fraction", "must hold the groups of the pools", "the same groups", repr(odd))
        for value in self.fraction.values():
            _check("fraction", value, lowest=0.0, highest=1.0)


@dataclass(frozen=True, slots=True)
class ScenarioAddOns:
    """What is added to the scan risk and what it is compared with.

    Parameters
    ----------
    minimum : ContractCharge, optional
        The requirement of a pool of groups is at least the sum of these: short-option minimum, minimum charge
        a contract.
    contingency : ContractCharge, optional
        Added to the scan risk.
    spread : SpreadCharge, optional
        Added to the scan risk.
    offsets : GroupOffsets, optional
        Groups that offset each other. Absent: none do.
    option_value : mapping of instrument to value of one long contract, optional
        Instruments whose premium was paid: the net value of them is part of the equity. NaN: unknown, its
        holders are incomplete. Instruments not in it have no value of their own, as futures.
    initial_ratio : float, optional
        Initial margin over requirement, above 0. Absent: initial margin is not computed.

    Notes
    -----
    The requirement of a pool (of a group, where there are no offsets) is
    ``max(scan_risk + contingency + spread + adjustment, minimum)``, that of an account their sum.
    """

    minimum: ContractCharge | None = None
    contingency: ContractCharge | None = None
    spread: SpreadCharge | None = None
    offsets: GroupOffsets | None = None
    option_value: Mapping[str, float] | None = None
    initial_ratio: float | None = None

    def __post_init__(self) -> None:
        """Check the kinds and the ratio."""
        kinds = (
            ("minimum", ContractCharge),
            ("contingency", ContractCharge),
            ("spread", SpreadCharge),
            ("offsets", GroupOffsets),
            ("option_value", Mapping),
        )
        for name, kind in kinds:
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise DTypeError(name, f"must be a {kind.__name__}", kind.__name__, type(value).__name__)
        for number in (self.option_value or {}).values():
            real_number("option_value", number)
        if self.initial_ratio is not None:
            _check("initial_ratio", self.initial_ratio, lowest=0.0)
            if self.initial_ratio == 0.0:
                raise InputError("initial_ratio", "must be above 0", "> 0", repr(self.initial_ratio))


def _check_labels(argument: str, labels: object) -> None:
    """Refuse what is no mapping of names to labels; None is none."""
    if labels is None:
        return
    if not isinstance(labels, Mapping):
        raise DTypeError(argument, "must be a mapping", "labels by name", type(labels).__name__)
    for label in labels.values():
        of_kind(argument, label, str)


def _check(argument: str, value: float, lowest: float | None = None, highest: float = float("inf")) -> None:
    number = real_number(argument, value)
    low = -float("inf") if lowest is None else lowest
    if not low <= number <= highest or number in (float("inf"), -float("inf")):
        expected = "finite" if lowest is None else f"{low:g} to {highest:g}, finite"
        raise InputError(argument, "must be in its range", expected, repr(value))
