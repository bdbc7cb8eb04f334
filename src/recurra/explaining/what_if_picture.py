"""Answers before and after a change as a picture: lines over time, or dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.pictures import plain
from recurra.errors import need
from recurra.explaining.bars import FONT, MOST_SIGNS, bare, blank

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from recurra.types import Array, Floats

__all__ = ["draw_dots", "draw_lines"]

MOST = 20  # answers, or series
MOST_SERIES = 6
WRAP = 90


def draw_dots(names: Sequence[str], before: Floats, after: Floats, title: str) -> Figure:
    """Draw an open dot for each answer before, a full one after, and what lies between.

    Parameters
    ----------
    names : sequence of str
        What each answer is about.
    before, after : ndarray, shape (answers,)
        The answers.
    title : str
        Over the picture.

    Returns
    -------
    matplotlib.figure.Figure
        Of those that moved farthest, where they are many.
    """
    order = np.sort(np.argsort(-np.abs(after - before), kind="stable")[:MOST])
    figure, axes = blank(1.3 + 0.28 * max(len(order), 3), "Drawing a what-if")
    palette = bare(axes, "x")
    places = np.arange(len(order))
    old, new = before[order], after[order]
    axes.hlines(places, old, new, color=palette.faint, linewidth=1.2)
    axes.plot(old, places, "o", color=palette.faint, fillstyle="none", label="before")
    axes.plot(new, places, "o", color=palette.bar, label="after")
    axes.set_yticks(places, [plain(names[k], MOST_SIGNS) for k in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.legend(frameon=False, fontsize=FONT, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    left = len(names) - len(order)
    axes.set_xlabel("answer" + (f"   ({left} more are not drawn)" if left else ""), fontsize=FONT,
                    color=palette.faint)  # fmt: skip
    figure.suptitle(plain(title, WRAP), x=0.015, ha="left", fontsize=FONT + 2, color=palette.ink)
    return figure


def draw_lines(
    owners: Array,
    times: Array,
    before: Floats,
    after: Floats,
    far: Sequence[float],
    title: str,
    label: str,
    *,
    alike: bool,
) -> Figure:
    """Draw both answers of each series, or record, over time.

    Parameters
    ----------
    owners, times : ndarray, shape (answers,)
        The series and the time of each value.
    before, after : ndarray, shape (answers,)
        The values.
    far : sequence of float
        How far the values of each series moved, in the order in which the series come.
    title : str
        Over the picture.
    label : str
        What the time is called, where it is a number.
    alike : bool
        Whether all are drawn to one scale.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each series; of more than six, for those that moved farthest.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a what-if")
    stamps = hasattr(times[0], "year")
    wall = [each.replace(tzinfo=None) for each in times] if stamps else times
    times = np.array(wall, "M8[ns]" if stamps else float)
    every = list(dict.fromkeys(owners.tolist()))
    first = np.argsort(-np.array(far), kind="stable")[:MOST_SERIES]
    shown = [every[k] for k in np.sort(first)]
    size = (7.6, 0.8 + 1.9 * len(shown))
    figure: Figure = figures.Figure(figsize=size, dpi=144, layout="constrained")
    grid = figure.subplots(len(shown), 1, sharex=True, sharey=alike, squeeze=False)[:, 0]
    for axes, owner in zip(grid, shown, strict=True):
        palette = bare(axes, "y")
        rows = owners == owner
        axes.fill_between(times[rows], before[rows], after[rows], color=palette.bar, alpha=0.12)
        dashed = {"linewidth": 1.3, "linestyle": (0, (4, 3))}
        axes.plot(times[rows], before[rows], color=palette.faint, label="before", **dashed)
        axes.plot(times[rows], after[rows], color=palette.bar, linewidth=1.6, label="after")
        axes.set_title(plain(str(owner), WRAP), loc="left", fontsize=FONT, color=palette.ink)
    grid[0].legend(frameon=False, fontsize=FONT, ncols=2, loc="lower right",
                   bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1)  # fmt: skip
    if stamps:
        dates: Any = need("matplotlib.dates", extra="plot", purpose="Drawing a what-if")
        locator = dates.AutoDateLocator(minticks=3, maxticks=9)
        grid[-1].xaxis.set_major_locator(locator)
        grid[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    else:
        grid[-1].set_xlabel(label, fontsize=FONT, color=palette.faint)
        grid[-1].locator_params(axis="x", integer=bool((times == np.round(times)).all()))
    left = len(every) - len(shown)
    if left:
        figure.supxlabel(
            f"{left} more that moved less far are not drawn.", x=0.015, ha="left", fontsize=FONT
        )
    figure.suptitle(plain(title, WRAP), x=0.015, ha="left", fontsize=FONT + 2, color=palette.ink)
    return figure
