"""Forecast many series with one recurrent network: from a long frame to the same kind of frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
import torch

from recurra import layers
from recurra.artifact import write_model
from recurra.data import Columns, Panel, detect_season_lengths, from_frame, future_frame
from recurra.errors import NotFittedError, check_count
from recurra.estimators.forecasting.conformal import Calibration
from recurra.estimators.forecasting.explained_forecasts import ExplainedForecasts
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_batches import Batches
from recurra.estimators.forecasting.forecast_checks import (
    SHORTEST,
    check_counts_only,
    check_horizon,
    check_lengths,
    check_names,
    check_options,
    check_update,
    checked_levels,
)
from recurra.estimators.forecasting.forecast_defaults import (
    default_context,
    default_decay,
    default_dropout,
    default_horizon,
    default_lags,
)
from recurra.estimators.forecasting.forecast_engine import Engine
from recurra.estimators.forecasting.forecast_error import error_to_stop_by
from recurra.estimators.forecasting.forecast_file import (
    HEADER,
    check_arrays,
    pack_engine,
    pack_state,
    unpack_engine,
    unpack_state,
)
from recurra.estimators.forecasting.forecast_inputs import InputReader
from recurra.estimators.forecasting.forecast_report import ReportedForecaster
from recurra.estimators.forecasting.forecast_state import LONG, look
from recurra.estimators.forecasting.frames import read_long, write_like
from recurra.estimators.forecasting.held_back import HeldBack
from recurra.estimators.forecasting.probed_forecasts import ProbedForecasts
from recurra.estimators.forecasting.rolling import Window, rolling_origin, side_by_side
from recurra.estimators.learning.options import check_choice, check_seed
from recurra.estimators.learning.restoring import SCHEMA, check_header, options_of
from recurra.estimators.rate_finding import rate_for_series
from recurra.layers.checked import attempt
from recurra.models import HEADS, ForecastNetwork, LocalFeatures
from recurra.training import Callback, Checkpoints, Log, RateCurve, Training, train

if TYPE_CHECKING:
    import os

    from recurra.estimators.forecasting.forecast_state import State
    from recurra.explaining import Explanation
    from recurra.explaining.what_if import WhatIf
    from recurra.types import Array, Floats

__all__ = ["Forecaster"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN, "jordan": layers.Jordan}
REAL_FLOOR, COUNT_FLOOR = 1e-30, 0.1  # of the scale, for values and for counts
ALIASES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "jordan": "Jordan"}


class Forecaster(ExplainedForecasts, ProbedForecasts, ReportedForecaster):
    """A probabilistic forecaster: one recurrent network for all series.

    The network reads a series one step at a time, in units of its own recent changes, and says how
    the next value is distributed. Further ahead, it reads each forecast value back before the next
    one. Intervals have the widths of sampled paths around that forecast, widened or narrowed to
    cover what they promise on windows that were held back from training.

    Parameters
    ----------
    layer : {"lstm", "gru", "rnn", "jordan"}
        The recurrent layer.
    hidden_size : int
        Units in a layer.
    num_layers : int
        Layers on layers.
    dropout : float, optional
        Probability of dropping an output of the stack while training; by default 0.2 for fewer than
        60 series, and 0 for more.
    distribution : {"student_t", "gaussian", "negative_binomial"}
        Of the next value; the last is for counts.
    context : int, optional
        Steps in a training window; two of the shortest season by default, between 24 and 64.
    season_length : int, sequence of int or "auto"
        Seasons in steps. ``"auto"`` takes them from the frequency of the time stamps, and finds
        them by autocorrelation if the stamps are integers.
    horizon : int, optional
        Steps forecast on what is held back, to stop the training and to calibrate the intervals;
        two seasons by default, or a quarter of a long one, between 8 and 48. ``predict`` takes any
        `h` in any case.
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
    log_ : Log
        What happened in training.
    notes_ : tuple of str
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
    >>> model = Forecaster(hidden_size=8, training=Training(steps=200)).fit(frame)
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
        dropout: float | None = None,
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

    def fit(
        self,
        df: Any,
        *,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
        resume: bool = True,
    ) -> Self:
        """Learn from a long frame: a row for every series and time stamp.

        Parameters
        ----------
        df : DataFrame, str or Path
            A pandas, polars or pyarrow table, or a CSV or Parquet file, with the columns named by
            `columns`: by default ``unique_id``, ``ds`` and ``y``.
        callbacks : sequence of callable
            Each is called after every step with a `recurra.training.Moment`; one that returns True
            ends the training.
        checkpoint : str, path-like or Checkpoints, optional
            A folder in which the training is kept every half a minute, and when it is asked to
            stop, by Ctrl-C or SIGTERM. The same `fit` again goes on from there, and comes to the
            same weights, to the bit, as if nothing had stopped it.
        resume : bool
            Whether to go on from what is kept there; else it is begun again.

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
        dataset, backend = read_long(df, self.columns, self.freq)
        self._fit(dataset, callbacks, Checkpoints.of(checkpoint, resume))
        self._backend = backend
        return self

    def find_learning_rate(self, df: Any) -> RateCurve:
        """Look for a learning rate, in a short training whose rate rises from tiny to huge.

        All is prepared as in `fit`, by the same options and the same seed. The forecaster stays as
        it is, fitted or not; to use what is suggested, give it a `Training` with that rate.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for :meth:`fit`.

        Returns
        -------
        RateCurve
            With ``suggestion``, and ``plot()`` to look at; see
            `recurra.training.find_learning_rate`.

        Raises
        ------
        DataError, FileError, OptionError, TrainingError
            As for :meth:`fit`.
        """
        return rate_for_series(self, df)

    def _fit(
        self,
        dataset: Panel,
        callbacks: Sequence[Callback] = (),
        kept_in: Checkpoints | None = None,
    ) -> Self:
        """Learn from records; what was learned before stays until all has gone well."""
        dataset = from_first_value(self._checked(dataset))
        seasons = self._seasons(dataset)
        horizon = int(self.horizon or default_horizon(seasons))
        held = HeldBack.plan(dataset, horizon, self.seed)
        floor = COUNT_FLOOR if HEADS[self.distribution].counts else REAL_FLOOR
        local = LocalFeatures(default_lags(seasons), default_decay(seasons), floor)
        reader = InputReader.fit(held.train)
        seen = look(local, dataset)
        batches = Batches.of(
            dataset, seen[0], reader, int(self.context or default_context(seasons))
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            engine = Engine(self._new_network(local, reader, len(dataset)), local, reader)
            log = self._train(engine, batches, held, callbacks, kept_in)
        self._state = engine.read(dataset, seen=seen)
        self._engine, self._spacing = engine, dataset.spacing
        self._calibration = Calibration.neutral()
        self._uncalibrated: HeldBack | None = held
        self.season_lengths_, self.notes_, self.log_ = seasons, dataset.notes, log
        return self

    def _new_network(
        self, local: LocalFeatures, reader: InputReader, series: int
    ) -> ForecastNetwork:
        sizes = (local.size, reader.width)
        width = ForecastNetwork.width(sizes, reader.cardinalities)
        layer = LAYERS[self.layer](
            width, int(self.hidden_size), num_layers=int(self.num_layers), batch_first=True
        )
        head = HEADS[self.distribution]()
        dropout = default_dropout(series) if self.dropout is None else self.dropout
        return ForecastNetwork(layer, head, sizes, reader.cardinalities, dropout)

    def _train(
        self,
        engine: Engine,
        batches: Batches,
        held: HeldBack,
        callbacks: Sequence[Callback],
        kept_in: Checkpoints | None,
    ) -> Log:
        network = engine.network
        stream = batches.draw(held.steps, self.training.batch_size, self.seed)
        ends = batches.last(held.ends) if held.steps.any() else None
        if ends is None or ends.target.isnan().all():
            return train(network, stream, self.training, callbacks=callbacks, checkpoints=kept_in)

        def validate() -> float:
            total, count, state = torch.zeros((), dtype=torch.float64), 0, None
            for piece in ends.chunks(LONG):
                summed, counted, state = network.loss(piece, state)
                total, count = total + summed, count + int(counted)
            return float(total / count)

        check = error_to_stop_by(engine, held) if self.training.stop_by == "score" else validate
        return train(network, stream, self.training, check, callbacks, checkpoints=kept_in)

    def _calibrated(self) -> Calibration:
        """Calibrate the intervals, the first time they are wanted."""
        if self._uncalibrated is not None:
            self._calibration = self._engine.calibrated(self._uncalibrated, self.seed)
            self._uncalibrated = None
        return self._calibration

    @property
    def network_(self) -> ForecastNetwork:
        """The trained network."""
        return self._engine.network

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
        frame = self._keys(coming) | self._forecast(self._state, coming, level)
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
        check_count("n", n)
        seed = check_seed(self.seed if seed is None else seed)
        check_horizon(h, len(self._state.tail) * n)
        coming = self._coming(h, future)
        paths = self._engine.paths(self._state, coming, seed, n)
        keys = {
            name: np.repeat(np.asarray(column), n) for name, column in self._keys(coming).items()
        }
        frame = keys | {
            "sample": np.tile(np.arange(n), len(coming) * h),
            self._alias: paths.transpose(0, 2, 1).ravel(),
        }
        return write_like(pd.DataFrame(frame), self._backend)

    def what_if(
        self, change: Mapping[str, Any], h: int, future: Any = None, df: Any = None
    ) -> WhatIf:
        """Say how the forecast moves if a covariate, or the past, were another.

        Parameters
        ----------
        change : dict of str
            For each column what it becomes: a value, or one for each step; a callable, which is
            given the values of a series and gives the new ones; or either at some steps only:
            ``{"price": (slice(0, 7), 2.5)}``. Steps of a future covariate are those to come,
            counted from 0; those of `y` and of past covariates are rows of a series, -1 its last.
        h : int
            How many steps.
        future : DataFrame, str or Path, optional
            The future covariates, as for :meth:`predict`.
        df : DataFrame, str or Path, optional
            The rows of the series, where `y` or a past covariate is changed; both forecasts then
            begin after these.

        Returns
        -------
        WhatIf
            The forecasts before and after, and the differences: to be printed, drawn, or written as
            a table.

        Raises
        ------
        OptionError
            If there is no such column, or it is of the past and `df` is missing.
        DataError
            If a future covariate is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> from recurra import Forecaster, Training
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0, 1, 2, 3] * 15})
        >>> model = Forecaster(hidden_size=8, training=Training(steps=200)).fit(frame)
        >>> moved = model.what_if({"y": lambda y: y + 100}, h=4, df=frame)
        >>> moved.difference.round().astype(int)
        array([100, 100, 100, 100])
        """
        from recurra.estimators.forecasting.supposing import suppose
        from recurra.explaining.what_if import WhatIf

        self._check_fitted()
        found = suppose(self._engine, self._state, self._spacing, change, h, future, df)
        keys = {name: [*values] for name, values in self._keys(found.coming).items()}
        both = (found.before.ravel(), found.after.ravel())
        return WhatIf(found.changes, keys, *both, times=self.columns.time)

    def cross_validation(
        self,
        df: Any,
        h: int,
        n_windows: int = 1,
        step_size: int | None = None,
        level: Sequence[float] | None = None,
        refit: bool = False,
        *,
        callbacks: Sequence[Callback] = (),
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
        callbacks : sequence of callable
            As for :meth:`fit`.

        Returns
        -------
        DataFrame
            Identifier, time stamp, ``cutoff`` (the last stamp known), the actual value and the
            forecast columns. The model itself is left as it was.
        """
        from sklearn.base import clone

        self._check_options()
        step_size = h if step_size is None else step_size
        for name, value in (("h", h), ("n_windows", n_windows), ("step_size", step_size)):
            check_count(name, value)
        dataset, backend = read_long(df, self.columns, self.freq)
        windows = rolling_origin(dataset, h, n_windows, step_size, min_train_size=SHORTEST)
        model: Self | None = None

        def foretell(window: Window) -> dict[str, Floats]:
            nonlocal model
            check_lengths(window.train)
            if model is None or refit:
                model = clone(self).set_params(horizon=self.horizon or h)
                model._fit(window.train, callbacks)
            state = model._engine.read(from_first_value(window.train))
            return model._forecast(state, window.actual, level)

        return write_like(side_by_side(windows, foretell), backend)

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
        check_update(new, tail)
        if HEADS[self.distribution].counts:
            check_counts_only(new)
        joined = from_first_value(tail.extend(new), old=len(tail))
        self._state = self._engine.read(joined, self._state)
        spacing = dict(zip(new.ids, new.spacing.tolist(), strict=True))
        usual = int(np.median(self._spacing))
        started = [spacing[name] or usual for name in joined.ids[len(tail) :]]
        self._spacing = np.append(self._spacing, np.array(started, np.int64))
        self.notes_ = (*self.notes_, *new.notes)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model and where every series stands into one file.

        Parameters
        ----------
        path : str or path-like
            The file; :func:`recurra.load` takes it up again.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        write_model(path, *self._packed())

    def _packed(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Write down the header and the arrays of its file."""
        self._check_fitted()
        calibration = self._calibrated()
        state, arrays = pack_state(self._state)
        engine, weights = pack_engine(self._engine)
        self._check_options()  # they may have been changed since
        parameters = self.get_params(deep=False)
        header = {
            "estimator": type(self).__name__,
            "schema": SCHEMA,
            "parameters": parameters
            | {"columns": asdict(self.columns), "training": asdict(self.training)},
            "backend": self._backend,
            "season_lengths": self.season_lengths_,
            "notes": self.notes_,
            "log": asdict(self.log_),
            "engine": engine,
            "state": state,
        }
        fitted = {"spacing": self._spacing, **asdict(calibration)}
        return header, {**arrays, **weights, **fitted}

    @classmethod
    def _restore(cls, header: dict[str, Any], arrays: dict[str, Array]) -> Self:
        told = check_header(header, HEADER)
        model = cls(**options_of(cls, told["parameters"]))
        attempt(model._check_options)
        model._backend, model.season_lengths_ = told["backend"], told["season_lengths"]
        model.notes_, model.log_ = told["notes"], told["log"]
        series = len(told["state"]["ids"])

        def new_network(local: LocalFeatures, reader: InputReader) -> ForecastNetwork:
            return model._new_network(local, reader, series)

        sizes = {name: int(getattr(model, name)) for name in ("hidden_size", "num_layers")}
        model._engine = unpack_engine(told["engine"], sizes, arrays, new_network)
        check_arrays(told["state"], model._engine, arrays)
        model._state = attempt(lambda: unpack_state(told["state"], arrays))
        model._spacing = arrays["spacing"]
        model._calibration = Calibration(arrays["levels"], arrays["factors"])
        model._uncalibrated = None
        return model

    # ------------------------------------------------------------------ inside

    @property
    def _alias(self) -> str:
        return ALIASES[self.layer]

    @property
    def _reads_with(self) -> Engine:
        return self._engine

    def _forecasts_after(self, past: Panel, coming: Panel) -> Floats:
        return self._engine.point(self._engine.read(past), coming)

    def _why(self, past: Panel, coming: Panel, series: int, h: int) -> Explanation:
        """Explain one step ahead of one of several series."""
        from recurra.explaining import explain

        question = self._question_of(past.take([series]), coming.take([series]).head(h))
        return explain(question.at(h), seed=self.seed)

    def _again(self, df: Any) -> Panel:
        """Read a frame on the clock of the fit."""
        tail = self._state.tail
        return df if isinstance(df, Panel) else from_frame(df, self.columns, clock=tail.clock)

    def _coming(self, h: int, future: Any) -> Panel:
        """Return the steps to forecast, with their covariates."""
        check_horizon(h, len(self._state.tail))
        return future_frame(future, self._state.tail, h, spacing=self._spacing)

    def _keys(self, coming: Panel) -> dict[str, Any]:
        ids = pd.Index(coming.ids).repeat(coming.lengths)
        return {self.columns.id: ids, self.columns.time: coming.clock.to_output(coming.times)}

    def _forecast(
        self, state: State, coming: Panel, level: Sequence[float] | None
    ) -> dict[str, Floats]:
        levels = checked_levels(level)
        point = self._engine.point(state, coming)
        columns = {self._alias: point.ravel()}
        if levels:
            calibration, paths = self._calibrated(), self._engine.paths(state, coming, self.seed)
        for one in levels:
            lower, upper = calibration.interval(point, paths, one)
            if self.network_.head.counts:
                lower = np.maximum(lower, 0.0)
            columns[f"{self._alias}-lo-{one:g}"] = lower.ravel()
            columns[f"{self._alias}-hi-{one:g}"] = upper.ravel()
        return columns

    def _seasons(self, dataset: Panel) -> tuple[int, ...]:
        if isinstance(self.season_length, str):
            known = dataset.clock.season_lengths
            if not known and dataset.clock.regular:
                known = detect_season_lengths(dataset.target, dataset.offsets)
            longest = int(dataset.lengths.max())
            return tuple(season for season in known if 2 * season <= longest)
        given = np.atleast_1d(self.season_length).tolist()
        return tuple(sorted(season for season in given if season > 1))

    def _checked(self, dataset: Panel) -> Panel:
        check_lengths(dataset)
        if HEADS[self.distribution].counts:
            check_counts_only(dataset)
        return dataset

    def _check_fitted(self) -> None:
        if not hasattr(self, "_state"):
            raise NotFittedError("This Forecaster is not fitted. Call fit(df) first.")

    def _check_options(self) -> None:
        check_choice("layer", self.layer, LAYERS)
        check_choice("distribution", self.distribution, HEADS)
        check_options(self.get_params(deep=False))
        check_names(self.columns, self._alias)
