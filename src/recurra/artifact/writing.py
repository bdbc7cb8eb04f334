"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from recurra.errors import FileError

__all__ = ["write_whole"]

PIECE = 1 << 20  # bytes written at a time


def write_whole(path: str | os.PathLike[str], content: bytes | bytearray) -> None:
    """Write a file so that whoever reads it, even after a crash, sees the old one or the new one.

    The bytes go into a file beside it, which is flushed to the disk and then takes the name; the
    folder is flushed too, for it is the folder that holds the name. A link is replaced by the file,
    and what it pointed to is left alone.

    Parameters
    ----------
    path : str or path-like
        Where to write; its folder must exist.
    content : bytes
        What to write.

    Raises
    ------
    FileError
        If it cannot be written, or the path is a folder, a device or a pipe. The old file is still
        there, unless all that failed was to flush its folder: then the new one is.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(f"{folder}/a", b"whole")
    ...     Path(folder, "a").read_bytes()
    b'whole'
    """
    try:
        target = Path(path)
        mode = _mode_of(target)
        descriptor, temporary = tempfile.mkstemp(prefix=".recurra-", dir=target.parent)
        try:
            try:
                _write(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            with suppress(FileNotFoundError):  # it has its new name already
                os.unlink(temporary)
            raise
        _flush_folder(target.parent)
    except (OSError, TypeError, ValueError) as error:  # of no path: a number, a NUL
        said = getattr(error, "strerror", None) or error
        raise FileError(f"{path!s} cannot be written: {said}.") from error


def _mode_of(target: Path) -> int:
    """Give the rights of the file that is replaced; refuse to replace what is no file."""
    try:
        found = os.stat(target).st_mode  # a link may lead to a device
    except FileNotFoundError:
        return 0o644
    if not stat.S_ISREG(found):
        raise ValueError("it is a folder, a device or a pipe, not a file")
    return stat.S_IMODE(found)


def _write(descriptor: int, content: bytes | bytearray) -> None:
    """Write all bytes; a call may take only some of them."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left[:PIECE]) :]


def _flush_folder(folder: Path) -> None:
    """Let the disk know the new name, where there is such a thing: Windows and shares have none."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
