"""A page about a fitted forecaster: its data, training, a backtest beside baselines, health."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.errors import DataError, DataWarning, OptionError, check_count
from recurra.estimators.forecasting.baselines import Baseline, Drift, Mean, Naive, SeasonalNaive
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_defaults import default_horizon
from recurra.estimators.forecasting.forecast_diagnosis import DiagnosedForecaster
from recurra.estimators.forecasting.frames import read_long
from recurra.estimators.forecasting.rolling import rolling_origin
from recurra.estimators.learning.report import Report, Score, beside

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.auditing.tables import Table
    from recurra.data import Panel
    from recurra.reporting import Section
    from recurra.types import Floats

__all__ = ["ForecastReport", "ReportedForecaster", "checked_place", "what_matters", "why_so"]

LEVELS = (80, 95)  # per cent
MOST_SERIES, BEFORE = 4, 3  # that are drawn; horizons of the past beside a forecast
MOST_EXCHANGED, MOMENTS, REPEATS = 60, 4, 3  # series whose inputs are exchanged, and how often
EXCHANGED = (
    "Inputs are exchanged between forecasts of several series and moments; the series itself as it "
    "looks from its newest value, in units of its usual change."
)
AT_THE_END = (
    "These are forecasts of the last values of the series, by the model as it is. It may have "
    "learned from them: then the errors flatter, the reasons do not."
)
SHOWN = (
    "The thin line is what was, the blue one what was forecast, with its intervals of 80 and 95 %."
)


@dataclass(frozen=True)
class ForecastReport(Report):
    """What a forecaster learned from, and its scores beside simple forecasters'.

    Parameters
    ----------
    scored_on : str
        What the scores are of.

    Examples
    --------
    >>> scores = (Score("LSTM", "MASE", 0.8), Score("Naive", "MASE", 1.1))
    >>> told = ForecastReport("Forecaster", 30, 0, scores, 300, 2.0, (), "12 steps from 1 origin")
    >>> print(told)
    Forecaster: 30 series learned from in 300 steps (2.0 s)
    12 steps from 1 origin    MASE
      LSTM                  0.8000
      Naive                 1.1000
    """

    scored_on: str = ""

    @property
    def _amount(self) -> str:
        return f"{self.records} series"

    @property
    def _where(self) -> str:
        return self.scored_on


class ReportedForecaster(DiagnosedForecaster):
    """A forecaster that reports on itself."""

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        df: Any = None,
        h: int | None = None,
        n_windows: int = 1,
    ) -> ForecastReport:
        """Say what was learned from, and how good forecasts are beside simple ones.

        With a path all that can be told is written as one page of HTML, which needs no network and
        no other file: an audit of the data, the training, a backtest beside simple forecasters,
        which inputs matter, why two values were forecast as they were, and whether the network is
        healthy. For the backtest a network is learned once more, from what was known before the
        first origin. Without data there is the training only, and no score.

        Parameters
        ----------
        path : str or path-like, optional
            Where the page goes, such as ``"report.html"``; None for nowhere.
        df : DataFrame, str or Path, optional
            As for :meth:`fit`.
        h : int, optional
            Steps to forecast in the backtest; by default what the intervals were calibrated for.
        n_windows : int
            How many origins.

        Returns
        -------
        ForecastReport
            To be printed, as that of other estimators; the scores are those of the backtest.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        OptionError
            If there are data but no path.
        FileError
            If the page cannot be written.
        DataError
            If something is wrong with the data, or a series is too short for the backtest.
        MissingExtraError
            If jinja2 or matplotlib is not installed.

        Examples
        --------
        >>> import pandas as pd
        >>> from recurra import Forecaster, Training
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0, 1, 2, 3] * 15})
        >>> model = Forecaster(hidden_size=8, training=Training(steps=20)).fit(frame)
        >>> model.report().records
        1
        >>> told = model.report("report.html", frame, h=4)  # doctest: +SKIP
        """
        model: Any = self
        model._check_fitted()
        checked_place(path, df, h)
        log = model.log_
        told = ForecastReport(
            type(self).__name__, len(model._state.tail), 0, (), len(log.loss), log.seconds,
            model.notes_,
        )  # fmt: skip
        if path is None:
            return told
        from recurra.auditing.html import write_page
        from recurra.reporting import check_page

        place = check_page(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # the audit says it
            tried = None if df is None else _Tried.of(model, df, h, n_windows)
            write_page(place, _page_of(model, tried))
        if tried is None:
            return told
        return replace(told, scores=tried.listed, scored_on=tried.where)


def checked_place(path: object, df: object, h: int | None) -> None:
    """Refuse data without a page, a horizon without data, and one that is no count.

    Parameters
    ----------
    path, df, h
        As for `ReportedForecaster.report`.
    """
    if path is None and df is not None:
        raise OptionError(
            'Data are for a page: report("report.html", df). To score forecasts use '
            "recurra.evaluation.backtest."
        )
    if df is None and h is not None:
        raise OptionError("There are no data for the backtest: report(path, df, h).")
    if h is not None:
        check_count("h", h)


@dataclass(frozen=True)
class _Tried:
    """Series whose past was foretold, beside simple forecasters."""

    model: Any
    dataset: Panel
    h: int
    n_windows: int
    own: pd.DataFrame
    scores: dict[str, dict[str, float]]

    @classmethod
    def of(cls, model: Any, df: Any, h: int | None, n_windows: int) -> _Tried:
        dataset, _ = read_long(df, model.columns, model.freq)
        steps = int(h or model.horizon or default_horizon(model.season_lengths_))
        season = min(model.season_lengths_, default=1)
        simple: list[Baseline] = [Naive(), Drift(), Mean()]
        simple += [SeasonalNaive(season)] if season > 1 else []
        found = {each.name: each.cross_validation(dataset, steps, n_windows) for each in simple}
        own = model.cross_validation(dataset, steps, n_windows, level=LEVELS)
        y = own[dataset.columns.target].to_numpy(float).reshape(-1, n_windows, steps)
        scales = _scales(dataset, steps, n_windows, season)
        points = {model._alias: own[model._alias]} | {
            name: table[name] for name, table in found.items()
        }
        scores = {
            name: _scores(y, column.to_numpy(float).reshape(y.shape), scales)
            for name, column in points.items()
        }
        return cls(model, dataset, steps, n_windows, own, scores)

    @property
    def where(self) -> str:
        from recurra.auditing.phrases import plural

        return f"{plural(self.h, 'step')} ahead of {plural(self.n_windows, 'origin')}"

    @property
    def listed(self) -> tuple[Score, ...]:
        return tuple(
            Score(name, measure, value)
            for name, measures in self.scores.items()
            for measure, value in measures.items()
            if np.isfinite(value)
        )


def _page_of(model: Any, tried: _Tried | None) -> str:
    from recurra import auditing
    from recurra.estimators.chapters import (
        counted,
        data_chapter,
        health_chapter,
        state_of,
        training_chapter,
    )
    from recurra.reporting import as_page

    weights = sum(each.numel() for each in model.network_.parameters())
    lead = [("Network", f"{weights:,} weights"), ("Seasons", _listed(model.season_lengths_))]
    built = {"The estimator": repr(model), "Its network": str(model.network_)}
    training = training_chapter(model.log_, {}, model.notes_, built)
    if tried is None:
        return as_page("Report on a Forecaster", lead, [training])
    dataset = tried.dataset
    told, backtest = _backtest(tried)
    audit, diagnosis = auditing.audit(dataset, progress=False), model.diagnose(dataset)
    lead += [
        ("Beside simple forecasters", told),
        ("Data", counted(audit)),
        ("Health", state_of(diagnosis)),
    ]
    chapters = [data_chapter(audit), training, backtest]
    chapters += [what_matters(model, dataset, tried.h), why_so(model, dataset, tried.h)]
    return as_page("Report on a Forecaster", lead, [*chapters, health_chapter(diagnosis)])


def _listed(seasons: tuple[int, ...]) -> str:
    return f"of {', '.join(map(str, seasons))} steps" if seasons else "none"


def _backtest(tried: _Tried) -> tuple[str, Section]:
    """Tell how well the past was foretold, beside simple forecasters."""
    from recurra.auditing.phrases import number
    from recurra.reporting import Picture, Section

    model, scores, own = tried.model, tried.scores, tried.own
    order = sorted(scores, key=lambda name: scores[name]["MASE"])
    simple = {name: Score(name, "MASE", scores[name]["MASE"]) for name in order}
    mine = simple.pop(model._alias)
    told = f"MASE {number(mine.value)}: {beside(mine, [*simple.values()])}, {tried.where}."
    figure = _picture(tried.dataset, own, tried.h, tried.n_windows, model)
    return told, Section("Backtest", [
        told,
        "MASE is the mean absolute error, in units of what repeating the last season is off by in "
        "the past; sMAPE is in per cent.",
        _table(scores, order),
        Picture("Forecasts from the last origin", figure, SHOWN),
        _coverage(own, own[tried.dataset.columns.target].to_numpy(float), model._alias),
    ])  # fmt: skip


def what_matters(model: Any, dataset: Panel, h: int) -> Section:
    """Tell which inputs forecasts rely on.

    Parameters
    ----------
    model : ProbedForecasts
        It is fitted.
    dataset : Panel
        The series; of many, some are looked at.
    h : int
        Steps ahead, at most.

    Returns
    -------
    Section
        A chapter.
    """
    from recurra.estimators.chapters import importance_chapter
    from recurra.reporting import Section

    most = int(dataset.lengths.min()) // (2 * MOMENTS)
    few = _some(dataset, MOST_EXCHANGED)
    try:
        found = model.importance(few, max(1, min(h, most)), n_windows=MOMENTS, n_repeats=REPEATS)
    except DataError as error:  # too short; constant
        return Section("What matters", [str(error)])
    chapter = importance_chapter(found)
    return Section(chapter.title, [*chapter.parts, EXCHANGED])


def why_so(model: Any, dataset: Panel, h: int) -> Section:
    """Explain two values at the end of the series: one with a usual error, and the worst.

    Parameters
    ----------
    model : ProbedForecasts
        It is fitted, and explains.
    dataset : Panel
        The series; of many, some are looked at.
    h : int
        Steps ahead.

    Returns
    -------
    Section
        A chapter.
    """
    from recurra.auditing.phrases import number, quoted
    from recurra.estimators.chapters import explained_parts
    from recurra.reporting import Part, Section

    (window,) = rolling_origin(_some(dataset, MOST_EXCHANGED), h)
    past, coming = from_first_value(window.train), window.actual
    said = model._forecasts_after(past, coming)
    truth = coming.target.reshape(said.shape)
    scales = [np.nanstd(past.record(i).target) or 1.0 for i in range(len(past))]
    off = np.abs(said - truth) / np.array(scales)[:, None]
    known = np.flatnonzero(np.isfinite(off))
    if not len(known):
        return Section("Why it forecasts so", ["Of the last values none is known."])
    known = known[np.argsort(off.ravel()[known], kind="stable")]
    parts: list[Part] = [AT_THE_END]
    chosen = {"A usual error": known[len(known) // 2], "The largest error": known[-1]}
    for title, place in chosen.items():
        series, step = divmod(int(place), said.shape[1])
        told = (
            f"Series {quoted(past.ids[series])}: {number(said[series, step])} was forecast, "
            f"{number(truth[series, step])} came."
        )
        parts += explained_parts(title, told, model._why(past, coming, series, step + 1))
    return Section("Why it forecasts so", parts)


def _some(dataset: Panel, most: int) -> Panel:
    """Take some series, evenly spread."""
    if len(dataset) <= most:
        return dataset
    return dataset.take(np.linspace(0, len(dataset) - 1, most).astype(np.int64).tolist())


def _picture(dataset: Panel, own: pd.DataFrame, h: int, n_windows: int, model: Any) -> Figure:
    """Draw the first few series, and what was forecast from the last origin."""
    from recurra.reporting.forecasts import Drawn, draw_forecasts

    names = (model._alias, *(f"{model._alias}-{side}-{level}" for level in LEVELS
                             for side in ("lo", "hi")))  # fmt: skip
    said = own[[*names]].to_numpy(float).reshape(len(dataset), n_windows, h, -1)[:, -1]
    few = range(min(len(dataset), MOST_SERIES))
    return draw_forecasts([
        Drawn(
            str(dataset.ids[k]),
            dataset.target[dataset.offsets[k] : dataset.offsets[k + 1]][-(BEFORE + 1) * h :],
            said[k, :, 0],
            [(said[k, :, 1], said[k, :, 2]), (said[k, :, 3], said[k, :, 4])],
        )
        for k in few
    ])  # fmt: skip


def _scales(dataset: Panel, h: int, n_windows: int, season: int) -> Floats:
    """Give the scale of MASE for each series and origin."""
    from recurra import metrics

    windows = [*rolling_origin(dataset, h, n_windows)]
    return np.array([
        [
            metrics.seasonal_scale(each.train.target[start:stop], season)
            for start, stop in zip(each.train.offsets[:-1], each.train.offsets[1:], strict=True)
        ]
        for each in windows
    ]).T  # fmt: skip


def _scores(y: Floats, said: Floats, scales: Floats) -> dict[str, float]:
    """Average over series and origins; where nothing is known there is no score."""
    from recurra import metrics

    rows = [
        (metrics.mae(a, b) / scale, metrics.smape(a, b), metrics.rmse(a, b))
        for truth, answers, some in zip(y, said, scales, strict=True)
        for a, b, scale in zip(truth, answers, some, strict=True)
        if scale > 0 and np.isfinite(a).any()
    ]
    if not rows:
        return dict.fromkeys(("MASE", "sMAPE", "RMSE"), float("nan"))
    return dict(zip(("MASE", "sMAPE", "RMSE"), map(float, np.nanmean(rows, 0)), strict=True))


def _table(scores: dict[str, dict[str, float]], order: list[str]) -> Table:
    from recurra.auditing.tables import Table

    rows = tuple((name, *scores[name].values()) for name in order)
    return Table("Scores, the best first", ("model", "MASE", "sMAPE", "RMSE"), rows)


def _coverage(own: pd.DataFrame, truth: Floats, alias: str) -> Table:
    """Say whether intervals hold what they promise."""
    from recurra.auditing.phrases import percent
    from recurra.auditing.tables import Table

    rows = []
    known = np.isfinite(truth)
    for level in LEVELS:
        low, high = (own[f"{alias}-{side}-{level}"].to_numpy(float) for side in ("lo", "hi"))
        inside = (low <= truth) & (truth <= high)
        width = float((high - low)[known].mean())
        rows.append((f"{level} %", percent(float(inside[known].mean())), width, int(known.sum())))
    return Table("Intervals", ("promised", "held", "mean width", "values"), tuple(rows))
