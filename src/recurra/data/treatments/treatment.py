"""What every treatment is: options that never change, and what it learned beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from recurra.data.sequences import SequenceDataset, Stream
from recurra.errors import OptionError, near

__all__ = ["Learned", "StreamTreatment", "Treatment"]

Learned = Mapping[str, Any]
"""What a treatment learned: arrays, and whatever else JSON can hold."""

STATIC = "static"


@dataclass(frozen=True)
class Treatment(ABC):
    """Something done to a data set; a subclass holds its options as frozen fields.

    What it learns from the training part is kept beside it, by `Preprocessor`, so that a treatment
    can be printed, compared and used again.
    """

    @abstractmethod
    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn from the training part.

        Parameters
        ----------
        dataset : SequenceDataset
            The training part, as the treatments before left it.

        Returns
        -------
        dict of str
            Arrays, and what JSON can hold: all that `apply` needs.
        """

    @abstractmethod
    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Treat a data set.

        Parameters
        ----------
        dataset : SequenceDataset
            Any part of the data.
        learned : dict of str
            What `learn` returned.

        Returns
        -------
        SequenceDataset
            The treated data; the one that came is unchanged.
        """

    def __repr__(self) -> str:
        """Show the options that are not the usual ones."""
        said = [
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(self)
            if getattr(self, each.name) != each.default
        ]
        return f"{type(self).__name__}({', '.join(said)})"


@dataclass(frozen=True, repr=False)
class StreamTreatment(Treatment):
    """A treatment that goes stream by stream, over some of their channels.

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

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn from each stream; the keys are ``stream/what``."""
        self._check_names(dataset)
        found: dict[str, Any] = {}
        for name, stream in self._streams(dataset).items():
            learned = self.learn_stream(stream, self._columns(stream))
            found |= {f"{name}/{key}": value for key, value in learned.items()}
        return found

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Treat each stream with what was learned from it."""
        self._check_names(dataset)
        treated = {}
        for name, stream in self._streams(dataset).items():
            start = f"{name}/"
            own = {k.removeprefix(start): v for k, v in learned.items() if k.startswith(start)}
            treated[name] = self.apply_stream(stream, self._columns(stream), own)
        static = treated.pop(STATIC, dataset.static)
        return replace(dataset, streams={**dataset.streams, **treated}, static=static)

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        """Choose the streams to be treated."""
        everything = dict(dataset.streams)
        if dataset.static is not None:
            everything[STATIC] = dataset.static
        if self.stream is not None:
            return {self.stream: everything[self.stream]}
        wanted = {name: each for name, each in everything.items() if each.kind == "values"}
        if self.channels is None:
            return wanted
        return {n: s for n, s in wanted.items() if set(self.channels) & set(s.channels)}

    def _columns(self, stream: Stream) -> list[int]:
        """Choose the channels to be treated."""
        if self.channels is None:
            return [k for k, name in enumerate(stream.channels) if self.suits(stream, name)]
        return [k for k, name in enumerate(stream.channels) if name in self.channels]

    def _check_names(self, dataset: SequenceDataset) -> None:
        """Refuse a stream or a channel that is not there."""
        known = [*dataset.streams, *([STATIC] if dataset.static is not None else [])]
        if self.stream is not None and self.stream not in known:
            raise OptionError(f"There is no stream {self.stream!r}. {near(self.stream, known)}")
        channels = [name for stream in self._streams(dataset).values() for name in stream.channels]
        for name in self.channels or ():
            if name not in channels:
                static = [] if dataset.static is None else [dataset.static]
                everything = [*dataset.streams.values(), *static]
                there = [each for stream in everything for each in stream.channels]
                raise OptionError(f"There is no channel {name!r}. {near(name, there)}")
