"""Whatever users hold, to records: texts, tokens, files, sound, images, videos, tables, arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from recurra import data
from recurra.data import SequenceDataset, Stream, from_arrays
from recurra.data.offsets import offsets_of
from recurra.errors import DataError, OptionError, near
from recurra.estimators.learning.text_units import Units

__all__ = ["enter", "unwrapped"]

BESIDE = ("ids", "static", "weights", "groups")
"""What goes with records of any kind."""
MOST_COLOURS = 4
SOUNDS = {1: ("mono",), 2: ("left", "right")}
FULL_SCALE = 2.0**31


def enter(
    X: Any, given: Mapping[str, Any], units: Units | None = None, name: str = "text"
) -> tuple[Any, dict[str, Any]]:
    """Read what is no list of arrays; make that what `from_arrays` reads.

    Parameters
    ----------
    X : object
        Texts; lists of tokens; paths; arrays with ``rate``; images or videos; a table; or a dict of
        streams, each any of these.
    given : dict of str
        What was said besides.
    units : Units, optional
        What a step of a text is.
    name : str
        What a stream of texts is called in `units`.

    Returns
    -------
    X : SequenceDataset, or what `from_arrays` reads
        A data set where it was read.
    given : dict of str
        What is left to be done: of a data set `ids`, `static`, `weights` and `groups`.

    Raises
    ------
    OptionError
        If it could be read in several ways.
    """
    units = Units() if units is None else units
    X = unwrapped(X)
    if isinstance(X, Mapping):
        return _streams(X, dict(given), units)
    if isinstance(X, str | bytes):
        message = f"X={X[:40]!r} could be a text or the name of a file"
        raise OptionError(f"{message}. Write [text] for one text, Path(name) for a file.")
    left = {name: value for name, value in given.items() if name in BESIDE}
    options = {name: value for name, value in given.items() if name not in BESIDE}
    match _kind(X, given):
        case "text":
            texts = list(X)
            if units.open:
                _check_no_names(texts)
            return _called(data.from_text, texts, options, unit=units.of(name, texts)), left
        case "tokens":
            return _called(data.from_tokens, list(map(_listed, X)), options), left
        case "files":
            return _files(X, options, units, name), left
        case "table" if "layout" in options:
            return data.read(X, **options), left
        case "table":
            return _flat(_numbers_of_table(X), given)
        case "sound":
            return _sound(X, options), left
        case "flat":
            return _flat(X, given)
        case "image":
            _check_colours(X)
            return _called(data.from_images, X, {"read": "rows", **options}), left
        case "video":
            return _called(data.from_images, X, {"read": "frames", **options}), left
    return X, dict(given)


def unwrapped(given: Any) -> Any:
    """Take the array out of what only gives one away; refuse one that leaves its zeros out.

    Parameters
    ----------
    given : object
        Records, targets or what goes with them.

    Returns
    -------
    object
        An array for what has ``__array__`` and no length; all else as it came.

    Raises
    ------
    OptionError
        If it is a sparse matrix.

    Examples
    --------
    >>> unwrapped([1.0, 2.0])
    [1.0, 2.0]
    """
    if hasattr(given, "tocsr"):
        message = "A sparse matrix came, but every step is read, zeros too"
        raise OptionError(f"{message}: sparse data are not supported. Write X.toarray().")
    return (
        np.asarray(given)
        if hasattr(given, "__array__") and not hasattr(given, "__len__")
        else given
    )


def _kind(X: Any, given: Mapping[str, Any]) -> str:
    """Tell what came by its type and shape, never by its numbers."""
    if isinstance(X, os.PathLike):
        return "files"
    if hasattr(X, "columns") or hasattr(X, "column_names"):
        return "table"
    sound = "rate" in given
    if hasattr(X, "detach") or (isinstance(X, np.ndarray) and X.dtype != object):
        if isinstance(X, np.ndarray) and X.dtype.kind in "US":
            return "text" if X.ndim == 1 else "tokens"
        if sound:
            return "sound"
        return {2: "flat", 4: "image", 5: "video"}.get(X.ndim, "arrays")
    if not isinstance(X, Iterable) or not hasattr(X, "__len__"):
        return "arrays"
    if any(isinstance(each, str) for each in X):
        return "text"
    if any(isinstance(each, os.PathLike) for each in X):
        return "files"
    if any(_holds_text(each) for each in X):
        return "tokens"
    if sound:
        return "sound"
    axes = next((each.ndim for each in X if hasattr(each, "ndim")), 1)
    return {3: "image", 4: "video"}.get(axes, "arrays")


def _holds_text(record: Any) -> bool:
    """Say whether a record is a list of tokens, by its first."""
    if isinstance(record, np.ndarray) and record.dtype.kind in "US":
        return record.ndim == 1
    plain = isinstance(record, Sequence) or _is_series(record)
    plain = plain or (isinstance(record, np.ndarray) and record.dtype == object)
    return plain and len(record) > 0 and isinstance(next(iter(record)), str)


def _listed(record: Any) -> Any:
    """Make a list of what pandas holds."""
    return record.tolist() if _is_series(record) else record


def _is_series(record: Any) -> bool:
    """Say whether it is of pandas, which is not imported for that."""
    return hasattr(record, "iloc") and hasattr(record, "tolist")


def _check_no_names(texts: Sequence[Any]) -> None:
    """Refuse what looks like the names of files."""
    known = _endings()
    if all(isinstance(each, str) and each.lower().endswith(known) for each in texts):
        message = f"X may be texts or the names of files, such as {texts[0]!r}"
        hint = "Write [Path(name) for name in X] for files; unit='char' or 'word' for texts."
        raise OptionError(f"{message}. {hint}")


def _called(reader: Any, X: Any, options: Mapping[str, Any], **more: Any) -> SequenceDataset:
    """Call a reader, and refuse what it does not take."""
    known = [name for name in list(signature(reader).parameters)[1:] if name not in ("y", "ids")]
    for name in options:
        if name not in known:
            known = [*known, *BESIDE]
            raise OptionError(f"There is no argument {name!r} for such data. {near(name, known)}")
    made: SequenceDataset = reader(X, **{**more, **options})
    return made


def _files(X: Any, options: dict[str, Any], units: Units, name: str) -> SequenceDataset:
    """Read files by their ending; files in a list are a record each."""
    source = X if isinstance(X, os.PathLike) else list(X)
    if not _are_texts(source):
        return data.read(source, **options)
    options = options if source is X else {"lines": False, **options}
    letters = _called(data.from_text, source, options, unit="char")
    chosen = units.of(name, _texts_of(letters.stream))
    return letters if chosen == "char" else _called(data.from_text, source, options, unit=chosen)


def _are_texts(source: Any) -> bool:
    """Say whether files, or all of a folder that can be read as records, are texts."""
    from recurra.data.reading.text import TEXT_ENDINGS

    paths = [source] if isinstance(source, os.PathLike) else source
    if len(paths) == 1 and os.path.isdir(paths[0]):
        known = _endings()
        paths = [each for each in Path(paths[0]).rglob("*") if str(each).lower().endswith(known)]
    return bool(paths) and all(str(each).lower().endswith(TEXT_ENDINGS) for each in paths)


def _endings() -> tuple[str, ...]:
    """List the endings of files that are read as records; the readers know them."""
    from recurra.data.reading.audio import AUDIO_ENDINGS
    from recurra.data.reading.images import IMAGE_ENDINGS
    from recurra.data.reading.text import TEXT_ENDINGS

    return (*AUDIO_ENDINGS, *IMAGE_ENDINGS, *TEXT_ENDINGS)


def _texts_of(stream: Stream) -> list[str]:
    """Join the letters of each record."""
    letters = np.array(stream.categories["token"], object)[stream.values[:, 0]]
    spans = zip(stream.offsets[:-1], stream.offsets[1:], strict=True)
    return ["".join(letters[start:stop]) for start, stop in spans]


def _sound(X: Any, options: dict[str, Any]) -> SequenceDataset:
    """Read arrays of samples, one recording each."""
    rate = options.pop("rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not rate > 0:
        raise OptionError(f"rate={rate!r}, but samples a second are more than 0.")
    if len(X) and not np.ndim(X[0] if isinstance(X, list | tuple | np.ndarray) else 0):
        raise OptionError("One array of samples came, but a list of recordings is read. Write [X].")
    dataset = _called(from_arrays, {"audio": [*map(_unit_scale, X)]}, options)
    stream = dataset.streams["audio"]
    names = SOUNDS.get(len(stream.channels), stream.channels)
    stream = replace(stream, kind="signal", channels=names, rate=float(rate))
    return replace(dataset, streams={"audio": stream})


def _unit_scale(samples: Any) -> Any:
    """Bring integers of 32 bits, which are held as floats, to full scale."""
    wide = getattr(samples, "dtype", None) == np.int32
    return (samples / FULL_SCALE).astype(np.float32) if wide else samples


def _check_colours(X: Any) -> None:
    """Refuse what may be images with colours elsewhere, or videos without."""
    shape = np.shape(X if hasattr(X, "shape") else X[0])
    if shape[-1] > MOST_COLOURS:
        raise OptionError(
            f"X has shape {shape}, but its last axis would be the colours of an image, 1 to "
            f"{MOST_COLOURS}. Write X[..., None] for grey videos; np.moveaxis(X, 1, -1) where the "
            "colours come first."
        )


def _flat(X: Any, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Take each row of a table of numbers for the steps of one channel."""
    return X[:, None] if given.get("layout") == "nct" else X[..., None], dict(given)


def _numbers_of_table(X: Any) -> Any:
    """Take the numbers of a table, a row each record."""
    import pandas as pd

    frame = X if isinstance(X, pd.DataFrame) else X.to_pandas()
    odd = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    if odd:
        raise OptionError(
            f"A table of numbers is read as a row each record, a column each step, but column "
            f"{odd[0]!r} is {frame[odd[0]].dtype}. Give layout='long', 'wide', 'events' or "
            f"'nested', as recurra.data.read takes it; of texts, X[{odd[0]!r}]."
        )
    return frame.to_numpy(np.float64, na_value=np.nan)


def _streams(
    X: Mapping[Any, Any], given: dict[str, Any], units: Units
) -> tuple[Any, dict[str, Any]]:
    """Read several streams, each of any kind."""
    rates = given.get("rate", {})
    if not isinstance(rates, Mapping):
        raise OptionError("With several streams, rate is a dict: {'stream': 8000}.")
    kinds = {
        name: _kind(_present(each), {"rate": rates[name]} if name in rates else {})
        for name, each in X.items()
    }
    if all(kind in ("arrays", "flat") for kind in kinds.values()):
        flat = {n: _flat(each, given)[0] if kinds[n] == "flat" else each for n, each in X.items()}
        return flat, given
    left = {name: value for name, value in given.items() if name in BESIDE}
    options = {name: value for name, value in given.items() if name not in BESIDE}
    _check_own(options, X)
    streams: dict[str, Stream] = {}
    notes: list[str] = []
    for name, each in X.items():
        own = _own(name, options, kinds[name])
        streams[str(name)], told = _stream(str(name), each, own, units)
        notes += told
    _check_counts(streams)
    ids = tuple(range(len(next(iter(streams.values())))))
    return SequenceDataset(ids, streams, notes=tuple(notes)), left


def _present(records: Any) -> Any:
    """Leave out records that have no such stream."""
    if isinstance(records, list | tuple) and any(each is None for each in records):
        return [each for each in records if each is not None]
    return records


def _check_own(options: Mapping[str, Any], streams: Mapping[Any, Any]) -> None:
    """Refuse what does not say which of several streams it is for."""
    for option, value in options.items():
        if option == "layout":
            continue
        if not isinstance(value, Mapping):
            raise OptionError(f"With several streams, {option} is a dict: {{'stream': …}}.")
        for name in value:
            if name not in streams:
                message = f"{option} names no such stream as {name!r}"
                raise OptionError(f"{message}. {near(str(name), [*map(str, streams)])}")


def _check_counts(streams: Mapping[str, Stream]) -> None:
    """Refuse streams with different numbers of records."""
    first, *others = streams
    for name in others:
        if len(streams[name]) != len(streams[first]):
            counts = f"{len(streams[name])} records, but {first!r} has {len(streams[first])}"
            hint = "Give as many, None where a record has no such stream."
            raise DataError(f"Stream {name!r} has {counts}", code="record_count", hint=hint)


def _own(name: object, options: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Pick what was said of one stream."""
    own = {o: v[name] for o, v in options.items() if o != "layout" and name in v}
    if "layout" in options and kind in ("arrays", "flat", "sound"):
        own["layout"] = options["layout"]
    return own


def _stream(
    name: str, records: Any, own: dict[str, Any], units: Units
) -> tuple[Stream, tuple[str, ...]]:
    """Read one of several streams; a record may be None."""
    there = _present(records)
    came, rest = enter(there, own, units, name)
    dataset = came if isinstance(came, SequenceDataset) else from_arrays(came, **rest)
    (stream,) = dataset.streams.values()
    if there is records:
        return stream, dataset.notes
    lengths = np.zeros(len(records), np.int64)
    lengths[[k for k, each in enumerate(records) if each is not None]] = stream.lengths
    offsets = offsets_of(lengths)
    return replace(stream, offsets=offsets), dataset.notes
