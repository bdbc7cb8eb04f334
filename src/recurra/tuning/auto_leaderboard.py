"""What was tried, the best first: printable, as a table, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recurra.errors import need
from recurra.tuning.auto_selection import averaged
from recurra.tuning.auto_windows import MEASURES
from recurra.tuning.picture import BLUE, FAINT, FONT, GRID, INK, RED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from recurra.tuning.auto_trial import Trial
    from recurra.tuning.auto_windows import Windows

__all__ = ["Leaderboard", "leaderboard"]

MOST = 40  # models in a picture


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """What was tried, the best first.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each model and one for the ensemble: ``rank``, ``model``, ``options``, the scores
        ``OWA``, ``MASE``, ``sMAPE`` and ``RMSE``, ``seconds``, ``weight`` in the ensemble,
        ``state`` (``"whole"``, ``"cut short"`` or ``"failed"``), ``error``.
    measure : str
        What models are ranked by; less is better.
    judged_on : str
        What they were scored on.

    Examples
    --------
    >>> table = pd.DataFrame({"rank": [1, 2], "model": ["ensemble", "Theta"], "options": "",
    ...     "OWA": [0.81, 0.86], "MASE": [0.9, 1.0], "seconds": [3.0, 1.0],
    ...     "weight": [None, 1.0], "state": "whole", "error": ""})
    >>> print(Leaderboard(table, "OWA", "18 steps from 1 origin, of 3 series"))
    OWA, less is better, on 18 steps from 1 origin, of 3 series
    rank     model options   OWA  MASE seconds weight state
       1  ensemble         0.810 0.900     3.0        whole
       2     Theta         0.860 1.000     1.0   1.00 whole
    """

    table: pd.DataFrame
    measure: str
    judged_on: str

    def __str__(self) -> str:
        shown = self.table.drop(columns="error")
        for name in shown.columns:
            if pd.api.types.is_float_dtype(shown[name].dtype) or name == "weight":
                digits = {"seconds": 1, "weight": 2}.get(str(name), 3)
                values = shown[name].astype(float)
                texts = ["" if np.isnan(x) else f"{x:.{digits}f}" for x in values]
                shown = shown.assign(**{str(name): texts})
        failed = self.table[self.table["state"] == "failed"]
        notes = [f"note: {row.model} failed: {row.error}" for row in failed.itertuples()]
        head = f"{self.measure}, less is better, on {self.judged_on}"
        return "\n".join([head, shown.to_string(index=False), *notes])

    def plot(self) -> Figure:
        """Draw the score of each model.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("leaderboard.png")``, or as ``.svg``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a leaderboard")
        rows = self.table[self.table["state"] != "failed"].head(MOST).iloc[::-1]
        size = (9.0, 1.4 + 0.22 * len(rows))
        figure: Figure = figures.Figure(figsize=size, dpi=144, layout="constrained")
        axes = figure.subplots()
        chosen = (rows["weight"].astype(float).fillna(0) > 0).to_numpy()
        ensemble = (rows["model"] == "ensemble").to_numpy()
        colours = np.where(ensemble, RED, np.where(chosen, BLUE, FAINT))
        places, scores = np.arange(len(rows)), rows[self.measure].to_numpy(float)
        axes.hlines(places, scores.min(), scores, color=GRID, linewidth=1.0)
        axes.scatter(scores, places, c=colours, s=18, zorder=2)
        names = [f"{row.model}  {row.options}".strip() for row in rows.itertuples()]
        axes.set_yticks(places, names)
        axes.tick_params(labelsize=FONT - 2, colors=FAINT, length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(FAINT)
        axes.set_xlabel(f"{self.measure}, less is better", color=FAINT, fontsize=FONT)
        told = f"On {self.judged_on}. Blue: in the ensemble."
        figure.suptitle(told, x=0.015, ha="left", fontsize=FONT + 1, color=INK)
        return figure


def leaderboard(
    trials: Sequence[Trial],
    weights: Sequence[float],
    reach: float,
    windows: Windows,
    measure: str,
) -> Leaderboard:
    """Put the best first.

    Parameters
    ----------
    trials : sequence of Trial
        What was tried.
    weights : sequence of float
        Of each in the average.
    reach : float
        How far beyond the past the average may go.
    windows : Windows
        What it was scored on.
    measure : str
        What it is ranked by.

    Returns
    -------
    Leaderboard
        With a row for the average of those chosen, where there are several.
    """
    weighed = list(zip(trials, weights, strict=True))
    rows = [
        {"model": each.member.name, "options": each.member.told}
        | {name: each.scores.get(name, np.nan) for name in MEASURES}
        | {"seconds": each.seconds, "weight": weight, "state": each.state, "error": each.error}
        for each, weight in weighed
    ]
    used = [(each, weight) for each, weight in weighed if weight]
    if len(used) > 1:
        parts = [w * averaged(each.forecasts, windows, reach) for each, w in used]
        own = {"model": "ensemble", "options": f"of {len(used)} models"}
        spent = {"seconds": sum(each.seconds for each, _ in used), "weight": np.nan}
        scores = windows.scores(np.sum(parts, axis=0))
        rows.append(own | scores | spent | {"state": "whole", "error": ""})
    table = pd.DataFrame(rows).sort_values(measure, kind="stable", na_position="last")
    table = table.reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    origins = len(windows.windows)
    told = f"{windows.h} steps from {origins} origin{'s' if origins > 1 else ''}"
    return Leaderboard(table, measure, f"{told}, of {windows.actual.shape[1]} series")
