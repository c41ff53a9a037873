"""The one way in which a file is written: whole, or not at all.

What is written goes to a new file beside the target, whose name nobody can know and which did not exist
before (``O_EXCL``); once complete it takes the target's place, with the mode of what stood there and through
a link that pointed there. A full disk, an error or a signal leaves the old file as it was, and no rest.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["replacing", "write_text"]

# Of the target's name, so that a rest of a killed process tells what it was; names have 255 bytes.
PREFIX_LENGTH = 40


def write_text(path: str | Path, text: str) -> None:
    """Write a file of text in UTF-8, whole or not at all.

    Raises
    ------
    OSError
        Where it cannot be written; what stood there is then as it was.
    """
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Open file whose content takes the place of `path` at the end, if nothing failed.

    A device or a pipe cannot be replaced and is written to.

    Raises
    ------
    OSError
        Where it cannot be written: a folder that does not exist, a file that must not be written, a full
        disk.
    """
    target = Path(os.path.realpath(path))
    mode = _mode_of(target)
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as device:
            yield device
        return
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, os.strerror(13), str(path))
    descriptor, unfinished = _new_file(path, target)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
        raise


def _new_file(path: str | Path, target: Path) -> tuple[int, str]:
    try:
        return tempfile.mkstemp(".unfinished", f".{target.name[:PREFIX_LENGTH]}.", target.parent)
    except OSError as error:  # of the caller's name: nobody knows that of the new file
        raise OSError(error.errno, error.strerror, str(path)) from None


def _mode_of(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _umask() -> int:
    """Mask of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
