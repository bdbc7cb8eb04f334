"""What is asked of a forecasting network, for explanations: one step ahead, of one series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.auditing.phrases import plural
from recurra.data.panel.covariates import RealColumn
from recurra.data.panel.wall import to_wall
from recurra.explaining import Question, Read
from recurra.explaining.words import said
from recurra.models import ForecastNetwork, Inputs, Origin, roll_out

if TYPE_CHECKING:
    from recurra.data import CovariateEncoder, Panel
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.types import Array, Floats

__all__ = ["ForecastQuestion"]

TARGET, CALENDAR = "target", "calendar"  # streams, beside those of covariates
SINCE = "time since the row before"
USUAL = float(np.log1p(1.0))  # the usual time between two rows, as it is read


class _Role(NamedTuple):
    """The covariates of one role, as numbers.

    Attributes
    ----------
    values : Tensor, shape (steps, numbers + widths of the vectors)
        Standardised numbers, then the vectors of categories.
    columns : tuple of str
        The covariate of each column.
    reals : int
        How many of the columns are numbers.
    shown : ndarray, shape (steps, covariates)
        The numbers as they came, NaN for categories.
    """

    values: Tensor
    columns: tuple[str, ...]
    reals: int
    shown: Floats


class ForecastQuestion(Question):
    """The point forecast of one series, some steps ahead.

    Read are the series itself, ``"target"``, whose baseline is its recent mean, held throughout; a
    step that is taken away alone was not observed. The ``"past"``, ``"future"`` and ``"static"``
    covariates, where there are some, are at their means, and categories unknown; the
    ``"calendar"`` stands nowhere.

    Parameters
    ----------
    engine : Engine
        The network, and how it reads.
    series : Panel
        The rows of one series, from its first value up to where the forecast starts.
    coming : Panel
        The stamps after it, as many as steps may be asked for, with future covariates.
    untrained : callable
        Makes a network of the same make from a seed.
    """

    def __init__(
        self,
        engine: Engine,
        series: Panel,
        coming: Panel,
        untrained: Callable[[int], ForecastNetwork],
    ) -> None:
        self.engine, self.series, self.coming, self.untrained = engine, series, coming, untrained
        self.unobserved = torch.from_numpy(~series.observed)[:, None]
        self.h, self.asked = len(coming.times), ""
        self.roles = self._roles()
        self.reads = self._reads()

    def at(self, h: int) -> ForecastQuestion:
        """Ask of one of the steps.

        Parameters
        ----------
        h : int
            How far ahead, at most as far as stamps are known.

        Returns
        -------
        ForecastQuestion
            With the same reads.
        """
        one = copy(self)
        when = said(_stamps(self.coming)[h - 1])
        ahead = plural(h, "step")
        name, target = self.series.ids[0], self.series.columns.target
        one.h, one.asked = h, f"forecast of {target!r} of {name!r} at {when}, {ahead} ahead"
        return one

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        network, local = self.engine.network, self.engine.local
        view, history = local.observe(self._past(values[TARGET]))
        real, vectors = self._covariates(values)
        last = len(self.series.times) - 1
        before = Inputs(view.features[:, :last], real[:, :last], vectors[:, :last])
        state = network.read(before)[1] if last else None
        ahead = real[:, last : last + self.h], vectors[:, last : last + self.h]
        return roll_out(network, local, Origin(history, state), ahead)[:, -1]

    def randomised(self, seed: int) -> ForecastQuestion:
        """See `Question.randomised`."""
        engine = type(self.engine)(self.untrained(seed), self.engine.local, self.engine.reader)
        return ForecastQuestion(engine, self.series, self.coming, self.untrained).at(self.h)

    # ------------------------------------------------------------------ inside

    def _past(self, target: Tensor) -> Tensor:
        """Give the values of the series, NaN where there is none; the mean if none is left."""
        values = target.masked_fill(self.unobserved, torch.nan)[..., 0]
        nothing = values.isnan().all(1, keepdim=True)
        return torch.where(nothing, self.reads[TARGET].baseline[:, 0], values)

    def _covariates(self, values: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Line up the covariates with the step that reads each: numbers, and vectors."""
        records = len(values[TARGET])
        past, coming = len(self.series.times), len(self.coming.times)
        steps = past + coming - 1

        def parts(role: str) -> tuple[Tensor, Tensor]:
            found = values[role] if role in values else torch.zeros(records, past + coming, 0)
            reals = self.roles[role].reals
            return found[..., :reals], found[..., reals:]

        future, future_vectors = parts("future")
        static, static_vectors = (each[:, :1].expand(-1, steps, -1) for each in parts("static"))
        calendar = values.get(CALENDAR, torch.zeros(records, steps + 1, 0))
        known, known_vectors = (
            torch.cat([each[:, :past], each.new_zeros(records, coming - 1, each.shape[2])], 1)
            for each in parts("past")
        )
        real = self.engine.reader.lined_up(
            calendar[:, 1:], future[:, :-1], future[:, 1:], static, known
        )
        if self.engine.reader.has_past:
            there = (torch.arange(steps) < past).float().expand(records, -1)
            real = torch.cat([real[..., :-1], there[..., None]], -1)
        return real, torch.cat([future_vectors[:, 1:], static_vectors, known_vectors], -1)

    def _roles(self) -> dict[str, _Role]:
        """Encode the covariates."""
        encoder, network = self.engine.reader.encoder, self.engine.network
        parts = {
            "future": [self.series, self.coming],
            "static": [self.series],
            "past": [self.series],
        }
        found, begun = {}, 0
        for role, panels in parts.items():
            encoded = [getattr(encoder, role)(panel) for panel in panels]
            real = np.concatenate([each.real for each in encoded])
            codes = torch.from_numpy(np.concatenate([each.codes for each in encoded]))
            tables = [*network.embeddings][begun : begun + codes.shape[1]]
            begun += len(tables)
            with torch.no_grad():
                vectors = [table(codes[:, k]) for k, table in enumerate(tables)]
            names, labels = _by_kind(encoder, role)
            widths = [each.shape[1] for each in vectors]
            columns = (*names, *np.repeat(np.array(labels, object), widths).tolist())
            shown = np.full((len(real), len(names) + len(labels)), np.nan)
            for k, name in enumerate(names):
                shown[:, k] = np.concatenate([getattr(panel, role)[name] for panel in panels])
            values = torch.cat([torch.from_numpy(real), *vectors], 1)
            found[role] = _Role(values, columns, len(names), shown)
        return found

    def _reads(self) -> dict[str, Read]:
        """Say what is read, with names."""
        stamps = _stamps(self.series), (*_stamps(self.series), *_stamps(self.coming))
        reads = {TARGET: self._target(stamps[0])}
        steps = {"past": stamps[0], "future": stamps[1], "static": (None,)}
        for role, named in steps.items():
            values, columns, _, shown = self.roles[role]
            if columns:
                reads[role] = Read(values, torch.zeros_like(values), columns, named, shown)
        times = np.concatenate([self.series.times, self.coming.times])
        reader = self.engine.reader
        calendar = reader.calendar_of(times, np.append(times[:1], times[:-1]), self.series.clock)
        if calendar.shape[1]:
            columns = tuple(name.split("_", 1)[1].replace("_", " ") for name in reader.calendar)
            base = torch.zeros_like(calendar)
            if reader.usual_gap:
                columns, base[:, -1] = (*columns, SINCE), USUAL
            reads[CALENDAR] = Read(calendar, base, columns, stamps[1])
        return reads

    def _target(self, steps: tuple[object, ...]) -> Read:
        seen = self.series.target[self.series.observed]
        level = float(seen[-1 - max(self.engine.local.lags) :].mean())
        values = np.where(self.series.observed, self.series.target, level)[:, None]
        base = torch.full((len(values), 1), level, dtype=torch.float64)
        shown = self.series.target[:, None].copy()
        columns = (self.series.columns.target,)
        absent = torch.full_like(base, torch.nan)
        return Read(torch.from_numpy(values), base, columns, steps, shown, absent)


def _by_kind(encoder: CovariateEncoder, role: str) -> tuple[list[str], list[str]]:
    """Give the names of the numbers and of the categories, as they are encoded."""
    fitted = encoder.fitted[role]
    names = [name for name, one in fitted.items() if isinstance(one, RealColumn)]
    return names, [name for name in fitted if name not in names]


def _stamps(panel: Panel) -> tuple[object, ...]:
    """Give the stamps as numbers, or as dates on the wall clock."""
    clock = panel.clock
    if clock.kind == "integer":
        return tuple(panel.times.tolist())
    wall: Array = to_wall(panel.times, clock.zone).view("M8[ns]")
    return tuple(wall)
