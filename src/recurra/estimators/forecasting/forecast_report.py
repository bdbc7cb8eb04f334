"""A page about a fitted forecaster: its data, training, a backtest beside baselines, health."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.errors import DataWarning, OptionError
from recurra.estimators.forecasting.baselines import Baseline, Drift, Mean, Naive, SeasonalNaive
from recurra.estimators.forecasting.forecast_defaults import default_horizon
from recurra.estimators.forecasting.forecast_diagnosis import DiagnosedForecaster
from recurra.estimators.forecasting.frames import read_long
from recurra.estimators.forecasting.rolling import rolling_origin

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.auditing.tables import Table
    from recurra.data import Panel
    from recurra.reporting import Section
    from recurra.types import Floats

__all__ = ["ReportedForecaster"]

LEVELS = (80, 95)  # per cent
MOST_SERIES, BEFORE = 4, 3  # that are drawn; horizons of the past beside a forecast
SHOWN = (
    "The thin line is what was, the blue one what was forecast, with its intervals of 80 and 95 %."
)


class ReportedForecaster(DiagnosedForecaster):
    """A forecaster that reports on itself."""

    def report(
        self,
        path: str | os.PathLike[str],
        df: Any = None,
        h: int | None = None,
        n_windows: int = 1,
    ) -> None:
        """Write one page of HTML, which needs no network and no other file.

        It has an audit of the data, the training, a backtest beside simple forecasters, and whether
        the network is healthy. For the backtest a network is learned once more, from what was known
        before the first origin. Without data there is the training only.

        Parameters
        ----------
        path : str or path-like
            Where the page goes, such as ``"report.html"``.
        df : DataFrame, str or Path, optional
            As for :meth:`fit`.
        h : int, optional
            Steps to forecast in the backtest; by default what the intervals were calibrated for.
        n_windows : int
            How many origins.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
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
        >>> model.report("report.html", frame, h=4)  # doctest: +SKIP
        """
        from recurra.auditing.html import write_page
        from recurra.reporting import check_page

        model: Any = self
        model._check_fitted()
        place = check_page(path)
        if df is None and h is not None:
            raise OptionError("There are no data for the backtest: report(path, df, h).")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # the audit says it
            write_page(place, _page_of(model, df, h, n_windows))


def _page_of(model: Any, df: Any, h: int | None, n_windows: int) -> str:
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
    if df is None:
        return as_page("Report on a Forecaster", lead, [training])
    from recurra import auditing

    dataset, _ = read_long(df, model.columns, model.freq)
    steps = int(h or model.horizon or default_horizon(model.season_lengths_))
    told, backtest = _backtest(model, dataset, steps, n_windows)
    audit, diagnosis = auditing.audit(dataset, progress=False), model.diagnose(dataset)
    lead += [
        ("Beside simple forecasters", told),
        ("Data", counted(audit)),
        ("Health", state_of(diagnosis)),
    ]
    chapters = [data_chapter(audit), training, backtest, health_chapter(diagnosis)]
    return as_page("Report on a Forecaster", lead, chapters)


def _listed(seasons: tuple[int, ...]) -> str:
    return f"of {', '.join(map(str, seasons))} steps" if seasons else "none"


def _backtest(model: Any, dataset: Panel, h: int, n_windows: int) -> tuple[str, Section]:
    """Foretell the past, beside simple forecasters."""
    from recurra.auditing.phrases import number, plural
    from recurra.reporting import Picture, Section

    season = min(model.season_lengths_, default=1)
    simple: list[Baseline] = [Naive(), Drift(), Mean()]
    simple += [SeasonalNaive(season)] if season > 1 else []
    found = {each.name: each.cross_validation(dataset, h, n_windows) for each in simple}
    own: pd.DataFrame = model.cross_validation(dataset, h, n_windows, level=LEVELS)
    y = own[dataset.columns.target].to_numpy(float).reshape(-1, n_windows, h)
    scales = _scales(dataset, h, n_windows, season)
    points = {model._alias: own[model._alias]} | {
        name: table[name] for name, table in found.items()
    }
    scores = {
        name: _scores(y, column.to_numpy(float).reshape(y.shape), scales)
        for name, column in points.items()
    }
    order = sorted(scores, key=lambda name: scores[name]["MASE"])
    mine = scores[model._alias]["MASE"]
    best = next(name for name in order if name != model._alias)
    how = "better than" if mine < scores[best]["MASE"] else "no better than"
    told = (
        f"MASE {number(mine)}: {how} {number(scores[best]['MASE'])} of {best}, {plural(h, 'step')} "
        f"ahead of {plural(n_windows, 'origin')}."
    )
    figure = _picture(dataset, own, h, n_windows, model)
    return told, Section("Backtest", [
        told,
        "MASE is the mean absolute error, in units of what repeating the last season is off by in "
        "the past; sMAPE is in per cent.",
        _table(scores, order),
        Picture("Forecasts from the last origin", figure, SHOWN),
        _coverage(own, y, model._alias),
    ])  # fmt: skip


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


def _coverage(own: pd.DataFrame, y: Floats, alias: str) -> Table:
    """Say whether intervals hold what they promise."""
    from recurra.auditing.phrases import percent
    from recurra.auditing.tables import Table

    truth, rows = y.ravel(), []
    known = np.isfinite(truth)
    for level in LEVELS:
        low, high = (own[f"{alias}-{side}-{level}"].to_numpy(float) for side in ("lo", "hi"))
        inside = (low <= truth) & (truth <= high)
        width = float((high - low)[known].mean())
        rows.append((f"{level} %", percent(float(inside[known].mean())), width, int(known.sum())))
    return Table("Intervals", ("promised", "held", "mean width", "values"), tuple(rows))
