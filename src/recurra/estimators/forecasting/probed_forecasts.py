"""What can be asked of any fitted forecaster: which of its inputs its forecasts need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from recurra.data import Columns, Panel
from recurra.errors import check_count
from recurra.estimators.forecasting.forecast_checks import SHORTEST
from recurra.estimators.forecasting.forecast_defaults import default_horizon
from recurra.estimators.forecasting.rolling import rolling_origin
from recurra.estimators.learning.options import check_seed

if TYPE_CHECKING:
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.explaining import Importance
    from recurra.types import Floats

__all__ = ["ProbedForecasts"]


class ProbedForecasts(ABC):
    """Says which inputs the forecasts of a forecaster need."""

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
        from recurra.estimators.forecasting.forecast_importance import (
            Exchanged,
            importance_of_forecasts,
        )

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
        windows = [*rolling_origin(panel, h, n_windows, step_size, SHORTEST)]
        for each in windows:
            self._checked(each.train)
        reader = engine.reader
        return importance_of_forecasts(
            Exchanged.of(windows, engine.local),
            self._forecasts_after,
            min(seasons, default=1),
            bool(reader.calendar or reader.usual_gap),
            groups,
            n_repeats=n_repeats,
            by=by,
            seed=seed,
        )

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
