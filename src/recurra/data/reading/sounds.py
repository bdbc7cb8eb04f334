"""One file of sound: WAV by its own header, FLAC, Ogg and MP3 by soundfile."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recurra.data.reading.riff import A_LAW, FLOATS, MU_LAW, Wave, read_header
from recurra.data.tables.files import opened
from recurra.errors import FileError, need
from recurra.types import Array

__all__ = ["AUDIO_ENDINGS", "Sound", "read_sound"]

WAVES = (".wav", ".wave")
OGGS = (".ogg", ".oga", ".opus")
AUDIO_ENDINGS = (*WAVES, ".flac", *OGGS, ".mp3")
CHUNK = 2**12
"""Frames decoded at once where a file breaks off; those of its last part are lost."""
UNKNOWN_LENGTH = 2**63 - 1
LARGEST_SOUND = 8 * 2**30
"""Bytes after decoding."""


@dataclass(frozen=True)
class Sound:
    """One recording, and what was wrong with its file.

    Parameters
    ----------
    samples : ndarray, shape (steps, channels)
        Integers at full scale of their type, or floats between -1 and 1.
    rate : int
        Steps a second.
    lost : int
        How many steps the file promises, but does not have.
    cut : bool
        Whether it ends before it should; how many are lost may not show.
    unsized : bool
        Whether it does not say how many steps it has.
    """

    samples: Array
    rate: int
    lost: int = 0
    cut: bool = False
    unsized: bool = False


def read_sound(path: Path) -> Sound:
    """Read one file.

    Parameters
    ----------
    path : Path
        Its ending says how it is read.

    Returns
    -------
    Sound
        Its samples, and what was wrong with it.

    Raises
    ------
    FileError
        If nothing can be read of it.
    """
    ending = path.suffix.lower()
    with opened(path) as file:
        if ending not in AUDIO_ENDINGS:
            message = f"{path} has an ending that is not read"
            raise FileError(f"{message}. Read are {', '.join(AUDIO_ENDINGS)}.")
        if ending in WAVES:
            return _wave(file, path)
        cut = ending in OGGS and not _is_closed(file.read())
        file.seek(0)
        sound = _decoded(file, path)
    return replace(sound, cut=cut or sound.lost > 0)


def _wave(file: BinaryIO, path: Path) -> Sound:
    """Read the samples that a WAV file has in truth."""
    wave = read_header(file, str(path))
    file.seek(wave.start)
    content = file.read(wave.frames * wave.block)
    if wave.coding in (A_LAW, MU_LAW):
        form = {"format": "RAW", "subtype": "ALAW" if wave.coding == A_LAW else "ULAW"}
        more = {"samplerate": wave.rate, "channels": wave.channels}
        samples = _decoded(io.BytesIO(content), path, **form, **more).samples
    else:
        samples = _samples(content, wave)
    return Sound(samples, wave.rate, wave.lost, wave.lost > 0, wave.unsized)


def _samples(content: bytes, wave: Wave) -> Array:
    """Take plain samples out of bytes."""
    if wave.bits == 8:
        samples = (np.frombuffer(content, np.uint8) ^ 0x80).view(np.int8)
    elif wave.bits == 24:
        parts = np.frombuffer(content, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(parts), 4), np.uint8)
        wide[:, 1:] = parts if wave.order == "<" else parts[:, ::-1]
        samples = wide.view("<i4").ravel()
    else:
        letter = "f" if wave.coding == FLOATS else "i"
        samples = np.frombuffer(content, f"{wave.order}{letter}{wave.bits // 8}")
    return samples.astype(samples.dtype.newbyteorder("="), copy=False).reshape(-1, wave.channels)


def _decoded(file: BinaryIO, path: Path, **form: Any) -> Sound:
    """Decode a file with soundfile, and count what is missing."""
    soundfile = need("soundfile", extra="audio", purpose=f"Reading {path.suffix} files")
    try:
        with soundfile.SoundFile(file, **form) as sound:
            kept = {"PCM_S8": "int16", "PCM_16": "int16", "ALAW": "int16", "ULAW": "int16"}
            kept |= {"PCM_24": "int32"}
            kind = kept.get(sound.subtype, "float32")
            promised, rate = sound.frames, sound.samplerate
            if promised == UNKNOWN_LENGTH:
                message = f"{path} does not say how long it is, as if it was still being written"
                raise FileError(f"{message}. Write it anew, such as with ffmpeg -i old new.")
            size = promised * sound.channels * np.dtype(kind).itemsize
            if size > LARGEST_SOUND:
                message = f"{path} decodes to {size} bytes, more than {LARGEST_SOUND}"
                raise FileError(f"{message}. Cut it into several files.")
            samples = _all_or_most(sound, kind, soundfile.LibsndfileError)
    except soundfile.LibsndfileError as error:
        message = f"{path} is damaged or not what its name says"
        raise FileError(f"{message}: {error.error_string}") from error
    return Sound(samples, rate, max(0, promised - len(samples)))


def _all_or_most(sound: Any, kind: str, fault: type[Exception]) -> Array:
    """Decode at once, or part by part up to the one that cannot be decoded.

    Parts are a way out only: between them the library seeks, and what is coded with loss does not
    come out of that unharmed.
    """
    try:
        whole: Array = sound.read(dtype=kind, always_2d=True)
    except fault:
        if sound.format != "FLAC":
            raise
    else:
        return whole.copy() if len(whole) < sound.frames else whole
    sound.seek(0)
    parts = [np.zeros((0, sound.channels), kind)]
    with suppress(fault):
        while len(part := sound.read(CHUNK, dtype=kind, always_2d=True)):
            parts.append(part)
    return np.concatenate(parts)


def _is_closed(content: bytes) -> bool:
    """Say whether the last page of an Ogg file is whole, and says that it is the last."""
    start = content.rfind(b"OggS")
    page = content[start:] if start >= 0 else b""
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
