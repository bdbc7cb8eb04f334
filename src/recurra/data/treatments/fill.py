"""Fill holes: with a level, from the observations beside them, by season, or by other channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from recurra.data.sequences import Stream
from recurra.data.treatments.gaps import GAP_METHODS, GapFiller
from recurra.data.treatments.impute import IMPUTE_METHODS, ImputeFiller, Imputing, learn_rows
from recurra.data.treatments.options import check_count, check_number
from recurra.data.treatments.seasonal import SeasonalFiller, check_period, learn_season, phases
from recurra.data.treatments.stream_treatment import StreamTreatment, as_floats, list_names
from recurra.data.treatments.treatment import Learned
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Floats, Integers

__all__ = ["FILL_METHODS", "Fill"]

LEVELS = ("mean", "median", "constant")
FILL_METHODS = (*LEVELS, *GAP_METHODS, "seasonal", *IMPUTE_METHODS)
LOOKING_AHEAD = ("backward", "nearest", "linear", "time")


@dataclass(frozen=True, repr=False)
class Fill(StreamTreatment):
    """Fill holes of numbers; what was observed, and the mask that says so, stay as they are.

    ==============  ============================================================  ==========
    method          a hole gets                                                   looks ahead
    ==============  ============================================================  ==========
    ``mean``        the channel's mean in the training part                       no
    ``median``      its median there                                              no
    ``constant``    ``value``                                                     no
    ``forward``     the last observation before                                   no
    ``backward``    the first observation after                                   yes
    ``nearest``     the observation nearest in time, of two the earlier           yes
    ``linear``      the straight line between its neighbours, by steps            yes
    ``time``        that line in real time                                        yes
    ``seasonal``    the mean of the same phase of ``period`` in training          no
    ``knn``         the mean of the nearest training rows, by the other channels  no
    ``regression``  what regressions on the other channels say, in rounds         no
    ==============  ============================================================  ==========

    Nothing crosses from one record into another. A forecaster must not use a method that looks
    ahead; `causal` tells. What a method leaves (before the first observation, outside two
    neighbours, past the limit, a phase never seen, for ``knn`` and ``regression`` a step of which
    nothing is known) goes to ``then``. The holes of a channel never observed in training get 0, or
    ``value`` where ``"constant"`` comes last, with a note.

    Parameters
    ----------
    method : str
        One of the methods above.
    then : str or tuple of str
        What fills what remains; several in turn, the last of them ``"mean"``, ``"median"`` or
        ``"constant"``.
    value : float
        For ``"constant"``.
    limit : int, optional
        The most steps filled in a row by ``forward``, ``backward``, ``nearest``, ``linear`` and
        ``time``: counted from the observation the value comes from; on a line, from the one before.
    period : int or str, optional
        For ``"seasonal"``: a number of steps, counted from the start of each record, or ``"hour"``,
        ``"weekday"``, ``"hour of week"``, ``"month"`` on the clock on the wall.
    neighbours : int
        For ``"knn"``: how many training rows are averaged.
    lags : int
        For ``"knn"`` and ``"regression"``: how many steps before are looked at besides the step.
    rows : int
        For these: how many training rows are drawn, kept and saved. ``knn`` compares each row that
        has holes with all of them.
    seed : int
        For these: draws them.
    stream : str, optional
        Which stream; None for every stream of measurements, and the static covariates.
    channels : sequence of str, optional
        Which channels; None for all that hold numbers.

    See Also
    --------
    Indicators : Tells a network what was filled.

    References
    ----------
    ``knn``: Troyanskaya et al., Missing value estimation methods for DNA microarrays, 2001.
    ``regression``: van Buuren and Groothuis-Oudshoorn, mice, 2011, with the mean of each
    regression instead of a draw.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> nan = float("nan")
    >>> data = from_arrays([[nan, 1.0, nan, nan, 4.0], [nan, 2.0]])
    >>> fill = Fill("linear")
    >>> fill.apply(data, fill.learn(data)).stream.values.ravel().round(2)
    array([2.33, 1.  , 2.  , 3.  , 4.  , 2.33, 2.  ])
    >>> fill.causal, Fill("forward").causal
    (False, True)
    """

    method: str = "forward"
    then: str | tuple[str, ...] = "mean"
    value: float = 0.0
    limit: int | None = None
    period: int | str | None = None
    neighbours: int = 5
    lags: int = 0
    rows: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        super().__post_init__()
        if not isinstance(self.then, str):
            if not isinstance(self.then, Sequence):
                raise OptionError(f"then={self.then!r}, but it is a method, or several in a tuple.")
            object.__setattr__(self, "then", tuple(self.then))
        for method in self.order:
            if method not in FILL_METHODS:
                raise OptionError(
                    f"There is no method {method!r}. {near(str(method), FILL_METHODS)}"
                )
        if self.order[-1] not in LEVELS:
            message = f"then={self.then!r} may leave holes"
            raise OptionError(f"{message}. End with one of {', '.join(map(repr, LEVELS))}.")
        check_number("value", self.value)
        for name, least in (("neighbours", 1), ("lags", 0), ("rows", 1), ("seed", 0)):
            check_count(name, getattr(self, name), least)
        if self.limit is not None:
            check_count("limit", self.limit, 1)
            if not {*GAP_METHODS} & {*self.order}:
                names = ", ".join(GAP_METHODS)
                raise OptionError(f"limit={self.limit!r} is for {names}, not {self.method!r}.")
        if "seasonal" in self.order:
            check_period(self.period)
        elif self.period is not None:
            raise OptionError(f"period={self.period!r} is for 'seasonal', not {self.method!r}.")

    @property
    def order(self) -> tuple[str, ...]:
        """The methods in turn, down to the first that fills whatever is left."""
        rest = (self.then,) if isinstance(self.then, str) else self.then
        every = (self.method, *rest)
        stop = next((k for k, name in enumerate(every) if name in LEVELS), len(every))
        return every[: stop + 1]

    @property
    def causal(self) -> bool:
        """Whether a step is filled without a look at later steps."""
        return not {*LOOKING_AHEAD} & {*self.order}

    @property
    def stepwise(self) -> bool:
        """Whether steps can be filled as they come: with the last value, without a limit."""
        return self.limit is None and {*self.order} <= {"forward", *LEVELS}

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn the levels of the channels, and what the methods need."""
        centre, level, spread = (np.full(len(columns), start) for start in (0.0, 0.0, 1.0))
        never = np.zeros(len(columns), bool)
        for place, column in enumerate(columns):
            values = stream.values[stream.mask[:, column], column].astype(np.float64)
            never[place] = not len(values)
            if len(values):
                centre[place] = values.mean()
                level[place] = np.median(values) if self.order[-1] == "median" else centre[place]
                spread[place] = values.std() if values.min() < values.max() else 1.0
        if self.order[-1] == "constant":
            level[:] = self.value
        learned: dict[str, Array] = {"level": level, "never": never}
        if "seasonal" in self.order and self.period is not None:
            table = learn_season(stream, columns, self.period)
            learned |= {} if table is None else {"season": table}
        for method in {*IMPUTE_METHODS} & {*self.order}:
            kept = learn_rows(self._imputing(method), stream, columns, centre, spread)
            learned |= {"centre": centre, "spread": spread, "kept": kept}
        return learned

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Fill the holes, method by method."""
        values = as_floats(stream.values)
        fillers = [self._filler(method, stream, columns, learned) for method in self.order]
        for place, column in enumerate(columns):
            rows = np.flatnonzero(~stream.mask[:, column])
            if learned["never"][place]:
                values[rows, column] = learned["level"][place]
                continue
            for filler in fillers:
                if not rows.size:
                    break
                found = filler.at(place, rows)
                values[rows, column] = found
                rows = rows[np.isnan(found)]
        return replace(stream, values=values)

    def remarks(self, learned: Learned) -> list[str]:
        """Name the channels that were never observed."""
        names = [n for n, never in zip(learned["channels"], learned["never"], strict=True) if never]
        if not names:
            return []
        value = self.value if self.order[-1] == "constant" else 0
        said = f"Never observed in the training part, so filled with {value:g}"
        return [f"{said}: {list_names(names)}."]

    def _check_learned(self, each: list[Learned]) -> None:
        never = [learned["never"] for learned in each if len(learned["never"])]
        if never and np.concatenate(never).all():
            message = "Nothing was observed in any channel of the training part"
            raise DataError(message, code="all_missing", hint="Nothing can be learnt from it.")

    def _imputing(self, method: str) -> Imputing:
        return Imputing(method, self.neighbours, self.lags, self.rows, self.seed)

    def _filler(self, method: str, stream: Stream, columns: list[int], learned: Learned) -> Filler:
        """Make what fills with one method."""
        if method in GAP_METHODS:
            return GapFiller(method, stream, columns, self.limit)
        if method == "seasonal" and self.period is not None:
            phase = phases(stream, self.period) if "season" in learned else None
            return SeasonalFiller(learned.get("season"), phase)
        if method in IMPUTE_METHODS:
            state = (learned["kept"], learned["centre"], learned["spread"])
            return ImputeFiller(self._imputing(method), stream, columns, *state)
        return _LevelFiller(learned["level"])


class Filler(Protocol):
    """What fills the holes of a stream with one method."""

    def at(self, place: int, rows: Integers) -> Floats:
        """Fill some rows of one channel, with NaN where it has nothing to say."""


@dataclass(frozen=True)
class _LevelFiller:
    """Fills holes with one value for each channel."""

    level: Floats

    def at(self, place: int, rows: Integers) -> Floats:
        return np.full(len(rows), self.level[place])
