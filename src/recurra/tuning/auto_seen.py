"""What an average of networks and baselines tells of itself: why, from what, is it healthy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from recurra.data import Panel
from recurra.errors import DataWarning, OptionError
from recurra.estimators.estimator import Estimator
from recurra.estimators.forecasting.explained_forecasts import explained
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_checks import check_lengths
from recurra.estimators.forecasting.forecast_report import ForecastReport, checked_place
from recurra.estimators.forecasting.probed_forecasts import ProbedForecasts

if TYPE_CHECKING:
    import os

    from recurra.diagnosing import Diagnoses
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.explaining import Explanation, Explanations
    from recurra.tuning.auto_ensemble import Ensemble
    from recurra.types import Floats

__all__ = ["SeenEnsemble"]

WHOLE = ("auto", "occlusion")
LONG = 100  # steps that are taken away one by one on a page


class SeenEnsemble(ProbedForecasts, Estimator):
    """A fitted ensemble of forecasters that can be looked into."""

    seed: int
    _ensemble: Ensemble

    @overload
    def explain(
        self, df: Any, h: int = 1, unique_id: Any = None, *, future: Any = None,
        method: str = "auto", by: str = "step", window: int | None = None, checks: bool = True,
    ) -> Explanation: ...  # fmt: skip

    @overload
    def explain(
        self, df: Any, h: Sequence[int], unique_id: Any = None, *, future: Any = None,
        method: str = "auto", by: str = "step", window: int | None = None, checks: bool = True,
    ) -> Explanations: ...  # fmt: skip

    def explain(
        self,
        df: Any,
        h: int | Sequence[int] = 1,
        unique_id: Any = None,
        *,
        future: Any = None,
        method: str = "auto",
        by: str = "step",
        window: int | None = None,
        checks: bool = True,
    ) -> Explanation | Explanations:
        """Say which past steps and which covariates mattered for a forecast.

        The average is asked as a whole, by occlusion: what it loses when a part of the past is
        taken away. Each change is treated anew, is forecast by every member, networks and baselines
        alike, and is kept near the past. Nothing else is exact for all members: a baseline has no
        gradient, and a season that is divided by is itself found in the past. For each step all
        members forecast once more: of long series, ``by="window"`` is much quicker.

        The streams are those of `Forecaster.explain`: a step of ``"target"`` that is taken away was
        not observed, and where nothing is known of the series, it is held at the mean of the newest
        steps. Covariates and the calendar are read by the networks alone; one that is taken away
        stands at the mean of what each network learned from, or is of no known category. Networks
        of random weights, to compare with, are averaged with the same baselines.

        Parameters
        ----------
        df : DataFrame, str or Path
            The rows up to where the forecast starts, as for `fit`.
        h : int or sequence of int
            Which step ahead is explained. Of several, each: ``h=range(1, 13)``.
        unique_id : object, optional
            Of which series; not needed where `df` has one.
        future : DataFrame, str or Path, optional
            The future covariates, as for `predict`.
        method : {"auto", "occlusion"}
            How.
        by : {"step", "channel", "window", "step and channel"}
            What is taken away at a time.
        window : int, optional
            Steps of a window, for ``by="window"``.
        checks : bool
            Whether to check if the explanation can be believed.

        Returns
        -------
        Explanation or Explanations
            ``by_step("target")`` has a score for each past step, the newest last. Of several `h`, a
            mapping with an `Explanation` for each.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError, OptionError
            If there is no such series or method, or the rows do not suit; the message says what to
            do.

        Examples
        --------
        >>> import pandas as pd
        >>> import recurra as rc
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2, 3, 4] * 10})
        >>> model = rc.AutoForecaster(20, horizon=4, networks=1, training=rc.Training(steps=5))
        >>> why = model.fit(frame).explain(frame, h=2, checks=False)
        >>> why.asked, why.method
        ("forecast of 'y' of 'a' at 41, 2 steps ahead", 'occlusion')
        """
        from recurra.explaining import METHODS
        from recurra.tuning.auto_question import EnsembleQuestion

        self._check_fitted()
        if method in METHODS and method not in WHOLE:
            raise OptionError(
                f"method={method!r} tells of one network, but here networks and baselines are "
                "averaged, and baselines have neither gradients nor attention. Use "
                "method='occlusion', or explain a Forecaster."
            )

        def ask(most: int) -> EnsembleQuestion:
            lead = self._ensemble.lead.model
            return EnsembleQuestion(self._ensemble, *lead._asked_of(df, most, unique_id, future))

        return explained(ask, h, method, by, window, checks, self.seed)

    def diagnose(self, df: Any) -> Diagnoses:
        """Say of each network whether it is healthy.

        That is each one that is averaged, and the one whose intervals are taken. Baselines learn
        nothing, so nothing can be wrong with them. Series are treated as for each network.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for :meth:`fit`: the series learned from, or others with the same columns.

        Returns
        -------
        Diagnoses
            A `Diagnosis` for each network, by its name, the greatest weight first; print them, or
            ``plot()`` one.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError, FileError
            If something is wrong with the data.
        """
        from recurra.diagnosing import Diagnoses

        self._check_fitted()
        panel = from_first_value(self._checked(self._again(df)))
        found = {
            name: each.model.diagnose(each.treated(panel).panel)
            for name, each in self._ensemble.networks().items()
        }
        return Diagnoses(type(self).__name__, found)

    def report(
        self, path: str | os.PathLike[str] | None = None, df: Any = None, h: int | None = None
    ) -> ForecastReport:
        """Say what was learned from, and how good forecasts are beside simple ones.

        With a path all that can be told is written as one page of HTML, which needs no network and
        no other file: an audit of the data, what was compared, what comes next, which inputs
        matter, why two values were forecast as they were, and whether each network is healthy. The
        scores are those that were chosen by, on the validation windows, and a little too kind:
        nothing is searched for again. Without data there are the scores and the training only.

        Parameters
        ----------
        path : str or path-like, optional
            Where the page goes, such as ``"report.html"``; None for nowhere.
        df : DataFrame, str or Path, optional
            As for :meth:`fit`.
        h : int, optional
            Steps to forecast on the page; by default those it was chosen for.

        Returns
        -------
        ForecastReport
            To be printed.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        OptionError
            If there are data but no path.
        FileError
            If the page cannot be written.
        DataError
            If something is wrong with the data.
        MissingExtraError
            If jinja2 or matplotlib is not installed.

        Examples
        --------
        >>> import pandas as pd
        >>> import recurra as rc
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2, 3, 4] * 10})
        >>> model = rc.AutoForecaster(20, horizon=4, networks=1, training=rc.Training(steps=5))
        >>> model.fit(frame).report().scores[0].model
        'AutoForecaster'
        >>> told = model.report("report.html", frame)  # doctest: +SKIP
        """
        from recurra.tuning.auto_report import page_of, told_of

        self._check_fitted()
        checked_place(path, df, h)
        if path is not None:
            from recurra.auditing.html import write_page
            from recurra.reporting import check_page

            place, panel = check_page(path), None if df is None else self._again(df)
            steps = h or int(self._ensemble.lead.model.horizon or 1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # the audit says it
                write_page(place, page_of(self, panel, steps))
        return told_of(self)

    # ------------------------------------------------------------------ inside

    def _why(self, past: Panel, coming: Panel, series: int, h: int) -> Explanation:
        """Explain one step ahead of one of several series; a long one season by season."""
        from recurra.explaining import explain
        from recurra.tuning.auto_question import EnsembleQuestion

        one = past.take([series])
        question = EnsembleQuestion(self._ensemble, one, coming.take([series]).head(h)).at(h)
        steps = len(one.times)
        if steps <= LONG:
            return explain(question, seed=self.seed)
        size = max(min(self.season_lengths_, default=1), -(-steps // LONG))
        return explain(question, by="window", window=size, seed=self.seed)

    @property
    def _reads_with(self) -> Engine:
        return self._ensemble.lead.model._engine

    def _forecasts_after(self, past: Panel, coming: Panel) -> Floats:
        return self._ensemble.after(past, coming)

    def _checked(self, dataset: Panel) -> Panel:
        check_lengths(dataset)
        return dataset

    def _again(self, df: Any) -> Panel:
        return self._ensemble.lead.model._again(df)
