"""What a transcriber reads: files, arrays of samples or a data set, as a signal of one channel."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from recurra.data import SequenceDataset, Stream, Target, from_audio, read_transcripts
from recurra.data.offsets import offsets_of
from recurra.data.tables.notes import also_in, counted, tell
from recurra.errors import DataError, OptionError
from recurra.types import Array

__all__ = ["is_one", "read_recordings", "read_said", "said_in"]

Unit = Literal["char", "word"]
STREAM = "audio"
TARGET = "transcript"


def is_one(X: Any) -> bool:
    """Say whether one recording came, not several.

    Parameters
    ----------
    X : path, array, list or SequenceDataset
        What is to be transcribed.

    Returns
    -------
    bool
        True for one file, and for an array of numbers.

    Examples
    --------
    >>> is_one("a.wav"), is_one(np.zeros(3)), is_one(["a.wav"])
    (True, True, False)
    """
    if isinstance(X, str | os.PathLike):
        return not os.path.isdir(X)
    return isinstance(X, np.ndarray) and X.dtype != object and X.ndim == 1 and X.dtype.kind in "iuf"


def read_recordings(
    X: Any, rate: float | None = None, wanted: float | None = None
) -> SequenceDataset:
    """Read recordings, average their channels, and bring them to the rate of a model.

    Parameters
    ----------
    X : path, list of paths, list of ndarray, or SequenceDataset
        A file, a folder, files; samples, shape (steps,) each; or a data set with one stream.
    rate : float, optional
        Of arrays: how many samples a second they have, by default those of the model. Of files: to
        what they are resampled; by default the model's rate, or their own.
    wanted : float, optional
        The rate that the model learned from.

    Returns
    -------
    SequenceDataset
        With one stream ``"audio"``; its targets, if it brings any.

    Raises
    ------
    FileError
        If a file is missing, damaged, or no sound; it is named.
    DataError
        If samples are no numbers, or rates differ where none is given.
    OptionError
        If the rate is missing, or what came is no sound.
    """
    if isinstance(X, Iterator):
        X = list(X)
    if isinstance(X, SequenceDataset):
        if rate is not None:
            raise OptionError("The data set has a rate of its own: give no rate= here.")
        data = replace(X, streams={STREAM: _only_signal(X)}, static=None)
    elif is_one(X) and isinstance(X, np.ndarray):
        data = _from_arrays([X], wanted if rate is None else rate)
    elif _are_paths(X):
        data = from_audio(X, rate=_whole(rate if wanted is None else wanted), mono=True)
        for note in (each for each in data.notes if each.startswith("Resampled")):
            tell(note)
    else:
        data = _from_arrays(list(X), wanted if rate is None else rate)
    stream = _averaged(data.streams[STREAM])
    if wanted is not None and stream.kind == "signal" and stream.rate != wanted:
        was = 0.0 if stream.rate is None else stream.rate
        count = counted(len(data), "recording was", "recordings were")
        note = tell(f"{count} resampled from {was:g} to {wanted:g} samples a second.")
        data = replace(data, notes=(*data.notes, note))
        stream = _resampled(stream, wanted)
    return replace(data, streams={STREAM: stream})


def read_said(y: Any, unit: Unit, ids: tuple[object, ...]) -> Target:
    """Read what was said in each recording.

    Parameters
    ----------
    y : list of str
        One for each recording; an empty one is allowed.
    unit : {"char", "word"}
        What a symbol is; words are parted by white space.
    ids : tuple
        Of the recordings, for messages.

    Returns
    -------
    Target
        Of level ``"labels"``; the classes are the symbols, sorted.

    Raises
    ------
    DataError
        If there are more or fewer than recordings, or one is no text.

    Examples
    --------
    >>> read_said(["yes no", ""], "word", (0, 1)).classes
    ('no', 'yes')
    """
    if isinstance(y, str) or not isinstance(y, Iterable):
        raise OptionError(f"y is a list of transcripts, but a {type(y).__name__} came. Write [y].")
    texts: list[Any] = list(y)
    if len(texts) != len(ids):
        message = f"There are {len(ids)} recordings, but {len(texts)} transcripts"
        raise DataError(message, code="record_count", hint="Give one for each.")
    odd = [k for k, each in enumerate(texts) if not isinstance(each, str)]
    if odd:
        raise DataError(
            f"A transcript is text, but {type(texts[odd[0]]).__name__} came{also_in(len(odd))}",
            code="no_text",
            record=ids[odd[0]],
            row=odd[0],
            value=texts[odd[0]],
            hint="Leave such recordings out; write '' where nothing is said.",
        )
    plain = [unicodedata.normalize("NFC", str(each)).strip() for each in texts]
    parted = [each.split() if unit == "word" else list(" ".join(each.split())) for each in plain]
    if not any(parted):
        message = "All transcripts are empty"
        raise DataError(message, code="empty", hint="Nothing can be learned from them.")
    return read_transcripts(parted, name=TARGET)


def said_in(dataset: SequenceDataset, unit: Unit) -> list[str]:
    """Give the transcripts that a data set brings, as texts.

    Parameters
    ----------
    dataset : SequenceDataset
        With one target: of labels, or one text for each record.
    unit : {"char", "word"}
        What its labels are.

    Returns
    -------
    list of str
        One for each record.

    Raises
    ------
    DataError
        If it brings none.
    """
    if not dataset.targets:
        message = "There are no transcripts: y is missing"
        raise DataError(message, code="no_target", hint="Give y=, one text for each recording.")
    target = dataset.target
    if target.level == "step" or len(target.outputs) > 1 or not target.classes:
        message = f"The target {target.outputs[0]!r} is one of each {target.level}, not a text"
        raise OptionError(f"{message}. Give the transcripts as y=.")
    offsets = np.arange(len(target) + 1) if target.offsets is None else target.offsets
    named = [str(target.classes[code]) if code >= 0 else "" for code in target.values[:, 0]]
    between = " " if unit == "word" else ""
    return [between.join(named[a:b]) for a, b in pairwise(offsets)]


def _are_paths(X: Any) -> bool:
    """Say whether files came."""
    if isinstance(X, str | os.PathLike):
        return True
    if not isinstance(X, Iterable):
        raise OptionError(
            f"Files, arrays of samples or a SequenceDataset are read, but {type(X).__name__} came."
        )
    listed = list(X)
    if not listed:
        raise DataError("No recordings came", code="empty", hint="Give at least one.")
    return isinstance(listed[0], str | os.PathLike)


def _from_arrays(listed: list[Any], rate: float | None) -> SequenceDataset:
    """Lay arrays of samples in one, and check every one of them."""
    if rate is None:
        message = "Arrays do not say how many samples a second they have"
        raise OptionError(f"{message}. Give it: rate=16000.")
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not rate > 0:
        raise OptionError(f"rate={rate!r}, but samples a second are more than 0.")
    parts = [_samples(each, row) for row, each in enumerate(listed)]
    kinds = {part.dtype for part in parts}
    if len(kinds) > 1:
        parts = [_unit(part) for part in parts]
    offsets = offsets_of([len(part) for part in parts])
    values = np.concatenate(parts)[:, None]
    stream = Stream(values, offsets, ("mono",), "signal", rate=float(rate))
    return SequenceDataset(tuple(range(len(parts))), {STREAM: stream})


def _samples(given: Any, row: int) -> Array:
    """Check the samples of one recording."""
    samples = np.asarray(given)
    hint = "Give one-dimensional arrays of integers or floats; average the channels of stereo."
    if samples.ndim != 1 or (samples.size and samples.dtype.kind not in "if"):
        what = f"shape {samples.shape} and type {samples.dtype}"
        message = f"A recording is one array of samples, but {what} came"
        raise DataError(message, code="no_sound", record=row, hint=hint)
    if not samples.size:
        return np.zeros(0, np.float32)
    odd = np.flatnonzero(~np.isfinite(samples)) if samples.dtype.kind == "f" else np.zeros(0, int)
    if odd.size:
        message = f"A sample is no finite number{also_in(odd.size)}"
        place, value = int(odd[0]), float(samples[odd[0]])
        hint = "Write 0 where there is silence."
        raise DataError(message, code="not_finite", record=row, row=place, value=value, hint=hint)
    return samples


def _unit(samples: Array) -> Array:
    """Bring samples between -1 and 1, where recordings are of different types."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)


def _only_signal(dataset: SequenceDataset) -> Stream:
    """Take the one stream of a data set, and refuse what cannot be heard."""
    stream = dataset.stream
    if stream.kind not in ("signal", "values") or stream.categories:
        message = f"A Transcriber hears a signal, or reads numbers, but the stream is {stream.kind}"
        raise OptionError(f"{message}. Read recordings with recurra.data.from_audio.")
    if stream.kind == "signal" and stream.rate is None:
        raise OptionError("The signal has no rate. Make its Stream with rate=, samples a second.")
    return stream


def _averaged(stream: Stream) -> Stream:
    """Average the channels of a signal."""
    if stream.kind != "signal" or len(stream.channels) == 1:
        return replace(stream, channels=("mono",)) if stream.kind == "signal" else stream
    tell(f"The {len(stream.channels)} channels of the recordings were averaged.")
    kind, seen = stream.values.dtype, stream.observed
    middle = stream.values.mean(1, dtype=np.float64, keepdims=True)
    values = (np.rint(middle) if kind.kind == "i" else middle).astype(kind)
    observed = None if seen is None else np.asarray(seen.all(1, keepdims=True))
    return replace(stream, values=values, channels=("mono",), observed=observed)


def _resampled(stream: Stream, rate: float) -> Stream:
    """Bring a signal to another rate, record by record, with a polyphase filter."""
    from scipy import signal  # half a second, wanted only here

    ratio = Fraction(rate / (stream.rate or rate)).limit_denominator(10_000)
    values = _unit(stream.values)
    if stream.observed is not None:
        values = np.where(stream.observed, values, np.float32(0))
    parts = [
        signal.resample_poly(values[a:b], ratio.numerator, ratio.denominator, axis=0)
        if b > a
        else values[a:b]
        for a, b in pairwise(stream.offsets)
    ]
    offsets = offsets_of([len(part) for part in parts])
    joined = np.concatenate(parts).astype(np.float32)
    return replace(stream, values=joined, offsets=offsets, observed=None, rate=rate)


def _whole(rate: float | None) -> int | None:
    """Make an integer of a whole rate, as files have it."""
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or rate != int(rate):
        raise OptionError(f"rate={rate!r}, but files have a whole number of samples a second.")
    return int(rate)
