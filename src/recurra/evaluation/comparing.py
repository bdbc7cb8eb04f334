"""Score forecasts that are already there, beside the trivial ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from recurra.data.panel.frame import from_frame
from recurra.data.panel.panel import Panel
from recurra.data.tables.columns import Columns
from recurra.errors import DataWarning
from recurra.evaluation.comparison import Comparison
from recurra.evaluation.forecasts import Forecasts, read_forecasts
from recurra.evaluation.origins import beside_baselines, find_origins, find_season_length
from recurra.evaluation.scoring import rank, score_windows, scored_rows

__all__ = ["compare", "compare_read"]


def compare(
    frame: Any,
    train: Any,
    season_length: int | None = None,
    *,
    columns: Columns | None = None,
    freq: str | int | None = None,
) -> Comparison:
    """Score a cross-validation frame, and the baselines on the same rows.

    Parameters
    ----------
    frame : DataFrame
        Forecasts beside what happened, in the form of Nixtla: ``unique_id``, ``ds``, ``cutoff``,
        ``y``, a column for each model, and its bounds ``<model>-lo-80``, ``<model>-hi-80``.
    train : DataFrame or Panel
        The series up to the cutoffs. Rows after a cutoff are not looked at for it, so the whole
        data may be given.
    season_length : int, optional
        Rows in a season, for MASE and `SeasonalNaive`; 1 for none. By default the clock's own
        (24 for hours), or one found in the rows before the first cutoff.
    columns : Columns, optional
        The names of identifier, time and target, in both tables.
    freq : str or int, optional
        The step between stamps; by default the one most stamps of `train` keep.

    Returns
    -------
    Comparison
        With `Naive`, `SeasonalNaive`, `Drift` and `Mean` in it.

    Examples
    --------
    >>> train = pd.DataFrame({"unique_id": "a", "ds": range(8), "y": [1.0, 5.0] * 4})
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": [8, 9], "cutoff": 7, "y": [1.0, 5.0]})
    >>> print(compare(frame.assign(LSTM=[2.0, 5.0]), train, season_length=1))
    1 series, 1 window, up to 2 rows each; season 1
    <BLANKLINE>
                  sMAPE    MASE    RMSE
    LSTM          33.33*  0.125*  0.707*
    Naive (base)  66.67   0.500   2.828
    Mean (base)   75.00   0.500   2.000
    Drift (base)  79.82   0.714   3.332
    <BLANKLINE>
    LSTM beats the best baseline, Naive, by 75.0 % in MASE.
    """
    past = train if isinstance(train, Panel) else from_frame(train, columns, freq=freq)
    return compare_read(read_forecasts(frame, columns or past.columns), past, season_length)


def compare_read(forecasts: Forecasts, past: Panel, season_length: int | None = None) -> Comparison:
    """Do what :func:`compare` does with what it has read.

    Parameters
    ----------
    forecasts : Forecasts
        The models beside what happened.
    past : Panel
        The series.
    season_length : int, optional
        Rows in a season.

    Returns
    -------
    Comparison
        With the baselines in it.
    """
    origins = find_origins(forecasts, past)
    season = find_season_length(forecasts, past) if season_length is None else season_length
    forecasts = beside_baselines(forecasts, origins, season)
    scores = score_windows(forecasts, origins, season)
    return Comparison(
        frame=forecasts.frame,
        table=rank(scores),
        scores=scores,
        columns=forecasts.columns,
        season_length=season,
        notes=_notes(forecasts, scores),
    )


def _notes(forecasts: Forecasts, scores: pd.DataFrame) -> tuple[str, ...]:
    """Say what could not be scored, and warn of it."""
    notes = []
    naive = scores[scores["model"] == "Naive"]
    total = f"of {len(forecasts)} windows"
    silent = int(naive["RMSE"].isna().sum())
    if silent:
        notes.append(f"{silent} {total} have nothing observed: not scored.")
    flat = int(naive["MASE"].isna().sum()) - silent
    if flat:
        why = "their past is constant or no longer than a season"
        notes.append(f"{flat} {total} have no scale, since {why}: left out of MASE.")
    seen = ~np.isnan(forecasts.y)
    bare = int((seen & ~scored_rows(forecasts)).sum())
    if bare:
        of = f"{bare} of {int(seen.sum())} rows"
        notes.append(f"{of} lack a model's bounds: left out of pinball, CRPS and coverage.")
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=4)
    return tuple(notes)
