"""Bars for what matters how much: lying, by rank; or standing, as time goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import number
from recurra.auditing.pictures import Palette, plain
from recurra.errors import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["RED", "across", "along", "bare", "blank"]

FONT, WIDTH = 9, 7.6
RED = "#c4552d"
MOST_SIGNS = 44
MANY = 40  # steps whose names do not fit below bars


def blank(height: float, purpose: str, columns: int = 1) -> tuple[Figure, Any]:
    """Make an empty figure.

    Parameters
    ----------
    height : float
        In inches.
    purpose : str
        What matplotlib is needed for.
    columns : int
        How many axes side by side.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Of the house's width.
    axes : Axes, or ndarray of Axes
        One, or one for each column.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose=purpose)
    figure: Figure = figures.Figure(figsize=(WIDTH, height), dpi=144, layout="constrained")
    return figure, figure.subplots(1, columns)


def bare(axes: Axes, grid: str | None = None) -> Palette:
    """Take away what an axis does not need.

    Parameters
    ----------
    axes : Axes
        The axis.
    grid : {"x", "y"}, optional
        Where faint lines are to be drawn.

    Returns
    -------
    Palette
        The colours to draw with.
    """
    palette = Palette()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(palette.faint)
    axes.tick_params(labelsize=FONT, colors=palette.ink, length=0)
    if grid:
        axes.grid(axis=grid, color=palette.grid, linewidth=0.8)  # type: ignore[arg-type]
        axes.set_axisbelow(True)
    return palette


def across(
    names: Sequence[str],
    values: Sequence[float],
    errors: Sequence[float] | None,
    title: str,
    label: str,
    left_out: int = 0,
) -> Figure:
    """Draw a lying bar for each name, the first on top.

    Parameters
    ----------
    names : sequence of str
        What each bar is called.
    values : sequence of float
        How long it is; below 0 it is red and goes to the left.
    errors : sequence of float, optional
        A thin line of plus and minus so much.
    title : str
        Over the picture.
    label : str
        Below the axis.
    left_out : int
        How many are not drawn, which is said below.

    Returns
    -------
    matplotlib.figure.Figure
        The picture.
    """
    figure, axes = blank(1.1 + 0.24 * max(len(names), 3), "Drawing an importance")
    palette = bare(axes, "x")
    places = np.arange(len(names))
    colours = [palette.bar if value >= 0 else RED for value in values]
    axes.barh(places, values, height=0.68, color=colours)
    if errors is not None and np.isfinite(errors).all():
        axes.errorbar(values, places, xerr=errors, fmt="none", ecolor=palette.ink, elinewidth=1.0)
    axes.axvline(0, color=palette.faint, linewidth=0.8)
    axes.set_yticks(places, [plain(name, MOST_SIGNS) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    _finish(figure, axes, axes.xaxis, title)
    more = f"   ({left_out} more are not drawn)" if left_out else ""
    axes.set_xlabel(plain(label) + more, fontsize=FONT, color=palette.faint)
    return figure


def along(
    names: Sequence[str],
    values: Sequence[float],
    errors: Sequence[float] | None,
    title: str,
    label: str,
) -> Figure:
    """Draw a standing bar for each name, from left to right.

    Parameters
    ----------
    names, values, errors, title, label
        As for `across`; the label stands beside the axis.

    Returns
    -------
    matplotlib.figure.Figure
        The picture.
    """
    figure, axes = blank(3.2, "Drawing an importance")
    palette = bare(axes, "y")
    places = np.arange(len(names))
    colours = [palette.bar if value >= 0 else RED for value in values]
    axes.bar(places, values, width=0.8, color=colours)
    if errors is not None and np.isfinite(errors).all():
        axes.errorbar(places, values, yerr=errors, fmt="none", ecolor=palette.ink, elinewidth=1.0)
    axes.axhline(0, color=palette.faint, linewidth=0.8)
    every = -(-len(names) // MANY) * (5 if len(names) > MANY else 1)
    long = max(len(name) for name in names) * len(names) > 90 and len(names) <= MANY
    shown = [plain(name.removeprefix("steps ").removeprefix("step "), MOST_SIGNS) for name in names]
    axes.set_xticks(places[::every], shown[::every], rotation=90 if long and _wide(shown) else 0)
    axes.set_xlabel("step", fontsize=FONT, color=palette.faint)
    axes.set_ylabel(plain(label).replace(": ", ":\n", 1), fontsize=FONT, color=palette.faint)
    _finish(figure, axes, axes.yaxis, title)
    return figure


def _wide(names: Sequence[str]) -> bool:
    return sum(len(name) + 2 for name in names) > 90


def _finish(figure: Figure, axes: Axes, axis: Any, title: str) -> None:
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing an importance")
    axis.set_major_locator(ticker.MaxNLocator(6))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(float(value))))
    axes.margins(x=0.02)
    figure.suptitle(plain(title), x=0.015, ha="left", fontsize=FONT + 2, color=Palette().ink)
