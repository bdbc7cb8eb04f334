"""What an estimator of whole records reads: data of any kind, conformed to what it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from recurra.data import SequenceDataset, Stream, from_arrays
from recurra.data.reading.answers import TargetLevel
from recurra.data.sequences.channel_names import channel_names
from recurra.data.tables.notes import tell
from recurra.errors import DataError, OptionError, near
from recurra.estimators.learning.doors import enter, unwrapped
from recurra.estimators.learning.text_units import Units

__all__ = ["Shape", "as_dataset", "conform"]


class Shape(NamedTuple):
    """What a stream looked like when it was learned from.

    Parameters
    ----------
    kind : str
        The kind of the stream.
    channels : tuple of str
        What its columns are called.
    clock : str
        What its times are.
    categorical : tuple of str
        The columns that hold labels.
    """

    kind: str
    channels: tuple[str, ...]
    clock: str
    categorical: tuple[str, ...]

    @classmethod
    def of(cls, stream: Stream) -> Shape:
        """Look at a stream.

        Parameters
        ----------
        stream : Stream
            The stream.

        Returns
        -------
        Shape
            Its looks.
        """
        return cls(stream.kind, stream.channels, stream.clock, tuple(sorted(stream.categories)))


def as_dataset(
    X: Any,
    y: Any = None,
    *,
    units: Units | None = None,
    level: TargetLevel | None = "record",
    **how: Any,
) -> SequenceDataset:
    """Read data of any kind.

    Parameters
    ----------
    X : SequenceDataset, or what `enter` or `from_arrays` read
        The records.
    y : array-like, optional
        The targets, unless the data set brings them.
    units : Units, optional
        What a step of a text is; what is chosen is kept there.
    level : {"record", "step", "labels"}, optional
        What several values of `y` in a row are; None to find out.
    **how
        Further arguments of the reader; of a data set, `weights` and `groups` only.

    Returns
    -------
    SequenceDataset
        With targets, if there are any.
    """
    given = {name: unwrapped(value) for name, value in how.items() if value is not None}
    y = unwrapped(y)
    if isinstance(X, SequenceDataset):
        extra = set(given) - {"weights", "groups"}
        if extra:
            said = ", ".join(sorted(extra))
            raise OptionError(f"The data set has its own {said}: give none here.")
    else:
        X, given = enter(X, given, units)
        if not isinstance(X, SequenceDataset):
            known = [*list(signature(from_arrays).parameters)[2:]]
            for name in given:
                if name not in known:
                    raise OptionError(f"There is no argument {name!r}. {near(name, known)}")
            return from_arrays(X, y, **{"target_for": level, **given})
    if y is None and not given:
        return X
    return _with_beside(X, y, given)


def _with_beside(X: SequenceDataset, y: Any, given: Mapping[str, Any]) -> SequenceDataset:
    """Add targets and what goes with whole records to a data set."""
    anchor = np.zeros((len(X), 1, 1))
    told = from_arrays(anchor, y, **{"ids": X.ids, **given, "target_for": "record"})
    targets = told.targets if y is not None else X.targets
    for name, target in targets.items():
        if y is not None and target.level != "record":
            raise OptionError(f"Target {name!r} is not one for each record: give it with the data.")
    weights = X.weights if told.weights is None else told.weights
    groups = X.groups if told.groups is None else told.groups
    static = X.static if told.static is None else told.static
    notes = (*X.notes, *told.notes)
    return SequenceDataset(told.ids, X.streams, static, targets, weights, groups, notes)


def conform(dataset: SequenceDataset, shapes: Mapping[str, Shape]) -> SequenceDataset:
    """Put streams and channels in the order they were learned in; refuse what is missing.

    Parameters
    ----------
    dataset : SequenceDataset
        New data.
    shapes : dict of str to Shape
        What was learned from; ``"static"`` for the static covariates.

    Returns
    -------
    SequenceDataset
        With the same streams and channels; what is extra is left out, with a note.

    Raises
    ------
    DataError
        If a stream or channel is missing or of another kind, or if there are more channels that
        have no names to tell which.
    """
    streams = {}
    for name, shape in shapes.items():
        there = dataset.static if name == "static" else dataset.streams.get(name)
        if there is None:
            raise DataError(
                f"The model learned from a stream {name!r}, which is not there",
                code="missing_stream",
                hint=near(name, dataset.streams),
            )
        streams[name] = _conformed(there, name, shape)
    static = streams.pop("static", None)
    extra = [name for name in dataset.streams if name not in shapes]
    if extra:
        _tell_of_extra("streams", extra)
    return replace(dataset, streams=streams, static=static)


def _tell_of_extra(what: str, names: list[str]) -> None:
    """Say what is left out."""
    said = f"{len(names)} {what} were not learned from and are left out"
    if len(names) == 1:
        said = f"1 {what[:-1]} was not learned from and is left out"
    tell(f"{said}: {', '.join(names)}.")


def _conformed(stream: Stream, name: str, shape: Shape) -> Stream:
    """Put the channels of one stream in order."""
    if not stream.rows and not stream.channels:  # empty records do not say how wide they are
        stream = replace(stream, values=np.zeros((0, len(shape.channels))), channels=shape.channels)
    _check_looks(stream, name, shape)
    if stream.channels == shape.channels:
        return stream
    order = [stream.channels.index(channel) for channel in shape.channels]
    extra = [channel for channel in stream.channels if channel not in shape.channels]
    if stream.channels == channel_names(len(stream.channels)):  # named by place
        message = f"Stream {name!r} has {len(stream.channels)} channels, but the model learned from"
        hint = "Give the same channels in the same order, or channels= with their names."
        raise DataError(f"{message} {len(shape.channels)}", code="channel_count", hint=hint)
    if extra:
        _tell_of_extra("channels", extra)
    seen = stream.observed
    return replace(
        stream,
        values=stream.values[..., order],
        channels=shape.channels,
        observed=seen if seen is None or stream.width == 1 else seen[:, order],
        categories={k: v for k, v in stream.categories.items() if k in shape.channels},
    )


def _check_looks(stream: Stream, name: str, shape: Shape) -> None:
    """Refuse a stream of another kind, or without a channel."""
    for what in ("kind", "clock"):
        ours, theirs = getattr(shape, what), getattr(stream, what)
        if ours != theirs:
            raise DataError(
                f"Stream {name!r} had {what}={ours!r} when the model learned, but now {theirs!r}",
                code="other_type",
                hint="Read it as it was read before.",
            )
    for channel in shape.channels:
        if channel not in stream.channels:
            hint = near(channel, stream.channels)
            if stream.channels == channel_names(1):
                hint = "Two axes are records and steps: give one record of many channels as X[:1]."
            message = f"The model learned from a channel {channel!r}, which is not there"
            raise DataError(message, code="missing_channel", column=channel, hint=hint)
        if (channel in stream.categories) != (channel in shape.categorical):
            was, now = "numbers", "labels"
            if channel in shape.categorical:
                was, now = now, was
            message = f"The channel held {was} when the model learned, but now {now}"
            hint = "Give it as it was before."
            raise DataError(message, code="other_type", column=channel, hint=hint)
