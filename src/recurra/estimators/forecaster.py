"""Forecast many series with one recurrent network: from a long frame to the same kind of frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, clone
from torch import Generator, Tensor

from recurra import layers
from recurra.data import Columns, SequenceDataset, detect_season_lengths, from_frame, future_frame
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators.conformal import Calibration, calibrate
from recurra.estimators.forecast_batches import Batches
from recurra.estimators.forecast_defaults import (
    default_context,
    default_decay,
    default_horizon,
    default_lags,
)
from recurra.estimators.forecast_inputs import InputReader
from recurra.estimators.forecast_state import State, ahead_of, look, read_on
from recurra.estimators.frames import read_long, write_like
from recurra.estimators.held_back import HeldBack
from recurra.estimators.rolling import CUTOFF, rolling_origin
from recurra.models import HEADS, ForecastNetwork, LocalFeatures, roll_out
from recurra.training import Log, Training, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.types import Floats

__all__ = ["Forecaster"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN, "jordan": layers.Jordan}
ALIASES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "jordan": "Jordan"}
SHORTEST = 3  # observed values that a series must have
PATHS = 100  # sampled for a forecast
ROWS = 20_000  # paths that are rolled out at a time


class Forecaster(BaseEstimator):
    """A probabilistic forecaster: one recurrent network for all series.

    The network reads a series one step at a time, in units of its own recent changes, and says how
    the next value is distributed; forecasts further ahead are decoded one step at a time from paths
    drawn step by step. The forecast is the median of the paths, and the intervals are their
    quantiles, widened or narrowed to cover what they promise on the held-back end of the series.

    Parameters
    ----------
    layer : {"lstm", "gru", "rnn", "jordan"}
        The recurrent layer.
    hidden_size : int
        Units in a layer.
    num_layers : int
        Layers on layers.
    dropout : float
        Probability of dropping an output of the stack while training.
    distribution : {"student_t", "gaussian", "negative_binomial"}
        Of the next value; the last is for counts.
    context : int, optional
        Steps in a training window; two seasons by default.
    season_length : int, sequence of int or "auto"
        Seasons in steps. ``"auto"`` takes them from the frequency of the time stamps, and finds
        them by autocorrelation if the stamps are integers.
    horizon : int, optional
        Steps held back at the end of every series to stop the training and to calibrate the
        intervals; a season and a half by default. ``predict`` takes any `h` in any case.
    freq : str or int, optional
        Step between time stamps, as pandas spells it; found by itself if it is regular.
    columns : Columns
        Names and roles of the columns.
    training : Training
        How to train.
    seed : int
        Source of all chance: same seed, same data, same machine, same forecast.

    Attributes
    ----------
    network_ : ForecastNetwork
        The trained network.
    log_ : Log
        What happened in training.
    report_ : tuple of str
        What the data needed, with counts.
    season_lengths_ : tuple of int
        Seasons that were used.

    Notes
    -----
    A missing `y` is a step without an observation: it is never filled in, and counts in no loss. A
    series must have three observed values. Rows before a series' first value are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from recurra import Forecaster, Training
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0, 1, 2, 3] * 15})
    >>> model = Forecaster(hidden_size=8, training=Training(steps=100)).fit(frame)
    >>> model.predict(h=4).round(1)
      unique_id  ds  LSTM
    0         a  60   0.0
    1         a  61   1.0
    2         a  62   2.0
    3         a  63   3.0
    """

    def __init__(
        self,
        layer: Literal["lstm", "gru", "rnn", "jordan"] = "lstm",
        *,
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        distribution: Literal["student_t", "gaussian", "negative_binomial"] = "student_t",
        context: int | None = None,
        season_length: int | Sequence[int] | Literal["auto"] = "auto",
        horizon: int | None = None,
        freq: str | int | None = None,
        columns: Columns = Columns(),
        training: Training = Training(),
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.distribution = distribution
        self.context = context
        self.season_length = season_length
        self.horizon = horizon
        self.freq = freq
        self.columns = columns
        self.training = training
        self.seed = seed

    # ------------------------------------------------------------------ learn

    def fit(self, df: Any) -> Self:
        """Learn from a long frame: a row for every series and time stamp.

        Parameters
        ----------
        df : DataFrame, str or Path
            A pandas, polars or pyarrow table, or a CSV or Parquet file, with the columns named by
            `columns`: by default ``unique_id``, ``ds`` and ``y``.

        Returns
        -------
        Forecaster
            Itself.

        Raises
        ------
        DataError, FileError
            If something is wrong with the data; the message says where, and what to do.
        OptionError
            If an option is impossible.
        TrainingError
            If the training diverges.
        """
        self._check_options()
        dataset, self._backend = read_long(df, self.columns, self.freq)
        return self._fit(dataset)

    def _fit(self, dataset: SequenceDataset) -> Self:
        dataset = _from_first_value(dataset)
        self._check_values(dataset)
        seasons = self._seasons(dataset)
        held = HeldBack.plan(dataset, self.horizon or default_horizon(seasons))
        floor = 0.1 if HEADS[self.distribution].counts else 1e-8
        self.season_lengths_, self.report_ = seasons, dataset.notes
        self._local = LocalFeatures(default_lags(seasons), default_decay(seasons), floor)
        self._reader = InputReader.fit(held.train)
        rows, _ = look(self._local, dataset)
        context = self.context or default_context(seasons)
        batches = Batches.of(dataset, rows, self._reader, context)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network_ = self._new_network()
            self.log_ = self._train(batches, held)
        self._calibration, self._uncalibrated = Calibration.neutral(), held
        self._state = read_on(self.network_, self._local, self._reader, dataset)
        self._spacing = dataset.spacing
        return self

    def _new_network(self) -> ForecastNetwork:
        sizes, categories = (self._local.size, self._reader.width), self._reader.cardinalities
        width = ForecastNetwork.width(sizes, categories)
        layer = LAYERS[self.layer](
            width, self.hidden_size, num_layers=self.num_layers, batch_first=True
        )
        head = HEADS[self.distribution]()
        return ForecastNetwork(layer, head, sizes, categories, self.dropout)

    def _train(self, batches: Batches, held: HeldBack) -> Log:
        network, options = self.network_, self.training
        validate = None
        if held.steps.any():
            last = batches.last(held.steps, self.seed)

            def validate() -> float:
                total, count, _ = network.loss(last)
                return float(total / count)

        stream = batches.draw(held.steps, options.batch_size, self.seed)
        return train(network, stream, options, validate)

    def _calibrated(self) -> Calibration:
        """Forecast the held-back ends and compare, the first time an interval is wanted."""
        if self._uncalibrated is not None:
            points, paths, actuals = [], [], []
            for part in self._uncalibrated.windows(self.seed):
                past, coming = part.split(self._uncalibrated.horizon)
                state = read_on(self.network_, self._local, self._reader, past)
                points.append(self._point(state, coming, self._uncalibrated.horizon))
                paths.append(self._paths(state, coming, self._uncalibrated.horizon))
                actuals.append(coming.target.reshape(points[-1].shape))
            if points:
                joined = (np.concatenate(each) for each in (points, paths, actuals))
                self._calibration = calibrate(*joined)
            self._uncalibrated = None
        return self._calibration

    # --------------------------------------------------------------- forecast

    def predict(self, h: int, level: Sequence[float] | None = None, future: Any = None) -> Any:
        """Forecast the next steps of every series.

        Parameters
        ----------
        h : int
            How many steps; any number.
        level : sequence of float, optional
            Coverage of the intervals wanted, in percent: ``[80, 95]``.
        future : DataFrame, str or Path, optional
            The future covariates: identifier, time stamp and a column each, for the `h` stamps that
            follow every series.

        Returns
        -------
        DataFrame
            Identifier, time stamp, the forecast (``LSTM``) and its bounds (``LSTM-lo-80``,
            ``LSTM-hi-80``); of the same kind as was fitted.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError
            If a future covariate is missing.
        """
        self._check_fitted()
        coming = self._coming(h, future)
        frame = self._keys(coming) | self._forecast(self._state, coming, h, level)
        return write_like(pd.DataFrame(frame), self._backend)

    def simulate(self, h: int, n: int = 100, future: Any = None, seed: int | None = None) -> Any:
        """Draw sample paths of the next steps, as the network foretells them.

        Parameters
        ----------
        h : int
            How many steps.
        n : int
            How many paths for every series.
        future : DataFrame, str or Path, optional
            As for :meth:`predict`.
        seed : int, optional
            Source of chance; that of the model by default.

        Returns
        -------
        DataFrame
            Identifier, time stamp, ``sample`` (0 to n - 1) and the value; of the same kind as was
            fitted. The values of one sample form one path: sums over it are meaningful.
        """
        self._check_fitted()
        _check_count("n", n)
        coming = self._coming(h, future)
        paths = self._paths(self._state, coming, h, n, self.seed if seed is None else seed)
        keys = {
            name: np.repeat(np.asarray(column), n) for name, column in self._keys(coming).items()
        }
        frame = keys | {
            "sample": np.tile(np.arange(n), len(coming) * h),
            self._alias: paths.transpose(0, 2, 1).ravel(),
        }
        return write_like(pd.DataFrame(frame), self._backend)

    def cross_validation(
        self,
        df: Any,
        h: int,
        n_windows: int = 1,
        step_size: int | None = None,
        level: Sequence[float] | None = None,
        refit: bool = False,
    ) -> Any:
        """Forecast from several past origins, each with what was known then.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for :meth:`fit`.
        h : int
            Steps to forecast from each origin.
        n_windows : int
            How many origins.
        step_size : int, optional
            Steps between two origins; `h` by default.
        level : sequence of float, optional
            As for :meth:`predict`.
        refit : bool
            Learn again at every origin; otherwise once, before the first.

        Returns
        -------
        DataFrame
            Identifier, time stamp, ``cutoff`` (the last stamp known), the actual value and the
            forecast columns. The model itself is left as it was.
        """
        self._check_options()
        dataset, backend = read_long(df, self.columns, self.freq)
        model, parts = None, []
        for window in rolling_origin(dataset, h, n_windows, step_size, min_train_size=SHORTEST):
            if model is None or refit:
                model = clone(self).set_params(horizon=self.horizon or h)._fit(window.train)
            past = _from_first_value(window.train)
            state = read_on(model.network_, model._local, model._reader, past)
            cutoffs = np.repeat(window.cutoffs, h)
            frame = self._keys(window.actual)
            frame[CUTOFF] = dataset.clock.to_output(cutoffs)
            frame[self.columns.target] = window.actual.target
            parts.append(pd.DataFrame(frame | model._forecast(state, window.actual, h, level)))
        series = np.tile(np.repeat(np.arange(len(dataset)), h), n_windows)
        table = pd.concat(parts, ignore_index=True).iloc[series.argsort(kind="stable")]
        return write_like(table.reset_index(drop=True), backend)

    def update(self, df: Any) -> Self:
        """Read new rows and carry the state on; nothing is learned anew.

        The cost depends on the new rows alone. Rows of a new series start it.

        Parameters
        ----------
        df : DataFrame, str or Path
            Rows later than those read so far, with the columns given to :meth:`fit`.

        Returns
        -------
        Forecaster
            Itself, forecasting from the new rows on.
        """
        self._check_fitted()
        tail = self._state.tail
        new = from_frame(df, self.columns, clock=tail.clock)
        joined = _from_first_value(tail.extend(new))
        self._state = read_on(self.network_, self._local, self._reader, joined, self._state)
        self._spacing = np.append(
            self._spacing, new.spacing[len(new) - (len(joined) - len(tail)) :]
        )
        self.report_ = (*self.report_, *new.notes)
        return self

    # ------------------------------------------------------------------ inside

    @property
    def _alias(self) -> str:
        return ALIASES[self.layer]

    def _coming(self, h: int, future: Any) -> SequenceDataset:
        """Return the steps to forecast, with their covariates."""
        _check_count("h", h)
        return future_frame(future, self._state.tail, h, spacing=self._spacing)

    def _keys(self, coming: SequenceDataset) -> dict[str, Any]:
        ids = pd.Index(coming.ids).repeat(coming.lengths)
        return {self.columns.id: ids, self.columns.time: coming.clock.to_output(coming.times)}

    def _forecast(
        self, state: State, coming: SequenceDataset, h: int, level: Sequence[float] | None
    ) -> dict[str, Floats]:
        levels = _checked_levels(level)
        point = self._point(state, coming, h)
        columns = {self._alias: point.ravel()}
        if levels:
            calibration, paths = self._calibrated(), self._paths(state, coming, h)
        for one in levels:
            lower, upper = calibration.interval(point, paths, one)
            if self.network_.head.counts:
                lower = np.maximum(lower, 0.0)
            columns[f"{self._alias}-lo-{one:g}"] = lower.ravel()
            columns[f"{self._alias}-hi-{one:g}"] = upper.ravel()
        return columns

    def _point(self, state: State, coming: SequenceDataset, h: int) -> Floats:
        """Decode the point forecast, of shape (series, h)."""
        ahead = self._ahead(state, coming, h)
        return roll_out(self.network_, self._local, state.origin, ahead).numpy()

    def _paths(
        self,
        state: State,
        coming: SequenceDataset,
        h: int,
        n: int = PATHS,
        seed: int | None = None,
    ) -> Floats:
        """Draw paths, of shape (series, n, h)."""
        generator = Generator().manual_seed(self.seed if seed is None else seed)
        real, codes = self._ahead(state, coming, h)
        series = len(coming)
        drawn = torch.empty(series * n, h, dtype=torch.float64)
        some = max(1, ROWS // n)
        for start in range(0, series, some):
            rows = torch.arange(start, min(start + some, series)).repeat_interleave(n)
            inputs = (real[rows], codes[rows])
            drawn[start * n : start * n + len(rows)] = roll_out(
                self.network_, self._local, state.origin.take(rows), inputs, generator
            )
        return drawn.view(series, n, h).numpy()

    def _ahead(self, state: State, coming: SequenceDataset, h: int) -> tuple[Tensor, Tensor]:
        """Return the covariates as the network reads them when it forecasts each step."""
        real, codes = self._reader.read(ahead_of(state.tail, coming, h))
        real = real.view(len(coming), h + 1, -1)[:, :h]
        codes = codes.view(len(coming), h + 1, -1)[:, :h]
        hidden = torch.arange(h).expand(len(coming), h) > 0
        return self._reader.hide_past(real, codes, hidden)

    def _seasons(self, dataset: SequenceDataset) -> tuple[int, ...]:
        if self.season_length == "auto":
            known = dataset.clock.season_lengths
            if not known and dataset.clock.regular:
                known = detect_season_lengths(dataset.target, dataset.offsets)
            longest = int(dataset.lengths.max())
            return tuple(season for season in known if 2 * season <= longest)
        given = [self.season_length] if isinstance(self.season_length, int) else self.season_length
        return tuple(sorted(season for season in given if season > 1))

    # ------------------------------------------------------------------ checks

    def _check_fitted(self) -> None:
        if not hasattr(self, "_state"):
            raise NotFittedError("This Forecaster is not fitted. Call fit(df) first.")

    def _check_options(self) -> None:
        for name, known in (("layer", LAYERS), ("distribution", HEADS)):
            if getattr(self, name) not in known:
                given, choice = getattr(self, name), ", ".join(map(repr, known))
                raise OptionError(f"{name}={given!r}, but it must be one of {choice}.")
        for name in ("hidden_size", "num_layers", "context", "horizon"):
            value = getattr(self, name)
            if not (value is None and name in ("context", "horizon")):
                _check_count(name, value)
        if not 0 <= self.dropout < 1:
            raise OptionError(f"dropout={self.dropout!r}, but it must be at least 0 and below 1.")
        if self.season_length != "auto":
            for season in np.atleast_1d(self.season_length).tolist():
                _check_count("season_length", season)
        for name, kind in (("columns", Columns), ("training", Training)):
            if not isinstance(getattr(self, name), kind):
                raise OptionError(
                    f"{name}={getattr(self, name)!r}, but it must be a {kind.__name__}."
                )

    def _check_values(self, dataset: SequenceDataset) -> None:
        seen = np.add.reduceat(dataset.observed.astype(int), dataset.offsets[:-1])
        if (seen < SHORTEST).any():
            worst = int(seen.argmin())
            raise DataError(
                f"The series has {seen[worst]} observed values, but {SHORTEST} are needed to see "
                "how it moves",
                code="too_short",
                record=dataset.ids[worst],
                hint=f"{(seen < SHORTEST).sum()} series are too short: leave them out, or wait.",
            )
        if HEADS[self.distribution].counts:
            odd = dataset.observed & ((dataset.target < 0) | (dataset.target % 1 != 0))
            if odd.any():
                row = int(odd.argmax())
                owner = int(np.searchsorted(dataset.offsets, row, side="right")) - 1
                raise DataError(
                    "A negative binomial forecasts counts, but this value is none",
                    code="not_a_count",
                    record=dataset.ids[owner],
                    column=self.columns.target,
                    value=float(dataset.target[row]),
                    hint="Use distribution='student_t'.",
                )


def _from_first_value(dataset: SequenceDataset) -> SequenceDataset:
    """Leave out the rows before the first value of every series."""
    first = np.maximum.reduceat(
        np.where(dataset.observed, np.arange(len(dataset.times), 0, -1), 0), dataset.offsets[:-1]
    )
    return dataset.since(len(dataset.times) - first - dataset.offsets[:-1])


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise OptionError(f"{name}={value!r}, but it must be an int of at least 1.")


def _checked_levels(level: Sequence[float] | None) -> list[float]:
    levels = [] if level is None else np.atleast_1d(level).tolist()
    for one in levels:
        if not 0 < one < 100:
            raise OptionError(f"level {one!r} is not a percentage between 0 and 100, such as 80.")
    return sorted(set(levels))
