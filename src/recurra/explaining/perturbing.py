"""One record in many variants: parts of it taken away, to see what that does to an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from recurra.auditing.phrases import quoted
from recurra.data import SequenceDataset, Stream
from recurra.data.offsets import offsets_of
from recurra.data.sequences import STATIC
from recurra.errors import OptionError
from recurra.explaining.channels import channels_of
from recurra.types import Array, Booleans, Floats

__all__ = ["Component", "closeness", "components", "perturbed"]

WINDOWS = 10
WIDTH = 0.25  # of the kernel of closeness


@dataclass(frozen=True)
class Component:
    """A part of a record that is there or taken away.

    Parameters
    ----------
    name : str
        What it is called: ``"pulse: steps 10–19 as it is"``, or ``"has 'not'"``.
    stream : str
        The stream.
    column : int
        The channel.
    start, stop : int
        The steps, of measurements.
    code : int, optional
        The token, wherever it is.
    instead : float
        What stands in the place of measurements that are taken away.
    """

    name: str
    stream: str
    column: int
    start: int = 0
    stop: int = 0
    code: int | None = None
    instead: float = 0.0


def components(record: SequenceDataset, others: SequenceDataset) -> list[Component]:
    """Part a record into tokens, and into stretches of each channel.

    Parameters
    ----------
    record : SequenceDataset
        One record.
    others : SequenceDataset
        What is usual: in the place of what is taken away stands a channel's mean there, or its most
        frequent label.

    Returns
    -------
    list of Component
        The parts.

    Raises
    ------
    OptionError
        If it has none.
    """
    found: list[Component] = []
    streams = record.all_streams
    for channel in channels_of(record):
        stream, column = streams[channel.stream], channel.column
        if column is None or not stream.rows:
            continue
        if stream.kind == "tokens":
            labels = stream.categories[stream.channels[column]]
            for code in dict.fromkeys(stream.values[:, column].astype(np.int64).tolist()):
                name = f"has {quoted(str(labels[code]))}"
                found.append(Component(name, channel.stream, column, code=code))
            continue
        usual = _usual(others.all_streams[channel.stream], stream, column)
        windows = 1 if channel.stream == STATIC else min(WINDOWS, stream.rows)
        edges = np.linspace(0, stream.rows, windows + 1).round().astype(int).tolist()
        for start, stop in pairwise(edges):
            said = f"step {start}" if stop == start + 1 else f"steps {start}–{stop - 1}"
            said = channel.name if channel.stream == STATIC else f"{channel.name}: {said}"
            name = f"{said} as it is"
            found.append(Component(name, channel.stream, column, start, stop, instead=usual))
    if not found:
        raise OptionError(
            "Nothing of this record can be taken away: it has no step of numbers or tokens. Give "
            "one that has; of images, use explain(x)."
        )
    return found


def _usual(others: Stream, stream: Stream, column: int) -> float:
    """Say what stands for "nothing is known": the mean, or the code of the usual label."""
    values = others.values[others.mask[:, column], column].astype(float)
    values = values[np.isfinite(values)]
    name = stream.channels[column]
    if name not in stream.categories:
        return float(values.mean()) if len(values) else 0.0
    if not len(values):
        return 0.0
    label = others.categories[name][int(np.bincount(values.astype(np.int64)).argmax())]
    known = stream.categories[name]
    return float(known.index(label)) if label in known else float("nan")


def perturbed(
    record: SequenceDataset, parts: list[Component], count: int, seed: int
) -> tuple[SequenceDataset, Floats]:
    """Make variants of a record, each with some parts taken away.

    Parameters
    ----------
    record : SequenceDataset
        One record.
    parts : list of Component
        Its parts.
    count : int
        How many variants; the first is the record itself.
    seed : int
        Source of chance.

    Returns
    -------
    variants : SequenceDataset
        The variants.
    there : ndarray of float64, shape (variants, parts)
        1 where a part is there, 0 where it was taken away.
    """
    random = np.random.default_rng(seed)
    away = random.random((count, len(parts))).argsort(1).argsort(1)
    there = away >= random.integers(1, len(parts) + 1, count)[:, None]
    there[0] = True
    streams = {
        name: _variants(stream, [(k, p) for k, p in enumerate(parts) if p.stream == name], there)
        for name, stream in record.all_streams.items()
    }
    static = streams.pop(STATIC, None)
    return SequenceDataset(tuple(range(count)), streams, static), there.astype(float)


def _variants(stream: Stream, parts: list[tuple[int, Component]], there: Booleans) -> Stream:
    """Repeat one stream, with its parts taken away."""
    count, steps = len(there), stream.rows
    repeated = stream.take(np.zeros(count, np.int64))
    if not parts:
        return repeated
    if parts[0][1].code is not None:
        return _without_tokens(repeated, parts, there)
    values = repeated.values.reshape(count, steps, -1)
    missing = {part.column for _, part in parts if np.isnan(part.instead)}
    fractions = any(part.instead % 1 > 0 for _, part in parts)  # NaN is none
    if values.dtype.kind != "f" and fractions:
        values = values.astype(np.float64)
    values, seen = values.copy(), repeated.mask.reshape(count, steps, -1).copy()
    for k, part in parts:
        gone = ~there[:, k]
        hole = part.column in missing
        values[gone, part.start : part.stop, part.column] = 0.0 if hole else part.instead
        seen[gone, part.start : part.stop, part.column] = not hole
    return replace(
        repeated, values=values.reshape(count * steps, -1), observed=seen.reshape(count * steps, -1)
    )


def _without_tokens(stream: Stream, parts: list[tuple[int, Component]], there: Booleans) -> Stream:
    """Leave tokens out, and what was after them moves up; one stays where all would go."""
    codes, owners = stream.values[:, parts[0][1].column].astype(np.int64), stream.owners
    kept = np.ones(stream.rows, bool)
    for k, part in parts:
        kept &= (codes != part.code) | there[owners, k]
    empty = np.bincount(owners, kept, minlength=len(stream)) == 0
    kept[stream.offsets[:-1][empty]] = True
    lengths = np.bincount(owners, kept, minlength=len(stream)).astype(np.int64)
    return stream.picked(np.flatnonzero(kept), offsets_of(lengths))


def closeness(there: Floats) -> Array:
    r"""Say how close each variant is to the record itself.

    .. math:: w = \exp(-(1 - \sqrt{s})^2 / 0.25^2)

    where s is the share of parts that are there: an exponential kernel of the cosine distance, as
    Ribeiro et al. 2016 (arXiv:1602.04938) have it for texts.

    Parameters
    ----------
    there : ndarray, shape (variants, parts)
        Which parts are there.

    Returns
    -------
    ndarray of float64, shape (variants,)
        1 for the record itself, near 0 for what has little of it.

    Examples
    --------
    >>> closeness(np.array([[1.0, 1.0], [1.0, 0.0]])).round(2)
    array([1.  , 0.25])
    """
    away = 1.0 - np.sqrt(there.mean(1))
    weights: Array = np.exp(-(away**2) / WIDTH**2)
    return weights
