"""TOML files of the caller: policies, and options of the command line."""

import tomllib
from os import PathLike
from pathlib import Path
from typing import Any

from levcore.errors import FileFormatError

__all__ = ["read_toml"]


def read_toml(path: str | PathLike[str]) -> tuple[str, dict[str, Any]]:
    """Text of a TOML file, and what it says.

    Raises
    ------
    FileFormatError
        Where it is not TOML in UTF-8.
    OSError
        Where it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileFormatError(str(path), "must be TOML in UTF-8", found=str(error)) from None
