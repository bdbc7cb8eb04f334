"""A treatment of channels: found again by name, learned stream by stream, telling what it did."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from recurra.data.sequences import STATIC, SequenceDataset, Stream
from recurra.data.tables.notes import tell
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import DataError, OptionError, near
from recurra.types import Array

__all__ = ["StreamTreatment", "as_floats", "learned_of", "list_names"]


@dataclass(frozen=True, repr=False)
class StreamTreatment(Treatment):
    """A treatment that goes stream by stream, over some of their channels, and says what it did.

    The names of the channels are learned, so that a part with another order of channels, or with
    more of them, is treated all the same.

    Parameters
    ----------
    stream : str, optional
        Which stream; ``"static"`` for the static covariates; None for every stream of measurements,
        and the static covariates.
    channels : sequence of str, optional
        Which channels; None for all that it suits.
    """

    stream: str | None = field(default=None, kw_only=True)
    channels: Sequence[str] | None = field(default=None, kw_only=True)

    kinds: ClassVar[tuple[str, ...]] = ("values", "signal")
    """The kinds of streams that can be treated."""

    @property
    def causal(self) -> bool:
        """Whether a step is treated without a look at later steps."""
        return True

    def __post_init__(self) -> None:
        """Make a tuple of a list of channels."""
        if isinstance(self.channels, str):
            message = f"channels={self.channels!r} is one name, but a list of names is read"
            raise OptionError(f"{message}. Use channels=[{self.channels!r}].")
        if self.channels is not None:
            object.__setattr__(self, "channels", tuple(self.channels))

    @abstractmethod
    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn from one stream.

        Parameters
        ----------
        stream : Stream
            Of the training part.
        columns : list of int
            The channels to be treated.

        Returns
        -------
        dict of str
            What was learned.
        """

    @abstractmethod
    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Treat one stream.

        Parameters
        ----------
        stream : Stream
            The stream.
        columns : list of int
            The channels to be treated.
        learned : dict of str
            What was learned from that stream.

        Returns
        -------
        Stream
            The treated stream.
        """

    def suits(self, stream: Stream, channel: str) -> bool:
        """Say whether a channel is treated where none is named: those that hold no codes.

        Parameters
        ----------
        stream : Stream
            The stream.
        channel : str
            One of its channels.

        Returns
        -------
        bool
            True for numbers.
        """
        return channel not in stream.categories

    def reads(self, stream: Stream) -> Stream:
        """Say which stream has the channels that are treated.

        Parameters
        ----------
        stream : Stream
            A stream of the data set.

        Returns
        -------
        Stream
            The same, or one inside it.
        """
        return stream

    def remarks(self, learned: Learned) -> list[str]:  # noqa: ARG002
        """Say what is remarkable about what was learned from a stream.

        Parameters
        ----------
        learned : dict of str
            What was learned from that stream, and the names of its ``channels``.

        Returns
        -------
        list of str
            Told once, when learned; kept in the notes of each part.
        """
        return []

    def findings(
        self,
        before: Stream,  # noqa: ARG002
        after: Stream,  # noqa: ARG002
        learned: Learned,  # noqa: ARG002
    ) -> list[str]:
        """Say what was done to a stream of one part.

        Parameters
        ----------
        before, after : Stream
            As it came, and as it was treated.
        learned : dict of str
            What was learned from that stream, and the names of its ``channels``.

        Returns
        -------
        list of str
            Told each time, and kept in the notes of the part.
        """
        return []

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn from each stream; the keys are ``stream/what``."""
        self._check_names(dataset)
        found: dict[str, Learned] = {}
        for name, stream in self._streams(dataset).items():
            source = self.reads(stream)
            columns = self._columns(source)
            names = [source.channels[k] for k in columns]
            found[name] = {**self.learn_stream(stream, columns), "channels": names}
        self._check_learned(list(found.values()))
        for text in (text for learned in found.values() for text in self.remarks(learned)):
            tell(text)
        return {f"{name}/{key}": v for name, learned in found.items() for key, v in learned.items()}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Treat each stream with what was learned from it."""
        everything = dataset.all_streams
        treated, notes = {}, []
        for name in (key.removesuffix("/channels") for key in learned if key.endswith("/channels")):
            if name not in everything:
                raise _lacks(f"stream {name!r}", name, list(everything))
            own = learned_of(name, learned)
            before = everything[name]
            columns = self._learned_columns(self.reads(before), own["channels"])
            treated[name] = self.apply_stream(before, columns, own)
            notes += self.remarks(own)
            notes += [tell(text) for text in self.findings(before, treated[name], own)]
        static = treated.pop(STATIC, dataset.static)
        streams = {**dataset.streams, **treated}
        return replace(dataset, streams=streams, static=static, notes=(*dataset.notes, *notes))

    def _learned_columns(self, stream: Stream, names: list[str]) -> list[int]:
        """Find channels by name, and refuse what has become of another type."""
        for name in names:
            if name not in stream.channels:
                raise _lacks(f"channel {name!r}", name, list(stream.channels))
            if not self.suits(stream, name):
                coded = name in stream.categories
                here, there = ("categories", "numbers") if coded else ("numbers", "categories")
                message = f"There were {there} in the training part, but here are {here}"
                hint = "Read both parts in the same way."
                raise DataError(message, code="channel_type", column=name, hint=hint)
        return [stream.channels.index(name) for name in names]

    def _check_learned(self, each: list[Learned]) -> None:
        """Refuse a training part from which nothing can be learnt."""

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        """Choose the streams to be treated."""
        everything = dataset.all_streams
        if self.stream is not None:
            return {self.stream: everything[self.stream]}
        wanted = {name: each for name, each in everything.items() if each.kind == "values"}
        if self.channels is None:
            return wanted
        return {n: s for n, s in wanted.items() if set(self.channels) & set(s.channels)}

    def _columns(self, stream: Stream) -> list[int]:
        """Choose the channels to be treated, and refuse what is named but does not suit."""
        if stream.kind not in self.kinds:
            able = " or ".join(self.kinds)
            message = f"{type(self).__name__} treats a stream of {able}"
            raise OptionError(f"{message}, but {self.stream!r} is one of {stream.kind}.")
        if self.channels is None:
            return [k for k, name in enumerate(stream.channels) if self.suits(stream, name)]
        columns = [k for k, name in enumerate(stream.channels) if name in self.channels]
        for name in (stream.channels[k] for k in columns):
            if not self.suits(stream, name):
                message = f"Channel {name!r} holds categories, not numbers"
                raise OptionError(f"{message}: {type(self).__name__} cannot treat it. Use Encode.")
        return columns

    def _check_names(self, dataset: SequenceDataset) -> None:
        """Refuse a stream or a channel that is not there."""
        everything = dataset.all_streams
        if self.stream is not None and self.stream not in everything:
            raise OptionError(
                f"There is no stream {self.stream!r}. {near(self.stream, everything)}"
            )
        channels = [name for stream in self._streams(dataset).values() for name in stream.channels]
        for name in self.channels or ():
            if name not in channels:
                there = [each for stream in everything.values() for each in stream.channels]
                raise OptionError(f"There is no channel {name!r}. {near(name, there)}")


def learned_of(name: str, learned: Learned) -> Learned:
    """Pick what was learned from one stream.

    Parameters
    ----------
    name : str
        The stream.
    learned : dict of str
        What `StreamTreatment.learn` returned.

    Returns
    -------
    dict of str
        Without the name of the stream in its keys.
    """
    start = f"{name}/"
    return {k.removeprefix(start): v for k, v in learned.items() if k.startswith(start)}


def as_floats(values: Array) -> Array:
    """Copy values into floating point; float32 stays it, and so do small integers that it holds.

    Parameters
    ----------
    values : ndarray
        Of any real type.

    Returns
    -------
    ndarray of float32 or float64
        A copy.

    Examples
    --------
    >>> as_floats(np.array([[1], [2]])).dtype
    dtype('float64')
    """
    if values.ndim != 2:
        raise OptionError(f"Channels of numbers are treated, but values have shape {values.shape}.")
    return values.astype(np.result_type(values, np.float32))


def list_names(names: list[str]) -> str:
    """Write some names, and how many more there are.

    Parameters
    ----------
    names : list of str
        The names.

    Returns
    -------
    str
        At most ten of them.

    Examples
    --------
    >>> list_names(["a", "b"])
    "'a', 'b'"
    """
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(repr, names[:10])) + more


def _lacks(what: str, name: str, known: list[str]) -> DataError:
    """Say that something learned from the training part is not in this one."""
    message = f"There is no {what}, but the training part had it"
    return DataError(message, code="missing_channel", hint=near(name, known))
