"""``levcore.toml``: options that are written down once, for every command and for one of them."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from levcore.cli.terminal import note
from levcore.errors import FileFormatError
from levcore.files.toml import read_toml

__all__ = ["CONFIG", "config_in_force", "with_config"]

CONFIG = "levcore.toml"
"""File of the working directory that is taken where ``--config`` names none."""
TYPED_ONLY = ("help", "config", "traceback", "out", "report")
"""Options of a command that no file holds: what is written where must be seen where it is typed."""

Commands = Mapping[str, argparse.ArgumentParser]


def config_in_force(named: str | None) -> Path | None:
    """File whose options hold: the one that ``--config`` names, else that of the working directory."""
    if named is not None:
        return Path(named)
    found = Path(CONFIG)
    return found if found.is_file() else None


def with_config(words: Sequence[str], named: str | None, commands: Commands) -> list[str]:
    """Command line with the options of the file before its own, so that what is typed comes last and wins.

    Parameters
    ----------
    words : sequence of str
        The command line, without the program's name and with the words of its ``@FILE``.
    named : str, optional
        What ``--config`` says.
    commands : mapping of str to ArgumentParser

    Returns
    -------
    list of str

    Raises
    ------
    FileFormatError
        For a key that is no option and a value that is none of its values, wherever it stands in the file.
    OSError
        Where the file cannot be read.
    """
    path = config_in_force(named)
    if path is None or not words or words[0] not in commands:
        return list(words)
    common, own = _split(path, commands)
    command = words[0]
    options = _options(commands[command])
    # What a command's table says stands in the place of what the file says for all.
    said = {key: value for key, value in common.items() if key in options} | own.get(command, {})
    told = [word for key, value in said.items() for word in _words(path, key, value, options[key])]
    if told:
        note(f"note: {path}: {' '.join(told)}")
    return [command, *told, *words[1:]]


def _split(path: Path, commands: Commands) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Options for every command, and those of one, all of them known."""
    _, said = read_toml(path)
    own = {key: value for key, value in said.items() if isinstance(value, dict)}
    common = {key: value for key, value in said.items() if key not in own}
    for name, table in own.items():
        if name not in commands:
            raise FileFormatError(str(path), "must be a command", ", ".join(commands), f"[{name}]")
        _refuse_unknown(path, table, _options(commands[name]), f"an option of {name}")
    everywhere = dict.fromkeys(key for parser in commands.values() for key in _options(parser))
    _refuse_unknown(path, common, everywhere, "an option of some command")
    return common, own


def _refuse_unknown(path: Path, table: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for key in table:
        if key not in known:
            raise FileFormatError(str(path), f"must be {what}", ", ".join(sorted(known)), repr(key))


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Options of a command that a file may hold, by key: their names without dashes."""
    named = {each.option_strings[-1].lstrip("-"): each for each in parser._actions if each.option_strings}
    return {key: each for key, each in named.items() if key not in TYPED_ONLY}


def _words(path: Path, key: str, value: Any, option: argparse.Action) -> Iterator[str]:
    """What would be typed for a key: nothing, one word, or one for each value of an option that repeats."""
    if option.nargs == 0:
        if not isinstance(value, bool):
            raise _wrong(path, key, "true or false", value)
        if value:
            yield f"--{key}"
        return
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in values):
        raise _wrong(path, key, "text or a number", value)
    texts = [str(each) for each in values]
    if isinstance(value, list) and not isinstance(option, argparse._AppendAction):
        if option.metavar != "NAME,NAME":
            raise _wrong(path, key, "one value", value)
        texts = [",".join(texts)]
    for text in texts:
        yield f"--{key}={_checked(path, key, text, option)}"


def _checked(path: Path, key: str, text: str, option: argparse.Action) -> str:
    """Text that the option takes."""
    try:
        taken = option.type(text) if callable(option.type) else text
    except (ValueError, argparse.ArgumentTypeError):
        raise _wrong(path, key, str(option.metavar or "a number"), text) from None
    if option.choices is not None and taken not in option.choices:
        raise _wrong(path, key, " or ".join(map(str, option.choices)), text)
    return text


def _wrong(path: Path, key: str, expected: str, found: Any) -> FileFormatError:
    return FileFormatError(str(path), f"{key} must be a value of the option", expected, repr(found))
