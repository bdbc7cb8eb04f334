"""What is asked of networks of rows, for explanations: what comes next, and how odd it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.estimators.rows.anomaly_scores import SMALLEST, WEIGHT, Ranges
from recurra.explaining import Question, Read
from recurra.models.rows.next_step_network import NextStepNetwork, RowBatch
from recurra.models.rows.window_autoencoder import WindowAutoencoder

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["NextRowQuestion", "ScoreQuestion"]

Network = NextStepNetwork | WindowAutoencoder


class NextRowQuestion(Question):
    """A number about the row that follows some rows.

    Read are the rows as the layer reads them. Where nothing is known, a value is 0, the mean of
    scaled numbers, and missing if the network knows of missing values.

    Parameters
    ----------
    network : NextStepNetwork
        The network.
    batch : RowBatch
        The rows of one record.
    read : Read
        What they are called: the steps, what they hold; a column for each channel.
    name : str
        The stream.
    asked : str
        What the number is.
    pick : callable
        Finds it, shape (records,), in what the network says, shape (records, channels, size).
    untrained : callable
        Makes a network of the same make from a seed.
    """

    def __init__(
        self,
        network: NextStepNetwork,
        batch: RowBatch,
        read: Read,
        name: str,
        asked: str,
        pick: Callable[[Tensor], Tensor],
        untrained: Callable[[int], NextStepNetwork],
    ) -> None:
        self.network, self.name, self.asked, self.pick = network, name, asked, pick
        self.untrained, self.given = untrained, (batch, read)
        rows = network.as_read(batch.values, batch.observed)[0, :, :-1]
        base, count = torch.zeros_like(rows), network.plan.channels
        holes = count if network.plan.holes else 0
        base[:, rows.shape[1] - holes :] = 1.0
        columns = (*read.columns, *read.columns[:holes])
        self.reads = {name: Read(rows, base, columns, read.steps, read.shown)}

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        rows = values[self.name]
        begins = rows.new_zeros(*rows.shape[:2], 1)
        return self.pick(self.network.around(torch.cat([rows, begins], -1))[:, -1])

    def randomised(self, seed: int) -> NextRowQuestion:
        """See `Question.randomised`."""
        batch, read = self.given
        fresh = self.untrained(seed)
        return NextRowQuestion(fresh, batch, read, self.name, self.asked, self.pick, self.untrained)


class ScoreQuestion(Question):
    """The score of the last of some rows; see `Novelty`.

    It is the largest of several: by channel, how far its value and its errors lie beyond what was
    seen. That which is the largest of the rows as they are is followed in changed ones.

    Read are scaled values. Where nothing is known, a value is 0, the median by default, or the
    nearest that was seen.

    Parameters
    ----------
    network : NextStepNetwork or WindowAutoencoder
        The network.
    values : Tensor, shape (steps, channels + extras), float64
        Scaled, finite everywhere.
    observed : Tensor of bool, shape (steps, channels + extras)
        Where there is a value.
    read : Read
        What the rows are called: the steps, what they hold; a column for each channel.
    name : str
        The stream.
    ranges : Ranges
        What was seen before.
    smoothing : int
        Steps whose errors are averaged.
    adapts : bool
        Whether what is seen widens the ranges.
    untrained : callable
        Makes a network of the same make from a seed.
    """

    def __init__(
        self,
        network: Network,
        values: Tensor,
        observed: Tensor,
        read: Read,
        name: str,
        ranges: Ranges,
        smoothing: int,
        adapts: bool,
        untrained: Callable[[int], Network],
    ) -> None:
        self.network, self.observed, self.name = network, observed, name
        self.smoothing, self.adapts, self.untrained = smoothing, adapts, untrained
        self.ranges, self.given = ranges, (values, observed, read, name, ranges, smoothing, adapts)
        count = network.plan.channels
        usual = np.zeros(values.shape[1])
        usual[:count] = np.nan_to_num(np.clip(0.0, ranges.low, ranges.high), posinf=0, neginf=0)
        base = torch.from_numpy(usual).expand_as(values)
        known = torch.where(observed, values, base)
        self.reads = {name: Read(known, base, read.columns, read.steps, read.shown)}
        with torch.no_grad():
            self.part = int(self._parts(known[None])[0].argmax())
        from_error, channel = divmod(self.part, count)
        whose = f"{'errors' if from_error else 'value'} of {read.columns[channel]!r}"
        self.asked = f"score of step {len(values) - 1}, from the {whose}"

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        return self._parts(values[self.name])[:, self.part]

    def randomised(self, seed: int) -> ScoreQuestion:
        """See `Question.randomised`."""
        other = ScoreQuestion(self.untrained(seed), *self.given, self.untrained)
        other.part, other.asked = self.part, self.asked
        return other

    # ------------------------------------------------------------------ inside

    def _parts(self, values: Tensor) -> Tensor:
        """Say how far the last value and errors of each channel lie beyond their ranges."""
        count, ranges = self.network.plan.channels, self.ranges
        seen = self.observed[:, :count].any(1)  # steps without any value pass unnoticed
        known = self.observed[seen, :count].expand(len(values), -1, -1)
        scored = values[:, seen, :count]
        smooth, told = _smoothed(self._errors(values)[:, seen], known, self.smoothing)
        both = [
            self._beyond(scored, known, ranges.low, ranges.high),
            WEIGHT * self._beyond(smooth, told, ranges.least_error, ranges.most_error),
        ]
        return torch.cat(both, 1)

    def _beyond(self, values: Tensor, known: Tensor, low: Floats, high: Floats) -> Tensor:
        """Say how far the last values lie beyond all before; minus infinity where unknown."""
        least, most = (torch.from_numpy(each).expand(len(values), -1) for each in (low, high))
        if self.adapts and values.shape[1] > 1:
            before, there = values[:, :-1], known[:, :-1]
            least = torch.minimum(least, before.masked_fill(~there, torch.inf).amin(1))
            most = torch.maximum(most, before.masked_fill(~there, -torch.inf).amax(1))
        able = known[:, -1] & (most >= least)
        least, most = least.masked_fill(~able, 0.0), most.masked_fill(~able, 1.0)
        value = values[:, -1]
        span = torch.maximum(most - least, SMALLEST * (1.0 + value.abs()))
        beyond = torch.maximum(value - most, least - value) / span
        return beyond.masked_fill(~able, -torch.inf)

    def _errors(self, values: Tensor) -> Tensor:
        """Measure how badly each row was foretold or told again; 0 where there was no value."""
        count = self.network.plan.channels
        observed = self.observed.expand(len(values), -1, -1)
        drawn = torch.cat([values[..., :count].asinh(), values[..., count:]], -1)
        rows = drawn.masked_fill(~observed, 0.0).float()
        if isinstance(self.network, NextStepNetwork):
            raw = self.network.around(self.network.as_read(rows, observed))[:, :-1]
            expected = self.network.distribution.mean(raw)
        else:
            expected = _told_again(self.network, rows, observed)
        errors = (rows[..., :count] - expected).abs().double()
        return errors.masked_fill(~observed[..., :count], 0.0)


def _smoothed(errors: Tensor, known: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Take the mean of the last errors at each step, and say where there is one that counts."""

    def recent(each: Tensor) -> Tensor:
        sums = each.double().cumsum(1)
        late = torch.cat([torch.zeros_like(sums[:, :steps]), sums[:, :-steps]], 1)
        return sums - late[:, : sums.shape[1]]

    count = recent(known)
    enough = torch.arange(errors.shape[1])[:, None] >= steps - 1
    return recent(errors) / count.clamp_min(1.0), known & (count > 0) & enough


def _told_again(network: WindowAutoencoder, rows: Tensor, observed: Tensor) -> Tensor:
    """Tell the last row of the window that ends at each row again."""
    records, steps, width = rows.shape
    size = min(network.plan.window, steps)
    ends = torch.arange(steps)
    lengths = (ends + 1).clamp_max(size)
    places = (ends - lengths + 1)[:, None] + torch.arange(size)
    there = places <= ends[:, None]
    at = places.clamp_max(steps - 1)
    windows = rows[:, at].masked_fill(~there[..., None], 0.0).view(-1, size, width)
    seen = (observed[:, at] & there[..., None]).reshape(-1, size, width)
    told = network(RowBatch(windows, seen, lengths.repeat(records)))
    last = told[torch.arange(len(told)), lengths.repeat(records) - 1]
    return last.view(records, steps, -1)
