"""The header of a WAV file, believed only as far as the file bears it out.

Common readers take the header's word: a file that was cut off comes back shorter, one whose size
was never filled in comes back empty, and nothing is said.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from recurra.errors import FileError

__all__ = ["Wave", "read_header"]

INTEGERS, FLOATS, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
WIDTHS = {INTEGERS: (8, 16, 24, 32), FLOATS: (32, 64), A_LAW: (8,), MU_LAW: (8,)}
CODINGS = {INTEGERS: "integers", FLOATS: "floats", A_LAW: "A-law", MU_LAW: "µ-law"}
UNKNOWN_SIZES = (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x7FFFF000)
"""What programs write that do not know yet how much they will record: ffmpeg, arecord, sox."""
FASTEST_RATE = 10_000_000
MOST_CHANNELS = 1024
MOST_CHUNKS = 10_000


@dataclass(frozen=True)
class Wave:
    """What a WAV file holds.

    Parameters
    ----------
    rate : int
        Frames a second.
    channels : int
        Samples in a frame.
    bits : int
        Bits of a sample.
    coding : int
        The format's number: 1 integers, 3 floats, 6 A-law, 7 µ-law.
    order : {"<", ">"}
        Which byte comes first.
    start : int
        The first byte of the samples.
    frames : int
        How many whole ones the file has.
    lost : int
        How many more the header promises; a part of one counts.
    unsized : bool
        Whether the header does not say how many there are.
    """

    rate: int
    channels: int
    bits: int
    coding: int
    order: str
    start: int
    frames: int
    lost: int
    unsized: bool

    @property
    def block(self) -> int:
        """Bytes of a frame."""
        return self.channels * self.bits // 8


@dataclass(frozen=True)
class _Chunk:
    """One part of the file: its name, its first byte, and how long it says it is."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte after it; parts begin at even ones."""
        return self.start + self.size + self.size % 2


def read_header(file: BinaryIO, name: str) -> Wave:
    """Walk through the parts of a WAV file up to its samples.

    Parameters
    ----------
    file : file
        Opened for bytes: RIFF, RIFX or RF64.
    name : str
        What it is called, for messages.

    Returns
    -------
    Wave
        The header, and how many frames are there in truth.

    Raises
    ------
    FileError
        If it is not WAV, or its header contradicts itself or the file.

    Examples
    --------
    >>> import io
    >>> form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    >>> data = b"data" + struct.pack("<I", 6) + b"\\1\\0" * 2
    >>> riff = b"RIFF\\0\\0\\0\\0WAVEfmt " + struct.pack("<I", 16) + form + data
    >>> wave = read_header(io.BytesIO(riff), "a.wav")
    >>> wave.rate, wave.frames, wave.lost
    (8000, 2, 1)
    """
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64") or head[8:] != b"WAVE":
        raise FileError(f"{name} is no WAV file: it begins with {head!r}.")
    order = ">" if head[:4] == b"RIFX" else "<"
    form, long_size, place = None, None, 12
    for _ in range(MOST_CHUNKS):
        chunk = _chunk(file, place, order)
        if chunk is None:
            what = "part with samples" if form else "'fmt ' part, which says how to read it"
            raise FileError(f"{name} is damaged or empty: it has no {what}.")
        if chunk.name == b"data":
            if form is None:
                raise FileError(f"{name} is damaged: its samples come before their format.")
            return _measured(file, chunk, form, order, length, long_size)
        if chunk.start + chunk.size > length:
            message = f"{name} is damaged: its part {chunk.name!r} says it has {chunk.size} bytes"
            raise FileError(f"{message}, but {length - chunk.start} are left, and no samples came.")
        if chunk.name == b"fmt ":
            form = _form(file.read(min(chunk.size, 40)), name, order)
        if chunk.name == b"ds64" and chunk.size >= 16:
            long_size = struct.unpack("<8xQ", file.read(16))[0]
        place = chunk.end
    raise FileError(f"{name} is damaged: more than {MOST_CHUNKS} parts come before its samples.")


def _chunk(file: BinaryIO, place: int, order: str) -> _Chunk | None:
    """Read the name and the size of the part that begins at a byte, if there is one."""
    file.seek(place)
    head = file.read(8)
    if len(head) < 8:
        return None
    chunk_name, size = struct.unpack(f"{order}4sI", head)
    return _Chunk(chunk_name, place + 8, size)


def _form(content: bytes, name: str, order: str) -> tuple[int, int, int, int]:
    """Read and check the format: coding, channels, rate, bits."""
    if len(content) < 16:
        raise FileError(f"{name} is damaged: its format has {len(content)} bytes instead of 16.")
    coding, channels, rate, _, block, bits = struct.unpack(f"{order}HHIIHH", content[:16])
    if coding == EXTENSIBLE and len(content) >= 26:
        coding = struct.unpack(f"{order}H", content[24:26])[0]
    if coding not in WIDTHS:
        message = f"{name} is coded as WAV format {coding}, which is not read"
        raise FileError(f"{message}. Convert it to 16-bit integers, such as with ffmpeg.")
    if not 1 <= rate <= FASTEST_RATE:
        message = f"{name} says it has {rate} frames a second"
        raise FileError(f"{message}, but 1 to {FASTEST_RATE} are read. Correct its header.")
    if not 1 <= channels <= MOST_CHANNELS:
        message = f"{name} says it has {channels} channels"
        raise FileError(f"{message}, but 1 to {MOST_CHANNELS} are read. Correct its header.")
    if bits not in WIDTHS[coding]:
        widths = ", ".join(map(str, WIDTHS[coding]))
        message = f"{name} says it has {bits} bits a sample"
        raise FileError(f"{message}, but {CODINGS[coding]} have {widths}. Convert it.")
    if block != channels * bits // 8:
        message = f"{name} is damaged: {channels} channels of {bits} bits are "
        raise FileError(
            f"{message}{channels * bits // 8} bytes a frame, but its header says {block}."
        )
    return coding, channels, rate, bits


def _measured(
    file: BinaryIO,
    chunk: _Chunk,
    form: tuple[int, int, int, int],
    order: str,
    length: int,
    long_size: int | None,
) -> Wave:
    """Hold the size of the samples against the file."""
    coding, channels, rate, bits = form
    block, there = channels * bits // 8, length - chunk.start
    promised = chunk.size if long_size is None or chunk.size < 0xFFFFFFFF else long_size
    unsized = promised in UNKNOWN_SIZES and promised > there
    unsized |= (
        promised == 0 and there >= block and not _are_chunks(file, chunk.start, order, length)
    )
    size = there if unsized else min(promised, there)
    frames = size // block
    lost = 0 if unsized else -(-promised // block) - frames
    return Wave(rate, channels, bits, coding, order, chunk.start, frames, lost, unsized)


def _are_chunks(file: BinaryIO, place: int, order: str, length: int) -> bool:
    """Say whether well-formed parts fill the rest of the file: then the samples are truly none."""
    for _ in range(MOST_CHUNKS):
        if place >= length:
            return True
        chunk = _chunk(file, place, order)
        if chunk is None or not (chunk.name.isascii() and chunk.name.decode().isprintable()):
            return False
        if chunk.start + chunk.size > length:
            return False
        place = chunk.end
    return False
