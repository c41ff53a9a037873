"""Columns as bytes: files of one record that are written whole, journals that grow record by record."""

import errno
import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.errors import FileFormatError
from levcore.files.writing import replacing

__all__ = ["Journal", "Record", "read_journal", "read_record", "write_record"]

RECORD_MAGIC = b"levcore record 1\n"
JOURNAL_MAGIC = b"levcore journal 1\n"
LENGTH = struct.Struct("<Q")
FRAME = struct.Struct("<QII")
"""Length of a record in a journal, checksum of the length, checksum of the record."""

Columns = Mapping[str, npt.NDArray[Any]]


class Record(NamedTuple):
    """Words, which JSON holds, and columns of numbers."""

    words: Mapping[str, Any]
    columns: Columns


def write_record(path: str | Path, record: Record) -> None:
    """Write a file of one record, whole or not at all, with its SHA-256.

    Raises
    ------
    OSError
        Where it cannot be written; what stood there is then as it was.
    """
    content = _packed(record)
    with replacing(path) as file:
        file.write(RECORD_MAGIC + hashlib.sha256(content).digest() + content)


def read_record(path: str | Path) -> Record:
    """Read what `write_record` wrote.

    Raises
    ------
    FileFormatError
        For another file, another version, and one that is damaged.
    OSError
        Where it cannot be read.
    """
    content = Path(path).read_bytes()
    head = len(RECORD_MAGIC)
    if content[:head] != RECORD_MAGIC:
        raise _fault(path, "must be a record of version 1", content[:head])
    content, found = content[head + 32 :], content[head : head + 32]
    if hashlib.sha256(content).digest() != found:
        raise _fault(path, "is damaged: its SHA-256 is another one", found.hex())
    return _unpacked(content)


class Journal:
    """A file that grows record by record; what was appended outlives a process that is killed.

    Parameters
    ----------
    path : str or Path
    length : int, optional
        Where the records end that are kept of a journal that there is; None: a new one, which must not exist.
    sync : bool
        Whether every record also outlives a power cut, which takes a disk its time.

    Raises
    ------
    OSError
        Where it cannot be written, and for a new one that exists.
    """

    __slots__ = ("_descriptor", "_failed", "_sync", "path")

    path: Path

    def __init__(self, path: str | Path, length: int | None = None, *, sync: bool = False) -> None:
        self.path, self._sync, self._failed = Path(path), sync, False
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        if length is None:
            self._descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            self._write(JOURNAL_MAGIC)
        else:
            self._descriptor = os.open(self.path, flags)
            length = 0 if length < len(JOURNAL_MAGIC) else length
            os.ftruncate(self._descriptor, length)
            os.lseek(self._descriptor, length, os.SEEK_SET)
            if length == 0:
                self._write(JOURNAL_MAGIC)

    def append(self, record: Record) -> None:
        """Append a record.

        Raises
        ------
        OSError
            Where it cannot be written, as on a full disk.
        """
        self.refuse_failed()
        content = _packed(record)
        length = LENGTH.pack(len(content))
        self._failed = True
        self._write(FRAME.pack(len(content), zlib.crc32(length), zlib.crc32(content)) + content)
        self._failed = False

    def refuse_failed(self) -> None:
        """Refuse to go on behind a record that was not written to its end.

        Raises
        ------
        OSError
            After one that could not be written.
        """
        if self._failed:
            raise OSError(
                errno.EIO, "a record could not be written before; record into another file", str(self.path)
            )

    def close(self) -> None:
        """End the journal; it can be continued."""
        os.close(self._descriptor)

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        if self._sync:
            os.fsync(self._descriptor)


def read_journal(path: str | Path) -> Iterator[tuple[Record, int]]:
    """Records of a journal, each with the length of the file up to its end.

    A last record that was not written to its end, as by a process that was killed, is left out.

    Raises
    ------
    FileFormatError
        For a file that is no journal of this version, and for damage before the end.
    OSError
        Where it cannot be read.
    """
    with open(path, "rb") as file:
        found = file.read(len(JOURNAL_MAGIC))
        if len(found) < len(JOURNAL_MAGIC) and JOURNAL_MAGIC.startswith(found):
            return
        if found != JOURNAL_MAGIC:
            raise _fault(path, "must be a journal of version 1", found)
        size, at = os.fstat(file.fileno()).st_size, len(JOURNAL_MAGIC)
        while at + FRAME.size <= size:
            length, of_length, checksum = FRAME.unpack(file.read(FRAME.size))
            if zlib.crc32(LENGTH.pack(length)) != of_length:
                raise _fault(path, "is damaged before its end", f"a wrong length at byte {at}")
            if at + FRAME.size + length > size:
                return
            content = file.read(length)
            at += FRAME.size + length
            if zlib.crc32(content) != checksum:
                if at == size:
                    return
                raise _fault(path, "is damaged before its end", f"a wrong checksum before byte {at}")
            yield _unpacked(content), at


def _packed(record: Record) -> bytes:
    columns = [np.ascontiguousarray(column) for column in record.columns.values()]
    columns = [column.astype(column.dtype.newbyteorder("<"), copy=False) for column in columns]
    listed = [
        (name, column.dtype.str, column.size) for name, column in zip(record.columns, columns, strict=True)
    ]
    head = json.dumps({"words": dict(record.words), "columns": listed}).encode()
    return b"".join((LENGTH.pack(len(head)), head, *(column.tobytes() for column in columns)))


def _unpacked(content: bytes) -> Record:
    (length,) = LENGTH.unpack_from(content)
    at = LENGTH.size + length
    head = json.loads(content[LENGTH.size : at])
    columns = {}
    for name, kind, size in head["columns"]:
        columns[name] = np.frombuffer(content, dtype=kind, count=size, offset=at).copy()
        at += columns[name].nbytes
    return Record(head["words"], columns)


def _fault(path: str | Path, rule: str, found: object) -> FileFormatError:
    return FileFormatError(str(path), rule, "", str(found))
