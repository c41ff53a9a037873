"""Every exception levcore raises.

A bad *call* raises one of these; a bad *row* is data and gets a status instead (see ``levcore.status``).
Each class takes structured fields and builds its message from them, so a caller reads ``error.argument`` or
``error.row`` and parses no text. Arguments are positional in the order of the fields: the compiled binding
makes an exception, and ``pickle`` makes it again, with ``cls(*error.args)``.

::

    LevcoreError
      InputError(ValueError)       ShapeError, DTypeError(TypeError), AliasError, InvalidRowsError,
                                   FileFormatError
      ReadOnlyError(AttributeError)
      PolicyError(ValueError)      UnknownPolicyError(LookupError), UnknownInstrumentError(KeyError),
                                   UnknownRuleError, TierError
      InternalError(RuntimeError)
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "AliasError",
    "DTypeError",
    "FileFormatError",
    "InputError",
    "InternalError",
    "InvalidRowsError",
    "LevcoreError",
    "PolicyError",
    "ReadOnlyError",
    "ShapeError",
    "TierError",
    "UnknownInstrumentError",
    "UnknownPolicyError",
    "UnknownRuleError",
]

LONGEST = 300
"""Characters of what was found that a message shows; the attribute ``found`` has all of them."""


SCALAR = re.compile(r"""np\.(?:(True|False)_|\w+\(('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^()'"]*)\))""")
"""A scalar of NumPy as its ``repr`` writes it, ``np.float64(1.0)``: the caller knows it as 1.0."""


def catalogue_file() -> "Path":
    """File with code, class and words of every rule, ``{}`` for what differs from case to case."""
    from pathlib import Path

    return Path(__file__).with_name("error_codes.txt")


class LevcoreError(Exception):
    """Base of every exception of levcore.

    Parameters
    ----------
    argument : str
        The argument, column or field at fault.
    rule : str
        What must hold, as a clause: ``"must have one value a row"``.
    expected, found : str
        What would have been right and what was there; empty where the rule says it all.
    row : int or None
        First bad row, counted from 0.
    count : int or None
        How many rows are bad.
    """

    def __init__(
        self,
        argument: str,
        rule: str,
        expected: str = "",
        found: str = "",
        row: int | None = None,
        count: int | None = None,
    ) -> None:
        argument, rule, expected, found = map(_plain, (argument, rule, expected, found))
        super().__init__(argument, rule, expected, found, row, count)
        self.argument = argument
        self.rule = rule
        self.expected = expected
        self.found = found
        self.row = row
        self.count = count

    @property
    def code(self) -> str:
        """What was broken, as the catalogue names it: ``"shape.must-have-one-value-a-row"``.

        Of a rule that an exception was given from outside of levcore, the family alone: ``"shape.other"``.
        """
        return _code(type(self), self.rule)

    def _place(self) -> str:
        """Where the fault is; subclasses that know more than an argument's name say more."""
        return self.argument

    def __str__(self) -> str:
        """Build the message: place, rule, expected, found, first bad row, count."""
        head = f"{self._place()}: {self.rule}" if self._place() else self.rule
        told = (("expected", self.expected), ("found", _shortened(self.found)))
        details = [f"{word} {text}" for word, text in told if text]
        parts = [head, ", ".join(details)] if details else [head]
        if self.row is not None:
            of_many = f" ({self.count} bad rows)" if self.count is not None and self.count > 1 else ""
            parts.append(f"first bad row {self.row}{of_many}")
        elif self.count is not None:
            parts.append(f"{self.count} bad")
        return "; ".join(parts)


def _plain(text: str) -> str:
    """Words in which values stand as the caller would write them."""
    return SCALAR.sub(r"\1\2", text) if "np." in text else text


def _shortened(text: str) -> str:
    """What was found, of which a message shows the beginning: it may be a whole column."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"


class InputError(LevcoreError, ValueError):
    """The caller's data or arguments break a rule."""


class ShapeError(InputError):
    """An array has the wrong length or number of dimensions."""


class DTypeError(InputError, TypeError):
    """An array or argument has a type that cannot be used without losing information."""


class AliasError(InputError):
    """An output array shares memory with an input or with another output, or cannot be written."""


class InvalidRowsError(InputError):
    """Rows failed and the caller asked for an exception instead of a status.

    Parameters
    ----------
    argument, rule, expected, found : str
        As in `LevcoreError`.
    rows : sequence of int
        Every failed row, ascending; ``row`` is its first and ``count`` its length.
    status : sequence of int
        The `levcore.Status` of each failed row, aligned with `rows`.
    """

    rows: tuple[int, ...]
    status: tuple[int, ...]

    def __init__(
        self,
        argument: str,
        rule: str,
        expected: str = "",
        found: str = "",
        rows: Sequence[int] = (),
        status: Sequence[int] = (),
    ) -> None:
        self.rows = tuple(int(row) for row in rows)
        self.status = tuple(int(code) for code in status)
        super().__init__(argument, rule, expected, found, self.rows[0] if self.rows else None, len(self.rows))
        self.args: tuple[Any, ...] = (*self.args[:4], self.rows, self.status)


class FileFormatError(InputError):
    """A file is not what was expected.

    Parameters
    ----------
    file : str
        Path as the caller gave it.
    rule, expected, found : str
        As in `LevcoreError`.
    line : int or None
        Line in the file, counted from 1.
    column : str or None
        Name of the column.
    """

    def __init__(
        self,
        file: str,
        rule: str,
        expected: str = "",
        found: str = "",
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(file, rule, expected, found)
        self.file = file
        self.line = line
        self.column = column
        self.args: tuple[Any, ...] = (*self.args[:4], line, column)

    def _place(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        column = f", column {self.column!r}" if self.column is not None else ""
        return f"{self.file}{line}{column}"


class ReadOnlyError(LevcoreError, AttributeError):
    """An attribute of an object that does not change was set or deleted; ``expected`` is the remedy."""

    def __str__(self) -> str:
        """Build the message: attribute, rule, remedy."""
        return f"{self.argument}: {self.rule}; {self.expected}"


class PolicyError(LevcoreError, ValueError):
    """A margin policy, or an instrument of one, is wrong or cannot answer."""


class UnknownPolicyError(PolicyError, LookupError):
    """No policy has this name, or not at this date."""


class UnknownInstrumentError(PolicyError, KeyError):
    """The policy's instrument table does not hold this instrument."""


class UnknownRuleError(PolicyError):
    """A rule is needed that no source states; levcore does not guess it.

    ``argument`` is the policy, ``rule`` says which rule is unknown, ``expected`` how to state it and
    ``found`` the policy file's reason.
    """

    def __str__(self) -> str:
        """Build the message: policy, rule, reason, remedy."""
        reason = f" ({self.found})" if self.found else ""
        remedy = f"; {self.expected}" if self.expected else ""
        return f"{self.argument}: {self.rule}{reason}{remedy}"


class TierError(PolicyError):
    """A tier table breaks a rule of tier tables.

    Parameters
    ----------
    instrument : str
        Name of the instrument; empty while a table belongs to none yet.
    tier : int or None
        Tier counted from 1, as venues count; None where the whole table is meant.
    rule, expected, found : str
        As in `LevcoreError`.
    column : str
        Field of the tier at fault: ``"floor"``, ``"rate"``, ``"deduction"``, ``"max_leverage"``, ``"cap"``,
        ``"unit"`` or ``"shape"``; empty where it is the row or the table.
    """

    def __init__(
        self,
        instrument: str,
        tier: int | None,
        rule: str,
        expected: str = "",
        found: str = "",
        column: str = "",
    ) -> None:
        super().__init__(column, rule, expected, found)
        self.instrument = instrument
        self.tier = tier
        self.column = column
        self.args: tuple[Any, ...] = (instrument, tier, *self.args[1:4], column)

    def _place(self) -> str:
        instrument = f"tiers of {self.instrument}" if self.instrument else "tiers"
        tier = f", tier {self.tier}" if self.tier is not None else ""
        column = f", {self.column}" if self.column else ""
        return f"{instrument}{tier}{column}"


class InternalError(LevcoreError, RuntimeError):
    """A bug in levcore; the outputs of the call are undefined. Please report it."""


def family_of(kind: type[LevcoreError]) -> str:
    """First half of the codes of a class: its name without "Error", in lower case."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", kind.__name__.removesuffix("Error")).lower()


@cache
def _catalogue() -> tuple[dict[tuple[str, str], str], list[tuple[str, re.Pattern[str], str]]]:
    """Codes of the rules whose words never differ, and patterns of the others."""
    exact, patterns = {}, []
    for line in catalogue_file().read_text(encoding="utf-8").splitlines():
        code, name, words = line.split("\t")
        exact[name, words] = code
        if "{}" in words:
            pattern = re.compile(".+?".join(map(re.escape, words.split("{}"))), re.DOTALL)
            patterns.append((name, pattern, code))
    # The pattern with the most words of its own first.
    return exact, sorted(patterns, key=lambda each: -len(each[1].pattern))


def _code(kind: type[LevcoreError], rule: str) -> str:
    exact, patterns = _catalogue()
    for each in kind.__mro__:
        if (code := exact.get((each.__name__, rule))) is not None:
            return code
        for name, pattern, code in patterns:
            if name == each.__name__ and pattern.fullmatch(rule):
                return code
    return f"{family_of(kind)}.other"
