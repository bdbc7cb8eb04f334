"""Asking models that read rows: what comes next, how likely a row was, why a step is odd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recurra.errors import OptionError, near
from recurra.estimators.records.record_looks import Looks, root_of
from recurra.estimators.records.wanted import chosen_step
from recurra.estimators.rows.anomaly_data import Rows
from recurra.estimators.rows.next_step_data import rows_in_order, slopes_back, values_back
from recurra.estimators.rows.row_question import NextRowQuestion, ScoreQuestion
from recurra.explaining import Read

if TYPE_CHECKING:
    from recurra.data import Preprocessor, SequenceDataset

__all__ = ["about_next_row", "about_score"]


def about_next_row(
    model: Any, X: Any, target: Any, step: int | None, how: Mapping[str, Any]
) -> NextRowQuestion:
    """Ask a `NextStep`.

    Parameters
    ----------
    model : NextStep
        Fitted.
    X : as for `predict`
        One record.
    target : str or int, optional
        A channel: the mean of the next row, or of flags the log odds of 1; not needed where there
        is one.
    step : int, optional
        Instead the log-likelihood of this row, of the channel or of all, by the rows before it.
    how : dict of str
        Further arguments of `from_arrays`.

    Returns
    -------
    NextRowQuestion
        The question.
    """
    dataset = model._one_to_ask(X, how)
    treated = model.preprocessor_.transform(dataset)
    ((_, batch),) = rows_in_order(treated)
    rows, channels = batch.values.shape[1], model.channels_
    distribution = model.network_.distribution
    if step is None:
        until, place = rows, _chosen_channel(target, channels)
        channel = channels[place]
        asked = f"next {channel!r}"
        if model._of_flags:
            asked = f"log odds of 1 in {channel!r} of the next row"

        def pick(raw: Tensor) -> Tensor:
            if model._of_flags:
                return raw[:, place, 0].double()
            return _in_units(distribution.mean(raw)[:, place], model.preprocessor_, channel)

    else:
        until = chosen_step(step, rows)
        if not until:
            raise OptionError("step=0 has no rows before it that could explain it: ask of another.")
        kept = [*range(len(channels))] if target is None else [_chosen_channel(target, channels)]
        there = batch.observed[0, until, kept]
        if not there.any():
            raise OptionError(f"Nothing was observed at step {until}: ask of another.")
        values = batch.values[0, until, : len(channels)]
        slopes = slopes_back(values.numpy(), model.preprocessor_, channels)
        stretch = float(np.log(slopes[kept])[there.numpy()].sum())
        asked = "log-likelihood of" + ("" if target is None else f" {channels[kept[0]]!r} of")
        asked += f" row {until}"

        def pick(raw: Tensor) -> Tensor:
            each = distribution.log_probability(raw, values.expand(len(raw), -1))[:, kept]
            return torch.where(there, each, 0.0).double().sum(1) - stretch

    read, name = _named(model, dataset, treated, until)
    return NextRowQuestion(
        model.network_, batch.first(until), read, name, asked, pick, _untrained_like(model)
    )


def about_score(
    model: Any, X: Any, target: Any, step: int | None, how: Mapping[str, Any]
) -> ScoreQuestion:
    """Ask an `AnomalyDetector`.

    Parameters
    ----------
    model : AnomalyDetector
        Fitted.
    X : as for `predict`
        One record.
    target : None
        The score is that of the whole step.
    step : int, optional
        Which; by default that with the highest score.
    how : dict of str
        Further arguments of `from_arrays`.

    Returns
    -------
    ScoreQuestion
        The question.
    """
    if target is not None:
        raise OptionError(
            f"target={target!r}, but a score is of all channels of a step: leave it out, or say "
            "which step, step=."
        )
    dataset = model._one_to_ask(X, how)
    treated = model.preprocessor_.transform(dataset)
    rows, width = Rows(treated.stream, len(model.channels_)), treated.stream.width
    errors = model._errors_of(model.network_, rows)
    (scores,) = model._scored(rows, errors, model._ranges, model.adapts)
    if np.isnan(scores).all():
        raise OptionError("No step of the record has a score: nothing was observed.")
    at = int(np.nanargmax(scores)) if step is None else chosen_step(step, len(scores))
    if np.isnan(scores[at]):
        raise OptionError(f"Nothing was observed at step {at}, so it has no score: ask of another.")
    values = np.concatenate([rows.scaled, rows.values[:, len(model.channels_) :]], 1)
    read, name = _named(model, dataset, treated, at + 1)
    return ScoreQuestion(
        model.network_,
        torch.from_numpy(np.nan_to_num(values[: at + 1])),
        torch.from_numpy(rows.observed[: at + 1, :width]),
        read,
        name,
        model._ranges,
        model.smoothing,
        model.adapts,
        _untrained_like(model),
    )


def _named(
    model: Any, dataset: SequenceDataset, treated: SequenceDataset, until: int
) -> tuple[Read, str]:
    """Say what the first rows and their channels are called, and what they held."""
    looks = Looks.of(dataset, treated, model.preprocessor_)
    (name,) = treated.streams
    columns = tuple(root_of(each, dataset.stream.channels) for each in treated.stream.channels)
    shown, nothing = looks.shown(name, columns), torch.zeros(until, len(columns))
    named = looks.steps(name)[:until]
    return Read(nothing, nothing, columns, named, None if shown is None else shown[:until]), name


def _chosen_channel(target: Any, channels: tuple[str, ...]) -> int:
    """Choose a channel."""
    if target is None and len(channels) == 1:
        return 0
    if target is None:
        raise OptionError(
            f"There are {len(channels)} channels: say which, target={channels[0]!r}, or which "
            "row's likelihood, step=."
        )
    if target in channels:
        return channels.index(target)
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(channels):
        return target
    raise OptionError(f"There is no channel {target!r}. {near(str(target), channels)}")


def _untrained_like(model: Any) -> Callable[[int], Any]:
    """Give what makes networks of the same make as a fitted model's."""

    def make(seed: int) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return model._network_from(model._network_header()).eval()

    return make


def _in_units(scaled: Tensor, preprocessor: Preprocessor, channel: str) -> Tensor:
    """Write scaled values of a channel in the units of the data; autograd can follow."""
    values = scaled.detach().double().numpy()[:, None]
    back = torch.from_numpy(values_back(values, preprocessor, (channel,))[:, 0])
    slope = torch.from_numpy(slopes_back(values, preprocessor, (channel,))[:, 0])
    away = scaled.double()
    return back + slope * (away - away.detach())
