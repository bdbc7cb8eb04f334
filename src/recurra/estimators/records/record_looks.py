"""What the steps and channels of one record are called, and what they held, for explanations."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from torch import Tensor, nn

from recurra.data.panel.wall import to_wall
from recurra.data.sequences import STATIC
from recurra.errors import DataWarning, RecurraError
from recurra.explaining import Read
from recurra.models.records.encoders import ValueEncoder

if TYPE_CHECKING:
    from recurra.data import Preprocessor, SequenceDataset, Stream
    from recurra.types import Array, Floats

__all__ = ["Looks", "root_of"]

UNKNOWN = (":observed", ":since")  # columns that say that a value is not there


@dataclass(frozen=True, eq=False)
class Looks:
    """What a record looks like to its owner.

    Attributes
    ----------
    raw, treated : dict of str to Stream
        Its streams as they came, and as the network reads them; ``"static"`` among them.
    unknown : dict of str to dict of str to ndarray
        By stream and treated channel: what columns say that tell of missing values, where nothing
        was ever observed.
    """

    raw: Mapping[str, Stream]
    treated: Mapping[str, Stream]
    unknown: Mapping[str, Mapping[str, Floats]]

    @classmethod
    def of(
        cls, dataset: SequenceDataset, treated: SequenceDataset, preprocessor: Preprocessor
    ) -> Self:
        """Look at a record.

        Parameters
        ----------
        dataset, treated : SequenceDataset
            As it came, and treated.
        preprocessor : Preprocessor
            The treatments.

        Returns
        -------
        Looks
            Its looks.
        """
        raw, read = dataset.all_streams, treated.all_streams
        telling = any(c.endswith(UNKNOWN) for each in read.values() for c in each.channels)
        unknown = _unknown(dataset, read, preprocessor) if telling else {}
        return cls(raw, read, unknown)

    def read(
        self, encoder: nn.Module, name: str, found: Tensor, base: Tensor, masked: bool = False
    ) -> Read:
        """Name what is read of a stream.

        Parameters
        ----------
        encoder : Encoder
            What looked it up.
        name : str
            The stream.
        found, base : Tensor, shape (steps, width)
            What is read of it, and where nothing is known.
        masked : bool
            Whether the mask of what is observed stands beside it.

        Returns
        -------
        Read
            With the names of channels and steps.
        """
        raw = self.raw.get(name)
        plain = self.plain(encoder, name)
        known = () if raw is None else raw.channels
        columns = tuple(root_of(each, known) for each in plain)
        if masked:
            columns *= 2
        if len(columns) < found.shape[1]:  # tokens, and records: one channel
            label = plain[0] if plain else name
            columns = (label,) * found.shape[1]
        return Read(found, base, columns, self.steps(name), self.shown(name, columns))

    def plain(self, encoder: nn.Module, name: str) -> tuple[str, ...]:
        """Say which treated channel each number that is read of a stream belongs to.

        Parameters
        ----------
        encoder : Encoder
            What looked it up.
        name : str
            The stream.

        Returns
        -------
        tuple of str
            For each number; of tokens once, of images ``"row,column"`` of each cell.
        """
        stream = self.treated[name]
        if stream.kind == "frames":
            _, height, width, colours = stream.values.shape
            cells = (f"{r},{c}" for r in range(height) for c in range(width))
            return tuple(cell for cell in cells for _ in range(colours))
        if not isinstance(encoder, ValueEncoder):
            return stream.channels if stream.kind == "signal" else stream.channels[:1]
        numbers = [stream.channels[k] for k in encoder.numbers]
        for k, table in zip(encoder.codes, encoder.tables, strict=True):
            numbers += [stream.channels[k]] * int(table.embedding_dim)  # type: ignore[arg-type]
        return tuple(numbers)

    def _same_rows(self, name: str) -> bool:
        """Say whether the steps are those that came."""
        raw, treated = self.raw.get(name), self.treated[name]
        if raw is None or raw.rows != treated.rows or raw.kind != treated.kind:
            return False
        return bool(np.array_equal(raw.clock_times, treated.clock_times))

    def steps(self, name: str) -> tuple[object, ...]:
        """Say what the steps are called.

        Parameters
        ----------
        name : str
            The stream.

        Returns
        -------
        tuple
            Their tokens, their times or their numbers.
        """
        stream = self.treated[name]
        if name == STATIC:
            return (None,) * stream.rows
        if stream.kind == "tokens":
            named = self.raw[name] if self._same_rows(name) else stream
            labels = named.categories[named.channels[0]]
            return tuple(labels[int(code)] for code in named.values[:, 0])
        times = stream.clock_times
        if stream.clock == "calendar":
            return tuple(to_wall(np.asarray(times, np.int64), stream.zone).view("M8[ns]"))
        return tuple(times.tolist())

    def shown(self, name: str, columns: tuple[str, ...]) -> Floats | None:
        """Give the values as they came.

        Parameters
        ----------
        name : str
            The stream.
        columns : tuple of str
            The channel of each number that is read.

        Returns
        -------
        ndarray, shape (steps, channels), or None
            NaN where there is no number; None where the steps are not those that came.
        """
        raw = self.raw.get(name)
        if raw is None or raw.kind not in ("values", "signal", "frames"):
            return None
        if not self._same_rows(name):
            return None
        if raw.kind == "frames":
            return raw.values.astype(np.float64).mean(-1).reshape(raw.rows, -1)
        shown = np.full((raw.rows, len(dict.fromkeys(columns))), np.nan)
        for place, channel in enumerate(dict.fromkeys(columns)):
            if channel in raw.channels and channel not in raw.categories:
                column = raw.channels.index(channel)
                seen = raw.mask[:, column]
                shown[seen, place] = raw.values[seen, column]
        return shown


def root_of(channel: str, known: tuple[str, ...]) -> str:
    """Find the channel of the user that a treated one was made of.

    Parameters
    ----------
    channel : str
        The treated one: ``"pulse:since"``.
    known : tuple of str
        Those of the user.

    Returns
    -------
    str
        ``"pulse"``; the same where it is of none.
    """
    parts = channel.split(":")
    roots = (":".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((root for root in roots if root in known), channel)


def _unknown(
    dataset: SequenceDataset, treated: Mapping[str, Stream], preprocessor: Preprocessor
) -> dict[str, dict[str, Floats]]:
    """Treat the record as if nothing had been observed; say what tells of that."""
    nothing = replace(
        dataset,
        streams={name: _emptied(each) for name, each in dataset.streams.items()},
        static=None if dataset.static is None else _emptied(dataset.static),
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            found = preprocessor.transform(nothing).all_streams
    except RecurraError:  # a treatment that needs a value: then zeros stand for it
        return {}
    return {
        name: {
            channel: stream.values[:, k].astype(np.float32)
            for k, channel in enumerate(stream.channels)
            if channel.endswith(UNKNOWN)
        }
        for name, stream in found.items()
        if name in treated and stream.rows == treated[name].rows and stream.kind == "values"
    }


def _emptied(stream: Stream) -> Stream:
    """Forget all values of a stream of measurements."""
    if stream.kind != "values":
        return stream
    values: Array = stream.values
    if values.dtype.kind == "f":
        values = np.full_like(values, np.nan)
    return replace(stream, values=values, observed=np.zeros((stream.rows, stream.width), bool))
