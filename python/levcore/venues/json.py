"""JSON of venues, read without losing a digit, and errors that name the place in it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from os import PathLike
from typing import Any

from levcore.errors import FileFormatError
from levcore.venues.printed_number import PrintedNumber, printed_number

__all__ = ["Record", "read_json", "records"]


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
    with open(path, encoding="utf-8-sig") as stream:
        try:
            return json.load(stream, parse_float=str, parse_int=str, parse_constant=str)
        except json.JSONDecodeError as error:
            raise FileFormatError(file, "must be JSON", found=error.msg, line=error.lineno) from None
        except UnicodeDecodeError as error:
            raise FileFormatError(file, "must be UTF-8 text", found=error.reason) from None


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
        """Whether the field is there, empty or not."""
        return name in self.fields

    def text(self, *names: str) -> str:
        """Text of the first of `names` that is there and not empty; empty where none is."""
        for name in names:
            text = _text(self.fields.get(name))
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

    def printed(self, *names: str) -> PrintedNumber | None:
        """Number of the first of `names` that is there and not empty; None where none is.

        Raises
        ------
        FileFormatError
            Where it is no number.
        """
        name = next((each for each in names if self.text(each)), None)
        if name is None:
            return None
        try:
            return printed_number(self.text(name))
        except ValueError:
            raise self.error(name, "must be a number", "a decimal number", repr(self.text(name))) from None

    def number(self, *names: str) -> Decimal | None:
        """Like `printed`, the exact value alone."""
        found = self.printed(*names)
        return None if found is None else found.value

    def required_number(self, *names: str) -> Decimal:
        """Like `number`, refusing a missing one."""
        found = self.number(*names)
        if found is None:
            raise self.error(names[0], "must be given", "a number", "nothing")
        return found

    def record(self, name: str) -> "Record":
        """Object under `name`; an empty one where there is none."""
        value = self.fields.get(name)
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
        if name not in self.fields:
            raise self.error(name, "must be given", "a list", "fields " + ", ".join(list(self.fields)[:8]))
        return records(self.fields[name], self.file, self._path(name))

    def error(self, field: str, rule: str, expected: str = "", found: str = "") -> FileFormatError:
        """Make the error of a field of this record."""
        return FileFormatError(self.file, rule, expected, found, column=self._path(field))

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self.place, name) if part)


def records(data: Any, file: str, place: str = "") -> list[Record]:
    """Objects of a list, each with its place.

    Raises
    ------
    FileFormatError
        Where `data` is no list, or an element no object.
    """
    if isinstance(data, (str, bytes, Mapping)) or not isinstance(data, Iterable):
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


def _text(value: Any) -> str:
    """Value as it would stand in a file; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return (float.__repr__(value) if isinstance(value, float) else str(value)).strip()
