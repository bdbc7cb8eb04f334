"""Paths of a state as a picture: coloured by what is answered, or by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import percent, plural
from recurra.auditing.pictures import plain
from recurra.errors import need
from recurra.explaining.bars import FONT, bare, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["draw_paths"]

COLOURS = ("#0b6aa8", "#c4552d", "#2f8557", "#8450a5", "#a8780b", "#b83a6f")
SIGNS = "os^Dvp"  # where paths end, for those who do not see the colours
OTHER, OTHER_SIGN = "#9aa0a8", "."
MOST_SIGNS = 24  # of a label
PURPOSE = "Drawing trajectories"


def draw_paths(
    paths: Sequence[Floats],
    answers: Sequence[Any] | None,
    shares: Sequence[float],
    left_out: int,
    *,
    by_step: bool = False,
) -> Figure:
    """Draw paths.

    Parameters
    ----------
    paths : sequence of ndarray, each of shape (steps, n)
        The paths; the first two directions are drawn, or one over the steps.
    answers : sequence, optional
        What paths are coloured by; by the step where there are none.
    shares : sequence of float
        Of the variance, which each direction has.
    left_out : int
        How many paths are not drawn.
    by_step : bool
        Whether there is an answer for each step, not for each path.

    Returns
    -------
    matplotlib.figure.Figure
        The picture.
    """
    figure, axes = blank(5.2, PURPOSE)
    palette = bare(axes)
    axes.spines["left"].set_visible(True)
    axes.spines["left"].set_color(palette.faint)
    flat = len(shares) == 1
    drawn = [
        np.stack([np.arange(len(path)), path[:, 0]], 1) if flat else path[:, :2] for path in paths
    ]
    if answers is None:
        _by_step(figure, axes, drawn)
    elif by_step:
        _dotted(figure, axes, drawn, np.concatenate(answers))
    elif all(isinstance(each, float | np.floating) for each in answers):
        _by_number(figure, axes, drawn, np.array(answers, float))
    else:
        _by_label(axes, drawn, [str(each) for each in answers])
    labels = [f"direction {k + 1} ({percent(share)} of the variance)" for k, share in
              enumerate(shares[:2])]  # fmt: skip
    axes.set_xlabel("step" if flat else labels[0], fontsize=FONT, color=palette.faint)
    axes.set_ylabel(labels[0] if flat else labels[1], fontsize=FONT, color=palette.faint)
    title = f"The state after each step, of {plural(len(paths), 'record')}"
    if answers is None or not by_step:
        title = f"{title}; a sign where each ends"
    if left_out:
        title = f"{title} ({left_out} more are not drawn)"
    figure.suptitle(title, x=0.015, ha="left", fontsize=FONT + 2, color=palette.ink)
    return figure


def _by_label(axes: Axes, paths: Sequence[Floats], answers: Sequence[str]) -> None:
    looks = _legend(axes, answers)
    for path, answer in zip(paths, answers, strict=True):
        colour, sign = looks.get(answer, (OTHER, OTHER_SIGN))
        axes.plot(*path.T, color=colour, linewidth=0.8, alpha=0.55)
        axes.plot(*path[-1:].T, sign, color=colour, markersize=4.5)


def _legend(axes: Axes, answers: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give the most frequent answers a colour and a sign each, and say which."""
    known = [answer for answer, _ in Counter(sorted(answers)).most_common()]
    looks = dict(zip(known, zip(COLOURS, SIGNS, strict=True), strict=False))
    for answer, (colour, sign) in looks.items():
        said = plain(answer, MOST_SIGNS) if answer.strip() else repr(answer)
        axes.plot([], [], f"{sign}-", color=colour, label=said, markersize=4.5)
    if len(known) > len(looks):
        axes.plot([], [], f"{OTHER_SIGN}-", color=OTHER, label="others", markersize=4.5)
    axes.legend(frameon=False, fontsize=FONT)
    return looks


def _dotted(figure: Figure, axes: Axes, paths: Sequence[Floats], answers: Any) -> None:
    """Draw a dot for each step, in the colour of what is answered there."""
    for path in paths:
        axes.plot(*path.T, color=OTHER, linewidth=0.5, alpha=0.35, zorder=1)
    points = np.concatenate(paths)
    there = np.isfinite(answers) if answers.dtype.kind == "f" else np.zeros(len(answers), bool)
    if there.any():
        colours, scale = _scale(float(answers[there].min()), float(answers[there].max()))
        order = np.flatnonzero(there)[np.argsort(answers[there], kind="stable")]
        axes.scatter(
            points[order, 0], points[order, 1], 9, colours(scale(answers[order])), zorder=2
        )
        _bar(figure, axes, scale, "answer")
        return
    named = [str(each) for each in answers.tolist()]
    looks = _legend(axes, named)
    for answer in dict.fromkeys(named):
        colour, sign = looks.get(answer, (OTHER, OTHER_SIGN))
        there = np.array([each == answer for each in named])
        axes.scatter(points[there, 0], points[there, 1], 9, colour, marker=sign, zorder=2)


def _by_number(figure: Figure, axes: Axes, paths: Sequence[Floats], answers: Floats) -> None:
    colours, scale = _scale(float(np.nanmin(answers)), float(np.nanmax(answers)))
    for path, answer in zip(paths, answers, strict=True):
        axes.plot(*path.T, color=colours(scale(answer)), linewidth=0.8, alpha=0.55)
        axes.plot(*path[-1:].T, "o", color=colours(scale(answer)), markersize=4.5)
    _bar(figure, axes, scale, "answer")


def _by_step(figure: Figure, axes: Axes, paths: Sequence[Floats]) -> None:
    collections: Any = need("matplotlib.collections", extra="plot", purpose=PURPOSE)
    longest = max(len(path) for path in paths)
    colours, scale = _scale(0.0, max(longest - 1.0, 1.0))
    for path in paths:
        pieces = np.stack([path[:-1], path[1:]], 1)
        steps = colours(scale(np.arange(1, len(path))))
        axes.add_collection(collections.LineCollection(pieces, colors=steps, linewidths=0.9))
        axes.plot(*path[-1:].T, "o", color=colours(scale(len(path) - 1)), markersize=4.5)
    axes.autoscale_view()
    _bar(figure, axes, scale, "step")


def _scale(low: float, high: float) -> tuple[Any, Any]:
    matplotlib: Any = need("matplotlib", extra="plot", purpose=PURPOSE)
    colors: Any = need("matplotlib.colors", extra="plot", purpose=PURPOSE)
    return matplotlib.colormaps["viridis_r"], colors.Normalize(low, high)


def _bar(figure: Figure, axes: Axes, scale: Any, label: str) -> None:
    cm: Any = need("matplotlib.cm", extra="plot", purpose=PURPOSE)
    made = figure.colorbar(cm.ScalarMappable(scale, "viridis_r"), ax=axes, pad=0.02, aspect=40)
    made.outline.set_visible(False)
    made.ax.tick_params(labelsize=FONT, length=0)
    made.set_label(label, fontsize=FONT)
