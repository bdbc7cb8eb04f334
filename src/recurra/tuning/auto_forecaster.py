"""Forecasts without choosing a model: networks and baselines compared, and the best averaged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from tqdm.auto import tqdm

from recurra.artifact import write_model
from recurra.data import Columns, Panel
from recurra.errors import NotFittedError, OptionError, TrainingError, check_count, near
from recurra.estimators import Forecaster
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_checks import SHORTEST, check_lengths, check_names
from recurra.estimators.forecasting.forecast_defaults import default_horizon
from recurra.estimators.forecasting.forecaster import LAYERS
from recurra.estimators.forecasting.frames import read_long, write_like
from recurra.estimators.forecasting.rolling import Window, rolling_origin, side_by_side
from recurra.estimators.learning.options import check_seed
from recurra.training import Training
from recurra.training.progress import hidden
from recurra.training.ranks import check_alone
from recurra.tuning.auto_budget import Budget
from recurra.tuning.auto_candidates import Candidates
from recurra.tuning.auto_ensemble import Ensemble
from recurra.tuning.auto_file import pack, unpack
from recurra.tuning.auto_leaderboard import leaderboard
from recurra.tuning.auto_members import NetworkMember, make_baselines
from recurra.tuning.auto_search import refit, search
from recurra.tuning.auto_seen import SeenEnsemble
from recurra.tuning.auto_selection import Selection, select
from recurra.tuning.auto_treatments import possible_treatments
from recurra.tuning.auto_trial import Trial, alike, together
from recurra.tuning.auto_windows import MEASURES, Windows

if TYPE_CHECKING:
    from recurra.types import Array, Floats

__all__ = ["AutoForecaster"]

NAME = "AutoForecaster"
MOST_MEMBERS = 6  # models in an ensemble


class AutoForecaster(SeenEnsemble):
    """A forecaster that chooses by itself, within a time that is told.

    Networks of different layers, sizes, heads and treatments of the series are trained on the past
    of the training data, and forecast what came after it there, beside the baselines. The
    forecasts that do best together are averaged; the networks among them are trained once more, on
    everything, and from up to three seeds. What is to test the result, keep out of `fit`.

    Parameters
    ----------
    time_limit : float
        Seconds that `fit` may take. It is kept also where a single training is longer: that one is
        made shorter. Where it is not reached, `networks` is.
    horizon : int, optional
        Steps ahead for which it is chosen: best those that :meth:`predict` is to be asked for. By
        default two seasons, fewer where series are short.
    n_windows : int, optional
        Moments in the past from which models forecast to be compared; by default one for 60 series
        and more, up to four for fewer.
    metric : {"OWA", "MASE", "sMAPE", "RMSE"}
        What is made small: a mean over all series.
    ensemble : bool
        Whether forecasts may be averaged; else the best model is taken.
    networks : int
        How many are tried at most.
    layers : sequence of {"lstm", "gru", "rnn", "jordan"}
        Recurrent layers that are tried.
    season_length : int, sequence of int or "auto"
        Seasons in steps, as for `Forecaster`.
    freq : str or int, optional
        Step between time stamps, as for `Forecaster`.
    columns : Columns
        Names and roles of the columns.
    training : Training
        How each network is trained.
    seed : int
        Source of all chance: same seed, same data, same machine, same forecast, where there is
        time for all `networks`. Where the time ends the search, it is not.
    progress : bool, optional
        Whether to show a bar; None for only in a terminal or a notebook.

    Attributes
    ----------
    leaderboard_ : Leaderboard
        All models with their scores on the validation windows; print it.
    season_lengths_ : tuple of int
        Seasons that were used.
    notes_ : tuple of str
        What the data needed, with counts.

    Notes
    -----
    The weights are found by greedy selection with replacement (Caruana et al. 2004, ICML). They,
    and how far forecasts may go beyond what a series has ever been, are learned on the validation
    windows alone, so the score of the ensemble there is a little too kind. Intervals have the
    widths of the network with the greatest weight, calibrated as in `Forecaster`, around the
    average.

    Examples
    --------
    >>> import pandas as pd
    >>> import recurra as rc
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2, 3, 4] * 10})
    >>> model = rc.AutoForecaster(20, horizon=4, networks=1, training=rc.Training(steps=5))
    >>> model.fit(frame).predict(h=4).round(1)
      unique_id  ds  AutoForecaster
    0         a  40             1.0
    1         a  41             2.0
    2         a  42             3.0
    3         a  43             4.0
    """

    def __init__(
        self,
        time_limit: float = 600.0,
        *,
        horizon: int | None = None,
        n_windows: int | None = None,
        metric: Literal["OWA", "MASE", "sMAPE", "RMSE"] = "OWA",
        ensemble: bool = True,
        networks: int = 40,
        layers: Sequence[str] = ("lstm", "gru"),
        season_length: int | Sequence[int] | Literal["auto"] = "auto",
        freq: str | int | None = None,
        columns: Columns = Columns(),
        training: Training = Training(),
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.time_limit = time_limit
        self.horizon = horizon
        self.n_windows = n_windows
        self.metric = metric
        self.ensemble = ensemble
        self.networks = networks
        self.layers = layers
        self.season_length = season_length
        self.freq = freq
        self.columns = columns
        self.training = training
        self.seed = seed
        self.progress = progress

    # ------------------------------------------------------------------ learn

    def fit(self, df: Any) -> Self:
        """Compare models on the past of a long frame, and train the best on all of it.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for `Forecaster.fit`.

        Returns
        -------
        AutoForecaster
            Itself.

        Raises
        ------
        DataError, FileError
            If something is wrong with the data, or all series are too short to be compared on.
        OptionError
            If an option is impossible.
        TrainingError
            If every network fails.
        """
        check_alone("AutoForecaster", "It compares models in one process: start it by itself.")
        self._check_options()
        budget = Budget(float(self.time_limit))
        panel, backend = read_long(df, self.columns, self.freq)
        self._fit(panel, budget)
        self._backend = backend
        return self

    def _fit(self, panel: Panel, budget: Budget) -> Self:
        """Learn from records; what was learned before stays until all has gone well."""
        check_lengths(panel)
        notes, panel = panel.notes, from_first_value(panel)
        seasons = Forecaster(season_length=self.season_length)._seasons(panel)
        season, horizon = min(seasons, default=1), self.horizon or default_horizon(seasons)
        windows = Windows.of(panel, horizon, self.n_windows, season, self.seed)
        trials = self._search(windows, seasons, budget)
        if not any(isinstance(e.member, NetworkMember) and not e.error for e in trials):
            failed = next(each.error for each in trials if each.error)
            raise TrainingError(f"Every network failed, the first of them so: {failed}")
        groups = alike(trials)
        models = [together([trials[i] for i in each], windows, self.metric) for each in groups]
        selection = self._select(models, windows)
        self._ensemble = _trained(models, selection, panel, budget)
        shares = np.zeros(len(trials))
        for each, weight in zip(groups, selection.weights, strict=True):
            shares[each] = weight / len(each)
        self.leaderboard_ = leaderboard(
            trials, shares.tolist(), selection.reach, windows, self.metric
        )
        short = f"{windows.left_out} series are too short to compare models on."
        self.notes_ = (*notes, *([short] if windows.left_out else []))
        self.season_lengths_ = seasons
        return self

    def _search(self, windows: Windows, seasons: tuple[int, ...], budget: Budget) -> list[Trial]:
        """Try baselines and networks."""
        season = min(seasons, default=1)
        common: dict[str, Any] = {"season_length": seasons or 1, "horizon": windows.h}
        common |= {"freq": self.freq, "columns": self.columns}
        training = Training(**{**self.training.__dict__, "progress": False})
        treatments = possible_treatments(windows.train, season)
        sizes = (season, len(windows.train))
        candidates = Candidates(
            list(self.layers), treatments, common, training, sizes, int(self.seed)
        )
        disable = hidden(self.progress)
        with tqdm(total=self.networks, desc="auto", unit="network", disable=disable) as bar:

            def seen(trial: Trial) -> None:
                bar.update(isinstance(trial.member, NetworkMember))
                bar.set_postfix({trial.member.name: f"{trial.cost:.4g}"})

            return search(
                windows,
                make_baselines(season),
                candidates,
                self.metric,
                budget,
                (self.networks, MOST_MEMBERS if self.ensemble else 1),
                seen,
            )

    def _select(self, models: list[Trial], windows: Windows) -> Selection:
        """Choose what is averaged."""
        costs = [each.cost for each in models]
        if self.ensemble:
            forecasts = [each.forecasts for each in models]
            return select(forecasts, costs, windows, self.metric, MOST_MEMBERS)
        best = int(np.argmin(costs))
        return Selection(tuple(np.eye(len(models))[best].tolist()), models[best].reach, costs[best])

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
            The future covariates, as for `Forecaster.predict`.

        Returns
        -------
        DataFrame
            Identifier, time stamp, the forecast (``AutoForecaster``) and its bounds
            (``AutoForecaster-lo-80``, ``AutoForecaster-hi-80``); of the same kind as was fitted.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError
            If a future covariate is missing.
        """
        self._check_fitted()
        lead = self._ensemble.lead.model
        coming = lead._coming(h, future)
        frame = lead._keys(coming) | self._ensemble.forecast(coming, level, NAME)
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
            Search again at every origin, each time for as long as `time_limit`; otherwise once,
            before the first.

        Returns
        -------
        DataFrame
            Identifier, time stamp, ``cutoff`` (the last stamp known), the actual value and the
            forecast columns. The model itself is left as it was.
        """
        self._check_options()
        step_size = h if step_size is None else step_size
        for name, value in (("h", h), ("n_windows", n_windows), ("step_size", step_size)):
            check_count(name, value)
        panel, backend = read_long(df, self.columns, self.freq)
        windows = rolling_origin(panel, h, n_windows, step_size, min_train_size=SHORTEST)
        model: Self | None = None

        def foretell(window: Window) -> dict[str, Floats]:
            nonlocal model
            if model is None or refit:
                model = clone(self).set_params(horizon=self.horizon or h)
                model._fit(window.train, Budget(float(self.time_limit)))
            else:
                model._ensemble.stand(from_first_value(window.train))
            return model._ensemble.forecast(window.actual, level, NAME)

        return write_like(side_by_side(windows, foretell), backend)

    # ------------------------------------------------------------------- keep

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ensemble, the leaderboard and where every series stands into one file.

        Parameters
        ----------
        path : str or path-like
            The file; :func:`recurra.load` takes it up again.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        self._check_fitted()
        self._check_options()  # they may have been changed since
        write_model(path, *pack(self, self._ensemble))

    @classmethod
    def _restore(cls, header: dict[str, Any], arrays: dict[str, Array]) -> Self:
        return unpack(cls, header, arrays)

    # ----------------------------------------------------------------- inside

    def _check_fitted(self) -> None:
        if not hasattr(self, "_ensemble"):
            raise NotFittedError("This AutoForecaster is not fitted. Call fit(df) first.")

    def _check_options(self) -> None:
        limit: Any = self.time_limit
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < np.inf:
            raise OptionError(
                f"time_limit={limit!r}, but it is a number of seconds above 0, such as 600."
            )
        for name in ("horizon", "n_windows", "networks"):
            if getattr(self, name) is not None or name == "networks":
                check_count(name, getattr(self, name))
        if self.metric not in MEASURES:
            raise OptionError(f"metric={self.metric!r} is none. {near(self.metric, MEASURES)}")
        if not isinstance(self.ensemble, bool | np.bool_):
            raise OptionError(f"ensemble={self.ensemble!r}, but it is True or False.")
        if isinstance(self.layers, str) or not len(self.layers):
            raise OptionError(f"layers={self.layers!r}, but it is a list such as ['lstm', 'gru'].")
        for layer in self.layers:
            if layer not in LAYERS:
                raise OptionError(f"layers has {layer!r}, which is none. {near(layer, LAYERS)}")
        check_seed(self.seed)
        shared = ("season_length", "freq", "columns", "training")
        Forecaster(**{name: getattr(self, name) for name in shared})._check_options()
        check_names(self.columns, NAME)


def _trained(trials: list[Trial], selection: Selection, panel: Panel, budget: Budget) -> Ensemble:
    """Train what was chosen on all series, the greatest weight first."""
    order = sorted(range(len(trials)), key=lambda i: (-selection.weights[i], trials[i].cost))
    networks = [i for i in order if isinstance(trials[i].member, NetworkMember)]
    chosen = [i for i in order if selection.weights[i] > 0]
    weights = [selection.weights[i] for i in chosen]
    members, shares = refit([trials[i] for i in chosen], weights, panel, budget)
    if networks[0] in chosen:
        leader = chosen.index(networks[0])
    else:  # no network is averaged, but its intervals are needed
        leader, member = len(members), trials[networks[0]].member
        member.stand(panel)
        members, shares = [*members, member], [*shares, 0.0]
    found = Ensemble(members, shares, leader, selection.reach)
    found.panel = panel
    return found
