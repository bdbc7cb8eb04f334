"""What is asked of an average of networks and baselines, for explanations: one step ahead."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.estimators.forecasting.forecast_question import TARGET, ForecastQuestion
from recurra.explaining import Question, Read
from recurra.tuning.auto_members import NetworkMember
from recurra.tuning.auto_selection import limited
from recurra.tuning.auto_treatments import Treated, treat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recurra.data import Panel
    from recurra.tuning.auto_ensemble import Ensemble
    from recurra.types import Array, Floats

__all__ = ["EnsembleQuestion"]


class EnsembleQuestion(Question):
    """The forecast of an ensemble for one series, some steps ahead.

    The whole average is asked: each change of the series is treated anew for each network, is
    forecast by each member, and what they say is kept near the changed past, as in `predict`. So
    there is no gradient. Covariates are read by the networks alone, each in numbers of its own:
    here a covariate is 1 where it is known, and 0 where it stands at the mean of what each network
    learned from. The series is as for `ForecastQuestion`.

    Parameters
    ----------
    ensemble : Ensemble
        It stays where it stands.
    series : Panel
        The rows of one series, from its first value up to where the forecast starts.
    coming : Panel
        The stamps after it, as many as steps may be asked for, with future covariates.
    """

    smooth = False

    def __init__(self, ensemble: Ensemble, series: Panel, coming: Panel) -> None:
        self.ensemble, self.series, self.coming = ensemble, series, coming
        self.lead = ensemble.lead.model._question_of(series, coming)
        self.asked, self.h = "", len(coming.times)
        self.asks = {
            k: each.model._question_of(each.treated(series).panel, coming)
            for k, (each, weight) in enumerate(zip(ensemble.members, ensemble.weights, strict=True))
            if isinstance(each, NetworkMember) and weight
        }
        self.reads = {TARGET: self.lead.reads[TARGET]}
        for ask in (self.lead, *self.asks.values()):  # one may read more of the calendar
            for name, read in ask.reads.items():
                known = self.reads[name].channels if name in self.reads else ()
                if name != TARGET and len(read.channels) > len(known):
                    self.reads[name] = _switches(read)

    def at(self, h: int) -> EnsembleQuestion:
        """Ask of one of the steps; see `ForecastQuestion.at`."""
        one = copy(self)
        one.h, one.asked = h, self.lead.at(h).asked
        one.asks = {k: each.at(h) for k, each in self.asks.items()}
        return one

    @torch.no_grad()
    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        past = _once(self.lead._past(values[TARGET]).numpy())
        panel = self._changed(past)
        treated: dict[tuple[str, int], Treated] = {}
        total = np.zeros(len(values[TARGET]))
        for k, (each, weight) in enumerate(
            zip(self.ensemble.members, self.ensemble.weights, strict=True)
        ):
            if not weight:
                continue
            if isinstance(each, NetworkMember):
                key = each.treatment, each.season
                if key not in treated:
                    treated[key] = treat(panel, *key)
                said = self._foretold(self.asks[k], treated[key], values)
            else:
                said = np.array([each.model.forecast(row, self.h)[-1] for row in past])
            total += weight * limited(said[:, None], panel, self.ensemble.reach)[:, 0]
        return torch.from_numpy(total)

    def randomised(self, seed: int) -> EnsembleQuestion:
        """Ask the same of networks that have learned nothing, and of the same baselines."""
        one = copy(self)
        one.asks = {k: each.randomised(seed + k) for k, each in self.asks.items()}
        return one

    def _changed(self, past: Floats) -> Panel:
        """Make a series of each change."""
        series, count = self.series, len(past)
        return replace(
            series,
            ids=series.ids * count,
            offsets=np.arange(count + 1) * past.shape[1],
            times=np.tile(series.times, count),
            target=past.ravel(),
            observed=~np.isnan(past.ravel()),
            past={},
            future={},
            static={},
        )

    def _foretold(
        self, ask: ForecastQuestion, treated: Treated, values: Mapping[str, Tensor]
    ) -> Floats:
        """Ask a network, and undo the treatment."""
        rows = len(values[TARGET])
        target = torch.from_numpy(treated.panel.target.reshape(len(treated.panel), -1, 1))
        given = {TARGET: target.expand(rows, -1, -1)}
        for name, read in ask.reads.items():
            if name != TARGET:
                place = {channel: k for k, channel in enumerate(self.reads[name].channels)}
                known = values[name][..., [place[channel] for channel in read.columns]]
                given[name] = torch.lerp(read.baseline.to(read.values), read.values, known)
        said: Array = np.zeros((rows, self.h))
        said[:, -1] = ask.answer(given).numpy()
        return treated.back(said)[:, -1]


def _once(past: Floats) -> Floats:
    """Keep one of rows that are all alike, as where covariates are taken away."""
    alike = np.array_equal(past, np.broadcast_to(past[:1], past.shape), equal_nan=True)
    return past[:1] if alike else past


def _switches(read: Read) -> Read:
    """Read of each channel whether it is known."""
    there = torch.ones(len(read.values), len(read.channels))
    return Read(there, torch.zeros_like(there), read.channels, read.steps, read.shown)
