"""Rolling origin: cut the past where it once ended, foretell, compare; move on; again.

::

    record  ────────────────────────────────
    window 1  train ───────────┤ h ┤
    window 2  train ───────────────┤ h ┤         step_size between the cutoffs
    window 3  train ───────────────────┤ h ┤     the last window ends with the record

The split of Nixtla's ``cross_validation``, counted from the end of each record; see Tashman
(2000), Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16(4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from recurra.data.panel.panel import Panel
from recurra.errors import DataError, OptionError
from recurra.types import Floats, Integers

__all__ = ["CUTOFF", "Window", "cross_validate", "rolling_origin", "side_by_side"]

CUTOFF = "cutoff"


@dataclass(frozen=True, eq=False)
class Window:
    """One cut through every record.

    Parameters
    ----------
    train : Panel
        Every record up to its cutoff.
    actual : Panel
        The ``h`` steps of every record that follow.
    """

    train: Panel
    actual: Panel

    @property
    def cutoffs(self) -> Integers:
        """The last stamp of each record's training part, shape (records,)."""
        return self.train.last_times


class Forecasting(Protocol):
    """What :func:`cross_validate` asks of a model: the protocol of every forecaster here."""

    def fit(self, df: Any) -> Any:
        """Learn from a long frame or a `Panel`."""

    def predict(self, h: int, level: Sequence[float] | None = None) -> Any:
        """Foretell the ``h`` steps after every record, in the order of the records."""


def rolling_origin(
    dataset: Panel,
    h: int,
    n_windows: int = 1,
    step_size: int | None = None,
    min_train_size: int = 1,
) -> Iterator[Window]:
    """Cut every record at several origins, the earliest first.

    Parameters
    ----------
    dataset : Panel
        The records.
    h : int
        Steps to foretell from each origin.
    n_windows : int
        How many origins.
    step_size : int, optional
        Steps from one origin to the next; ``h`` if not given, so that no step is foretold twice.
    min_train_size : int
        Steps that the earliest window must leave to learn from.

    Returns
    -------
    iterator of Window
        One after the other. The check of the lengths is made before the first.

    Raises
    ------
    DataError
        If a record is too short for all the windows; it names the shortest.

    Examples
    --------
    >>> from recurra.data.panel.frame import from_frame
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(6), "y": range(6)})
    >>> for window in rolling_origin(from_frame(frame), h=2, n_windows=2):
    ...     print(window.cutoffs, window.train.target, window.actual.target)
    [1] [0. 1.] [2. 3.]
    [3] [0. 1. 2. 3.] [4. 5.]
    """
    step = h if step_size is None else step_size
    options = {"h": h, "n_windows": n_windows, "step_size": step, "min_train_size": min_train_size}
    for name, value in options.items():
        if value < 1:
            raise OptionError(f"{name} is {value}; use 1 or more.")
    _check_lengths(dataset, h, n_windows, step, min_train_size)
    later = range((n_windows - 1) * step, -1, -step)
    return (_window(dataset, h, steps_held_back=steps) for steps in later)


def side_by_side(
    windows: Iterable[Window],
    foretell: Callable[[Window], pd.DataFrame | Mapping[str, Floats]],
) -> pd.DataFrame:
    """Put what is foretold in each window beside what happened there.

    Parameters
    ----------
    windows : iterable of Window
        The cuts, as :func:`rolling_origin` makes them.
    foretell : callable
        Called with each window in turn; gives the model's columns, a row for each step of
        ``actual``, in its order.

    Returns
    -------
    pandas.DataFrame
        Identifier, time, cutoff, target, then the model's columns; by record, window and time.

    Examples
    --------
    >>> from recurra.data.panel.frame import from_frame
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": range(4)})
    >>> windows = rolling_origin(from_frame(frame), h=1, n_windows=2)
    >>> side_by_side(windows, lambda window: {"last": window.train.target[-1:]})
      unique_id  ds  cutoff    y  last
    0         a   2       1  2.0   1.0
    1         a   3       2  3.0   2.0
    """
    parts, records = [], []
    for window in windows:
        foretold = pd.DataFrame(foretell(window))
        parts.append(pd.concat([_actual(window), foretold], axis=1))
        records.append(np.repeat(np.arange(len(window.actual)), window.actual.lengths))
    order = np.concatenate(records).argsort(kind="stable")
    return pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)


def cross_validate(
    model: Forecasting,
    dataset: Panel,
    h: int,
    n_windows: int = 1,
    step_size: int | None = None,
    level: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Fit a model anew at every origin and put its forecasts beside what happened.

    Parameters
    ----------
    model : Forecasting
        Has ``fit(dataset)`` and ``predict(h, level)``; fitted again for each window.
    dataset : Panel
        The records.
    h, n_windows, step_size : int
        The windows, as in :func:`rolling_origin`.
    level : sequence of float, optional
        Intervals in per cent, such as ``[80, 95]``.

    Returns
    -------
    pandas.DataFrame
        Identifier, time, cutoff, target, then the model's columns; by record, cutoff and time.
        A stamp that was missing from a regular clock is a row with a NaN target. On an irregular
        clock the k-th forecast stands beside the k-th row that came.

    Examples
    --------
    >>> from recurra.data.panel.frame import from_frame
    >>> from recurra.estimators.forecasting.baselines import Naive
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(6), "y": range(6)})
    >>> cross_validate(Naive(), from_frame(frame), h=2, n_windows=2)
      unique_id  ds  cutoff    y  Naive
    0         a   2       1  2.0    1.0
    1         a   3       1  3.0    1.0
    2         a   4       3  4.0    3.0
    3         a   5       3  5.0    3.0
    """

    def foretell(window: Window) -> pd.DataFrame:
        foretold = model.fit(window.train).predict(h, level=level)
        columns = dataset.columns
        models = foretold.drop(columns=[columns.id, columns.time]).reset_index(drop=True)
        if len(models) != len(window.actual.times):
            raise DataError(
                f"{type(model).__name__} foretold {len(models)} rows of {len(dataset)} series, but "
                f"h={h} of each were asked for",
                code="rows_foretold",
            )
        return models

    return side_by_side(rolling_origin(dataset, h, n_windows, step_size), foretell)


def _check_lengths(dataset: Panel, h: int, n_windows: int, step: int, min_train_size: int) -> None:
    """Refuse windows that some record is too short for."""
    need = min_train_size + (n_windows - 1) * step + h
    short = np.flatnonzero(dataset.lengths < need)
    if not short.size:
        return
    worst = int(short[dataset.lengths[short].argmin()])
    have = int(dataset.lengths[worst])
    fits = (have - min_train_size - h) // step + 1
    others = f"; {short.size} of {len(dataset)} series are too short" if short.size > 1 else ""
    advice = f"Use n_windows={fits}" if fits > 0 else "Use a smaller h"
    raise DataError(
        f"The series has {have} rows, but n_windows={n_windows} of h={h}, step_size={step}, need "
        f"{need}, the {min_train_size} to learn from included{others}",
        code="too_short",
        record=dataset.ids[worst],
        hint=f"{advice}, or leave such series out.",
    )


def _window(dataset: Panel, h: int, steps_held_back: int) -> Window:
    train, actual = dataset.before(dataset.lengths - steps_held_back).split(h)
    return Window(train, actual)


def _actual(window: Window) -> pd.DataFrame:
    """What happened after the cutoff, as the columns the user knows."""
    dataset, columns = window.actual, window.actual.columns
    show = dataset.clock.to_output
    return pd.DataFrame(
        {
            columns.id: pd.Index(dataset.ids).repeat(dataset.lengths),
            columns.time: show(dataset.times),
            CUTOFF: show(np.repeat(window.cutoffs, dataset.lengths)),
            columns.target: dataset.target,
        }
    )
