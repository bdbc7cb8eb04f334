"""Where every series stands: what must be kept to forecast it, and to read its next rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recurra.models import History, Inputs, Origin, take_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recurra.data import Panel
    from recurra.estimators.forecasting.forecast_inputs import InputReader
    from recurra.models import ForecastNetwork, LocalFeatures
    from recurra.types import Array, Integers

__all__ = ["LONG", "Rows", "State", "ahead_of", "look", "read_on"]

CELLS = 200_000  # steps, padding included, that go through the network at a time
LONG = 10_000  # steps of a series that are looked at, and read, in one go
RECTANGLE = 16  # series of one length that are worth a group of their own


@dataclass(frozen=True)
class Rows:
    """The series themselves as the network sees them, one row a step of a data set.

    Attributes
    ----------
    local : Tensor, shape (rows, local features), float32
        See :class:`~recurra.models.View`.
    anchor, scale : Tensor, shape (rows,), float64
        See :class:`~recurra.models.View`.
    """

    local: Tensor
    anchor: Tensor
    scale: Tensor


@dataclass(frozen=True)
class State:
    """Where every series stands after its newest row.

    Attributes
    ----------
    tail : Panel
        The newest row of every series, which the layer has not read yet: it waits for what will be
        known of the step after it.
    history : History
        The past, the newest row included.
    layer : object
        The recurrent layer's state before the newest row.
    """

    tail: Panel
    history: History
    layer: Any

    @property
    def origin(self) -> Origin:
        """Return the place where forecasts start."""
        return Origin(self.history, self.layer)


def look(
    local: LocalFeatures, dataset: Panel, before: History | None = None
) -> tuple[Rows, History]:
    """See every row of a data set from where it stands.

    Parameters
    ----------
    local : LocalFeatures
        How to look.
    dataset : Panel
        The rows.
    before : History, optional
        The history of the first series of the data set, up to and including their first row. The
        others begin here.

    Returns
    -------
    Rows
        One row a row.
    History
        One row a series, after its last row.
    """
    old = 0 if before is None else len(before.recent)
    size = len(dataset.times)
    rows = Rows(torch.zeros(size, local.size), *torch.zeros(2, size, dtype=torch.float64))
    history = local.start(len(dataset))
    fresh = np.arange(old, len(dataset))
    for series in _chunks(fresh, dataset.lengths):
        _look_at(local, dataset, series, None, rows, history)
    if before is not None:
        _put(history, torch.arange(old), before)
        first = torch.from_numpy(dataset.offsets[:old])
        for target, view in zip(
            (rows.local, rows.anchor, rows.scale), local.now(before), strict=True
        ):
            target[first] = view
        lengths = dataset.lengths[:old]
        for length in np.unique(lengths[lengths > 1]):
            _look_at(local, dataset, np.flatnonzero(lengths == length), before, rows, history)
    return rows, history


def _look_at(
    local: LocalFeatures,
    dataset: Panel,
    series: Integers,
    before: History | None,
    rows: Rows,
    history: History,
) -> None:
    """Fill in the rows and the history of some series; those with a past have equal lengths."""
    skip = 0 if before is None else 1
    steps = int(dataset.lengths[series].max()) - skip
    back = np.arange(-steps, 0)
    index = dataset.offsets[series + 1][:, None] + back
    real = index >= dataset.offsets[series][:, None]
    values = np.where(real, dataset.target[np.maximum(index, 0)], np.nan)
    past = None if before is None else before.take(torch.from_numpy(series))
    for start in range(0, steps, LONG):
        part = np.s_[:, start : start + LONG]
        view, past = local.observe(torch.from_numpy(values[part]), past)
        into, keep = torch.from_numpy(index[part][real[part]]), torch.from_numpy(real[part])
        rows.local[into] = view.features[keep]
        rows.anchor[into] = view.anchor[keep]
        rows.scale[into] = view.scale[keep]
    assert past is not None  # there is at least one step
    _put(history, torch.from_numpy(series), past)


def _put(history: History, series: Tensor, new: History) -> None:
    """Write the history of some series into that of all."""
    history.recent[series] = new.recent
    for target, source in zip(history.pace, new.pace, strict=True):
        target[series] = source


@torch.no_grad()
def read_on(
    network: ForecastNetwork,
    local: LocalFeatures,
    reader: InputReader,
    dataset: Panel,
    state: State | None = None,
    seen: tuple[Rows, History] | None = None,
) -> State:
    """Read the rows of a data set, in time and memory that do not depend on what came before.

    Parameters
    ----------
    network : ForecastNetwork
        In evaluation mode.
    local : LocalFeatures
        The features it was trained on.
    reader : InputReader
        The covariates it was trained on.
    dataset : Panel
        All rows from the start; or, after a state, ``state.tail.extend(new_rows)``.
    state : State, optional
        Where the series stood.
    seen : tuple of (Rows, History), optional
        What :func:`look` says of the rows, if that is known already.

    Returns
    -------
    State
        Where they stand now.
    """
    rows, history = seen or look(local, dataset, None if state is None else state.history)
    real, codes = reader.read(dataset)
    layer = _carried(network, len(dataset), None if state is None else state.layer)
    unread = dataset.lengths - 1
    for series in _chunks(np.flatnonzero(unread), unread):
        lengths = unread[series]
        who, first = torch.from_numpy(series), dataset.offsets[series][:, None]
        after, longest = take_state(layer, who), int(lengths.max())
        for start in range(0, longest, LONG):
            steps = np.arange(start, min(start + LONG, longest))
            at = torch.from_numpy(first + np.minimum(steps, lengths[:, None] - 1))
            left = torch.from_numpy((lengths - start).clip(0, len(steps)))
            inputs = Inputs(rows.local[at], real[at], codes[at])
            _, after = network.read(inputs, after, left)
        _assign(layer, after, who)
    return State(dataset.tail(1), history, layer)


def _carried(network: ForecastNetwork, series: int, layer: Any) -> Any:
    """Return the layer's state of old series, followed by the first state of new ones."""
    first = network.layer.initial_state(series)  # type: ignore[operator]
    first = tuple(map(torch.clone, first)) if isinstance(first, tuple) else first.clone()
    if layer is not None:
        old = (layer[0] if isinstance(layer, tuple) else layer).shape[1]
        _assign(first, layer, torch.arange(old))
    return first


def _assign(state: Any, new: Any, series: Tensor) -> None:
    """Write the layer's state of some series into that of all."""
    pairs = zip(state, new, strict=True) if isinstance(state, tuple) else [(state, new)]
    for target, source in pairs:
        target[:, series] = source


def _chunks(series: Integers, lengths: Integers) -> Iterator[Integers]:
    """Group series of similar length so that a padded group has a bounded number of cells.

    Many series of one length make a group of their own: nothing runs faster than a full rectangle.
    """
    order = series[np.argsort(lengths[series], kind="stable")]
    sorted_lengths = lengths[order]
    start = 0
    while start < len(order):
        alike = int(np.searchsorted(sorted_lengths, sorted_lengths[start], side="right"))
        cells = (np.arange(start, len(order)) - start + 1) * sorted_lengths[start:]
        stop = start + max(1, int(np.searchsorted(cells, CELLS, side="right")))
        stop = min(stop, alike) if alike - start >= RECTANGLE else stop
        yield order[start:stop]
        start = stop


def ahead_of(tail: Panel, coming: Panel, h: int) -> Panel:
    """Join the newest row of every series and the h rows to be forecast.

    Parameters
    ----------
    tail : Panel
        One row a series.
    coming : Panel
        Their h next stamps, with future covariates.
    h : int
        Rows to be forecast.

    Returns
    -------
    Panel
        With h + 1 rows a series; past covariates repeat the newest row, to be hidden.
    """

    def joined(old: Array, new: Array) -> Array:
        return np.concatenate([old[:, None], new.reshape(-1, h)], 1).ravel()

    return replace(
        tail,
        offsets=np.arange(len(tail) + 1) * (h + 1),
        times=joined(tail.times, coming.times),
        target=joined(tail.target, np.full(len(tail) * h, np.nan)),
        observed=joined(tail.observed, np.zeros(len(tail) * h, bool)),
        past={name: np.repeat(column, h + 1) for name, column in tail.past.items()},
        future={name: joined(column, coming.future[name]) for name, column in tail.future.items()},
    )
