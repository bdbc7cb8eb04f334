"""Flat values and where each record starts, as arrays or in a file of NumPy (``.npz``)."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.reading.about import read_groups, read_ids, read_weights
from recurra.data.reading.answers import TargetLevel, read_target
from recurra.data.reading.arrays import check_finite
from recurra.data.reading.numbers import numbers_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.sequences.channel_names import channel_names
from recurra.data.tables.files import FREE_SIZE, LARGEST_FILE, LARGEST_RATIO, opened
from recurra.errors import DataError, FileError, OptionError, near
from recurra.types import Array, Integers

__all__ = ["from_flat", "from_npz"]

KINDS = ("values", "signal", "tokens", "frames")
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What reading a damaged archive may raise; an encrypted one is a RuntimeError."""


def from_flat(
    values: Any,
    offsets: Any,
    *,
    kind: str = "values",
    rate: float | None = None,
    target: Any = None,
    groups: Any = None,
    weights: Any = None,
    ids: Sequence[object] | None = None,
    channels: Sequence[str] | None = None,
    vocabulary: Sequence[object] | None = None,
    stream: str = "x",
    target_for: TargetLevel | None = None,
) -> SequenceDataset:
    """Read the steps of all records, one after the other.

    Parameters
    ----------
    values : array-like, shape (steps,), (steps, channels) or (steps, height, width, colours)
        The steps; not copied if they are an array of a type that is kept, such as int16.
    offsets : array-like of int, shape (records + 1,)
        Where each record starts; the last says where the last ends.
    kind : {"values", "signal", "tokens", "frames"}
        What they are.
    rate : float, optional
        Steps a second, of a signal.
    target : array-like, or dict of str to array-like, optional
        What is to be learnt, as for `from_arrays`.
    groups, weights : array-like, shape (records,), optional
        Which records belong together, and how much each counts.
    ids : sequence, optional
        The identifiers; by default 0, 1, 2 …
    channels : sequence of str, optional
        What the columns are called; by default ``x0``, ``x1`` …
    vocabulary : sequence, optional
        What tokens stand for.
    stream : str
        What the stream is called.
    target_for : {"record", "step", "labels"}, optional
        What several targets in a row are, as for `from_arrays`.

    Returns
    -------
    SequenceDataset
        With one stream.

    Raises
    ------
    DataError
        If the offsets do not go with the values, or a value is infinite or no number.

    Examples
    --------
    >>> sound = np.array([1, -1, 2, 5, 3], np.int16)
    >>> data = from_flat(sound, [0, 3, 5], kind="signal", rate=8000, target=["yes", "no"])
    >>> data.stream, data.stream.values.dtype
    (Stream(2 records, 5 steps of signal: x0), dtype('int16'))
    """
    if kind not in KINDS:
        raise OptionError(f"kind={kind!r}, but it is one of {KINDS}.")
    if rate is not None and not (np.isfinite(rate) and rate > 0):
        raise OptionError(f"rate={rate!r}, but it is a positive number of steps a second.")
    steps = _tokens(values, vocabulary) if kind == "tokens" else numbers_of(values, stream)
    if steps.ndim == 1:
        steps = steps[:, None]
    if steps.ndim != (4 if kind == "frames" else 2):
        read = "(steps, height, width, colours)" if kind == "frames" else "(steps, channels)"
        message = f"values has shape {steps.shape}, but {read} is read"
        raise DataError(message, code="shape")
    starts = _starts(offsets, len(steps))
    names = _names(channels, steps.shape[-1])
    whose = tuple(range(len(starts) - 1)) if ids is None else read_ids(ids)
    if kind != "frames":
        check_finite(steps, starts, names, whose)
    part = Stream(
        steps,
        starts,
        names,
        kind=kind,  # type: ignore[arg-type]
        observed=_observed(steps) if kind != "frames" else None,
        rate=rate,
        categories={} if vocabulary is None else {names[0]: tuple(vocabulary)},
    )
    answers = target if isinstance(target, Mapping) else {"y": target}
    targets = {
        str(name): read_target(each, whose, str(name), stream, part.lengths, target_for)
        for name, each in answers.items()
        if each is not None
    }
    return SequenceDataset(
        whose,
        {stream: part},
        targets=targets,
        weights=None if weights is None else read_weights(weights, whose),
        groups=None if groups is None else read_groups(groups, whose),
    )


def _tokens(values: Any, vocabulary: Sequence[object] | None) -> Array:
    """Read tokens, which are places in a vocabulary."""
    codes = np.asarray(values)
    if codes.dtype.kind not in "iu":
        message = f"Tokens are integers, but {codes.dtype} came"
        raise DataError(message, code="no_number", hint="Read text with from_text.")
    size = np.inf if vocabulary is None else len(vocabulary)
    odd = np.flatnonzero(((codes < 0) | (codes >= size)).reshape(len(codes), -1).any(axis=1))
    if odd.size:
        value = codes[odd[0]].tolist()
        message = f"A token is a place in a vocabulary of {size}, but this one is not"
        raise DataError(message, code="token_range", row=int(odd[0]), value=value)
    return codes


def _observed(steps: Array) -> Array | None:
    """Find where there are values."""
    if steps.dtype.kind != "f" or not np.isnan(steps).any():
        return None
    return ~np.isnan(steps)


def _starts(offsets: Any, steps: int) -> Integers:
    """Read where records start."""
    read = np.asarray(offsets)
    if read.ndim != 1 or read.dtype.kind not in "iu" or len(read) < 2:
        message = f"offsets has shape {read.shape} and type {read.dtype}"
        hint = "Give integers: 0, where each next record starts, and where the last ends."
        raise DataError(message, code="empty" if read.size < 2 else "offsets", hint=hint)
    starts = read.astype(np.int64, copy=False)
    if starts[0] != 0 or starts[-1] != steps:
        message = f"offsets go from {starts[0]} to {starts[-1]}, but there are {steps} steps"
        raise DataError(message, code="offsets", hint="They go from 0 to the number of steps.")
    if (back := np.flatnonzero(np.diff(starts) < 0)).size:
        row = int(back[0])
        message = f"A record ends at {starts[row + 1]}, before it starts at {starts[row]}"
        raise DataError(message, code="offsets", record=row)
    return starts


def _names(channels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Name the columns."""
    names = channel_names(count) if channels is None else tuple(channels)
    if len(names) != count or len(set(names)) != count:
        raise OptionError(f"There are {count} channels, but channels={channels!r}. Name each once.")
    return names


def from_npz(
    path: str | os.PathLike[str],
    *,
    values: str = "values",
    offsets: str = "offsets",
    target: str | Iterable[str] | None = None,
    groups: str | None = None,
    weights: str | None = None,
    ids: str | None = None,
    kind: str | None = None,
    rate: float | None = None,
    channels: Sequence[str] | None = None,
    vocabulary: Sequence[object] | None = None,
) -> SequenceDataset:
    """Read flat values and offsets from a file of NumPy.

    Parameters
    ----------
    path : str or Path
        An ``.npz`` file.
    values, offsets : str
        What the arrays are called there.
    target : str or list of str, optional
        The arrays to be learnt.
    groups, weights, ids : str, optional
        The arrays of groups, weights and identifiers.
    kind : {"values", "signal", "tokens", "frames"}, optional
        What the values are; by default a signal if there is a rate.
    rate : float, optional
        Steps a second.
    channels, vocabulary : optional
        As for `from_flat`.

    Returns
    -------
    SequenceDataset
        With one stream, called as the array is.

    Raises
    ------
    FileError
        If the file is damaged, would swell beyond reason, or holds Python objects.
    DataError
        If an array is missing, or the arrays do not go together.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "sounds.npz"
    >>> np.savez(path, audio=np.int16([1, 2, 3]), starts=[0, 1, 3], word=["yes", "no"])
    >>> from_npz(path, values="audio", offsets="starts", target="word", rate=8000)
    SequenceDataset(2 records; audio: 1 channel, 1 to 2 steps; targets: word)
    >>> folder.cleanup()
    """
    path = Path(path)
    wanted = [target] if isinstance(target, str) else list(target or ())
    names = [values, offsets, *wanted, *(n for n in (groups, weights, ids) if n is not None)]
    found = _arrays(path, names)
    return from_flat(
        found[values],
        found[offsets],
        kind=kind or ("values" if rate is None else "signal"),
        rate=rate,
        target={name: found[name] for name in wanted},
        groups=None if groups is None else found[groups],
        weights=None if weights is None else found[weights],
        ids=None if ids is None else found[ids].tolist(),
        channels=channels,
        vocabulary=vocabulary,
        stream=values,
    )


def _arrays(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Read some arrays of an archive, after a look at how large they would become."""
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
                for name in names:
                    if name not in members:
                        message = f"{path} has no array {name!r}"
                        raise DataError(message, code="missing_array", hint=near(name, members))
                return {name: _array(path, archive, members[name]) for name in dict.fromkeys(names)}
        except DAMAGED as error:
            raise FileError(f"{path} is no whole .npz file: {error}.") from error
        except ValueError as error:
            if isinstance(error, DataError | FileError):
                raise
            raise FileError(f"{path} holds what is no plain array: {error}.") from error


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """Read one array; its header must not claim more than is there."""
    limit = min(LARGEST_FILE, max(FREE_SIZE, LARGEST_RATIO * member.compress_size))
    if member.file_size > limit:
        message = f"{member.filename} in {path} has {member.compress_size} bytes, but unpacks to"
        raise FileError(f"{message} {member.file_size}. Unpack it yourself if you trust it.")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        size = dtype.itemsize
        for count in shape:
            size *= int(count)
        if size > member.file_size:
            message = f"The header of {member.filename} in {path} claims {size} bytes"
            hint = f"There are {member.file_size}: the file is damaged."
            raise DataError(message, code="too_long", hint=hint)
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
