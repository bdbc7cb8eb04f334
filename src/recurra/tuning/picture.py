"""A search as a picture: every trial's score, and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recurra.errors import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

INK, FAINT, GRID, BLUE, RED = "#33373d", "#767c85", "#e7e9ec", "#0b6aa8", "#c4552d"
FONT = 9  # points


def draw(trials: pd.DataFrame, greater: bool, title: str) -> Figure:
    """Draw the scores in the order of the trials.

    Parameters
    ----------
    trials : pandas.DataFrame
        With ``trial``, ``score`` and ``state``; one at least is finished.
    greater : bool
        Whether more is better.
    title : str
        Over the picture.

    Returns
    -------
    matplotlib.figure.Figure
        A dot for each finished trial, a cross below for each that was stopped or failed, a line for
        the best so far, and one for the default.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a search")
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing a search")
    figure: Figure = figures.Figure(figsize=(9.0, 4.4), dpi=144, layout="constrained")
    axes = figure.subplots()
    done = trials[trials["state"] == "finished"]
    rest = trials[trials["state"] != "finished"]
    at, scores = done["trial"].to_numpy(), done["score"].to_numpy(float)
    so_far = (np.maximum if greater else np.minimum).accumulate(scores)
    axes.plot(at, scores, "o", color=BLUE, markersize=4)
    axes.step(at, so_far, where="post", color=BLUE, linewidth=1.6)
    if at[0] == 0:
        axes.axhline(scores[0], color=FAINT, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.annotate("default", (0.005, scores[0]), (0, 3), color=FAINT, fontsize=FONT,
                      xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
    foot = axes.get_xaxis_transform()
    axes.plot(rest["trial"], np.full(len(rest), 0.02), "x", color=RED, markersize=4, transform=foot)
    best = int((scores if greater else -scores).argmax())
    axes.plot(at[best], scores[best], "o", color=RED, markersize=7, fillstyle="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(labelsize=FONT, colors=FAINT, length=3)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(10, integer=True))
    axes.set_xlabel("trial", color=FAINT, fontsize=FONT)
    figure.suptitle(title, x=0.015, ha="left", fontsize=FONT + 2, color=INK)
    if len(rest):
        told = f"× at the foot: {len(rest)} trials that were stopped early or failed."
        figure.supxlabel(told, x=0.015, ha="left", fontsize=FONT, color=FAINT)
    return figure
