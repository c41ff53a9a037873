"""JSON of venues, read without losing a digit, and errors that name the place in it.

A field is found by its letters and digits: ``positionAmt``, ``position_amt`` and ``PositionAmt`` are one,
since venues and the wrappers around them have spelled the same field in several ways over the years.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from os import PathLike
from typing import Any, TypeVar

from levcore.errors import FileFormatError, InputError
from levcore.venues.printed_number import PrintedNumber, printed_number

__all__ = ["Record", "read_json", "records", "refuse_errors", "shown"]

_Choice = TypeVar("_Choice")
LONGEST_SHOWN = 60
ERRORS: dict[str, tuple[str, ...]] = {
    "code": ("0", "200", ""),
    "retCode": ("0", ""),
    "ret_code": ("0", ""),
    "success": ("true", ""),
}
"""Fields of an answer and what they say where it is no error."""
MESSAGES = ("msg", "retMsg", "ret_msg", "message")
NO_NUMBERS = ("nan", "inf", "infinity")
"""What JSON libraries write for a float64 that is no number, without its sign."""


def read_json(path: str | PathLike[str]) -> Any:
    """Contents of a JSON file; numbers stay the text they are written in.

    Raises
    ------
    FileFormatError
        Where the file is no UTF-8 text or no JSON, with the line.
    OSError
        Where it cannot be read.
    """
    file = str(path)
    if "\0" in file:
        raise InputError(repr(file), "must be the name of a file", "no character 0")
    with open(path, encoding="utf-8-sig") as stream:
        try:
            return json.load(stream, parse_float=str, parse_int=str, parse_constant=str)
        except json.JSONDecodeError as error:
            raise FileFormatError(file, "must be JSON", found=error.msg, line=error.lineno) from None
        except UnicodeDecodeError as error:
            raise FileFormatError(file, "must be UTF-8 text", found=error.reason) from None
        except RecursionError:
            raise FileFormatError(file, "must not nest so deeply", "a venue's reply") from None


def refuse_errors(data: Any, file: str) -> None:
    """Refuse an answer that says that something went wrong: it holds nothing, or not everything.

    Raises
    ------
    FileFormatError
        Naming the error.
    """
    if not isinstance(data, Mapping):
        return
    for field, fine in ERRORS.items():
        said = data.get(field, "")
        if isinstance(said, (str, int, bool)) and str(said).lower() not in fine:
            words = next((data[name] for name in MESSAGES if name in data), "")
            found = f"{shown(str(said))} {shown(words)}".strip()
            raise FileFormatError(file, "the reply is an error", fine[0], found, column=field)


@dataclass(frozen=True, slots=True)
class Record:
    """One object of a reply, and where it stands.

    Parameters
    ----------
    file : str
        File, or a name for data that came from elsewhere.
    place : str
        Path inside of it, such as ``result.list[3]``; empty for the whole.
    fields : mapping of str to anything
        As parsed; numbers may be text, `int`, `float` or `Decimal`.
    """

    file: str
    place: str
    fields: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        """Whether the field is there, in any spelling, empty or not."""
        return self.key(name) is not None

    def key(self, name: str) -> str | None:
        """Name under which the record holds a field; None where it does not.

        Raises
        ------
        FileFormatError
            Where it holds the field in two spellings that say different things.
        """
        plain = _plain(name)
        found = [key for key in self.fields if isinstance(key, str) and _plain(key) == plain]
        if any(self.fields[key] != self.fields[found[0]] for key in found):
            raise self.error(found[0], "must be given once", found=" and ".join(map(shown, found)))
        return name if name in found else found[0] if found else None

    def value(self, name: str) -> Any:
        """What stands under a field in any spelling; None where nothing does."""
        key = self.key(name)
        return None if key is None else self.fields[key]

    def text(self, *names: str) -> str:
        """Text of the first of `names` that is there and not empty; empty where none is.

        Raises
        ------
        FileFormatError
            Where it is a list or an object, or holds characters that cannot be printed.
        """
        for name in names:
            value = self.value(name)
            if isinstance(value, (Mapping, list, tuple)):
                raise self.error(name, "must be a text or a number", found=shown(value))
            text = _text(value)
            if text and not text.isprintable():
                raise self.error(name, "must be of characters that can be printed", found=shown(text))
            if text:
                return text
        return ""

    def required_text(self, *names: str) -> str:
        """Text of the first of `names` that is there.

        Raises
        ------
        FileFormatError
            Where none is, or it is empty.
        """
        text = self.text(*names)
        if not text:
            raise self.error(names[0], "must be given", "a text", "nothing")
        return text

    def choice(self, name: str, choices: Mapping[str, _Choice]) -> _Choice:
        """Meaning of a field that says one of a few words, in any case; ``""`` where it may be absent.

        Raises
        ------
        FileFormatError
            Where it says anything else.
        """
        text = self.text(name).lower()
        if text not in choices:
            words = " or ".join(word for word in choices if word)
            raise self.error(name, "must be one of a few words", words, shown(self.text(name)) or "nothing")
        return choices[text]

    def printed(self, *names: str) -> PrintedNumber | None:
        """Number of the first of `names` that is there and not empty; None where none is, or it is NaN.

        Raises
        ------
        FileFormatError
            Where it is no number, or none that a float64 holds.
        """
        name = next((each for each in names if self.text(each)), None)
        if name is None or self.is_no_number(name):
            return None
        try:
            return printed_number(self.text(name))
        except ValueError:
            rule = "must be a number that float64 holds"
            raise self.error(name, rule, "a decimal number", shown(self.text(name))) from None

    def is_no_number(self, name: str) -> bool:
        """Whether a field says NaN or infinity: no number, and no reason to refuse the others."""
        return self.text(name).lower().lstrip("+-") in NO_NUMBERS

    def number(self, *names: str) -> Decimal | None:
        """Like `printed`, the exact value alone."""
        found = self.printed(*names)
        return None if found is None else found.value

    def required_number(self, *names: str) -> Decimal:
        """Like `number`, refusing a missing one."""
        found = self.number(*names)
        if found is None:
            raise self.error(names[0], "must be given", "a number", shown(self.text(*names)) or "nothing")
        return found

    def record(self, name: str) -> "Record":
        """Object under `name`; an empty one where there is none."""
        value = self.value(name)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self.error(name, "must be an object", "{...}", type(value).__name__)
        return Record(self.file, self._path(name), value)

    def records(self, name: str) -> list["Record"]:
        """Objects of the list under `name`.

        Raises
        ------
        FileFormatError
            Where it is no list of objects.
        """
        key = self.key(name)
        if key is None:
            fields = ", ".join(shown(each) for each in list(self.fields)[:8])
            raise self.error(name, "must be given", "a list", f"fields {fields}" if fields else "no field")
        return records(self.fields[key], self.file, self._path(key))

    def error(self, field: str, rule: str, expected: str = "", found: str = "") -> FileFormatError:
        """Make the error of a field of this record."""
        return FileFormatError(self.file, rule, expected, found, column=self._path(self._spelled(field)))

    def _spelled(self, name: str) -> str:
        """Name of a field as the record spells it, or as it is given where the record has none or two."""
        plain = _plain(name)
        found = [key for key in self.fields if isinstance(key, str) and _plain(key) == plain]
        return found[0] if name not in self.fields and len(found) == 1 else name

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self.place, name) if part)


def records(data: Any, file: str, place: str = "") -> list[Record]:
    """Objects of a list, each with its place.

    Raises
    ------
    FileFormatError
        Where `data` is no list, or an element no object.
    """
    if not isinstance(data, (list, tuple)):
        raise FileFormatError(file, "must be a list of objects", "[...]", _kind(data), column=place or None)
    made = []
    for index, each in enumerate(data):
        here = f"{place}[{index}]"
        if not isinstance(each, Mapping):
            raise FileFormatError(file, "must be an object", "{...}", _kind(each), column=here)
        made.append(Record(file, here, each))
    return made


def _kind(data: Any) -> str:
    return "an object" if isinstance(data, Mapping) else type(data).__name__


def shown(value: Any) -> str:
    """Value as a message shows it: short, and without characters that a terminal would obey."""
    text = ascii(value) if not (isinstance(value, str) and value.isprintable()) else repr(value)
    if value == "":
        return ""
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


@lru_cache(4096)
def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _text(value: Any) -> str:
    """Value as it would stand in a file; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return (float.__repr__(value) if isinstance(value, float) else str(value)).strip()
