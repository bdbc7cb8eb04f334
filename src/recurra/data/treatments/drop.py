"""Leave channels out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recurra.data.sequences import Stream
from recurra.data.treatments.stream_treatment import StreamTreatment
from recurra.data.treatments.treatment import Learned
from recurra.errors import OptionError

__all__ = ["Drop"]


@dataclass(frozen=True, repr=False)
class Drop(StreamTreatment):
    """Leave channels out.

    Parameters
    ----------
    channels : sequence of str
        Which channels.
    stream : str, optional
        Which stream; None for every stream of measurements that has them, and the static
        covariates.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[[1.0, 2.0]]], channels=["a", "b"])
    >>> drop = Drop(["a"])
    >>> drop.apply(data, drop.learn(data))
    SequenceDataset(1 records; x: 1 channel, 1 steps)
    """

    channels: Sequence[str] | None = field(default=None, kw_only=False)

    def __post_init__(self) -> None:
        """Refuse to drop nothing."""
        super().__post_init__()
        if not self.channels:
            raise OptionError("Drop needs the names of the channels: Drop(['a', 'b']).")

    def suits(self, stream: Stream, channel: str) -> bool:  # noqa: ARG002
        """Say that every channel can be left out."""
        return True

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come."""
        return True

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn nothing, but refuse to leave nothing."""
        if len(columns) == len(stream.channels):
            names = ", ".join(map(repr, stream.channels))
            raise OptionError(f"Drop would leave a stream without channels: it has {names}.")
        return {}

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:  # noqa: ARG002
        """Leave them out."""
        keep = np.setdiff1d(np.arange(len(stream.channels)), columns)
        names = tuple(stream.channels[k] for k in keep)
        return replace(
            stream,
            values=stream.values[:, keep],
            channels=names,
            observed=None if stream.observed is None else stream.observed[:, keep],
            categories={n: labels for n, labels in stream.categories.items() if n in names},
        )
