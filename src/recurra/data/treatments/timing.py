"""Channels that tell a network the time: since the step before, since the start, by calendar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.data.panel.wall import DAY, to_wall
from recurra.data.sequences import STATIC, SequenceDataset, Stream
from recurra.data.sequences.stream import SECOND
from recurra.data.treatments.added import with_channels
from recurra.data.treatments.options import check_number
from recurra.data.treatments.stream_treatment import StreamTreatment
from recurra.data.treatments.treatment import Learned
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Floats, Integers

__all__ = ["Calendar", "Elapsed", "Gaps", "SpacedTreatment", "TimedTreatment", "learn_spacing"]

SCALES = ("log", "none")
PHASES = ("hour", "weekday", "month")


@dataclass(frozen=True, repr=False)
class TimedTreatment(StreamTreatment):
    """A treatment that reads the clock, so it leaves static covariates alone."""

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        if self.stream == STATIC:
            raise OptionError(
                f"{type(self).__name__} reads a clock, but static covariates have none."
            )
        return {name: s for name, s in super()._streams(dataset).items() if name != STATIC}


@dataclass(frozen=True, repr=False)
class SpacedTreatment(TimedTreatment):
    """A treatment that adds stretches of time, measured by the usual time between steps.

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
    """

    scale: str = "log"
    cap: float | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown scale, and a cap that is no time."""
        super().__post_init__()
        if self.scale not in SCALES:
            raise OptionError(f"scale={self.scale!r}. {near(str(self.scale), SCALES)}")
        if self.cap is not None:
            check_number("cap", self.cap, positive=True)

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come."""
        return True

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:  # noqa: ARG002
        """Learn the median time between steps."""
        return {"spacing": learn_spacing(stream)}

    def scaled(self, stream: Stream, stretches: Array, spacing: Array) -> Floats:
        """Bring stretches of time to the size of a network's inputs.

        Parameters
        ----------
        stream : Stream
            Whose clock it is.
        stretches : ndarray, shape (steps,)
            As the clock writes them.
        spacing : ndarray of float64, shape (1,)
            What `learn_spacing` returned.

        Returns
        -------
        ndarray of float64, shape (steps,)
            Seconds on a calendar, else the clock's units, or their logarithm.
        """
        long: Floats = stretches / SECOND if stream.clock == "calendar" else stretches * 1.0
        if self.cap is not None:
            long = np.minimum(long, self.cap)
        return np.log1p(long / spacing[0]) if self.scale == "log" else long


@dataclass(frozen=True, repr=False)
class Gaps(SpacedTreatment):
    r"""Add a channel ``gap``: the time Δ since the step before, 0 at the first of a record.

    In seconds on a calendar, else in the units of the clock. Under ``scale="log"`` it is
    log(1 + Δ / s), with s the median time between steps in the training part.

    Parameters
    ----------
    scale : {"log", "none"}
        Whether to take the logarithm.
    cap : float, optional
        The longest time there is; a longer one is cut to it.
    stream : str, optional
        Which stream; None for every stream of measurements.
    channels : None
        It adds to a whole stream.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[5.0, 6.0, 7.0]], times=[[0.0, 2.0, 9.0]])
    >>> add = Gaps(scale="none")
    >>> add.apply(data, add.learn(data)).stream.values[:, 1]
    array([0., 2., 7.])
    """

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:  # noqa: ARG002
        """Measure back to the step before."""
        times = stream.clock_times
        stretch = np.zeros(stream.rows, times.dtype)
        stretch[1:] = np.diff(times)
        stretch[stream.offsets[:-1][stream.lengths > 0]] = 0
        return with_channels(stream, {"gap": self.scaled(stream, stretch, learned["spacing"])})

    def _columns(self, stream: Stream) -> list[int]:  # noqa: ARG002
        return _no_columns(self)


@dataclass(frozen=True, repr=False)
class Elapsed(SpacedTreatment):
    r"""Add a channel ``elapsed``: the time Δ since the first step of the record.

    In seconds on a calendar, else in the units of the clock. Under ``scale="log"`` it is
    log(1 + Δ / s), with s the median time between steps in the training part.

    Parameters
    ----------
    scale : {"log", "none"}
        Whether to take the logarithm.
    cap : float, optional
        The longest time there is; a longer one is cut to it.
    stream : str, optional
        Which stream; None for every stream of measurements.
    channels : None
        It adds to a whole stream.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[5.0, 6.0, 7.0]], times=[[1.0, 2.0, 9.0]])
    >>> add = Elapsed(scale="none", cap=5)
    >>> add.apply(data, add.learn(data)).stream.values[:, 1]
    array([0., 1., 5.])
    """

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:  # noqa: ARG002
        """Measure back to the first step."""
        times = stream.clock_times
        first = np.repeat(stream.offsets[:-1], stream.lengths)
        since = times - times[first]
        return with_channels(stream, {"elapsed": self.scaled(stream, since, learned["spacing"])})

    def _columns(self, stream: Stream) -> list[int]:  # noqa: ARG002
        return _no_columns(self)


@dataclass(frozen=True, repr=False)
class Calendar(TimedTreatment):
    """Add where in the day, the week and the year a step lies, as a sine and a cosine each.

    The clock on the wall of the stream's time zone is read, so that midnight is near 23:00. Streams
    without a calendar are left alone, unless no stream has one.

    Parameters
    ----------
    phases : str or tuple of {"hour", "weekday", "month"}
        Which phases: of the day, of the week, of the year. Each goes on evenly within its cycle.
    stream : str, optional
        Which stream; None for every stream of measurements with a calendar.
    channels : None
        It adds to a whole stream.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> times = [np.array(["2024-01-01T00", "2024-01-01T06"], "M8[h]")]
    >>> data = from_arrays([[5.0, 6.0]], times=times)
    >>> add = Calendar(("hour",))
    >>> shown = add.apply(data, add.learn(data)).stream
    >>> shown.channels, shown.values[:, 1:].round(6).tolist()
    (('x0', 'hour:sin', 'hour:cos'), [[0.0, 1.0], [1.0, 0.0]])
    """

    phases: str | tuple[str, ...] = PHASES

    def __post_init__(self) -> None:
        """Refuse an unknown phase."""
        super().__post_init__()
        given = (self.phases,) if isinstance(self.phases, str) else tuple(self.phases)
        object.__setattr__(self, "phases", given)
        for name in given:
            if name not in PHASES:
                raise OptionError(f"There is no phase {name!r}. {near(str(name), PHASES)}")

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come."""
        return True

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:  # noqa: ARG002
        """Learn nothing: the calendar is the same for all."""
        return {}

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:  # noqa: ARG002
        """Read the clock on the wall."""
        if stream.times is None or stream.clock != "calendar":
            message = f"A calendar is read, but the stream has a {stream.clock} clock"
            hint = "Give the times as datetime64, as in the training part."
            raise DataError(message, code="no_calendar", hint=hint)
        wall = to_wall(stream.times, stream.zone)
        angles = {name: 2 * np.pi * _phase(wall, name) for name in self.phases}
        waves = (("sin", np.sin), ("cos", np.cos))
        return with_channels(
            stream, {f"{name}:{wave}": f(a) for name, a in angles.items() for wave, f in waves}
        )

    def _columns(self, stream: Stream) -> list[int]:  # noqa: ARG002
        return _no_columns(self)

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        found = super()._streams(dataset)
        dated = {name: each for name, each in found.items() if each.clock == "calendar"}
        if not dated:
            clocks = ", ".join(f"{name!r} has a {each.clock} clock" for name, each in found.items())
            message = f"Calendar reads dates, but {clocks or 'there is no stream of measurements'}"
            raise OptionError(f"{message}. Give the times as datetime64.")
        return dated


def learn_spacing(stream: Stream) -> Floats:
    """Find the median time between two steps that differ in time.

    Parameters
    ----------
    stream : Stream
        Of the training part.

    Returns
    -------
    ndarray of float64, shape (1,)
        Seconds on a calendar, else the clock's units; 1 where there are no two such steps.

    Examples
    --------
    >>> learn_spacing(Stream(np.zeros((3, 1)), np.array([0, 3]), ("x",), rate=4.0))
    array([0.25])
    """
    gaps = stream.gaps
    apart = gaps[gaps > 0]
    return np.array([np.median(apart) if apart.size else 1.0])


def _phase(wall: Integers, name: str) -> Floats:
    """Say how much of a cycle is over, from 0 to 1."""
    if name == "hour":
        return wall % DAY / DAY
    if name == "weekday":
        return (wall + 3 * DAY) % (7 * DAY) / (7 * DAY)
    stamps = wall.view("M8[ns]")
    year = stamps.astype("M8[Y]")
    start, stop = (edge.astype("M8[ns]").astype(np.int64) for edge in (year, year + 1))
    return (wall - start) / (stop - start)


def _no_columns(treatment: TimedTreatment) -> list[int]:
    """Choose no channel, since the whole stream is meant; refuse those that are named."""
    if treatment.channels is not None:
        message = f"{type(treatment).__name__} adds to a stream, not to its channels"
        raise OptionError(f"{message}. Use stream=... to say which.")
    return []
