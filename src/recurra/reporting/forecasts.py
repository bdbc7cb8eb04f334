"""Forecasts beside what happened, as a picture. Drawn with matplotlib's figures alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recurra.auditing.pictures import Palette, plain
from recurra.errors import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["Drawn", "draw_forecasts"]

WIDTH, HEIGHT, FONT = 7.6, 1.8, 9
MOST_SIGNS = 60  # of a name
BAND = 0.25  # opacity of an interval


class Drawn(NamedTuple):
    """A series, and what was forecast of its end.

    Attributes
    ----------
    name : str
        The series.
    y : ndarray, shape (steps,)
        What was; NaN where unknown.
    said : ndarray, shape (h,)
        What was forecast for the last steps.
    bounds : sequence of (ndarray, ndarray)
        Low and high ends of intervals.
    """

    name: str
    y: Floats
    said: Floats
    bounds: Sequence[tuple[Floats, Floats]]


def draw_forecasts(every: Sequence[Drawn]) -> Figure:
    """Draw series below each other.

    Parameters
    ----------
    every : sequence of Drawn
        One or more.

    Returns
    -------
    matplotlib.figure.Figure
        An axis for each, counted in steps from the origin.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a forecast")
    palette = Palette()
    figure: Figure = figures.Figure(figsize=(WIDTH, HEIGHT * len(every)), layout="constrained")
    for axis, each in zip(figure.subplots(len(every), squeeze=False)[:, 0], every, strict=True):
        coming = np.arange(1, len(each.said) + 1)
        steps = np.arange(len(each.said) - len(each.y), len(each.said)) + 1
        for low, high in each.bounds:
            axis.fill_between(coming, low, high, color=palette.bar, alpha=BAND, linewidth=0)
        axis.plot(steps, each.y, color=palette.ink, linewidth=1.1)
        axis.plot(coming, each.said, color=palette.bar, linewidth=1.6)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.spines["bottom"].set_color(palette.faint)
        axis.tick_params(labelsize=FONT, colors=palette.ink, length=0)
        axis.grid(axis="y", color=palette.grid, linewidth=0.6)
        axis.set_axisbelow(True)
        name = plain(each.name, MOST_SIGNS)
        axis.set_title(name, loc="left", fontsize=FONT, color=palette.ink)
    axis.set_xlabel("steps from the origin", fontsize=FONT, color=palette.ink)
    return figure
