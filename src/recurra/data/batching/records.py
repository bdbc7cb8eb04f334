"""A batch of a whole data set: every stream padded, on one origin of time for each record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.batching.padding import (
    Padded,
    Side,
    check_places,
    first_stamps,
    on_calendar,
    pad,
    real_steps,
)
from recurra.data.sequences import SequenceDataset, Target
from recurra.data.sequences.stream import flat_rows
from recurra.errors import OptionError
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["PaddedRecords", "pad_records"]


@dataclass(frozen=True, eq=False)
class PaddedRecords:
    """Some records of a data set, padded.

    Parameters
    ----------
    streams : dict of str to Padded
        The inputs.
    static : ndarray, shape (batch, covariates), optional
        What holds for the whole record; 0 where unknown; categories are codes.
    static_observed : ndarray of bool, shape (batch, covariates), optional
        Where it is known.
    targets : dict of str to ndarray
        What is to be learnt: shape (batch, outputs) for one of each record, (batch, time, outputs)
        for one of each step, padded as its stream is, or of each label, padded on the right.
        Unknown and padding are -1 for classes, NaN for numbers.
    target_lengths : dict of str to ndarray of int64, shape (batch,)
        How many rows each record has, of the targets that are sequences.
    weights : ndarray of float64, shape (batch,), optional
        How much each record counts.
    places : ndarray of int64, shape (batch,)
        Which records of the data set they are.
    """

    streams: dict[str, Padded]
    static: Array | None
    static_observed: Booleans | None
    targets: dict[str, Array]
    target_lengths: dict[str, Integers]
    weights: Floats | None
    places: Integers

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        said = [f"{len(self)} records", *(f"{n}: {each!r}" for n, each in self.streams.items())]
        said += [f"{name}: {each.shape}" for name, each in self.targets.items()]
        return f"PaddedRecords({'; '.join(said)})"


def pad_records(
    dataset: SequenceDataset, places: Any, *, side: Side = "right", dtype: Any = np.float32
) -> PaddedRecords:
    """Gather some records of a data set into a batch.

    All streams on a calendar count time from one origin for each record, the earliest stamp in any
    of them, so that times of different streams may be compared; other clocks count from their 0.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    places : sequence of int, shape (batch,)
        Which of them.
    side : {"right", "left"}
        Where padding goes.
    dtype : {float32, float64}
        Of values that are no codes, and of targets that are numbers.

    Returns
    -------
    PaddedRecords
        The records, in the order of `places`.

    Raises
    ------
    OptionError
        If a place does not exist.
    DataError
        If an observed value is infinite.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[1.0, 2.0], [3.0]], [["a", "b"], ["b"]])
    >>> batch = pad_records(data, [1, 0])
    >>> batch
    PaddedRecords(2 records; x: Padded((2, 2, 1), 25.0 % padding on the right); y: (2, 2, 1))
    >>> batch.streams["x"].values[..., 0]
    array([[3., 0.],
           [1., 2.]], dtype=float32)
    >>> batch.targets["y"][..., 0]
    array([[ 1, -1],
           [ 0,  1]])
    """
    if not isinstance(dataset, SequenceDataset):
        raise OptionError(
            f"pad_records reads a SequenceDataset, but a {type(dataset).__name__} came. See pad."
        )
    places = check_places(places, len(dataset))
    stamped = {name: stream for name, stream in dataset.streams.items() if on_calendar(stream)}
    firsts = [first_stamps(stream, places) for stream in stamped.values()]
    origins = np.min(firsts, axis=0) if firsts else None
    streams = {
        name: pad(
            stream, places, side=side, dtype=dtype, origins=origins if name in stamped else None
        )
        for name, stream in dataset.streams.items()
    }
    static = None if dataset.static is None else pad(dataset.static, places, dtype=dtype)
    counts = {
        name: np.diff(one.offsets)[places]
        for name, one in dataset.targets.items()
        if one.offsets is not None
    }
    return PaddedRecords(
        streams,
        None if static is None else static.values[:, 0],
        None if static is None else static.observed[:, 0],
        {name: _answers(one, places, side, dtype) for name, one in dataset.targets.items()},
        counts,
        None if dataset.weights is None else dataset.weights[places],
        places,
    )


def _answers(target: Target, places: Integers, side: Side, dtype: Any) -> Array:
    """Pad a target; codes stay int64."""
    kind = np.int64 if target.classes else dtype
    if target.offsets is None:
        return target.values[places].astype(kind)
    lengths = np.diff(target.offsets)[places]
    side = side if target.level == "step" else "right"
    there = real_steps(lengths, int(lengths.max(initial=0)), side)
    padded = np.full((*there.shape, len(target.outputs)), -1 if target.classes else np.nan, kind)
    padded[there] = target.values[flat_rows(target.offsets[:-1][places], lengths)]
    return padded
