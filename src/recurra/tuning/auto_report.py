"""A page about an average of networks and baselines: what was compared, why, is it healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import number, plural
from recurra.auditing.tables import Table
from recurra.estimators.chapters import (
    counted,
    data_chapter,
    health_chapter,
    state_of,
    training_chapter,
)
from recurra.estimators.forecasting.forecast_report import (
    MOST_SERIES,
    ForecastReport,
    what_matters,
    why_so,
)
from recurra.estimators.forecasting.forecaster import ALIASES
from recurra.estimators.learning.report import Score, beside
from recurra.reporting import Folded, Part, Picture, Section, as_page
from recurra.tuning.auto_members import BaselineMember, NetworkMember
from recurra.tuning.auto_windows import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from recurra.data import Panel
    from recurra.diagnosing import Diagnoses

__all__ = ["page_of", "told_of"]

LEVELS = (80, 95)  # per cent
BEFORE = 3  # horizons of the past beside a forecast
NAMES = ("rank", "model", "options", *MEASURES, "weight", "state")
KIND = (
    "Weights, and how far forecasts may go beyond the past, were chosen by these scores, so that "
    "of the average is a little too kind."
)
AHEAD = "The line is what was, the blue one what is forecast, with its intervals of 80 and 95 %."


def told_of(model: Any) -> ForecastReport:
    """Say what was learned from, and the scores on the validation windows.

    Parameters
    ----------
    model : AutoForecaster
        It is fitted.

    Returns
    -------
    ForecastReport
        Its own scores first, then those of the baselines.
    """
    logs = [each.model.log_ for each in model._ensemble.networks().values()]
    return ForecastReport(
        type(model).__name__,
        len(model._ensemble.panel),
        0,
        _scores(model),
        sum(len(each.loss) for each in logs),
        sum(each.seconds for each in logs),
        model.notes_,
        f"on {model.leaderboard_.judged_on}",
    )


def page_of(model: Any, panel: Panel | None, h: int) -> str:
    """Write all that can be told of an ensemble.

    Parameters
    ----------
    model : AutoForecaster
        It is fitted.
    panel : Panel, optional
        Series.
    h : int
        Steps to forecast.

    Returns
    -------
    str
        HTML.
    """
    from recurra import auditing

    title, compared = f"Report on an {type(model).__name__}", _compared(model)
    lead = [("Averaged", _averaged(model)), ("Beside simple forecasters", _beside(model))]
    name, first = next(iter(model._ensemble.networks().items()))
    built = {"The estimator": repr(model), "Its network": str(first.model.network_)}
    trained = training_chapter(first.model.log_, {}, model.notes_, built)
    trained = Section("Training", [f"That of {name}, the first of the networks.", *trained.parts])
    if panel is None:
        return as_page(title, lead, [compared, trained])
    audit, diagnoses = auditing.audit(panel, progress=False), model.diagnose(panel)
    lead += [("Data", counted(audit)), ("Health", state_of(diagnoses))]
    chapters = [data_chapter(audit), compared, *_ahead(model, h), trained]
    chapters += [what_matters(model, panel, h), why_so(model, panel, h), _health(diagnoses)]
    return as_page(title, lead, chapters)


def _averaged(model: Any) -> str:
    """Count what is averaged."""
    pairs = zip(model._ensemble.members, model._ensemble.weights, strict=True)
    used = [each for each, weight in pairs if weight]
    counts = {
        "network": sum(isinstance(each, NetworkMember) for each in used),
        "baseline": sum(isinstance(each, BaselineMember) for each in used),
    }
    return " and ".join(plural(count, name) for name, count in counts.items() if count)


def _scores(model: Any) -> tuple[Score, ...]:
    """Give its own scores, then those of baselines, the measure it was chosen by first."""
    board = model.leaderboard_
    table = board.table
    own = table[table["model"] == "ensemble"]
    own = own if len(own) else table[table["weight"].astype(float) > 0].head(1)
    simple = table[~table["model"].isin([*ALIASES.values(), "ensemble"])]
    measures = [board.measure, *(each for each in MEASURES if each != board.measure)]
    rows = [(type(model).__name__, own.iloc[0])]
    rows += [(row["model"], row) for _, row in simple.iterrows() if row["state"] != "failed"]
    return tuple(
        Score(name, measure, float(row[measure]))
        for name, row in rows
        for measure in measures
        if np.isfinite(row[measure])
    )


def _beside(model: Any) -> str:
    """Compare the average with the best baseline."""
    measure = model.leaderboard_.measure
    own, *simple = [each for each in _scores(model) if each.measure == measure]
    told = f"{measure} {number(own.value)}: {beside(own, simple)}"
    return f"{told}, on {model.leaderboard_.judged_on}."


def _compared(model: Any) -> Section:
    """Show the leaderboard."""
    board = model.leaderboard_
    rows = tuple(
        tuple(None if value != value else value for value in row)
        for row in board.table[[*NAMES]].itertuples(index=False)
    )
    caption = f"Scores on {board.judged_on}. Blue are models that are averaged, red is the average."
    return Section("What was compared", [
        _beside(model),
        KIND,
        Picture(f"{board.measure} of each model", board.plot(), caption),
        Folded("In numbers", [Table("All models, the best first", NAMES, rows)]),
    ])  # fmt: skip


def _ahead(model: Any, h: int) -> list[Section]:
    """Show what is forecast next, where no covariates are needed for it."""
    if model.columns.future:
        return []
    return [Section("What comes next", [Picture("Forecasts", _drawn(model, h), AHEAD)])]


def _drawn(model: Any, h: int) -> Figure:
    from recurra.reporting.forecasts import Drawn, draw_forecasts

    ensemble, name = model._ensemble, type(model).__name__
    panel = ensemble.panel
    said = ensemble.forecast(ensemble.lead.model._coming(h, None), LEVELS, name)
    table = {key: column.reshape(len(panel), h) for key, column in said.items()}
    return draw_forecasts([
        Drawn(
            str(panel.ids[k]),
            np.append(panel.record(k).target[-BEFORE * h :], np.full(h, np.nan)),
            table[name][k],
            [tuple(table[f"{name}-{side}-{level}"][k] for side in ("lo", "hi"))
             for level in LEVELS],
        )
        for k in range(min(len(panel), MOST_SERIES))
    ])  # fmt: skip


def _health(diagnoses: Diagnoses) -> Section:
    """Tell of each network whether it is healthy."""
    parts: list[Part] = [state_of(diagnoses)]
    for name, each in diagnoses.items():
        parts.append(Folded(f"{name}: {state_of(each)}", health_chapter(each, name).parts))
    return Section("Health of the networks", parts)
