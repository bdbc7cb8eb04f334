"""Recordings of sound, read into signals."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.reading.arrays import check_finite
from recurra.data.reading.folders import find_files, read_labels
from recurra.data.reading.sounds import AUDIO_ENDINGS, Sound, read_sound
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.notes import tell
from recurra.errors import DataError, FileError, OptionError
from recurra.types import Array

__all__ = ["AUDIO_ENDINGS", "from_audio"]

Damaged = Literal["error", "cut"]


def from_audio(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    y: Any = None,
    *,
    rate: int | None = None,
    mono: bool = False,
    labels_from: str | re.Pattern[str] | None = None,
    damaged: Damaged = "error",
) -> SequenceDataset:
    r"""Read recordings of sound, one record a file.

    Samples stay what the file has: integers are at full scale of their type (24 bits fill the upper
    three bytes of int32, the unsigned samples of 8-bit WAV become int8, so that silence is 0), and
    what is coded with loss or as floats is float32 or float64 between -1 and 1. Where files
    of a set differ in this, all become float32 between -1 and 1, with a note.

    Parameters
    ----------
    source : str, Path, or iterable of these
        A file; a folder, with those below it; or files. Read are WAV (integers of 8, 16, 24 and 32
        bits, floats, A-law, µ-law), FLAC, Ogg and MP3.
    y : array-like, optional
        One label or number for each file, or labels for each sample; a folder's files come in
        natural order. What was said is added with `read_transcripts`.
    rate : int, optional
        Samples a second; files at another rate are resampled with a polyphase filter. By default
        all files must have the same rate.
    mono : bool
        Whether to average the channels. By default all files must have the same channels.
    labels_from : {"folder"}, str or re.Pattern, optional
        The folder of each file; or a regular expression searched in its path below the folder,
        where each named group is a target, ``r"(?P<digit>\d)_(?P<speaker>[a-z]+)"``, and one named
        ``group`` says which records belong together.
    damaged : {"error", "cut"}
        What to do with a file that ends before it should: refuse it, or read what is there.

    Returns
    -------
    SequenceDataset
        With a stream ``"audio"`` of kind ``"signal"``, and the files' paths below the folder as
        identifiers.

    Raises
    ------
    FileError
        If a file is cut off, damaged, or not what its name says. An MP3 shows it only where its
        header counts the frames.
    DataError
        If files differ in rate or channels, or a sample is infinite.

    Examples
    --------
    >>> import tempfile, wave
    >>> folder = tempfile.TemporaryDirectory()
    >>> with wave.open(f"{folder.name}/7_ann.wav", "wb") as file:
    ...     file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...     file.writeframes(np.array([0, 100, -100], np.int16).tobytes())
    >>> data = from_audio(folder.name, labels_from=r"(?P<digit>\d)_(?P<speaker>\w+)\.")
    >>> data
    SequenceDataset(1 records; audio: 1 channel, 3 steps; targets: digit, speaker)
    >>> data.stream.rate, data.stream.values.dtype, data.stream.values.ravel()
    (8000.0, dtype('int16'), array([   0,  100, -100], dtype=int16))
    >>> folder.cleanup()
    """
    if damaged not in ("error", "cut"):
        raise OptionError(f"damaged={damaged!r}, but it is 'error' or 'cut'.")
    if rate is not None and (not isinstance(rate, int | np.integer) or rate < 1):
        raise OptionError(f"rate={rate!r}, but a whole number of samples a second is read.")
    files = find_files(source, AUDIO_ENDINGS)
    sounds = {name: read_sound(path) for name, path in files.items()}
    notes = _notes(sounds, files, damaged)
    if mono:
        sounds = {name: _averaged(sound) for name, sound in sounds.items()}
    if rate is not None:
        changed = sum(sound.rate != rate for sound in sounds.values())
        said = f"Resampled to {rate} a second: {changed} of {len(sounds)} files."
        notes += [said] * (changed > 0)
        sounds = {name: _resampled(sound, int(rate)) for name, sound in sounds.items()}
    _check_alike(sounds, files)
    stream, mixed = _joined(sounds)
    ids = tuple(sounds)
    targets, groups = read_labels(y, labels_from, ids, stream.lengths, "audio")
    return SequenceDataset(
        ids, {"audio": stream}, targets=targets, groups=groups, notes=(*notes, *mixed)
    )


def _notes(sounds: dict[str, Sound], files: dict[str, Path], damaged: Damaged) -> list[str]:
    """Refuse recordings that were cut off, or tell of them."""
    notes = []
    cut = [name for name, sound in sounds.items() if sound.cut]
    if cut and damaged == "error":
        first = sounds[cut[0]]
        frames = len(first.samples)
        there = f"{frames} frames are there"
        if first.lost:
            there = f"{frames} of {frames + first.lost} frames are there, {first.lost} are lost"
        more = f", as are {len(cut) - 1} others" if len(cut) > 1 else ""
        message = f"{files[cut[0]]} is cut off or damaged{more}: {there}"
        raise FileError(f"{message}. Get the whole file, or read what is there: damaged='cut'.")
    if cut:
        lost = sum(sounds[name].lost for name in cut)
        said = f"Cut off or damaged, and read as far as it goes: {_some(cut, sounds)}"
        notes.append(tell(f"{said}; {lost} frames or more are lost."))
    unsized = [name for name, sound in sounds.items() if sound.unsized]
    if unsized:
        said = "No length in the header, so read to the end"
        notes.append(tell(f"{said}: {_some(unsized, sounds)}."))
    return notes


def _some(names: list[str], sounds: dict[str, Sound]) -> str:
    """Say how many files, and one of them."""
    return f"{len(names)} of {len(sounds)} files, such as {names[0]!r}"


def _averaged(sound: Sound) -> Sound:
    """Average the channels."""
    if sound.samples.shape[1] == 1:
        return sound
    kind = sound.samples.dtype
    middle = sound.samples.mean(1, dtype=np.float64, keepdims=True)
    return replace(sound, samples=(np.rint(middle) if kind.kind == "i" else middle).astype(kind))


def _resampled(sound: Sound, rate: int) -> Sound:
    """Bring a recording to another rate; integers are rounded, and held at full scale."""
    if sound.rate == rate:
        return sound
    ratio, kind = Fraction(rate, sound.rate), sound.samples.dtype
    if not len(sound.samples):
        return replace(sound, rate=rate)
    from scipy import signal  # half a second, wanted only here

    wide = sound.samples.astype(np.float32 if kind.itemsize < 4 else np.float64)
    new = signal.resample_poly(wide, ratio.numerator, ratio.denominator, axis=0)
    if kind.kind == "i":
        new = np.clip(np.rint(new), np.iinfo(kind).min, np.iinfo(kind).max)
    return replace(sound, samples=new.astype(kind), rate=rate)


def _check_alike(sounds: dict[str, Sound], files: dict[str, Path]) -> None:
    """Refuse recordings of different rates or channels."""
    first, *others = sounds
    rate, count = sounds[first].rate, sounds[first].samples.shape[1]
    for name in others:
        other = sounds[name].rate
        if other != rate:
            message = f"{files[first]} has {rate} samples a second, but {files[name]} has {other}"
            hint = f"Resample them: rate={min(rate, other)}."
            raise DataError(message, code="mixed_rates", record=name, hint=hint)
        channels = sounds[name].samples.shape[1]
        if channels != count:
            message = f"{files[first]} has {count} channels, but {files[name]} has {channels}"
            hint = "Average them: mono=True."
            raise DataError(message, code="channel_count", record=name, hint=hint)


def _joined(sounds: dict[str, Sound]) -> tuple[Stream, list[str]]:
    """Lay all recordings in one array."""
    parts, notes = [sound.samples for sound in sounds.values()], []
    kinds = sorted({str(part.dtype) for part in parts})
    if len(kinds) > 1:
        said = f"The recordings are {' and '.join(kinds)}"
        notes.append(tell(f"{said}; all {len(parts)} were made float32 between -1 and 1."))
        parts = [_unit(part) for part in parts]
    offsets = offsets_of([len(part) for part in parts])
    values = np.concatenate(parts)
    count = values.shape[1]
    named = {1: ("mono",), 2: ("left", "right")}
    channels = named.get(count) or tuple(f"channel{k}" for k in range(count))
    check_finite(values, offsets, channels, tuple(sounds))
    seen = ~np.isnan(values) if values.dtype.kind == "f" else None
    rate = float(next(iter(sounds.values())).rate)
    observed = None if seen is None or seen.all() else seen
    return Stream(values, offsets, channels, "signal", observed, rate=rate), notes


def _unit(samples: Array) -> Array:
    """Bring samples between -1 and 1."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    full = -float(np.iinfo(samples.dtype).min)
    return (samples / full).astype(np.float32)
