"""Channels that tell a network where the holes were, and how old a value is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.data.sequences import Stream
from recurra.data.treatments.added import with_channels
from recurra.data.treatments.gaps import neighbours
from recurra.data.treatments.stream_treatment import StreamTreatment
from recurra.data.treatments.timing import SpacedTreatment
from recurra.data.treatments.treatment import Learned
from recurra.types import Booleans

__all__ = ["Indicators", "SinceObserved"]


@dataclass(frozen=True, repr=False)
class Indicators(StreamTreatment):
    """Add a channel ``name:observed``, 1 or 0, for each that had holes in the training part.

    One that was made of another and has the same holes, as ``pulse:min`` of ``pulse``, gets none.

    Parameters
    ----------
    stream : str, optional
        Which stream; None for every stream of measurements, and the static covariates.
    channels : sequence of str, optional
        Which channels; None for all.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[[1.0, 2.0], [3.0, float("nan")]]], channels=["a", "b"])
    >>> add = Indicators()
    >>> shown = add.apply(data, add.learn(data)).stream
    >>> shown.channels, shown.values[:, 2]
    (('a', 'b', 'b:observed'), array([1., 0.]))
    """

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come."""
        return True

    def suits(self, stream: Stream, channel: str) -> bool:  # noqa: ARG002
        """Say that every channel may have holes, codes as well."""
        return True

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn which channels have holes."""
        return {"gappy": _gappy(stream, columns)}

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Add their masks."""
        gappy = [k for k, holes in zip(columns, learned["gappy"], strict=True) if holes]
        return with_channels(
            stream, {f"{stream.channels[k]}:observed": stream.mask[:, k] for k in gappy}
        )


@dataclass(frozen=True, repr=False)
class SinceObserved(SpacedTreatment):
    r"""Add a channel ``name:since`` for each that had holes in the training part.

    One that was made of another and has the same holes, as ``pulse:min`` of ``pulse``, gets none.
    The channel says how old the last value is: 0 where there is a value, else the time Δ since the
    last, before the first since the start of the record. Δ is in seconds on a calendar, else in
    the units of the clock. Under ``scale="log"`` it is log(1 + Δ / s), with s the median time
    between steps in the training part.

    Parameters
    ----------
    scale : {"log", "none"}
        Whether to take the logarithm.
    cap : float, optional
        The longest time there is; a longer one is cut to it.
    stream : str, optional
        Which stream; None for every stream of measurements.
    channels : sequence of str, optional
        Which channels; None for all.

    References
    ----------
    Che et al., Recurrent Neural Networks for Multivariate Time Series with Missing Values, 2018,
    arXiv:1606.01865, who measure to the last observation before the step, even where there is one.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> nan = float("nan")
    >>> data = from_arrays([[nan, 1.0, nan, nan]], times=[[0.0, 1.0, 2.0, 4.0]])
    >>> add = SinceObserved(scale="none")
    >>> add.apply(data, add.learn(data)).stream.values[:, 1]
    array([0., 0., 1., 3.])
    """

    def suits(self, stream: Stream, channel: str) -> bool:  # noqa: ARG002
        """Say that every channel may have holes, codes as well."""
        return True

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn which channels have holes, and the median time between steps."""
        return {"gappy": _gappy(stream, columns), **super().learn_stream(stream, columns)}

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Measure back to the last observation."""
        times, starts = stream.clock_times, np.repeat(stream.offsets[:-1], stream.lengths)
        added = {}
        for column, holes in zip(columns, learned["gappy"], strict=True):
            if holes:
                rows = np.flatnonzero(~stream.mask[:, column])
                before, _ = neighbours(stream.mask[:, column], stream.offsets, rows)
                since = np.zeros(stream.rows, times.dtype)
                since[rows] = times[rows] - times[np.where(before < 0, starts[rows], before)]
                name = f"{stream.channels[column]}:since"
                added[name] = self.scaled(stream, since, learned["spacing"])
        return with_channels(stream, added)


def _gappy(stream: Stream, columns: list[int]) -> Booleans:
    """Find the channels with holes of their own, shape (columns,)."""
    mask = stream.mask
    found: Booleans = np.asarray(~mask[:, columns].all(0))
    for place, column in enumerate(columns):
        root = stream.channels[column].split(":")[0]
        if root != stream.channels[column] and root in stream.channels:
            found[place] &= bool((mask[:, column] != mask[:, stream.channel(root)]).any())
    return found
