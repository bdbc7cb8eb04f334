"""What can be asked of any fitted forecaster: which inputs it needs, and what it is like."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from recurra.data import Columns, Panel
from recurra.errors import DataWarning, check_count
from recurra.estimators.forecasting.forecast_checks import SHORTEST
from recurra.estimators.forecasting.forecast_defaults import default_horizon
from recurra.estimators.forecasting.rolling import rolling_origin
from recurra.estimators.learning.options import check_seed

if TYPE_CHECKING:
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.estimators.forecasting.forecast_importance import Exchanged
    from recurra.explaining import Importance, Surrogate
    from recurra.types import Floats

__all__ = ["ProbedForecasts"]

SHORTEST_VIEW = 10  # steps that a surrogate looks back


class ProbedForecasts(ABC):
    """Says which inputs forecasts need, and compares them with something simpler."""

    columns: Columns
    horizon: int | None
    season_lengths_: tuple[int, ...]

    def importance(
        self,
        df: Any,
        h: int | None = None,
        groups: Mapping[str, Any] | None = None,
        *,
        n_windows: int = 4,
        step_size: int | None = None,
        n_repeats: int = 5,
        by: Literal["channel", "step", "window"] = "channel",
        seed: int = 0,
    ) -> Importance:
        """Say how much worse forecasts are when one input is another forecast's.

        Every series is forecast from several moments in its past, with what was known then and
        without learning anew. Each input in turn is exchanged between these forecasts, and what
        they lose by it, in MASE, is how much the network relies on that input. Give series, or
        years, that were not learned from.

        Forecasts stand in a circle in random order, neighbours at different moments, as a price or
        a holiday may be the same for all series of a day. Steps are counted back from where the
        forecast starts; at each, a forecast takes the value that the next one has there, where its
        past does not reach so far, the next whose does. A future covariate is exchanged along its
        past and the steps to come. The series itself is exchanged as it looks from where it stands,
        as the network sees it: moved and stretched to this one's newest value and usual change. The
        calendar is that of another moment, drawn from as many as the series is long. Of one series
        static covariates are the same always, and do not matter.

        Two inputs that say the same stand in for each other, and both look unimportant: exchange
        them together, by `groups`. For each exchange all series are read from every moment.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for `fit`.
        h : int, optional
            Steps to forecast; by default as many as intervals are calibrated for, fewer where
            series are short.
        groups : dict of str, optional
            What is exchanged together, and what it is called: lists of columns, among them the
            series itself, and ``"calendar"``; of steps and windows a number, a range or a slice
            below 0: ``{"the last year": slice(-12, None)}``. What is in no group is not exchanged.
            By default each column, the calendar as one; the last five seasons, or five times four
            steps where there is none, by windows or by steps, and all that was earlier.
        n_windows : int
            How many moments.
        step_size : int, optional
            Steps between two of them; by default `h`, and one more where all would lie at the same
            place in a season.
        n_repeats : int
            How often each is exchanged.
        by : {"channel", "step", "window"}
            What is exchanged: a column over all steps; or one step, or a stretch of steps, of the
            series and of all covariates that change with it.
        seed : int
            Source of chance.

        Returns
        -------
        Importance
            To be printed, drawn, or written as a table.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError
            If there is only one forecast, or a series is too short for the moments.
        OptionError
            If a group names what is not there, or two name the same.

        References
        ----------
        L. Breiman 2001, Random forests, doi:10.1023/A:1010933404324. A. Fisher et al. 2019, All
        models are wrong, but many are useful, arXiv:1801.01489.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from recurra import Columns, Forecaster, Training
        >>> random, days = np.random.default_rng(0), np.arange(200)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": days, "promo": random.normal(size=200),
        ...                       "rain": random.normal(size=200)})
        >>> frame["y"] = 5 * frame["promo"] + random.normal(size=200)
        >>> training = Training(steps=150)
        >>> model = Forecaster(hidden_size=8, columns=Columns(future=["promo", "rain"]),
        ...                    training=training).fit(frame)
        >>> model.importance(frame, h=4, n_windows=8).ranked[0]
        'promo'
        """
        from recurra.estimators.forecasting.forecast_importance import importance_of_forecasts

        self._check_fitted()
        check_seed(seed)
        for name, value in (("n_windows", n_windows), ("h", 1 if h is None else h)):
            check_count(name, value)
        panel, engine = self._again(df), self._reads_with
        seasons = self.season_lengths_
        if h is None:
            most = int(panel.lengths.min()) // (2 * n_windows)  # half is left to forecast from
            h = max(1, min(int(self.horizon or default_horizon(seasons)), most))
        if step_size is None:
            step_size = h + any(h % season == 0 for season in seasons)
        reader = engine.reader
        return importance_of_forecasts(
            self._from_moments(panel, h, n_windows, step_size),
            self._forecasts_after,
            min(seasons, default=1),
            bool(reader.calendar or reader.usual_gap),
            groups,
            n_repeats=n_repeats,
            by=by,
            seed=seed,
        )

    def surrogate(
        self,
        df: Any,
        h: int = 1,
        kind: Literal["lasso", "tree"] = "lasso",
        *,
        steps: int | None = None,
        floor: float | None = None,
        seed: int = 0,
    ) -> Surrogate:
        """Imitate the forecaster by a simple model of lags and covariates.

        Every series is forecast from many moments in its past, with what was known then. The simple
        model is fitted to what is foretold, not to what came, and says how far it follows on
        forecasts that it was not fitted to. Below a floor it is refused: an explanation that the
        network does not follow explains nothing.

        It sees the series as the network does, as changes from its newest value in units of its
        usual change, and foretells such a change. So where a line has the coefficient 1 for lag 12
        alone, the forecast is the value of 12 steps before. Lags are counted from the step that is
        foretold; a future covariate is known "then", at that step.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for `fit`.
        h : int
            Which step ahead is imitated.
        kind : {"lasso", "tree"}
            A line through as few features as will do, or a tree of at most three questions in a
            row.
        steps : int, optional
            How many of the newest steps are lags, of which there are also the mean, the extremes,
            the slope, and the share missing. By default two of the shortest seasons, and 10 at
            least.
        floor : float, optional
            The least fidelity, an R²; 0.5 by default.
        seed : int
            Source of chance.

        Returns
        -------
        Surrogate
            To be printed, drawn, or written as a table.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        SurrogateError
            If it does not follow the network; says how far, why not farther, and what to do.
        DataError
            If there are less than 40 forecasts, or all are the same.
        OptionError
            If there is no such kind.

        References
        ----------
        N. Meinshausen 2007, Relaxed Lasso, doi:10.1016/j.csda.2006.12.019.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from recurra import Forecaster, Training
        >>> y = np.tile([0.0, 3.0, 1.0, 7.0], 50) + np.random.default_rng(0).normal(0, 0.2, 200)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(200), "y": y})
        >>> model = Forecaster(hidden_size=8, training=Training(steps=200)).fit(frame)
        >>> model.surrogate(frame).fidelity > 0.9
        True
        """
        from recurra.estimators.forecasting.imitated_forecasts import (
            answers_of_forecasts,
            as_records,
            origins,
        )
        from recurra.explaining.surrogates import fit_surrogate

        self._check_fitted()
        check_seed(seed)
        seasons = self.season_lengths_
        steps = max(SHORTEST_VIEW, 2 * min(seasons, default=1)) if steps is None else steps
        for name, value in (("h", h), ("steps", steps)):
            check_count(name, value)
        panel, engine = self._again(df), self._reads_with
        count, apart = origins(panel, h, steps)
        engine.reader.read(panel)  # warns of categories that it does not know, once
        given = self._from_moments(panel, h, count, apart)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            foretold = self._forecasts_after(given.past, given.coming)
        answers = answers_of_forecasts(given, foretold, h)
        dataset = as_records(given, h, steps, engine.reader)
        features = {"lags": steps, "statistics": 1}
        return fit_surrogate(dataset, answers, kind, features=features, floor=floor, seed=seed)

    def _from_moments(self, panel: Panel, h: int, n_windows: int, step_size: int) -> Exchanged:
        """Stand at several moments in the past of every series, with what comes after each."""
        from recurra.estimators.forecasting.forecast_importance import Exchanged

        windows = [*rolling_origin(panel, h, n_windows, step_size, SHORTEST)]
        for each in windows:
            self._checked(each.train)
        return Exchanged.of(windows, self._reads_with.local)

    @abstractmethod
    def _check_fitted(self) -> None:
        """Refuse to answer before there is something learned."""

    @abstractmethod
    def _checked(self, dataset: Panel) -> Panel:
        """Refuse series that cannot be forecast."""

    @property
    @abstractmethod
    def _reads_with(self) -> Engine:
        """How series and covariates are read."""

    @abstractmethod
    def _forecasts_after(self, past: Panel, coming: Panel) -> Floats:
        """Forecast the steps to come of any series, shape (series, h)."""

    @abstractmethod
    def _again(self, df: Any) -> Panel:
        """Read a frame as at the fit."""
