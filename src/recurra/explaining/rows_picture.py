"""Scores for several answers as a picture: a row for each, and what was read below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import percent
from recurra.auditing.pictures import plain
from recurra.errors import need
from recurra.explaining.painting import (
    DASHES,
    FONT,
    PALETTE,
    PURPOSE,
    WIDTH,
    draw_values,
    name_steps,
    quiet,
    shades,
    short,
    tell,
    told_step,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from recurra.explaining.question import Read
    from recurra.types import Floats

__all__ = ["draw_rows"]

MOST_NAMED = 30  # answers
SMALL = 0.05  # of the largest score: what is before the first such step is not drawn


def draw_rows(
    title: str, legend: str, name: str, names: Sequence[object], scores: Floats, read: Read
) -> Figure:
    """Draw the scores of the steps for several answers: a row for each, and the values below.

    Parameters
    ----------
    title, legend : str
        Above, and below.
    name : str
        What the names of the answers are.
    names : sequence of object
        The name of each answer.
    scores : ndarray, shape (answers, steps)
        The scores.
    read : Read
        What is read.

    Returns
    -------
    matplotlib.figure.Figure
        The first answer at the top; each in colours of its own strength. What lies before all
        scores that count is left out.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose=PURPOSE)
    begun, stop = _first_that_counts(scores), len(read.values)
    known = _known_channels(read, begun)
    heights = [0.4 + 0.22 * len(scores), *([1.6] if known else [])]
    size = (WIDTH, sum(heights) + 0.9)
    figure: Figure = figures.Figure(figsize=size, dpi=144, layout="constrained")
    axes = figure.subplots(len(heights), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
    axes[0].imshow(
        np.stack([shades(row) for row in scores]), aspect="auto", interpolation="nearest"
    )
    rows = range(0, len(scores), max(-(-len(scores) // MOST_NAMED), 1))
    axes[0].set_yticks([*rows], [short(str(names[k])) for k in rows])
    axes[0].set_ylabel(name, fontsize=FONT, color=PALETTE.ink)

    def told(step: int, row: int) -> str:
        return f"{name} {names[row]}, {told_step(read, step, scores[row, step])}"

    tell(axes[0], len(read.values), len(scores), told)
    if known:
        draw_values(axes[1], read, known, begun)
    for axis in axes:
        quiet(axis)
    axes[-1].set_xlim(begun - 0.5, stop - 0.5)
    name_steps(axes[-1], read, begun)
    legend += f" Steps before these score less than {percent(SMALL)} of the largest." * (begun > 0)
    figure.suptitle(plain(title), x=0.012, ha="left", fontsize=FONT + 2, color=PALETTE.ink)
    figure.supxlabel(legend, x=0.012, ha="left", fontsize=FONT, color=PALETTE.faint)
    return figure


def _first_that_counts(scores: Floats) -> int:
    """Find the step from which on scores can be seen; shape (answers, steps)."""
    largest = np.abs(scores).max(1, initial=0.0, keepdims=True)
    counts = np.flatnonzero((np.abs(scores) >= SMALL * largest).any(0))
    return max(int(counts[0]) - 1, 0) if counts.size else 0


def _known_channels(read: Read, begun: int) -> list[int]:
    """List the channels whose values can be drawn."""
    if read.shown is None:
        return []
    found: list[int] = np.flatnonzero(~np.isnan(read.shown[begun:]).all(0)).tolist()
    return found[: len(DASHES)]
